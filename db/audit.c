/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/audit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "db/sql.h"
#include "db/usage_rows.h"

#define ALL(dir)                                                                           \
	"(external_" dir " + peer_" dir " + direct_" dir " + local_" dir " + ignored_" dir \
	" + unattributed_" dir ")"

void audit_clear(struct audit *a)
{
	free(a->first);
	*a = (struct audit){0};
}

/* Rows of a query without parameters. */
static int ask(sqlite3 *db, const char *query, usage_row_fn *fn, void *ctx, char **err)
{
	sqlite3_stmt *stmt;

	return sql_prepare(db, &stmt, query, err) < 0 ? -1 : usage_each_row(stmt, fn, ctx, err);
}

/* One row more that was looked at; `said` (allocated, or NULL) is what is wrong with it. */
static void note(struct audit *a, char *said)
{
	a->looked_at++;
	if (!said)
		return;
	a->wrong++;
	if (a->first)
		free(said);
	else
		a->first = said;
}

static void take_page(void *ctx, sqlite3_stmt *stmt)
{
	char *said = sql_word(stmt, 0);

	if (strcmp(said, "ok") == 0) {
		free(said);
		said = NULL;
	}
	note(ctx, said);
}

int audit_pages(sqlite3 *db, struct audit *out, char **err)
{
	*out = (struct audit){0};
	return ask(db, "PRAGMA quick_check(3)", take_page, out, err);
}

static void take_epoch(void *ctx, sqlite3_stmt *stmt)
{
	char *said = NULL;

	/* what was read is never taken back: more may be booked than a driver's counters say in the end */
	for (int d = 0; d < DIR_COUNT && !said; d++) {
		uint64_t counted = usage_bytes(stmt, 1 + d), booked = usage_bytes(stmt, 3 + d);

		if (booked < counted)
			said = mem_printf("epoch %" PRId64 " counted %" PRIu64
					  " bytes of %s, and has booked %" PRIu64,
					  (int64_t)sqlite3_column_int64(stmt, 0), counted,
					  direction_name((enum direction)d), booked);
	}
	note(ctx, said);
}

/* The one place that knows whose input is rx or tx is account/basis; here both sides of dom0's own device are
 * swapped once more, for SQL cannot ask it. */
#define SIDE(which, header) "max(0, " which "_bytes - " which "_packets * " header ")"
#define GROWTH(side) "(" SIDE("last_" side, side "_header") " - " SIDE("base_" side, side "_header") ")"

int audit_epochs(sqlite3 *db, struct audit *out, char **err)
{
	*out = (struct audit){0};
	return ask(db,
		   "SELECT e.id, CASE v.domid WHEN 0 THEN " GROWTH("rx") " ELSE " GROWTH(
			   "tx") " END,"
				 " CASE v.domid WHEN 0 THEN " GROWTH("tx") " ELSE " GROWTH(
					 "rx") " END, total_input,"
					       " total_output FROM epoch e JOIN vif v ON v.id = e.vif ORDER "
					       "BY e.id",
		   take_epoch, out, err);
}

static void take_vif(void *ctx, sqlite3_stmt *stmt)
{
	char *said = NULL;

	for (int d = 0; d < DIR_COUNT && !said; d++) {
		int64_t booked = sqlite3_column_int64(stmt, 2 + d),
			counted = sqlite3_column_int64(stmt, 4 + d);
		char *domain;

		if (booked == counted)
			continue;
		domain = sql_word(stmt, 1);
		said = mem_printf("vif %" PRId64 " (%s): classes %" PRId64 ", counters %" PRId64
				  " bytes of %s",
				  (int64_t)sqlite3_column_int64(stmt, 0), domain, booked, counted,
				  direction_name((enum direction)d));
		free(domain);
	}
	note(ctx, said);
}

/* Inside each table first, along its own order (db/usage.c). */
#define BOOKED(table)                                                         \
	"SELECT vif, sum(" ALL("input") " - estimated_input) AS i, sum(" ALL( \
		"output") " - estimated_output) AS o FROM " table " GROUP BY vif"

int audit_identity(sqlite3 *db, struct audit *out, char **err)
{
	*out = (struct audit){0};
	return ask(
		db,
		"WITH booked AS (SELECT vif, sum(i) AS i, sum(o) AS o FROM (" BOOKED(
			"slot") " UNION ALL " BOOKED("take") ") GROUP BY vif), counted AS (SELECT vif, "
							     "sum(total_input) AS i, sum(total_output) AS o"
							     " FROM epoch GROUP BY vif) SELECT v.id, "
							     "v.domain, ifnull(b.i, 0), ifnull(b.o, 0), "
							     "ifnull(c.i, 0),"
							     " ifnull(c.o, 0) FROM vif v LEFT JOIN booked b "
							     "ON b.vif = v.id LEFT JOIN counted c ON c.vif = "
							     "v.id"
							     " ORDER BY v.id",
		take_vif, out, err);
}

static void take_rows(void *ctx, sqlite3_stmt *stmt)
{
	struct audit *a = ctx;

	a->looked_at += usage_bytes(stmt, 1);
	if (!usage_bytes(stmt, 2))
		return;
	a->wrong += usage_bytes(stmt, 2);
	if (!a->first)
		a->first = mem_printf("in table %s", (const char *)sqlite3_column_text(stmt, 0));
}

static void take_link(void *ctx, sqlite3_stmt *stmt)
{
	char *from = sql_word(stmt, 0), *to = sql_word(stmt, 2);

	note(ctx, mem_printf("a row of %s has none of %s", from, to));
	free(from);
	free(to);
}

