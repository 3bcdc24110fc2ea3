/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * migrate_conf: the xenbw.conf that `xenbw migrate` proposes.
 *
 * Every setting of the naccttab that differs from xenbw's default, in xenbw's spelling; then a line for each
 * address.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "cli/migrate.h"
#include "cli/period.h"

const char *migrate_evidence_text(enum evidence e)
{
	static const char *const texts[] = {
		[EVIDENCE_LINE] = "a line of the file", [EVIDENCE_OWN] = "this host has it",
		[EVIDENCE_TOOLSTACK] = "toolstack",     [EVIDENCE_MAC] = "its MAC was heard",
		[EVIDENCE_GUEST] = "the guest's word",  [EVIDENCE_SERVER] = "probably: mysql_host",
		[EVIDENCE_NONE] = "nobody has it",
	};

	return texts[e];
}

/* ---- settings ---- */

static char *settings_of(const struct conf *c, bool with_secrets)
{
	size_t size;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort(); /* out of memory: as in base/mem.h */
	conf_print(c, out, with_secrets);
	(void)fclose(out); /* memory */
	return text;
}

static bool begins_with(const char *line, const char *word)
{
	size_t n = strlen(word);

	return strncmp(line, word, n) == 0 && line[n] == ' ';
}

/* Those have a place of their own, or none. */
static bool is_apart(const char *line)
{
	return begins_with(line, "bucket") || begins_with(line, "compactnet") ||
	       begins_with(line, "address") || begins_with(line, "pidfile");
}

static void put_settings(const struct migrate *m, FILE *out, bool with_secrets)
{
	char *mine = settings_of(&m->tab.conf, with_secrets), *plain, *state = NULL;
	struct conf defaults;

	conf_init(&defaults);
	plain = settings_of(&defaults, false);
	for (char *line = strtok_r(mine, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
		char *whole = mem_printf("%s\n", line);

		if (!is_apart(line) && !strstr(plain, whole) &&
		    !(m->cli->args.value[OPTION_SHADOW] && begins_with(line, "mysql_table")))
			fputs(whole, out);
		free(whole);
	}
	free(plain);
	free(mine);
	conf_free(&defaults);
}

/* ---- addresses ---- */

/* A name for an `address` line that stays the domain's over its reboots; NULL where there is none. */
static const char *lasting_name(const struct migrate_owner *o)
{
	if (o->has_vif && o->domid == 0)
		return o->device;
	if (o->domain && *o->domain && !strpbrk(o->domain, " \t#\\") && (o->sole || !o->has_vif))
		return o->domain;
	return o->mac;
}

static void put_address(const struct migrate_owner *o, FILE *out)
{
	const char *owner = lasting_name(o);
	/* the toolstack will say it again; what is only claimed or guessed is the admin's to decide */
	bool said = o->evidence == EVIDENCE_TOOLSTACK;
	bool sure = owner && (o->evidence == EVIDENCE_LINE || o->evidence == EVIDENCE_OWN ||
			      o->evidence == EVIDENCE_MAC);

	if (!owner)
		fprintf(out, "#address            %s OWNER  # %s", o->address,
			migrate_evidence_text(o->evidence));
	else if (said)
		fprintf(out, "# %s is known to be that of %s: %s", o->address, owner,
			migrate_evidence_text(o->evidence));
	else
		fprintf(out, "%saddress            %s%s %s  # %s", sure ? "" : "#", sure ? " " : "",
			o->address, owner, migrate_evidence_text(o->evidence));
	fprintf(out, "%s%s\n", o->remark ? "; but " : "", o->remark ? o->remark : "");
}

char *migrate_conf_text(const struct migrate *m, bool with_secrets)
{
	char *date = period_local(m->cli->now), *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort(); /* out of memory: as in base/mem.h */
	fprintf(out,
		"# What %s said to nacctd, for xenbwd.\n"
		"# Made by `xenbw migrate` at %s.\n\n"
		"# ip: what reads the table by address goes on. With domain the same bytes are booked by "
		"name.\n"
		"bucket              ip\n\n",
		m->tab.path, date);
	put_settings(m, out, with_secrets);
	if (m->cli->args.value[OPTION_SHADOW])
		fputs("\n# Beside nacctd: a table of its own. Without this line it is nacctd's.\n"
		      "mysql_table         xenbw_traffic\n",
		      out);
	if (m->owners.count)
		fputs("\n# Whose the addresses are; a line with # in front is for you to decide.\n", out);
	for (size_t i = 0; i < m->owners.count; i++)
		put_address(&m->owners.list[i], out);
	(void)fclose(out); /* memory */
	free(date);
	return text;
}

int migrate_conf_check(const struct migrate *m, char **err)
{
	char *text = migrate_conf_text(m, true);
	struct conf c;
	FILE *in;
	int rc;

	conf_init(&c);
	in = fmemopen(text, strlen(text), "r");
	rc = in ? conf_parse(&c, in, "the proposal", err) : err_sys(err, "cannot read the proposal");
	if (in)
		fclose(in);
	conf_free(&c);
	explicit_bzero(text, strlen(text));
	free(text);
	return rc < 0 ? err_add(err, "%s makes no xenbw.conf; mend the line in a copy of it", m->tab.path)
		      : 0;
}

/* ---- the file ---- */

static int write_all(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		text += n;
		length -= (size_t)n;
	}
	return fsync(fd);
}

int migrate_conf_write(const struct migrate *m, const char *path, char **err)
{
	const char *slash = strrchr(path, '/');
	char *text;
	int fd, rc = 0;

	if (strstr(slash ? slash : path, "naccttab"))
		return err_set(err,
			       "--write %s: a file with naccttab in its name is read as nacctd's; name it "
			       "xenbw.conf",
			       path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, m->tab.conf.mysql.password ? 0600 : 0644);
	if (fd < 0 && errno == EEXIST)
		return err_set(err,
			       "--write %s: it is there already, and stays as it is; move it away first: "
			       "`mv %s %s.before`",
			       path, path, path);
	if (fd < 0)
		return err_sys(err, "--write: cannot make %s", path);
	text = migrate_conf_text(m, true);
	if (write_all(fd, text, strlen(text)) < 0) {
		rc = err_sys(err, "--write: cannot write %s", path);
		(void)unlink(path); /* half of it would be worse */
	}
	(void)close(fd); /* fsync has told */
	explicit_bzero(text, strlen(text));
	free(text);
	return rc;
}
