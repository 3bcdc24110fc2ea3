/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * report: `xenbw report`, the sums of a period per bucket or per own address.
 *
 * Only the ledger is asked. Input and output are what netacct's are: external bytes, and, unless the ledger
 * says that they are not charged, those that nobody could attribute.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/period.h"
#include "cli/units.h"

/* Sums by direction: a pair of columns for each. */
enum {
	SUM_CHARGED, /* external, and unattributed where the ledger says so */
	SUM_EXTERNAL,
	SUM_UNATTRIBUTED,
	SUM_PEER,
	SUM_DIRECT,
	SUM_LOCAL,
	SUM_IGNORED,
	SUM_CLIPPED,
	SUM_ESTIMATED,
	SUM_SPOOFED, /* of output only */
	SUM_COUNT
};

enum {
	COLUMN_BUCKET,
	COLUMN_ADDRESS,
	COLUMN_DOMAIN,
	COLUMN_CHARGED, /* input, output */
	COLUMN_TOTAL = COLUMN_CHARGED + DIR_COUNT,
	COLUMN_SUMS, /* those after SUM_CHARGED, by direction */
	COLUMN_COUNT = COLUMN_SUMS + (SUM_COUNT - 1) * DIR_COUNT
};

#define COLUMN_OF(sum, dir) (COLUMN_SUMS + ((sum)-1) * DIR_COUNT + (dir))

static const struct out_column report_columns[COLUMN_COUNT] = {
	[COLUMN_BUCKET] = {"bucket", "BUCKET", OUT_TEXT, 0},
	[COLUMN_ADDRESS] = {"address", "ADDRESS", OUT_TEXT, 0},
	[COLUMN_DOMAIN] = {"domain", "DOMAIN", OUT_TEXT, 0},
	[COLUMN_CHARGED + DIR_INPUT] = {"input", "INPUT", OUT_BYTES, 0},
	[COLUMN_CHARGED + DIR_OUTPUT] = {"output", "OUTPUT", OUT_BYTES, 0},
	[COLUMN_TOTAL] = {"total", "TOTAL", OUT_BYTES, 0},
	[COLUMN_OF(SUM_EXTERNAL, DIR_INPUT)] = {"external_input", NULL, OUT_BYTES, 0},
	[COLUMN_OF(SUM_EXTERNAL, DIR_OUTPUT)] = {"external_output", NULL, OUT_BYTES, 0},
	[COLUMN_OF(SUM_UNATTRIBUTED, DIR_INPUT)] = {"unattributed_input", NULL, OUT_BYTES, 0},
	[COLUMN_OF(SUM_UNATTRIBUTED, DIR_OUTPUT)] = {"unattributed_output", NULL, OUT_BYTES, 0},
	[COLUMN_OF(SUM_PEER, DIR_INPUT)] = {"peer_input", "PEER IN", OUT_BYTES, 4},
	[COLUMN_OF(SUM_PEER, DIR_OUTPUT)] = {"peer_output", "PEER OUT", OUT_BYTES, 4},
	[COLUMN_OF(SUM_DIRECT, DIR_INPUT)] = {"direct_input", "DIRECT IN", OUT_BYTES, 3},
	[COLUMN_OF(SUM_DIRECT, DIR_OUTPUT)] = {"direct_output", "DIRECT OUT", OUT_BYTES, 3},
	[COLUMN_OF(SUM_LOCAL, DIR_INPUT)] = {"local_input", "LOCAL IN", OUT_BYTES, 2},
	[COLUMN_OF(SUM_LOCAL, DIR_OUTPUT)] = {"local_output", "LOCAL OUT", OUT_BYTES, 2},
	[COLUMN_OF(SUM_IGNORED, DIR_INPUT)] = {"ignored_input", "IGNORED IN", OUT_BYTES, 1},
	[COLUMN_OF(SUM_IGNORED, DIR_OUTPUT)] = {"ignored_output", "IGNORED OUT", OUT_BYTES, 1},
	[COLUMN_OF(SUM_CLIPPED, DIR_INPUT)] = {"clipped_input", NULL, OUT_BYTES, 0},
	[COLUMN_OF(SUM_CLIPPED, DIR_OUTPUT)] = {"clipped_output", NULL, OUT_BYTES, 0},
	[COLUMN_OF(SUM_ESTIMATED, DIR_INPUT)] = {"estimated_input", NULL, OUT_BYTES, 0},
	[COLUMN_OF(SUM_ESTIMATED, DIR_OUTPUT)] = {"estimated_output", NULL, OUT_BYTES, 0},
	[COLUMN_OF(SUM_SPOOFED, DIR_INPUT)] = {NULL, NULL, OUT_BYTES, 0},
	[COLUMN_OF(SUM_SPOOFED, DIR_OUTPUT)] = {"spoofed_output", "SPOOFED", OUT_BYTES, 1},
};

