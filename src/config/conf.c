/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/conf.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>
#include <time.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

enum value_type { VALUE_SECONDS, VALUE_BUCKET, VALUE_PATH, VALUE_PATH_OR_NONE, VALUE_SOCKET, VALUE_ZONE };

/* The one table: parser, printer and defaults all come from it. */
static const struct keyword {
	const char *word;
	enum value_type type;
	size_t offset;
	const char *fallback;
	unsigned min, max; /* VALUE_SECONDS */
} keywords[] = {
	{"poll", VALUE_SECONDS, offsetof(struct conf, poll), "5", 1, 300},
	{"flush", VALUE_SECONDS, offsetof(struct conf, flush), "30", 1, 300},
	{"bucket", VALUE_BUCKET, offsetof(struct conf, bucket), "domain", 0, 0},
	{"ledger", VALUE_PATH, offsetof(struct conf, ledger), "/var/lib/xenbw/ledger.db", 0, 0},
	{"rrd_dir", VALUE_PATH_OR_NONE, offsetof(struct conf, rrd_dir), "/var/lib/xenbw/rrd", 0, 0},
	{"control", VALUE_SOCKET, offsetof(struct conf, control), "/run/xenbw/control", 0, 0},
	{"timezone", VALUE_ZONE, offsetof(struct conf, timezone), "system", 0, 0},
};

#define KEYWORDS (sizeof(keywords) / sizeof(keywords[0]))

/* libc takes whatever it cannot read for UTC, without a word: so look whether it is a time zone (tzfile(5)).
 */
static bool zone_exists(const char *zone)
{
	char *path, magic[4];
	bool there;
	FILE *f;

	if (strcmp(zone, "UTC") == 0)
		return true;
	if (strstr(zone, "..") || zone[0] == '/')
		return false;
	path = mem_printf("/usr/share/zoneinfo/%s", zone);
	f = fopen(path, "re");
	free(path);
	if (!f)
		return false;
	there = fread(magic, 1, sizeof(magic), f) == sizeof(magic) &&
		memcmp(magic, "TZif", sizeof(magic)) == 0;
	fclose(f);
	return there;
}

static int set_path(char **field, const char *value, size_t longest, char **err)
{
	if (value[0] != '/')
		return err_set(err,
			       "`%s` is not an absolute path; write it from the root, beginning with '/'",
			       value);
	if (strlen(value) > longest)
		return err_set(err, "the path is too long (%zu bytes, at most %zu)", strlen(value), longest);
	mem_replace(field, value);
	return 0;
}

static int set_value(struct conf *c, const struct keyword *k, const char *value, char **err)
{
	void *field = (char *)c + k->offset;
	uint64_t number;

	switch (k->type) {
	case VALUE_SECONDS:
		if (!text_u64(value, k->min, k->max, &number))
			return err_set(err, "`%s` is not a number of seconds from %u to %u", value, k->min,
				       k->max);
		*(unsigned *)field = (unsigned)number;
		return 0;
	case VALUE_BUCKET:
		if (strcmp(value, "domain") != 0 && strcmp(value, "ip") != 0)
			return err_set(err, "`%s` is neither `domain` nor `ip`", value);
		*(enum bucket_kind *)field = value[0] == 'd' ? BUCKET_DOMAIN : BUCKET_IP;
		return 0;
	case VALUE_PATH:
		return set_path(field, value, 4000, err);
	case VALUE_SOCKET:
		return set_path(field, value, sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1, err);
	case VALUE_PATH_OR_NONE:
		if (strcmp(value, "none") != 0)
			return set_path(field, value, 4000, err);
		mem_replace(field, NULL);
		return 0;
	case VALUE_ZONE:
		if (strcmp(value, "system") == 0) {
			mem_replace(field, NULL);
			return 0;
		}
		if (!zone_exists(value))
			return err_set(err,
				       "there is no time zone `%s`; write `system`, or a name as below "
				       "/usr/share/zoneinfo, such as Europe/Berlin",
				       value);
		mem_replace(field, value);
		return 0;
	}
	return -1;
}

void conf_init(struct conf *c)
{
	*c = (struct conf){0};
	for (size_t i = 0; i < KEYWORDS; i++)
		(void)set_value(c, &keywords[i], keywords[i].fallback,
				NULL); /* a test holds that all of them fit */
	c->mysql.database = mem_strdup("netacct");
	c->mysql.table = mem_strdup("traffic");
}

