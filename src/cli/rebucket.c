/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rebucket: `xenbw rebucket`: what netacct counted under addresses, put under the names of the domains that
 * had them.
 *
 * Works on the MySQL table alone, with --rrd on RRD files (cli/rebucket_rrd.h); the ledger stays as it was
 * booked. Nothing is moved that a line of the map does not name.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "cli/db.h"
#include "cli/rebucket_map.h"
#include "cli/rebucket_plan.h"
#include "cli/rebucket_rrd.h"
#include "db/traffic_old.h"

enum {
	COLUMN_LINE,
	COLUMN_FROM,
	COLUMN_TO,
	COLUMN_ADDRESS,
	COLUMN_LABEL,
	COLUMN_ROWS,
	COLUMN_INPUT,
	COLUMN_OUTPUT,
	COLUMN_COUNT
};

static const struct out_column map_columns[COLUMN_COUNT] = {
	[COLUMN_LINE] = {"line", "LINE", OUT_NUMBER, 2},
	[COLUMN_FROM] = {"from", "FROM", OUT_TEXT, 0}, /* the server's hours, as they stand in the table */
	[COLUMN_TO] = {"to", "TO", OUT_TEXT, 0},
	[COLUMN_ADDRESS] = {"address", "ADDRESS", OUT_TEXT, 0},
	[COLUMN_LABEL] = {"domain", "DOMAIN", OUT_TEXT, 0},
	[COLUMN_ROWS] = {"rows", "ROWS", OUT_NUMBER, 0},
	[COLUMN_INPUT] = {"input", "INPUT", OUT_BYTES, 1},
	[COLUMN_OUTPUT] = {"output", "OUTPUT", OUT_BYTES, 1},
};

static const char readers[] = "what reads the table by address (the how-to's pages and its RRD COUNTER "
			      "files, quota scripts) will see its sums "
			      "fall: a COUNTER takes that for a wrap or a reset, and draws a spike";

/* ---- looking ---- */

static void put_line(struct out_table *t, const struct rebucket_line *l, const struct rebucket_sums *sums)
{
	out_row(t);
	out_number(t, COLUMN_LINE, l->number);
	out_text(t, COLUMN_FROM, l->from);
	out_text(t, COLUMN_TO, l->to);
	out_text(t, COLUMN_ADDRESS, l->address);
	out_text(t, COLUMN_LABEL, l->label);
	out_number(t, COLUMN_ROWS, sums->rows);
	out_number(t, COLUMN_INPUT, sums->input);
	out_number(t, COLUMN_OUTPUT, sums->output);
}

static int show(const struct cli *cli, const struct rebucket *r, const char *path, char **err)
{
	struct out_table *t = out_new(map_columns, COLUMN_COUNT);
	struct rebucket_map map;
	struct rebucket_sums sums;
	int rc = rebucket_map_read(&map, path, err), status = CLI_FAILED;

	out_head_text(t, "command", "rebucket");
	out_head_time(t, "time", cli->now);
	out_head_text(t, "map", path);
	for (size_t i = 0; rc == 0 && i < map.count; i++) {
		const struct rebucket_line *l = &map.lines[i];

		rc = rebucket_count(r, l->address, l->from, l->to, &sums, err);
		if (rc == 0)
			put_line(t, l, &sums);
	}
	if (rc == 0)
		status = cli_write(cli, t, "lines", err);
	if (status == CLI_OK && cli->format == OUT_TERMINAL)
		cli_say(cli, "Nothing is moved yet: --apply does it. Then %s.", readers);
	rebucket_map_free(&map);
	out_free(t);
	return status;
}

static int plan(const struct cli *cli, const struct rebucket *r, const char *path, char **err)
{
	struct rebucket_planned done;
	struct ledger_file file;
	int rc;

	if (cli_open_ledger(cli, &file, err) < 0)
		return CLI_FAILED;
	rc = rebucket_plan(cli, r, file.db, path, &done, err);
	ledger_file_close(&file);
	if (rc < 0)
		return CLI_FAILED;
	cli_say(cli,
		"%s: %zu lines by what the ledger saw, %zu for you to decide. Read it, then: xenbw rebucket "
		"%s",
		path, done.lines, done.undecided, path);
	return CLI_OK;
}

/* ---- moving ---- */

static int add_up(const struct rebucket *r, struct traffic_sums *sums, char **err)
{
	struct traffic_old columns;
	int rc = traffic_old_look(r->m, r->table, &columns, err);

	if (rc == 0)
		rc = traffic_old_sums(r->m, r->table, &columns, sums, err);
	traffic_old_free(&columns);
	return rc;
}

