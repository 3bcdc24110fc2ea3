/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/nat_watch.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/mem.h"
#include "net/nat.h"

/* A busy router's table is long: scanning it takes at most this part (one in so many) of the time. */
#define SCAN_SHARE 20

struct routed {
	uint8_t address[16];
	int64_t vif;
	bool translated, told;
	UT_hash_handle hh;
};

struct nat_watch {
	struct routed *all;
	struct mono next_scan;
};

struct nat_watch *nat_watch_new(void)
{
	return mem_alloc(sizeof(struct nat_watch));
}

static void drop_all(struct routed **all)
{
	struct routed *r, *next;

	HASH_ITER (hh, *all, r, next) {
		HASH_DEL(*all, r);
		free(r);
	}
}

void nat_watch_free(struct nat_watch *w)
{
	if (!w)
		return;
	drop_all(&w->all);
	free(w);
}

static struct routed *find(struct routed *all, const uint8_t address[16])
{
	struct routed *r;

	HASH_FIND(hh, all, address, sizeof(r->address), r);
	return r;
}

void nat_watch_set(struct nat_watch *w, const struct roster *roster)
{
	struct routed *fresh = NULL, *r, *old;

	for (size_t i = 0; i < roster->count; i++) {
		const struct capture_vif *v = &roster->list[i];

		if (!(v->flags & CAPTURE_ROUTED) || find(fresh, v->address))
			continue;
		r = mem_alloc(sizeof(*r));
		memcpy(r->address, v->address, sizeof(r->address));
		r->vif = v->vif;
		old = find(w->all, v->address);
		if (old && old->vif == v->vif) {
			r->translated = old->translated;
			r->told = old->told;
		}
		HASH_ADD(hh, fresh, address, sizeof(r->address), r);
	}
	drop_all(&w->all);
	w->all = fresh;
}

static void on_translated(void *ctx, const uint8_t address[16])
{
	struct nat_watch *w = ctx;
	struct routed *r = find(w->all, address);

	if (r)
		r->translated = true;
}

static void scan(struct nat_watch *w)
{
	FILE *in = fopen(NAT_TABLE,
			 "re"); /* not there: the kernel follows no connections, so it translates none */
	struct mono begun = clock_mono(), done;

	if (in) {
		nat_scan(in, on_translated, w);
		fclose(in);
	}
	done = clock_mono();
	w->next_scan.ns = done.ns + (done.ns - begun.ns) * (SCAN_SHARE - 1);
}

int64_t nat_watch_scan(struct nat_watch *w, struct mono now, const uint8_t **address)
{
	if (!w->all)
		return 0;
	if (now.ns >= w->next_scan.ns)
		scan(w);
	for (struct routed *r = w->all; r; r = r->hh.next) {
		if (!r->translated || r->told)
			continue;
		r->told = true;
		*address = r->address;
		return r->vif;
	}
	return 0;
}

bool nat_watch_has(const struct nat_watch *w, int64_t vif)
{
	for (const struct routed *r = w->all; r; r = r->hh.next)
		if (r->vif == vif && r->translated)
			return true;
	return false;
}
