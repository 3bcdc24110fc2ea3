/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/compare_read.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/ledger.h"
#include "db/sql.h"
#include "db/traffic_old.h"
#include "db/traffic_rows.h"
#include "net/netset.h"

#define HOUR 3600
#define TABLE "traffic"      /* nacctd's name for it is built in */
#define AROUND INT64_C(7200) /* seconds of the ledger on each side of the period */
#define WINDOW 86400         /* seconds of the ledger that are in memory at a time */
#define WRITE_MOST 30        /* seconds that a write of nacctd's may take after it is due */
#define AWAY_LEAST 60        /* seconds without xenbwd that are worth a word */
#define HOUR_OF(time) "TIMESTAMPDIFF(HOUR, '1970-01-01 00:00:00', " time ")"

struct reading {
	struct compare_read *r;
	const struct compare_given *given;
	char *nacctd, *xenbw; /* the tables in backticks */
	struct netset *counted;
	int64_t least, most; /* hours that are read */
	int64_t offset;      /* of the server's clock, from UTC, at the end of the period */
};

/* ---- what is known of a bucket ---- */

/* The networks that nacctd kept rows for. */
static struct netset *counted_by(const struct naccttab *tab)
{
	struct netset *s = netset_new();
	struct networks list = {0};

	for (size_t i = 0; i < tab->count; i++)
		if (tab->lines[i].has_network && !tab->lines[i].dead)
			networks_add(&list, &tab->lines[i].network);
	netset_add(s, &list, 1);
	netset_build(s);
	networks_free(&list);
	return s;
}

static enum compare_cause known_of(const struct reading *in, const char *label)
{
	struct network n;

	if (!network_address(label, &n))
		return COMPARE_UNCOUNTED;
	if (!network_is_ipv4(&n))
		return COMPARE_IPV6;
	return netset_flags(in->counted, n.address) ? COMPARE_UNEXPLAINED : COMPARE_UNCOUNTED;
}

static bool has_dead(const struct naccttab *tab, const char *word)
{
	for (size_t i = 0; i < tab->count; i++)
		if (tab->lines[i].dead && strcasecmp(tab->lines[i].word, word) == 0)
			return true;
	return false;
}

static bool differ(const struct networks *a, const struct networks *b)
{
	return a->count != b->count ||
	       (a->count && memcmp(a->list, b->list, a->count * sizeof(*a->list)) != 0);
}

static void look_at_lists(struct compare *c, const struct naccttab *tab, const struct conf *now)
{
	const struct conf *then = &tab->conf;

	c->lists_differ = !then->ournet.count || has_dead(tab, "ournet") || has_dead(tab, "direct_peer") ||
			  tab->peering_faults.count || differ(&then->ournet, &now->ournet) ||
			  differ(&then->direct_peer, &now->direct_peer) || differ(&then->peer, &now->peer);
	c->ignores_more = has_dead(tab, "ignorenet") || has_dead(tab, "ignoremask") ||
			  differ(&then->ignorenet, &now->ignorenet) ||
			  differ(&then->dontignore, &now->dontignore);
}

/* ---- hours ---- */

char *compare_hour_text(int64_t hour)
{
	time_t t = (time_t)(hour * HOUR);
	struct tm tm = {0};

	gmtime_r(&t, &tm);
	return mem_printf("%04d-%02d-%02d %02d:00:00", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
			  tm.tm_hour);
}

/* "2026-11-26 14:00:00", as the server writes it. */
static int64_t hour_of(const char *text)
{
	struct tm tm = {0};

	return strptime(text, "%Y-%m-%d %H:%M:%S", &tm) ? timegm(&tm) / HOUR : -1;
}

/* Two numbers of a query's one row; false where one of them is NULL. */
static int ask_two(struct mysql *m, const char *query, int64_t out[static 2], bool *there, char **err)
{
	struct mysql_rows *rows = mysql_ask(m, "cannot ask for the hours", err, "%s", query);
	char **row = rows ? mysql_next(rows) : NULL;

	*there = row && row[0] && row[1];
	for (int i = 0; *there && i < 2; i++)
		out[i] = strtoll(row[i], NULL, 10);
	mysql_rows_free(rows);
	return rows ? 0 : -1;
}

