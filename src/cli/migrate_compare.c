/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * migrate_compare: `xenbw migrate --compare`: nacctd's table and xenbw's beside each other, and why they
 * differ.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "cli/compare_read.h"
#include "cli/db.h"
#include "cli/migrate.h"
#include "cli/rights.h"
#include "cli/units.h"

struct cause {
	const char *word, *text;
};

static const struct cause causes[COMPARE_CAUSES] = {
	[COMPARE_IPV6] = {"ipv6", "IPv6, which nacctd did not count"},
	[COMPARE_UNCOUNTED] = {"uncounted", "buckets that no compactnet of nacctd's holds"},
	[COMPARE_UNSEEN] =
		{"unseen",
		 "buckets that nacctd had not one row of, though a compactnet holds them: frames with VLAN "
		 "tags, what does not cross its device, or what stays inside this host"},
	[COMPARE_UNWRITTEN] = {"unwritten", "in the ledger, and not in xenbw's table yet"},
	[COMPARE_CLASS] =
		{"class",
		 "the same bytes under another counter: by lists that did not work with nacctd or are others "
		 "now, or unattributed"},
	[COMPARE_LATE] = {"late", "seen in one hour, and written by nacctd in a later one"},
	[COMPARE_GUESTS] =
		{"guests",
		 "inside this host: between guests, which xenbw has at both ends, and nacctd at the sender's "
		 "if it crossed its device"},
	[COMPARE_CEILING] = {"ceiling", "nacctd's counter ends at 2147483647"},
	[COMPARE_IGNORED] = {"ignored",
			     "ignored by xenbw, by lines that did not work with nacctd or are others now"},
	[COMPARE_SILENT] = {"silent", "hours in which nacctd wrote nothing for anybody"},
	[COMPARE_EDGE] = {"edge",
			  "hours in which one of the two began, ended or was away, or that are not over"},
	[COMPARE_WRITES] =
		{"writes",
		 "nacctd loses what comes while it writes: at most this, if a write takes a second"},
	[COMPARE_UNEXPLAINED] = {"unexplained", "not explained"},
};

static const char *const counters[COMPARE_COLUMNS] = {"input",       "output",       "peer_input",
						      "peer_output", "direct_input", "direct_output",
						      "local_input", "local_output"};
static const char *const short_counters[COMPARE_COLUMNS] = {
	"in", "out", "peer in", "peer out", "direct in", "direct out", "local in", "local out"};

enum {
	COLUMN_HOUR,
	COLUMN_SHORT_HOUR,
	COLUMN_BUCKET,
	COLUMN_COUNTER,
	COLUMN_SHORT_COUNTER,
	COLUMN_NACCTD,
	COLUMN_XENBW,
	COLUMN_DIFFERENCE,
	COLUMN_CAUSE,
	COLUMN_PARTS, /* one for each cause */
	COLUMN_COUNT = COLUMN_PARTS + COMPARE_CAUSES
};

static const struct out_column first_columns[COLUMN_PARTS] = {
	[COLUMN_HOUR] = {"hour", NULL, OUT_TEXT, 0}, /* the server's, as it stands in the tables */
	[COLUMN_SHORT_HOUR] = {NULL, "HOUR", OUT_TEXT, 0},
	[COLUMN_BUCKET] = {"bucket", "BUCKET", OUT_TEXT, 0},
	[COLUMN_COUNTER] = {"counter", NULL, OUT_TEXT, 0},
	[COLUMN_SHORT_COUNTER] = {NULL, "WHAT", OUT_TEXT, 0},
	[COLUMN_NACCTD] = {"nacctd", "NACCTD", OUT_BYTES, 2},
	[COLUMN_XENBW] = {"xenbw", "XENBW", OUT_BYTES, 1},
	[COLUMN_DIFFERENCE] = {"difference", "DIFF", OUT_BYTES, 0},
	[COLUMN_CAUSE] = {NULL, "CAUSE", OUT_TEXT, 0},
};

struct totals {
	uint64_t nacctd, xenbw;
	int64_t less, more; /* parts below and above 0 */
};

struct showing {
	const struct cli *cli;
	const struct compare_read *read;
	struct out_table *table;
	struct totals counters[COMPARE_COLUMNS], causes[COMPARE_CAUSES];
	size_t equal, folded; /* figures that people are not shown */
};

/* ---- rows ---- */