static int check_sums(const struct cli *cli, const struct rebucket *r, const struct traffic_sums *before,
		      char **err)
{
	struct traffic_sums after = {0};

	if (add_up(r, &after, err) < 0)
		return CLI_FAILED;
	if (memcmp(before->counters, after.counters, sizeof(after.counters)) == 0)
		cli_say(cli, "The sums of the whole table are what they were.");
	else
		cli_note("somebody, such as xenbw-writer, wrote to table %s meanwhile: its sums grew",
			 r->table);
	return CLI_OK;
}

static int apply(const struct cli *cli, const struct rebucket *r, const char *path, char **err)
{
	struct traffic_sums before = {0};
	struct rebucket_map map;
	uint64_t rows = 0, all = 0;
	int rc = rebucket_map_read(&map, path, err);

	if (rc == 0)
		rc = add_up(r, &before, err);
	for (size_t i = 0; rc == 0 && i < map.count; i++) {
		const struct rebucket_line *l = &map.lines[i];

		rc = rebucket_move(r, l->address, l->from, l->to, l->label, &rows, err);
		all += rows;
		if (rc < 0)
			err_add(err, "%s:%zu", path, l->number);
	}
	rebucket_map_free(&map);
	if (rc < 0)
		return CLI_FAILED;
	cli_say(cli, "Moved: %" PRIu64 " rows. `xenbw rebucket --undo` takes them back.", all);
	return check_sums(cli, r, &before, err);
}

static int undo(const struct cli *cli, const struct rebucket *r, char **err)
{
	struct traffic_sums before = {0};
	uint64_t rows;

	if (rebucket_moved(r, &rows, err) < 0)
		return CLI_FAILED;
	if (!rows) {
		err_set(err, "there is nothing to take back: no rows of table %s were moved", r->table);
		return CLI_FAILED;
	}
	if (add_up(r, &before, err) < 0 || rebucket_undo(r, &rows, err) < 0)
		return CLI_FAILED;
	cli_say(cli, "Taken back: %" PRIu64 " rows.", rows);
	return check_sums(cli, r, &before, err);
}

/* ---- words ---- */

static int check_rrd_words(const struct cli *cli, char **err)
{
	if (cli->args.count == 0)
		return err_set(
			err, "rebucket --rrd: MAP is missing, the file of `xenbw rebucket --rrd --plan MAP`");
	if (cli->args.value[OPTION_DEFAULTS_FILE] || cli->args.value[OPTION_READERS_STOPPED])
		return err_set(err, "rebucket --rrd: has nothing to do with MySQL; leave --defaults-file and "
				    "--readers-stopped");
	return 0;
}

static int check_words(const struct cli *cli, char **err)
{
	const char *const *value = cli->args.value;
	int steps =
		(value[OPTION_PLAN] != NULL) + (value[OPTION_APPLY] != NULL) + (value[OPTION_UNDO] != NULL);
	bool moves = value[OPTION_APPLY] || value[OPTION_UNDO];

	if (steps > 1)
		return err_set(err, "rebucket: one of --plan, --apply and --undo at a time");
	if (steps && cli->format != OUT_TERMINAL)
		return err_set(err,
			       "rebucket: only without --plan, --apply and --undo there is --json or --csv");
	if (value[OPTION_RRD])
		return check_rrd_words(cli, err);
	if (value[OPTION_UNDO] ? cli->args.count != 0 : cli->args.count == 0)
		return err_set(err,
			       value[OPTION_UNDO]
				       ? "rebucket --undo: takes no file; it takes back all that was moved"
				       : "rebucket: MAP is missing, the file of `xenbw rebucket --plan MAP`");
	if (moves && !value[OPTION_READERS_STOPPED])
		return err_set(err, "rebucket: %s. Stop them, then say --readers-stopped", readers);
	return 0;
}

static int run(const struct cli *cli, const struct rebucket *r, char **err)
{
	const char *const *value = cli->args.value, *path = cli->args.count ? cli->args.words[0] : NULL;

	if (value[OPTION_PLAN])
		return plan(cli, r, path, err);
	if (value[OPTION_APPLY])
		return apply(cli, r, path, err);
	return value[OPTION_UNDO] ? undo(cli, r, err) : show(cli, r, path, err);
}

int cli_rebucket(struct cli *cli, char **err)
{
	struct rebucket r = {0};
	struct mysql *m = NULL;
	int status = CLI_FAILED;
	char *name;

	if (check_words(cli, err) < 0)
		return CLI_USAGE;
	if (cli_configure(cli, err) < 0)
		return CLI_FAILED;
	if (cli->args.value[OPTION_RRD])
		return rebucket_rrd(cli, err);
	name = mysql_identifier(cli->conf.mysql.database);
	if (db_open_admin(&m, cli, "rebucket", "make tables and DELETE", err) == 0 &&
	    mysql_command(m, "cannot use the database", err, "USE %s", name) >= 0 &&
	    rebucket_open(&r, m, cli->conf.mysql.table, err) == 0)
		status = run(cli, &r, err);
	rebucket_close(&r);
	mysql_hang_up(m);
	free(name);
	return status;
}
