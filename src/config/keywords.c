/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/keywords.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/kinds.h"

#define LONGEST_PATH 4000
#define MOST_MONTHS 1200 /* that somebody may keep */
#define WORD_WIDTH 19    /* what -nv aligns to */

enum value_type {
	VALUE_NUMBER,
	VALUE_BUCKET,
	VALUE_DATABASE,
	VALUE_TLS,
	VALUE_ATTRIBUTION,
	VALUE_UNATTRIBUTED,
	VALUE_RETAIN,
	VALUE_SWITCH,
	VALUE_PATH,
	VALUE_PATH_OR_NONE,
	VALUE_SOCKET,
	VALUE_ZONE,
	VALUE_SUFFIX,
	VALUE_USER,
	VALUE_LISTEN,
	VALUE_YES_NO,
	VALUE_TEXT,   /* NULL while it is not set */
	VALUE_SECRET, /* the same, and shown to nobody */
	VALUE_NAME,   /* of a database or table */
	VALUE_MASK,
	VALUE_NETWORK, /* from here on: each line adds one */
	VALUE_ADDRESS,
	VALUE_DEVICE,
	VALUE_OWNER,
	VALUE_BILLING_DAY,
	VALUE_QUOTA,
	VALUE_INERT
};

static const char no_promiscuity[] = "the kernel counts for xenbw, no device listens to all frames";
static const char never_did[] = "it did nothing in netacct-mysql either";
static const char only_mysql[] = "xenbw writes to MySQL and MariaDB only";
static const char no_debug_mask[] = "`xenbwd -d` logs more";
static const char no_debug_file[] = "messages go to syslog, and to standard error with -D";

struct keyword {
	const char *word;
	enum value_type type;
	size_t offset;
	const char *fallback;
	unsigned min, max; /* VALUE_NUMBER */
	const char *inert; /* why it does nothing */
};

#define AT(field) offsetof(struct conf, field)

