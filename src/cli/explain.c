/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * explain: `xenbw explain`, how a bucket's bytes of a period come from the kernel's counters.
 *
 * Only the ledger is asked. Numbers are always exact: they are there to be added up. Where the ledger itself
 * does not add up that is an error, behind all that there is to see.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/explain_steps.h"

struct explaining {
	struct cli *cli;
	struct period period;
	char *label;
	struct explain ledger;
	struct explain_steps steps;
	int64_t silent; /* nobody has observed since; -1: somebody does */
};

/* ---- the question ---- */

static int ask_ledger(struct explaining *x, sqlite3 *db, char **err)
{
	const struct usage_bucket *b;
	struct usage_buckets buckets;
	int rc = -1;

	if (usage_read_buckets(db, &buckets, err) < 0)
		return -1;
	b = cli_bucket(&buckets, x->cli->args.words[0], err);
	if (b) {
		x->label = text_printable(b->label, strlen(b->label));
		rc = explain_read(db, b->id, x->period.from, x->period.to, &x->ledger, err);
	}
	usage_buckets_free(&buckets);
	return rc;
}

static int read_ledger(struct explaining *x, char **err)
{
	struct ledger_file file;
	int rc = cli_open_ledger(x->cli, &file, err);

	if (rc < 0)
		return -1;
	rc = ask_ledger(x, file.db, err);
	ledger_file_close(&file);
	if (rc < 0)
		return -1;
	x->silent = x->period.to > x->ledger.run.seen ? cli_silent_since(x->cli, &x->ledger.run) : -1;
	explain_steps_make(&x->ledger, x->silent, x->cli->now, &x->steps);
	return 0;
}

/* ---- for machines ---- */

enum {
	COLUMN_ROW,
	COLUMN_VIF,
	COLUMN_EPOCH,
	COLUMN_DEVICE,
	COLUMN_DOMAIN,
	COLUMN_DOMID,
	COLUMN_FROM,
	COLUMN_TO,
	COLUMN_INPUT,
	COLUMN_INPUT_PACKETS,
	COLUMN_OUTPUT,
	COLUMN_OUTPUT_PACKETS,
	COLUMN_DETAIL,
	COLUMN_COUNT
};

static const struct out_column explain_columns[COLUMN_COUNT] = {
	[COLUMN_ROW] = {"row", NULL, OUT_TEXT, 0},
	[COLUMN_VIF] = {"vif", NULL, OUT_NUMBER, 0},
	[COLUMN_EPOCH] = {"epoch", NULL, OUT_NUMBER, 0},
	[COLUMN_DEVICE] = {"device", NULL, OUT_TEXT, 0},
	[COLUMN_DOMAIN] = {"domain", NULL, OUT_TEXT, 0},
	[COLUMN_DOMID] = {"domid", NULL, OUT_NUMBER, 0},
	[COLUMN_FROM] = {"from", NULL, OUT_TIME, 0},
	[COLUMN_TO] = {"to", NULL, OUT_TIME, 0},
	[COLUMN_INPUT] = {"input", NULL, OUT_BYTES, 0},
	[COLUMN_INPUT_PACKETS] = {"input_packets", NULL, OUT_NUMBER, 0},
	[COLUMN_OUTPUT] = {"output", NULL, OUT_BYTES, 0},
	[COLUMN_OUTPUT_PACKETS] = {"output_packets", NULL, OUT_NUMBER, 0},
	[COLUMN_DETAIL] = {"detail", NULL, OUT_TEXT, 0},
};

static void put_step(struct out_table *t, const struct explain_step *s)
{
	out_row(t);
	out_text(t, COLUMN_ROW, explain_row_key(s->row));
	if (s->vif) {
		out_number(t, COLUMN_VIF, (uint64_t)s->vif->id);
		out_text(t, COLUMN_DEVICE, s->epoch ? s->epoch->netdev : s->vif->netdev);
		out_text(t, COLUMN_DOMAIN, s->vif->domain);
		out_number(t, COLUMN_DOMID, s->vif->domid);
	}
	if (s->epoch)
		out_number(t, COLUMN_EPOCH, (uint64_t)s->epoch->id);
	if (s->from >= 0)
		out_number(t, COLUMN_FROM, (uint64_t)s->from);
	if (s->to >= 0)
		out_number(t, COLUMN_TO, (uint64_t)s->to);
	for (int d = 0; d < DIR_COUNT; d++) {
		size_t at = d == DIR_INPUT ? COLUMN_INPUT : COLUMN_OUTPUT;

		if (explain_row_has_bytes(s->row))
			out_number(t, at, s->bytes[d]);
		if (s->has_packets)
			out_number(t, at + 1, s->packets[d]);
	}
	out_text(t, COLUMN_DETAIL, s->detail);
}