/* The first and the last hour of a table. */
static int ask_span(struct mysql *m, const char *table, int64_t out[static 2], char **err)
{
	char *query = mem_printf(
		"SELECT " HOUR_OF("MIN(NULLIF(time, 0))") ", " HOUR_OF("MAX(time)") " FROM %s", table);
	bool there;
	int rc = ask_two(m, query, out, &there, err);

	free(query);
	if (rc == 0 && !there)
		rc = err_set(err, "table %s at MySQL server %s has no rows yet: there is nothing to compare",
			     table, mysql_place(m));
	return rc;
}

/* Seconds that the server's clock shows for two instants. */
static int ask_clock(struct mysql *m, int64_t a, int64_t b, int64_t out[static 2], char **err)
{
	char *query =
		mem_printf("SELECT TIMESTAMPDIFF(SECOND, '1970-01-01 00:00:00', FROM_UNIXTIME(%" PRId64
			   ")), TIMESTAMPDIFF(SECOND, '1970-01-01 00:00:00', FROM_UNIXTIME(%" PRId64 "))",
			   a, b);
	bool there;
	int rc = ask_two(m, query, out, &there, err);

	free(query);
	if (rc == 0 && !there)
		rc = err_set(err, "MySQL server %s has no date for the period", mysql_place(m));
	return rc;
}

static int say_apart(const struct reading *in, const int64_t nacctd[static 2], const int64_t xenbw[static 2],
		     char **err)
{
	char *t[4];
	int rc;

	for (int i = 0; i < 2; i++) {
		t[i] = compare_hour_text(nacctd[i]);
		t[2 + i] = compare_hour_text(xenbw[i]);
	}
	rc = err_set(err,
		     "there is no hour in the period that both have: %s has hours from %.16s to %.16s, %s "
		     "from %.16s to "
		     "%.16s (the server's time); let both run, or give --from and --to",
		     in->r->nacctd, t[0], t[1], in->r->xenbw, t[2], t[3]);
	for (int i = 0; i < 4; i++)
		free(t[i]);
	return rc;
}

static int find_hours(struct reading *in, char **err)
{
	const struct period *p = &in->given->period;
	struct compare *c = &in->r->compare;
	int64_t nacctd[2] = {0}, xenbw[2] = {0}, edge[2] = {0};

	if (ask_span(in->given->m, in->nacctd, nacctd, err) < 0 ||
	    ask_span(in->given->m, in->xenbw, xenbw, err) < 0 ||
	    ask_clock(in->given->m, p->from, p->to, edge, err) < 0)
		return -1;
	in->offset = edge[1] - p->to;
	in->r->from = edge[0] / HOUR;
	in->r->to = (edge[1] + HOUR - 1) / HOUR;
	c->first = nacctd[0] > xenbw[0] ? nacctd[0] : xenbw[0];
	c->last = nacctd[1] < xenbw[1] ? nacctd[1] : xenbw[1];
	in->least = c->first > in->r->from - 1 ? c->first : in->r->from - 1;
	in->most = c->last < in->r->to ? c->last : in->r->to;
	if (in->r->from < c->first)
		in->r->from = c->first;
	if (in->r->to > c->last + 1)
		in->r->to = c->last + 1;
	return in->r->from < in->r->to ? 0 : say_apart(in, nacctd, xenbw, err);
}

/* Hours in which xenbwd was away: what flowed meanwhile it booked when it was back. */
static int find_edges(struct reading *in, char **err)
{
	struct compare *c = &in->r->compare;
	sqlite3_stmt *stmt;
	int rc = sql_prepare(in->given->ledger, &stmt,
			     "SELECT * FROM (SELECT lag(seen) OVER (ORDER BY id) AS seen, started FROM run)"
			     " WHERE started - seen >= ? ORDER BY started",
			     err);

	if (rc == 0)
		rc = sql_bind(stmt, err, "i", (int64_t)AWAY_LEAST);
	while (rc == 0 && (rc = sql_step(stmt, err)) == 1) {
		int64_t from = (sql_time(sqlite3_column_int64(stmt, 0)) + in->offset) / HOUR;
		int64_t to = (sql_time(sqlite3_column_int64(stmt, 1)) + in->offset) / HOUR;

		for (int64_t h = from > in->least ? from : in->least; h <= to && h <= in->most; h++) {
			c->edges = mem_resize(c->edges, c->edge_count + 1, sizeof(*c->edges));
			c->edges[c->edge_count++] = h;
		}
		rc = 0;
	}
	sqlite3_finalize(stmt);
	return rc;
}

