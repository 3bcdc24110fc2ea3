/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/classifier.h"
#include "daemon/daemon.h"
#include "db/ledger_forget.h"
#include "db/ledger_merge.h"
#include "db/ledger_retain.h"
#include "db/retain.h"

#define FORGET_BUCKETS 500 /* that are looked at */
#define RETIRE_ROWS 2000   /* in one transaction, or a whole slot */
#define FOLD_TAKES \
	20000 /* in one transaction, so that the loop is not held up for long; a commit has fewer */
#define MERGE_EPOCHS 20000 /* as well */

/* What a dump of the counters is for. */
struct reading {
	struct daemon *d;
	unsigned *restarted; /* devices whose counters began anew */
	size_t count, room;
};

static void on_counters(void *ctx, unsigned ifindex, const struct counters *counters)
{
	struct reading *r = ctx;

	if (!account_reading(r->d->account, ifindex, counters))
		return;
	if (r->count == r->room) {
		r->room = r->room ? r->room * 2 : 16;
		r->restarted = mem_resize(r->restarted, r->room, sizeof(*r->restarted));
	}
	r->restarted[r->count++] = ifindex;
}

/* Present rates: from window to window of at least a poll's length; readings that events caused do not cut it
 * short. */
static void measure_rates(struct daemon *d, struct mono now)
{
	for (struct followed *f = d->followed; f; f = f->hh.next) {
		int64_t ns = now.ns - f->window_start.ns;
		uint64_t moved[DIR_COUNT];

		if (ns < (int64_t)d->conf->poll * 900000000)
			continue;
		account_moved(d->account, f->vif, moved);
		for (int dir = 0; dir < DIR_COUNT; dir++) {
			f->rate[dir] =
				(uint64_t)((double)(moved[dir] - f->moved[dir]) * 1e9 / (double)ns + 0.5);
			f->moved[dir] = moved[dir];
		}
		f->window_ms = (uint32_t)(ns / 1000000);
		f->window_start = now;
	}
}

/* With each commit, what every sink has passed by then of complete slots: as many takes as no commit has, so
 * that what waited for a sink goes away in the end. */
static void fold(struct daemon *d)
{
	char *err = NULL;
	int64_t open_slot = account_open_slot(d->account);
	int rc = ledger_fold(d->ledger, open_slot, FOLD_TAKES, &err);

	if (rc == 0)
		rc = ledger_merge(d->ledger, open_slot, MERGE_EPOCHS, &err);
	trouble_is(&d->no_fold, rc < 0 ? err : NULL);
}

/* What leaves the ledger does so for good: not by a clock that may be wrong. */
static void look_at_clock(struct daemon *d)
{
	int64_t step = steady_look(&d->steady, clock_wall(), clock_mono());

	if (step && d->conf->retain)
		log_warn("the clock was set %s by %" PRId64
			 " s: `retain` waits until it has gone evenly for a day",
			 step > 0 ? "forward" : "back", step > 0 ? step : -step);
}

static bool may_retire(const struct daemon *d)
{
	return d->conf->retain && steady_is(&d->steady);
}

/* Old slots leave, a few with each commit. */
static void retire(struct daemon *d)
{
	bool held = false;
	char *err = NULL;
	int rc = 0;

	if (may_retire(d))
		rc = ledger_retire(d->ledger, retain_begin(clock_wall(), conf_kept_months(d->conf)),
				   RETIRE_ROWS, &held, &err);
	trouble_is(&d->no_retire, rc < 0 ? err : NULL);
	if (rc < 0 || !may_retire(d) || held == d->retire_held)
		return;
	d->retire_held = held;
	if (held)
		log_warn("`retain %u months` is held up: slots that old are in the ledger that xenbw-writer "
			 "has not "
			 "passed on yet; they stay until it has (`xenbw doctor` says which sink)",
			 d->conf->retain);
	else
		log_info("`retain` is not held up any more");
}

/* With each complete slot, domains that have been gone for long. */
static void forget(struct daemon *d)
{
	struct ledger_forgotten f;
	char *err = NULL;
	int rc;

	if (!may_retire(d))
		return;
	rc = ledger_forget(d->ledger, retain_begin(clock_wall(), conf_kept_months(d->conf)), FORGET_BUCKETS,
			   account_is_idle, d->account, &f, &err);
	if (rc == 0)
		account_forget(d->account, &f);
	ledger_forgotten_free(&f);
	trouble_is(&d->no_forget, rc < 0 ? err : NULL);
}

void poll_now(struct daemon *d, bool patient)
{
	const struct account_look *look = NULL;
	struct reading r = {.d = d};
	struct mono counted;
	char *err = NULL;
	int64_t open_slot = account_open_slot(d->account);

	log_tell();
	follow_events(d);
	follow_carriers(d);
	account_begin(d->account, clock_wall());
	counted = clock_mono();
	trouble_is(&d->no_counters, stats_dump(d->stats, on_counters, &r, &err) < 0 ? err : NULL);
	d->last_poll = clock_mono();
	for (size_t i = 0; i < r.count; i++)
		follow_restarted(d, r.restarted[i]);
	free(r.restarted);
	if (d->classifier) {
		look = classifier_look(d->classifier, counted, patient);
		if (!look)
			return;
	}
	account_settle(d->account, look);
	measure_rates(d, d->last_poll);
	if (account_open_slot(d->account) == open_slot && !d->urgent &&
	    d->last_poll.ns - d->last_commit.ns < (int64_t)d->conf->flush * 1000000000)
		return;
	look_at_clock(d);
	if (!poll_commit(d, false, false))
		return;
	retire(d);
	fold(d);
	/* A slot may have become complete with a commit that was refused, or by a jump of the clock. */
	if (account_open_slot(d->account) != d->told_slot) {
		forget(d);
		d->told_slot = account_open_slot(d->account);
		feed_tell(d->feed);
	} else if (d->conf->database == DATABASE_MYSQL || d->quotas) { /* both grow with each flush */
		feed_tell(d->feed);
	}
}

bool poll_commit(struct daemon *d, bool ended, bool left)
{
	struct ledger_batch batch;
	char *err = NULL;
	int rc;

	account_batch(d->account, &batch);
	batch.ended = ended;
	batch.left = left;
	batch.steady = d->steady.since;
	batch.position = d->classifier ? classifier_position(d->classifier) : 0;
	rc = ledger_commit(d->ledger, &batch, &err);
	account_batch_free(&batch);
	trouble_is(&d->no_commit, rc < 0 ? err : NULL);
	d->last_commit = clock_mono(); /* a refused commit is offered again at the next flush */
	d->urgent = false;
	if (rc < 0)
		return false;
	account_committed(d->account);
	d->position = batch.position;
	d->committed = true;
	return true;
}

static void on_baseline(void *ctx, unsigned ifindex, const struct counters *counters)
{
	account_baseline(ctx, ifindex, counters);
}

int poll_baseline(struct daemon *d, char **err)
{
	return stats_dump(d->stats, on_baseline, d->account, err);
}
