/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/traffic_upgrade.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"

#define TRIAL 5000            /* rows that tell how fast it will be */
#define LONGEST_NAME 64       /* of a table: MySQL's own limit */
#define TRIAL_SUFFIX "_trial" /* makes the longest name */
#define PROGRESS_TABLE "xenbw_upgrade"

/* ---- how it stands ---- */

static int count(const struct upgrade *u, const char *query, bool *any, char **err)
{
	struct mysql_rows *rows = mysql_ask(u->m, "cannot look at the tables", err, "%s", query);
	char **row = rows ? mysql_next(rows) : NULL;

	*any = row && row[0] && strcmp(row[0], "0") != 0;
	mysql_rows_free(rows);
	return rows ? 0 : -1;
}

static int is_there(const struct upgrade *u, const char *table, bool *there, char **err)
{
	char *literal = mysql_literal(u->m, table);
	char *query =
		mem_printf("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()"
			   " AND TABLE_NAME = %s",
			   literal);
	int rc = count(u, query, there, err);

	free(query);
	free(literal);
	return rc;
}

/* How far the copying is; *begun false: not begun. */
static int read_progress(struct upgrade *u, bool *begun, char **err)
{
	char *literal, **row;
	struct mysql_rows *rows;

	*begun = false;
	if (is_there(u, PROGRESS_TABLE, begun, err) < 0)
		return -1;
	if (!*begun)
		return 0;
	literal = mysql_literal(u->m, u->table);
	rows = mysql_ask(u->m, "cannot read how far it is", err,
			 "SELECT last_id, copied FROM " PROGRESS_TABLE " WHERE name = %s", literal);
	row = rows ? mysql_next(rows) : NULL;
	*begun = row != NULL;
	if (row) {
		u->last_id = strtoull(row[0], NULL, 10);
		u->copied = strtoull(row[1], NULL, 10);
	}
	mysql_rows_free(rows);
	free(literal);
	return rows ? 0 : -1;
}

/* A table with the name of the new one that we did not make, or not make yet. */
static int check_made(const struct upgrade *u, char **err)
{
	char *name = mysql_identifier(u->made);
	char *query = mem_printf("SELECT COUNT(*) FROM (SELECT 1 FROM %s LIMIT 1) AS any_row", name);
	bool any;
	int rc = count(u, query, &any, err);

	if (rc == 0 && any)
		rc = err_set(err,
			     "table %s is there at MySQL server %s, and no upgrade that was begun knows of "
			     "it: rename or "
			     "drop it",
			     u->made, mysql_place(u->m));
	free(query);
	free(name);
	return rc;
}

static int find_stage(struct upgrade *u, bool fine, char **err)
{
	bool kept, made, begun;

	if (is_there(u, u->kept, &kept, err) < 0 || is_there(u, u->made, &made, err) < 0 ||
	    read_progress(u, &begun, err) < 0)
		return -1;
	if (fine) {
		u->stage = kept ? UPGRADE_DONE : UPGRADE_NONE;
		return kept ? traffic_old_look(u->m, u->kept, &u->old, err) : 0;
	}
	if (kept)
		return err_set(err,
			       "table %s is there at MySQL server %s: the old table was to have this name; "
			       "rename or drop "
			       "it",
			       u->kept, mysql_place(u->m));
	if (made && begun) {
		u->stage = UPGRADE_BEGUN;
		return 0;
	}
	u->stage = UPGRADE_WAITING;
	u->last_id = u->copied = 0; /* of one that was dropped by hand */
	return made ? check_made(u, err) : 0;
}

int traffic_upgrade_open(struct upgrade *u, struct mysql *m, const char *table, char **err)
{
	enum traffic_state state;
	char *why = NULL;

	*u = (struct upgrade){.m = m,
			      .table = table,
			      .kept = mem_printf("%s_netacct", table),
			      .made = mem_printf("%s_xenbw_new", table),
			      .back = mem_printf("%s_rolled_back", table)};
	if (strlen(u->made) + strlen(TRIAL_SUFFIX) > LONGEST_NAME)
		return err_set(err,
			       "the name of table %s is too long for others to be made from it; rename it",
			       table);
	/* a RENAME must not wait longer than we wait for its answer */
	if (mysql_command(m, "cannot set up the session", err, "SET SESSION lock_wait_timeout = %d",
			  MYSQL_ANSWER_SECONDS - 5) < 0 ||
	    traffic_old_look(m, table, &u->old, err) < 0)
		return -1;
	if (!u->old.there)
		return err_set(err, "table %s is not there at MySQL server %s; `xenbw db init` makes one",
			       table, mysql_place(m));
	if (traffic_table_check_alone(m, table, &state, &why, err) < 0)
		return -1;
	free(why);
	if (state == TRAFFIC_FINE) {
		traffic_old_free(&u->old);
		return find_stage(u, true, err);
	}
	if (u->old.refusal)
		return err_set(err, "table %s at MySQL server %s stays as it is: %s", table, mysql_place(m),
			       u->old.refusal);
	return find_stage(u, false, err);
}

