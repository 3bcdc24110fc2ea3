/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A simulated year of one host, at a reading a minute, through the real account: guests that boot, reboot,
 * migrate, are renamed and reconnect between two readings; a daemon that is stopped and killed; a ledger that
 * refuses; a clock that is stepped. With a classifier also: guests with two addresses, bytes that cross after
 * the counters were read, under nobody's name, under another guest's MAC, from addresses that are not the
 * guest's. At the end each guest's bucket holds exactly the bytes that the host's kernel ever showed.
 *
 * SEED=n repeats a run. What no counter reading could know (the tail of a life whose last counters the kernel
 * threw away) is kept account of here, byte by byte, and subtracted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "account/account.h"
#include "base/mem.h"
#include "base/text.h"
#include "memory_ledger.h"

#define GUESTS 7
#define TWO_ADDRESSES 3 /* so many of them, the first, have two addresses, 10.0.GUEST.1 and 2 */
#define SPOOFERS 4      /* those from this one on also send from addresses that are not theirs */
#define POLL 60
#define MINUTES_A_YEAR (365 * 24 * 60)
#define FIRST_DAY 1767225600 /* 2026-01-01 UTC */

/* What the classifier saw. */
struct seen {
	struct class_bytes at[3]; /* under no address, the first, the second */
	uint64_t late, spoofed;   /* of the output */
};

/* One life of one guest's device. */
struct device {
	bool there;
	unsigned domid, ifindex;
	struct counters raw;
	uint64_t flowed[DIR_COUNT]; /* IP bytes of this life */
	uint64_t local[DIR_COUNT];  /* the part that crossed no uplink while xenbwd ran */
	uint64_t read[DIR_COUNT];   /* of what flowed, at the last reading */
	uint64_t read_local[DIR_COUNT];
	uint64_t committed[DIR_COUNT]; /* of what flowed, at the last commit */
	struct seen seen;              /* since it was asked last */
	uint32_t carrier_down;
	unsigned left_connected;
	bool away; /* disconnecting: the carrier is off, the counters are still whole */
	int64_t vif;
};

struct guest {
	char *uuid, *name;
	struct device device, incoming; /* incoming: the other end of a migration to the same host */
	unsigned addresses;             /* 0, 1, 2 */
	struct class_bytes expected;
	uint64_t expected_at[3][DIR_COUNT]; /* of the external bytes, those under each address */
	uint64_t missed[DIR_COUNT]; /* of the local bytes, those that crossed under another name or none */
};

/* What the classifier saw last of a vif that is gone. */
struct last_words {
	int64_t vif;
	struct guest *guest;
	struct seen seen;
};

struct host {
	uint64_t random;
	struct guest guests[GUESTS];
	struct memory_ledger *ledger;
	struct account *account; /* NULL: xenbwd does not run */
	char *boot;
	unsigned boots, next_domid, next_ifindex, names;
	int64_t true_time, clock_error;
	unsigned refuse; /* commits that the ledger will still refuse */
	bool classify;
	bool dying;                     /* the daemon will be killed before it can commit */
	bool just_began;                /* the classifier has not seen what flowed before this poll */
	bool behind;                    /* it has seen what the counters did not hold yet */
	uint64_t missed[DIR_COUNT];     /* before the next poll, under nobody's name */
	uint64_t missed_all[DIR_COUNT]; /* in all, under nobody's or another's */
	uint64_t under_others, spoofed; /* in all */
	struct account_portion portions[3];
	struct last_words last_words[GUESTS * 2];
	size_t last_word_count;
	unsigned restarts, kills, resets, hidden_resets, reboots, migrations, steps, refusals, lates, strays,
		thefts;
};

