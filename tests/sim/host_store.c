/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What xen/directory.h promises, from the simulated xenstore.
 */
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "host_daemon.h"

#include "base/err.h"
#include "base/mem.h"

struct directory {
	struct host *h;
	bool connected, fresh; /* fresh: it was not, at the last drain */
};

void host_store_open(struct host *h)
{
	h->d->directory = mem_alloc(sizeof(*h->d->directory));
	h->d->directory->h = h;
}

static void drop_list(struct xen_vif *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(list[i].domain);
		free(list[i].uuid);
		free(list[i].addresses);
	}
	free(list);
}

void host_store_close(struct host *h)
{
	drop_list(h->listed, h->listed_count);
	h->listed = NULL;
	h->listed_count = 0;
	free(h->d->directory);
}

static const struct xen_vif *find(const struct host *h, unsigned domid, unsigned devid)
{
	for (size_t i = 0; i < h->listed_count; i++)
		if (h->listed[i].domid == domid && h->listed[i].devid == devid)
			return &h->listed[i];
	return NULL;
}

static void add(struct host *h, struct xen_vif *list, size_t *count, const struct domain *m, unsigned devid)
{
	struct nic *n = (struct nic *)&m->nics[devid];
	const struct guest *g = &h->guests[m->guest];
	const struct xen_vif *before = find(h, m->domid, devid);

	list[*count] = (struct xen_vif){.domid = m->domid,
					.devid = devid,
					.domain = mem_strdup(m->name),
					.uuid = mem_strdup(g->uuid),
					.addresses = mem_printf("10.%d.%u.%u", m->guest, devid, g->address),
					.state = n->state,
					.left_connected = before ? before->left_connected : 0};
	if (before && before->state == XEN_STATE_CONNECTED &&
	    (n->state != XEN_STATE_CONNECTED || n->state_events))
		list[*count].left_connected++;
	n->state_events = 0;
	++*count;
}

static int by_numbers(const void *a, const void *b)
{
	const struct xen_vif *x = a, *y = b;

	return x->domid != y->domid ? (x->domid > y->domid) - (x->domid < y->domid)
				    : (x->devid > y->devid) - (x->devid < y->devid);
}

static void forget_events(struct host *h)
{
	for (int i = 0; i < DOMAINS; i++)
		for (int k = 0; k < NICS; k++) {
			struct nic *n = &h->domains[i].nics[k];

			n->vif.unproven |= n->state_events > 0;
			n->state_events = 0;
		}
}

int directory_probe(struct directory *s, char **err)
{
	if (s->h->store_away) {
		s->connected = false;
		return err_set(err, "xenstore is away");
	}
	if (!s->connected)
		forget_events(s->h); /* of a time without watches */
	s->fresh |= !s->connected;
	s->connected = true;
	return 1;
}

/* What is listed now, beside `before`; both in the order of their numbers. */
static enum directory_news compare(const struct host *h, const struct xen_vif *before, size_t count)
{
	enum directory_news news = DIRECTORY_SAME;

	if (count != h->listed_count)
		return DIRECTORY_CHANGED;
	for (size_t i = 0; i < count; i++) {
		const struct xen_vif *b = &before[i], *n = &h->listed[i];

		if (by_numbers(b, n) != 0 || strcmp(b->domain, n->domain) != 0 ||
		    strcmp(b->uuid, n->uuid) != 0 || strcmp(b->addresses, n->addresses) != 0)
			return DIRECTORY_CHANGED;
		if (b->state != n->state || b->left_connected != n->left_connected)
			news = DIRECTORY_STATES;
	}
	return news;
}

static enum directory_news list_again(struct directory *s)
{
	struct host *h = s->h;
	struct xen_vif *list, *before = h->listed;
	size_t count = 0, before_count = h->listed_count;
	enum directory_news news;

	list = mem_array(DOMAINS * NICS, sizeof(*list));
	for (int i = 0; i < DOMAINS && !h->store_empty; i++)
		for (unsigned k = 0; k < NICS; k++)
			if (h->domains[i].live && h->domains[i].nics[k].plugged)
				add(h, list, &count, &h->domains[i], k);
	if (count)
		qsort(list, count, sizeof(*list), by_numbers);
	h->listed = list;
	h->listed_count = count;
	news = s->fresh ? DIRECTORY_CHANGED : compare(h, before, before_count);
	s->fresh = false;
	drop_list(before, before_count);
	return news;
}

enum directory_news directory_drain(struct directory *s)
{
	struct host *h = s->h;

	h->news = DIRECTORY_SAME;
	if (s->connected && !h->store_late)
		h->news = list_again(s);
	if (s->connected)
		h->store_late = false;
	h->drains[h->news]++;
	return h->news;
}

const struct xen_vif *directory_vifs(const struct directory *s, size_t *count)
{
	*count = s->h->listed_count;
	return s->h->listed;
}

bool directory_complaint(struct directory *s, char **line, char **guest)
{
	(void)s;
	(void)line;
	(void)guest;
	return false;
}