static const struct keyword keywords[] = {
	{"poll", VALUE_NUMBER, AT(poll), "5", 1, 300, NULL},
	{"flush", VALUE_NUMBER, AT(flush), "30", 1, 300, NULL},
	{"errdelay", VALUE_NUMBER, AT(errdelay), "4", 0, 1000, NULL},
	{"bucket", VALUE_BUCKET, AT(bucket), "domain", 0, 0, NULL},
	{"bucket_suffix", VALUE_SUFFIX, AT(bucket_suffix), "none", 0, 0, NULL},
	{"ledger", VALUE_PATH, AT(ledger), "/var/lib/xenbw/ledger.db", 0, 0, NULL},
	{"retain", VALUE_RETAIN, AT(retain), "forever", 0, 0, NULL},
	{"rrd_dir", VALUE_PATH_OR_NONE, AT(rrd_dir), "/var/lib/xenbw/rrd", 0, 0, NULL},
	{"control", VALUE_SOCKET, AT(control), "/run/xenbw/control", 0, 0, NULL},
	{"pidfile", VALUE_PATH_OR_NONE, AT(pidfile), "none", 0, 0, NULL},
	{"user", VALUE_USER, AT(user), "xenbw", 0, 0, NULL},
	{"ifalias", VALUE_SWITCH, AT(ifalias), "off", 0, 0, NULL},
	{"timezone", VALUE_ZONE, AT(timezone), "system", 0, 0, NULL},
	{"database", VALUE_DATABASE, AT(database), "none", 0, 0, NULL},
	{"mysql_user", VALUE_TEXT, AT(mysql.user), NULL, 0, 0, NULL},
	{"mysql_password", VALUE_SECRET, AT(mysql.password), NULL, 0, 0, NULL},
	{"mysql_password_file", VALUE_PATH_OR_NONE, AT(mysql.password_file), "none", 0, 0, NULL},
	{"mysql_host", VALUE_TEXT, AT(mysql.host), NULL, 0, 0, NULL},
	{"mysql_port", VALUE_NUMBER, AT(mysql.port), "0", 0, 65535, NULL},
	{"mysql_database", VALUE_NAME, AT(mysql.database), "netacct", 0, 0, NULL},
	{"mysql_table", VALUE_NAME, AT(mysql.table), "traffic", 0, 0, NULL},
	{"mysql_tls", VALUE_TLS, AT(mysql.tls), "prefer", 0, 0, NULL},
	{"mysql_tls_ca", VALUE_PATH_OR_NONE, AT(mysql.tls_ca), "none", 0, 0, NULL},
	{"address", VALUE_ADDRESS, AT(addresses), NULL, 0, 0, NULL},
	{"compactnet", VALUE_NETWORK, AT(compactnet), NULL, 0, 0, NULL},
	{"attribution", VALUE_ATTRIBUTION, AT(attribution), "auto", 0, 0, NULL},
	{"unattributed", VALUE_UNATTRIBUTED, AT(charge_unattributed), "external", 0, 0, NULL},
	{"device", VALUE_DEVICE, AT(devices), NULL, 0, 0, NULL},
	{"ournet", VALUE_NETWORK, AT(ournet), NULL, 0, 0, NULL},
	{"direct_peer", VALUE_NETWORK, AT(direct_peer), NULL, 0, 0, NULL},
	{"peer", VALUE_NETWORK, AT(peer), NULL, 0, 0, NULL},
	{"ignoremask", VALUE_MASK, AT(ignoremask), "255.255.255.255", 0, 0, NULL},
	{"ignorenet", VALUE_NETWORK, AT(ignorenet), NULL, 0, 0, NULL},
	{"dontignore", VALUE_NETWORK, AT(dontignore), NULL, 0, 0, NULL},
	{"owner", VALUE_OWNER, AT(owners), NULL, 0, 0, NULL},
	{"billing_day", VALUE_BILLING_DAY, AT(billing), "1", 0, 0, NULL},
	{"quota", VALUE_QUOTA, AT(quotas), NULL, 0, 0, NULL},
	{"quota_hook", VALUE_PATH_OR_NONE, AT(quota_hook), "none", 0, 0, NULL},
	{"quota_hook_seconds", VALUE_NUMBER, AT(quota_hook_seconds), "30", 1, 3600, NULL},
	{"web_listen", VALUE_LISTEN, AT(web.listen), "127.0.0.1:8427", 0, 0, NULL},
	{"web_behind_tls", VALUE_YES_NO, AT(web.behind_tls), "no", 0, 0, NULL},
	{"web_users", VALUE_PATH, AT(web.users), "/etc/xenbw/web.users", 0, 0, NULL},
	{"sniff", VALUE_INERT, 0, NULL, 0, 0, no_promiscuity},
	{"debug", VALUE_INERT, 0, NULL, 0, 0, no_debug_mask},
	{"debugfile", VALUE_INERT, 0, NULL, 0, 0, no_debug_file},
	{"fdelay", VALUE_INERT, 0, NULL, 0, 0, never_did},
	{"notdev", VALUE_INERT, 0, NULL, 0, 0, never_did},
	{"iflimit", VALUE_INERT, 0, NULL, 0, 0, never_did},
	{"hostlimit", VALUE_INERT, 0, NULL, 0, 0, never_did},
	{"headers", VALUE_INERT, 0, NULL, 0, 0, never_did},
	{"line", VALUE_INERT, 0, NULL, 0, 0, never_did},
	{"dynamicip", VALUE_INERT, 0, NULL, 0, 0, never_did},
	{"dynamicnet", VALUE_INERT, 0, NULL, 0, 0, never_did},
	{"exclude-name-lookup", VALUE_INERT, 0, NULL, 0, 0, never_did},
	{"pgsql_user", VALUE_INERT, 0, NULL, 0, 0, only_mysql},
	{"pgsql_password", VALUE_INERT, 0, NULL, 0, 0, only_mysql},
	{"pgsql_host", VALUE_INERT, 0, NULL, 0, 0, only_mysql},
	{"pgsql_port", VALUE_INERT, 0, NULL, 0, 0, only_mysql},
	{"pgsql_database", VALUE_INERT, 0, NULL, 0, 0, only_mysql},
	{"oracle_connect", VALUE_INERT, 0, NULL, 0, 0, only_mysql},
	{"oracle_home", VALUE_INERT, 0, NULL, 0, 0, only_mysql},
};