struct sums {
	uint64_t bytes[SUM_COUNT][DIR_COUNT];
};

static struct sums sums_of(const struct usage_sums *u, bool unattributed_charged)
{
	struct sums s = {0};

	for (int d = 0; d < DIR_COUNT; d++) {
		const uint64_t *classes = u->classes.bytes[d];

		s.bytes[SUM_CHARGED][d] =
			classes[CLASS_EXTERNAL] + (unattributed_charged ? classes[CLASS_UNATTRIBUTED] : 0);
		s.bytes[SUM_EXTERNAL][d] = classes[CLASS_EXTERNAL];
		s.bytes[SUM_UNATTRIBUTED][d] = classes[CLASS_UNATTRIBUTED];
		s.bytes[SUM_PEER][d] = classes[CLASS_PEER];
		s.bytes[SUM_DIRECT][d] = classes[CLASS_DIRECT];
		s.bytes[SUM_LOCAL][d] = classes[CLASS_LOCAL];
		s.bytes[SUM_IGNORED][d] = classes[CLASS_IGNORED];
		s.bytes[SUM_CLIPPED][d] = u->clipped[d];
		s.bytes[SUM_ESTIMATED][d] = u->estimated[d];
	}
	s.bytes[SUM_SPOOFED][DIR_OUTPUT] = u->spoofed;
	return s;
}

static uint64_t both(const struct sums *s, int sum)
{
	return s->bytes[sum][DIR_INPUT] + s->bytes[sum][DIR_OUTPUT];
}

/* All bytes are unattributed: nobody looked where they went. */
static bool is_unsplit(const struct sums *s)
{
	return both(s, SUM_UNATTRIBUTED) && !both(s, SUM_EXTERNAL) && !both(s, SUM_PEER) &&
	       !both(s, SUM_DIRECT) && !both(s, SUM_LOCAL) && !both(s, SUM_IGNORED);
}

struct reporting {
	struct cli *cli;
	struct period period;
	enum usage_by by;
	struct usage_buckets buckets;
	struct usage_report usage;
	struct sums totals;
};

/* ---- the question ---- */

static int read_by(struct reporting *r, char **err)
{
	const char *by = r->cli->args.value[OPTION_BY];

	if (!by || strcmp(by, "domain") == 0)
		r->by = USAGE_BY_BUCKET;
	else if (strcmp(by, "address") == 0)
		r->by = USAGE_BY_ADDRESS;
	else
		return err_set(err, "report: `--by %s` is not known; write domain or address", by);
	return 0;
}

static int ask_ledger(struct reporting *r, sqlite3 *db, char **err)
{
	size_t count = r->cli->args.count;
	int64_t *ids = mem_array(count, sizeof(*ids));
	int rc = usage_read_buckets(db, &r->buckets, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		const struct usage_bucket *b = cli_bucket(&r->buckets, r->cli->args.words[i], err);

		if (b)
			ids[i] = b->id;
		else
			rc = -1;
	}
	if (rc == 0)
		rc = usage_read_report(db, r->by, r->period.from, r->period.to, ids, count, &r->usage, err);
	free(ids);
	return rc;
}

static int read_ledger(struct reporting *r, char **err)
{
	struct ledger_file file;
	int rc = cli_open_ledger(r->cli, &file, err);

	if (rc < 0)
		return -1;
	rc = ask_ledger(r, file.db, err);
	ledger_file_close(&file);
	return rc;
}

/* ---- the answer ---- */

static void put_sums(struct out_table *t, const struct sums *s)
{
	for (int d = 0; d < DIR_COUNT; d++) {
		out_number(t, COLUMN_CHARGED + (size_t)d, s->bytes[SUM_CHARGED][d]);
		for (int sum = SUM_CHARGED + 1; sum < SUM_COUNT; sum++)
			out_number(t, (size_t)COLUMN_OF(sum, d), s->bytes[sum][d]);
	}
	out_number(t, COLUMN_TOTAL, both(s, SUM_CHARGED));
}