static char *cause_text(const struct compare_cell *cell)
{
	bool more;
	enum compare_cause main = compare_main_cause(cell, &more);

	if (main == COMPARE_CAUSES)
		return mem_strdup("");
	return mem_printf("%s%s", main == COMPARE_UNEXPLAINED ? "?" : causes[main].word, more ? "+" : "");
}

static void put_cell(struct showing *s, const struct compare_row *row, int k)
{
	const struct compare_cell *cell = &row->cells[k];
	char *hour = compare_hour_text(row->hour), *short_hour = mem_printf("%.8s", hour + strlen("2026-"));
	char *cause = cause_text(cell);
	struct out_table *t = s->table;

	out_row(t);
	out_text(t, COLUMN_HOUR, hour);
	out_text(t, COLUMN_SHORT_HOUR, short_hour);
	out_text(t, COLUMN_BUCKET, row->label);
	out_text(t, COLUMN_COUNTER, counters[k]);
	out_text(t, COLUMN_SHORT_COUNTER, short_counters[k]);
	out_number(t, COLUMN_NACCTD, cell->from[COMPARE_NACCTD]);
	out_number(t, COLUMN_XENBW, cell->from[COMPARE_XENBW]);
	out_signed(t, COLUMN_DIFFERENCE, compare_difference(cell));
	out_text(t, COLUMN_CAUSE, cause);
	for (size_t i = 0; i < COMPARE_CAUSES; i++)
		out_signed(t, COLUMN_PARTS + i, cell->part[i]);
	free(cause);
	free(short_hour);
	free(hour);
}

static void add_up(struct showing *s, const struct compare_cell *cell, int k)
{
	s->counters[k].nacctd += cell->from[COMPARE_NACCTD];
	s->counters[k].xenbw += cell->from[COMPARE_XENBW];
	for (size_t i = 0; i < COMPARE_CAUSES; i++) {
		if (cell->part[i] < 0)
			s->causes[i].less -= cell->part[i];
		else
			s->causes[i].more += cell->part[i];
	}
}

/* People see what differs, but for buckets that nacctd never had. */
static void put_row(struct showing *s, const struct compare_row *row)
{
	bool all = s->cli->format != OUT_TERMINAL || s->cli->args.value[OPTION_ALL];

	for (int k = 0; k < COMPARE_COLUMNS; k++) {
		const struct compare_cell *cell = &row->cells[k];
		bool equal = compare_difference(cell) == 0, folded = row->whole != COMPARE_UNEXPLAINED;

		if (!cell->from[COMPARE_NACCTD] && !cell->from[COMPARE_XENBW])
			continue;
		add_up(s, cell, k);
		s->equal += equal;
		s->folded += !equal && folded;
		if (all || (!equal && !folded))
			put_cell(s, row, k);
	}
}

static void put_totals(struct showing *s)
{
	for (int k = 0; k < COMPARE_COLUMNS; k++) {
		const struct totals *sum = &s->counters[k];

		if (!sum->nacctd && !sum->xenbw)
			continue;
		out_row(s->table);
		out_row_is_total(s->table);
		out_text(s->table, COLUMN_BUCKET, "total");
		out_text(s->table, COLUMN_SHORT_COUNTER, short_counters[k]);
		out_number(s->table, COLUMN_NACCTD, sum->nacctd);
		out_number(s->table, COLUMN_XENBW, sum->xenbw);
		out_signed(s->table, COLUMN_DIFFERENCE, (int64_t)(sum->xenbw - sum->nacctd));
	}
}

/* ---- around it ---- */

static void say_hours(const struct showing *s)
{
	const struct compare_read *r = s->read;
	char *from = compare_hour_text(r->from), *to = compare_hour_text(r->to);

	cli_say(s->cli, "Hours   %.16s to %.16s, of the server's clock: those of the period that both have",
		from, to);
	cli_say(s->cli, "Tables  %s of nacctd, %s of xenbw; DIFF: what xenbw has more", r->nacctd, r->xenbw);
	free(to);
	free(from);
}

static char *amount(const struct cli *cli, char sign, int64_t bytes)
{
	char *text = cli->screen.exact ? mem_printf("%lld", (long long)bytes) : units_bytes((uint64_t)bytes),
	     *all;

	all = bytes ? mem_printf("%c%s", sign, text) : mem_strdup("");
	free(text);
	return all;
}