#define KEYWORDS (sizeof(keywords) / sizeof(keywords[0]))

static const char *const tls_words[] = {"off", "prefer", "require", "verify"};
static const char *const attribution_words[] = {"auto", "kernel", "pcap", "off"};

const struct keyword *keyword_at(size_t n)
{
	return n < KEYWORDS ? &keywords[n] : NULL;
}

const struct keyword *keyword_find(const char *word)
{
	/* netacct's README calls it so; its parser never did */
	if (strcasecmp(word, "mysql_pass") == 0)
		word = "mysql_password";
	for (size_t i = 0; i < KEYWORDS; i++)
		if (strcasecmp(word, keywords[i].word) == 0)
			return &keywords[i];
	return NULL;
}

const char *keyword_word(const struct keyword *k)
{
	return k->word;
}

const char *keyword_inert(const struct keyword *k)
{
	return k->inert;
}

const char *keyword_nearest(const char *word)
{
	const char *best = NULL;
	size_t least = SIZE_MAX;

	for (size_t i = 0; i < KEYWORDS; i++) {
		size_t d = text_distance(word, keywords[i].word);

		if (d < least) {
			least = d;
			best = keywords[i].word;
		}
	}
	return least <= 3 && least < strlen(best) ? best : NULL;
}

/* ---- one value ---- */

/* nacctd knew no limits: in its own files a number beyond ours is drawn to the nearest that we know. */
static int set_number(const struct conf *c, const struct keyword *k, const char *value, unsigned *field,
		      char **note, char **err)
{
	uint64_t number;

	if (text_u64(value, k->min, k->max, &number)) {
		*field = (unsigned)number;
		return 0;
	}
	if (c->kind != CONF_NACCTTAB || !text_u64(value, 0, UINT32_MAX, &number))
		return err_set(err, "`%s` is not a number from %u to %u", value, k->min, k->max);
	*field = number < k->min ? k->min : k->max;
	*note = mem_printf("%s is beyond what xenbw does (%u to %u): %u is used", value, k->min, k->max,
			   *field);
	return 0;
}

static int set_database(enum database_kind *field, const char *value, char **err)
{
	if (strcmp(value, "mysql") == 0)
		*field = DATABASE_MYSQL;
	else if (strcmp(value, "none") == 0)
		*field = DATABASE_NONE;
	else
		return err_set(err,
			       "`%s` is no database that xenbw writes to; write `database mysql` (also for "
			       "MariaDB) or `database none`",
			       value);
	return 0;
}

static int set_tls(enum mysql_tls *field, const char *value, char **err)
{
	for (size_t i = 0; i < sizeof(tls_words) / sizeof(tls_words[0]); i++) {
		if (strcmp(value, tls_words[i]) != 0)
			continue;
		*field = (enum mysql_tls)i;
		return 0;
	}
	return err_set(err, "`%s` is none of `off`, `prefer`, `require`, `verify`", value);
}

static int set_attribution(enum attribution_kind *field, const char *value, char **err)
{
	for (size_t i = 0; i < sizeof(attribution_words) / sizeof(attribution_words[0]); i++) {
		if (strcmp(value, attribution_words[i]) != 0)
			continue;
		*field = (enum attribution_kind)i;
		return 0;
	}
	return err_set(err, "`%s` is none of `auto`, `kernel`, `pcap`, `off`", value);
}

static int set_unattributed(bool *charged, const char *value, char **err)
{
	if (strcmp(value, "external") != 0 && strcmp(value, "none") != 0)
		return err_set(err, "`%s` is neither `external` nor `none`", value);
	*charged = value[0] == 'e';
	return 0;
}

