/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/conf.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

#include "base/err.h"
#include "base/folder.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/keywords.h"
#include "config/lines.h"

void conf_init(struct conf *c)
{
	*c = (struct conf){0};
	keywords_defaults(c);
}

static void free_texts(struct conf_texts *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->list[i]);
	free(t->list);
}

void conf_free(struct conf *c)
{
	free(c->bucket_suffix);
	free(c->ledger);
	free(c->rrd_dir);
	free(c->control);
	free(c->timezone);
	free(c->pidfile);
	free(c->user);
	free(c->mysql.user);
	free(c->mysql.password);
	free(c->mysql.password_file);
	free(c->mysql.host);
	free(c->mysql.database);
	free(c->mysql.table);
	free(c->mysql.tls_ca);
	free(c->web.listen);
	free(c->web.users);
	for (size_t i = 0; i < c->addresses.count; i++)
		free(c->addresses.list[i].owner);
	free(c->addresses.list);
	networks_free(&c->compactnet);
	networks_free(&c->ournet);
	networks_free(&c->direct_peer);
	networks_free(&c->peer);
	networks_free(&c->ignorenet);
	networks_free(&c->dontignore);
	free_texts(&c->devices);
	billing_free_owners(&c->owners);
	billing_free_days(&c->billing);
	quotas_free(&c->quotas);
	free(c->quota_hook);
	free_texts(&c->warnings);
	*c = (struct conf){0};
}

__attribute__((format(printf, 2, 3))) static void warn(struct conf *c, const char *fmt, ...)
{
	struct conf_texts *w = &c->warnings;
	va_list ap;

	va_start(ap, fmt);
	w->list = mem_resize(w->list, w->count + 1, sizeof(*w->list));
	w->list[w->count++] = mem_vprintf(fmt, ap);
	va_end(ap);
}

/* ---- lines ---- */

struct parser {
	struct conf *conf;
	const char *name; /* of the file */
	size_t line;
	bool poll_set;
};

static int unknown_word(struct parser *p, const char *word, char **err)
{
	const char *nearest = keyword_nearest(word);
	char *shown = text_printable(word, strlen(word));
	char *advice = nearest ? mem_printf("did you mean `%s`?", nearest)
			       : mem_strdup("xenbw.conf(5) lists the known ones");
	int rc = 0;

	if (p->conf->kind == CONF_NACCTTAB)
		warn(p->conf, "%s:%zu: unknown keyword `%s` is passed over, as by nacctd; %s", p->name,
		     p->line, shown, advice);
	else
		rc = err_set(err, "unknown keyword `%s`; %s", shown, advice);
	free(advice);
	free(shown);
	return rc;
}

static int parse_line(struct parser *p, char *word, char **err)
{
	const char *value = lines_cut_word(word);
	const struct keyword *k = keyword_find(word);
	char *note;

	if (!k)
		return unknown_word(p, word, err);
	word = (char *)keyword_word(k);
	if (keyword_inert(k) && p->conf->kind != CONF_NACCTTAB)
		return err_set(err, "`%s` means nothing to xenbw: leave the line out (%s)", word,
			       keyword_inert(k));
	if (keyword_inert(k)) {
		warn(p->conf, "%s:%zu: `%s` has no effect: %s", p->name, p->line, word, keyword_inert(k));
		return 0;
	}
	p->poll_set |= strcmp(word, "poll") == 0;
	if (keyword_set(p->conf, k, value, &note, err) < 0)
		return err_add(err, "`%s`", word);
	if (note)
		warn(p->conf, "%s:%zu: `%s`: %s", p->name, p->line, word, note);
	free(note);
	return 0;
}

/* A line of nacctpeering. What nacctd could not read never matched: it is left out. */
static int parse_peer(struct parser *p, char *text, char **err)
{
	char *note, *reason = NULL;
	struct network n;

	(void)err;
	if (network_parse(text, &n, &note, &reason) == 0)
		networks_add(&p->conf->peer, &n);
	else
		warn(p->conf, "%s:%zu: the line is left out: %s", p->name, p->line, reason);
	if (note)
		warn(p->conf, "%s:%zu: %s", p->name, p->line, note);
	free(note);
	free(reason);
	return 0;
}

static int each_line(struct parser *p, FILE *in, int (*fn)(struct parser *, char *, char **), char **err)
{
	char *line = NULL, *bare;
	size_t room = 0;
	ssize_t n;
	int rc = 0;

	while (rc == 0 && (n = getline(&line, &room, in)) >= 0) {
		p->line++;
		if (strlen(line) != (size_t)n)
			rc = err_set(err, "the line holds a NUL byte; this is not a text file");
		else if ((bare = lines_bare(line)))
			rc = fn(p, bare, err);
		if (rc < 0)
			err_add(err, "%s:%zu", p->name, p->line);
	}
	if (rc == 0 && ferror(in))
		rc = err_sys(err, "reading %s", p->name);
	free(line);
	return rc;
}

/* The helpers may write where the RRD files are: nothing that root trusts may lie there. */
static int check_rrd_dir(struct conf *c, const char *name, char **err)
{
	const struct {
		const char *word, *path;
	} others[] = {{"ledger", c->ledger}, {"control", c->control}, {"pidfile", c->pidfile}};
	char *text;

	for (size_t i = 0; i < sizeof(others) / sizeof(*others) && c->rrd_dir; i++) {
		if (!others[i].path || !folder_holds(c->rrd_dir, others[i].path))
			continue;
		text = mem_printf(
			"%s: `rrd_dir %s` is where `%s %s` lies, and the helpers may write there: give the "
			"RRD files a folder of their own",
			name, c->rrd_dir, others[i].word, others[i].path);
		if (c->kind == CONF_NACCTTAB) {
			warn(c, "%s; until then there are none", text);
			free(c->rrd_dir);
			c->rrd_dir = NULL;
		} else {
			err_set(err, "%s", text);
		}
		free(text);
		if (c->kind != CONF_NACCTTAB)
			return -1;
	}
	return 0;
}