void conf_free(struct conf *c)
{
	free(c->ledger);
	free(c->rrd_dir);
	free(c->control);
	free(c->timezone);
	free(c->mysql.database);
	free(c->mysql.table);
	*c = (struct conf){0};
}

static int unknown_word(const char *word, char **err)
{
	const char *best = NULL;
	size_t least = SIZE_MAX;
	char *shown = text_printable(word, strlen(word));

	for (size_t i = 0; i < KEYWORDS; i++) {
		size_t d = text_distance(word, keywords[i].word);

		if (d < least) {
			least = d;
			best = keywords[i].word;
		}
	}
	if (least <= 3 && least < strlen(best))
		err_set(err, "unknown keyword `%s`; did you mean `%s`?", shown, best);
	else
		err_set(err, "unknown keyword `%s`; xenbw.conf(5) lists the known ones", shown);
	free(shown);
	return -1;
}

/* One line, cut into keyword and value in place. */
static int parse_line(struct conf *c, char *line, char **err)
{
	char *word, *value, *end;

	line[strcspn(line, "#")] = '\0';
	word = line + strspn(line, " \t\r\n\v\f");
	for (end = word + strlen(word); end > word && isspace((unsigned char)end[-1]);)
		*--end = '\0';
	if (!*word)
		return 0;
	value = word + strcspn(word, " \t");
	if (*value) {
		*value++ = '\0';
		value += strspn(value, " \t");
	}
	for (size_t i = 0; i < KEYWORDS; i++) {
		if (strcasecmp(word, keywords[i].word) != 0)
			continue;
		if (!*value)
			return err_set(err, "`%s` has no value; its default is `%s %s`", keywords[i].word,
				       keywords[i].word, keywords[i].fallback);
		return set_value(c, &keywords[i], value, err) < 0 ? err_add(err, "`%s`", keywords[i].word)
								  : 0;
	}
	return unknown_word(word, err);
}

int conf_parse(struct conf *c, FILE *in, const char *name, char **err)
{
	char *line = NULL;
	size_t room = 0, number = 0;
	ssize_t n;
	int rc = 0;

	while (rc == 0 && (n = getline(&line, &room, in)) >= 0) {
		number++;
		if (strlen(line) != (size_t)n)
			rc = err_set(err, "the line holds a NUL byte; this is not a text file");
		else
			rc = parse_line(c, line, err);
		if (rc < 0)
			err_add(err, "%s:%zu", name, number);
	}
	if (rc == 0 && ferror(in))
		rc = err_sys(err, "reading %s", name);
	if (rc == 0 && c->flush < c->poll)
		rc = err_set(err,
			     "%s: `flush %u` is shorter than `poll %u`; commits cannot be more frequent than "
			     "readings",
			     name, c->flush, c->poll);
	free(line);
	return rc;
}

int conf_read(struct conf *c, const char *path, bool missing_ok, char **err)
{
	FILE *in = fopen(path, "re");
	int rc;

	if (!in && errno == ENOENT && missing_ok)
		return 0;
	if (!in)
		return err_sys(err, "cannot read the configuration %s", path);
	rc = conf_parse(c, in, path, err);
	fclose(in);
	return rc;
}

void conf_print(const struct conf *c, FILE *out, bool with_secrets)
{
	(void)with_secrets;
	for (size_t i = 0; i < KEYWORDS; i++) {
		const void *field = (const char *)c + keywords[i].offset;

		fprintf(out, "%-9s", keywords[i].word);
		switch (keywords[i].type) {
		case VALUE_SECONDS:
			fprintf(out, " %u\n", *(const unsigned *)field);
			break;
		case VALUE_BUCKET:
			fprintf(out, " %s\n",
				*(const enum bucket_kind *)field == BUCKET_DOMAIN ? "domain" : "ip");
			break;
		case VALUE_PATH:
		case VALUE_SOCKET:
		case VALUE_PATH_OR_NONE:
		case VALUE_ZONE: {
			const char *text = *(char *const *)field;

			fprintf(out, " %s\n",
				text                             ? text
				: keywords[i].type == VALUE_ZONE ? "system"
								 : "none");
			break;
		}
		}
	}
}

void conf_apply_timezone(const struct conf *c)
{
	if (c->timezone)
		setenv("TZ", c->timezone, 1);
	tzset();
}
