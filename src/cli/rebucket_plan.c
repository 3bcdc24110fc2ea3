/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/rebucket_plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/period.h"
#include "cli/rebucket_spans.h"
#include "config/network.h"

#define HOUR 3600

/* ---- hours ---- */

/* What the table calls the hour of a time, with T for the blank; NULL on an error. */
static char *hour_text(const struct rebucket *r, int64_t t, char **err)
{
	struct mysql_rows *rows =
		mysql_ask(r->m, "cannot ask for the server's hour", err,
			  "SELECT DATE_FORMAT(FROM_UNIXTIME(%" PRId64 "), '%%Y-%%m-%%dT%%H:00')", t);
	char **row = rows ? mysql_next(rows) : NULL;
	char *text = row && row[0] ? mem_strdup(row[0]) : NULL;

	mysql_rows_free(rows);
	if (rows && !text)
		err_set(err, "MySQL server %s knows no hour for the time %" PRId64, mysql_place(r->m), t);
	return text;
}

/* The whole hours of a span: its edges are drawn in where somebody else had the address in that hour. */
static void whole_hours(const struct rebucket_spans *s, size_t i, int64_t *from, int64_t *to)
{
	const struct rebucket_span *now = &s->list[i], *before = i ? now - 1 : NULL,
				   *after = i + 1 < s->count ? now + 1 : NULL;

	*from = now->from - now->from % HOUR;
	*to = now->to + (HOUR - 1) - (now->to + HOUR - 1) % HOUR;
	if (before && strcmp(before->address, now->address) == 0 && before->to > *from)
		*from = before->to + (HOUR - 1) - (before->to + HOUR - 1) % HOUR;
	if (after && strcmp(after->address, now->address) == 0 && after->from < *to)
		*to = after->from - after->from % HOUR;
}

/* ---- the file ---- */

struct plan {
	const struct cli *cli;
	const struct rebucket *r;
	FILE *out;
	struct rebucket_planned *done;
};

static void put(struct plan *p, bool sure, const char *from, const char *to, const char *address,
		const char *domain, const char *why)
{
	fprintf(p->out, "%s%s  %s  %-15s  %s  # %s\n", sure ? " " : "#", from, to, address, domain, why);
	p->done->lines += sure;
	p->done->undecided += !sure;
}

/* A label as the table has it; NULL where the map cannot say it. */
static char *label_of(const struct plan *p, const char *domain)
{
	const char *suffix = p->cli->conf.bucket_suffix;

	return strchr(domain, '#') || !*domain ? NULL : mem_printf("%s%s", domain, suffix ? suffix : "");
}

static int put_span(struct plan *p, const struct rebucket_spans *s, size_t i, const char *oldest, char **err)
{
	const struct rebucket_span *now = &s->list[i];
	bool first = i == 0 || strcmp(s->list[i - 1].address, now->address) != 0;
	char *label = label_of(p, now->domain), *start = NULL, *end = NULL;
	int64_t from, to;

	whole_hours(s, i, &from, &to);
	start = hour_text(p->r, from, err);
	end = start ? hour_text(p->r, to, err) : NULL;
	if (end && first && strcmp(oldest, start) < 0)
		put(p, false, oldest, start, now->address, label ? label : "?",
		    "before the ledger: whose was it? Nobody knows");
	if (end && from < to)
		put(p, label != NULL, start, end, now->address, label ? label : "?",
		    label ? "the ledger saw it" : "a name that this file cannot hold");
	free(label);
	free(start);
	free(end);
	return end ? 0 : -1;
}

/* An address that the table has rows of; newest: the hour behind the last. */
static int put_address(struct plan *p, const struct rebucket_spans *s, const char *address,
		       const char *oldest, const char *newest, char **err)
{
	bool known = false;

	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->list[i].address, address) == 0) {
			known = true;
			if (put_span(p, s, i, oldest, err) < 0)
				return -1;
		}
	if (!known)
		put(p, false, oldest, newest, address, "?", "the ledger never saw it");
	return 0;
}

static int put_all(struct plan *p, const struct rebucket_spans *s, char **err)
{
	struct mysql_rows *rows =
		mysql_ask(p->r->m, "cannot look at the table", err,
			  "SELECT ip, DATE_FORMAT(MIN(NULLIF(time, 0)), '%%Y-%%m-%%dT%%H:00'),"
			  " DATE_FORMAT(MAX(time) + INTERVAL 1 HOUR, '%%Y-%%m-%%dT%%H:00') FROM %s GROUP BY "
			  "ip ORDER BY ip",
			  p->r->name);
	struct network n;
	char **row;
	int rc = rows ? 0 : -1;

	while (rc == 0 && (row = mysql_next(rows)))
		if (row[0] && row[1] && row[2] && network_address(row[0], &n))
			rc = put_address(p, s, row[0], row[1], row[2], err);
	mysql_rows_free(rows);
	return rc;
}

static void put_head(const struct plan *p)
{
	char *date = period_local(p->cli->now);

	fprintf(p->out,
		"# Whose the rows of table %s are; made by `xenbw rebucket --plan` at %s.\n"
		"# FROM TO ADDRESS DOMAIN: rows of the address in [FROM, TO) are added to those of the "
		"domain.\n"
		"# Times are those of the table. Lines with # in front move nothing: decide, and take the # "
		"away.\n\n",
		p->r->table, date);
	free(date);
}

int rebucket_plan(const struct cli *cli, const struct rebucket *r, sqlite3 *ledger, const char *path,
		  struct rebucket_planned *out, char **err)
{
	struct plan p = {.cli = cli, .r = r, .done = out};
	struct rebucket_spans s = {0};
	int rc;

	*out = (struct rebucket_planned){0};
	p.out = fopen(path, "wxe");
	if (!p.out && errno == EEXIST)
		return err_set(err, "%s is there already, and stays as it is; name another file", path);
	if (!p.out)
		return err_sys(err, "cannot make the map %s", path);
	put_head(&p);
	rc = rebucket_spans_read(&s, ledger, err);
	if (rc == 0)
		rc = put_all(&p, &s, err);
	if (fclose(p.out) != 0 && rc == 0)
		rc = err_sys(err, "cannot write the map %s", path);
	if (rc < 0)
		(void)unlink(path); /* half of it would be worse */
	rebucket_spans_free(&s);
	return rc;
}
