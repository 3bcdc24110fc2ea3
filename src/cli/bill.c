/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bill: `xenbw bill`, what a month was closed with, and the corrections that came later.
 */
#include "cli/bill.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/percentile.h"
#include "cli/period.h"

enum {
	COLUMN_MONTH,
	COLUMN_OWNER,
	COLUMN_BUCKET,
	COLUMN_KIND,
	COLUMN_EDITION,
	COLUMN_INPUT,
	COLUMN_OUTPUT,
	COLUMN_TOTAL,
	COLUMN_P95, /* input, output */
	COLUMN_LARGER = COLUMN_P95 + DIR_COUNT,
	COLUMN_SLOTS,
	COLUMN_UNSEEN,
	COLUMN_FROM,
	COLUMN_TO,
	COLUMN_WRITTEN,
	COLUMN_BASIS,
	COLUMN_COUNT
};

static const struct out_column bill_columns[COLUMN_COUNT] = {
	[COLUMN_MONTH] = {"month", NULL, OUT_TEXT, 0},
	[COLUMN_OWNER] = {"owner", "OWNER", OUT_TEXT, 0},
	[COLUMN_BUCKET] = {"bucket", "BUCKET", OUT_TEXT, 0},
	[COLUMN_KIND] = {"kind", "WHAT", OUT_TEXT, 0},
	[COLUMN_EDITION] = {"edition", NULL, OUT_NUMBER, 0},
	[COLUMN_INPUT] = {"input", "INPUT", OUT_BYTES, 4},
	[COLUMN_OUTPUT] = {"output", "OUTPUT", OUT_BYTES, 4},
	[COLUMN_TOTAL] = {"total", "TOTAL", OUT_BYTES, 0},
	[COLUMN_P95 + DIR_INPUT] = {"p95_input_bytes_per_second", "95% IN", OUT_RATE, 2},
	[COLUMN_P95 + DIR_OUTPUT] = {"p95_output_bytes_per_second", "95% OUT", OUT_RATE, 2},
	[COLUMN_LARGER] = {"p95_bytes_per_second", "95%", OUT_RATE, 0},
	[COLUMN_SLOTS] = {"slots", NULL, OUT_NUMBER, 0},
	[COLUMN_UNSEEN] = {"slots_unseen", NULL, OUT_NUMBER, 0},
	[COLUMN_FROM] = {"from", "FROM", OUT_TIME, 3},
	[COLUMN_TO] = {"to", "TO", OUT_TIME, 1},
	[COLUMN_WRITTEN] = {"written", NULL, OUT_TIME, 0},
	[COLUMN_BASIS] = {"basis", NULL, OUT_TEXT, 0},
};

/* Of one bucket or owner: what all rows so far add up to, and the rates that the last of them made of it. */
struct so_far {
	const struct control_closed *of;
	int64_t p95[DIR_COUNT];
	int64_t rates[DIR_COUNT + 1]; /* input, output, the larger of them */
	int64_t change[DIR_COUNT + 1];
};

static bool is_same(const struct control_closed *a, const struct control_closed *b)
{
	return a->bucket == b->bucket && a->from == b->from && strcmp(a->owner, b->owner) == 0;
}

/* Below 0 only in a damaged ledger. */
static int64_t rate_of(int64_t bytes)
{
	return bytes > 0 ? (int64_t)percentile_rate((uint64_t)bytes) : 0;
}

/* Rates are told so that the rows of a bucket add up: each as the difference of two rounded ones. So this is
 * asked of every row, shown or not. */
static void add_rates(struct so_far *s, const struct control_closed *r)
{
	int64_t now[DIR_COUNT + 1] = {0};

	if (!s->of || !is_same(s->of, r))
		*s = (struct so_far){.of = r};
	for (int d = 0; d < DIR_COUNT; d++) {
		s->p95[d] += r->p95[d];
		now[d] = rate_of(s->p95[d]);
		if (now[d] > now[DIR_COUNT])
			now[DIR_COUNT] = now[d];
	}
	for (int d = 0; d <= DIR_COUNT; d++) {
		s->change[d] = now[d] - s->rates[d];
		s->rates[d] = now[d];
	}
}

static void put_bytes(struct out_table *t, int64_t input, int64_t output)
{
	out_signed(t, COLUMN_INPUT, input);
	out_signed(t, COLUMN_OUTPUT, output);
	out_signed(t, COLUMN_TOTAL, input + output);
}

static void put_row(const struct cli *cli, struct out_table *t, const char *month, const struct closed_row *c,
		    const struct so_far *s)
{
	bool for_people = cli->format == OUT_TERMINAL;
	const struct control_closed *r = &c->row;

	out_row(t);
	out_text(t, COLUMN_MONTH, month);
	out_text(t, COLUMN_OWNER, *r->owner ? r->owner : NULL);
	out_text(t, COLUMN_BUCKET, r->bucket ? r->label : for_people ? "(all)" : NULL);
	out_text(t, COLUMN_KIND, c->edition ? "correction" : "closed");
	out_number(t, COLUMN_EDITION, c->edition);
	put_bytes(t, r->bytes[DIR_INPUT], r->bytes[DIR_OUTPUT]);
	for (int d = 0; d <= DIR_COUNT; d++)
		out_signed(t, COLUMN_P95 + (size_t)d, s->change[d]);
	out_signed(t, COLUMN_SLOTS, r->slots);
	out_signed(t, COLUMN_UNSEEN, r->slots - r->observed);
	out_number(t, COLUMN_FROM, (uint64_t)r->from);
	out_number(t, COLUMN_TO, (uint64_t)r->to);
	out_number(t, COLUMN_WRITTEN, (uint64_t)c->time);
	out_text(t, COLUMN_BASIS, "ip");
}