static void put_row(struct reporting *r, struct out_table *t, const struct usage_row *row)
{
	struct sums s = sums_of(&row->sums, r->usage.unattributed_charged);

	out_row(t);
	if (r->by == USAGE_BY_BUCKET) {
		out_text(t, COLUMN_BUCKET, row->label);
	} else {
		if (*row->address)
			out_text(t, COLUMN_ADDRESS, row->address);
		else if (r->cli->format == OUT_TERMINAL)
			out_text(t, COLUMN_ADDRESS, "(several or unknown)");
		out_text(t, COLUMN_DOMAIN, row->domain);
	}
	put_sums(t, &s);
	for (int sum = 0; sum < SUM_COUNT; sum++)
		for (int d = 0; d < DIR_COUNT; d++)
			r->totals.bytes[sum][d] += s.bytes[sum][d];
}

static void put_heads(const struct reporting *r, struct out_table *t)
{
	out_head_text(t, "command", "report");
	out_head_time(t, "time", r->cli->now);
	out_head_text(t, "by", r->by == USAGE_BY_BUCKET ? "domain" : "address");
	out_head_time(t, "from", r->period.from);
	out_head_time(t, "to", r->period.to);
	out_head_text(t, "timezone", r->cli->conf.timezone);
	out_head_text(t, "ledger", r->cli->conf.ledger);
	out_head_time(t, "ledger_seen", r->usage.run.seen);
	out_head_flag(t, "unsplit", is_unsplit(&r->totals));
}

static void say_split(const struct reporting *r)
{
	uint64_t unknown = both(&r->totals, SUM_UNATTRIBUTED);
	char *text;

	if (is_unsplit(&r->totals) && r->usage.unattributed_charged) {
		puts("unsplit: no attribution, so input and output hold all bytes, whatever their way");
	} else if (unknown) {
		text = r->cli->screen.exact ? mem_printf("%" PRIu64 " bytes", unknown) : units_bytes(unknown);
		printf("input and output %s %s that could not be attributed\n",
		       r->usage.unattributed_charged ? "hold" : "are without", text);
		free(text);
	}
}

/* People see a class only where it has bytes, and of the first columns those that belong to the question. */
static void choose_columns(const struct reporting *r, struct out_column *columns)
{
	static const size_t unused[][2] = {[USAGE_BY_BUCKET] = {COLUMN_ADDRESS, COLUMN_DOMAIN},
					   [USAGE_BY_ADDRESS] = {COLUMN_BUCKET, COLUMN_BUCKET}};

	memcpy(columns, report_columns, sizeof(report_columns));
	for (size_t i = 0; i < 2; i++) {
		columns[unused[r->by][i]].key = NULL;
		columns[unused[r->by][i]].title = NULL;
	}
	for (int sum = SUM_CHARGED + 1; sum < SUM_COUNT; sum++)
		for (int d = 0; d < DIR_COUNT; d++)
			if (!both(&r->totals, sum))
				columns[COLUMN_OF(sum, d)].title = NULL;
}

static int write_report(struct reporting *r, char **err)
{
	bool for_people = r->cli->format == OUT_TERMINAL;
	struct out_column columns[COLUMN_COUNT];
	struct out_table *t = out_new(columns, COLUMN_COUNT);
	int status = CLI_OK;

	for (size_t i = 0; i < r->usage.count; i++)
		put_row(r, t, &r->usage.rows[i]);
	put_heads(r, t);
	choose_columns(r, columns);
	if (r->usage.count) {
		out_row(t);
		out_row_is_total(t);
		out_text(t, r->by == USAGE_BY_BUCKET ? COLUMN_BUCKET : COLUMN_ADDRESS, "total");
		put_sums(t, &r->totals);
	}
	if (for_people)
		cli_say_period(r->cli, &r->period, &r->usage.run);
	if (for_people && !r->usage.count)
		puts("Nothing was counted in this period.");
	else
		status = cli_write(r->cli, t, "rows", err);
	if (for_people)
		say_split(r);
	out_free(t);
	return status;
}

static void release(struct reporting *r)
{
	usage_report_free(&r->usage);
	usage_buckets_free(&r->buckets);
}

int cli_report(struct cli *cli, char **err)
{
	struct reporting r = {.cli = cli};
	int status;

	if (cli_configure(cli, err) < 0)
		return CLI_FAILED;
	if (read_by(&r, err) < 0 || cli_period(cli, &r.period, err) < 0)
		return CLI_USAGE;
	status = read_ledger(&r, err) < 0 ? CLI_FAILED : write_report(&r, err);
	release(&r);
	return status;
}
