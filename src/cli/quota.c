/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * quota: `xenbw quota`, how much of each quota is used in its present period, and when it will be reached.
 *
 * Only the ledger is asked: what is shown goes up to its last commit.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "account/quota.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/percentile.h"
#include "db/quota_usage.h"
#include "db/usage_slots.h"

enum {
	COLUMN_NAME,
	COLUMN_OF,
	COLUMN_PERIOD,
	COLUMN_CLASS,
	COLUMN_DIRECTION,
	COLUMN_USED,
	COLUMN_LIMIT,
	COLUMN_PERCENT,
	COLUMN_PROJECTED,
	COLUMN_EXPECTED,
	COLUMN_REACHED,
	COLUMN_TOLD,
	COLUMN_FROM,
	COLUMN_TO,
	COLUMN_BASIS,
	COLUMN_COUNT
};

static const struct out_column columns[COLUMN_COUNT] = {
	[COLUMN_NAME] = {"name", "NAME", OUT_TEXT, 0},
	[COLUMN_OF] = {"of", "OF", OUT_TEXT, 5},
	[COLUMN_PERIOD] = {"period", "PERIOD", OUT_TEXT, 6},
	[COLUMN_CLASS] = {"class", "CLASS", OUT_TEXT, 7},
	[COLUMN_DIRECTION] = {"direction", "DIRECTION", OUT_TEXT, 4},
	[COLUMN_USED] = {"used", "USED", OUT_BYTES, 0},
	[COLUMN_LIMIT] = {"limit", "LIMIT", OUT_BYTES, 0},
	[COLUMN_PERCENT] = {"percent", "%", OUT_NUMBER, 0},
	[COLUMN_PROJECTED] = {"projected", "PROJECTED", OUT_BYTES, 3},
	[COLUMN_EXPECTED] = {"expected", "EXPECTED", OUT_TIME, 2},
	[COLUMN_REACHED] = {"reached", "REACHED", OUT_TIME, 0},
	[COLUMN_TOLD] = {"percent_told", NULL, OUT_NUMBER, 0},
	[COLUMN_FROM] = {"from", NULL, OUT_TIME, 0},
	[COLUMN_TO] = {"to", "UNTIL", OUT_TIME, 1},
	[COLUMN_BASIS] = {"basis", NULL, OUT_TEXT, 0},
};

struct answer {
	const struct cli *cli;
	sqlite3 *db;
	struct usage_buckets buckets;
	struct usage_report present; /* its run */
	bool unattributed;
	int64_t begin; /* when xenbwd first ran; -1 */
};

static void put_times(const struct answer *a, struct out_table *t, const struct quota *q,
		      struct quota_span span, uint64_t used)
{
	int64_t from = span.from > a->begin ? span.from : a->begin, seen = a->present.run.seen;
	int64_t expected = used < q->bytes ? quota_expected(used, q->bytes, from, seen, span.to) : -1;

	out_number(t, COLUMN_PROJECTED, percentile_projected(used, from, seen, span.to));
	if (expected >= 0)
		out_number(t, COLUMN_EXPECTED,
			   (uint64_t)(expected - expected % 60)); /* no forecast has seconds */
	out_number(t, COLUMN_FROM, (uint64_t)span.from);
	out_number(t, COLUMN_TO, (uint64_t)span.to);
}

/* What the ledger was told: the highest percentage, and when it was all of the quota. */
static int put_told(const struct answer *a, struct out_table *t, const struct quota *q,
		    struct quota_span span, int64_t bucket, char **err)
{
	struct crossing c = {.bucket = bucket,
			     .from = span.from,
			     .bytes = q->bytes,
			     .period = q->period,
			     .class = q->class,
			     .direction = q->direction};

	if (q->of_owner)
		(void)snprintf(c.owner, sizeof(c.owner), "%s", q->name);
	for (size_t i = 0; i < q->mark_count; i++) {
		int64_t time;

		c.percent = q->marks[i];
		if (quota_usage_crossed(a->db, &c, &time, err) < 0)
			return -1;
		if (time)
			out_number(t, COLUMN_TOLD, c.percent);
		if (time && c.percent == 100)
			out_number(t, COLUMN_REACHED, (uint64_t)time);
	}
	return 0;
}

