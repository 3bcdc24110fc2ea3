/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host_daemon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/alias.h"
#include "daemon/classifier.h"

/* ---- what daemon/ leans on; the linker gives it the ledger's by these names ---- */

int __wrap_ledger_commit(struct ledger *l, const struct ledger_batch *batch, char **err);
int __wrap_ledger_fold(struct ledger *l, int64_t open_slot, unsigned limit, char **err);
int64_t __wrap_account_vif_here(struct account *a, const struct account_vif_facts *f, char **warning);
int64_t __real_account_vif_here(struct account *a, const struct account_vif_facts *f, char **warning);
int __real_ledger_commit(struct ledger *l, const struct ledger_batch *batch, char **err);
int __real_ledger_fold(struct ledger *l, int64_t open_slot, unsigned limit, char **err);
int __wrap_ledger_merge(struct ledger *l, int64_t open_slot, unsigned limit, char **err);
int __real_ledger_merge(struct ledger *l, int64_t open_slot, unsigned limit, char **err);

/* There is one host at a time: clocks have no argument. */
static struct host *present;

int64_t clock_wall(void)
{
	return present->now + present->clock_error;
}

struct mono clock_mono(void)
{
	return (struct mono){present->now * 1000000000};
}

int __wrap_ledger_commit(struct ledger *l, const struct ledger_batch *batch, char **err)
{
	struct host *h = present;

	(void)l;
	if (h->refuses)
		return err_set(err, "the ledger refuses");
	memory_ledger_commit(h->ledger, h->boot, batch);
	if (h->disk && __real_ledger_commit(h->disk, batch, err) < 0)
		sim_fail(h->sim, "%s", *err);
	host_was_committed(h);
	return 0;
}

int __wrap_ledger_fold(struct ledger *l, int64_t open_slot, unsigned limit, char **err)
{
	(void)l;
	if (present->disk && __real_ledger_fold(present->disk, open_slot, limit, err) < 0)
		sim_fail(present->sim, "%s", *err);
	return 0;
}

int __wrap_ledger_merge(struct ledger *l, int64_t open_slot, unsigned limit, char **err)
{
	(void)l;
	if (present->disk && __real_ledger_merge(present->disk, open_slot, limit, err) < 0)
		sim_fail(present->sim, "%s", *err);
	return 0;
}

int64_t __wrap_account_vif_here(struct account *a, const struct account_vif_facts *f, char **warning)
{
	present->gone_through++;
	return __real_account_vif_here(a, f, warning);
}

void classifier_follow(struct classifier *c)
{
	(void)c;
}

const struct account_look *classifier_look(struct classifier *c, struct mono counted, bool patient)
{
	(void)c;
	(void)counted;
	(void)patient;
	return NULL;
}

uint64_t classifier_position(const struct classifier *c)
{
	(void)c;
	return 0;
}

bool daemon_alias_tell(struct daemon_alias *a, unsigned ifindex, const char *domain)
{
	(void)a;
	(void)ifindex;
	(void)domain;
	return true;
}

void feed_tell(struct feed *f)
{
	(void)f;
}

static void nothing(const char *fmt, ...)
{
	(void)fmt;
}

void log_err(const char *fmt, ...)
{
	nothing(fmt);
}

void log_warn(const char *fmt, ...)
{
	nothing(fmt);
}

void log_info(const char *fmt, ...)
{
	nothing(fmt);
}

void log_debug(const char *fmt, ...)
{
	nothing(fmt);
}

void log_err_about(const char *object, const char *fmt, ...)
{
	(void)object;
	(void)fmt;
}

void log_warn_about(const char *object, const char *fmt, ...)
{
	(void)object;
	(void)fmt;
}

void log_info_about(const char *object, const char *fmt, ...)
{
	(void)object;
	(void)fmt;
}

void log_tell(void)
{
}

bool log_helpers_to_syslog(void)
{
	return false;
}

/* ---- its life ---- */

/* Where nothing but states changed, nobody is told of all vifs again: a guest could have it done all the
 * time.
 */
void host_poll(struct host *h)
{
	unsigned before = h->gone_through;
	bool calm = h->d && !h->d->follow_again && !h->queued && !h->overrun;

	if (!h->d)
		return;
	poll_now(h->d, true);
	if (calm && h->news != DIRECTORY_CHANGED && h->gone_through != before)
		sim_fail(h->sim, "vifs were gone through though none has changed");
}

static void mark_baseline(struct host *h, struct dev *v)
{
	(void)h;
	for (int d = 0; d < DIR_COUNT; d++)
		v->read.flowed[d] = v->committed.flowed[d] = v->flowed[d];
	v->read.raw = v->committed.raw = v->raw;
}

void host_start(struct host *h)
{
	struct account_settings settings = {.boot = h->boot, .late = POLL};
	struct ledger_state state = memory_ledger_state(h->ledger, h->boot);
	char *err = NULL;

	present = h;
	h->conf.poll = POLL;
	h->conf.flush = FLUSH;
	h->d = mem_alloc(sizeof(*h->d));
	h->d->conf = &h->conf;
	h->d->last_poll = h->d->last_commit = clock_mono();
	host_links_open(h);
	host_store_open(h);
	h->d->account = account_new(&settings, &state, clock_wall());
	if (state.first_run) {
		unsigned fails = h->netlink_fails;

		h->netlink_fails = 0;
		assert_int_equal(poll_baseline(h->d, &err), 0);
		h->netlink_fails = fails;
		host_each_dev(h, mark_baseline);
	}
	ledger_state_free(&state);
	follow_restored(h->d);
	h->d->urgent = true;
	h->starts++;
	host_poll(h);
}

static void release(struct host *h)
{
	host_links_close(h);
	host_store_close(h);
	follow_free(h->d);
	account_free(h->d->account);
	free(h->d->no_xenstore.reason);
	free(h->d->no_links.reason);
	free(h->d->no_counters.reason);
	free(h->d->no_commit.reason);
	free(h->d->no_fold.reason);
	free(h->d);
	h->d = NULL;
	host_was_forgotten(h);
}

void host_stop(struct host *h)
{
	if (!h->d)
		return;
	host_poll(h);
	(void)poll_commit(h->d, true, false);
	release(h);
}

void host_kill(struct host *h)
{
	if (!h->d)
		return;
	h->kills++;
	release(h);
}