static bool is_shown(const struct closed_row *c, const char *owner, int64_t edition)
{
	return (!owner || strcmp(c->row.owner, owner) == 0) && (edition < 0 || c->edition == edition);
}

/* Of buckets: the owners' own rows hold them again. */
static void put_total(struct out_table *t, const struct closed_rows *rows, const char *owner, int64_t edition)
{
	int64_t sums[DIR_COUNT] = {0};

	for (size_t i = 0; i < rows->count; i++)
		for (int d = 0; d < DIR_COUNT && rows->list[i].row.bucket; d++)
			if (is_shown(&rows->list[i], owner, edition))
				sums[d] += rows->list[i].row.bytes[d];
	out_row(t);
	out_row_is_total(t);
	out_text(t, COLUMN_OWNER, "total");
	put_bytes(t, sums[DIR_INPUT], sums[DIR_OUTPUT]);
}

static void say_month(const struct cli *cli, const char *month, const struct closed_rows *rows)
{
	int64_t written = 0;

	printf("Month   %s (time zone: %s)\n", month, cli->conf.timezone ? cli->conf.timezone : "system");
	for (uint32_t edition = 0; edition < rows->editions; edition++) {
		char *when;

		for (size_t i = 0; i < rows->count; i++)
			if (rows->list[i].edition == edition)
				written = rows->list[i].time;
		when = period_local(written);
		printf("%s %s\n", edition ? "Changed" : "Closed ", when);
		free(when);
	}
}

static bool has_several_periods(const struct closed_rows *rows, const char *owner)
{
	const struct control_closed *first = NULL;

	for (size_t i = 0; i < rows->count; i++) {
		const struct control_closed *r = &rows->list[i].row;

		if (!is_shown(&rows->list[i], owner, -1))
			continue;
		if (first && (first->from != r->from || first->to != r->to))
			return true;
		first = r;
	}
	return false;
}

int bill_write(const struct cli *cli, const char *command, const char *month, const struct closed_rows *rows,
	       const char *owner, int64_t edition, char **err)
{
	bool for_people = cli->format == OUT_TERMINAL;
	struct out_column columns[COLUMN_COUNT];
	struct out_table *t;
	struct so_far so_far = {0};
	int status;

	memcpy(columns, bill_columns, sizeof(columns));
	if (!has_several_periods(rows, owner))
		columns[COLUMN_FROM].title = columns[COLUMN_TO].title = NULL;
	t = out_new(columns, COLUMN_COUNT);
	out_head_text(t, "command", command);
	out_head_time(t, "time", cli->now);
	out_head_text(t, "month", month);
	out_head_text(t, "timezone", cli->conf.timezone);
	out_head_text(t, "ledger", cli->conf.ledger);
	out_head_text(t, "basis", "ip");
	for (size_t i = 0; i < rows->count; i++) {
		add_rates(&so_far, &rows->list[i].row);
		if (is_shown(&rows->list[i], owner, edition))
			put_row(cli, t, month, &rows->list[i], &so_far);
	}
	put_total(t, rows, owner, edition);
	if (for_people)
		say_month(cli, month, rows);
	status = cli_write(cli, t, "rows", err);
	if (for_people)
		out_line("Charged bytes: IP bytes as the guest sees them, without Ethernet headers. 95%: "
			 "bit/s that "
			 "the busiest 5% of the five-minute slots exceed.",
			 &cli->screen, stdout);
	out_free(t);
	return status;
}

static int check(const struct closed_rows *rows, const char *month, const char *owner, char **err)
{
	if (!rows->editions)
		return err_set(
			err,
			"%s is not closed; `xenbw close %s` does that once it is over, and `xenbw report "
			"--month %s` shows what is known by now",
			month, month, month);
	for (size_t i = 0; i < rows->count; i++)
		if (is_shown(&rows->list[i], owner, -1))
			return 0;
	return err_set(err, "in %s nothing was charged to the owner `%s`", month, owner);
}

int cli_bill(struct cli *cli, char **err)
{
	const char *owner = cli->args.value[OPTION_OWNER];
	struct closed_rows rows = {0};
	struct ledger_file file;
	int status = CLI_FAILED;
	char *month;

	if (cli_configure(cli, err) < 0)
		return CLI_FAILED;
	month = period_billing_name(cli->args.words[0], cli->conf.billing.day, cli->now, err);
	if (!month)
		return CLI_USAGE;
	if (cli_open_ledger(cli, &file, err) == 0) {
		if (closed_read(file.db, month, &rows, err) == 0 && check(&rows, month, owner, err) == 0)
			status = bill_write(cli, "bill", month, &rows, owner, -1, err);
		ledger_file_close(&file);
	}
	closed_rows_free(&rows);
	free(month);
	return status;
}
