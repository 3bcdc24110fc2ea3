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
	char *marker_of;      /* the ledger's uuid as a literal; NULL: the marker is not known */
	int64_t marker;
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
}

static void hang_up(struct mysql_sink *s)
{
	forget_marker(s);
	mysql_hang_up(s->server);
	s->server = NULL;
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
	if (mysql_open(&s->server, &s->conf->mysql, err) < 0)
		return -1;
	if (check_tables(s, err) < 0) {
		hang_up(s);
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
		hang_up(s);
		return tries == 1 ? STEP_AGAIN : STEP_FAILED;
	}
	if (mysql_command(s->server, "cannot roll back", NULL, "ROLLBACK") < 0)
		hang_up(s);
	usleep((useconds_t)(PAUSE_US * tries));
	return STEP_AGAIN;
}

/* ---- the marker ---- */

static int select_marker(struct mysql_sink *s, const char *uuid, bool *found, char **err)
{
	struct mysql_rows *rows =
		mysql_ask(s->server, "cannot read " TRAFFIC_MARKER_TABLE, err,
			  "SELECT seq FROM " TRAFFIC_MARKER_TABLE " WHERE ledger_uuid = %s", uuid);
	char **row;

	if (!rows)
		return -1;
	row = mysql_next(rows);
	*found = row != NULL;
	if (row)
		s->marker = (int64_t)strtoll(row[0], NULL, 10);
	mysql_rows_free(rows);
	return 0;
}

static int insert_marker(struct mysql_sink *s, const char *uuid, int64_t start, char **err)
{
	char name[256] = "", *host;
	int64_t rc;

	if (gethostname(name, sizeof(name) - 1) < 0)
		return err_sys(err, "cannot read this host's name");
	host = mysql_literal(s->server, name);
	rc = mysql_command(s->server, "cannot write " TRAFFIC_MARKER_TABLE, err,
			   "INSERT IGNORE INTO " TRAFFIC_MARKER_TABLE
			   "(ledger_uuid, host, seq) VALUES (%s, %s, %" PRId64 ")",
			   uuid, host, start);
	free(host);
	return rc < 0 ? -1 : 0;
}

