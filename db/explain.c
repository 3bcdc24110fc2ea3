/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/explain.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "db/retain.h"
#include "db/sql.h"
#include "db/usage_rows.h"

struct question {
	int64_t bucket, from, to;
	struct explain *out;
};

/* Rows of a query about this bucket and period: ?1 is the bucket, ?2 and ?3 the period. */
static int ask_rows(sqlite3 *db, const struct question *q, const char *query, usage_row_fn *fn, char **err)
{
	sqlite3_stmt *stmt;

	if (sql_prepare(db, &stmt, query, err) < 0)
		return -1;
	if (sql_bind(stmt, err, "iii", q->bucket, q->from, q->to) < 0) {
		sqlite3_finalize(stmt);
		return -1;
	}
	return usage_each_row(stmt, fn, q->out, err);
}

/* ---- vifs and their epochs ---- */

static void take_vif(void *ctx, sqlite3_stmt *stmt)
{
	struct explain *out = ctx;
	struct explain_vif *v;

	out->vifs = usage_room(out->vifs, out->vif_count, sizeof(*v));
	v = &out->vifs[out->vif_count++];
	v->id = sqlite3_column_int64(stmt, 0);
	v->boot = sql_word(stmt, 1);
	v->domid = (unsigned)sqlite3_column_int64(stmt, 2);
	v->devid = (unsigned)sqlite3_column_int64(stmt, 3);
	v->domain = sql_word(stmt, 4);
	v->mac = sql_text(stmt, 5);
	v->bridge = sql_text(stmt, 6);
	v->netdev = sql_text(stmt, 7);
	v->appeared = sql_time(sqlite3_column_int64(stmt, 8));
	v->gone = usage_time(stmt, 9);
}

static const char vifs_query[] =
	"SELECT id, boot, domid, devid, domain, mac, bridge, netdev, appeared, gone FROM vif WHERE"
	" (bucket = ?1 AND appeared < ?3 AND coalesce(gone, ?2) >= ?2)"
	" OR id IN (SELECT vif FROM slot WHERE bucket = ?1 AND slot >= ?2 AND slot < ?3)"
	" OR id IN (SELECT vif FROM take WHERE bucket = ?1 AND slot >= ?2 AND slot < ?3)"
	" ORDER BY appeared, domid, devid, id";

static void take_epoch(void *ctx, sqlite3_stmt *stmt)
{
	struct explain_vif *v = ctx;
	struct explain_epoch *e;

	v->epochs = usage_room(v->epochs, v->epoch_count, sizeof(*e));
	e = &v->epochs[v->epoch_count++];
	e->id = sqlite3_column_int64(stmt, 0);
	e->netdev = sql_word(stmt, 1);
	e->ifindex = (unsigned)sqlite3_column_int64(stmt, 2);
	e->rx_header = (unsigned)sqlite3_column_int64(stmt, 3);
	e->tx_header = (unsigned)sqlite3_column_int64(stmt, 4);
	e->first = usage_counters(stmt, 5);
	e->last = usage_counters(stmt, 9);
	e->booked[DIR_INPUT] = usage_bytes(stmt, 13);
	e->booked[DIR_OUTPUT] = usage_bytes(stmt, 14);
	e->opened = sql_time(sqlite3_column_int64(stmt, 15));
	e->seen = sql_time(sqlite3_column_int64(stmt, 16));
	e->closed = usage_time(stmt, 17);
	e->reason = sql_text(stmt, 18);
	e->doubtful = (unsigned)sqlite3_column_int64(stmt, 19);
}

static const char epochs_query[] =
	"SELECT id, netdev, ifindex, rx_header, tx_header, base_rx_bytes, base_rx_packets, base_tx_bytes,"
	" base_tx_packets, last_rx_bytes, last_rx_packets, last_tx_bytes, last_tx_packets, total_input,"
	" total_output, opened, seen, closed, reason, doubtful FROM epoch WHERE vif = ?1 AND id > ?2"
	" ORDER BY opened, id";

/* ---- sums ---- */

static void take_booked(void *ctx, sqlite3_stmt *stmt)
{
	const struct explain *out = ctx;
	int64_t vif = sqlite3_column_int64(stmt, 0), when = sqlite3_column_int64(stmt, 1);

	for (size_t i = 0; i < out->vif_count; i++)
		if (out->vifs[i].id == vif)
			usage_take_sums(&out->vifs[i].booked[when], stmt, 2);
}

static const char booked_query[] =
	"SELECT vif, iif(slot = 0, 3, (slot >= ?2) + (slot >= ?3)) AS at," USAGE_SUMS
	" FROM usage WHERE bucket = ?1 GROUP BY vif, at";

static void take_elsewhere(void *ctx, sqlite3_stmt *stmt)
{
	struct explain_vif *v = ctx;

	usage_take_sums(&v->elsewhere, stmt, 0); /* NULLs, where there are none, read as 0 */
}

/* Were all of its bytes charged to this bucket? What is estimated is in no counters. */
static bool is_complete(const struct explain_vif *v)
{
	for (int d = 0; d < DIR_COUNT; d++) {
		uint64_t counted = 0, booked = 0;

		for (size_t i = 0; i < v->epoch_count; i++)
			counted += v->epochs[i].booked[d];
		for (int w = 0; w < EXPLAIN_WHENS; w++) {
			booked += class_bytes_total(&v->booked[w].classes, (enum direction)d);
			counted += v->booked[w].estimated[d];
		}
		if (counted != booked)
			return false;
	}
	return true;
}

