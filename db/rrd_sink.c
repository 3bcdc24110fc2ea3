/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/rrd_sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/ledger_file.h"
#include "db/rrd.h"
#include "db/rrd_source.h"

#define WINDOW (30 * 86400L) /* how much of one lagging file is in memory at a time */

#define ENOUGH (WINDOW / RRD_STEP) /* updates of lagging files that are written together */

/* The clocks of two programs on one host agree; more than this ahead is a file that somebody dated wrongly.
 */
#define AHEAD 300

/* What was said of a file. */
struct note {
	char *name;
	int cause;       /* of its last failure; RRD_FINE */
	int64_t written; /* where this process left it; 0: not touched yet */
	bool shared;     /* it was said that another program writes it too */
	int64_t bucket,
		until; /* of this bucket nothing before this is to be written: it has that, or was removed */
	UT_hash_handle hh;
};

struct rrd_sink {
	char *ledger, *path;
	struct sink_host host;
	struct note *notes;
	int64_t done;         /* open_slot of the last whole pass */
	int64_t acknowledged; /* newest sequence that was handed out */
};

/* One bucket's file in a pass. */
struct item {
	const struct rrd_bucket *bucket;
	char *name;
	struct rrd_state state;
	bool adopted; /* it was another label's file until this pass */
	enum rrd_mode mode;
	int64_t from; /* the first slot that it may need */
	bool failed;
};

/* Jobs that are done together, for each start of xenbw-rrd takes its time. A file has one at most. */
struct load {
	struct rrd_job *jobs;
	struct item **items; /* whose they are */
	size_t count, room, updates;
};

struct pass {
	struct rrd_sink *sink;
	sqlite3 *ledger;
	struct rrd_dir dir;
	struct rrd_batch batch;
	struct item *items; /* one for each of batch.buckets that may have something to be written */
	size_t count;
	int64_t now;
};

struct rrd_sink *rrd_sink_new(const char *ledger, const char *rrd_dir, const struct sink_host *host)
{
	struct rrd_sink *s = mem_alloc(sizeof(*s));

	s->ledger = mem_strdup(ledger);
	s->path = mem_strdup(rrd_dir);
	s->host = *host;
	return s;
}

void rrd_sink_free(struct rrd_sink *s)
{
	struct note *note, *next;

	HASH_ITER (hh, s->notes, note, next) {
		HASH_DEL(s->notes, note);
		free(note->name);
		free(note);
	}
	free(s->ledger);
	free(s->path);
	free(s);
}

static struct note *note_of(struct rrd_sink *s, const char *name)
{
	struct note *note;

	HASH_FIND_STR(s->notes, name, note);
	if (!note) {
		note = mem_alloc(sizeof(*note));
		note->name = mem_strdup(name);
		HASH_ADD_KEYPTR(hh, s->notes, note->name, strlen(note->name), note);
	}
	return note;
}

/* Is all written that the ledger has of the bucket? Such a file is not even opened: a ledger knows every
 * bucket that ever was. */
static bool is_settled(const struct rrd_sink *s, const struct rrd_bucket *bucket, const char *name)
{
	const struct note *note;

	HASH_FIND_STR(s->notes, name, note);
	return note && note->bucket == bucket->id && note->until >= bucket->ends;
}

static void settle(const struct pass *p, const struct item *item)
{
	struct note *note = note_of(p->sink, item->name);

	note->bucket = item->bucket->id;
	note->until = item->bucket->ends;
}

/* Was it taken away since this process saw it, or made it, and is its bucket over? Not where it was taken
 * away because something was wrong with it. */
static bool is_removed(const struct pass *p, const struct item *item)
{
	return item->state.outcome.cause == RRD_MISSING && item->bucket->ends <= p->sink->done &&
	       note_of(p->sink, item->name)->cause == RRD_FINE;
}