static int set_retain(unsigned *months, const char *value, char **err)
{
	size_t digits = strspn(value, "0123456789");
	char *number = mem_strndup(value, digits);
	const char *unit = value + digits + strspn(value + digits, " \t");
	uint64_t n = 0;
	int rc = 0;

	if (strcmp(value, "forever") != 0 && (!text_u64(number, 1, MOST_MONTHS, &n) ||
					      (strcmp(unit, "months") != 0 && strcmp(unit, "month") != 0)))
		rc = err_set(
			err,
			"`%s` is neither `forever` nor a number of months from 1 to %d; write `25 months`",
			value, MOST_MONTHS);
	else
		*months = (unsigned)n;
	free(number);
	return rc;
}

static int add_device(struct conf_texts *devices, const char *value, char **err)
{
	if (strcmp(value, "auto") == 0) /* what an empty list means */
		return 0;
	if (!text_is_ifname(value))
		return err_set(
			err,
			"`%s` is no name of a network device; write one as `ip link` shows it, or `auto`",
			value);
	devices->list = mem_resize(devices->list, devices->count + 1, sizeof(*devices->list));
	devices->list[devices->count++] = mem_strdup(value);
	return 0;
}

/* A MAC in lower case, or the text as it is. */
static char *owner_text(const char *owner)
{
	char *text = mem_strdup(owner);
	size_t i = 0;

	while (text[i] && (i % 3 == 2 ? text[i] == ':' : isxdigit((unsigned char)text[i])))
		i++;
	if (i == 17 && !text[i])
		for (i = 0; i < 17; i++)
			text[i] = (char)tolower((unsigned char)text[i]);
	return text;
}

static int add_address(struct conf_addresses *addresses, const char *value, char **err)
{
	size_t length = strcspn(value, " \t");
	const char *owner = value + length + strspn(value + length, " \t");
	char *address = mem_strndup(value, length);
	struct network n;
	int rc = 0;

	if (!network_address(address, &n))
		rc = err_set(err, "`%s` is no IPv4 or IPv6 address; write `address 192.0.2.1 OWNER`",
			     address);
	else if (!*owner || strpbrk(owner, " \t"))
		rc = err_set(err,
			     "after the address comes its one owner: a domain's name, a vif's device name "
			     "(vif1.0) or a MAC");
	for (size_t i = 0; rc == 0 && i < addresses->count; i++)
		if (memcmp(&addresses->list[i].network, &n, sizeof(n)) == 0)
			rc = err_set(err, "%s has an owner already, `%s`; leave one of the lines out",
				     address, addresses->list[i].owner);
	if (rc == 0) {
		addresses->list = mem_resize(addresses->list, addresses->count + 1, sizeof(*addresses->list));
		addresses->list[addresses->count++] =
			(struct conf_address){.network = n, .owner = owner_text(owner)};
	}
	free(address);
	return rc;
}

static int add_network(struct networks *set, const char *value, char **note, char **err)
{
	struct network n;

	if (network_parse(value, &n, note, err) < 0)
		return -1;
	networks_add(set, &n);
	return 0;
}

static int set_mask(struct network *field, const char *value, char **err)
{
	if (!network_address(value, field) || !network_is_ipv4(field))
		return err_set(err, "`%s` is no mask; write one as 255.255.255.0", value);
	return 0;
}

