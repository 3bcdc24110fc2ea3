/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/quotas.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/hook.h"
#include "db/ledger_crossing.h"

#define RETRY_SECONDS 60 /* after a hook that could not be called */
#define LAST_MS 2000
#define UNKNOWN "not known: xenbwd, xenbw-hook or the host ended meanwhile"

struct daemon_quotas {
	struct daemon *d;
	struct event *on_answer; /* NULL: nobody calls */
	struct mono retry_at;    /* before which no hook is called */
	struct trouble no_hook, no_ledger;
};

/* ---- what is told ---- */

/* Which of the configuration's quotas it is of; NULL: of none. */
static const struct quota *quota_of(const struct conf *conf, const struct crossing *c)
{
	for (size_t i = 0; i < conf->quotas.count; i++) {
		const struct quota *q = &conf->quotas.list[i];

		if (q->period == c->period && q->class == c->class && q->direction == c->direction &&
		    q->bytes == c->bytes && q->of_owner == (c->bucket == 0) &&
		    strcmp(q->name, q->of_owner ? c->owner : c->label) == 0)
			return q;
	}
	return NULL;
}

static bool is_sound(const struct conf *conf, struct crossing *c)
{
	const struct quota *q;

	c->owner[CROSSING_NAME - 1] = c->label[CROSSING_NAME - 1] = '\0';
	q = quota_of(conf, c);
	for (size_t i = 0; q && c->from < c->to && i < q->mark_count; i++)
		if (q->marks[i] == c->percent)
			return true;
	return false;
}

static void log_crossing(const struct crossing *c, const char *then)
{
	const char *name = c->bucket ? c->label : c->owner;

	log_warn_about(name,
		       "quota: %s%s has used %" PRIu64 " bytes (%s, %s, %s), %" PRIu32 " %% of %" PRIu64
		       " are reached; %s",
		       c->bucket ? "" : "owner ", name, c->used, quota_period_word(c->period),
		       quota_class_word(c->class), quota_direction_word(c->direction), c->percent, c->bytes,
		       then);
}

/* ---- calls ---- */

static void not_called(struct daemon_quotas *q, int64_t id, char *why)
{
	char *err = NULL;

	if (ledger_crossing_drop(q->d->ledger, id, &err) < 0)
		log_err("%s; its hook is not called in this period", err);
	free(err);
	q->retry_at = (struct mono){clock_mono().ns + RETRY_SECONDS * INT64_C(1000000000)};
	trouble_is(&q->no_hook, why);
}

/* Into the ledger first: who is killed between the two has called nothing, and the ledger says that it is not
 * known. */
static void call(struct daemon_quotas *q, const struct crossing *c)
{
	struct hook_order order = {
		.magic = HOOK_MAGIC, .seconds = q->d->conf->quota_hook_seconds, .crossing = *c};
	char *err = NULL;
	int rc = ledger_crossing_add(q->d->ledger, c, NULL, &order.id, &err);

	trouble_is(&q->no_ledger, rc < 0 ? err : NULL);
	if (rc <= 0)
		return;
	if (hook_send(q->d->hook, &order, &err) < 0)
		not_called(q, order.id, err);
	else
		log_crossing(c, "quota_hook is called");
}

static void note(struct daemon_quotas *q, const struct crossing *c)
{
	char *err = NULL;
	int64_t id;
	int rc = ledger_crossing_add(q->d->ledger, c, "no quota_hook", &id, &err);

	trouble_is(&q->no_ledger, rc < 0 ? err : NULL);
	if (rc > 0)
		log_crossing(c, "there is no quota_hook");
}

void quotas_crossed(struct daemon_quotas *q, struct crossing *c)
{
	if (!q || !is_sound(q->d->conf, c)) {
		log_warn("xenbw-writer tells of a quota that the configuration does not have; that is passed "
			 "over");
		return;
	}
	if (!q->d->conf->quota_hook)
		note(q, c);
	else if (q->on_answer && hook_is_idle(q->d->hook) && clock_mono().ns >= q->retry_at.ns)
		call(q, c); /* else the writer tells it again */
}

