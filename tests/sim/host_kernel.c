/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- what the kernel tells ---- */

static void tell(struct host *h, enum link_event event, const struct dev *v, const struct counters *counters)
{
	struct told t = {.event = event, .link = v->link};

	if (!h->d || h->overrun)
		return;
	if (counters) {
		t.counters = *counters;
		t.has_counters = true;
	}
	t.link.nodename = v->link.nodename ? mem_strdup(v->link.nodename) : NULL;
	h->queue = mem_resize(h->queue, h->queued + 1, sizeof(*h->queue));
	h->queue[h->queued++] = t;
}

/* A vif says whose it is, and so is known from another vif before it. A tap is not, nor is the same vif
 * plugged again: that one would be taken for its own past, so it never gets the ifindex that it had. The real
 * kernel counts on for two thousand million devices; here one may come again while nobody looks. */
static unsigned new_ifindex(struct host *h, enum device_kind kind, const char *nodename)
{
	unsigned again = h->free_ifindex;

	if (!again || kind != DEVICE_NETBACK || (h->d && !h->overrun) || strcmp(h->free_node, nodename) == 0)
		return ++h->next_ifindex;
	h->free_ifindex = 0;
	return again;
}

static void dev_appears(struct host *h, struct dev *v, int guest, enum device_kind kind, const char *name,
			char *nodename)
{
	*v = (struct dev){.there = true,
			  .guest = guest,
			  .link = {.ifindex = new_ifindex(h, kind, nodename), .kind = kind}};
	(void)snprintf(v->link.name, sizeof(v->link.name), "%s", name);
	v->link.nodename = nodename;
	if (kind != DEVICE_NETBACK)
		v->link.carrier = true;
	tell(h, LINK_APPEARED, v, NULL);
}

static void dev_goes(struct host *h, struct dev *v, const struct counters *last)
{
	if (!v->there)
		return;
	tell(h, LINK_GONE, v, last);
	v->there = false;
	free(v->link.nodename);
	v->link.nodename = NULL;
}

void host_carrier(struct host *h, struct dev *v, bool on, const struct counters *told)
{
	if (v->link.carrier && !on)
		v->link.carrier_down++;
	v->link.carrier = on;
	for (int d = 0; h->d && told && told->tx_packets + told->rx_packets > 0 && d < DIR_COUNT; d++)
		v->told[d] = v->flowed[d];
	tell(h, LINK_CHANGED, v, told);
}

/* ---- vifs ---- */

static bool is_nic(const struct host *h, const struct nic *n, unsigned domid, unsigned devid)
{
	for (int i = 0; i < DOMAINS; i++)
		if (h->domains[i].live && h->domains[i].domid == domid)
			return devid < NICS && &h->domains[i].nics[devid] == n;
	return false;
}

/* A departure is seen where the daemon knew the vif as Connected, and can hear of it and of the carrier. */
static void set_state(struct host *h, struct nic *n, int state)
{
	bool knew = false;

	for (size_t i = 0; i < h->listed_count; i++)
		knew |= is_nic(h, n, h->listed[i].domid, h->listed[i].devid) &&
			h->listed[i].state == XEN_STATE_CONNECTED;
	if (!h->d || h->store_away || h->store_empty || h->store_late || h->netlink_fails ||
	    (n->state == XEN_STATE_CONNECTED && !knew))
		n->vif.unproven = true;
	n->state = state;
	n->state_events++;
}

void host_connect(struct host *h, struct nic *n)
{
	if (!n->vif.there || n->state == XEN_STATE_CONNECTED)
		return;
	set_state(h, n, XEN_STATE_CONNECTED);
	host_carrier(h, &n->vif, true, NULL);
}

/* The carrier goes first, the counters then; the message is made somewhen about that time. */
void host_disconnect(struct host *h, struct nic *n, bool told)
{
	struct counters zero = {0}, last = n->vif.raw;

	if (!n->vif.there || n->state != XEN_STATE_CONNECTED)
		return;
	host_carrier(h, &n->vif, false, told ? &last : &zero);
	host_life_ends(h, &n->vif, told);
	set_state(h, n, XEN_STATE_CLOSED);
	h->resets++;
}