static int write_rows(const struct explaining *x, char **err)
{
	struct out_table *t = out_new(explain_columns, COLUMN_COUNT);
	int status;

	out_head_text(t, "command", "explain");
	out_head_time(t, "time", x->cli->now);
	out_head_text(t, "bucket", x->cli->args.words[0]);
	out_head_time(t, "from", x->period.from);
	out_head_time(t, "to", x->period.to);
	out_head_text(t, "timezone", x->cli->conf.timezone);
	out_head_text(t, "ledger", x->cli->conf.ledger);
	out_head_time(t, "ledger_seen", x->ledger.run.seen);
	out_head_flag(t, "unattributed_charged", x->ledger.report.unattributed_charged);
	out_head_flag(t, "adds_up", x->steps.wrong == NULL);
	for (size_t i = 0; i < x->steps.count; i++)
		if (x->steps.list[i].row != ROW_BUCKET)
			put_step(t, &x->steps.list[i]);
	status = cli_write(x->cli, t, "rows", err);
	out_free(t);
	return status;
}

/* ---- for people ---- */

/* How wide the columns are: what a step is called, then numbers. */
struct widths {
	int label, bytes[DIR_COUNT], packets[DIR_COUNT];
};

static const char *label_of(const struct explain_step *s)
{
	return s->label ? s->label : explain_row_label(s->row);
}

static void widen(int *width, uint64_t number)
{
	int digits = 1;

	for (; number > 9; number /= 10)
		digits++;
	if (digits > *width)
		*width = digits;
}

static struct widths measure(const struct explain_steps *steps)
{
	struct widths w = {20, {5, 6}, {7, 7}};

	for (size_t i = 0; i < steps->count; i++) {
		const struct explain_step *s = &steps->list[i];

		if (!explain_row_has_bytes(s->row))
			continue;
		if ((int)strlen(label_of(s)) > w.label)
			w.label = (int)strlen(label_of(s));
		for (int d = 0; d < DIR_COUNT; d++) {
			widen(&w.bytes[d], s->bytes[d]);
			widen(&w.packets[d], s->packets[d]);
		}
	}
	return w;
}

static void say_numbers(const struct explain_step *s, const struct widths *w)
{
	printf("  %c %-*s", explain_row_sign(s->row), w->label, label_of(s));
	printf("  %*" PRIu64, w->bytes[DIR_INPUT], s->bytes[DIR_INPUT]);
	if (s->has_packets)
		printf("  %*" PRIu64, w->packets[DIR_INPUT], s->packets[DIR_INPUT]);
	else
		printf("  %*s", w->packets[DIR_INPUT], "");
	printf("  %*" PRIu64, w->bytes[DIR_OUTPUT], s->bytes[DIR_OUTPUT]);
	if (s->has_packets)
		printf("  %*" PRIu64, w->packets[DIR_OUTPUT], s->packets[DIR_OUTPUT]);
	putchar('\n');
}

static void say_heading(const struct widths *w, bool packets)
{
	printf("    %-*s  %*s  %*s  %*s", w->label, "", w->bytes[DIR_INPUT], "INPUT", w->packets[DIR_INPUT],
	       packets ? "PACKETS" : "", w->bytes[DIR_OUTPUT], "OUTPUT");
	if (packets)
		printf("  %*s", w->packets[DIR_OUTPUT], "PACKETS");
	putchar('\n');
}

