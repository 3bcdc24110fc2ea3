/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * close: `xenbw close MONTH`: keeps what a month came to, for good; or, where that has changed since, what it
 * has changed by.
 *
 * The figures are worked out here, from the ledger as reports read it; xenbwd, the ledger's only writer, is
 * told them over its control socket. Who owns a bucket, and when its month began, stays as it was closed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "cli/bill.h"
#include "cli/commands.h"
#include "cli/report_rows.h"
#include "db/ledger.h"

struct closing {
	struct cli *cli;
	char *month;
	struct closed_rows before;
	struct conf as_closed;       /* the configuration, with owners and days as they were closed */
	struct control_closed *rows; /* as it is now, then what is to be written */
	size_t count;
};

/* ---- as it was closed ---- */

static const struct control_closed *closed_bucket(const struct closing *c, int64_t bucket)
{
	for (size_t i = 0; i < c->before.count; i++)
		if (c->before.list[i].row.bucket == bucket)
			return &c->before.list[i].row;
	return NULL;
}

/* By present labels, for a bucket may have another one by now. */
static void remember(struct closing *c, const struct usage_buckets *buckets)
{
	const struct conf *now = &c->cli->conf;
	struct billing_owners *owners = &c->as_closed.owners;
	struct billing_days *days = &c->as_closed.billing;

	c->as_closed = *now;
	*owners = (struct billing_owners){.list = mem_array(buckets->count, sizeof(*owners->list))};
	*days = (struct billing_days){.day = now->billing.day,
				      .list = mem_array(buckets->count, sizeof(*days->list))};
	for (size_t i = 0; i < buckets->count; i++) {
		const char *label = buckets->list[i].label;
		const struct control_closed *r = closed_bucket(c, buckets->list[i].id);
		const char *owner = r ? r->owner : billing_owner_of(&now->owners, label);

		if (owner && *owner)
			owners->list[owners->count++] =
				(struct billing_owned){mem_strdup(label), mem_strdup(owner)};
		days->list[days->count++] = (struct billing_day){
			mem_strdup(label), r && r->day ? r->day : billing_day_of(&now->billing, label)};
	}
}

/* ---- as it is now ---- */

static int copy_name(char to[CONTROL_NAME], const char *name, char **err)
{
	if (strlen(name) >= CONTROL_NAME)
		return err_set(err, "the name %.40s... is too long to be kept (at most %d bytes)", name,
			       CONTROL_NAME - 1);
	memcpy(to, name, strlen(name) + 1);
	return 0;
}

static uint32_t day_of_period(const struct closing *c, int64_t from)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->rows[i].bucket && c->rows[i].from == from)
			return c->rows[i].day;
	return c->as_closed.billing.day;
}

static int take_row(struct closing *c, const struct report_rows *r, const struct report_row *row, char **err)
{
	bool of_owner = r->by == REPORT_BY_OWNER;
	const char *owner = of_owner ? row->name : billing_owner_of(&c->as_closed.owners, row->name);
	struct control_closed *to;

	if (of_owner && !owner)
		return 0;
	c->rows = mem_resize(c->rows, c->count + 1, sizeof(*c->rows));
	to = &c->rows[c->count];
	*to = (struct control_closed){.bucket = of_owner ? 0 : row->buckets[0],
				      .from = row->period.from,
				      .to = row->period.to,
				      .slots = (int64_t)row->percentile.slots,
				      .observed = (int64_t)row->percentile.observed};
	to->day = of_owner ? day_of_period(c, row->period.from)
			   : billing_day_of(&c->as_closed.billing, row->name);
	c->count++;
	for (int d = 0; d < DIR_COUNT; d++) {
		const uint64_t *classes = row->sums.classes.bytes[d];

		to->bytes[d] = (int64_t)(classes[CLASS_EXTERNAL] +
					 (r->unattributed_charged ? classes[CLASS_UNATTRIBUTED] : 0));
		to->p95[d] = (int64_t)row->percentile.bytes[d];
	}
	if (to->slots * SLOT_SECONDS != to->to - to->from)
		return err_set(err,
			       "%s is over, but the ledger does not have all of it yet; xenbwd must run, "
			       "and have come to the next five minutes",
			       c->month);
	return copy_name(to->label, of_owner ? "" : row->name, err) < 0
		       ? -1
		       : copy_name(to->owner, owner ? owner : "", err);
}

static int read_now(struct closing *c, sqlite3 *db, enum report_by by, char **err)
{
	struct report_rows r = {.by = by,
				.month = c->month,
				.percentiles = true,
				.commitment = UINT64_MAX,
				.now = c->cli->now};
	int rc = report_rows_check(&r, &c->as_closed, err);

	if (rc == 0)
		rc = report_rows_read(&r, &c->as_closed, db, err);
	if (rc == 0 && r.period.from < r.retired)
		rc = err_set(
			err,
			"slots of %s have been retired (`retain`): what it came to cannot be told any more%s",
			c->month, c->before.editions ? "; `xenbw bill` has what it was closed with" : "");
	if (rc == 0 && r.period.to > c->cli->now) {
		char *end = period_local(r.period.to);

		rc = err_set(err, "%s is not over: it lasts until %s", c->month, end);
		free(end);
	}
	for (size_t i = 0; rc == 0 && i < r.count; i++)
		rc = take_row(c, &r, &r.list[i], err);
	report_rows_free(&r);
	return rc;
}