static void say_causes(const struct showing *s)
{
	const struct cli *cli = s->cli;

	for (size_t i = 0; i < COMPARE_CAUSES; i++) {
		char *more = amount(cli, '+', s->causes[i].more), *less = amount(cli, '-', s->causes[i].less);
		char *head = mem_printf("%-11s %11s %11s  ", causes[i].word, more, less);

		if (s->causes[i].more || s->causes[i].less)
			out_hanging(head, causes[i].text, &cli->screen, stdout);
		free(head);
		free(less);
		free(more);
	}
	if (!cli->args.value[OPTION_ALL])
		cli_say(cli,
			"Not listed: %zu figures that are equal, %zu of buckets that nacctd did not count. "
			"--all lists "
			"them.",
			s->equal, s->folded);
}

static void put_head(const struct showing *s)
{
	const struct compare_read *r = s->read;
	char *from = compare_hour_text(r->from), *to = compare_hour_text(r->to);

	out_head_text(s->table, "command", "migrate");
	out_head_time(s->table, "time", s->cli->now);
	out_head_text(s->table, "nacctd_table", r->nacctd);
	out_head_text(s->table, "xenbw_table", r->xenbw);
	out_head_text(s->table, "from_hour", from);
	out_head_text(s->table, "to_hour", to);
	out_head_number(s->table, "nacctd_flush", r->compare.flush);
	free(to);
	free(from);
}

static int show(const struct cli *cli, const struct compare_read *r, char **err)
{
	struct out_column columns[COLUMN_COUNT];
	struct showing s = {.cli = cli, .read = r};
	int status;

	memcpy(columns, first_columns, sizeof(first_columns));
	for (size_t i = 0; i < COMPARE_CAUSES; i++)
		columns[COLUMN_PARTS + i] = (struct out_column){causes[i].word, NULL, OUT_BYTES, 0};
	s.table = out_new(columns, COLUMN_COUNT);
	put_head(&s);
	for (size_t i = 0; i < r->compare.count; i++)
		if (r->compare.rows[i].hour >= r->from && r->compare.rows[i].hour < r->to)
			put_row(&s, &r->compare.rows[i]);
	put_totals(&s);
	if (cli->format == OUT_TERMINAL)
		say_hours(&s);
	status = cli_write(cli, s.table, "hours", err);
	if (status == CLI_OK && cli->format == OUT_TERMINAL)
		say_causes(&s);
	out_free(s.table);
	return status;
}

/* ---- what is needed ---- */

static int check(const struct cli *cli, char **err)
{
	if (cli->conf.database != DATABASE_MYSQL)
		return err_set(err, "migrate --compare: the configuration of xenbw says `database none`: "
				    "there is no table "
				    "of xenbw's; see xenbw-migrate(7)");
	if (cli->conf.bucket != BUCKET_IP)
		return err_set(err,
			       "migrate --compare: nacctd's rows are of addresses, and xenbw has `bucket "
			       "domain`; to "
			       "compare both it needs `bucket ip`, as `xenbw migrate --shadow` proposes it");
	if (cli->conf.mysql.password_file && !cli->args.value[OPTION_DEFAULTS_FILE])
		return rights_to_read(cli->conf.mysql.password_file, "the MySQL password from", false, err);
	return 0;
}

static int compare(struct cli *cli, struct compare_given *given, char **err)
{
	struct compare_read r = {0};
	struct ledger_file file;
	int status = CLI_FAILED;

	if (cli_open_ledger(cli, &file, err) < 0)
		return CLI_FAILED;
	given->ledger = file.db;
	if (db_open_admin(&given->m, cli, "migrate --compare", "SELECT from both tables", err) == 0) {
		if (compare_read(&r, given, err) == 0)
			status = show(cli, &r, err);
		compare_read_free(&r);
		mysql_hang_up(given->m);
	}
	ledger_file_close(&file);
	return status;
}

int migrate_compare(struct cli *cli, char **err)
{
	struct compare_given given = {.cli = cli};
	struct naccttab tab = {0};
	int status = CLI_FAILED;

	given.tab = &tab;
	if (cli_configure(cli, err) < 0)
		return CLI_FAILED;
	if (cli_period(cli, NULL, &given.period, err) < 0)
		return CLI_USAGE;
	if (check(cli, err) == 0 && naccttab_read(&tab, cli->args.words[0], err) == 0)
		status = compare(cli, &given, err);
	naccttab_free(&tab);
	return status;
}
