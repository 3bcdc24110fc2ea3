/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * db_upgrade: `xenbw db upgrade`: netacct's own table, made one that xenbw-writer can add to.
 *
 * Without a further word it only looks and tells. Nothing that an interruption leaves behind needs a repair.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "cli/db.h"
#include "cli/units.h"
#include "db/traffic_upgrade.h"

#define MOST_CAPPED 20 /* rows that people are shown */

#define RIGHTS "make, rename and drop tables"

enum { COLUMN_IP, COLUMN_TIME, COLUMN_COUNTER, COLUMN_VALUE, COLUMN_COUNT };

static const struct out_column capped_columns[COLUMN_COUNT] = {
	[COLUMN_IP] = {"ip", "ADDRESS", OUT_TEXT, 0},
	[COLUMN_TIME] = {"time", "HOUR", OUT_TEXT, 0}, /* the server's, as it stands there */
	[COLUMN_COUNTER] = {"column", "COLUMN", OUT_TEXT, 0},
	[COLUMN_VALUE] = {"at_least", "AT LEAST", OUT_NUMBER, 0},
};

static const char *const stage_words[] = {[UPGRADE_NONE] = "none",
					  [UPGRADE_WAITING] = "waiting",
					  [UPGRADE_BEGUN] = "begun",
					  [UPGRADE_DONE] = "done"};

/* "45 s", "12 min", "3 h 05 min" */
static char *duration(double seconds)
{
	uint64_t minutes = (uint64_t)(seconds / 60 + 0.5);

	if (seconds < 90)
		return mem_printf("%.0f s", seconds < 1 ? 1 : seconds);
	if (minutes < 90)
		return mem_printf("%" PRIu64 " min", minutes);
	return mem_printf("%" PRIu64 " h %02" PRIu64 " min", minutes / 60, minutes % 60);
}

/* ---- looking ---- */

struct look {
	struct upgrade *u;
	struct traffic_sums sums;
	double speed; /* rows a second; 0: not known */
	double scan;  /* seconds that adding up the table takes */
	struct out_table *capped;
};

static void put_capped(void *ctx, const char *ip, const char *time, const char *column, uint64_t value)
{
	struct out_table *t = ctx;

	out_row(t);
	out_text(t, COLUMN_IP, ip);
	out_text(t, COLUMN_TIME, time);
	out_text(t, COLUMN_COUNTER, column);
	out_number(t, COLUMN_VALUE, value);
}

static bool old_in_use(const struct upgrade *u)
{
	return u->stage == UPGRADE_WAITING || u->stage == UPGRADE_BEGUN;
}

static int add_up(const struct upgrade *u, struct traffic_sums *sums, char **err)
{
	if (traffic_old_sums(u->m, u->table, &u->old, sums, err) < 0)
		return -1;
	if (!sums->negative)
		return 0;
	return err_set(err,
		       "table %s at MySQL server %s has counters below 0, which netacct never wrote: find "
		       "them (SELECT * "
		       "FROM %s WHERE input < 0 OR output < 0 ...), and mend them first",
		       u->table, mysql_place(u->m), u->table);
}

static int look(struct look *l, const struct cli *cli, char **err)
{
	struct upgrade *u = l->u;
	size_t most = cli->format == OUT_TERMINAL ? MOST_CAPPED : SIZE_MAX;

	struct mono start = clock_mono();

	if (!old_in_use(u))
		return 0;
	if (add_up(u, &l->sums, err) < 0)
		return -1;
	l->scan = (double)(clock_mono().ns - start.ns) / 1e9;
	if (traffic_upgrade_speed(u, l->sums.rows - u->copied, &l->speed, err) < 0)
		return -1;
	l->speed /= 2; /* a real table has a log */
	return l->sums.capped ? traffic_old_capped(u->m, u->table, &u->old, most, put_capped, l->capped, err)
			      : 0;
}

static double seconds_left(const struct look *l)
{
	return l->speed > 0 ? (double)(l->sums.rows - l->u->copied) / l->speed + UPGRADE_SCANS * l->scan : 0;
}

static int show_capped(const struct look *l, const struct cli *cli, char **err)
{
	cli_say(cli,
		"Rows with a counter at the end of its type: %" PRIu64
		". Their true values are not known; they are at "
		"least:",
		l->sums.capped);
	if (out_write(l->capped, OUT_TERMINAL, NULL, &cli->screen, stdout, err) < 0)
		return -1;
	if (l->sums.capped > MOST_CAPPED)
		cli_say(cli, "These are the first %d; --json lists all.", MOST_CAPPED);
	return 0;
}

