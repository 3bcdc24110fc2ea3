/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/worker.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/privileges.h"
#include "ipc/capture.h"
#include "ipc/packet.h"
#include "kernel/book.h"
#include "kernel/hooks.h"
#include "kernel/maps.h"
#include "kernel/show.h"
#include "kernel/who.h"
#include "net/catch_up.h"

#define FOLDER "/sys/fs/bpf/xenbw"

#define LOOKED_AT 32 /* so many vifs at each answer, in turn: a question to the kernel for each program */
#define SLICE_MS 400 /* of putting programs at devices, before orders are looked for again */
#define DUE_MS 1200  /* what a question may wait for the rest of it: xenbwd has patience for some 2 s */

struct worker {
	struct maps *maps;
	struct book *book;
	struct hooks hooks;
	FILE *backlogs; /* for catch_up_wait; NULL: there are none */
	struct who_told told;
	uint64_t position;          /* of the last answer, or where the ledger is; 0: nothing to go on from */
	bool greeted;               /* the settings have come */
	bool leaves;                /* nobody wants to know any more */
	size_t hooked;              /* of the devices: up to here they have their programs */
	struct capture_order asked; /* what is not answered before that; kind 0: nothing */
	struct mono asked_at;
	bool slow;        /* not all had in time, which was told */
	size_t looked_at; /* of the devices, at the last answer: up to here */
};

/* ---- orders ---- */

/* Another xenbwd, perhaps after a KILL: goes on where its ledger is, if that reading is still there. */
static int take_settings(struct worker *w, const struct capture_order *o, int fds[PACKET_FDS], char **err)
{
	struct conf conf;
	int rc, text = fds[0];

	conf_init(&conf);
	conf.kind = o->count ? CONF_NACCTTAB : CONF_XENBW;
	fds[0] = -1; /* closed by who reads it */
	rc = conf_receive(&conf, text, err);
	if (rc == 0)
		rc = maps_set_rules(w->maps, &conf, err);
	conf_free(&conf);
	w->position = book_has(w->book, o->committed) ? o->committed : 0;
	book_back_to(w->book, w->position);
	w->asked = (struct capture_order){0}; /* who asked is no more */
	w->greeted = true;
	return rc;
}

static int take_devices(struct worker *w, const struct capture_order *o, int table, char **err)
{
	free(w->told.devices);
	w->told.device_count = 0;
	w->told.devices = capture_table_unpack(table, o->count, sizeof(*w->told.devices), err);
	if (!w->told.devices)
		return -1;
	w->told.device_count = w->hooked = o->count; /* until the vifs have come, too */
	return 0;
}

static int set_hooks(struct worker *w, const struct capture_device *d, bool *missing, char **err)
{
	int enter = maps_program(w->maps, MAPS_ENTER), deliver = maps_program(w->maps, MAPS_DELIVER);
	int arrive = maps_program(w->maps, MAPS_ARRIVE), leave = maps_program(w->maps, MAPS_LEAVE);

	return d->flags ? hooks_set(&w->hooks, d->ifindex, arrive, leave, missing, err)
			: hooks_set(&w->hooks, d->ifindex, enter, deliver, missing, err);
}

static bool has_programs(const struct capture_device *d)
{
	return !(d->flags & (CAPTURE_BRIDGE | CAPTURE_BELOW));
}

/* What is seen by a new uplink begins now. What somebody took away is put back; what crossed since the last
 * answer is then not known. */
static int hook(struct worker *w, const struct capture_device *d, bool *is_work, char **err)
{
	bool missing, is_noted = hooks_are_noted(&w->hooks, d->ifindex), is_new = d->flags && !is_noted;
	int rc;

	*is_work = false;
	if (!has_programs(d))
		return 0;
	rc = set_hooks(w, d, &missing, err);
	*is_work = !is_noted || missing;
	if (is_new || (rc == 0 && missing))
		w->position = 0;
	if (rc == 0 && missing)
		log_err("a program of ours was taken away from device %u; it is there again, and what moved "
			"meanwhile is unattributed",
			d->ifindex);
	return rc == 1 ? hooks_clear(&w->hooks, d->ifindex, err) : rc;
}

static int unhook_others(struct worker *w, char **err)
{
	uint32_t *kept = mem_array(w->told.device_count + 1, sizeof(*kept));
	size_t count = 0;
	int rc;

	for (size_t i = 0; i < w->told.device_count; i++)
		if (has_programs(&w->told.devices[i]))
			kept[count++] = w->told.devices[i].ifindex;
	rc = hooks_clear_others(&w->hooks, kept, count, err);
	free(kept);
	return rc;
}

static bool is_hooking(const struct worker *w)
{
	return w->hooked < w->told.device_count;
}

/* The kernel waits at each program that comes to a device until no packet is on its way there: some 20 ms a
 * vif, and xenbwd takes who does not answer for one that hangs. */