/* Says what is wrong with a file, once for each cause; or that it is well again. */
static void note_outcome(const struct pass *p, const char *name, const struct rrd_outcome *o)
{
	struct note *note = note_of(p->sink, name);

	if (o->cause == note->cause)
		return;
	note->cause = o->cause;
	if (o->cause == RRD_FINE)
		sink_say(&p->sink->host, SINK_INFO, "RRD file %s/%s is written again", p->dir.path, name);
	else
		sink_say(&p->sink->host, SINK_WARNING,
			 "RRD file %s/%s is not written: %s; the ledger keeps what it lacks", p->dir.path,
			 name, o->reason);
}

static char *utc_text(int64_t when)
{
	time_t t = (time_t)when;
	struct tm tm;
	char text[64];

	if (!gmtime_r(&t, &tm) || strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		return mem_printf("%lld seconds after 1970", (long long)when);
	return mem_strdup(text);
}

/* Looks at an existing file's time: one from the future cannot be updated, and one that moved since this
 * process left it has another writer. */
static void check_time(const struct pass *p, struct item *item)
{
	struct note *note = note_of(p->sink, item->name);
	int64_t last = item->state.tail.last_update;
	char *when = utc_text(last);

	if (last > p->now + AHEAD && last > p->batch.open_slot + AHEAD) {
		item->state.outcome.cause = RRD_FUTURE;
		snprintf(item->state.outcome.reason, RRD_REASON,
			 "its last update, %s, lies in the future; move it away, and it is made anew from "
			 "the ledger",
			 when);
	} else if (note->written && last > note->written && !note->shared) {
		sink_say(&p->sink->host, SINK_WARNING,
			 "RRD file %s/%s is also written by another program, last at %s; stop that one (an "
			 "old "
			 "cron job?), "
			 "else both spoil the file",
			 p->dir.path, item->name, when);
		note->shared = true;
	}
	free(when);
}

static int read_states(struct pass *p, char **err)
{
	size_t count = p->count;
	const char **names = mem_array(count, sizeof(*names));
	struct rrd_state *states = mem_array(count, sizeof(*states));
	int rc;

	for (size_t i = 0; i < count; i++)
		names[i] = p->items[i].name;
	rc = rrd_dir_read(&p->dir, names, count, states, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		p->items[i].state = states[i];
	free(states);
	free(names);
	return rc;
}

/* Gives the bucket the file of a former label. Where that fails the bucket is not written, so that its
 * history does not end up in two files. Returns whether it did. */
static bool adopt(const struct pass *p, struct item *item, const char *name)
{
	char *err = NULL;

	if (rrd_dir_rename(&p->dir, name, item->name, &err) < 0) {
		item->state.outcome.cause = RRD_NOT_MOVED;
		snprintf(item->state.outcome.reason, RRD_REASON, "%s", err);
		free(err);
		return false;
	}
	sink_say(&p->sink->host, SINK_INFO, "RRD file %s/%s is now %s, as its label changed", p->dir.path,
		 name, item->name);
	item->adopted = true;
	return true;
}

/* Looks for the file of the bucket's latest former label that has one, and renames it, unless another bucket
 * got that label and has written to the file since. Returns 1 if it did. */
static int adopt_former(struct pass *p, struct item *item, char **err)
{
	struct rrd_formers formers;
	bool found = false, adopted = false;
	int rc = 0;

	if (rrd_source_formers(p->ledger, item->bucket->id, &formers, err) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && !found && i < formers.count; i++) {
		char *name = rrd_file_name(formers.list[i].label);
		const char *names[] = {name};
		struct rrd_state state;

		rc = rrd_dir_read(&p->dir, names, 1, &state, err);
		found = rc == 0 && state.outcome.cause != RRD_MISSING;
		/* the time of a slot's end: the slot itself began before */
		if (found && state.outcome.cause == RRD_FINE &&
		    state.tail.last_update - RRD_STEP < formers.list[i].taken)
			adopted = adopt(p, item, name);
		else if (found && state.outcome.cause == RRD_LOCKED)
			item->state.outcome = state.outcome; /* the next slot tries again */
		free(name);
	}
	rrd_formers_free(&formers);
	return rc < 0 ? -1 : adopted;
}

/* Until nothing moves any more: a file that moves may make room for another. Each bucket gets one file at
 * most, so this ends even where two buckets changed their labels over. */
static int adopt_formers(struct pass *p, char **err)
{
	bool moved;

	do {
		moved = false;
		for (size_t i = 0; i < p->count; i++) {
			struct item *item = &p->items[i];
			int rc;

			if (item->state.outcome.cause != RRD_MISSING || item->adopted)
				continue;
			rc = adopt_former(p, item, err);
			if (rc < 0)
				return -1;
			moved |= rc == 1;
		}
		if (moved && read_states(p, err) < 0)
			return -1;
	} while (moved);
	return 0;
}

/* Where to go on, and whether there is anything to write at all. */
static bool needs_writing(const struct pass *p, struct item *item)
{
	int64_t last = item->state.tail.last_update, oldest = p->batch.open_slot - RRD_SPAN;

	item->from = rrd_slot_of(last);
	if (item->from < item->bucket->begins)
		item->from = item->bucket->begins;
	if (item->from < oldest)
		item->from = oldest;
	return last < item->bucket->ends && item->from < item->bucket->ends;
}

static void note_written(const struct pass *p, const struct item *item, const struct rrd_job *job,
			 const struct rrd_outcome *o)
{
	bool whole = job->mode == RRD_GO_ON || job->place;

	if (job->updates.count == 0 && job->mode != RRD_BUILD)
		return;
	if (o->cause != RRD_FINE || whole)
		note_outcome(p, item->name, o);
	if (o->cause != RRD_FINE || !whole)
		return;
	note_of(p->sink, item->name)->written = item->state.tail.last_update;
	if (job->place)
		sink_say(&p->sink->host, SINK_DEBUG, "RRD file %s/%s is new", p->dir.path, item->name);
}

static struct rrd_job make_job(struct item *item, int64_t from, int64_t to, const struct rrd_usage *usage)
{
	struct rrd_job job = {.name = item->name,
			      .mode = item->mode,
			      .after = item->state.tail.last_update,
			      .columns = item->state.columns};

	job.place = item->mode != RRD_GO_ON && to >= item->bucket->ends;
	rrd_plan(&item->state.tail, from, to, usage, &job.updates);
	return job;
}

static void add_job(struct load *load, struct item *item, int64_t from, int64_t to,
		    const struct rrd_usage *usage)
{
	if (load->count == load->room) {
		load->room = load->room ? load->room * 2 : 64;
		load->jobs = mem_resize(load->jobs, load->room, sizeof(*load->jobs));
		load->items = mem_resize(load->items, load->room, sizeof(*load->items));
	}
	load->jobs[load->count] = make_job(item, from, to, usage);
	load->items[load->count] = item;
	load->updates += load->jobs[load->count].updates.count;
	load->count++;
}

static void empty(struct load *load)
{
	for (size_t i = 0; i < load->count; i++)
		free(load->jobs[i].updates.list);
	load->count = load->updates = 0;
}

/* Writes what is in it, and empties it. */
static int write_load(const struct pass *p, struct load *load, char **err)
{
	struct rrd_outcome *outcomes = mem_array(load->count, sizeof(*outcomes));
	int rc = rrd_dir_write(&p->dir, load->jobs, load->count, outcomes, err);

	for (size_t i = 0; rc == 0 && i < load->count; i++) {
		const struct rrd_job *job = &load->jobs[i];

		note_written(p, load->items[i], job, &outcomes[i]);
		load->items[i]->failed = outcomes[i].cause != RRD_FINE;
		if (job->mode == RRD_BEGIN && job->updates.count > 0)
			load->items[i]->mode = RRD_BUILD;
	}
	free(outcomes);
	empty(load);
	return rc;
}

/* Adds one file that lags behind the batch, window after window; all but the last are written at once.
 * Returns 1 if it must stop. */
static int add_lagging(const struct pass *p, struct load *load, struct item *item, char **err)
{
	for (int64_t from = item->from, to; !item->failed && from < item->bucket->ends; from = to) {
		struct rrd_usage usage;

		if (p->sink->host.must_stop(p->sink->host.arg))
			return 1;
		to = from + WINDOW < p->batch.open_slot ? from + WINDOW : p->batch.open_slot;
		if (rrd_source_usage(p->ledger, item->bucket->id, from, to, &usage, err) < 0)
			return -1;
		add_job(load, item, from, to, &usage);
		rrd_usage_free(&usage);
		if ((to < item->bucket->ends || load->updates >= ENOUGH) && write_load(p, load, err) < 0)
			return -1;
	}
	return 0;
}

/* Files whose next slots are all in the batch go first. */
static int write_items(const struct pass *p, struct load *load, struct item *const *lagging, size_t count,
		       char **err)
{
	int rc = write_load(p, load, err);

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = add_lagging(p, load, lagging[i], err);
	if (rc >= 0 && write_load(p, load, err) < 0)
		rc = -1;
	return rc;
}

static int write_files(struct pass *p, char **err)
{
	struct item **lagging = mem_array(p->count, sizeof(struct item *));
	struct load load = {0};
	size_t count = 0;
	int rc;

	for (size_t i = 0; i < p->count; i++) {
		struct item *item = &p->items[i];

		if (item->state.outcome.cause == RRD_FINE)
			check_time(p, item);
		if (item->state.outcome.cause != RRD_FINE && item->state.outcome.cause != RRD_MISSING) {
			note_outcome(p, item->name, &item->state.outcome);
			continue;
		}
		if (!needs_writing(p, item) || is_removed(p, item)) {
			settle(p, item);
			continue;
		}
		item->mode = item->state.outcome.cause == RRD_MISSING ? RRD_BEGIN : RRD_GO_ON;
		if (item->from >= p->batch.since)
			add_job(&load, item, item->from, p->batch.open_slot, &item->bucket->usage);
		else
			lagging[count++] = item;
	}
	rc = write_items(p, &load, lagging, count, err);
	empty(&load);
	free(load.jobs);
	free(load.items);
	free(lagging);
	return rc;
}

static int run_pass(struct pass *p, char **err)
{
	int rc;

	p->items = mem_array(p->batch.count, sizeof(*p->items));
	for (size_t i = 0; i < p->batch.count; i++) {
		const struct rrd_bucket *bucket = &p->batch.buckets[i];
		char *name = rrd_file_name(bucket->label);

		if (is_settled(p->sink, bucket, name))
			free(name);
		else
			p->items[p->count++] = (struct item){.bucket = bucket, .name = name};
	}
	rc = read_states(p, err);
	if (rc == 0)
		rc = adopt_formers(p, err);
	if (rc == 0)
		rc = write_files(p, err);
	for (size_t i = 0; i < p->count; i++)
		free(p->items[i].name);
	free(p->items);
	return rc;
}

static int pass_with_ledger(struct pass *p, int64_t *seq, char **err)
{
	struct rrd_sink *s = p->sink;
	int64_t open_slot, newest;
	int rc;

	if (rrd_source_open_slot(p->ledger, &open_slot, err) < 0)
		return -1;
	if (open_slot == s->done)
		return 0;
	if (rrd_source_batch(p->ledger, s->done, &p->batch, err) < 0)
		return -1;
	rc = rrd_dir_open(&p->dir, s->path, err);
	if (rc == 0) {
		rc = run_pass(p, err);
		rrd_dir_close(&p->dir);
	}
	if (rc == 0) {
		s->done = p->batch.open_slot;
		newest = p->batch.seq;
		if (newest > s->acknowledged && newest > p->batch.passed) {
			s->acknowledged = newest;
			*seq = newest;
		}
	}
	rrd_batch_free(&p->batch);
	return rc;
}

int rrd_sink_pass(struct rrd_sink *s, int64_t now, int64_t *seq, char **err)
{
	struct ledger_file ledger;
	struct pass p = {.sink = s, .now = now};
	int rc = ledger_file_open_reader(&ledger, s->ledger, err);

	*seq = 0;
	if (rc != 0)
		return rc;
	p.ledger = ledger.db;
	rc = pass_with_ledger(&p, seq, err);
	ledger_file_close(&ledger);
	return rc;
}