/* ---- the tables ---- */

static void add(const struct reading *in, enum compare_source source, const char *label, int64_t hour,
		const uint64_t *bytes)
{
	if (hour >= in->least && hour <= in->most)
		compare_add(&in->r->compare, source, label, hour, known_of(in, label), bytes);
}

/* `has`: the counters that the table has. */
static int read_table(const struct reading *in, enum compare_source source, const char *table,
		      const bool *has, char **err)
{
	char *sums = mem_strdup(""), **row;
	struct mysql_rows *rows;

	for (int k = 0; k < COMPARE_COLUMNS; k++) {
		char *more = has && !has[k] ? mem_printf("%s, 0", sums)
					    : mem_printf("%s, SUM(%s)", sums, traffic_columns[k]);

		free(sums);
		sums = more;
	}
	rows = mysql_ask(in->given->m, "cannot read the table", err,
			 "SELECT ip, " HOUR_OF(
				 "time") " AS h%s FROM %s WHERE time >= '1970-01-01 00:00:00' + INTERVAL "
					 "%" PRId64
					 " HOUR AND time < '1970-01-01 00:00:00' + INTERVAL %" PRId64
					 " HOUR GROUP BY ip, h",
			 sums, table, in->least, in->most + 1);
	free(sums);
	while (rows && (row = mysql_next(rows))) {
		uint64_t bytes[COMPARE_COLUMNS] = {0};

		for (int k = 0; k < COMPARE_COLUMNS; k++) /* below 0 nothing is meant */
			if (row[2 + k] && !text_u64(row[2 + k], 0, UINT64_MAX, &bytes[k]))
				bytes[k] = 0;
		if (row[0] && row[1])
			add(in, source, row[0], strtoll(row[1], NULL, 10), bytes);
	}
	mysql_rows_free(rows);
	return rows ? 0 : -1;
}

static int read_nacctd(const struct reading *in, char **err)
{
	char *database = mysql_identifier(in->given->tab->conf.mysql.database);
	struct traffic_old old = {0};
	int rc = mysql_command(in->given->m, "cannot use nacctd's database", err, "USE %s", database) < 0 ? -1
													  : 0;

	free(database);
	if (rc == 0)
		rc = traffic_old_look(in->given->m, TABLE, &old, err);
	if (rc == 0 && !old.there)
		rc = err_set(err, "there is no table %s at MySQL server %s: nacctd writes somewhere else",
			     in->r->nacctd, mysql_place(in->given->m));
	memcpy(in->r->compare.ceiling, old.ceiling, sizeof(old.ceiling));
	if (rc == 0)
		rc = read_table(in, COMPARE_NACCTD, in->nacctd, old.has, err);
	traffic_old_free(&old);
	return rc;
}

/* ---- the ledger ---- */

static int add_batch(const struct reading *in, enum compare_source source, const struct traffic_batch *batch,
		     char **err)
{
	struct traffic_rows rows;

	if (!batch->count)
		return 0;
	if (traffic_rows_make(&rows, in->given->m, batch, err) < 0)
		return -1;
	for (size_t i = 0; i < rows.count; i++)
		add(in, source, rows.list[i].label, hour_of(rows.list[i].hour), rows.list[i].bytes);
	traffic_rows_free(&rows);
	return 0;
}

/* Leaves the slots that nacctd may have written an hour later: those that end less than a write before it. */
static void keep_tails(const struct reading *in, struct traffic_batch *batch)
{
	int64_t reach = (int64_t)in->r->compare.flush + WRITE_MOST;
	size_t n = 0;

	for (size_t i = 0; i < batch->count; i++) {
		struct traffic_bytes b = batch->list[i];
		int64_t second = ((b.slot + in->offset) % HOUR + HOUR) % HOUR;

		if (second + SLOT_SECONDS > HOUR - reach)
			batch->list[n++] = b;
		else
			free(b.label);
	}
	batch->count = n;
}

