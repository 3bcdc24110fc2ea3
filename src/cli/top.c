/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * top: `xenbw top`, the vifs by their present rates, drawn again and again; `--once`, as a table.
 *
 * Rates are what the kernel's counters grew by between two looks of our own: it needs no daemon and no
 * ledger.
 */
#include <ctype.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/period.h"
#include "cli/present.h"
#include "cli/top_rows.h"
#include "cli/units.h"
#include "cli/watch.h"

#define FRAME_LINES 5 /* of the screen: what stands above and below the vifs */
#define LONGEST_FILTER 32
#define KEY_ESCAPE 27
#define KEY_DELETE 127

struct top {
	struct cli *cli;
	struct watch *watch; /* NULL with --once */
	struct top_rows rows;
	enum top_order order;
	char filter[LONGEST_FILTER + 1];
	bool typing; /* the filter */
	unsigned seconds;
};

enum {
	COLUMN_DOMAIN,
	COLUMN_DOMID,
	COLUMN_DEVID,
	COLUMN_NETDEV,
	COLUMN_RATE, /* by direction */
	COLUMN_BOTH = COLUMN_RATE + DIR_COUNT,
	COLUMN_TREND,
	COLUMN_COUNT
};

static const struct out_column top_columns[COLUMN_COUNT] = {
	[COLUMN_DOMAIN] = {"domain", "DOMAIN", OUT_TEXT, 0},
	[COLUMN_DOMID] = {"domid", "ID", OUT_NUMBER, 3},
	[COLUMN_DEVID] = {"devid", "VIF", OUT_NUMBER, 2},
	[COLUMN_NETDEV] = {"netdev", "DEVICE", OUT_TEXT, 4},
	[COLUMN_RATE + DIR_INPUT] = {"input_bytes_per_second", "IN BIT/S", OUT_RATE, 0},
	[COLUMN_RATE + DIR_OUTPUT] = {"output_bytes_per_second", "OUT BIT/S", OUT_RATE, 0},
	[COLUMN_BOTH] = {"bytes_per_second", "BOTH", OUT_RATE, 5},
	[COLUMN_TREND] = {NULL, "TREND", OUT_TEXT, 1},
};

/* ---- readings ---- */

static int look(struct top *t, char **err)
{
	struct top_reading *readings;
	struct present present;
	struct live live;
	size_t count = 0;
	int rc = live_read(&live, NULL, 0, err);

	if (rc != 0) {
		if (rc > 0)
			err_add(err, "top shows what is there now");
		return -1;
	}
	present_merge(&live, NULL, "", &present);
	readings = mem_array(present.count, sizeof(*readings));
	for (size_t i = 0; i < present.count; i++) {
		const struct present_row *row = &present.rows[i];

		if (row->counted)
			readings[count++] =
				(struct top_reading){row->live->xen->domid,
						     row->live->xen->devid,
						     row->live->xen->domain,
						     row->live->netdev,
						     {row->bytes[DIR_INPUT], row->bytes[DIR_OUTPUT]}};
	}
	top_rows_take(&t->rows, readings, count, clock_mono());
	top_rows_sort(&t->rows, t->order);
	free(readings);
	present_free(&present);
	live_free(&live);
	return 0;
}

/* ---- the picture ---- */

static void put_rates(struct out_table *table, const uint64_t rate[DIR_COUNT])
{
	out_number(table, COLUMN_RATE + DIR_INPUT, rate[DIR_INPUT]);
	out_number(table, COLUMN_RATE + DIR_OUTPUT, rate[DIR_OUTPUT]);
	out_number(table, COLUMN_BOTH, rate[DIR_INPUT] + rate[DIR_OUTPUT]);
}

static void put_row(const struct top *t, struct out_table *table, const struct top_row *r)
{
	bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	char *trend = t->watch ? top_row_sparkline(r, utf8) : NULL;

	out_row(table);
	out_text(table, COLUMN_DOMAIN, r->domain);
	out_number(table, COLUMN_DOMID, r->domid);
	out_number(table, COLUMN_DEVID, r->devid);
	out_text(table, COLUMN_NETDEV, *r->netdev ? r->netdev : NULL);
	if (r->has_rate)
		put_rates(table, r->rate);
	out_text(table, COLUMN_TREND, trend && *trend ? trend : NULL);
	free(trend);
}

/* Of those that match the filter the first `most`; *left are the others. */
static int write_table(const struct top *t, size_t most, size_t *left, char **err)
{
	struct out_column columns[COLUMN_COUNT];
	struct out_table *table;
	uint64_t sums[DIR_COUNT] = {0};
	size_t matches = 0;
	int status;

	memcpy(columns, top_columns, sizeof(columns));
	if (!t->watch)
		columns[COLUMN_TREND].title = NULL;
	table = out_new(columns, COLUMN_COUNT);
	out_head_text(table, "command", "top");
	out_head_time(table, "time", t->cli->now);
	out_head_number(table, "seconds", t->seconds);
	for (size_t i = 0; i < t->rows.count; i++) {
		const struct top_row *r = &t->rows.list[i];

		if (!top_row_has(r, t->filter))
			continue;
		if (matches++ < most)
			put_row(t, table, r);
		for (int d = 0; d < DIR_COUNT && r->domid && r->has_rate; d++)
			sums[d] += r->rate[d];
	}
	if (matches) {
		out_row(table);
		out_row_is_total(table);
		out_text(table, COLUMN_DOMAIN, "all guests");
		put_rates(table, sums);
	}
	*left = matches > most ? matches - most : 0;
	if (matches || t->cli->format != OUT_TERMINAL) {
		status = cli_write(t->cli, table, "vifs", err);
	} else {
		puts(*t->filter ? "No vif has this in its name." : "No domain has a vif now.");
		status = CLI_OK;
	}
	out_free(table);
	return status;
}

