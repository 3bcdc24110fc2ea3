/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/ledger.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/ledger_left.h"
#include "db/ledger_state.h"
#include "db/sql.h"

#define MOST_ID (INT64_MAX / 2)
#define MOST_WAITING (INT64_C(1) << 48) /* bytes; more is nonsense */

static const char *const texts[STATEMENTS] = {
	[ADD_BUCKET] = "INSERT INTO bucket(id, kind) VALUES (?, ?)",
	[END_LABEL] = "UPDATE bucket_label SET until = ? WHERE bucket = ? AND until IS NULL",
	/* Twice within a second: the later one stays. A label that another bucket has is an error. */
	[ADD_LABEL] = "INSERT INTO bucket_label(bucket, label, since) VALUES (?, ?, ?)"
		      " ON CONFLICT(bucket, since) DO UPDATE SET label = excluded.label, until = NULL",
	[ADD_UUID] = "INSERT INTO bucket_uuid(uuid, bucket) VALUES (?, ?)",
	[PUT_VIF] =
		"INSERT INTO vif(id, boot, domid, devid, uuid, domain, mac, addresses, bridge, netdev, "
		"bucket,"
		" appeared, gone) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, nullif(?13, 0))"
		" ON CONFLICT(id) DO UPDATE SET uuid = ?5, domain = ?6, mac = ?7, addresses = ?8, bridge = "
		"?9,"
		" netdev = ?10, bucket = ?11, gone = nullif(?13, 0)",
	[PUT_EPOCH] =
		"INSERT INTO epoch(id, vif, boot, ifindex, netdev, rx_header, tx_header, base_rx_bytes,"
		" base_rx_packets, base_tx_bytes, base_tx_packets, last_rx_bytes, last_rx_packets,"
		" last_tx_bytes, last_tx_packets, total_input, total_output, carrier_down, opened, seen,"
		" closed, reason, doubtful, ahead_bytes, ahead_packets, ahead_known) VALUES (?1, ?2, ?3, ?4, "
		"?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
		" ?14, ?15, ?16, ?17, ?18, ?19, ?20, nullif(?21, 0), ?22, ?23, ?24, ?25, ?26)"
		" ON CONFLICT(id) DO UPDATE SET netdev = ?5, base_rx_bytes = ?8, base_rx_packets = ?9,"
		" last_rx_bytes = ?12, last_rx_packets = ?13,"
		" last_tx_bytes = ?14, last_tx_packets = ?15, total_input = ?16, total_output = ?17,"
		" carrier_down = ?18, seen = ?20, closed = nullif(?21, 0), reason = ?22, doubtful = ?23,"
		" ahead_bytes = ?24, ahead_packets = ?25, ahead_known = ?26",
	[ADD_TAKE] = "INSERT INTO take(seq, slot, bucket, vif, address, from_time, to_time, external_input,"
		     " external_output, peer_input, peer_output, direct_input, direct_output, local_input,"
		     " local_output, ignored_input, ignored_output, unattributed_input, unattributed_output,"
		     " clipped_input, clipped_output, estimated_input, estimated_output, spoofed_output)"
		     " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[ADD_EVENT] = "INSERT INTO event(time, kind, object, detail) VALUES (?, ?, ?, ?)",
	[PUT_BASELINE] =
		"INSERT OR REPLACE INTO baseline(boot, ifindex, rx_bytes, rx_packets, tx_bytes, tx_packets)"
		" VALUES (?, ?, ?, ?, ?, ?)",
	[DROP_BASELINE] = "DELETE FROM baseline WHERE boot = ? AND ifindex = ?",
	[SET_OPEN_SLOT] = "UPDATE meta SET value = max(value, ?) WHERE key = 'open_slot'",
	[DROP_WAITING] = "DELETE FROM waiting",
	[ADD_WAITING] = "INSERT INTO waiting(vif, address, direction, class, bytes) VALUES (?, ?, ?, ?, ?)",
	[DROP_POSITION] = "DELETE FROM meta WHERE key = 'position'",
	[SET_POSITION] = "INSERT INTO meta(key, value) VALUES ('position', ?)",
	[SET_STEADY] = "INSERT INTO meta(key, value) VALUES ('steady', ?1)"
		       " ON CONFLICT(key) DO UPDATE SET value = ?1 WHERE value <> ?1",
	[SET_RUN] = "UPDATE run SET seen = max(seen, ?1), ended = iif(?2, max(seen, ?1), NULL) WHERE id = ?3",
	[PASS_SINK] = "UPDATE sink SET seq = max(seq, ?) WHERE name = ?",
};

