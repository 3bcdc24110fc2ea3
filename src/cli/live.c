/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/live.h"

#include <stdlib.h>
#include <string.h>

#include "account/bucket.h"
#include "base/mem.h"
#include "net/bind.h"
#include "net/links.h"
#include "net/stats.h"

/* ---- the vifs and their devices ---- */

static void add_device(struct live_vif *v, const struct links *links, unsigned ifindex)
{
	const struct link *link = ifindex ? links_find(links, ifindex) : NULL;

	if (!link)
		return;
	if (!*v->netdev)
		memcpy(v->netdev, link->name, sizeof(v->netdev));
	v->devices[v->device_count++] = (struct live_device){.ifindex = ifindex, .kind = link->kind};
}

static void add_bridge(struct live *l, const struct link *link)
{
	if (!link || link->kind != DEVICE_BRIDGE)
		return;
	for (size_t i = 0; i < l->bridge_count; i++)
		if (l->bridges[i].devid == link->ifindex)
			return;
	l->bridges = mem_resize(l->bridges, l->bridge_count + 1, sizeof(l->bridges[0]));
	l->bridges[l->bridge_count++] = (struct xen_vif){.devid = link->ifindex,
							 .domain = mem_strdup(BUCKET_DOM0_NAME),
							 .uuid = mem_strdup(BUCKET_DOM0_UUID),
							 .bridge = mem_strdup(link->name)};
}

static int by_devid(const void *a, const void *b)
{
	const struct xen_vif *x = a, *y = b;

	return (x->devid > y->devid) - (x->devid < y->devid);
}

static void find_bridges(struct live *l, const struct links *links, const struct xen_vif *vifs, size_t count,
			 const unsigned *known, size_t known_count)
{
	for (size_t i = 0; i < known_count; i++)
		add_bridge(l, links_find(links, known[i]));
	for (size_t i = 0; i < count; i++)
		if (vifs[i].domid != 0 && vifs[i].bridge)
			add_bridge(l, links_named(links, vifs[i].bridge));
	if (l->bridge_count)
		qsort(l->bridges, l->bridge_count, sizeof(l->bridges[0]), by_devid);
}

static int find_vifs(struct live *l, const unsigned *known, size_t known_count, char **err)
{
	size_t count;
	const struct xen_vif *vifs = directory_vifs(l->directory, &count);
	struct links *links;

	if (links_open(&links, err) < 0)
		return -1;
	find_bridges(l, links, vifs, count, known, known_count);
	l->vifs = mem_array(l->bridge_count + count, sizeof(l->vifs[0]));
	for (size_t i = 0; i < l->bridge_count; i++) {
		l->vifs[l->count].xen = &l->bridges[i];
		add_device(&l->vifs[l->count++], links, l->bridges[i].devid);
	}
	for (size_t i = 0; i < count; i++) {
		const struct xen_vif *xv = &vifs[i];
		struct binding b = bind_vif(links, xv->domid, xv->devid, xv->vifname, (struct binding){0});

		if (xv->domid == 0) /* its bytes cross the bridge: counted there */
			continue;
		l->vifs[l->count].xen = xv;
		add_device(&l->vifs[l->count], links, b.main);
		add_device(&l->vifs[l->count++], links, b.emu);
	}
	links_close(links);
	return 0;
}

/* ---- the counters ---- */

struct reading {
	unsigned ifindex;
	struct counters counters;
};

struct readings {
	struct reading *list;
	size_t count, room;
};

static void on_counters(void *ctx, unsigned ifindex, const struct counters *counters)
{
	struct readings *r = ctx;

	if (r->count == r->room) {
		r->room = r->room ? r->room * 2 : 64;
		r->list = mem_resize(r->list, r->room, sizeof(r->list[0]));
	}
	r->list[r->count++] = (struct reading){ifindex, *counters};
}

static int by_ifindex(const void *a, const void *b)
{
	const struct reading *x = a, *y = b;

	return (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

/* Gives each device its counters. One that vanished since it was bound is forgotten. */
static void hand_out(struct live_vif *v, const struct readings *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < v->device_count; i++) {
		struct reading key = {.ifindex = v->devices[i].ifindex};
		const struct reading *found =
			r->count ? bsearch(&key, r->list, r->count, sizeof(key), by_ifindex) : NULL;

		if (!found)
			continue;
		v->devices[kept] = v->devices[i];
		v->devices[kept++].counters = found->counters;
	}
	v->device_count = kept;
}

static int read_counters(struct live *l, char **err)
{
	struct readings r = {0};
	struct stats *stats;
	int rc;

	if (stats_open(&stats, err) < 0)
		return -1;
	rc = stats_dump(stats, on_counters, &r, err);
	stats_close(stats);
	if (r.count)
		qsort(r.list, r.count, sizeof(r.list[0]), by_ifindex);
	for (size_t i = 0; rc == 0 && i < l->count; i++)
		hand_out(&l->vifs[i], &r);
	free(r.list);
	return rc;
}

int live_read(struct live *l, const unsigned *known, size_t known_count, char **err)
{
	*l = (struct live){0};
	if (directory_open(&l->directory, err) < 0)
		return 1;
	if (find_vifs(l, known, known_count, err) < 0 || read_counters(l, err) < 0) {
		live_free(l);
		return -1;
	}
	return 0;
}

void live_free(struct live *l)
{
	free(l->vifs);
	for (size_t i = 0; i < l->bridge_count; i++) {
		free(l->bridges[i].domain);
		free(l->bridges[i].uuid);
		free(l->bridges[i].bridge);
	}
	free(l->bridges);
	directory_close(l->directory);
	*l = (struct live){0};
}