static int draw(const struct top *t, char **err)
{
	size_t height = watch_height(t->watch), left,
	       most = height > FRAME_LINES + 1 ? height - FRAME_LINES : 1;
	char *when = period_local(clock_wall());
	struct out_screen screen = t->cli->screen;
	int status;

	printf("xenbw top  %s  every %u s, by %s%s%s%s\n", when, t->seconds, top_order_word(t->order),
	       *t->filter || t->typing ? ", with: " : "", t->filter, t->typing ? "_" : "");
	free(when);
	status = write_table(t, most, &left, err);
	if (left)
		printf("%zu more below\n", left);
	if (t->typing)
		out_line("Type a part of a name. Enter keeps it, Escape drops it.", &screen, stdout);
	else
		out_line("Keys: r rate, i input, o output, n name, / filter, q quit", &screen, stdout);
	return status;
}

/* ---- keys ---- */

static void type(struct top *t, int key)
{
	size_t length = strlen(t->filter);

	if (key == '\n' || key == '\r' || key == KEY_ESCAPE)
		t->typing = false;
	if (key == KEY_ESCAPE)
		*t->filter = '\0';
	else if ((key == KEY_DELETE || key == '\b') && length)
		t->filter[length - 1] = '\0';
	else if (key > ' ' && key < KEY_DELETE && length < LONGEST_FILTER)
		t->filter[length] = (char)key; /* the rest is zeros */
}

/* false: the end. */
static bool obey(struct top *t, int key)
{
	if (t->typing) {
		type(t, key);
		return true;
	}
	switch (key) {
	case 'q':
		return false;
	case 'r':
		t->order = TOP_BY_RATE;
		break;
	case 'i':
		t->order = TOP_BY_INPUT;
		break;
	case 'o':
		t->order = TOP_BY_OUTPUT;
		break;
	case 'n':
		t->order = TOP_BY_NAME;
		break;
	case '/':
		t->typing = true;
		break;
	case KEY_ESCAPE:
		memset(t->filter, 0, sizeof(t->filter));
		break;
	default:
		break;
	}
	top_rows_sort(&t->rows, t->order);
	return true;
}

/* Draws after each key, reads when it is time. */
static int live_loop(struct top *t, char **err)
{
	int64_t next = 0;
	int what = WATCH_TIME, status = CLI_OK;

	while (status == CLI_OK && what != WATCH_END && (what <= 0 || obey(t, what))) {
		int64_t now = clock_mono().ns / 1000000;

		if (now >= next) {
			if (look(t, err) < 0)
				return CLI_FAILED;
			next = now + (t->rows.count && !t->rows.list[0].samples ? 1000 : t->seconds * 1000);
		}
		watch_begin(t->watch);
		status = draw(t, err);
		watch_end(t->watch);
		what = watch_wait(t->watch, (unsigned)(next > now ? next - now : 0));
	}
	return status;
}

/* Two looks, so many seconds apart. */
static int once(struct top *t, char **err)
{
	struct timespec pause = {.tv_sec = t->seconds};
	size_t left;

	if (look(t, err) < 0)
		return CLI_FAILED;
	while (nanosleep(&pause, &pause) < 0)
		;
	t->cli->now = clock_wall();
	return look(t, err) < 0 ? CLI_FAILED : write_table(t, SIZE_MAX, &left, err);
}

static int read_options(struct top *t, char **err)
{
	const char *const *value = t->cli->args.value;
	const char *filter = value[OPTION_FILTER], *sort = value[OPTION_SORT];
	size_t length = filter ? strlen(filter) : 0;

	if (sort && !top_order_named(sort, &t->order))
		return err_set(err, "top: `--sort %s` is not known; write rate, input, output or name", sort);
	if (length > LONGEST_FILTER)
		return err_set(err, "top: --filter is too long (at most %d bytes)", LONGEST_FILTER);
	if (filter)
		memcpy(t->filter, filter, length);
	return watch_seconds(value[OPTION_INTERVAL], value[OPTION_ONCE] ? 1 : 2, &t->seconds, err);
}

int cli_top(struct cli *cli, char **err)
{
	struct top t = {.cli = cli};
	int status;

	if (cli_configure(cli, err) < 0)
		return CLI_FAILED;
	if (read_options(&t, err) < 0)
		return CLI_USAGE;
	if (cli->args.value[OPTION_ONCE]) {
		status = once(&t, err);
	} else if (cli->format != OUT_TERMINAL) {
		err_set(err, "top: --json and --csv go with --once");
		status = CLI_USAGE;
	} else if (watch_open(&t.watch, cli, err) < 0) {
		err_add(err, "top: without one there is --once");
		status = CLI_USAGE;
	} else {
		status = live_loop(&t, err);
		watch_close(t.watch);
	}
	top_rows_free(&t.rows);
	return status;
}