int keyword_set(struct conf *c, const struct keyword *k, const char *value, char **note, char **err)
{
	void *field = (char *)c + k->offset;

	*note = NULL;
	/* nacctd's users without a password have the word without a value */
	if (!*value && !(c->kind == CONF_NACCTTAB && (k->type == VALUE_TEXT || k->type == VALUE_SECRET)))
		return k->fallback
			       ? err_set(err, "it has no value; its default is `%s %s`", k->word, k->fallback)
			       : err_set(err, "it has no value");
	switch (k->type) {
	case VALUE_NUMBER:
		return set_number(c, k, value, field, note, err);
	case VALUE_BUCKET:
		if (strcmp(value, "domain") != 0 && strcmp(value, "ip") != 0)
			return err_set(err, "`%s` is neither `domain` nor `ip`", value);
		*(enum bucket_kind *)field = value[0] == 'd' ? BUCKET_DOMAIN : BUCKET_IP;
		return 0;
	case VALUE_DATABASE:
		return set_database(field, value, err);
	case VALUE_TLS:
		return set_tls(field, value, err);
	case VALUE_ATTRIBUTION:
		return set_attribution(field, value, err);
	case VALUE_SWITCH:
		return kind_switch(field, value, err);
	case VALUE_UNATTRIBUTED:
		return set_unattributed(field, value, err);
	case VALUE_RETAIN:
		return set_retain(field, value, err);
	case VALUE_PATH:
		return kind_path(field, value, LONGEST_PATH, err);
	case VALUE_SOCKET:
		return kind_path(field, value, sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1, err);
	case VALUE_PATH_OR_NONE:
		if (strcmp(value, "none") != 0)
			return kind_path(field, value, LONGEST_PATH, err);
		mem_replace(field, NULL);
		return 0;
	case VALUE_ZONE:
		return kind_zone(field, value, err);
	case VALUE_SUFFIX:
		return kind_suffix(field, value, err);
	case VALUE_USER:
		return kind_user(field, value, err);
	case VALUE_LISTEN:
		return kind_listen(field, value, err);
	case VALUE_YES_NO:
		return kind_yes_no(field, value, err);
	case VALUE_TEXT:
	case VALUE_SECRET:
		return kind_text(field, value, err);
	case VALUE_NAME:
		return kind_name(field, value, err);
	case VALUE_MASK:
		return set_mask(field, value, err);
	case VALUE_NETWORK:
		return add_network(field, value, note, err);
	case VALUE_ADDRESS:
		return add_address(field, value, err);
	case VALUE_DEVICE:
		return add_device(field, value, err);
	case VALUE_OWNER:
		return billing_add_owner(field, value, err);
	case VALUE_BILLING_DAY:
		return billing_set_day(field, value, err);
	case VALUE_QUOTA:
		return quotas_add(field, value, err);
	case VALUE_INERT:
		return 0;
	}
	return -1;
}

void keywords_defaults(struct conf *c)
{
	char *note = NULL;

	for (size_t i = 0; i < KEYWORDS; i++)
		if (keywords[i].fallback) /* a test holds that all of them fit */
			(void)keyword_set(c, &keywords[i], keywords[i].fallback, &note, NULL);
}

/* ---- printing ---- */

static void print_line(FILE *out, const struct keyword *k, const char *value)
{
	fprintf(out, "%-*s %s\n", WORD_WIDTH, k->word, value);
}

static void print_network(FILE *out, const struct keyword *k, const struct network *n)
{
	char *text = network_text(n);

	print_line(out, k, text);
	free(text);
}

static void print_addresses(FILE *out, const struct keyword *k, const struct conf_addresses *addresses)
{
	for (size_t i = 0; i < addresses->count; i++) {
		char *text = network_text(&addresses->list[i].network);

		fprintf(out, "%-*s %s %s\n", WORD_WIDTH, k->word, text, addresses->list[i].owner);
		free(text);
	}
}

static void print_text(FILE *out, const struct keyword *k, const char *text, const char *absent)
{
	if (text || absent)
		print_line(out, k, text ? text : absent);
}

static void print_secret(FILE *out, const struct keyword *k, const char *text, bool shown)
{
	if (text && shown)
		print_line(out, k, text);
	else if (text)
		fprintf(out, "# %s is set, and not shown\n", k->word);
}

static void print_retain(FILE *out, const struct keyword *k, unsigned months)
{
	if (months)
		fprintf(out, "%-*s %u month%s\n", WORD_WIDTH, k->word, months, months == 1 ? "" : "s");
	else
		print_line(out, k, "forever");
}

static void print_billing(const void *field, const struct keyword *k, FILE *out)
{
	char *head = mem_printf("%-*s ", WORD_WIDTH, k->word);

	if (k->type == VALUE_QUOTA)
		quotas_print(field, head, out);
	else if (k->type == VALUE_OWNER)
		billing_print_owners(field, head, out);
	else
		billing_print_days(field, head, out);
	free(head);
}

