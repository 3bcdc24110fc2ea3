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

/* ---- hours ---- */

#define HOUR_SIZE 20 /* "2026-11-26T04:00" and NUL; the server may say more */

/* The hours of the table that a span has bytes in: [first, behind), as the server calls them. Only it knows
 * where its hours begin (there are zones of half an hour) and which two of a day are one row. */
struct hours {
	char first[HOUR_SIZE], behind[HOUR_SIZE];
};

static int ask_hours(const struct rebucket *r, const struct rebucket_span *s, struct hours *out, char **err)
{
	struct mysql_rows *rows =
		mysql_ask(r->m, "cannot ask for the server's hours", err,
			  "SELECT DATE_FORMAT(FROM_UNIXTIME(%" PRId64 "), '%%Y-%%m-%%dT%%H:00'),"
			  " DATE_FORMAT(FROM_UNIXTIME(%" PRId64 ") + INTERVAL 1 HOUR, '%%Y-%%m-%%dT%%H:00')",
			  s->from, s->to - 1);
	char **row = rows ? mysql_next(rows) : NULL;
	int rc = row && row[0] && row[1] ? 0 : -1;

	if (rc == 0) {
		snprintf(out->first, HOUR_SIZE, "%s", row[0]);
		snprintf(out->behind, HOUR_SIZE, "%s", row[1]);
	}
	mysql_rows_free(rows);
	if (rows && rc < 0)
		err_set(err, "MySQL server %s knows no hours for the times %" PRId64 " to %" PRId64,
			mysql_place(r->m), s->from, s->to);
	return rc;
}

/* Takes the hours that are somebody else's, too, from each span of an address: they are in the order of their
 * beginnings. */
static void draw_in(struct hours *h, size_t count)
{
	char taken[HOUR_SIZE] = ""; /* behind the hours of all spans before */

	for (size_t i = 0; i < count; i++) {
		struct hours own = h[i];

		if (strcmp(h[i].first, taken) < 0)
			memcpy(h[i].first, taken, HOUR_SIZE);
		if (i + 1 < count && strcmp(h[i + 1].first, h[i].behind) < 0)
			memcpy(h[i].behind, h[i + 1].first, HOUR_SIZE);
		if (strcmp(own.behind, taken) > 0)
			memcpy(taken, own.behind, HOUR_SIZE);
	}
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

static void put_span(struct plan *p, const struct rebucket_span *s, const struct hours *h)
{
	char *label = label_of(p, s->domain);
	const char *why = !label    ? "a name that this file cannot hold"
			  : s->sure ? "the ledger saw it"
				    : "two domains had its name or uuid at the same time: whose was it?";

	if (strcmp(h->first, h->behind) < 0)
		put(p, label && s->sure, h->first, h->behind, s->address, label ? label : "?", why);
	free(label);
}

/* The spans of one address; oldest: the first hour that the table has of it. */
static int put_spans(struct plan *p, const struct rebucket_span *s, size_t count, const char *oldest,
		     char **err)
{
	struct hours *h = mem_array(count, sizeof(*h));
	char *label = label_of(p, s->domain);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = ask_hours(p->r, &s[i], &h[i], err);
	if (rc == 0 && strcmp(oldest, h->first) < 0)
		put(p, false, oldest, h->first, s->address, label ? label : "?",
		    "before the ledger: whose was it? Nobody knows");
	if (rc == 0)
		draw_in(h, count);
	for (size_t i = 0; rc == 0 && i < count; i++)
		put_span(p, &s[i], &h[i]);
	free(label);
	free(h);
	return rc;
}

/* An address that the table has rows of; newest: the hour behind the last. */
static int put_address(struct plan *p, const struct rebucket_spans *s, const char *address,
		       const char *oldest, const char *newest, char **err)
{
	size_t first = 0, count = 0;

	while (first < s->count && strcmp(s->list[first].address, address) != 0)
		first++;
	while (first + count < s->count && strcmp(s->list[first + count].address, address) == 0)
		count++;
	if (count)
		return put_spans(p, &s->list[first], count, oldest, err);
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
