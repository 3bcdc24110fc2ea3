/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/naccttab.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/keywords.h"
#include "config/lines.h"

#define NACCTD_LONGEST 1023 /* bytes of a line */
#define SHOWN_LONGEST 200   /* of a value, which may be the whole of a foreign file */

const char *naccttab_verdict_word(enum naccttab_verdict v)
{
	static const char *const words[] = {"taken", "otherwise", "left_out", "refused"};

	return words[v];
}

void naccttab_replace(char **slot, char *text)
{
	free(*slot);
	*slot = text;
}

static char *shown(const char *text)
{
	size_t length = strlen(text);
	char *out = text_printable(text, length < SHOWN_LONGEST ? length : SHOWN_LONGEST);

	if (length > SHOWN_LONGEST)
		naccttab_replace(&out, mem_printf("%s...", out));
	return out;
}

static bool is_secret(const char *word)
{
	return word && strstr(word, "password") && !strstr(word, "file");
}

/* Takes the line into the settings. *word: as the table of keywords has it, NULL where nobody knows it.
 * Returns why it cannot be taken, or NULL; allocated. */
static char *take(struct naccttab *t, struct naccttab_line *l, const char *typed, const char *value,
		  const char **word)
{
	const struct keyword *k = keyword_find(typed);
	size_t before = t->conf.compactnet.count;
	char *note = NULL, *err = NULL;

	*word = k ? keyword_word(k) : NULL;
	if (!k || keyword_inert(k))
		return NULL;
	/* nacctd took no password from it */
	if (strcasecmp(typed, "mysql_pass") == 0 && t->conf.mysql.password)
		return NULL;
	(void)keyword_set(&t->conf, k, value, &note, &err);
	free(note);
	if (t->conf.compactnet.count > before) {
		l->has_network = true;
		l->network = t->conf.compactnet.list[before];
	}
	return err;
}

static void add_line(struct naccttab *t, size_t number, char *text, bool cut)
{
	const char *value = lines_cut_word(text), *word;
	struct naccttab_line *l;
	char *reason;

	if ((t->count & (t->count - 1)) == 0)
		t->lines = mem_resize(t->lines, t->count ? t->count * 2 : 1, sizeof(*t->lines));
	l = &t->lines[t->count++];
	*l = (struct naccttab_line){.number = number, .word = shown(text)};
	reason = take(t, l, text, value, &word);
	l->value = is_secret(word) && *value ? mem_strdup("(not shown)") : shown(value);
	if (reason)
		naccttab_replace(&reason, text_printable(reason, strlen(reason)));
	naccttab_explain(l, word, value, reason);
	if (cut)
		naccttab_replace(&l->did,
				 mem_printf("nacctd cut the line behind its first %d bytes, and read the "
					    "rest as a line of its own",
					    NACCTD_LONGEST));
	free(reason);
}

static int read_lines(struct naccttab *t, char *text, size_t length, char **err)
{
	size_t number = 0;

	for (char *line = text, *end; line < text + length; line = end + 1) {
		char *bare;
		bool cut;

		number++;
		end = memchr(line, '\n', (size_t)(text + length - line)); /* the last byte is one */
		*end = '\0';
		if (strlen(line) != (size_t)(end - line))
			return err_set(err, "%s:%zu: the line holds a NUL byte; this is not a text file",
				       t->path, number);
		cut = end - line > NACCTD_LONGEST;
		bare = lines_bare(line);
		if (bare)
			add_line(t, number, bare, cut);
	}
	return 0;
}

/* Something in it must be netacct's. */
static int check_kind(const struct naccttab *t, char **err)
{
	static const char advice[] = "name nacctd's configuration, such as /usr/local/etc/naccttab or "
				     "/etc/naccttab";

	for (size_t i = 0; i < t->count; i++)
		if (keyword_find(t->lines[i].word))
			return 0;
	if (!t->count)
		return err_set(err, "%s has no line but comments; %s", t->path, advice);
	return err_set(
		err,
		"%s is no naccttab: none of its lines begins with a word of netacct's, the first (line %zu) "
		"with `%s`; %s",
		t->path, t->lines[0].number, t->lines[0].word, advice);
}

/* ---- nacctpeering ---- */

static void move_warnings(struct naccttab *t)
{
	t->peering_faults = t->conf.warnings;
	t->conf.warnings = (struct conf_texts){0};
	for (size_t i = 0; i < t->peering_faults.count; i++) {
		char **text = &t->peering_faults.list[i];

		naccttab_replace(text, text_printable(*text, strlen(*text)));
	}
}

static int read_peering(struct naccttab *t, char **err)
{
	struct stat st;
	size_t length;
	char *text;
	FILE *in;
	int rc = lines_read_file(t->peering, &text, &length, &st, err);

	if (rc)
		return rc < 0 ? -1 : 0;
	t->has_peering = true;
	in = fmemopen(text, length, "r");
	rc = in ? conf_parse_peering(&t->conf, in, t->peering, err)
		: err_sys(err, "cannot read %s", t->peering);
	if (in)
		fclose(in);
	free(text);
	move_warnings(t);
	return rc;
}

int naccttab_read(struct naccttab *t, const char *path, char **err)
{
	struct stat st;
	size_t length;
	char *text;
	int rc;

	*t = (struct naccttab){.path = mem_strdup(path), .peering = lines_beside(path, "nacctpeering")};
	conf_init(&t->conf);
	t->conf.kind = CONF_NACCTTAB;
	t->conf.bucket = BUCKET_IP;
	rc = lines_read_file(path, &text, &length, &st, err);
	if (rc == 1)
		return err_set(
			err,
			"there is no file %s; nacctd's configuration is mostly /usr/local/etc/naccttab or "
			"/etc/naccttab, or what `ps ax` shows behind nacctd's -c",
			path);
	if (rc == 0) {
		rc = read_lines(t, text, length, err);
		explicit_bzero(text, length); /* the password */
		free(text);
	}
	if (rc < 0 || check_kind(t, err) < 0 || read_peering(t, err) < 0)
		return -1;
	naccttab_relate(t);
	return 0;
}

static void free_texts(struct conf_texts *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->list[i]);
	free(t->list);
}

void naccttab_free(struct naccttab *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->lines[i].word);
		free(t->lines[i].value);
		free(t->lines[i].did);
		free(t->lines[i].now);
	}
	free(t->lines);
	free_texts(&t->notes);
	free_texts(&t->peering_faults);
	conf_free(&t->conf);
	free(t->peering);
	free(t->path);
	*t = (struct naccttab){0};
}
