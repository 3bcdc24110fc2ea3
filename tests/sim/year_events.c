/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "year.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The device goes, then the vif: as a destroy. Half of the time the carrier message had the last counters. */
static void stop_guest(struct host *h, struct guest *g, struct device *v)
{
	struct counters zero = {0};
	bool told = h->account && sim_below(h->sim, 2);

	if (h->account &&
	    sim_below(h->sim, 2)) { /* a reading may come between the carrier and the counters */
		v->carrier_down++;
		v->left_connected++;
		v->away = true;
		year_poll_host(h, false);
		if (sim_below(h->sim, 2)) { /* and another before the message about the carrier */
			struct counters whole = v->raw;

			year_life_ends(h, g, v, true);
			year_poll_host(h, false);
			account_carrier_off(h->account, v->ifindex, v->carrier_down, &whole);
		}
	}
	if (h->account) {
		account_carrier_off(h->account, v->ifindex, v->carrier_down + 1, told ? &v->raw : &zero);
		account_device_gone(h->account, v->ifindex, &zero);
		account_vif_gone(h->account, v->vif);
		h->last_words[h->last_word_count++] = (struct last_words){v->vif, g, v->seen};
	}
	year_life_ends(h, g, v, told);
	v->there = false;
}

static void reset_between_readings(struct host *h, struct guest *g)
{
	struct device *v = &g->device;
	struct counters before = v->raw;
	/* What was seen of a tail and what is new since cannot be told apart at one poll: with a classifier
	 * these sums are exact only where the tail is known. */
	bool told = h->classify || sim_below(h->sim, 2);

	if (!v->there || !h->account)
		return;
	if (told)
		account_carrier_off(h->account, v->ifindex, v->carrier_down + 1, &v->raw);
	year_life_ends(h, g, v, told);
	v->carrier_down++;
	v->left_connected++;
	h->resets++;
	if (sim_below(h->sim, 2))
		year_burst(h, g, v, &before);
	h->hidden_resets += counters_at_least(&v->raw, &before);
}

static void reboot_guest(struct host *h, struct guest *g)
{
	if (g->incoming.there)
		return;
	if (g->device.there)
		stop_guest(h, g, &g->device);
	if (sim_below(h->sim, 5) == 0)
		return; /* stays off for a while */
	year_start(h, &g->device);
	year_here(h, g, &g->device, g->name);
	h->reboots++;
}

static void migrate(struct host *h, struct guest *g)
{
	char *incoming = mem_printf("%s--incoming", g->name), *away = mem_printf("%s--migratedaway", g->name);

	if (g->device.there && h->account && !g->incoming.there) {
		year_start(h, &g->incoming);
		year_here(h, g, &g->incoming, incoming);
		year_flow(h, g, &g->device);
		year_flow(h, g, &g->incoming);
		year_poll_host(h, false);
		year_here(h, g, &g->device, away);
		stop_guest(h, g, &g->device);
		g->device = g->incoming;
		g->incoming = (struct device){0};
		year_here(h, g, &g->device, g->name);
		h->migrations++;
	}
	free(incoming);
	free(away);
}

static void reboot_host(struct host *h)
{
	year_stop_daemon(h);
	if (h->account)
		return; /* the ledger refuses: not now */
	for (int i = 0; i < GUESTS; i++) {
		if (h->guests[i].device.there)
			year_life_ends(h, &h->guests[i], &h->guests[i].device, false);
		h->guests[i].device.there = false;
	}
	free(h->boot);
	h->boot = mem_printf("boot-%u", ++h->boots);
	h->next_domid = h->next_ifindex = 0;
	for (int i = 0; i < GUESTS; i++)
		year_start(h, &h->guests[i].device);
	if (sim_below(h->sim, 2))
		year_start_daemon(h);
}

static bool is_seen(const struct host *h, const struct guest *g)
{
	return h->classify && h->account && g->device.there && !g->device.away && !g->incoming.there;
}

static void stray(struct host *h)
{
	struct guest *g = &h->guests[sim_below(h->sim, GUESTS)];
	enum direction d = sim_below(h->sim, 2) ? DIR_INPUT : DIR_OUTPUT;
	uint64_t bytes = sim_below(h->sim, 100000);

	if (!is_seen(h, g))
		return;
	year_flow_unseen(h, g, d, bytes);
	h->missed[d] += bytes;
	h->strays++;
}

/* One sends under the other's MAC, at a time at which nothing else waits: else nobody could tell whose is
 * what. */