static int read_aside(const struct reading *in, int64_t from, int64_t to, struct traffic_batch *out,
		      char **err)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(
		in->given->ledger, &stmt,
		"SELECT (SELECT label FROM bucket_label WHERE bucket = u.bucket"
		" ORDER BY until IS NULL DESC, since DESC LIMIT 1), u.slot, sum(ignored_input),"
		" sum(ignored_output), sum(unattributed_input), sum(unattributed_output) FROM usage u"
		" WHERE u.slot >= ?1 AND u.slot < ?2 GROUP BY u.bucket, u.slot",
		err);

	if (rc == 0)
		rc = sql_bind(stmt, err, "ii", from, to);
	while (rc == 0 && (rc = sql_step(stmt, err)) == 1) {
		struct traffic_bytes *b;

		if ((out->count & (out->count - 1)) == 0)
			out->list =
				mem_resize(out->list, out->count ? out->count * 2 : 1, sizeof(*out->list));
		b = &out->list[out->count++];
		*b = (struct traffic_bytes){.label = sql_word(stmt, 0),
					    .slot = sqlite3_column_int64(stmt, 1)};
		for (int i = 0; i < 2 * DIR_COUNT; i++)
			b->bytes[i] = (uint64_t)sqlite3_column_int64(stmt, 2 + i);
		rc = 0;
	}
	sqlite3_finalize(stmt);
	return rc;
}

/* The slots in [from, to). */
static int read_window(const struct reading *in, int64_t from, int64_t to, char **err)
{
	struct traffic_batch batch, aside = {0};
	int rc = traffic_source_between(in->given->ledger, from, to, in->given->cli->conf.bucket_suffix,
					&batch, err);

	if (rc < 0)
		return -1;
	rc = add_batch(in, COMPARE_LEDGER, &batch, err);
	keep_tails(in, &batch);
	if (rc == 0)
		rc = add_batch(in, COMPARE_TAIL, &batch, err);
	if (rc == 0)
		rc = read_aside(in, from, to, &aside, err);
	if (rc == 0)
		rc = add_batch(in, COMPARE_ASIDE, &aside, err);
	traffic_batch_free(&aside);
	traffic_batch_free(&batch);
	return rc;
}

/* Of what is compared only hours stay in memory: a month has thousands of slots of each address. */
static int read_ledger(const struct reading *in, char **err)
{
	int64_t from = in->given->period.from - AROUND, end = in->given->period.to + AROUND;
	int rc = 0;

	for (int64_t to; rc == 0 && from < end; from = to) {
		to = from + WINDOW < end ? from + WINDOW : end;
		rc = read_window(in, from, to, err);
	}
	return rc;
}

/* ---- all ---- */

static char *quoted(const char *database, const char *table)
{
	char *d = mysql_identifier(database), *t = mysql_identifier(table), *both = mem_printf("%s.%s", d, t);

	free(d);
	free(t);
	return both;
}

static int check_tables(const struct reading *in, char **err)
{
	if (strcmp(in->nacctd, in->xenbw) != 0)
		return 0;
	return err_set(err,
		       "by this configuration xenbw writes to nacctd's own table %s; to compare both it "
		       "needs another "
		       "one: mysql_table, as `xenbw migrate --shadow` proposes it",
		       in->r->nacctd);
}

int compare_read(struct compare_read *r, const struct compare_given *given, char **err)
{
	const struct conf_mysql *then = &given->tab->conf.mysql, *now = &given->cli->conf.mysql;
	struct reading in = {.r = r,
			     .given = given,
			     .nacctd = quoted(then->database, TABLE),
			     .xenbw = quoted(now->database, now->table),
			     .counted = counted_by(given->tab)};
	int rc;

	*r = (struct compare_read){.compare = {.flush = given->tab->conf.flush},
				   .nacctd = mem_printf("%s." TABLE, then->database),
				   .xenbw = mem_printf("%s.%s", now->database, now->table)};
	look_at_lists(&r->compare, given->tab, &given->cli->conf);
	rc = check_tables(&in, err);
	if (rc == 0)
		rc = find_hours(&in, err);
	if (rc == 0)
		rc = find_edges(&in, err);
	if (rc == 0)
		rc = read_nacctd(&in, err);
	if (rc == 0)
		rc = read_table(&in, COMPARE_XENBW, in.xenbw, NULL, err);
	if (rc == 0)
		rc = read_ledger(&in, err);
	if (rc == 0)
		compare_explain(&r->compare);
	netset_free(in.counted);
	free(in.nacctd);
	free(in.xenbw);
	return rc;
}

void compare_read_free(struct compare_read *r)
{
	compare_free(&r->compare);
	free(r->nacctd);
	free(r->xenbw);
	*r = (struct compare_read){0};
}
