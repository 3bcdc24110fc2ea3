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
	struct routed *next_untold; /* translated ones */
	UT_hash_handle hh, by_vif;
};

struct nat_watch {
	const char *path;
	struct routed *all;
	struct routed *translated; /* of each vif one that is, by vif */
	struct routed *untold;
	FILE *table; /* that is being read; NULL */
	struct mono next_scan;
};

struct nat_watch *nat_watch_new(const char *table)
{
	struct nat_watch *w = mem_alloc(sizeof(*w));

	w->path = table;
	return w;
}

static void drop_all(struct nat_watch *w)
{
	struct routed *r, *next;

	HASH_CLEAR(by_vif, w->translated);
	w->untold = NULL;
	HASH_ITER (hh, w->all, r, next) {
		HASH_DEL(w->all, r);
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
	drop_all(w);
	close_table(w);
	free(w);
}

static struct routed *find(struct routed *all, const uint8_t address[16])
{
	struct routed *r;

	HASH_FIND(hh, all, address, sizeof(r->address), r);
	return r;
}

/* It is translated. */
static void note(struct nat_watch *w, struct routed *r)
{
	struct routed *other;

	HASH_FIND(by_vif, w->translated, &r->vif, sizeof(r->vif), other);
	if (!other)
		HASH_ADD(by_vif, w->translated, vif, sizeof(r->vif), r);
	if (!r->told) {
		r->next_untold = w->untold;
		w->untold = r;
	}
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
	drop_all(w);
	w->all = fresh;
	for (r = fresh; r; r = r->hh.next)
		if (r->translated)
			note(w, r);
}

static void on_translated(void *ctx, const uint8_t address[16])
{
	struct nat_watch *w = ctx;
	struct routed *r = find(w->all, address);

	if (!r || r->translated)
		return;
	r->translated = true;
	note(w, r);
}

/* The next piece of the table. */
static void scan(struct nat_watch *w)
{
	struct mono begun = clock_mono(), done;
	bool more;

	if (!w->table) /* not there: the kernel follows no connections, so it translates none */
		w->table = fopen(w->path, "re");
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
	struct routed *r;

	if (!w->all)
		return 0;
	if (now.ns >= w->next_scan.ns)
		scan(w);
	r = w->untold;
	if (!r)
		return 0;
	w->untold = r->next_untold;
	r->told = true;
	*address = r->address;
	return r->vif;
}

bool nat_watch_has(const struct nat_watch *w, int64_t vif)
{
	const struct routed *r;

	HASH_FIND(by_vif, w->translated, &vif, sizeof(vif), r);
	return r != NULL;
}