static int put_quota(const struct answer *a, struct out_table *t, const struct quota *q, char **err)
{
	const struct conf *conf = &a->cli->conf;
	unsigned day = q->of_owner ? conf->billing.day : billing_day_of(&conf->billing, q->name);
	struct quota_span span = quota_span(q->period, day, a->cli->now);
	struct class_bytes moved = {0};
	size_t count;
	int64_t *buckets = quota_usage_buckets(conf, q, &a->buckets, &count);
	int rc = quota_usage_add(a->db, span.from, span.to, buckets, count, &moved, err);
	uint64_t used = quota_used(q, &moved, a->unattributed);

	out_row(t);
	out_text(t, COLUMN_NAME, q->name);
	out_text(t, COLUMN_OF, q->of_owner ? "owner" : "bucket");
	out_text(t, COLUMN_PERIOD, quota_period_word(q->period));
	out_text(t, COLUMN_CLASS, quota_class_word(q->class));
	out_text(t, COLUMN_DIRECTION, quota_direction_word(q->direction));
	out_number(t, COLUMN_USED, used);
	out_number(t, COLUMN_LIMIT, q->bytes);
	out_number(t, COLUMN_PERCENT, quota_permille(used, q->bytes) / 10);
	out_text(t, COLUMN_BASIS, "ip");
	put_times(a, t, q, span, used);
	if (rc == 0 && count)
		rc = put_told(a, t, q, span, q->of_owner ? 0 : buckets[0], err);
	else if (rc == 0)
		cli_note("the ledger has no %s `%s` yet", q->of_owner ? "domain of the owner" : "bucket",
			 q->name);
	free(buckets);
	return rc;
}

static int read_answer(struct answer *a, char **err)
{
	int64_t open_slot;

	if (usage_read_buckets(a->db, &a->buckets, err) < 0 ||
	    quota_usage_charging(a->db, &a->unattributed, &open_slot, err) < 0 ||
	    usage_read_begin(a->db, &a->begin, err) < 0)
		return -1;
	/* of no slot: only what it says of the last run is wanted */
	return usage_read_report(a->db, USAGE_BY_BUCKET, 0, 0, NULL, 0, &a->present, err);
}

static int answer(struct answer *a, char **err)
{
	const struct cli *cli = a->cli;
	struct out_table *t = out_new(columns, COLUMN_COUNT);
	int rc = 0, status = CLI_FAILED;

	out_head_text(t, "command", "quota");
	out_head_time(t, "time", cli->now);
	out_head_time(t, "seen", a->present.run.boot ? a->present.run.seen : -1);
	out_head_text(t, "timezone", cli->conf.timezone);
	out_head_text(t, "ledger", cli->conf.ledger);
	out_head_text(t, "basis", "ip");
	for (size_t i = 0; rc == 0 && i < cli->conf.quotas.count; i++)
		rc = put_quota(a, t, &cli->conf.quotas.list[i], err);
	if (rc == 0)
		status = cli_write(cli, t, "quotas", err);
	if (rc == 0 && cli->format == OUT_TERMINAL) {
		char *seen = a->present.run.boot ? period_local(a->present.run.seen) : NULL;

		cli_say(cli,
			"IP bytes up to %s. PROJECTED: at the period's end; EXPECTED: when the limit is "
			"reached, if it goes on as so far.",
			seen ? seen : "nobody's commit yet");
		free(seen);
	}
	out_free(t);
	return status;
}

int cli_quota(struct cli *cli, char **err)
{
	struct answer a = {.cli = cli, .begin = -1};
	struct ledger_file file;
	int status = CLI_FAILED;

	if (cli_configure(cli, err) < 0)
		return CLI_FAILED;
	if (cli->conf.quotas.count == 0 && cli->format == OUT_TERMINAL) {
		cli_say(cli, "The configuration has no quota; see `quota` in xenbw.conf(5).");
		return CLI_OK;
	}
	if (cli_open_ledger(cli, &file, err) < 0)
		return CLI_FAILED;
	a.db = file.db;
	if (read_answer(&a, err) == 0)
		status = answer(&a, err);
	usage_report_free(&a.present);
	usage_buckets_free(&a.buckets);
	ledger_file_close(&file);
	return status;
}