void traffic_upgrade_close(struct upgrade *u)
{
	traffic_old_free(&u->old);
	free(u->kept);
	free(u->made);
	free(u->back);
	*u = (struct upgrade){0};
}

/* ---- statements ---- */

/* The one statement of the schema, without its comments. */
static char *make_table(const char *name)
{
	char *all = traffic_table_statements(name), *from = strstr(all, "CREATE TABLE");
	char *text = mem_strndup(from, (size_t)(strstr(from, ";\n") - from));

	free(all);
	return text;
}

/* The counters that the old table has, each behind a comma. */
static char *columns(const struct traffic_old *o)
{
	char *text = mem_strdup("");

	for (int c = 0; c < TRAFFIC_COLUMNS; c++) {
		char *longer;

		if (!o->has[c])
			continue;
		longer = mem_printf("%s, %s", text, traffic_columns[c]);
		free(text);
		text = longer;
	}
	return text;
}

/* `range`: the condition on id. */
static char *copy_rows(const struct upgrade *u, const char *to, const char *range)
{
	char *from = mysql_identifier(u->table), *into = mysql_identifier(to);
	char *names = columns(&u->old), *added = mem_strdup(""), *text;

	for (int c = 0; c < TRAFFIC_COLUMNS; c++) {
		char *more;

		if (!u->old.has[c])
			continue;
		more = mem_printf("%s%s%s = %s.%s + VALUES(%s)", added, *added ? ",\n    " : "",
				  traffic_columns[c], into, traffic_columns[c], traffic_columns[c]);
		free(added);
		added = more;
	}
	text = mem_printf("INSERT INTO %s (ip, time%s)\n  SELECT ip, time%s\n  FROM %s WHERE %s ORDER BY id\n"
			  "  ON DUPLICATE KEY UPDATE\n    %s",
			  into, names, names, from, range, added);
	free(added);
	free(names);
	free(into);
	free(from);
	return text;
}

static char *swap_names(const struct upgrade *u)
{
	char *table = mysql_identifier(u->table), *kept = mysql_identifier(u->kept),
	     *made = mysql_identifier(u->made);
	char *text = mem_printf("RENAME TABLE %s TO %s, %s TO %s", table, kept, made, table);

	free(made);
	free(kept);
	free(table);
	return text;
}

char *traffic_upgrade_statements(const struct upgrade *u)
{
	char *make = make_table(u->made), *copy = copy_rows(u, u->made, "id > ... AND id <= ..."),
	     *swap = swap_names(u);
	char *text = mem_printf("%s;\n%s;\n%s;\n", make, copy, swap);

	free(swap);
	free(copy);
	free(make);
	return text;
}

/* Runs it, and frees it. */
static int run(const struct upgrade *u, const char *doing, char *statement, char **err)
{
	int64_t rc = mysql_execute(u->m, doing, statement, strlen(statement), err);

	free(statement);
	return rc < 0 ? -1 : 0;
}

/* ---- how fast ---- */

static int try_rows(const struct upgrade *u, uint64_t last, double *seconds, char **err)
{
	static const char doing[] = "cannot try how fast it will be";
	char *name = mem_printf("%s" TRIAL_SUFFIX, u->made), *make = make_table(name);
	char *range = mem_printf("id > %" PRIu64 " AND id <= %" PRIu64, u->last_id, last);
	int rc = run(u, doing, mem_printf("CREATE TEMPORARY TABLE %s", strchr(make, '`')), err);
	struct mono start = clock_mono();

	if (rc == 0)
		rc = run(u, doing, copy_rows(u, name, range), err);
	*seconds = (double)(clock_mono().ns - start.ns) / 1e9;
	free(range);
	free(make);
	free(name);
	return rc;
}

int traffic_upgrade_speed(const struct upgrade *u, uint64_t rows, double *rows_a_second, char **err)
{
	double seconds = 0;
	uint64_t last;

	*rows_a_second = 0;
	if (rows < TRIAL)
		return 0;
	if (traffic_old_batch(u->m, u->table, u->last_id, TRIAL, &last, err) < 0 ||
	    (last && try_rows(u, last, &seconds, err) < 0))
		return -1;
	if (seconds > 0)
		*rows_a_second = TRIAL / seconds;
	return 0;
}

/* ---- doing it ---- */

