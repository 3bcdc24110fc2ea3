/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/report_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
	COLUMN_BUCKET,
	COLUMN_OWNER,
	COLUMN_CLASS,
	COLUMN_ADDRESS,
	COLUMN_DOMAIN,
	COLUMN_DOMID,
	COLUMN_DEVID,
	COLUMN_NETDEV,
	COLUMN_CHARGED, /* input, output */
	COLUMN_TOTAL = COLUMN_CHARGED + DIR_COUNT,
	COLUMN_PROJECTED,
	COLUMN_P95, /* input, output */
	COLUMN_P95_LARGER = COLUMN_P95 + DIR_COUNT,
	COLUMN_OVER,
	COLUMN_SLOTS,
	COLUMN_UNSEEN,
	COLUMN_FROM,
	COLUMN_TO,
	COLUMN_SUMS, /* those after SUM_CHARGED, by direction */
	COLUMN_COUNT = COLUMN_SUMS + (SUM_COUNT - 1) * DIR_COUNT
};

#define COLUMN_OF(sum, dir) (COLUMN_SUMS + ((sum)-1) * DIR_COUNT + (dir))

static const struct out_column report_columns[COLUMN_COUNT] = {
	[COLUMN_BUCKET] = {"bucket", "BUCKET", OUT_TEXT, 0},
	[COLUMN_OWNER] = {"owner", "OWNER", OUT_TEXT, 0},
	[COLUMN_CLASS] = {"class", "CLASS", OUT_TEXT, 0},
	[COLUMN_ADDRESS] = {"address", "ADDRESS", OUT_TEXT, 0},
	[COLUMN_DOMAIN] = {"domain", "DOMAIN", OUT_TEXT, 0},
	[COLUMN_DOMID] = {"domid", "ID", OUT_NUMBER, 5},
	[COLUMN_DEVID] = {"devid", "VIF", OUT_NUMBER, 0},
	[COLUMN_NETDEV] = {"netdev", "DEVICE", OUT_TEXT, 6},
	[COLUMN_CHARGED + DIR_INPUT] = {"input", "INPUT", OUT_BYTES, 0},
	[COLUMN_CHARGED + DIR_OUTPUT] = {"output", "OUTPUT", OUT_BYTES, 0},
	[COLUMN_TOTAL] = {"total", "TOTAL", OUT_BYTES, 0},
	[COLUMN_PROJECTED] = {"projected", "PROJECTED", OUT_BYTES, 8},
	[COLUMN_P95 + DIR_INPUT] = {"p95_input_bytes_per_second", "95% IN", OUT_RATE, 7},
	[COLUMN_P95 + DIR_OUTPUT] = {"p95_output_bytes_per_second", "95% OUT", OUT_RATE, 7},
	[COLUMN_P95_LARGER] = {"p95_bytes_per_second", "95%", OUT_RATE, 9},
	[COLUMN_OVER] = {"slots_over", "OVER", OUT_NUMBER, 8},
	[COLUMN_SLOTS] = {"slots", "SLOTS", OUT_NUMBER, 4},
	[COLUMN_UNSEEN] = {"slots_unseen", "UNSEEN", OUT_NUMBER, 6},
	[COLUMN_FROM] = {"from", "FROM", OUT_TIME, 10},
	[COLUMN_TO] = {"to", "TO", OUT_TIME, 5},
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

/* What each kind of row is known by; the first one of them stays empty where there is no name. */
static const struct {
	const char *word, *nameless; /* for people */
	size_t name, last;           /* columns */
} kinds[REPORT_BY_COUNT] = {
	[REPORT_BY_DOMAIN] = {"domain", NULL, COLUMN_BUCKET, COLUMN_BUCKET},
	[REPORT_BY_ADDRESS] = {"address", "(several or unknown)", COLUMN_ADDRESS, COLUMN_DOMAIN},
	[REPORT_BY_VIF] = {"vif", NULL, COLUMN_DOMAIN, COLUMN_NETDEV},
	[REPORT_BY_OWNER] = {"owner", "(nobody's)", COLUMN_OWNER, COLUMN_OWNER},
	[REPORT_BY_CLASS] = {"class", NULL, COLUMN_CLASS, COLUMN_CLASS},
};

struct report_sums report_sums_of(const struct usage_sums *u, bool unattributed_charged)
{
	static const enum report_sum sum_of[CLASS_COUNT] = {
		[CLASS_EXTERNAL] = SUM_EXTERNAL, [CLASS_PEER] = SUM_PEER,
		[CLASS_DIRECT] = SUM_DIRECT,     [CLASS_LOCAL] = SUM_LOCAL,
		[CLASS_IGNORED] = SUM_IGNORED,   [CLASS_UNATTRIBUTED] = SUM_UNATTRIBUTED};
	struct report_sums s = {0};

	for (int d = 0; d < DIR_COUNT; d++) {
		const uint64_t *classes = u->classes.bytes[d];

		for (int c = 0; c < CLASS_COUNT; c++)
			s.bytes[sum_of[c]][d] = classes[c];
		s.bytes[SUM_CHARGED][d] =
			classes[CLASS_EXTERNAL] + (unattributed_charged ? classes[CLASS_UNATTRIBUTED] : 0);
		s.bytes[SUM_CLIPPED][d] = u->clipped[d];
		s.bytes[SUM_ESTIMATED][d] = u->estimated[d];
	}
	s.bytes[SUM_SPOOFED][DIR_OUTPUT] = u->spoofed;
	return s;
}

uint64_t report_sums_both(const struct report_sums *s, enum report_sum sum)
{
	return s->bytes[sum][DIR_INPUT] + s->bytes[sum][DIR_OUTPUT];
}

bool report_sums_unsplit(const struct report_sums *s)
{
	return report_sums_both(s, SUM_UNATTRIBUTED) && !report_sums_both(s, SUM_EXTERNAL) &&
	       !report_sums_both(s, SUM_PEER) && !report_sums_both(s, SUM_DIRECT) &&
	       !report_sums_both(s, SUM_LOCAL) && !report_sums_both(s, SUM_IGNORED);
}

/* ---- cells ---- */

static void put_sums(const struct report_rows *r, struct out_table *t, const struct usage_sums *sums)
{
	struct report_sums s = report_sums_of(sums, r->unattributed_charged);
	uint64_t total = 0;

	for (int d = 0; d < DIR_COUNT; d++) {
		uint64_t bytes = r->by == REPORT_BY_CLASS
					 ? class_bytes_total(&sums->classes, (enum direction)d)
					 : s.bytes[SUM_CHARGED][d];

		out_number(t, COLUMN_CHARGED + (size_t)d, bytes);
		total += bytes;
		for (int sum = SUM_CHARGED + 1; sum < SUM_COUNT; sum++)
			out_number(t, (size_t)COLUMN_OF(sum, d), s.bytes[sum][d]);
	}
	out_number(t, COLUMN_TOTAL, total);
}

static void put_percentile(struct out_table *t, const struct percentile *p)
{
	out_number(t, COLUMN_SLOTS, p->slots);
	out_number(t, COLUMN_UNSEEN, p->slots - p->observed);
	if (!p->observed)
		return;
	for (int d = 0; d < DIR_COUNT; d++)
		out_number(t, COLUMN_P95 + (size_t)d, percentile_rate(p->bytes[d]));
	out_number(t, COLUMN_P95_LARGER, percentile_rate(percentile_larger(p)));
	out_number(t, COLUMN_OVER, p->over);
}

static void put_row(const struct cli *cli, const struct report_rows *r, struct out_table *t,
		    const struct report_row *row)
{
	out_row(t);
	if (row->name && r->by != REPORT_BY_VIF)
		out_text(t, kinds[r->by].name, row->name);
	else if (r->by != REPORT_BY_VIF && cli->format == OUT_TERMINAL)
		out_text(t, kinds[r->by].name, kinds[r->by].nameless);
	if (row->domain)
		out_text(t, COLUMN_DOMAIN, row->domain);
	if (r->by == REPORT_BY_VIF) {
		out_number(t, COLUMN_DOMID, row->domid);
		out_number(t, COLUMN_DEVID, row->devid);
		out_text(t, COLUMN_NETDEV, row->netdev);
	}
	put_sums(r, t, &row->sums);
	if (r->projections)
		out_number(t, COLUMN_PROJECTED, row->projected);
	if (r->percentiles)
		put_percentile(t, &row->percentile);
	out_number(t, COLUMN_FROM, (uint64_t)row->period.from);
	out_number(t, COLUMN_TO, (uint64_t)row->period.to);
}

/* A line for people, of rows from `first` on. */
static void put_together(const struct report_rows *r, struct out_table *t, size_t first, const char *name)
{
	struct usage_sums sums = {0};
	uint64_t projected = 0;

	for (size_t i = first; i < r->count; i++) {
		const struct usage_sums *s = &r->list[i].sums;

		class_bytes_add(&sums.classes, &s->classes);
		sums.spoofed += s->spoofed;
		projected += r->list[i].projected;
	}
	out_row(t);
	out_row_is_total(t);
	out_text(t, kinds[r->by].name, name);
	put_sums(r, t, &sums);
	if (r->projections)
		out_number(t, COLUMN_PROJECTED, projected);
}

static void put_heads(const struct cli *cli, const struct report_rows *r, struct out_table *t)
{
	struct report_sums totals = report_sums_of(&r->sums, r->unattributed_charged);

	out_head_text(t, "command", "report");
	out_head_time(t, "time", cli->now);
	out_head_text(t, "by", kinds[r->by].word);
	out_head_time(t, "from", r->period.from);
	out_head_time(t, "to", r->period.to);
	out_head_text(t, "timezone", cli->conf.timezone);
	out_head_text(t, "ledger", cli->conf.ledger);
	out_head_time(t, "ledger_seen", r->run.seen);
	out_head_time(t, "retired_until", r->period.from < r->retired ? r->retired : -1);
	out_head_flag(t, "unsplit", report_sums_unsplit(&totals));
}

/* ---- which columns ---- */

static void leave_out(struct out_column *column)
{
	column->key = NULL;
	column->title = NULL;
}

static bool has_unseen(const struct report_rows *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->list[i].percentile.observed < r->list[i].percentile.slots)
			return true;
	return false;
}

