/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/mysql_sink.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/ledger_file.h"
#include "db/mysql.h"
#include "db/traffic_marker.h"
#include "db/traffic_rows.h"
#include "db/traffic_source.h"
#include "db/traffic_table.h"

#define BATCH 20000 /* takes in one transaction */
#define TRIES 3     /* of one batch, where others lock its rows or the marker moved */
#define PAUSE_US 50000

struct mysql_sink {
	char *ledger;
	const struct conf *conf;
	struct sink_host host;
	struct mysql *server; /* NULL: not connected */
	size_t first;         /* the server to begin with, where mysql_host names several */
	char *marker_of;      /* the ledger's uuid as a literal; NULL: the marker is not known */
	struct traffic_marker marker;
	int64_t acknowledged; /* newest sequence that was handed out */
};

/* How one step of a pass ended. */
enum step { STEP_FAILED = -1, STEP_DONE, STEP_AGAIN, STEP_STOP };

struct mysql_sink *mysql_sink_new(const char *ledger, const struct conf *conf, const struct sink_host *host)
{
	struct mysql_sink *s = mem_alloc(sizeof(*s));

	s->ledger = mem_strdup(ledger);
	s->conf = conf;
	s->host = *host;
	return s;
}

static void forget_marker(struct mysql_sink *s)
{
	free(s->marker_of);
	s->marker_of = NULL;
	traffic_marker_clear(&s->marker);
}

static void hang_up(struct mysql_sink *s)
{
	forget_marker(s);
	mysql_hang_up(s->server);
	s->server = NULL;
}

/* From a server that does not do what it should: the next one first. */
static void turn_away(struct mysql_sink *s)
{
	if (s->server)
		s->first = mysql_server_number(s->server) + 1;
	hang_up(s);
}

void mysql_sink_free(struct mysql_sink *s)
{
	hang_up(s);
	free(s->ledger);
	free(s);
}

/* ---- the server ---- */

static int check_tables(struct mysql_sink *s, char **err)
{
	enum traffic_state state;
	char *why;

	if (traffic_table_check(s->server, s->conf->mysql.table, &state, &why, err) < 0)
		return -1;
	if (state != TRAFFIC_FINE)
		err_set(err, "%s", why);
	free(why);
	return state == TRAFFIC_FINE ? 0 : -1;
}

static int connect_server(struct mysql_sink *s, char **err)
{
	if (s->server)
		return 0;
	if (mysql_open_from(&s->server, &s->conf->mysql, s->first, err) < 0)
		return -1;
	if (check_tables(s, err) < 0) {
		turn_away(s);
		return -1;
	}
	sink_say(&s->host, SINK_DEBUG, "connected to MySQL server %s", mysql_place(s->server));
	return 0;
}

/* After a failure: is the batch to be tried again at once? */
static enum step after_failure(struct mysql_sink *s, int tries)
{
	enum mysql_cause cause = s->server ? mysql_cause(s->server) : MYSQL_ADMIN;

	if (tries >= TRIES)
		return STEP_FAILED;
	/* A server that was started anew is no trouble; and what an admin must mend is told best by the check
	 * of the tables, which comes with each connection. */
	if (cause == MYSQL_AWAY || cause == MYSQL_ADMIN) {
		bool others = s->server && mysql_server_count(&s->conf->mysql) > 1;

		turn_away(s);
		return tries == 1 || others ? STEP_AGAIN : STEP_FAILED;
	}
	if (mysql_command(s->server, "cannot roll back", NULL, "ROLLBACK") < 0)
		hang_up(s);
	usleep((useconds_t)(PAUSE_US * tries));
	return STEP_AGAIN;
}

/* ---- the marker ---- */

/* Finds out how far the table is; begins where the ledger began to keep takes for us. */
static int read_marker(struct mysql_sink *s, const struct traffic_ledger *ledger, char **err)
{
	char *uuid = mysql_literal(s->server, ledger->uuid);
	bool found = false;
	int rc = traffic_marker_read(s->server, uuid, &s->marker, &found, err);

	if (rc == 0 && !found) {
		rc = traffic_marker_insert(s->server, uuid, ledger->passed, err);
		if (rc == 0)
			rc = traffic_marker_read(s->server, uuid, &s->marker, &found, err);
		if (rc == 0 && !found)
			rc = err_set(err,
				     "table " TRAFFIC_MARKER_TABLE
				     " at MySQL server %s does not keep what is inserted",
				     mysql_place(s->server));
	}
	if (rc == 0)
		s->marker_of = uuid;
	else
		free(uuid);
	return rc;
}

static int check_marker(const struct mysql_sink *s, const struct traffic_ledger *ledger, char **err)
{
	return traffic_marker_check(s->marker_of ? &s->marker : NULL, ledger, s->server, s->conf->mysql.table,
				    s->ledger, err);
}

/* A new name is no reason to stop: a copy of the ledger is known by its takes. */
static void greet_marker(const struct mysql_sink *s)
{
	const char *other = traffic_marker_other_host(&s->marker);

	if (other)
		sink_say(&s->host, SINK_WARNING,
			 "table " TRAFFIC_MARKER_TABLE
			 " at MySQL server %s was last written for this ledger by host %s; that is fine if "
			 "this host was renamed or took the ledger over; no two hosts may use copies of one",
			 mysql_place(s->server), other);
}

/* ---- a batch ---- */

/* The marker moves first: whoever else moves it must wait for us, or we find that it is not there any more.
 * Returns STEP_AGAIN where it moved. */
static enum step move_marker(struct mysql_sink *s, const struct traffic_batch *batch, char **err)
{
	int64_t changed;