/* Finds out how far the table is; begins where the ledger began to keep takes for us. */
static int read_marker(struct mysql_sink *s, const struct traffic_ledger *ledger, char **err)
{
	char *uuid = mysql_literal(s->server, ledger->uuid);
	bool found = false;
	int rc = select_marker(s, uuid, &found, err);

	if (rc == 0 && !found) {
		rc = insert_marker(s, uuid, ledger->passed, err);
		if (rc == 0)
			rc = select_marker(s, uuid, &found, err);
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
	if (s->marker > ledger->newest)
		return err_set(err,
			       "table %s at MySQL server %s is ahead of the ledger %s (sequence %" PRId64
			       ", the ledger's last "
			       "is %" PRId64
			       "): an older copy of the ledger was put back; bytes between the two may be in "
			       "the table already; to go on say at the server: UPDATE " TRAFFIC_MARKER_TABLE
			       " SET seq = %" PRId64 " WHERE ledger_uuid = %s",
			       s->conf->mysql.table, mysql_place(s->server), s->ledger, s->marker,
			       ledger->newest, ledger->newest, s->marker_of);
	if (ledger->missing > 0)
		return err_set(err,
			       "table %s at MySQL server %s is behind the ledger %s (sequence %" PRId64
			       "), which keeps only "
			       "the sums of the next takes any more: was the database put back, or fed by "
			       "something else "
			       "meanwhile? to go on without them (`xenbw report` has them) say at the "
			       "server: UPDATE " TRAFFIC_MARKER_TABLE " SET seq = %" PRId64
			       " WHERE ledger_uuid = %s",
			       s->conf->mysql.table, mysql_place(s->server), s->ledger, s->marker,
			       ledger->whole, s->marker_of);
	return 0;
}

/* ---- a batch ---- */

/* The marker moves first: whoever else moves it must wait for us, or we find that it is not there any more.
 * Returns STEP_AGAIN where it moved. */
static enum step move_marker(struct mysql_sink *s, int64_t seq, char **err)
{
	int64_t changed;

	if (mysql_command(s->server, "cannot begin", err, "START TRANSACTION") < 0)
		return STEP_FAILED;
	changed = mysql_command(s->server, "cannot write " TRAFFIC_MARKER_TABLE, err,
				"UPDATE " TRAFFIC_MARKER_TABLE " SET seq = %" PRId64
				" WHERE ledger_uuid = %s AND seq = %" PRId64,
				seq, s->marker_of, s->marker);
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

static enum step write_batch(struct mysql_sink *s, const struct traffic_batch *batch, char **err)
{
	struct traffic_rows rows;
	enum step step;

	if (traffic_rows_make(&rows, s->server, batch, err) < 0)
		return STEP_FAILED;
	step = move_marker(s, batch->seq, err);
	if (step == STEP_DONE && (traffic_rows_write(&rows, s->server, s->conf->mysql.table, err) < 0 ||
				  mysql_command(s->server, "cannot commit", err, "COMMIT") < 0))
		step = STEP_FAILED;
	if (step == STEP_DONE) {
		s->marker = batch->seq;
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
	rc = traffic_source_ledger(file.db, MYSQL_SINK, s->marker_of ? s->marker : -1, out, err);
	ledger_file_close(&file);
	if (rc == 0 && out->passed < 0) {
		free(out->uuid);
		out->uuid = NULL;
		err_set(err,
			"ledger %s keeps nothing for MySQL yet; xenbwd says so at its start (`database "
			"mysql`)",
			s->ledger);
		return -1;
	}
	return rc;
}

static int read_batch(const struct mysql_sink *s, struct traffic_batch *out, char **err)
{
	struct ledger_file file;
	int rc = ledger_file_open_reader(&file, s->ledger, err);

	if (rc != 0)
		return rc;
	rc = traffic_source_batch(file.db, s->marker, BATCH, s->conf->bucket_suffix, out, err);
	ledger_file_close(&file);
	return rc;
}

/* Makes the marker known, and sees that it and the ledger fit. */
static enum step find_marker(struct mysql_sink *s, struct traffic_ledger *ledger, char **err)
{
	int rc = read_ledger(s, ledger, err);

	if (rc != 0)
		return rc < 0 ? STEP_FAILED : STEP_STOP;
	if (!s->marker_of) {
		rc = read_marker(s, ledger, err);
		free(ledger->uuid);
		ledger->uuid = NULL;
		if (rc < 0)
			return STEP_FAILED;
		/* once more, as what is missing depends on the marker */
		rc = read_ledger(s, ledger, err);
		if (rc != 0)
			return rc < 0 ? STEP_FAILED : STEP_STOP;
	}
	rc = check_marker(s, ledger, err);
	free(ledger->uuid);
	ledger->uuid = NULL;
	return rc < 0 ? STEP_FAILED : STEP_DONE;
}

static void acknowledge(struct mysql_sink *s, const struct traffic_ledger *ledger, int64_t *seq)
{
	if (s->marker > ledger->passed && s->marker > s->acknowledged)
		*seq = s->acknowledged = s->marker;
}

/* STEP_DONE: nothing is left; STEP_AGAIN: something may be. */
static enum step one_batch(struct mysql_sink *s, int *tries, int64_t *seq, char **err)
{
	struct traffic_ledger ledger = {0};
	struct traffic_batch batch;
	enum step step;
	int rc;

	if (connect_server(s, err) < 0)
		return STEP_FAILED;
	step = find_marker(s, &ledger, err);
	if (step != STEP_DONE)
		return step;
	acknowledge(s, &ledger, seq);
	if (s->marker == ledger.newest)
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
	if (step == STEP_DONE) {
		acknowledge(s, &ledger, seq);
		*tries = 0;
		return STEP_AGAIN;
	}
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
