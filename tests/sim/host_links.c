/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What net/links.h and net/stats.h promise, from the simulated kernel.
 */
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "host_daemon.h"

#include "base/err.h"
#include "base/mem.h"

struct links {
	struct host *h;
};

struct stats {
	struct host *h;
};

static struct link link_copy(const struct link *from)
{
	struct link copy = *from;

	copy.nodename = from->nodename ? mem_strdup(from->nodename) : NULL;
	return copy;
}

static struct link *known(const struct host *h, unsigned ifindex)
{
	for (size_t i = 0; i < h->known_count; i++)
		if (h->known[i].ifindex == ifindex)
			return &h->known[i];
	return NULL;
}

static void learn(struct host *h, const struct link *link)
{
	struct link *k = known(h, link->ifindex);

	if (!k) {
		h->known = mem_resize(h->known, h->known_count + 1, sizeof(*h->known));
		k = &h->known[h->known_count++];
	} else {
		free(k->nodename);
	}
	*k = link_copy(link);
}

static struct dev *find_dev(struct host *h, unsigned ifindex)
{
	for (int i = 0; i < DOMAINS; i++)
		for (int k = 0; k < NICS; k++) {
			struct nic *n = &h->domains[i].nics[k];

			if (n->vif.there && n->vif.link.ifindex == ifindex)
				return &n->vif;
			if (n->tap.there && n->tap.link.ifindex == ifindex)
				return &n->tap;
		}
	return NULL;
}

static void learn_dev(struct host *h, struct dev *v)
{
	learn(h, &v->link);
}

void host_links_open(struct host *h)
{
	h->d->links = mem_alloc(sizeof(*h->d->links));
	h->d->stats = mem_alloc(sizeof(*h->d->stats));
	h->d->links->h = h->d->stats->h = h;
	host_each_dev(h, learn_dev);
}

static void drop_queue(struct host *h)
{
	for (size_t i = 0; i < h->queued; i++)
		free(h->queue[i].link.nodename);
	free(h->queue);
	h->queue = NULL;
	h->queued = 0;
}

void host_links_close(struct host *h)
{
	drop_queue(h);
	for (size_t i = 0; i < h->known_count; i++)
		free(h->known[i].nodename);
	free(h->known);
	h->known = NULL;
	h->known_count = 0;
	h->overrun = false;
	free(h->d->links);
	free(h->d->stats);
}

static void handle(struct host *h, const struct told *t, links_fn *fn, void *ctx)
{
	struct link *k = known(h, t->link.ifindex), gone;
	enum link_event event = t->event;
	const struct counters *counters = t->has_counters ? &t->counters : NULL;

	if (event == LINK_GONE) {
		if (!k)
			return;
		gone = *k;
		*k = h->known[--h->known_count];
		fn(ctx, event, &gone, counters);
		free(gone.nodename);
		return;
	}
	event = !k ? LINK_APPEARED : strcmp(k->name, t->link.name) != 0 ? LINK_RENAMED : LINK_CHANGED;
	learn(h, &t->link);
	fn(ctx, event, known(h, t->link.ifindex), counters);
}

struct redump {
	links_fn *fn;
	void *ctx;
};

/* Events were lost: the whole table is read. */
static void dump(struct host *h, links_fn *fn, void *ctx)
{
	drop_queue(h);
	h->overrun = false;
	for (int i = 0; i < DOMAINS; i++)
		for (int k = 0; k < NICS; k++) {
			const struct dev *devs[] = {&h->domains[i].nics[k].vif, &h->domains[i].nics[k].tap};

			for (int v = 0; v < 2; v++)
				if (devs[v]->there)
					handle(h,
					       &(struct told){.link = devs[v]->link,
							      .event = LINK_CHANGED,
							      .counters = devs[v]->raw,
							      .has_counters = true},
					       fn, ctx);
		}
	for (size_t i = h->known_count; i-- > 0;)
		if (!find_dev(h, h->known[i].ifindex))
			handle(h, &(struct told){.event = LINK_GONE, .link = h->known[i]}, fn, ctx);
}

int links_drain(struct links *l, links_fn *fn, void *ctx, char **err)
{
	struct host *h = l->h;

	if (h->netlink_fails)
		return err_set(err, "netlink fails");
	if (h->overrun)
		dump(h, fn, ctx);
	for (size_t i = 0; i < h->queued; i++)
		handle(h, &h->queue[i], fn, ctx);
	drop_queue(h);
	return 0;
}

int links_refresh(struct links *l, unsigned ifindex, char **err)
{
	const struct dev *v = find_dev(l->h, ifindex);

	if (l->h->netlink_fails)
		return err_set(err, "netlink fails");
	if (v)
		learn(l->h, &v->link);
	return v ? 0 : 1;
}

const struct link *links_find(const struct links *l, unsigned ifindex)
{
	return known(l->h, ifindex);
}

const struct link *links_named(const struct links *l, const char *name)
{
	for (size_t i = 0; i < l->h->known_count; i++)
		if (strcmp(l->h->known[i].name, name) == 0)
			return &l->h->known[i];
	return NULL;
}

const struct link *links_of_node(const struct links *l, const char *nodename)
{
	for (size_t i = 0; i < l->h->known_count; i++)
		if (l->h->known[i].nodename && strcmp(l->h->known[i].nodename, nodename) == 0)
			return &l->h->known[i];
	return NULL;
}

int stats_dump(struct stats *s, stats_fn *fn, void *ctx, char **err)
{
	struct host *h = s->h;

	for (int i = 0; i < DOMAINS; i++)
		for (int k = 0; k < NICS; k++) {
			struct dev *devs[] = {&h->domains[i].nics[k].vif, &h->domains[i].nics[k].tap};

			for (int v = 0; v < 2; v++) {
				if (!devs[v]->there)
					continue;
				if (h->netlink_fails && sim_chance(h->sim, 2))
					return err_set(err, "netlink fails");
				fn(ctx, devs[v]->link.ifindex, &devs[v]->raw);
				if (account_vif_of(h->d->account, devs[v]->link.ifindex))
					host_was_read(h, devs[v]);
			}
		}
	return 0;
}
