/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/worker.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/privileges.h"
#include "capture/sandbox.h"
#include "capture/table.h"
#include "capture/tap.h"
#include "config/conf.h"
#include "ipc/capture.h"
#include "ipc/packet.h"
#include "net/catch_up.h"

#define NAP_MS 20   /* between two looks into the rings; they hold what comes meanwhile */
#define STEP_MS 2   /* between two where all that has come is waited for … */
#define SHOW_MS 200 /* … which the kernel shows long before */

#define MILLION 1000000

struct worker {
	struct conf conf;
	struct rules *rules;
	struct table *table;
	struct tap **taps; /* two for each device: input, output */
	size_t count;
	struct pollfd *polls;     /* xenbwd, then the taps */
	FILE *backlogs;           /* for catch_up_wait; NULL: there are none */
	struct capture_vif *next; /* who is there after what has come by now; NULL: as the table has it */
	uint32_t next_count;
	uint64_t dropped[DIR_COUNT]; /* since the last answer */
};

/* ---- start and end ---- */

static int read_settings(struct worker *w, bool naccttab, char **err)
{
	w->conf.kind = naccttab ? CONF_NACCTTAB : CONF_XENBW;
	if (conf_receive(&w->conf, CAPTURE_SETTINGS_FD, err) < 0)
		return -1;
	return w->conf.devices.count ? 0 : err_set(err, "the settings name no device to capture on");
}

/* A device that is named twice is one uplink. */
static bool is_repeated(const struct conf_texts *devices, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(devices->list[i], devices->list[n]) == 0)
			return true;
	return false;
}

static int open_device(struct worker *w, const char *device, char **err)
{
	for (int d = 0; d < DIR_COUNT; d++) {
		if (tap_open(&w->taps[w->count], device, d, err) < 0)
			return -1;
		w->count++;
	}
	return 0;
}

static int open_taps(struct worker *w, char **err)
{
	const struct conf_texts *devices = &w->conf.devices;

	w->taps = mem_array(devices->count * DIR_COUNT, sizeof(struct tap *));
	for (size_t i = 0; i < devices->count; i++)
		if (!is_repeated(devices, i) && open_device(w, devices->list[i], err) < 0)
			return -1;
	w->polls = mem_array(w->count + 1, sizeof(*w->polls));
	w->polls[0] = (struct pollfd){.fd = CAPTURE_FD, .events = POLLIN};
	for (size_t i = 0; i < w->count; i++)
		w->polls[i + 1] = (struct pollfd){.fd = tap_fd(w->taps[i]), .events = POLLIN};
	return 0;
}

static void release(struct worker *w)
{
	for (size_t i = 0; i < w->count; i++)
		tap_close(w->taps[i]);
	free(w->taps);
	free(w->polls);
	free(w->next);
	if (w->backlogs)
		fclose(w->backlogs);
	table_free(w->table);
	rules_free(w->rules);
	conf_free(&w->conf);
}

/* ---- frames ---- */

static void on_input(void *ctx, const struct frame *f, int64_t stamp)
{
	table_frame(ctx, DIR_INPUT, f, stamp);
}

static void on_output(void *ctx, const struct frame *f, int64_t stamp)
{
	table_frame(ctx, DIR_OUTPUT, f, stamp);
}

static bool is_behind(const struct worker *w)
{
	for (size_t i = 0; i < w->count; i++)
		if (tap_behind(w->taps[i]))
			return true;
	return false;
}

static int drain_by(struct worker *w, int (*drain)(struct tap *, tap_fn, void *, char **), char **err)
{
	static const tap_fn by_direction[DIR_COUNT] = {on_input, on_output};

	for (size_t i = 0; i < w->count; i++)
		if (drain(w->taps[i], by_direction[i % DIR_COUNT], w->table, err) < 0)
			return -1;
	return 0;
}

static void settle_vifs(struct worker *w)
{
	table_vifs(w->table, w->next, w->next_count);
	free(w->next);
	w->next = NULL;
}

/* Those who were there until an order came have what crossed before it, and nothing of what came after. */
static int drain(struct worker *w, char **err)
{
	if (w->next) {
		if (drain_by(w, tap_drain_marked, err) < 0)
			return -1;
		if (is_behind(w))
			return 0;
		settle_vifs(w);
	}
	return drain_by(w, tap_drain, err);
}

static int drain_all(void *worker, char **err)
{
	return drain(worker, err);
}

static int mark(struct worker *w, char **err)
{
	for (size_t i = 0; i < w->count; i++)
		if (tap_mark(w->taps[i], &w->dropped[i % DIR_COUNT], err) < 0)
			return -1;
	return 0;
}

/* Waits until all that had come at the mark is counted. What the kernel does not show by then has been
 * dropped as far as anybody will know. */