static int hook_some(struct worker *w, char **err)
{
	int64_t end = clock_mono().ns + (int64_t)SLICE_MS * 1000000;
	bool late = false, is_work;
	int rc = 0;

	while (rc == 0 && is_hooking(w) && !late) {
		rc = hook(w, &w->told.devices[w->hooked++], &is_work, err);
		late = is_work && clock_mono().ns > end; /* those that have theirs are done in no time */
	}
	return rc == 0 && !is_hooking(w) ? unhook_others(w, err) : rc;
}

static int take_vifs(struct worker *w, const struct capture_order *o, int table, char **err)
{
	struct maps_who who;
	int rc;

	free(w->told.vifs);
	w->told.vif_count = 0;
	w->told.vifs = capture_table_unpack(table, o->count, sizeof(*w->told.vifs), err);
	if (!w->told.vifs)
		return -1;
	w->told.vif_count = o->count;
	rc = who_make(&who, &w->told, w->book, err);
	if (rc == 0)
		rc = maps_set_who(w->maps, &who, err);
	who_free(&who);
	w->hooked = 0;
	return rc == 0 ? hook_some(w, err) : rc;
}

static int nothing(void *ctx, char **err)
{
	(void)ctx;
	(void)err;
	return 0;
}

static int mend(struct worker *w, const struct capture_device *d, char **err)
{
	bool is_work;

	return !has_programs(d) || hooks_are_there(&w->hooks, d->ifindex) ? 0 : hook(w, d, &is_work, err);
}

/* Each uplink, and some of the vifs. */
static int mend_all(struct worker *w, char **err)
{
	size_t vifs = 0, from = w->looked_at;

	for (size_t i = 0; i < w->told.device_count; i++)
		if (w->told.devices[i].flags && mend(w, &w->told.devices[i], err) < 0)
			return -1;
	for (size_t i = 0; i < w->told.device_count && vifs < LOOKED_AT; i++) {
		const struct capture_device *d = &w->told.devices[(from + i) % w->told.device_count];

		w->looked_at = (from + i + 1) % w->told.device_count;
		if (d->flags)
			continue;
		vifs++;
		if (mend(w, d, err) < 0)
			return -1;
	}
	return 0;
}

/* Whom xenbwd does not hear any more it has let go; what it has sent before is read on, to its end. */
static int send_answer(const struct capture_answer *a, const int *table, char **err)
{
	int rc = packet_send(CAPTURE_FD, a, sizeof(*a), table, table ? 1 : 0, err);

	if (rc == 0 || errno != EPIPE)
		return rc;
	err_clear(err);
	return 0;
}

static int answer(struct worker *w, const struct capture_order *o, char **err)
{
	struct capture_answer a = {.magic = CAPTURE_MAGIC, .kind = CAPTURE_SEEN, .serial = o->serial};
	struct capture_seen *seen;
	size_t count;
	int table, rc;

	if (mend_all(w, err) < 0)
		return -1;
	a.base = w->position;
	(void)catch_up_wait(w->backlogs, nothing, NULL, NULL);
	seen = book_read(w->book, w->position, o->committed, &count, &a.position, err);
	if (!seen)
		return -1;
	a.count = (uint32_t)count;
	table = capture_table_pack(seen, count, sizeof(*seen), err);
	free(seen);
	if (table < 0)
		return -1;
	w->position = a.position;
	rc = send_answer(&a, &table, err);
	close(table);
	return rc;
}

/* While programs are put at devices: that it looks, and that nothing is known of what moves. */
static int answer_in_between(struct worker *w, const struct capture_order *o, char **err)
{
	const struct capture_answer a = {.magic = CAPTURE_MAGIC, .kind = CAPTURE_SEEN, .serial = o->serial};

	if (!w->slow)
		log_info("putting programs at %zu devices takes a while; until they are there, what moves is "
			 "unattributed",
			 w->told.device_count);
	w->slow = true;
	w->position = 0;
	return send_answer(&a, NULL, err);
}

/* The last question, once all programs are there or it is due: only the last one wants an answer. */
static int answer_asked(struct worker *w, char **err)
{
	struct capture_order o = w->asked;

	if (!is_hooking(w) && w->slow) {
		log_info("all programs are there");
		w->slow = false;
	}
	if (o.kind != CAPTURE_READ ||
	    (is_hooking(w) && clock_mono().ns - w->asked_at.ns < (int64_t)DUE_MS * 1000000))
		return 0;
	w->asked = (struct capture_order){0};
	return is_hooking(w) ? answer_in_between(w, &o, err) : answer(w, &o, err);
}

static void ask(struct worker *w, const struct capture_order *o)
{
	if (w->asked.kind != CAPTURE_READ)
		w->asked_at = clock_mono();
	w->asked = *o;
}

/* ---- taking it away ---- */