/* Of these some belong to questions that were not asked. */
static void choose_figures(const struct report_rows *r, struct out_column *columns)
{
	if (!r->projections)
		leave_out(&columns[COLUMN_PROJECTED]);
	for (size_t c = COLUMN_P95; !r->percentiles && c <= COLUMN_UNSEEN; c++)
		leave_out(&columns[c]);
	if (r->commitment == UINT64_MAX)
		leave_out(&columns[COLUMN_OVER]);
	if (!has_unseen(r)) {
		columns[COLUMN_SLOTS].title = NULL;
		columns[COLUMN_UNSEEN].title = NULL;
	}
	if (!r->several) {
		leave_out(&columns[COLUMN_FROM]);
		leave_out(&columns[COLUMN_TO]);
	}
}

/* People see a class only where it has bytes, and of the first columns those that belong to the question. */
static void choose_columns(const struct report_rows *r, struct out_column *columns)
{
	struct report_sums totals = report_sums_of(&r->sums, r->unattributed_charged);
	bool figures = r->percentiles || r->projections;

	memcpy(columns, report_columns, sizeof(report_columns));
	for (size_t c = COLUMN_BUCKET; c < COLUMN_CHARGED; c++)
		if (c < kinds[r->by].name || c > kinds[r->by].last)
			leave_out(&columns[c]);
	choose_figures(r, columns);
	for (int sum = SUM_CHARGED + 1; sum < SUM_COUNT; sum++)
		for (int d = 0; d < DIR_COUNT; d++) {
			struct out_column *column = &columns[COLUMN_OF(sum, d)];

			if (r->by == REPORT_BY_CLASS)
				leave_out(column);
			else if (figures || !report_sums_both(&totals, (enum report_sum)sum))
				column->title = NULL;
		}
}

int report_table_write(const struct cli *cli, const struct report_rows *r, size_t shown, char **err)
{
	struct out_column columns[COLUMN_COUNT];
	struct out_table *t;
	int status;

	choose_columns(r, columns);
	t = out_new(columns, COLUMN_COUNT);
	put_heads(cli, r, t);
	for (size_t i = 0; i < shown; i++)
		put_row(cli, r, t, &r->list[i]);
	if (shown < r->count) {
		char *others = mem_printf("(%zu more)", r->count - shown);

		put_together(r, t, shown, others);
		free(others);
	}
	if (r->count)
		put_together(r, t, 0, "total");
	status = cli_write(cli, t, "rows", err);
	out_free(t);
	return status;
}