static int see_marked(struct worker *w, char **err)
{
	int64_t end = clock_mono().ns + (int64_t)SHOW_MS * MILLION;

	if (drain(w, err) < 0)
		return -1;
	while (is_behind(w) && clock_mono().ns < end) {
		(void)poll(NULL, 0, STEP_MS);
		if (drain(w, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < w->count; i++)
		w->dropped[i % DIR_COUNT] += tap_give_up(w->taps[i]);
	if (w->next)
		settle_vifs(w);
	return 0;
}

/* ---- orders ---- */

/* Orders may come faster than frames are shown: the last one counts. */
static int take_vifs(struct worker *w, const struct capture_order *o, int table, char **err)
{
	struct capture_vif *vifs = capture_table_unpack(table, o->count, sizeof(*vifs), err);

	if (!vifs)
		return -1;
	if (drain(w, err) < 0) {
		free(vifs);
		return -1;
	}
	free(w->next);
	w->next = vifs;
	w->next_count = o->count;
	return mark(w, err) < 0 ? -1 : drain(w, err);
}

/* The time of frames for a time of clock_mono. Not clock_gettime: frames bear the kernel's own clock, which
 * a test that preloads another clock_gettime does not move. */
static int64_t stamp_of(int64_t mono_ns)
{
	struct timespec t = {0};

	(void)timespec_get(&t, TIME_UTC); /* cannot fail: this clock always exists */
	return (int64_t)t.tv_sec * 1000 * MILLION + t.tv_nsec - (clock_mono().ns - mono_ns);
}

static int answer(struct worker *w, const struct capture_order *o, char **err)
{
	struct capture_answer a = {.magic = CAPTURE_MAGIC, .kind = CAPTURE_SEEN, .serial = o->serial};
	struct capture_seen *seen;
	int table, rc;

	table_late_after(w->table, stamp_of(o->counted_ns));
	/* frames that cross meanwhile would fill a ring that is not read */
	if (catch_up_wait(w->backlogs, drain_all, w, err) < 0 || (w->next && see_marked(w, err) < 0) ||
	    mark(w, err) < 0 || see_marked(w, err) < 0)
		return -1;
	memcpy(a.dropped, w->dropped, sizeof(a.dropped));
	memset(w->dropped, 0, sizeof(w->dropped));
	seen = table_answer(w->table, &a);
	table = capture_table_pack(seen, a.count, sizeof(*seen), err);
	free(seen);
	if (table < 0)
		return -1;
	rc = packet_send(CAPTURE_FD, &a, sizeof(a), &table, 1, err);
	close(table);
	return rc;
}

static int obey(struct worker *w, const struct capture_order *o, int table, char **err)
{
	log_tell();
	if (o->magic == CAPTURE_MAGIC && o->kind == CAPTURE_VIFS)
		return take_vifs(w, o, table, err);
	if (o->magic == CAPTURE_MAGIC && o->kind == CAPTURE_READ)
		return answer(w, o, err);
	return err_set(err, "xenbwd sent a message that is none; it is of another version: reinstall xenbw");
}

/* 1: there may be more; 0: xenbwd has closed its end. */
static int take_order(struct worker *w, char **err)
{
	struct capture_order o;
	int fds[PACKET_FDS], rc = packet_receive(CAPTURE_FD, &o, sizeof(o), fds, err);

	if (rc < 0)
		return *err ? err_add(err, "from xenbwd") : 0;
	if (rc == 0)
		return 1;
	rc = obey(w, &o, fds[0], err);
	packet_close(fds);
	return rc < 0 ? -1 : 1;
}

/* ---- the loop ---- */

static bool any_tap_ready(const struct worker *w)
{
	for (size_t i = 1; i <= w->count; i++)
		if (w->polls[i].revents)
			return true;
	return false;
}

/* Sleeps until there is an order, or a frame; after frames it leaves the taps alone for a nap, so that under
 * load it does not wake for each. */
static int serve(struct worker *w, char **err)
{
	bool nap = false;

	for (;;) {
		int n = poll(w->polls, nap ? 1 : w->count + 1, nap ? NAP_MS : -1);

		if (n < 0 && errno != EINTR)
			return err_sys(err, "cannot wait for frames");
		if (n > 0 && w->polls[0].revents) {
			int rc = take_order(w, err);

			if (rc <= 0)
				return rc;
		}
		nap = !nap && n > 0 && any_tap_ready(w);
		if (nap && drain(w, err) < 0)
			return -1;
	}
}

/* All that will ever be read is open; from here on strangers' packets are. A kernel without such filters is
 * no reason not to look at the uplinks. */
static int confine(char **err)
{
	char *why = NULL;

	if (privileges_drop(err) < 0)
		return -1;
	if (sandbox_enter(&why) < 0)
		log_warn("%s; the worker goes on without that", why);
	free(why);
	return 0;
}

int worker_run(bool naccttab, char **err)
{
	struct worker w = {0};
	int rc;

	conf_init(&w.conf);
	rc = read_settings(&w, naccttab, err);
	if (rc == 0)
		rc = open_taps(&w, err);
	if (rc == 0) {
		w.backlogs = catch_up_open();
		rc = confine(err);
	}
	if (rc == 0) {
		w.rules = rules_new(&w.conf);
		w.table = table_new(w.rules);
		log_debug("captures on %zu device(s)", w.conf.devices.count);
		rc = serve(&w, err);
	}
	release(&w);
	return rc;
}