void host_tap_goes(struct host *h, struct nic *n)
{
	struct counters last = n->tap.raw;

	if (!n->tap.there)
		return;
	host_life_ends(h, &n->tap, true);
	dev_goes(h, &n->tap, &last);
}

void host_plug(struct host *h, struct domain *m, unsigned devid)
{
	struct nic *n = &m->nics[devid];
	char *name = mem_printf("vif%u.%u", m->domid, devid), *tap = mem_printf("%s-emu", name);

	*n = (struct nic){.plugged = true, .state = 2};
	dev_appears(h, &n->vif, m->guest, DEVICE_NETBACK, name,
		    mem_printf("backend/vif/%u/%u", m->domid, devid));
	if (h->guests[m->guest].hvm)
		dev_appears(h, &n->tap, m->guest, DEVICE_OTHER, tap, NULL);
	free(name);
	free(tap);
}

void host_unplug(struct host *h, struct domain *m, struct nic *n)
{
	struct counters zero = {0};

	(void)m;
	if (!n->plugged)
		return;
	host_disconnect(h, n, sim_chance(h->sim, 2));
	host_tap_goes(h, n);
	host_life_ends(h, &n->vif, false);
	if (sim_chance(h->sim, 4)) {
		h->free_ifindex = n->vif.link.ifindex;
		(void)snprintf(h->free_node, sizeof(h->free_node), "%s", n->vif.link.nodename);
	}
	dev_goes(h, &n->vif, &zero);
	n->plugged = false;
}

/* ---- domains ---- */

struct domain *host_domain_of(struct host *h, int guest)
{
	for (int i = 0; i < DOMAINS; i++)
		if (h->domains[i].live && h->domains[i].guest == guest)
			return &h->domains[i];
	return NULL;
}

void host_boot_domain(struct host *h, int guest)
{
	struct domain *m = h->domains;

	while (m->live)
		m++;
	*m = (struct domain){.live = true,
			     .domid = ++h->next_domid,
			     .guest = guest,
			     .name = mem_strdup(h->guests[guest].name)};
	for (unsigned k = 0; k < (h->guests[guest].two ? 2 : 1); k++) {
		host_plug(h, m, k);
		if (!sim_chance(h->sim, 3))
			host_connect(h, &m->nics[k]);
	}
}

void host_rename(struct domain *m, const char *name)
{
	mem_replace(&m->name, name);
}

void host_end_domain(struct host *h, struct domain *m)
{
	for (int k = 0; k < NICS; k++)
		host_unplug(h, m, &m->nics[k]);
	free(m->name);
	*m = (struct domain){0};
}

/* ---- time ---- */

void host_flow(struct host *h, struct dev *v, enum direction d, uint64_t packets, uint64_t bytes)
{
	(void)h;
	if (d == DIR_INPUT) {
		v->raw.tx_packets += packets;
		v->raw.tx_bytes += bytes + 14 * packets;
	} else {
		v->raw.rx_packets += packets;
		v->raw.rx_bytes += bytes + (v->link.kind == DEVICE_OTHER ? 14 * packets : 0);
	}
	v->flowed[d] += bytes;
}

static void flow_some(struct host *h, struct dev *v)
{
	uint64_t packets = sim_below(h->sim, sim_chance(h->sim, 40) ? 200000 : 200);

	if (!v->link.carrier || sim_chance(h->sim, 3))
		return;
	for (int d = 0; d < DIR_COUNT; d++)
		host_flow(h, v, d, packets, packets * (28 + sim_below(h->sim, 1400)));
}

void host_minute(struct host *h)
{
	h->now += POLL;
	host_each_dev(h, flow_some);
}

void host_power_off(struct host *h)
{
	for (int i = 0; i < DOMAINS; i++)
		if (h->domains[i].live)
			host_end_domain(h, &h->domains[i]);
	h->free_ifindex = 0;
}

void host_power_on(struct host *h)
{
	free(h->boot);
	h->boot = mem_printf("boot-%u", ++h->boots);
	h->next_domid = h->next_ifindex = 0;
	h->clock_error = 0;
	h->store_away = h->store_empty = h->netlink_fails = 0;
	for (int i = 0; i < GUESTS; i++)
		host_boot_domain(h, i);
}