/* ---- opening ---- */

static int begin_run(struct ledger *l, int64_t now, char **err)
{
	sqlite3_stmt *stmt;
	int rc;

	if (sql_prepare(l->file.db, &stmt, "INSERT INTO run(boot, started, seen) VALUES (?, ?2, ?2)", err) <
	    0)
		return -1;
	rc = sql_exec(stmt, err, "si", l->boot, now);
	sqlite3_finalize(stmt);
	l->run = sqlite3_last_insert_rowid(l->file.db);
	if (rc < 0 || sql_prepare(l->file.db, &stmt, "DELETE FROM baseline WHERE boot <> ?", err) < 0)
		return -1;
	rc = sql_exec(stmt, err, "s", l->boot);
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : ledger_left_put(l->file.db, false, err);
}

int ledger_open(struct ledger **out, const char *path, const char *boot, char **err)
{
	static const struct ledger_opening alone = {0};

	return ledger_open_next(out, path, boot, &alone, err);
}

/* Sequences are given out once each, so fewer of them means that commits are missing. */
static void see_witness(struct ledger *l)
{
	struct ledger_witness seen;
	struct ledger_tail tail;

	if (ledger_left_tail(l->file.db, &tail, NULL) < 0)
		return;
	if (strlen(tail.uuid) < sizeof(l->come.uuid)) {
		memcpy(l->come.uuid, tail.uuid, strlen(tail.uuid) + 1);
		l->come.seq = tail.seq;
	}
	free(tail.uuid);
	if (ledger_witness_read(l->file.lock_fd, &seen) && strcmp(seen.uuid, l->come.uuid) == 0 &&
	    seen.seq > l->come.seq)
		l->missing = seen.seq - l->come.seq;
}

int64_t ledger_missing(const struct ledger *l)
{
	return l->missing;
}

int ledger_open_next(struct ledger **out, const char *path, const char *boot,
		     const struct ledger_opening *how, char **err)
{
	struct ledger *l = mem_alloc(sizeof(*l)), *before = how->before ? *how->before : NULL;

	*out = NULL;
	if (ledger_file_lock(&l->file, path, before ? before->file.lock_fd : -1, err) < 0) {
		free(l);
		return -1;
	}
	if (before && ledger_place(before, path) != LEDGER_ELSEWHERE) {
		ledger_close(before);
		*how->before = NULL;
	}
	if (ledger_file_open_locked(&l->file, path, how, err) < 0) {
		free(l);
		return -1;
	}
	l->boot = mem_strdup(boot);
	for (int i = 0; i < STATEMENTS; i++) {
		if (sql_prepare(l->file.db, &l->stmt[i], texts[i], err) < 0) {
			ledger_close(l);
			return -1;
		}
	}
	see_witness(l);
	*out = l;
	return 0;
}

enum ledger_place ledger_place(const struct ledger *l, const char *path)
{
	return ledger_file_place(&l->file, path);
}