	if (mysql_command(s->server, "cannot begin", err, "START TRANSACTION") < 0)
		return STEP_FAILED;
	changed = traffic_marker_move(s->server, s->marker_of, s->marker.seq, batch->seq, batch->taken, err);
	if (changed < 0)
		return STEP_FAILED;
	if (changed == 1)
		return STEP_DONE;
	forget_marker(s);
	if (mysql_command(s->server, "cannot roll back", err, "ROLLBACK") < 0)
		return STEP_FAILED;
	err_set(err,
		TRAFFIC_MARKER_TABLE
		" at MySQL server %s is written by something else; does another host use a copy "
		"of this ledger?",
		mysql_place(s->server));
	return STEP_AGAIN;
}

static enum step write_batch(struct mysql_sink *s, struct traffic_batch *batch, char **err)
{
	struct traffic_rows rows;
	enum step step;

	if (traffic_rows_make(&rows, s->server, batch, err) < 0)
		return STEP_FAILED;
	step = move_marker(s, batch, err);
	if (step == STEP_DONE && (traffic_rows_write(&rows, s->server, s->conf->mysql.table, err) < 0 ||
				  mysql_command(s->server, "cannot commit", err, "COMMIT") < 0))
		step = STEP_FAILED;
	if (step == STEP_DONE) {
		s->marker.seq = batch->seq;
		free(s->marker.taken);
		s->marker.taken = batch->taken;
		batch->taken = NULL;
		sink_say(&s->host, SINK_DEBUG, "MySQL: %zu rows of table %s up to sequence %" PRId64,
			 rows.count, s->conf->mysql.table, batch->seq);
	}
	traffic_rows_free(&rows);
	return step;
}

/* ---- a pass ---- */

static int read_ledger(const struct mysql_sink *s, struct traffic_ledger *out, char **err)
{
	struct ledger_file file;
	int rc = ledger_file_open_reader(&file, s->ledger, err);

	if (rc != 0)
		return rc;
	rc = traffic_source_ledger(file.db, MYSQL_SINK, s->marker_of ? &s->marker : NULL, out, err);
	ledger_file_close(&file);
	return rc;
}

static int read_batch(const struct mysql_sink *s, struct traffic_batch *out, char **err)
{
	struct ledger_file file;
	int rc = ledger_file_open_reader(&file, s->ledger, err);

	if (rc != 0)
		return rc;
	rc = traffic_source_batch(file.db, s->marker.seq, BATCH, s->conf->bucket_suffix, out, err);
	ledger_file_close(&file);
	return rc;
}

/* Makes the marker known, and sees that it and the ledger fit. */
static enum step find_marker(struct mysql_sink *s, struct traffic_ledger *ledger, char **err)
{
	bool fresh;
	int rc = read_ledger(s, ledger, err);

	if (rc != 0)
		return rc < 0 ? STEP_FAILED : STEP_STOP;
	fresh = !s->marker_of;
	if (fresh) {
		rc = check_marker(s, ledger, err);
		if (rc == 0)
			rc = read_marker(s, ledger, err);
		traffic_ledger_clear(ledger);
		if (rc < 0)
			return STEP_FAILED;
		/* once more, as what is missing depends on the marker */
		rc = read_ledger(s, ledger, err);
		if (rc != 0)
			return rc < 0 ? STEP_FAILED : STEP_STOP;
	}
	if (check_marker(s, ledger, err) < 0)
		return STEP_FAILED;
	if (fresh)
		greet_marker(s);
	return STEP_DONE;
}

static void acknowledge(struct mysql_sink *s, const struct traffic_ledger *ledger, int64_t *seq)
{
	if (s->marker.seq > ledger->passed && s->marker.seq > s->acknowledged)
		*seq = s->acknowledged = s->marker.seq;
}

/* STEP_DONE: nothing is left; STEP_AGAIN: something may be. */
static enum step next_batch(struct mysql_sink *s, const struct traffic_ledger *ledger, int *tries,
			    int64_t *seq, char **err)
{
	struct traffic_batch batch;
	enum step step;
	int rc;

	acknowledge(s, ledger, seq);
	if (s->marker.seq == ledger->newest)
		return STEP_DONE;
	rc = read_batch(s, &batch, err);
	if (rc != 0)
		return rc < 0 ? STEP_FAILED : STEP_STOP;
	if (batch.seq == 0) {
		traffic_batch_free(&batch);
		return STEP_DONE;
	}
	step = write_batch(s, &batch, err);
	traffic_batch_free(&batch);
	if (step != STEP_DONE)
		return step;
	acknowledge(s, ledger, seq);
	*tries = 0;
	return STEP_AGAIN;
}

static enum step one_batch(struct mysql_sink *s, int *tries, int64_t *seq, char **err)
{
	struct traffic_ledger ledger = {0};
	enum step step;

	if (connect_server(s, err) < 0)
		return STEP_FAILED;
	step = find_marker(s, &ledger, err);
	if (step == STEP_DONE)
		step = next_batch(s, &ledger, tries, seq, err);
	traffic_ledger_clear(&ledger);
	return step;
}

int mysql_sink_pass(struct mysql_sink *s, int64_t *seq, char **err)
{
	enum step step = STEP_AGAIN;
	int tries = 0;

	*seq = 0;
	for (bool first = true; step == STEP_AGAIN; first = false) {
		/* what was committed just before the end still goes in */
		if (!first && s->host.must_stop(s->host.arg)) {
			step = STEP_STOP;
			break;
		}
		tries++;
		step = one_batch(s, &tries, seq, err);
		if (step == STEP_AGAIN && tries >= TRIES) /* somebody else moves the marker all the time */
			step = STEP_FAILED;
		else if (step == STEP_FAILED)
			step = after_failure(s, tries);
	}
	if (step == STEP_FAILED) {
		hang_up(s);
		return -1;
	}
	err_clear(err);
	return step == STEP_STOP ? 1 : 0;
}