static int unpin(char **err)
{
	DIR *folder = opendir(FOLDER);
	struct dirent *e;
	int rc = 0;

	if (!folder)
		return err_sys(err, "cannot read the folder %s", FOLDER);
	while (rc == 0 && (e = readdir(folder)))
		if (e->d_name[0] != '.' && unlinkat(dirfd(folder), e->d_name, 0) < 0)
			rc = err_sys(err, "cannot remove %s/%s", FOLDER, e->d_name);
	closedir(folder);
	/* under xenbwd's unit it is a mount of its own, and stays */
	if (rc == 0 && rmdir(FOLDER) < 0 && errno != EBUSY && errno != EROFS)
		rc = err_sys(err, "cannot remove %s", FOLDER);
	return rc;
}

static int take_away(const struct hooks *hooks, char **err)
{
	return hooks_clear_others(hooks, NULL, 0, err) < 0 ? -1 : unpin(err);
}

static int leave(struct worker *w, char **err)
{
	w->leaves = true;
	if (take_away(&w->hooks, err) < 0)
		return -1;
	log_info("what counted in the kernel is taken away");
	return 0;
}

/* ---- serving ---- */

static int obey(struct worker *w, const struct capture_order *o, int fds[PACKET_FDS], char **err)
{
	log_tell();
	if (o->magic == CAPTURE_MAGIC && o->kind == CAPTURE_SETTINGS)
		return take_settings(w, o, fds, err);
	if (o->magic == CAPTURE_MAGIC && w->greeted && o->kind == CAPTURE_DEVICES)
		return take_devices(w, o, fds[0], err);
	if (o->magic == CAPTURE_MAGIC && w->greeted && o->kind == CAPTURE_VIFS)
		return take_vifs(w, o, fds[0], err);
	if (o->magic == CAPTURE_MAGIC && w->greeted && o->kind == CAPTURE_READ) {
		ask(w, o);
		return 0;
	}
	if (o->magic == CAPTURE_MAGIC && o->kind == CAPTURE_LEAVE)
		return leave(w, err);
	return err_set(err, "xenbwd sent a message that is none; it is of another version: reinstall xenbw");
}

/* 1: there may be more; 0: xenbwd has closed its end, or wants no more. */
static int take_order(struct worker *w, char **err)
{
	struct capture_order o;
	int fds[PACKET_FDS], rc = packet_receive(CAPTURE_FD, &o, sizeof(o), fds, err);

	if (rc < 0)
		return *err ? err_add(err, "from xenbwd") : 0;
	if (rc == 0)
		return 1;
	rc = obey(w, &o, fds, err);
	packet_close(fds);
	return rc < 0 ? -1 : !w->leaves;
}

static int serve(struct worker *w, char **err)
{
	struct pollfd p = {.fd = CAPTURE_FD, .events = POLLIN};
	int rc = 1;

	while (rc > 0) {
		int ready = poll(&p, 1, is_hooking(w) ? 0 : -1);

		if (ready < 0 && errno != EINTR)
			return err_sys(err, "cannot wait for orders");
		if (ready > 0)
			rc = take_order(w, err);
		else if (ready == 0)
			rc = hook_some(w, err) < 0 ? -1 : 1;
		if (rc > 0 && answer_asked(w, err) < 0)
			rc = -1;
	}
	return rc;
}

static int tell_ready(char **err)
{
	struct capture_answer a = {.magic = CAPTURE_MAGIC, .kind = CAPTURE_READY};

	return packet_send(CAPTURE_FD, &a, sizeof(a), NULL, 0, err);
}

int worker_run(bool *ready, char **err)
{
	struct worker w = {0};
	int rc = maps_open(&w.maps, FOLDER, err);

	if (rc == 0)
		rc = privileges_keep_kernel(false, err);
	if (rc == 0)
		rc = tell_ready(err);
	*ready = rc == 0;
	if (rc == 0) {
		w.book = book_new(w.maps);
		w.hooks = (struct hooks){maps_hooks(w.maps), maps_folder(w.maps)};
		w.backlogs = catch_up_open();
		rc = serve(&w, err);
	}
	if (w.backlogs)
		fclose(w.backlogs);
	book_free(w.book);
	maps_close(w.maps);
	free(w.told.devices);
	free(w.told.vifs);
	return rc;
}

int worker_show(FILE *out, char **err)
{
	return show_write(out, FOLDER, err) < 0 ? -1 : 0;
}

int worker_detach(char **err)
{
	struct hooks hooks = {.folder = FOLDER};
	int lock, rc = 0;

	if (access(FOLDER, F_OK) < 0 && errno == ENOENT)
		return 0;
	lock = maps_lock(FOLDER, err);
	if (lock < 0)
		return -1;
	hooks.map = bpf_obj_get(FOLDER "/hooks");
	if (hooks.map >= 0) {
		rc = take_away(&hooks, err);
		close(hooks.map);
	} else {
		rc = errno == ENOENT ? unpin(err) : err_sys(err, "cannot read %s/hooks", FOLDER);
	}
	close(lock);
	return rc;
}