static char *outcome_of(const struct hook_answer *a)
{
	int status = a->status;

	if (a->kind == HOOK_TIMED_OUT)
		return mem_strdup("killed: it took too long");
	if (WIFSIGNALED(status))
		return mem_printf("ended by signal %d", WTERMSIG(status));
	return mem_printf("exit status %d", WEXITSTATUS(status));
}

static void called(struct daemon_quotas *q, const struct hook_answer *a)
{
	char *outcome = outcome_of(a), *err = NULL;

	trouble_is(&q->no_hook, NULL);
	if (a->kind == HOOK_ENDED && a->status == 0)
		log_info("quota_hook: %s", outcome);
	else
		log_err("quota_hook: %s; it is not called again for this", outcome);
	if (ledger_crossing_ended(q->d->ledger, a->id, clock_wall(), outcome, &err) < 0)
		log_warn("%s", err);
	free(err);
	free(outcome);
}

static void take_answer(struct daemon_quotas *q)
{
	struct hook_answer a;
	int rc = hook_receive(q->d->hook, &a);

	if (rc < 0) {
		event_free(q->on_answer);
		q->on_answer = NULL;
	} else if (rc > 0 && a.kind == HOOK_NOT_CALLED) {
		not_called(q, a.id, mem_printf("quota_hook cannot be called: %s", a.why));
	} else if (rc > 0) {
		called(q, &a);
	}
}

static void on_answer(evutil_socket_t fd, short what, void *arg)
{
	struct daemon_quotas *q = arg;

	(void)fd;
	(void)what;
	take_answer(q);
	feed_tell(q->d->feed); /* what is reached as well is told now */
}

/* ---- life ---- */

/* Whose hooks were called, or were about to be, when everything ended. */
static void tell_lost(struct daemon_quotas *q)
{
	char *told = NULL, *err = NULL;
	int rc;

	while ((rc = ledger_crossing_lost(q->d->ledger, hook_busy(q->d->hook), clock_wall(), UNKNOWN, &told,
					  &err)) == 1) {
		log_warn_about(
			told,
			"quota: %s: it is not known how quota_hook ended, or whether it was called, for "
			"xenbwd, xenbw-hook or the host ended meanwhile; it is not called again for this",
			told);
		free(told);
	}
	if (rc < 0)
		log_warn("%s", err);
	free(err);
}

struct daemon_quotas *quotas_new(struct daemon *d)
{
	struct daemon_quotas *q;

	if (d->conf->quotas.count == 0)
		return NULL;
	q = mem_alloc(sizeof(*q));
	q->d = d;
	q->no_hook = (struct trouble){.what = "calling quota_hook",
				      .meanwhile = "what is reached of quotas waits"};
	q->no_ledger = (struct trouble){.what = "writing what is reached of quotas",
					.meanwhile = "quota_hook is not called"};
	tell_lost(q);
	if (hook_fd(d->hook) < 0)
		return q;
	q->on_answer = event_new(d->base, hook_fd(d->hook), EV_READ | EV_PERSIST, on_answer, q);
	if (q->on_answer && event_add(q->on_answer, NULL) == 0)
		return q;
	log_err("cannot wait for xenbw-hook: quota_hook is not called");
	if (q->on_answer)
		event_free(q->on_answer);
	q->on_answer = NULL;
	return q;
}

void quotas_last_word(struct daemon_quotas *q)
{
	struct pollfd p = {.events = POLLIN};

	if (!q || !q->on_answer || hook_busy(q->d->hook) == 0)
		return;
	p.fd = hook_fd(q->d->hook);
	if (poll(&p, 1, LAST_MS) > 0)
		take_answer(q);
}

void quotas_close(struct daemon_quotas *q)
{
	if (!q)
		return;
	if (q->on_answer)
		event_free(q->on_answer);
	free(q->no_hook.reason);
	free(q->no_ledger.reason);
	free(q);
}