static void print_value(const struct conf *c, const struct keyword *k, FILE *out, bool with_secrets)
{
	const void *field = (const char *)c + k->offset;

	switch (k->type) {
	case VALUE_NUMBER:
		fprintf(out, "%-*s %u\n", WORD_WIDTH, k->word, *(const unsigned *)field);
		break;
	case VALUE_BUCKET:
		print_line(out, k, *(const enum bucket_kind *)field == BUCKET_DOMAIN ? "domain" : "ip");
		break;
	case VALUE_DATABASE:
		print_line(out, k, *(const enum database_kind *)field == DATABASE_MYSQL ? "mysql" : "none");
		break;
	case VALUE_TLS:
		print_line(out, k, tls_words[*(const enum mysql_tls *)field]);
		break;
	case VALUE_ATTRIBUTION:
		print_line(out, k, attribution_words[*(const enum attribution_kind *)field]);
		break;
	case VALUE_SWITCH:
		print_line(out, k, *(const bool *)field ? "on" : "off");
		break;
	case VALUE_UNATTRIBUTED:
		print_line(out, k, *(const bool *)field ? "external" : "none");
		break;
	case VALUE_RETAIN:
		print_retain(out, k, *(const unsigned *)field);
		break;
	case VALUE_YES_NO:
		print_line(out, k, *(const bool *)field ? "yes" : "no");
		break;
	case VALUE_PATH:
	case VALUE_SOCKET:
	case VALUE_USER:
	case VALUE_LISTEN:
	case VALUE_TEXT:
	case VALUE_NAME:
		print_text(out, k, *(char *const *)field, NULL);
		break;
	case VALUE_SECRET:
		print_secret(out, k, *(char *const *)field, with_secrets);
		break;
	case VALUE_PATH_OR_NONE:
	case VALUE_SUFFIX:
		print_text(out, k, *(char *const *)field, "none");
		break;
	case VALUE_ZONE:
		print_text(out, k, *(char *const *)field, "system");
		break;
	case VALUE_MASK:
		print_network(out, k, field);
		break;
	case VALUE_NETWORK:
		for (size_t i = 0; i < ((const struct networks *)field)->count; i++)
			print_network(out, k, &((const struct networks *)field)->list[i]);
		break;
	case VALUE_ADDRESS:
		print_addresses(out, k, field);
		break;
	case VALUE_DEVICE:
		for (size_t i = 0; i < ((const struct conf_texts *)field)->count; i++)
			print_line(out, k, ((const struct conf_texts *)field)->list[i]);
		if (((const struct conf_texts *)field)->count == 0)
			print_line(out, k, "auto");
		break;
	case VALUE_OWNER:
	case VALUE_BILLING_DAY:
	case VALUE_QUOTA:
		print_billing(field, k, out);
		break;
	case VALUE_INERT:
		break;
	}
}

void keywords_print(const struct conf *c, FILE *out, bool with_secrets)
{
	for (size_t i = 0; i < KEYWORDS; i++)
		print_value(c, &keywords[i], out, with_secrets);
}

/* As it is printed, its secret with it; "" where it prints nothing. */
static char *printed(const struct conf *c, const struct keyword *k)
{
	size_t size;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return mem_strdup("");
	print_value(c, k, out, true);
	if (fclose(out) == 0)
		return text;
	free(text);
	return mem_strdup("");
}

static bool is_in(const char *const *list, const char *word)
{
	while (*list && strcmp(*list, word) != 0)
		list++;
	return *list;
}

char *keywords_changed(const struct conf *before, const struct conf *now, const char *const *but)
{
	char *words = NULL;

	for (size_t i = 0; i < KEYWORDS; i++) {
		char *was = printed(before, &keywords[i]), *is = printed(now, &keywords[i]);

		if (strcmp(was, is) != 0 && !is_in(but, keywords[i].word)) {
			char *more =
				mem_printf("%s%s%s", words ? words : "", words ? ", " : "", keywords[i].word);

			free(words);
			words = more;
		}
		free(was);
		free(is);
	}
	return words;
}
