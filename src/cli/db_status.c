/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * db_status: `xenbw db status`: the MySQL server as xenbw-writer finds it, and how far the table is.
 *
 * Changes nothing. What was found is shown also where something is wrong; that is the error, with what to do.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/db.h"
#include "db/sink.h"
#include "db/sql.h"
#include "db/traffic_marker.h"
#include "db/traffic_table.h"

enum {
	COLUMN_SERVER,
	COLUMN_VERSION,
	COLUMN_TLS,
	COLUMN_DATABASE,
	COLUMN_TABLE,
	COLUMN_STATE,
	COLUMN_ROWS,
	COLUMN_LEDGER,
	COLUMN_WRITTEN,
	COLUMN_ACKNOWLEDGED,
	COLUMN_WAITING,
	COLUMN_COUNT
};

static const struct out_column status_columns[COLUMN_COUNT] = {
	[COLUMN_SERVER] = {"server", "SERVER", OUT_TEXT, 0},
	[COLUMN_VERSION] = {"version", "VERSION", OUT_TEXT, 0},
	[COLUMN_TLS] = {"tls", "TLS", OUT_TEXT, 0},
	[COLUMN_DATABASE] = {"database", "DATABASE", OUT_TEXT, 1},
	[COLUMN_TABLE] = {"table", "TABLE", OUT_TEXT, 0},
	[COLUMN_STATE] = {"state", "STATE", OUT_TEXT, 0},
	[COLUMN_ROWS] = {"rows", "ROWS", OUT_NUMBER, 0},
	[COLUMN_LEDGER] = {"ledger_seq", "LEDGER", OUT_NUMBER, 1},
	[COLUMN_WRITTEN] = {"written_seq", "WRITTEN", OUT_NUMBER, 1},
	[COLUMN_ACKNOWLEDGED] = {"acknowledged_seq", "ACKNOWLEDGED", OUT_NUMBER, 2},
	[COLUMN_WAITING] = {"waiting", "WAITING", OUT_NUMBER, 0},
};

static const char *const state_words[] = {[TRAFFIC_FINE] = "fine",
					  [TRAFFIC_MISSING] = "missing",
					  [TRAFFIC_LEGACY] = "legacy",
					  [TRAFFIC_FOREIGN] = "foreign"};

/* What there is to say; -1 for a number that nobody knows. */
struct status {
	const struct conf *conf;
	struct mysql *m;
	char *version, *tls; /* tls NULL: none */
	enum traffic_state state;
	char *why; /* of the state, or of the marker */
	int64_t rows, waiting;
	bool there; /* a ledger is */
	struct traffic_ledger ledger;
	bool marked; /* the server has a marker for it */
	struct traffic_marker marker;
};

static const char asking[] = "cannot ask for the state";

/* One value, allocated; NULL where there is no row. */
static int ask_text(struct mysql *m, char *query, int column, char **out, char **err)
{
	struct mysql_rows *rows = mysql_ask(m, asking, err, "%s", query);
	char **row = rows ? mysql_next(rows) : NULL;

	*out = row && row[column] && *row[column] ? mem_strdup(row[column]) : NULL;
	mysql_rows_free(rows);
	free(query);
	return rows ? 0 : -1;
}

static int ask_number(struct mysql *m, char *query, int64_t *out, char **err)
{
	uint64_t value;
	char *text;
	int rc = ask_text(m, query, 0, &text, err);

	*out = text && text_u64(text, 0, INT64_MAX, &value) ? (int64_t)value : -1;
	free(text);
	return rc;
}

static int ask_server(struct status *s, char **err)
{
	const struct conf_mysql *c = &s->conf->mysql;
	char *table = mysql_identifier(c->table), *uuid = mysql_literal(s->m, s->there ? s->ledger.uuid : "");
	int rc = ask_text(s->m, mem_strdup("SELECT VERSION()"), 0, &s->version, err);

	if (rc == 0)
		rc = ask_text(s->m, mem_strdup("SHOW SESSION STATUS LIKE 'Ssl_version'"), 1, &s->tls, err);
	if (rc == 0)
		rc = traffic_table_check(s->m, c->table, &s->state, &s->why, err);
	if (rc == 0 && s->state == TRAFFIC_FINE)
		rc = ask_number(s->m, mem_printf("SELECT COUNT(*) FROM %s", table), &s->rows, err);
	if (rc == 0 && s->state == TRAFFIC_FINE)
		rc = traffic_marker_read(s->m, uuid, &s->marker, &s->marked, err);
	free(uuid);
	free(table);
	return rc;
}