/* One that was killed a moment ago may still have its session at the server. */
static int lock_out_others(const struct upgrade *u, char **err)
{
	char *literal = mysql_literal(u->m, u->table);
	char *query =
		mem_printf("SELECT GET_LOCK(CONCAT('xenbw upgrade ', MD5(CONCAT(DATABASE(), '.', %s))), %d)",
			   literal, MYSQL_LOCK_SECONDS);
	bool mine;
	int rc = count(u, query, &mine, err);

	if (rc == 0 && !mine)
		rc = err_set(
			err,
			"another `xenbw db upgrade` is at work on table %s at MySQL server %s; wait for it",
			u->table, mysql_place(u->m));
	free(query);
	free(literal);
	return rc;
}

static int begin(struct upgrade *u, char **err)
{
	static const char doing[] = "cannot begin the upgrade";
	char *literal;
	int rc;

	if (u->stage == UPGRADE_BEGUN)
		return 0;
	if (mysql_command(
		    u->m, doing, err,
		    "CREATE TABLE IF NOT EXISTS " PROGRESS_TABLE
		    " (name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,"
		    " last_id BIGINT UNSIGNED NOT NULL, copied BIGINT UNSIGNED NOT NULL) ENGINE=InnoDB") <
		    0 ||
	    run(u, doing, make_table(u->made), err) < 0)
		return -1;
	literal = mysql_literal(u->m, u->table);
	rc = mysql_command(u->m, doing, err, "REPLACE INTO " PROGRESS_TABLE " VALUES (%s, 0, 0)", literal) < 0
		     ? -1
		     : 0;
	free(literal);
	if (rc == 0)
		u->stage = UPGRADE_BEGUN;
	return rc;
}

static int copy_batch(struct upgrade *u, uint64_t last, char **err)
{
	static const char doing[] = "cannot copy the table";
	char *range = mem_printf("id > %" PRIu64 " AND id <= %" PRIu64, u->last_id, last);
	char *literal = mysql_literal(u->m, u->table), *name = mysql_identifier(u->table);
	bool moved = false;
	int rc = mysql_command(u->m, doing, err, "START TRANSACTION") < 0 ? -1 : 0;

	if (rc == 0)
		rc = run(u, doing, copy_rows(u, u->made, range), err);
	if (rc == 0) {
		int64_t changed = mysql_command(u->m, doing, err,
						"UPDATE " PROGRESS_TABLE " SET last_id = %" PRIu64
						", copied = copied + (SELECT COUNT(*) FROM %s WHERE %s)"
						" WHERE name = %s AND last_id = %" PRIu64,
						last, name, range, literal, u->last_id);

		moved = changed == 1;
		rc = changed < 0 ? -1 : 0;
	}
	if (rc == 0 && !moved)
		rc = err_set(err,
			     "table " PROGRESS_TABLE
			     " at MySQL server %s was changed by somebody else; begin anew: "
			     "`xenbw db upgrade --rollback`",
			     mysql_place(u->m));
	if (rc == 0)
		rc = mysql_command(u->m, doing, err, "COMMIT") < 0 ? -1 : 0;
	else
		(void)mysql_command(u->m, doing, NULL, "ROLLBACK");
	free(name);
	free(literal);
	free(range);
	if (rc == 0)
		u->last_id = last;
	return rc;
}

static int copy(struct upgrade *u, traffic_upgrade_fn *progress, void *ctx, char **err)
{
	uint64_t last;
	bool begun;

	for (;;) {
		if (traffic_old_batch(u->m, u->table, u->last_id, UPGRADE_BATCH, &last, err) < 0)
			return -1;
		if (!last)
			return 0;
		if (copy_batch(u, last, err) < 0 || read_progress(u, &begun, err) < 0)
			return -1;
		progress(ctx, u->copied);
	}
}

static bool same_sums(const struct traffic_sums *a, const struct traffic_sums *b)
{
	return memcmp(a->counters, b->counters, sizeof(a->counters)) == 0;
}

/* The old table as it is now, the new one, and how many rows were copied: 0 where they agree, else 1. */
static int compare(struct upgrade *u, const char *before, const char *after, struct traffic_sums *sums,
		   char **err)
{
	struct traffic_old whole = {0};
	struct traffic_sums copy_sums = {0};
	int rc = traffic_old_look(u->m, after, &whole, err);

	if (rc == 0)
		rc = traffic_old_sums(u->m, before, &u->old, sums, err);
	if (rc == 0)
		rc = traffic_old_sums(u->m, after, &whole, &copy_sums, err);
	traffic_old_free(&whole);
	if (rc < 0)
		return -1;
	u->rows_now = copy_sums.rows;
	return same_sums(sums, &copy_sums) && sums->rows == u->copied ? 0 : 1;
}