static void show_next(const struct look *l, const struct cli *cli)
{
	const struct upgrade *u = l->u;
	char *space = units_bytes(u->old.bytes * 2), *time = duration(seconds_left(l));

	if (l->speed > 0)
		cli_say(cli,
			"Expected time: about %s (%.0f rows a second here, and all are added up before and "
			"after). "
			"Space: about %s more, until --confirm.",
			time, l->speed, space);
	else
		cli_say(cli, "Expected time: a moment.");
	if (u->stage == UPGRADE_BEGUN)
		cli_say(cli,
			"Begun: %" PRIu64
			" rows are copied. `xenbw db upgrade --apply` goes on, --rollback drops the copy.",
			u->copied);
	else
		cli_say(cli, "Nothing is changed yet. Stop nacctd, then: xenbw db upgrade --apply");
	free(time);
	free(space);
}

static int show_old(const struct look *l, const struct cli *cli, char **err)
{
	const struct upgrade *u = l->u;
	char *statements = traffic_upgrade_statements(u), *size = units_bytes(u->old.bytes);

	cli_say(cli, "Table %s in database %s at %s: %" PRIu64 " rows, %s, %s.", u->table,
		cli->conf.mysql.database, mysql_place(u->m), l->sums.rows, u->old.engine, size);
	printf("\nWhat --apply does, the second statement for each %d rows:\n\n", UPGRADE_BATCH);
	puts(statements);
	free(size);
	free(statements);
	if (l->sums.capped) {
		if (show_capped(l, cli, err) < 0)
			return -1;
		puts("");
	}
	show_next(l, cli);
	return 0;
}

static int write_machine(const struct look *l, const struct cli *cli, char **err)
{
	const struct upgrade *u = l->u;
	struct out_table *t = l->capped;
	bool known = old_in_use(u);

	out_head_text(t, "command", "db");
	out_head_time(t, "time", cli->now);
	out_head_text(t, "database", cli->conf.mysql.database);
	out_head_text(t, "table", u->table);
	out_head_text(t, "stage", stage_words[u->stage]);
	out_head_number(t, "rows", known ? (int64_t)l->sums.rows : -1);
	out_head_number(t, "copied", known ? (int64_t)u->copied : -1);
	out_head_number(t, "expected_seconds", l->speed > 0 ? (int64_t)(seconds_left(l) + 0.5) : -1);
	out_head_number(t, "rows_at_least", known ? (int64_t)l->sums.capped : -1);
	return cli_write(cli, t, "counters", err);
}

static int tell(struct upgrade *u, const struct cli *cli, char **err)
{
	struct look l = {.u = u, .capped = out_new(capped_columns, COLUMN_COUNT)};
	int status = look(&l, cli, err) < 0 ? CLI_FAILED : CLI_OK;

	if (status == CLI_OK && cli->format != OUT_TERMINAL)
		status = write_machine(&l, cli, err);
	else if (status == CLI_OK && u->stage == UPGRADE_NONE)
		cli_say(cli, "Table %s needs no upgrade.", u->table);
	else if (status == CLI_OK && u->stage == UPGRADE_DONE)
		cli_say(cli,
			"Table %s is upgraded. The old one is kept as %s: `xenbw db upgrade --rollback` "
			"takes it "
			"back, "
			"--confirm drops it.",
			u->table, u->kept);
	else if (status == CLI_OK && show_old(&l, cli, err) < 0)
		status = CLI_FAILED;
	out_free(l.capped);
	return status;
}

/* ---- doing ---- */

struct bar {
	bool shown;
	uint64_t rows, first; /* all; copied before */
	struct mono start;
};

static void draw(void *ctx, uint64_t rows)
{
	static const char full[] = "########################";
	struct bar *b = ctx;
	double done = b->rows ? (double)rows / (double)b->rows : 1;
	double seconds = (double)(clock_mono().ns - b->start.ns) / 1e9;
	char *left;

	if (!b->shown)
		return;
	if (done > 1)
		done = 1;
	left = duration(rows > b->first ? seconds * (double)(b->rows - (rows < b->rows ? rows : b->rows)) /
						  (double)(rows - b->first)
					: 0);
	fprintf(stderr, "\r[%-24.*s] %3.0f %%  %" PRIu64 " of %" PRIu64 " rows, %s left \033[K",
		(int)(done * (sizeof(full) - 1)), full, done * 100, rows, b->rows, left);
	free(left);
}