/* ---- what is new ---- */

/* Of one bucket, or of one owner in one period? */
static bool is_same(const struct control_closed *a, const struct control_closed *b)
{
	if (a->bucket != b->bucket)
		return false;
	return a->bucket || (a->from == b->from && strcmp(a->owner, b->owner) == 0);
}

static void subtract(struct control_closed *from, const struct control_closed *r)
{
	for (int d = 0; d < DIR_COUNT; d++) {
		from->bytes[d] -= r->bytes[d];
		from->p95[d] -= r->p95[d];
	}
	from->slots -= r->slots;
	from->observed -= r->observed;
}

static bool is_nothing(const struct control_closed *r)
{
	return !r->bytes[DIR_INPUT] && !r->bytes[DIR_OUTPUT] && !r->p95[DIR_INPUT] && !r->p95[DIR_OUTPUT] &&
	       !r->slots && !r->observed;
}

/* The row that a closed one is to be compared with: where nothing is there any more, one of zeros. */
static struct control_closed *counterpart(struct closing *c, const struct control_closed *old)
{
	struct control_closed *to;

	for (size_t i = 0; i < c->count; i++)
		if (is_same(&c->rows[i], old))
			return &c->rows[i];
	c->rows = mem_resize(c->rows, c->count + 1, sizeof(*c->rows));
	to = &c->rows[c->count++];
	*to = *old;
	memset(to->bytes, 0, sizeof(to->bytes));
	memset(to->p95, 0, sizeof(to->p95));
	to->slots = to->observed = 0;
	return to;
}

static int leave_differences(struct closing *c, char **err)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->before.count; i++) {
		const struct control_closed *old = &c->before.list[i].row;
		struct control_closed *now = counterpart(c, old);

		if (now->from != old->from || now->to != old->to)
			return err_set(err,
				       "%s was closed with other edges than it has now; is `timezone` "
				       "another one?",
				       c->month);
		subtract(now, old);
	}
	for (size_t i = 0; i < c->count; i++)
		if (!c->before.editions || !is_nothing(&c->rows[i]))
			c->rows[kept++] = c->rows[i];
	c->count = kept;
	return 0;
}

static int read_all(sqlite3 *db, void *ctx, char **err)
{
	struct usage_buckets buckets;
	struct closing *c = ctx;

	if (closed_read(db, c->month, &c->before, err) < 0 || usage_read_buckets(db, &buckets, err) < 0)
		return -1;
	remember(c, &buckets);
	usage_buckets_free(&buckets);
	return read_now(c, db, REPORT_BY_DOMAIN, err) < 0 ? -1 : read_now(c, db, REPORT_BY_OWNER, err);
}

/* Sums, percentiles and whether the month is complete are of one state of the ledger: what is written never
 * changes. */
static int work_out(struct closing *c, sqlite3 *db, char **err)
{
	if (usage_ask(db, read_all, c, err) < 0 || leave_differences(c, err) < 0)
		return -1;
	if (!c->count && !c->before.editions)
		return err_set(err, "in %s nothing was counted: there is nothing to close", c->month);
	return 0;
}

static int write_it(const struct closing *c, char **err)
{
	int rc = control_close(c->cli->conf.control, c->month, c->before.editions, c->rows, c->count, err);

	if (rc == 1)
		return err_set(
			err,
			"xenbwd does not run, and nobody else writes the ledger (systemctl start xenbwd)");
	return rc;
}

static int close_month(struct closing *c, sqlite3 *db, char **err)
{
	struct closed_rows after;
	int64_t edition;
	int status;

	if (work_out(c, db, err) < 0)
		return CLI_FAILED;
	if (!c->count) {
		cli_note("%s is closed, and nothing has changed since", c->month);
		return CLI_OK;
	}
	edition = c->before.editions;
	if (write_it(c, err) < 0 || closed_read(db, c->month, &after, err) < 0)
		return CLI_FAILED;
	status = bill_write(c->cli, "close", c->month, &after, NULL, edition, err);
	closed_rows_free(&after);
	return status;
}

int cli_close_month(struct cli *cli, char **err)
{
	struct closing c = {.cli = cli};
	struct ledger_file file;
	int status = CLI_FAILED;

	if (cli_configure(cli, err) < 0)
		return CLI_FAILED;
	c.month = period_billing_name(cli->args.words[0], cli->conf.billing.day, cli->now, err);
	if (!c.month)
		return CLI_USAGE;
	if (cli_open_ledger(cli, &file, err) == 0) {
		status = close_month(&c, file.db, err);
		ledger_file_close(&file);
	}
	billing_free_owners(&c.as_closed.owners);
	billing_free_days(&c.as_closed.billing);
	closed_rows_free(&c.before);
	free(c.rows);
	free(c.month);
	return status;
}