static int forget_progress(const struct upgrade *u, char **err)
{
	static const char doing[] = "cannot tidy up";
	char *literal = mysql_literal(u->m, u->table);
	char *none = mem_strdup("SELECT COUNT(*) FROM " PROGRESS_TABLE);
	bool any = false, there = false;
	int rc = is_there(u, PROGRESS_TABLE, &there, err);

	if (rc == 0 && there)
		rc = mysql_command(u->m, doing, err, "DELETE FROM " PROGRESS_TABLE " WHERE name = %s",
				   literal) < 0
			     ? -1
			     : 0;
	if (rc == 0 && there)
		rc = count(u, none, &any, err);
	if (rc == 0 && there && !any)
		rc = mysql_command(u->m, doing, err, "DROP TABLE " PROGRESS_TABLE) < 0 ? -1 : 0;
	free(none);
	free(literal);
	return rc;
}

static int switch_over(struct upgrade *u, struct traffic_sums *sums, char **err)
{
	struct traffic_sums kept = {0};
	int rc = compare(u, u->table, u->made, sums, err);

	if (rc == 1)
		return err_set(err,
			       "somebody wrote to table %s at MySQL server %s while it was copied, so the "
			       "copy is not exact: "
			       "stop nacctd, begin anew with `xenbw db upgrade --rollback`, then --apply",
			       u->table, mysql_place(u->m));
	if (rc == 0)
		rc = run(u, "cannot change the names of the tables", swap_names(u), err);
	if (rc < 0)
		return -1;
	u->stage = UPGRADE_DONE;
	/* nobody writes to it any more: what it has now is what it had when it was taken out of use */
	rc = traffic_old_sums(u->m, u->kept, &u->old, &kept, err);
	if (rc == 0 && (!same_sums(sums, &kept) || kept.rows != sums->rows))
		rc = err_set(err,
			     "somebody wrote to table %s at MySQL server %s in the instant in which the "
			     "names changed: "
			     "these bytes are in %s alone. Stop nacctd, `xenbw db upgrade --rollback`, then "
			     "--apply",
			     u->table, mysql_place(u->m), u->kept);
	return rc < 0 ? -1 : forget_progress(u, err);
}

int traffic_upgrade_apply(struct upgrade *u, traffic_upgrade_fn *progress, void *ctx,
			  struct traffic_sums *sums, char **err)
{
	if (lock_out_others(u, err) < 0 || begin(u, err) < 0 || copy(u, progress, ctx, err) < 0)
		return -1;
	return switch_over(u, sums, err);
}

/* ---- and back ---- */

static int drop(const struct upgrade *u, const char *table, char **err)
{
	char *name = mysql_identifier(table);
	int rc = run(u, "cannot drop a table", mem_printf("DROP TABLE %s", name), err);

	free(name);
	return rc;
}

static int take_back(struct upgrade *u, char **err)
{
	char *table = mysql_identifier(u->table), *kept = mysql_identifier(u->kept),
	     *back = mysql_identifier(u->back);
	bool there;
	int rc = is_there(u, u->back, &there, err);

	if (rc == 0 && there)
		rc = err_set(err,
			     "table %s of an earlier rollback is there at MySQL server %s: rename or drop "
			     "it, then try again",
			     u->back, mysql_place(u->m));
	if (rc == 0)
		rc = run(u, "cannot change the names of the tables",
			 mem_printf("RENAME TABLE %s TO %s, %s TO %s", table, back, kept, table), err);
	free(back);
	free(kept);
	free(table);
	return rc;
}

int traffic_upgrade_rollback(struct upgrade *u, bool *more, char **err)
{
	struct traffic_old now = {0};
	struct traffic_sums old_sums = {0}, now_sums = {0};
	int rc;

	*more = false;
	if (lock_out_others(u, err) < 0)
		return -1;
	if (u->stage == UPGRADE_BEGUN)
		return drop(u, u->made, err) < 0 ? -1 : forget_progress(u, err);
	if (take_back(u, err) < 0)
		return -1;
	rc = traffic_old_look(u->m, u->back, &now, err);
	if (rc == 0)
		rc = traffic_old_sums(u->m, u->table, &u->old, &old_sums, err);
	if (rc == 0)
		rc = traffic_old_sums(u->m, u->back, &now, &now_sums, err);
	traffic_old_free(&now);
	if (rc < 0)
		return -1;
	*more = !same_sums(&old_sums, &now_sums);
	if (!*more && drop(u, u->back, err) < 0)
		return -1;
	return forget_progress(u, err);
}

int traffic_upgrade_confirm(struct upgrade *u, char **err)
{
	return lock_out_others(u, err) < 0 || drop(u, u->kept, err) < 0 ? -1 : forget_progress(u, err);
}
