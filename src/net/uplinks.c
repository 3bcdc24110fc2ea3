/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "net/uplinks.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int by_number(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

static void add(struct uplinks *u, unsigned ifindex)
{
	size_t place = u->count;

	if (uplinks_have(u, ifindex))
		return;
	u->list = mem_resize(u->list, u->count + 1, sizeof(*u->list));
	for (; place && u->list[place - 1] > ifindex; place--)
		u->list[place] = u->list[place - 1];
	u->list[place] = ifindex;
	u->count++;
}

bool uplinks_have(const struct uplinks *u, unsigned ifindex)
{
	return u->count && bsearch(&ifindex, u->list, u->count, sizeof(*u->list), by_number);
}

bool uplinks_equal(const struct uplinks *a, const struct uplinks *b)
{
	return a->count == b->count &&
	       (a->count == 0 || memcmp(a->list, b->list, a->count * sizeof(*a->list)) == 0);
}

bool uplinks_see_below(const struct uplinks *u, const struct link *link)
{
	return strcmp(link->type, "vlan") == 0 && uplinks_have(u, link->lower);
}

static bool is_seen(const struct uplinks *u, const struct link *link)
{
	return uplinks_have(u, link->ifindex) || uplinks_see_below(u, link);
}

struct uplinks uplinks_bridges(const struct uplinks *u, const struct links *links)
{
	struct uplinks bridges = {0};

	for (const struct link *port = NULL; (port = links_next(links, port));)
		if (port->master && is_seen(u, port))
			add(&bridges, port->master);
	return bridges;
}

void uplinks_free(struct uplinks *u)
{
	free(u->list);
	*u = (struct uplinks){0};
}

/* ---- by name ---- */

static struct uplinks named(const struct links *links, const struct conf_texts *devices, char **why)
{
	struct uplinks u = {0};

	for (size_t i = 0; i < devices->count; i++) {
		const struct link *link = links_named(links, devices->list[i]);

		if (link)
			add(&u, link->ifindex);
		else if (!*why)
			*why = mem_printf("uplink %s is not there; what leaves by it is not seen until it is "
					  "(`ip link` shows the devices)",
					  devices->list[i]);
	}
	return u;
}

/* ---- by itself ---- */

enum rank { NO_PORT, WEAK_PORT, STRONG_PORT };

/* A veth may lead into a container as well. */
static enum rank rank_of(const struct link *link)
{
	if (link->kind == DEVICE_NETBACK || strcmp(link->type, "tun") == 0 ||
	    strcmp(link->type, "dummy") == 0)
		return NO_PORT;
	return strcmp(link->type, "veth") == 0 ? WEAK_PORT : STRONG_PORT;
}

static void add_ports(struct uplinks *u, const struct link *const *ports, size_t count,
		      uplinks_is_vif_fn *is_vif, void *ctx, const struct uplinks *before)
{
	unsigned weak = 0, weak_count = 0;
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		const struct link *l = ports[i];
		enum rank rank = rank_of(l);

		if (rank == NO_PORT || is_vif(ctx, l->ifindex))
			continue;
		if (rank == STRONG_PORT || uplinks_have(before, l->ifindex)) {
			add(u, l->ifindex);
			any = true;
		} else {
			weak = l->ifindex;
			weak_count++;
		}
	}
	if (!any && weak_count == 1 && is_vif(ctx, ports[0]->master))
		add(u, weak);
}

static int by_master(const void *a, const void *b)
{
	return by_number(&(*(const struct link *const *)a)->master,
			 &(*(const struct link *const *)b)->master);
}

/* Of all bridges. */
static struct uplinks by_itself(const struct links *links, uplinks_is_vif_fn *is_vif, void *ctx,
				const struct uplinks *before)
{
	struct uplinks u = {0};
	const struct link **ports, *bridge;
	size_t count = 0, end;

	for (const struct link *l = NULL; (l = links_next(links, l));)
		count += l->master != 0;
	ports = mem_array(count, sizeof(*ports));
	count = 0;
	for (const struct link *l = NULL; (l = links_next(links, l));)
		if (l->master)
			ports[count++] = l;
	qsort(ports, count, sizeof(*ports), by_master);
	for (size_t i = 0; i < count; i = end) {
		for (end = i + 1; end < count && ports[end]->master == ports[i]->master;)
			end++;
		bridge = links_find(links, ports[i]->master);
		if (bridge && bridge->kind == DEVICE_BRIDGE)
			add_ports(&u, &ports[i], end - i, is_vif, ctx, before);
	}
	free(ports);
	return u;
}

/* A port of a bridge with vifs that leads out as well, but is not among those named. */
static char *forgotten(const struct links *links, const struct uplinks *all, const struct uplinks *named,
		       uplinks_is_vif_fn *is_vif, void *ctx)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct link *port = links_find(links, all->list[i]), *bridge;

		if (is_seen(named, port) || !is_vif(ctx, port->master))
			continue;
		bridge = links_find(links, port->master);
		return mem_printf(
			"%s, a port of %s, leads out of this host and has no line `device`: what leaves by "
			"it is not seen and counts as local; add `device %s`, or write `device auto`",
			port->name, bridge ? bridge->name : "a bridge", port->name);
	}
	return NULL;
}

struct uplinks uplinks_choose(const struct links *links, const struct conf_texts *devices,
			      uplinks_is_vif_fn *is_vif, void *ctx, const struct uplinks *before, char **why)
{
	struct uplinks u = by_itself(links, is_vif, ctx, before), by_name;

	*why = NULL;
	if (devices->count) {
		by_name = named(links, devices, why);
		if (!*why)
			*why = forgotten(links, &u, &by_name, is_vif, ctx);
		uplinks_free(&u);
		return by_name;
	}
	if (!u.count)
		*why = mem_strdup("no uplink is found: no bridge has a port that leads out of this host; "
				  "name the device "
				  "that does with a line `device NAME` (`ip link` shows them)");
	return u;
}
