/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "account/basis.h"

void host_each_dev(struct host *h, void (*fn)(struct host *h, struct dev *v))
{
	for (int i = 0; i < DOMAINS; i++)
		for (int k = 0; k < NICS; k++) {
			struct nic *n = &h->domains[i].nics[k];

			if (n->vif.there)
				fn(h, &n->vif);
			if (n->tap.there)
				fn(h, &n->tap);
		}
}

static void is_unproven(struct host *h, struct dev *v)
{
	(void)h;
	v->unproven = true;
}

void host_is_blind(struct host *h)
{
	host_each_dev(h, is_unproven);
}

/* Its counters are thrown away; told: a message had the last ones, and may get through. */
void host_life_ends(struct host *h, struct dev *v, bool told)
{
	struct guest *g = &h->guests[v->guest];

	for (int d = 0; d < DIR_COUNT; d++) {
		uint64_t known = told ? v->flowed[d] : v->told[d];

		if (h->d && known > v->read.flowed[d])
			g->may[d] += known - v->read.flowed[d];
		v->flowed[d] = v->read.flowed[d] = v->committed.flowed[d] = v->told[d] = 0;
	}
	v->raw = (struct counters){0};
	v->read.resets++;
	v->committed.resets++;
}

static bool is_zero(const struct counters *c)
{
	return !(c->rx_bytes | c->rx_packets | c->tx_bytes | c->tx_packets);
}

void host_was_read(struct host *h, struct dev *v)
{
	struct guest *g = &h->guests[v->guest];
	struct basis basis = basis_of(v->link.kind);
	bool hidden = v->read.resets && !is_zero(&v->read.raw) && counters_at_least(&v->raw, &v->read.raw);

	for (int d = 0; d < DIR_COUNT; d++) {
		g->due[d] += v->flowed[d] - v->read.flowed[d];
		if (hidden && v->unproven)
			g->lose[d] += basis_bytes(basis, &v->read.raw, d);
		v->read.flowed[d] = v->flowed[d];
	}
	g->reads++;
	h->hidden += hidden;
	h->lost += hidden && v->unproven;
	v->read.raw = v->raw;
	v->read.resets = 0;
	v->unproven = false;
}

static void dev_committed(struct host *h, struct dev *v)
{
	(void)h;
	v->committed = v->read;
}

/* A doubt is settled within the next readings of a device, of which a guest has at most four: what it cost is
 * found by then. A new life that nothing proved is not counted until it has passed the old one: what that may
 * cost can be missing at several commits. */
static void check_missing(struct guest *g, int d, uint64_t grew)
{
	uint64_t missing = grew < g->due[d] ? g->due[d] - grew : 0,
		 found = grew > g->due[d] ? grew - g->due[d] : 0;

	if (missing) {
		g->owed[d] += missing;
		g->owed_at = g->reads;
		g->lose[d] -= missing;
	} else if (g->reads - g->owed_at > 12) {
		g->owed[d] = 0;
	} else {
		g->owed[d] -= found < g->owed[d] ? found : g->owed[d];
	}
}

static void check_guest(struct host *h, struct guest *g)
{
	static const char *const dirs[] = {"input", "output"};
	struct class_bytes booked;

	memory_ledger_booked(h->ledger, g->uuid, &booked);
	for (int d = 0; d < DIR_COUNT; d++) {
		uint64_t is = class_bytes_total(&booked, d), grew = is - g->booked[d];

		if (grew + g->lose[d] < g->due[d] || grew > g->due[d] + g->may[d] + g->owed[d])
			sim_fail(h->sim,
				 "guest %d %s: %" PRIu64 " booked, %" PRIu64 " were read; %" PRIu64
				 " may be missing, %" PRIu64 " be told, %" PRIu64 " be found",
				 (int)(g - h->guests), dirs[d], grew, g->due[d], g->lose[d], g->may[d],
				 g->owed[d]);
		check_missing(g, d, grew);
		g->booked[d] = is;
		if (grew > g->due[d])
			g->may[d] -= grew - g->due[d] < g->may[d] ? grew - g->due[d] : g->may[d];
		g->due[d] = 0;
	}
}

/* Its new life has not been read, so what was told of its end may still come. */
static void keep_told(struct host *h, struct dev *v)
{
	if (v->read.resets || !v->link.carrier)
		h->guests[v->guest].waits = true;
}

static void drop_told(struct host *h)
{
	for (int i = 0; i < GUESTS; i++)
		h->guests[i].waits = h->queued || h->overrun;
	host_each_dev(h, keep_told);
	for (int i = 0; i < GUESTS; i++)
		for (int d = 0; d < DIR_COUNT && !h->guests[i].waits; d++)
			h->guests[i].may[d] = 0;
}

void host_was_committed(struct host *h)
{
	for (int i = 0; i < GUESTS; i++)
		check_guest(h, &h->guests[i]);
	h->doubts = memory_ledger_doubts(h->ledger);
	h->commits++;
	host_each_dev(h, dev_committed);
	drop_told(h);
}

static void dev_forgotten(struct host *h, struct dev *v)
{
	(void)h;
	v->read = v->committed;
}

/* What was not committed is gone with the daemon; it will be read again, where it is still there. */
void host_was_forgotten(struct host *h)
{
	for (int i = 0; i < GUESTS; i++)
		for (int d = 0; d < DIR_COUNT; d++)
			h->guests[i].due[d] = h->guests[i].may[d] = h->guests[i].lose[d] = 0;
	host_each_dev(h, dev_forgotten);
	host_is_blind(h);
}