/* The least of a row's numbers tells whether one is below 0. */
#define IMPOSSIBLE(table)                                                                                    \
	"SELECT '" table                                                                                     \
	"', count(*), sum(slot % 300 != 0 OR min(external_input, external_output, peer_input,"               \
	" peer_output, direct_input, direct_output, local_input, local_output, ignored_input, "              \
	"ignored_output,"                                                                                    \
	" unattributed_input, unattributed_output, clipped_input, clipped_output, estimated_input,"          \
	" estimated_output, spoofed_output) < 0 OR estimated_input > " ALL(                                  \
		"input") " OR estimated_output > " ALL("output") " OR spoofed_output > " ALL("output") ") "  \
												       "FRO" \
												       "M"   \
												       " " table

int audit_rows(sqlite3 *db, struct audit *out, char **err)
{
	*out = (struct audit){0};
	if (ask(db, IMPOSSIBLE("slot") " UNION ALL " IMPOSSIBLE("take"), take_rows, out, err) < 0)
		return -1;
	return ask(db, "PRAGMA foreign_key_check", take_link, out, err);
}

/* ---- its last days ---- */

static void take_gaps(void *ctx, sqlite3_stmt *stmt)
{
	struct audit_gaps *out = ctx;

	out->count++;
	out->from = sql_time(sqlite3_column_int64(stmt, 0));
	out->to = sql_time(sqlite3_column_int64(stmt, 1));
	out->seconds += out->to - out->from;
}

int audit_gaps(sqlite3 *db, int64_t since, int64_t shortest, struct audit_gaps *out, char **err)
{
	*out = (struct audit_gaps){0};
	return usage_run_rows(
		db,
		"SELECT a.seen, b.started FROM run a JOIN run b ON b.id = (SELECT min(id) FROM run"
		" WHERE id > a.id) WHERE b.started > ?1 AND a.seen < b.started AND"
		" (a.ended IS NULL OR b.started - a.seen > ?2) ORDER BY a.id",
		since, shortest, take_gaps, out, err);
}

static void take_sums(void *ctx, sqlite3_stmt *stmt)
{
	usage_take_sums(ctx, stmt, 0);
}

int audit_sums(sqlite3 *db, int64_t since, struct usage_sums *out, char **err)
{
	*out = (struct usage_sums){0};
	return usage_run_rows(db, "SELECT" USAGE_SUMS " FROM usage WHERE slot >= ?1 AND ?2 = ?2", since, 0,
			      take_sums, out, err);
}

static void take_rename(void *ctx, sqlite3_stmt *stmt)
{
	struct audit_renames *out = ctx;

	out->list = usage_room(out->list, out->count, sizeof(*out->list));
	out->list[out->count++] = (struct audit_rename){.former = sql_word(stmt, 0),
							.present = sql_word(stmt, 1),
							.by_ip = sqlite3_column_int(stmt, 2) != 0};
}

int audit_renames(sqlite3 *db, int64_t since, struct audit_renames *out, char **err)
{
	*out = (struct audit_renames){0};
	return usage_run_rows(
		db,
		"SELECT f.label, p.label, b.kind = 'ip' FROM bucket_label f JOIN bucket b ON b.id ="
		" f.bucket JOIN bucket_label p ON p.bucket = f.bucket AND p.until IS NULL"
		" WHERE f.until > ?1 AND f.label <> p.label AND ?2 = ?2 GROUP BY f.label, p.label",
		since, 0, take_rename, out, err);
}

void audit_renames_free(struct audit_renames *r)
{
	for (size_t i = 0; i < r->count; i++) {
		free(r->list[i].former);
		free(r->list[i].present);
	}
	free(r->list);
	*r = (struct audit_renames){0};
}

static void take_sink(void *ctx, sqlite3_stmt *stmt)
{
	struct audit_sink *out = ctx;

	out->there = true;
	out->behind = usage_bytes(stmt, 0);
	out->since = usage_time(stmt, 1);
	out->slot = usage_time(stmt, 2);
}

int audit_sink(sqlite3 *db, const char *name, struct audit_sink *out, char **err)
{
	char *query =
		sqlite3_mprintf("SELECT (SELECT count(*) FROM take WHERE seq > s.seq),"
				" (SELECT min(to_time) FROM take WHERE seq > s.seq),"
				" (SELECT min(slot) FROM take WHERE seq > s.seq) FROM sink s WHERE name = %Q",
				name);
	int rc;

	*out = (struct audit_sink){.since = -1, .slot = -1};
	if (!query)
		return sql_error(db, "reading", err);
	rc = ask(db, query, take_sink, out, err);
	sqlite3_free(query);
	return rc;
}

static void take_events(void *ctx, sqlite3_stmt *stmt)
{
	char **out = ctx, *before = *out;

	*out = mem_printf("%s%s%" PRIu64 " %s", before ? before : "", before ? ", " : "",
			  usage_bytes(stmt, 0), (const char *)sqlite3_column_text(stmt, 1));
	free(before);
}

int audit_events(sqlite3 *db, int64_t since, char **out, char **err)
{
	*out = NULL;
	if (usage_run_rows(db,
			   "SELECT count(*), kind FROM event WHERE time >= ?1 AND ?2 = ?2 GROUP BY kind "
			   "ORDER BY kind",
			   since, 0, take_events, out, err) == 0)
		return 0;
	free(*out);
	*out = NULL;
	return -1;
}