int conf_parse(struct conf *c, FILE *in, const char *name, char **err)
{
	struct parser p = {.conf = c, .name = name};

	if (each_line(&p, in, parse_line, err) < 0)
		return -1;
	if (!p.poll_set && c->poll > c->flush)
		c->poll = c->flush;
	if (c->flush < c->poll)
		return err_set(
			err,
			"%s: `flush %u` is shorter than `poll %u`; commits cannot be more frequent than "
			"readings",
			name, c->flush, c->poll);
	if (check_rrd_dir(c, name, err) < 0)
		return -1;
	if (c->kind == CONF_NACCTTAB && c->ournet.count == 0 && c->attribution != ATTRIBUTION_OFF)
		warn(c,
		     "%s: there is no line `ournet`: as with nacctd, nothing that crosses an uplink is "
		     "local, "
		     "direct or peer; what no `ignorenet` takes out is external",
		     name);
	if (c->kind == CONF_NACCTTAB && c->database == DATABASE_NONE)
		warn(c, "%s: there is no line `database mysql`: nothing is written to MySQL", name);
	return 0;
}

int conf_receive(struct conf *c, int fd, char **err)
{
	FILE *in = fdopen(fd, "r");
	int rc;

	if (!in)
		return err_sys(
			err, "cannot read the settings from descriptor %d; this program is started by xenbwd",
			fd);
	rc = conf_parse(c, in, "settings from xenbwd", err);
	fclose(in);
	return rc;
}

int conf_parse_peering(struct conf *c, FILE *in, const char *name, char **err)
{
	struct parser p = {.conf = c, .name = name};

	return each_line(&p, in, parse_peer, err);
}

/* ---- files ---- */

/* Does a line begin with this word? */
static bool has_word(const char *text, size_t length, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = text, *end = text + length; p && p < end;) {
		while (p < end && (*p == ' ' || *p == '\t'))
			p++;
		if ((size_t)(end - p) > n && strncasecmp(p, word, n) == 0 && isspace((unsigned char)p[n]))
			return true;
		p = memchr(p, '\n', (size_t)(end - p));
		p = p ? p + 1 : NULL;
	}
	return false;
}

static int parse_text(struct conf *c, char *text, size_t length, const char *name,
		      int (*parse)(struct conf *, FILE *, const char *, char **), char **err)
{
	FILE *in = fmemopen(text, length, "r");
	int rc;

	if (!in)
		return err_sys(err, "cannot read %s", name);
	rc = parse(c, in, name, err);
	fclose(in);
	return rc;
}

/* The list that nacctd reads from beside its naccttab. */
static int read_peering(struct conf *c, const char *conf_path, char **err)
{
	char *path = lines_beside(conf_path, "nacctpeering");
	struct stat st = {0};
	size_t length = 0;
	char *text = NULL;
	int rc = lines_read_file(path, &text, &length, &st, err);

	if (rc == 0) {
		rc = parse_text(c, text, length, path, conf_parse_peering, err);
		free(text);
	}
	free(path);
	return rc < 0 ? -1 : 0;
}

/* Who can read the file knows the password. */
static int check_secret(struct conf *c, const char *path, mode_t mode, char **err)
{
	static const char advice[] = "everybody on this host can read the password in it: `chmod 600 %s`, or "
				     "put it into a file of its own and write `mysql_password_file PATH`";
	char *text;

	if (!c->mysql.password || !(mode & S_IROTH))
		return 0;
	text = mem_printf(advice, path);
	if (c->kind == CONF_NACCTTAB)
		warn(c, "%s: %s", path, text);
	else
		err_set(err, "%s: %s", path, text);
	free(text);
	return c->kind == CONF_NACCTTAB ? 0 : -1;
}

int conf_read(struct conf *c, const char *path, bool missing_ok, char **err)
{
	const char *slash = strrchr(path, '/');
	struct stat st = {0};
	size_t length = 0;
	char *text = NULL;
	int rc = lines_read_file(path, &text, &length, &st, err);

	if (rc == 1 && missing_ok)
		return 0;
	if (rc == 1) {
		errno = ENOENT;
		return err_sys(err, "cannot read the configuration %s", path);
	}
	if (rc < 0)
		return -1;
	if (strstr(slash ? slash : path, "naccttab") || has_word(text, length, "compactnet")) {
		c->kind = CONF_NACCTTAB;
		c->bucket = BUCKET_IP;
	}
	c->has_text = length > 1; /* the newline at its end is ours */
	rc = parse_text(c, text, length, path, conf_parse, err);
	free(text);
	if (rc == 0)
		rc = check_secret(c, path, st.st_mode, err);
	return rc == 0 ? read_peering(c, path, err) : rc;
}

void conf_print(const struct conf *c, FILE *out, bool with_secrets)
{
	keywords_print(c, out, with_secrets);
}

void conf_apply_timezone(const struct conf *c)
{
	if (c->timezone)
		setenv("TZ", c->timezone, 1);
	tzset();
}

bool conf_asks_kernel(const struct conf *c)
{
	return c->attribution == ATTRIBUTION_AUTO || c->attribution == ATTRIBUTION_KERNEL;
}

unsigned conf_kept_months(const struct conf *c)
{
	bool late = c->billing.day > 1;

	for (size_t i = 0; i < c->billing.count; i++)
		late |= c->billing.list[i].day > 1;
	return c->retain ? c->retain + late : 0;
}