static int apply(struct upgrade *u, const struct cli *cli, char **err)
{
	struct bar bar = {.shown = isatty(STDERR_FILENO), .start = clock_mono(), .first = u->copied};
	struct traffic_sums sums;
	char *took;
	int rc;

	if (!old_in_use(u))
		return tell(u, cli, err);
	if (add_up(u, &sums, err) < 0)
		return CLI_FAILED;
	bar.rows = sums.rows;
	rc = traffic_upgrade_apply(u, draw, &bar, &sums, err);
	if (bar.shown)
		fputs("\r\033[K", stderr);
	if (rc < 0)
		return CLI_FAILED;
	took = duration((double)(clock_mono().ns - bar.start.ns) / 1e9);
	cli_say(cli, "Copied: %" PRIu64 " rows, in %s. All sums agree.", sums.rows, took);
	if (sums.rows > u->rows_now)
		cli_say(cli, "Of one address and hour there were several: these are %" PRIu64 " rows now.",
			u->rows_now);
	if (sums.capped)
		cli_say(cli,
			"Rows with a counter at the end of its old type: %" PRIu64
			"; it is at least that. They are as they "
			"were.",
			sums.capped);
	cli_say(cli,
		"The old table is kept as %s: `xenbw db upgrade --rollback` takes it back, --confirm drops "
		"it. "
		"nacctd and "
		"what reads the table may go on. Next: xenbw db init.",
		u->kept);
	free(took);
	return CLI_OK;
}

static int rollback(struct upgrade *u, const struct cli *cli, char **err)
{
	enum upgrade_stage stage = u->stage;
	bool more;

	if (stage != UPGRADE_BEGUN && stage != UPGRADE_DONE) {
		err_set(err,
			"there is no upgrade of table %s to take back: none was begun, or it is confirmed",
			u->table);
		return CLI_FAILED;
	}
	if (traffic_upgrade_rollback(u, &more, err) < 0)
		return CLI_FAILED;
	if (stage == UPGRADE_BEGUN)
		cli_say(cli, "What was copied is dropped; table %s was in use all the time.", u->table);
	else
		cli_say(cli, "The old table is %s again.", u->table);
	if (more)
		cli_say(cli,
			"The new one had bytes that were written since the upgrade, and that the old one has "
			"not: it is kept "
			"as %s.",
			u->back);
	return CLI_OK;
}

static int confirm(struct upgrade *u, const struct cli *cli, char **err)
{
	if (u->stage != UPGRADE_DONE) {
		err_set(err, "there is no upgrade of table %s to confirm: %s", u->table,
			u->stage == UPGRADE_NONE ? "it is confirmed, or was never needed"
						 : "do it first, with --apply");
		return CLI_FAILED;
	}
	if (traffic_upgrade_confirm(u, err) < 0)
		return CLI_FAILED;
	cli_say(cli, "The old table %s is dropped.", u->kept);
	return CLI_OK;
}

int db_upgrade(struct cli *cli, char **err)
{
	const char *const *value = cli->args.value;
	char *name = mysql_identifier(cli->conf.mysql.database);
	struct upgrade u = {0};
	struct mysql *m = NULL;
	int status = CLI_FAILED;

	if (db_open_admin(&m, cli, "db upgrade", RIGHTS, err) == 0 &&
	    mysql_command(m, "cannot use the database", err, "USE %s", name) >= 0 &&
	    traffic_upgrade_open(&u, m, cli->conf.mysql.table, err) == 0) {
		if (value[OPTION_APPLY])
			status = apply(&u, cli, err);
		else if (value[OPTION_ROLLBACK])
			status = rollback(&u, cli, err);
		else if (value[OPTION_CONFIRM])
			status = confirm(&u, cli, err);
		else
			status = tell(&u, cli, err);
	}
	if (status != CLI_OK && m && !value[OPTION_DEFAULTS_FILE] && strstr(*err, "denied"))
		err_add(err, "db upgrade needs an account that may " RIGHTS ", such as --defaults-file "
			     "/etc/mysql/debian.cnf");
	traffic_upgrade_close(&u);
	mysql_hang_up(m);
	free(name);
	return status;
}