static uint64_t next_random(struct host *h)
{
	uint64_t z = (h->random += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint64_t below(struct host *h, uint64_t n)
{
	return next_random(h) % n;
}

/* ---- the kernel ---- */

static void count(struct host *h, struct guest *g, struct device *v, enum direction d, uint64_t bytes,
		  uint64_t external)
{
	v->flowed[d] += bytes;
	if (!h->classify || !h->account ||
	    h->dying) { /* nobody sees where it goes, the counters see that it flows */
		g->expected.bytes[d][CLASS_UNATTRIBUTED] += bytes;
		return;
	}
	v->seen.at[g->addresses ? 1 + below(h, 2) : 0].bytes[d][CLASS_EXTERNAL] += external;
	if (d == DIR_OUTPUT && external && g - h->guests >= SPOOFERS && below(h, 10) == 0)
		v->seen.spoofed += below(h, external);
	v->local[d] += bytes - external;
	g->expected.bytes[d][CLASS_EXTERNAL] += external;
	g->expected.bytes[d][CLASS_LOCAL] += bytes - external;
}

static void flow(struct host *h, struct guest *g, struct device *v)
{
	if (!v->there || below(h, 4) == 0)
		return;
	for (int d = 0; d < DIR_COUNT; d++) {
		uint64_t packets = below(h, 2000), bytes = packets ? packets * (28 + below(h, 1400)) : 0;

		count(h, g, v, d, bytes, bytes ? below(h, bytes + 1) : 0);
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
static void burst(struct host *h, struct guest *g, struct device *v, const struct counters *before)
{
	uint64_t input = before->tx_bytes + below(h, 10000), output = before->rx_bytes + below(h, 10000);

	v->raw.tx_packets += before->tx_packets;
	v->raw.rx_packets += before->rx_packets;
	v->raw.tx_bytes += input + 14 * before->tx_packets;
	v->raw.rx_bytes += output;
	count(h, g, v, DIR_INPUT, input, input / 3);
	count(h, g, v, DIR_OUTPUT, output, output / 3);
}

/* A life ends. What no reading saw is lost, unless the kernel told the last counters; but what the classifier
 * saw of it is saved. Without a daemon there is none: then all since the last commit is lost. */
static void life_ends(struct host *h, struct guest *g, struct device *v, bool told)
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

static void start(struct host *h, struct device *v)
{
	*v = (struct device){.there = true, .domid = ++h->next_domid, .ifindex = ++h->next_ifindex};
}

/* ---- the daemon ---- */

static void here(struct host *h, const struct guest *g, struct device *v, const char *name)
{
	int number = (int)(g - h->guests);
	char *addresses = mem_printf(g->addresses > 1 ? "10.0.%d.1 10.0.%d.2" : "10.0.%d.1", number, number);
	struct account_vif_facts facts = {.domid = v->domid,
					  .uuid = g->uuid,
					  .domain = name,
					  .addresses = g->addresses ? addresses : NULL};
	char *warning = NULL;

	if (h->account && v->there) {
		v->vif = account_vif_here(h->account, &facts, &warning);
		account_device_here(h->account, v->vif, v->ifindex, "vif", DEVICE_NETBACK, v->carrier_down,
				    v->left_connected);
	}
	free(warning);
	free(addresses);
}

static void all_here(struct host *h)
{
	for (int i = 0; i < GUESTS; i++) {
		struct guest *g = &h->guests[i];
		char *incoming = mem_printf("%s--incoming", g->name);

		here(h, g, &g->device, g->name);
		here(h, g, &g->incoming, incoming);
		free(incoming);
	}
}

static struct seen *seen_of(struct host *h, int64_t vif, struct guest **guest)
{
	for (size_t i = 0; i < h->last_word_count; i++) {
		*guest = h->last_words[i].guest;
		if (h->last_words[i].vif == vif)
			return &h->last_words[i].seen;
	}
	for (int i = 0; i < GUESTS; i++) {
		*guest = &h->guests[i];
		if (h->guests[i].device.vif == vif)
			return &h->guests[i].device.seen;
		if (h->guests[i].incoming.vif == vif)
			return &h->guests[i].incoming.seen;
	}
	return NULL;
}

/* Where the account is to book what is told now: a guest with one address has all of it there. */
static void expect_at(struct guest *g, const struct seen *s)
{
	for (unsigned i = 0; i < 3; i++) {
		unsigned at = g->addresses == 1 ? 1 : i;

		for (int d = 0; d < DIR_COUNT; d++)
			g->expected_at[at][d] += s->at[i].bytes[d][CLASS_EXTERNAL];
	}
}

static void seen(void *ctx, int64_t vif, struct account_seen *out)
{
	static const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, [12] = 10};
	static uint8_t addresses[3][16];
	struct host *h = ctx;
	struct guest *g;
	struct seen *s = seen_of(h, vif, &g);

	out->blind = h->just_began;
	if (!s)
		return;
	for (uint8_t i = 0; i < 3; i++) {
		memcpy(addresses[i], mapped, sizeof(mapped));
		addresses[i][14] = (uint8_t)(g - h->guests);
		addresses[i][15] = i;
		h->portions[i] = (struct account_portion){i ? addresses[i] : NULL, s->at[i]};
	}
	out->portions = h->portions;
	out->count = 3;
	out->late[DIR_OUTPUT] = s->late;
	out->spoofed = s->spoofed;
	expect_at(g, s);
	h->spoofed += s->spoofed;
	*s = (struct seen){0};
}

static bool settle(struct host *h)
{
	struct account_look look = {.seen = seen, .ctx = h};
	bool complete;

	memcpy(look.missed, h->missed, sizeof(look.missed));
	complete = account_settle(h->account, h->classify ? &look : NULL);
	memset(h->missed, 0, sizeof(h->missed));
	return complete;
}

static void read_device(struct host *h, struct device *v)
{
	struct epoch_evidence evidence = {.carrier_down = v->carrier_down,
					  .carrier = !v->away,
					  .away = v->away,
					  .left_connected = v->left_connected};

	if (!v->there)
		return;
	account_evidence(h->account, v->ifindex, &evidence);
	if (account_reading(h->account, v->ifindex, &v->raw))
		account_restarted(h->account, v->ifindex, v->carrier_down);
	memcpy(v->read, v->flowed, sizeof(v->read));
	memcpy(v->read_local, v->local, sizeof(v->read_local));
}

static bool commit(struct host *h)
{
	struct ledger_batch batch;

	if (h->refuse > 0) {
		h->refuse--;
		h->refusals++;
		account_batch(h->account, &batch); /* offered and refused */
		account_batch_free(&batch);
		return false;
	}
	account_batch(h->account, &batch);
	memory_ledger_commit(h->ledger, h->boot, &batch);
	account_batch_free(&batch);
	account_committed(h->account);
	for (int i = 0; i < GUESTS; i++) {
		memcpy(h->guests[i].device.committed, h->guests[i].device.read, sizeof(uint64_t[DIR_COUNT]));
		memcpy(h->guests[i].incoming.committed, h->guests[i].incoming.read,
		       sizeof(uint64_t[DIR_COUNT]));
	}
	return true;
}

/* What crosses between the reading of the counters and that of the classifier. */
static void lag(struct host *h, struct guest *g, struct device *v)
{
	uint64_t bytes = below(h, 5000);

	if (!h->classify || !v->there || v->away || below(h, 20))
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

static bool poll_with(struct host *h, bool flush, bool may_lag)
{
	bool complete;

	h->behind = false;
	account_begin(h->account, h->true_time + h->clock_error);
	for (int i = 0; i < GUESTS; i++) {
		read_device(h, &h->guests[i].device);
		read_device(h, &h->guests[i].incoming);
	}
	for (int i = 0; may_lag && i < GUESTS; i++)
		lag(h, &h->guests[i], &h->guests[i].device);
	complete = settle(h);
	h->last_word_count = 0;
	h->just_began = false;
	return complete || flush ? commit(h) : false;
}

static bool poll_host(struct host *h, bool flush)
{
	return poll_with(h, flush, false);
}

/* The device goes, then the vif: as a destroy. Half of the time the carrier message had the last counters. */
static void stop_guest(struct host *h, struct guest *g, struct device *v)
{
	struct counters zero = {0};
	bool told = h->account && below(h, 2);

	if (h->account && below(h, 2)) { /* a reading may come between the carrier and the counters */
		v->carrier_down++;
		v->left_connected++;
		v->away = true;
		poll_host(h, false);
		if (below(h, 2)) { /* and another before the message about the carrier */
			struct counters whole = v->raw;

			life_ends(h, g, v, true);
			poll_host(h, false);
			account_carrier_off(h->account, v->ifindex, v->carrier_down, &whole);
		}
	}
	if (h->account) {
		account_carrier_off(h->account, v->ifindex, v->carrier_down + 1, told ? &v->raw : &zero);
		account_device_gone(h->account, v->ifindex, &zero);
		account_vif_gone(h->account, v->vif);
		h->last_words[h->last_word_count++] = (struct last_words){v->vif, g, v->seen};
	}
	life_ends(h, g, v, told);
	v->there = false;
}

static void start_daemon(struct host *h)
{
	struct account_settings settings = {.boot = h->boot, .late = POLL};
	struct ledger_state state = memory_ledger_state(h->ledger, h->boot);
	const struct ledger_epoch *e, *next;

	h->account = account_new(&settings, &state, h->true_time + h->clock_error);
	for (int i = 0; state.first_run && i < GUESTS; i++) {
		struct device *v = &h->guests[i].device;

		if (!v->there)
			continue;
		account_baseline(h->account, v->ifindex, &v->raw);
		for (int d = 0; d < DIR_COUNT; d++)
			h->guests[i].expected.bytes[d][CLASS_UNATTRIBUTED] -= v->flowed[d];
	}
	ledger_state_free(&state);
	for (e = account_next_epoch(h->account, NULL); e; e = next) {
		bool there = false;

		next = account_next_epoch(h->account, e);
		for (int i = 0; i < GUESTS; i++)
			there |= (h->guests[i].device.there && h->guests[i].device.ifindex == e->ifindex) ||
				 (h->guests[i].incoming.there && h->guests[i].incoming.ifindex == e->ifindex);
		if (!there)
			account_device_gone(h->account, e->ifindex, NULL);
	}
	for (const struct ledger_vif *v = account_next_vif(h->account, NULL), *after; v; v = after) {
		after = account_next_vif(h->account, v);
		if (account_devices(h->account, v->id) == 0)
			account_vif_gone(h->account, v->id);
	}
	for (int i = 0; i < GUESTS; i++) { /* a new directory and a new classifier have seen nothing yet */
		h->guests[i].device.left_connected = h->guests[i].incoming.left_connected = 0;
		h->guests[i].device.seen = h->guests[i].incoming.seen = (struct seen){0};
	}
	h->just_began = true;
	h->last_word_count = 0;
	all_here(h);
	poll_host(h, true);
	h->restarts++;
}

static void stop_daemon(struct host *h)
{
	if (!h->account || h->refuse > 0)
		return;
	poll_host(h, true);
	account_free(h->account);
	h->account = NULL;
}

/* KILL: nothing is read or written any more. Only where no life has ended since the last commit; bytes of a
 * life that ended after it are gone with the daemon's memory, as xenbwd(8) says. */
static void kill_daemon(struct host *h)
{
	if (!h->account || h->refuse > 0 || !poll_host(h, true))
		return;
	h->dying = true;
	for (int i = 0; i < GUESTS; i++) {
		flow(h, &h->guests[i], &h->guests[i].device);
		read_device(h, &h->guests[i].device);
	}
	(void)settle(h);
	h->dying = false;
	account_free(h->account);
	h->account = NULL;
	for (int i = 0; i < GUESTS; i++) {
		memcpy(h->guests[i].device.read, h->guests[i].device.committed, sizeof(uint64_t[DIR_COUNT]));
		memcpy(h->guests[i].incoming.read, h->guests[i].incoming.committed,
		       sizeof(uint64_t[DIR_COUNT]));
	}
	h->kills++;
}

/* ---- what happens in a year ---- */

static void reset_between_readings(struct host *h, struct guest *g)
{
	struct device *v = &g->device;
	struct counters before = v->raw;
	/* What was seen of a tail and what is new since cannot be told apart at one poll: with a classifier
	 * these sums are exact only where the tail is known. */
	bool told = h->classify || below(h, 2);

	if (!v->there || !h->account)
		return;
	if (told)
		account_carrier_off(h->account, v->ifindex, v->carrier_down + 1, &v->raw);
	life_ends(h, g, v, told);
	v->carrier_down++;
	v->left_connected++;
	h->resets++;
	if (below(h, 2))
		burst(h, g, v, &before);
	h->hidden_resets += counters_at_least(&v->raw, &before);
}

static void reboot_guest(struct host *h, struct guest *g)
{
	if (g->incoming.there)
		return;
	if (g->device.there)
		stop_guest(h, g, &g->device);
	if (below(h, 5) == 0)
		return; /* stays off for a while */
	start(h, &g->device);
	here(h, g, &g->device, g->name);
	h->reboots++;
}

static void migrate(struct host *h, struct guest *g)
{
	char *incoming = mem_printf("%s--incoming", g->name), *away = mem_printf("%s--migratedaway", g->name);

	if (g->device.there && h->account && !g->incoming.there) {
		start(h, &g->incoming);
		here(h, g, &g->incoming, incoming);
		flow(h, g, &g->device);
		flow(h, g, &g->incoming);
		poll_host(h, false);
		here(h, g, &g->device, away);
		stop_guest(h, g, &g->device);
		g->device = g->incoming;
		g->incoming = (struct device){0};
		here(h, g, &g->device, g->name);
		h->migrations++;
	}
	free(incoming);
	free(away);
}

static void reboot_host(struct host *h)
{
	stop_daemon(h);
	if (h->account)
		return; /* the ledger refuses: not now */
	for (int i = 0; i < GUESTS; i++) {
		if (h->guests[i].device.there)
			life_ends(h, &h->guests[i], &h->guests[i].device, false);
		h->guests[i].device.there = false;
	}
	free(h->boot);
	h->boot = mem_printf("boot-%u", ++h->boots);
	h->next_domid = h->next_ifindex = 0;
	for (int i = 0; i < GUESTS; i++)
		start(h, &h->guests[i].device);
	if (below(h, 2))
		start_daemon(h);
}

/* Bytes that no classifier sees as this guest's. */
static void flow_unseen(struct host *h, struct guest *g, enum direction d, uint64_t bytes)
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

static bool is_seen(const struct host *h, const struct guest *g)
{
	return h->classify && h->account && g->device.there && !g->device.away && !g->incoming.there;
}

static void stray(struct host *h)
{
	struct guest *g = &h->guests[below(h, GUESTS)];
	enum direction d = below(h, 2) ? DIR_INPUT : DIR_OUTPUT;
	uint64_t bytes = below(h, 100000);

	if (!is_seen(h, g))
		return;
	flow_unseen(h, g, d, bytes);
	h->missed[d] += bytes;
	h->strays++;
}

/* One sends under the other's MAC, at a time at which nothing else waits: else nobody could tell whose is
 * what. */
static void steal_mac(struct host *h, struct guest *thief, struct guest *victim)
{
	uint64_t bytes = 1 + below(h, 100000);

	if (thief == victim || victim - h->guests >= SPOOFERS || !is_seen(h, thief) || !is_seen(h, victim))
		return;
	poll_host(h, false);
	flow_unseen(h, thief, DIR_OUTPUT, bytes);
	victim->device.seen.at[0].bytes[DIR_OUTPUT][CLASS_EXTERNAL] += bytes;
	poll_host(h, false);
	poll_host(h, false);
	/* it was told, but never booked */
	victim->expected_at[victim->addresses == 1 ? 1 : 0][DIR_OUTPUT] -= bytes;
	h->under_others += bytes;
	h->thefts++;
}

static void change_addresses(struct host *h, struct guest *g)
{
	if (!g->addresses || !is_seen(h, g))
		return;
	poll_host(h, false); /* what waits under an address that goes would go on under another */
	g->addresses = 3 - g->addresses;
	here(h, g, &g->device, g->name);
}

static void something_happens(struct host *h)
{
	struct guest *g = &h->guests[below(h, GUESTS)];

	switch (below(h, 15)) {
	case 0:
		reboot_guest(h, g);
		break;
	case 1:
	case 2:
		reset_between_readings(h, g);
		break;
	case 3: /* a stalled guest: no reset */
		g->device.carrier_down++;
		break;
	case 4:
		free(g->name);
		g->name = mem_printf("guest-%u", ++h->names);
		here(h, g, &g->device, g->name);
		break;
	case 5:
		migrate(h, g);
		break;
	case 6:
		stop_daemon(h);
		break;
	case 7:
		kill_daemon(h);
		break;
	case 8:
		h->refuse = (unsigned)below(h, 100);
		break;
	case 9:
		h->clock_error = (int64_t)below(h, 7200) - 3600;
		h->steps++;
		break;
	case 10:
		if (below(h, 20) == 0)
			reboot_host(h);
		break;
	case 11:
	case 12:
		steal_mac(h, g, &h->guests[below(h, GUESTS)]);
		break;
	case 13:
		change_addresses(h, g);
		break;
	default:
		if (!h->account)
			start_daemon(h);
		break;
	}
}

static void run_year(struct host *h)
{
	h->boot = mem_strdup("boot-0");
	h->ledger = memory_ledger_new();
	h->true_time = FIRST_DAY;
	for (int i = 0; i < GUESTS; i++) {
		h->guests[i].uuid = mem_printf("00000000-0000-4000-8000-%012d", i);
		h->guests[i].name = mem_printf("guest-%u", ++h->names);
		h->guests[i].addresses = i < TWO_ADDRESSES ? 2 : 0;
		start(h, &h->guests[i].device);
		flow(h, &h->guests[i], &h->guests[i].device); /* before there was a ledger */
	}
	start_daemon(h);
	for (int minute = 1; minute <= MINUTES_A_YEAR; minute++) {
		h->true_time += POLL;
		for (int i = 0; i < GUESTS; i++)
			flow(h, &h->guests[i], &h->guests[i].device);
		/* A life may end with what the classifier saw early still waiting; then what crossed no
		 * uplink and stood behind that is lost with it, and cannot be known. */
		if (below(h, 60) == 0 && !h->behind)
			something_happens(h);
		if (below(h, 100) == 0)
			stray(h);
		if (h->account)
			poll_with(h, minute % 3 == 0, true);
	}
	h->refuse = 0;
	if (!h->account)
		start_daemon(h);
	stop_daemon(h);
}

static void free_host(struct host *h)
{
	for (int i = 0; i < GUESTS; i++) {
		free(h->guests[i].uuid);
		free(h->guests[i].name);
	}
	memory_ledger_free(h->ledger);
	free(h->boot);
}

static struct host new_host(bool classify)
{
	const char *given = getenv("SEED");
	uint64_t seed = (uint64_t)time(NULL);

	if (given && !text_u64(given, 0, UINT64_MAX, &seed))
		fail_msg("SEED is no number");
	print_message("SEED=%" PRIu64 "\n", seed);
	return (struct host){.random = seed, .classify = classify};
}

static void say(const struct host *h)
{
	print_message("%u runs (%u killed), %u resets (%u hidden), %u reboots of guests, %u migrations, %u "
		      "clock steps, "
		      "%u refused commits, %u boots\n",
		      h->restarts, h->kills, h->resets, h->hidden_resets, h->reboots, h->migrations, h->steps,
		      h->refusals, h->boots);
	assert_true(h->kills > 10 && h->hidden_resets > 10 && h->migrations > 10 && h->refusals > 100);
}

/* What crossed an uplink is exact by class. What did not is exact in sum: what was missed may have been any
 * guest's, so it is unattributed of each that it may have been, and never of more bytes. */
static void check_classes(const struct host *h, const struct guest *g, const struct class_bytes *booked)
{
	for (int d = 0; d < DIR_COUNT; d++) {
		const uint64_t *is = booked->bytes[d], *expected = g->expected.bytes[d];

		for (int c = 0; c < CLASS_COUNT; c++)
			if (!h->classify || (c != CLASS_LOCAL && c != CLASS_UNATTRIBUTED))
				assert_int_equal(is[c], expected[c]);
		assert_int_equal(is[CLASS_LOCAL] + is[CLASS_UNATTRIBUTED],
				 expected[CLASS_LOCAL] + expected[CLASS_UNATTRIBUTED]);
		assert_true(is[CLASS_UNATTRIBUTED] >= expected[CLASS_UNATTRIBUTED] + g->missed[d]);
		assert_true(is[CLASS_UNATTRIBUTED] <= expected[CLASS_UNATTRIBUTED] + h->missed_all[d]);
	}
}

static void check_addresses(const struct host *h, const struct guest *g)
{
	for (unsigned i = 1; i < 3 && g->addresses; i++) {
		char *address = mem_printf("10.0.%d.%u", (int)(g - h->guests), i);
		struct class_bytes booked;

		memory_ledger_booked_at(h->ledger, address, &booked);
		for (int d = 0; d < DIR_COUNT; d++) {
			assert_int_equal(booked.bytes[d][CLASS_EXTERNAL], g->expected_at[i][d]);
			assert_true(!h->classify || g->expected_at[i][d] > 100000000);
		}
		free(address);
	}
}

static void check_year(bool classify)
{
	struct host h = new_host(classify);
	uint64_t takes[DIR_COUNT], epochs[DIR_COUNT];

	run_year(&h);
	say(&h);
	for (int i = 0; i < GUESTS; i++) {
		const struct guest *g = &h.guests[i];
		struct class_bytes booked;

		memory_ledger_booked(h.ledger, g->uuid, &booked);
		check_classes(&h, g, &booked);
		check_addresses(&h, g);
		assert_true(class_bytes_total(&booked, DIR_INPUT) > 1000000000);
	}
	memory_ledger_totals(h.ledger, takes, epochs);
	for (int d = 0; d < DIR_COUNT; d++)
		epochs[d] += memory_ledger_estimated(h.ledger, d); /* what raised T beyond the counters */
	for (int d = 0; d < DIR_COUNT; d++)
		assert_int_equal(takes[d], epochs[d]);
	assert_int_equal(memory_ledger_clipped(h.ledger), h.under_others);
	assert_int_equal(memory_ledger_spoofed(h.ledger), h.spoofed);
	if (classify) {
		assert_true(memory_ledger_estimated(h.ledger, DIR_INPUT) > 0);
		assert_true(h.lates > 1000 && h.strays > 1000 && h.thefts > 10 && h.spoofed > 1000000);
		/* at most one for each guest and slot */
		assert_true(memory_ledger_events(h.ledger, "spoofed") > 10);
		assert_true(memory_ledger_events(h.ledger, "spoofed") <= h.thefts);
	}
	free_host(&h);
}

static void each_guest_is_charged_exactly_what_flowed(void **state)
{
	(void)state;
	check_year(false);
}

static void with_a_classifier_each_class_is_exact(void **state)
{
	(void)state;
	check_year(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_guest_is_charged_exactly_what_flowed),
		cmocka_unit_test(with_a_classifier_each_class_is_exact),
	};

	return cmocka_run_group_tests_name("sim_year", tests, NULL, NULL);
}
