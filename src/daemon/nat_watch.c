/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/nat_watch.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/mem.h"
#include "net/nat.h"

/* A busy router's table is long, and anybody can make it longer; each read of it may walk over all that was
 * read before. So it is read in pieces: scanning holds up the loop for little more than this, and takes at
 * most this part (one in so many) of the time. */
#define SCAN_MS 20
#define SCAN_SHARE 20

#define SCAN_LINES 16 /* between two looks at the clock; about what the kernel gives at once */

struct routed {
	uint8_t address[16];
	int64_t vif;
	bool translated, told;
	UT_hash_handle hh;
};

struct nat_watch {
	struct routed *all;
	FILE *table; /* that is being read; NULL */
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

static void close_table(struct nat_watch *w)
{
	if (w->table)
		fclose(w->table);
	w->table = NULL;
}

void nat_watch_free(struct nat_watch *w)
{
	if (!w)
		return;
	drop_all(&w->all);
	close_table(w);
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

/* The next piece of the table. */
static void scan(struct nat_watch *w)
{
	struct mono begun = clock_mono(), done;
	bool more;

	if (!w->table) /* not there: the kernel follows no connections, so it translates none */
		w->table = fopen(NAT_TABLE, "re");
	do {
		more = w->table && nat_scan(w->table, SCAN_LINES, on_translated, w);
		done = clock_mono();
	} while (more && done.ns - begun.ns < (int64_t)SCAN_MS * 1000000);
	if (!more)
		close_table(w);
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