/* What a vif has in other buckets. Slots have no order by vif, so that takes long where there are many: it is
 * asked only where something is missing, and only of the time in which there was this vif. */
static int read_elsewhere(sqlite3 *db, const struct question *q, struct explain_vif *v, char **err)
{
	char *query = mem_printf("SELECT" USAGE_SUMS
				 " FROM usage WHERE (slot >= ?2 - ?2 %% 300 OR slot = 0) AND vif = ?1"
				 " AND bucket != %" PRId64,
				 q->bucket);
	int rc = usage_run_rows(db, query, v->id, v->appeared, take_elsewhere, v, err);

	free(query);
	return rc;
}

/* ---- gaps and events ---- */

static void take_gap(void *ctx, sqlite3_stmt *stmt)
{
	struct explain *out = ctx;
	struct explain_gap *g;

	out->gaps = usage_room(out->gaps, out->gap_count, sizeof(*g));
	g = &out->gaps[out->gap_count++];
	g->from = sql_time(sqlite3_column_int64(stmt, 0));
	g->to = sql_time(sqlite3_column_int64(stmt, 1));
	g->reboot = sqlite3_column_int(stmt, 2) != 0;
}

static const char gaps_query[] = "SELECT a.seen, b.started, a.boot != b.boot FROM run a JOIN run b ON"
				 " b.id = (SELECT min(id) FROM run WHERE id > a.id)"
				 " WHERE a.seen < b.started AND b.started > ?2 AND a.seen < ?3 AND ?1 = ?1"
				 " ORDER BY a.id";

static void take_event(void *ctx, sqlite3_stmt *stmt)
{
	struct explain *out = ctx;
	struct explain_event *e;

	out->events = usage_room(out->events, out->event_count, sizeof(*e));
	e = &out->events[out->event_count++];
	e->kind = sql_word(stmt, 0);
	e->object = sql_word(stmt, 1);
	e->count = usage_bytes(stmt, 2);
	e->first = sql_time(sqlite3_column_int64(stmt, 3));
	e->last = sql_time(sqlite3_column_int64(stmt, 4));
	e->detail = sql_word(stmt, 5);
}

static const char events_query[] =
	"SELECT kind, object, count(*), min(time), max(time), (SELECT detail FROM event WHERE id = newest)"
	" FROM (SELECT *, max(id) OVER (PARTITION BY kind, object) AS newest FROM event"
	" WHERE time >= ?2 AND time < ?3) WHERE kind IN ('clock', 'ledger', 'stray') OR object IN"
	" (SELECT domain FROM vif WHERE bucket = ?1 UNION SELECT netdev FROM vif WHERE bucket = ?1"
	" UNION SELECT address FROM slot WHERE bucket = ?1 AND slot >= ?2 AND slot < ?3"
	" UNION SELECT address FROM take WHERE bucket = ?1) GROUP BY kind, object, newest ORDER BY min(time)";

/* ---- the question ---- */

static int read_all(sqlite3 *db, void *ctx, char **err)
{
	struct question *q = ctx;
	struct usage_question report = {USAGE_BY_BUCKET, q->from, q->to, &q->bucket, 1, &q->out->report};
	int rc = retain_read(db, &q->out->retired, err);

	if (rc == 0)
		rc = ask_rows(db, q, vifs_query, take_vif, err);
	for (size_t i = 0; rc == 0 && i < q->out->vif_count; i++)
		rc = usage_run_rows(db, epochs_query, q->out->vifs[i].id, 0, take_epoch, &q->out->vifs[i],
				    err);
	if (rc == 0)
		rc = ask_rows(db, q, booked_query, take_booked, err);
	for (size_t i = 0; rc == 0 && i < q->out->vif_count; i++)
		if (!is_complete(&q->out->vifs[i]))
			rc = read_elsewhere(db, q, &q->out->vifs[i], err);
	if (rc == 0)
		rc = ask_rows(db, q, gaps_query, take_gap, err);
	if (rc == 0)
		rc = ask_rows(db, q, events_query, take_event, err);
	if (rc == 0)
		rc = usage_report_rows(db, &report, err);
	if (rc == 0)
		rc = usage_read_run(db, &q->out->run, err);
	return rc;
}

int explain_read(sqlite3 *db, int64_t bucket, int64_t from, int64_t to, struct explain *out, char **err)
{
	struct question q = {bucket, from, to, out};

	*out = (struct explain){.run = {.seen = -1, .ended = -1}};
	if (usage_ask(db, read_all, &q, err) < 0) {
		explain_free(out);
		return -1;
	}
	return 0;
}

static void free_vif(struct explain_vif *v)
{
	for (size_t i = 0; i < v->epoch_count; i++) {
		free(v->epochs[i].netdev);
		free(v->epochs[i].reason);
	}
	free(v->epochs);
	free(v->boot);
	free(v->domain);
	free(v->mac);
	free(v->bridge);
	free(v->netdev);
}

void explain_free(struct explain *e)
{
	for (size_t i = 0; i < e->vif_count; i++)
		free_vif(&e->vifs[i]);
	for (size_t i = 0; i < e->event_count; i++) {
		free(e->events[i].kind);
		free(e->events[i].object);
		free(e->events[i].detail);
	}
	free(e->vifs);
	free(e->gaps);
	free(e->events);
	free(e->run.boot);
	usage_report_free(&e->report);
	*e = (struct explain){.run = {.seen = -1, .ended = -1}};
}
