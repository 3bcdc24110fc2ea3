/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "year.h"

#include <string.h>

static void count(struct host *h, struct guest *g, struct device *v, enum direction d, uint64_t bytes,
		  uint64_t external)
{
	v->flowed[d] += bytes;
	if (!h->classify || !h->account ||
	    h->dying) { /* nobody sees where it goes, the counters see that it flows */
		g->expected.bytes[d][CLASS_UNATTRIBUTED] += bytes;
		return;
	}
	v->seen.at[g->addresses ? 1 + sim_below(h->sim, 2) : 0].bytes[d][CLASS_EXTERNAL] += external;
	if (d == DIR_OUTPUT && external && g - h->guests >= SPOOFERS && sim_below(h->sim, 10) == 0)
		v->seen.spoofed += sim_below(h->sim, external);
	v->local[d] += bytes - external;
	g->expected.bytes[d][CLASS_EXTERNAL] += external;
	g->expected.bytes[d][CLASS_LOCAL] += bytes - external;
}

void year_flow(struct host *h, struct guest *g, struct device *v)
{
	if (!v->there || sim_below(h->sim, 4) == 0)
		return;
	for (int d = 0; d < DIR_COUNT; d++) {
		uint64_t packets = sim_below(h->sim, 2000),
			 bytes = packets ? packets * (28 + sim_below(h->sim, 1400)) : 0;

		count(h, g, v, d, bytes, bytes ? sim_below(h->sim, bytes + 1) : 0);
		if (d == DIR_INPUT) { /* as netback counts */
			v->raw.tx_bytes += bytes + 14 * packets;
			v->raw.tx_packets += packets;
		} else {
			v->raw.rx_bytes += bytes;
			v->raw.rx_packets += packets;
		}
	}
}

/* So much flows at once that no counter is below what it was in the life before. */
void year_burst(struct host *h, struct guest *g, struct device *v, const struct counters *before)
{
	uint64_t input = before->tx_bytes + sim_below(h->sim, 10000),
		 output = before->rx_bytes + sim_below(h->sim, 10000);

	v->raw.tx_packets += before->tx_packets;
	v->raw.rx_packets += before->rx_packets;
	v->raw.tx_bytes += input + 14 * before->tx_packets;
	v->raw.rx_bytes += output;
	count(h, g, v, DIR_INPUT, input, input / 3);
	count(h, g, v, DIR_OUTPUT, output, output / 3);
}

/* A life ends. What no reading saw is lost, unless the kernel told the last counters; but what the classifier
 * saw of it is saved. Without a daemon there is none: then all since the last commit is lost. */
void year_life_ends(struct host *h, struct guest *g, struct device *v, bool told)
{
	for (int d = 0; d < DIR_COUNT && !told; d++) {
		uint64_t *lost = &g->expected.bytes[d][CLASS_UNATTRIBUTED];

		if (!h->account)
			*lost -= v->flowed[d] - v->committed[d];
		else if (!h->classify)
			*lost -= v->flowed[d] - v->read[d];
		else
			g->expected.bytes[d][CLASS_LOCAL] -= v->local[d] - v->read_local[d];
	}
	memset(v->flowed, 0, sizeof(v->flowed));
	memset(v->local, 0, sizeof(v->local));
	memset(v->read, 0, sizeof(v->read));
	memset(v->read_local, 0, sizeof(v->read_local));
	memset(v->committed, 0, sizeof(v->committed));
	v->raw = (struct counters){0};
}

void year_start(struct host *h, struct device *v)
{
	*v = (struct device){.there = true, .domid = ++h->next_domid, .ifindex = ++h->next_ifindex};
}

/* Bytes that no classifier sees as this guest's. */
void year_flow_unseen(struct host *h, struct guest *g, enum direction d, uint64_t bytes)
{
	struct device *v = &g->device;

	if (d == DIR_INPUT) {
		v->raw.tx_bytes += bytes + 14;
		v->raw.tx_packets++;
	} else {
		v->raw.rx_bytes += bytes;
		v->raw.rx_packets++;
	}
	v->flowed[d] += bytes;
	v->local[d] += bytes;
	g->expected.bytes[d][CLASS_LOCAL] += bytes;
	g->missed[d] += bytes;
	h->missed_all[d] += bytes;
}

/* What crosses between the reading of the counters and that of the classifier. */
void year_lag(struct host *h, struct guest *g, struct device *v)
{
	uint64_t bytes = sim_below(h->sim, 5000);

	if (!h->classify || !v->there || v->away || sim_below(h->sim, 20))
		return;
	v->raw.rx_bytes += bytes;
	v->raw.rx_packets++;
	v->flowed[DIR_OUTPUT] += bytes;
	v->seen.at[g->addresses ? 2 : 0].bytes[DIR_OUTPUT][CLASS_EXTERNAL] += bytes;
	v->seen.late += bytes;
	g->expected.bytes[DIR_OUTPUT][CLASS_EXTERNAL] += bytes;
	h->behind = true;
	h->lates++;
}