void ledger_close(struct ledger *l)
{
	if (!l)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(l->stmt[i]);
	/* All into the one file, so that a copy of it alone is whole; where a reader is in the way the log
	 * keeps it. */
	(void)sqlite3_wal_checkpoint_v2(l->file.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	ledger_file_close(&l->file);
	free(l->boot);
	free(l);
}

/* ---- loading ---- */

struct ledger_vif ledger_vif_copy(const struct ledger_vif *from)
{
	struct ledger_vif v = *from;

	v.boot = mem_strdup(from->boot);
	v.uuid = mem_strdup(from->uuid);
	v.domain = mem_strdup(from->domain);
	v.mac = mem_strdup(from->mac);
	v.addresses = mem_strdup(from->addresses);
	v.bridge = mem_strdup(from->bridge);
	v.netdev = mem_strdup(from->netdev);
	return v;
}

struct ledger_epoch ledger_epoch_copy(const struct ledger_epoch *from)
{
	struct ledger_epoch e = *from;

	e.boot = mem_strdup(from->boot);
	e.netdev = mem_strdup(from->netdev);
	return e;
}

void ledger_vif_clear(struct ledger_vif *v)
{
	free(v->boot);
	free(v->uuid);
	free(v->domain);
	free(v->mac);
	free(v->addresses);
	free(v->bridge);
	free(v->netdev);
}

void ledger_epoch_clear(struct ledger_epoch *e)
{
	free(e->boot);
	free(e->netdev);
}

void ledger_take_clear(struct ledger_take *t)
{
	free(t->address);
}

void ledger_state_free(struct ledger_state *s)
{
	for (size_t i = 0; i < s->bucket_count; i++)
		free(s->buckets[i].label);
	for (size_t i = 0; i < s->uuid_count; i++)
		free(s->uuids[i].uuid);
	for (size_t i = 0; i < s->vif_count; i++)
		ledger_vif_clear(&s->vifs[i]);
	for (size_t i = 0; i < s->epoch_count; i++)
		ledger_epoch_clear(&s->epochs[i]);
	free(s->buckets);
	free(s->uuids);
	free(s->vifs);
	free(s->epochs);
	free(s->baselines);
	for (size_t i = 0; i < s->waiting_count; i++)
		free(s->waiting[i].address);
	free(s->waiting);
	*s = (struct ledger_state){0};
}

static uint64_t number(sqlite3_stmt *stmt, int column)
{
	return (uint64_t)sqlite3_column_int64(stmt, column);
}

static struct counters four_counters(sqlite3_stmt *stmt, int column)
{
	return (struct counters){number(stmt, column), number(stmt, column + 1), number(stmt, column + 2),
				 number(stmt, column + 3)};
}

static void add_bucket(struct ledger_state *s, sqlite3_stmt *q)
{
	s->buckets = mem_resize(s->buckets, s->bucket_count + 1, sizeof(*s->buckets));
	s->buckets[s->bucket_count++] = (struct ledger_bucket){.id = sqlite3_column_int64(q, 0),
							       .by_ip = sqlite3_column_int(q, 1) != 0,
							       .label = sql_word(q, 2)};
}

static void add_uuid(struct ledger_state *s, sqlite3_stmt *q)
{
	s->uuids = mem_resize(s->uuids, s->uuid_count + 1, sizeof(*s->uuids));
	s->uuids[s->uuid_count++] =
		(struct ledger_uuid){.uuid = sql_word(q, 0), .bucket = sqlite3_column_int64(q, 1)};
}

static void add_vif(struct ledger_state *s, sqlite3_stmt *q)
{
	s->vifs = mem_resize(s->vifs, s->vif_count + 1, sizeof(*s->vifs));
	s->vifs[s->vif_count++] = (struct ledger_vif){
		.id = sqlite3_column_int64(q, 0),
		.boot = sql_word(q, 1),
		.domid = (unsigned)sqlite3_column_int(q, 2),
		.devid = (unsigned)sqlite3_column_int(q, 3),
		.uuid = sql_text(q, 4),
		.domain = sql_word(q, 5),
		.mac = sql_text(q, 6),
		.addresses = sql_text(q, 7),
		.bridge = sql_text(q, 8),
		.netdev = sql_text(q, 9),
		.bucket = sqlite3_column_int64(q, 10),
		.appeared = sqlite3_column_int64(q, 11),
	};
}

/* Of a damaged ledger, the least. */
static enum ledger_ahead ahead_known(int number)
{
	return number == LEDGER_AHEAD_EXACT || number == LEDGER_AHEAD_LENT ? (enum ledger_ahead)number
									   : LEDGER_AHEAD_MOST;
}

static void add_epoch(struct ledger_state *s, sqlite3_stmt *q)
{
	s->epochs = mem_resize(s->epochs, s->epoch_count + 1, sizeof(*s->epochs));
	s->epochs[s->epoch_count++] = (struct ledger_epoch){
		.id = sqlite3_column_int64(q, 0),
		.vif = sqlite3_column_int64(q, 1),
		.boot = sql_word(q, 2),
		.ifindex = (unsigned)sqlite3_column_int64(q, 3),
		.netdev = sql_word(q, 4),
		.rx_header = (unsigned)sqlite3_column_int(q, 5),
		.tx_header = (unsigned)sqlite3_column_int(q, 6),
		.base = four_counters(q, 7),
		.last = four_counters(q, 11),
		.total = {[DIR_INPUT] = number(q, 15), [DIR_OUTPUT] = number(q, 16)},
		.carrier_down = (uint32_t)sqlite3_column_int64(q, 17),
		.opened = sqlite3_column_int64(q, 18),
		.seen = sqlite3_column_int64(q, 19),
		.doubtful = (unsigned)sqlite3_column_int(q, 20),
		.ahead_bytes = sqlite3_column_int64(q, 21),
		.ahead_packets = sqlite3_column_int64(q, 22),
		.ahead_known = ahead_known(sqlite3_column_int(q, 23)),
	};
}

static void add_baseline(struct ledger_state *s, sqlite3_stmt *q)
{
	s->baselines = mem_resize(s->baselines, s->baseline_count + 1, sizeof(*s->baselines));
	s->baselines[s->baseline_count++] = (struct ledger_baseline){
		.ifindex = (unsigned)sqlite3_column_int64(q, 0), .counters = four_counters(q, 1)};
}

/* What is not one, in a damaged ledger, is left out. */
static void add_waiting(struct ledger_state *s, sqlite3_stmt *q)
{
	int64_t direction = sqlite3_column_int64(q, 2), class = sqlite3_column_int64(q, 3),
		bytes = sqlite3_column_int64(q, 4);

	if (direction < 0 || direction >= DIR_COUNT || class < 0 || class >= CLASS_UNATTRIBUTED ||
	    bytes < 0 || bytes > MOST_WAITING)
		return;
	s->waiting = mem_resize(s->waiting, s->waiting_count + 1, sizeof(*s->waiting));
	s->waiting[s->waiting_count++] = (struct ledger_waiting){.vif = sqlite3_column_int64(q, 0),
								 .address = sql_word(q, 1),
								 .direction = (enum direction)direction,
								 .class = (enum byte_class) class,
								 .bytes = (uint64_t)bytes};
}

/* ?1 in the query stands for this boot. */
static int each_row(struct ledger *l, const char *query, struct ledger_state *s,
		    void (*fn)(struct ledger_state *, sqlite3_stmt *), char **err)
{
	sqlite3_stmt *q;
	int rc;

	if (sql_prepare(l->file.db, &q, query, err) < 0)
		return -1;
	if (sqlite3_bind_parameter_count(q) > 0 && sql_bind(q, err, "s", l->boot) < 0) {
		sqlite3_finalize(q);
		return -1;
	}
	while ((rc = sql_step(q, err)) == 1)
		fn(s, q);
	sqlite3_finalize(q);
	return rc;
}

int ledger_tail(struct ledger *l, struct ledger_tail *tail, char **err)
{
	return ledger_left_tail(l->file.db, tail, err);
}

int ledger_leave(struct ledger *l, bool left, char **err)
{
	return ledger_left_put(l->file.db, left, err);
}

int ledger_is_left(struct ledger *l, bool *left, char **err)
{
	return ledger_left_get(l->file.db, left, err);
}

/* Numbers that are counted on from, and times that are reckoned with: where they leave no room for that the
 * ledger is damaged. */
static int check_marks(const struct ledger *l, const struct ledger_state *s, char **err)
{
	const struct {
		const char *what;
		int64_t value, most;
	} marks[] = {{"open slot", s->open_slot, sql_time(INT64_MAX)},
		     {"last commit", s->last_seen, sql_time(INT64_MAX)},
		     {"last bucket", s->last_bucket, MOST_ID},
		     {"last vif", s->last_vif, MOST_ID},
		     {"last epoch", s->last_epoch, MOST_ID},
		     {"last sequence", s->last_seq, MOST_ID}};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (marks[i].value < 0 || marks[i].value > marks[i].most)
			return err_set(err,
				       "ledger %s is damaged: its %s is %" PRId64
				       ", which cannot be; keep a copy, then move it away to begin a new one",
				       sqlite3_db_filename(l->file.db, "main"), marks[i].what,
				       marks[i].value);
	return 0;
}

int ledger_load(struct ledger *l, struct ledger_state *s, char **err)
{
	sqlite3 *db = l->file.db;
	int64_t runs = 0, position = 0;

	*s = (struct ledger_state){0};
	if (sql_number(db, "SELECT count(*) FROM run", 0, &runs, err) < 0 ||
	    sql_number(db, "SELECT value FROM meta WHERE key = 'open_slot'", 0, &s->open_slot, err) < 0 ||
	    sql_number(db, "SELECT value FROM meta WHERE key = 'position'", 0, &position, err) < 0 ||
	    sql_number(db, "SELECT value FROM meta WHERE key = 'steady'", 0, &s->steady, err) < 0 ||
	    each_row(l,
		     "SELECT w.vif, w.address, w.direction, w.class, w.bytes FROM waiting w"
		     " JOIN vif v ON v.id = w.vif WHERE v.boot = ?1 AND v.gone IS NULL",
		     s, add_waiting, err) < 0 ||
	    sql_number(db, "SELECT max(seen) FROM run", 0, &s->last_seen, err) < 0 ||
	    sql_number(db, "SELECT max(id) FROM bucket", 0, &s->last_bucket, err) < 0 ||
	    sql_number(db, "SELECT max(id) FROM vif", 0, &s->last_vif, err) < 0 ||
	    sql_number(db, "SELECT max(id) FROM epoch", 0, &s->last_epoch, err) < 0 ||
	    sql_number(db, "SELECT seq FROM sqlite_sequence WHERE name = 'take'", 0, &s->last_seq, err) < 0 ||
	    each_row(
		    l,
		    "SELECT b.id, b.kind = 'ip', l.label FROM bucket b JOIN bucket_label l ON l.bucket = b.id"
		    " WHERE l.until IS NULL ORDER BY b.id",
		    s, add_bucket, err) < 0 ||
	    each_row(l, "SELECT uuid, bucket FROM bucket_uuid", s, add_uuid, err) < 0 ||
	    each_row(l,
		     "SELECT id, boot, domid, devid, uuid, domain, mac, addresses, bridge, netdev, bucket, "
		     "appeared"
		     " FROM vif WHERE gone IS NULL ORDER BY id",
		     s, add_vif, err) < 0 ||
	    each_row(l,
		     "SELECT id, vif, boot, ifindex, netdev, rx_header, tx_header, base_rx_bytes, "
		     "base_rx_packets,"
		     " base_tx_bytes, base_tx_packets, last_rx_bytes, last_rx_packets, last_tx_bytes,"
		     " last_tx_packets, total_input, total_output, carrier_down, opened, seen, doubtful,"
		     " ahead_bytes, ahead_packets, ahead_known"
		     " FROM epoch WHERE closed IS NULL ORDER BY id",
		     s, add_epoch, err) < 0 ||
	    each_row(l,
		     "SELECT ifindex, rx_bytes, rx_packets, tx_bytes, tx_packets FROM baseline WHERE boot = "
		     "?1",
		     s, add_baseline, err) < 0 ||
	    check_marks(l, s, err) < 0) {
		ledger_state_free(s);
		return -1;
	}
	s->position = position > 0 ? (uint64_t)position : 0;
	s->first_run = runs == 0;
	return 0;
}

/* ---- committing ---- */

static int put_labels(struct ledger *l, const struct ledger_batch *b, char **err)
{
	for (size_t i = 0; i < b->bucket_count; i++)
		if (sql_exec(l->stmt[ADD_BUCKET], err, "is", b->buckets[i]->id,
			     b->buckets[i]->by_ip ? "ip" : "domain") < 0)
			return -1;
	for (size_t i = 0; i < b->label_count; i++) {
		const struct ledger_label *n = b->labels[i];

		if (sql_exec(l->stmt[END_LABEL], err, "ii", n->since, n->bucket) < 0 ||
		    sql_exec(l->stmt[ADD_LABEL], err, "isi", n->bucket, n->label, n->since) < 0)
			return -1;
	}
	for (size_t i = 0; i < b->uuid_count; i++)
		if (sql_exec(l->stmt[ADD_UUID], err, "si", b->uuids[i]->uuid, b->uuids[i]->bucket) < 0)
			return -1;
	return 0;
}

static int put_vif(struct ledger *l, const struct ledger_vif *v, char **err)
{
	return sql_exec(l->stmt[PUT_VIF], err, "isiissssssiii", v->id, v->boot, (int64_t)v->domid,
			(int64_t)v->devid, v->uuid, v->domain, v->mac, v->addresses, v->bridge, v->netdev,
			v->bucket, v->appeared, v->gone);
}

static int put_epoch(struct ledger *l, const struct ledger_epoch *e, char **err)
{
	return sql_exec(l->stmt[PUT_EPOCH], err, "iisisiiiiiiiiiiiiiiiisiiii", e->id, e->vif, e->boot,
			(int64_t)e->ifindex, e->netdev, (int64_t)e->rx_header, (int64_t)e->tx_header,
			(int64_t)e->base.rx_bytes, (int64_t)e->base.rx_packets, (int64_t)e->base.tx_bytes,
			(int64_t)e->base.tx_packets, (int64_t)e->last.rx_bytes, (int64_t)e->last.rx_packets,
			(int64_t)e->last.tx_bytes, (int64_t)e->last.tx_packets, (int64_t)e->total[DIR_INPUT],
			(int64_t)e->total[DIR_OUTPUT], (int64_t)e->carrier_down, e->opened, e->seen,
			e->closed, e->reason, (int64_t)e->doubtful, e->ahead_bytes, e->ahead_packets,
			(int64_t)e->ahead_known);
}

static int add_take(struct ledger *l, const struct ledger_take *t, char **err)
{
	const uint64_t *in = t->classes.bytes[DIR_INPUT], *out = t->classes.bytes[DIR_OUTPUT];

	return sql_exec(l->stmt[ADD_TAKE], err, "iiiisiiiiiiiiiiiiiiiiiii", t->seq, t->slot, t->bucket,
			t->vif, t->address, t->from_time, t->to_time, (int64_t)in[CLASS_EXTERNAL],
			(int64_t)out[CLASS_EXTERNAL], (int64_t)in[CLASS_PEER], (int64_t)out[CLASS_PEER],
			(int64_t)in[CLASS_DIRECT], (int64_t)out[CLASS_DIRECT], (int64_t)in[CLASS_LOCAL],
			(int64_t)out[CLASS_LOCAL], (int64_t)in[CLASS_IGNORED], (int64_t)out[CLASS_IGNORED],
			(int64_t)in[CLASS_UNATTRIBUTED], (int64_t)out[CLASS_UNATTRIBUTED],
			(int64_t)t->clipped[DIR_INPUT], (int64_t)t->clipped[DIR_OUTPUT],
			(int64_t)t->estimated[DIR_INPUT], (int64_t)t->estimated[DIR_OUTPUT],
			(int64_t)t->spoofed);
}

static int put_baseline(struct ledger *l, const struct ledger_baseline *b, char **err)
{
	const struct counters *c = &b->counters;

	if (b->gone)
		return sql_exec(l->stmt[DROP_BASELINE], err, "si", l->boot, (int64_t)b->ifindex);
	return sql_exec(l->stmt[PUT_BASELINE], err, "siiiii", l->boot, (int64_t)b->ifindex,
			(int64_t)c->rx_bytes, (int64_t)c->rx_packets, (int64_t)c->tx_bytes,
			(int64_t)c->tx_packets);
}

/* Without a position nobody goes on from it. */
static int put_position(struct ledger *l, const struct ledger_batch *b, char **err)
{
	if (sql_exec(l->stmt[DROP_WAITING], err, "") < 0 || sql_exec(l->stmt[DROP_POSITION], err, "") < 0)
		return -1;
	if (!b->position)
		return 0;
	for (size_t i = 0; i < b->waiting_count; i++) {
		const struct ledger_waiting *w = &b->waiting[i];

		if (sql_exec(l->stmt[ADD_WAITING], err, "isiii", w->vif, w->address ? w->address : "",
			     (int64_t)w->direction, (int64_t)w->class, (int64_t)w->bytes) < 0)
			return -1;
	}
	return sql_exec(l->stmt[SET_POSITION], err, "i", (int64_t)b->position);
}

static int put_batch(struct ledger *l, const struct ledger_batch *b, char **err)
{
	if (put_labels(l, b, err) < 0)
		return -1;
	for (size_t i = 0; i < b->vif_count; i++)
		if (put_vif(l, b->vifs[i], err) < 0)
			return -1;
	for (size_t i = 0; i < b->epoch_count; i++)
		if (put_epoch(l, b->epochs[i], err) < 0)
			return -1;
	for (size_t i = 0; i < b->take_count; i++)
		if (add_take(l, b->takes[i], err) < 0)
			return -1;
	for (size_t i = 0; i < b->event_count; i++)
		if (sql_exec(l->stmt[ADD_EVENT], err, "isss", b->events[i]->time, b->events[i]->kind,
			     b->events[i]->object, b->events[i]->detail) < 0)
			return -1;
	for (size_t i = 0; i < b->baseline_count; i++)
		if (put_baseline(l, b->baselines[i], err) < 0)
			return -1;
	if (sql_exec(l->stmt[SET_OPEN_SLOT], err, "i", b->open_slot) < 0 || put_position(l, b, err) < 0 ||
	    (b->steady && sql_exec(l->stmt[SET_STEADY], err, "i", b->steady) < 0))
		return -1;
	/* The run begins with its first commit: a first run that dies before it was never there. */
	if (!l->run && begin_run(l, b->now, err) < 0)
		return -1;
	if (sql_exec(l->stmt[SET_RUN], err, "iii", b->now, (int64_t)b->ended, l->run) < 0)
		return -1;
	if (b->left)
		return ledger_left_put(l->file.db, true, err);
	return 0;
}

int ledger_transaction(struct ledger *l, int (*fn)(struct ledger *, const void *, char **), const void *arg,
		       char **err)
{
	int64_t run = l->run;

	if (sql_run(l->file.db, "BEGIN IMMEDIATE", err) < 0)
		return -1;
	if (fn(l, arg, err) == 0 && sql_run(l->file.db, "COMMIT", err) == 0)
		return 0;
	if (!sqlite3_get_autocommit(l->file.db))
		sqlite3_exec(l->file.db, "ROLLBACK", NULL, NULL, NULL);
	l->run = run;
	return -1;
}

static int commit_body(struct ledger *l, const void *arg, char **err)
{
	return put_batch(l, arg, err);
}

int ledger_commit(struct ledger *l, const struct ledger_batch *batch, char **err)
{
	if (ledger_transaction(l, commit_body, batch, err) < 0)
		return -1;
	if (batch->take_count) {
		l->come.seq = batch->takes[batch->take_count - 1]->seq;
		if (*l->come.uuid)
			ledger_witness_write(l->file.lock_fd, &l->come);
	}
	if (batch->ended) /* whatever comes after it, with this ledger still open, is another run */
		l->run = 0;
	return 0;
}

/* ---- settings that readers go by ---- */

int ledger_charge(struct ledger *l, bool unattributed, char **err)
{
	sqlite3_stmt *stmt;
	int rc;

	if (sql_prepare(
		    l->file.db, &stmt,
		    "INSERT INTO meta(key, value) VALUES ('unattributed', ?)"
		    " ON CONFLICT(key) DO UPDATE SET value = excluded.value WHERE value <> excluded.value",
		    err) < 0)
		return -1;
	rc = sql_exec(stmt, err, "s", unattributed ? "external" : "none");
	sqlite3_finalize(stmt);
	return rc;
}