/* How many takes the table does not have yet. */
static int count_waiting(struct status *s, sqlite3 *db, char **err)
{
	int64_t from = s->marked ? s->marker.seq : s->ledger.passed;
	char *query = mem_printf("SELECT count(*) FROM take WHERE seq > %" PRId64, from);
	int rc = sql_number(db, query, 0, &s->waiting, err);

	free(query);
	return rc;
}

static int look(struct status *s, const struct cli *cli, char **err)
{
	struct ledger_file file;
	int there = cli_find_ledger(cli, &file, err), rc = 0;

	if (there < 0)
		return -1;
	s->there = there == 0;
	if (s->there)
		rc = traffic_source_ledger(file.db, MYSQL_SINK, NULL, &s->ledger, err);
	if (rc == 0)
		rc = ask_server(s, err);
	/* once more: what is wrong depends on the marker, and xenbwd does not wait */
	if (rc == 0 && s->there && s->marked) {
		traffic_ledger_clear(&s->ledger);
		rc = traffic_source_ledger(file.db, MYSQL_SINK, &s->marker, &s->ledger, err);
	}
	if (rc == 0 && s->there && s->state == TRAFFIC_FINE)
		rc = count_waiting(s, file.db, err);
	ledger_file_close(&file);
	return rc;
}

/* What keeps the table from growing, though it is fine: what xenbw-writer says of it. */
static void check_ledger(struct status *s)
{
	if (!s->why && s->there)
		(void)traffic_marker_check(s->marked ? &s->marker : NULL, &s->ledger, s->m,
					   s->conf->mysql.table, s->conf->ledger, &s->why);
}

static void put_number(struct out_table *t, size_t column, int64_t value)
{
	if (value >= 0)
		out_number(t, column, (uint64_t)value);
}

static int show(const struct status *s, const struct cli *cli, char **err)
{
	struct out_table *t = out_new(status_columns, COLUMN_COUNT);
	int status;

	out_head_text(t, "command", "db");
	out_head_time(t, "time", cli->now);
	out_head_text(t, "ledger", cli->conf.ledger);
	out_row(t);
	out_text(t, COLUMN_SERVER, mysql_place(s->m));
	out_text(t, COLUMN_VERSION, s->version);
	out_text(t, COLUMN_TLS, s->tls);
	out_text(t, COLUMN_DATABASE, s->conf->mysql.database);
	out_text(t, COLUMN_TABLE, s->conf->mysql.table);
	out_text(t, COLUMN_STATE, state_words[s->state]);
	put_number(t, COLUMN_ROWS, s->rows);
	put_number(t, COLUMN_LEDGER, s->there ? s->ledger.newest : -1);
	put_number(t, COLUMN_WRITTEN, s->marked ? s->marker.seq : -1);
	put_number(t, COLUMN_ACKNOWLEDGED, s->ledger.passed);
	put_number(t, COLUMN_WAITING, s->waiting);
	status = cli_write(cli, t, "databases", err);
	out_free(t);
	return status;
}

static void release(struct status *s)
{
	mysql_hang_up(s->m);
	free(s->version);
	free(s->tls);
	free(s->why);
	traffic_ledger_clear(&s->ledger);
	traffic_marker_clear(&s->marker);
}

int db_status(struct cli *cli, char **err)
{
	struct status s = {.conf = &cli->conf, .rows = -1, .waiting = -1, .ledger = {.passed = -1}};
	int status = CLI_FAILED;

	if (cli->conf.database != DATABASE_MYSQL) {
		err_set(err, "the configuration says `database none`: nothing is written to MySQL; `database "
			     "mysql` does, and `xenbw db init` makes what that needs");
		return CLI_FAILED;
	}
	if (mysql_open(&s.m, &cli->conf.mysql, err) == 0 && look(&s, cli, err) == 0) {
		check_ledger(&s);
		status = show(&s, cli, err);
	}
	if (status == CLI_OK && s.why) {
		err_set(err, "%s", s.why);
		status = CLI_FAILED;
	}
	release(&s);
	return status;
}