/* "from … to …", "at …", "since …", "until …"; allocated. */
static char *span(int64_t from, int64_t to)
{
	char *begin = from >= 0 ? period_local(from) : NULL, *end = to >= 0 ? period_local(to) : NULL;
	char *text = begin && to == from ? mem_printf("at %s", begin)
		     : begin && end      ? mem_printf("from %s to %s", begin, end)
		     : begin             ? mem_printf("since %s", begin)
					 : mem_printf("until %s", end ? end : "now");

	free(begin);
	free(end);
	return text;
}

static char *words_of(const struct explain_step *s)
{
	char *when = span(s->from, s->to), *text = NULL;
	const char *colon = s->detail ? ": " : "", *detail = s->detail ? s->detail : "";

	if (s->row == ROW_VIF)
		text = mem_printf("Vif %" PRId64 ": %s, no. %u of domain %s (id %u)%s%s%s%s, %s", s->vif->id,
				  s->vif->netdev ? s->vif->netdev : "no device", s->vif->devid,
				  s->vif->domain, s->vif->domid, s->vif->mac ? ", MAC " : "",
				  s->vif->mac ? s->vif->mac : "", s->vif->bridge ? ", in " : "",
				  s->vif->bridge ? s->vif->bridge : "", when);
	else if (s->row == ROW_EPOCH)
		text = mem_printf("Epoch %" PRId64 ": %s of %s (ifindex %u), %s%s%s", s->epoch->id, s->label,
				  s->epoch->netdev, s->epoch->ifindex, when, s->detail ? "; " : "", detail);
	else if (s->row == ROW_NOT_OBSERVED)
		text = mem_printf("Not observed %s%s%s", when, colon, detail);
	else if (s->row == ROW_EVENT)
		text = mem_printf("Event %s: %s", when, detail);
	free(when);
	return text;
}

static void say_words(const struct explaining *x, const struct explain_step *s)
{
	char *text = words_of(s), *shown;

	if (!text)
		return;
	shown = text_printable(text, strlen(text));
	out_line(shown, &x->cli->screen, stdout);
	free(shown);
	free(text);
}

static void say_steps(const struct explaining *x)
{
	struct widths w = measure(&x->steps);
	bool heading = true;

	for (size_t i = 0; i < x->steps.count; i++) {
		const struct explain_step *s = &x->steps.list[i];

		if (s->row == ROW_VIF || s->row == ROW_BUCKET)
			putchar('\n');
		if (s->row == ROW_BUCKET) {
			printf("Bucket %s in the period\n", x->label);
			heading = true;
		}
		if (!explain_row_has_bytes(s->row)) {
			say_words(x, s);
			heading |= s->row == ROW_VIF;
			continue;
		}
		if (heading)
			say_heading(&w, s->has_packets);
		heading = false;
		say_numbers(s, &w);
	}
}

/* What the ledger does not keep. */
static void say_limits(const struct explaining *x)
{
	for (size_t i = 0; i < x->steps.count; i++)
		if (x->steps.list[i].row == ROW_BEFORE || x->steps.list[i].row == ROW_AFTER) {
			out_line("An epoch's counters are kept at its begin and at its last reading, not at "
				 "the edges of the period: what lies beyond those is known by slots of five "
				 "minutes.",
				 &x->cli->screen, stdout);
			return;
		}
}

static int write_words(const struct explaining *x)
{
	printf("Bucket  %s\n", x->label);
	cli_say_period(x->cli, &x->period, &x->ledger.run);
	if (!x->ledger.vif_count)
		puts("Nothing was counted in this period.");
	else
		say_steps(x);
	say_limits(x);
	return CLI_OK;
}

static void release(struct explaining *x)
{
	explain_steps_free(&x->steps);
	explain_free(&x->ledger);
	free(x->label);
}

int cli_explain(struct cli *cli, char **err)
{
	struct explaining x = {.cli = cli};
	int status = CLI_FAILED;

	if (cli_configure(cli, err) < 0)
		return CLI_FAILED;
	if (cli_period(cli, cli->args.words[0], &x.period, err) < 0)
		return CLI_USAGE;
	if (read_ledger(&x, err) == 0)
		status = cli->format == OUT_TERMINAL ? write_words(&x) : write_rows(&x, err);
	if (status == CLI_OK && x.steps.wrong) {
		err_set(err, "the ledger does not add up: %s", x.steps.wrong);
		status = CLI_FAILED;
	}
	release(&x);
	return status;
}