static void steal_mac(struct host *h, struct guest *thief, struct guest *victim)
{
	uint64_t bytes = 1 + sim_below(h->sim, 100000);

	if (thief == victim || victim - h->guests >= SPOOFERS || !is_seen(h, thief) || !is_seen(h, victim))
		return;
	year_poll_host(h, false);
	year_flow_unseen(h, thief, DIR_OUTPUT, bytes);
	victim->device.seen.at[0].bytes[DIR_OUTPUT][CLASS_EXTERNAL] += bytes;
	year_poll_host(h, false);
	year_poll_host(h, false);
	/* it was told, but never booked */
	victim->expected_at[victim->addresses == 1 ? 1 : 0][DIR_OUTPUT] -= bytes;
	h->under_others += bytes;
	h->thefts++;
}

static void change_addresses(struct host *h, struct guest *g)
{
	if (!g->addresses || !is_seen(h, g))
		return;
	year_poll_host(h, false); /* what waits under an address that goes would go on under another */
	g->addresses = 3 - g->addresses;
	year_here(h, g, &g->device, g->name);
}

static void happens(struct host *h, const char *kind, struct guest *g)
{
	if (strcmp(kind, "reboot") == 0) {
		reboot_guest(h, g);
	} else if (strcmp(kind, "reset") == 0) {
		reset_between_readings(h, g);
	} else if (strcmp(kind, "stall") == 0) { /* no reset */
		g->device.carrier_down++;
	} else if (strcmp(kind, "rename") == 0) {
		free(g->name);
		g->name = mem_printf("guest-%u", ++h->names);
		year_here(h, g, &g->device, g->name);
	} else if (strcmp(kind, "migrate") == 0) {
		migrate(h, g);
	} else if (strcmp(kind, "stop") == 0) {
		year_stop_daemon(h);
	} else if (strcmp(kind, "kill") == 0) {
		year_kill_daemon(h);
	} else if (strcmp(kind, "refuse") == 0) {
		h->refuse = (unsigned)sim_below(h->sim, 100);
	} else if (strcmp(kind, "clock") == 0) {
		h->clock_error = (int64_t)sim_below(h->sim, 7200) - 3600;
		h->steps++;
	} else if (strcmp(kind, "host") == 0) {
		if (sim_chance(h->sim, 20))
			reboot_host(h);
	} else if (strcmp(kind, "mac") == 0) {
		steal_mac(h, g, &h->guests[sim_below(h->sim, GUESTS)]);
	} else if (strcmp(kind, "address") == 0) {
		change_addresses(h, g);
	} else if (!h->account) {
		year_start_daemon(h);
	}
}

static void something_happens(struct host *h)
{
	static const char *const kinds[] = {"reboot",  "reset", "reset", "stall",   "rename",
					    "migrate", "stop",  "kill",  "refuse",  "clock",
					    "host",    "mac",   "mac",   "address", "start"};
	struct guest *g = &h->guests[sim_below(h->sim, GUESTS)];
	const char *kind = kinds[sim_below(h->sim, sizeof(kinds) / sizeof(kinds[0]))];

	if (!sim_wants(h->sim, kind))
		return;
	sim_tell(h->sim, "%s, guest %d", kind, (int)(g - h->guests));
	happens(h, kind, g);
}

void year_run(struct host *h)
{
	h->boot = mem_strdup("boot-0");
	h->ledger = memory_ledger_new(h->sim);
	h->true_time = FIRST_DAY;
	for (int i = 0; i < GUESTS; i++) {
		h->guests[i].uuid = mem_printf("00000000-0000-4000-8000-%012d", i);
		h->guests[i].name = mem_printf("guest-%u", ++h->names);
		h->guests[i].addresses = i < TWO_ADDRESSES ? 2 : 0;
		year_start(h, &h->guests[i].device);
		year_flow(h, &h->guests[i], &h->guests[i].device); /* before there was a ledger */
	}
	year_start_daemon(h);
	for (long *minute = &h->sim->minute; ++*minute <= h->sim->minutes;) {
		h->true_time += POLL;
		for (int i = 0; i < GUESTS; i++)
			year_flow(h, &h->guests[i], &h->guests[i].device);
		/* A life may end with what the classifier saw early still waiting; then what crossed no
		 * uplink and stood behind that is lost with it, and cannot be known. */
		if (sim_below(h->sim, 60) == 0 && !h->behind)
			something_happens(h);
		if (sim_below(h->sim, 100) == 0)
			stray(h);
		if (h->account)
			year_poll_with(h, *minute % 3 == 0, true);
	}
	h->refuse = 0;
	if (!h->account)
		year_start_daemon(h);
	year_stop_daemon(h);
}
