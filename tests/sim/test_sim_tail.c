/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Weeks of guests that come, go, reconnect and stall between two readings, through the real account, beside a
 * count that outlives their devices (attribution kernel): what each sent is booked to the last byte, though
 * most of its last bytes stood in no counter that anybody read, also where the daemon was killed or away
 * meanwhile. Where bytes came in between each reading of the counters and that of the count, nothing is
 * booked twice.
 *
 * What is repeated, shortened and left out: see sim.h.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "account/account.h"
#include "base/mem.h"
#include "memory_ledger.h"
#include "sim.h"

#define GUESTS 5
#define POLLS 40000
#define MUCH                                                                                               \
	50000 /* bytes of a life in which a drop of the carrier may be doubtful: more than come in at once \
	       */
#define BETWEEN                                                                                             \
	3000 /* bytes beyond the packets' least that may come in between the reading of the counters and of \
		the count */
#define SLACK (BETWEEN + 20 * 28)
#define UNHEARD                                                                                            \
	500000 /* what was sent since a poll at which the count was not told is found by the next one only \
		*/
#define DEVICES 65536 /* one after the other */

struct guest {
	char *uuid;
	bool there;
	unsigned ifindex;
	uint32_t carrier_down;
	unsigned left_connected;
	int64_t vif;
	struct counters raw;
	uint64_t flowed; /* IP bytes in all */
	uint64_t slack; /* what may be missing at its ends: it came in between the two readings at all of them
			 */
	uint64_t read;  /* of this life's counters */
	bool exact;    /* of this life, and since the daemon began: at some reading nothing came in between */
	bool late;     /* something did at the last one */
	bool lent;     /* the life before has its end from a reading since which there was no other such */
	uint64_t over; /* what may be booked twice: then the count was not told */
	bool doubtful; /* what its last drop of the carrier means is told by the next poll */
};

struct host {
	struct sim *sim;
	struct guest guests[GUESTS];
	struct memory_ledger *ledger;
	struct account *account;
	struct sent count[DEVICES], heard[DEVICES], committed[DEVICES];
	int64_t now;
	unsigned last_ifindex;
	bool blind;     /* at the next poll nobody says what the count is */
	bool was_blind; /* at the last one */
	unsigned kills, resets, doubts, ends, lates;
};

static void send(struct host *h, struct guest *g, uint64_t most)
{
	uint64_t n = 1 + sim_below(h->sim, 20), bytes = n * 28 + sim_below(h->sim, most);

	g->raw.rx_packets += n;
	g->raw.rx_bytes += bytes;
	h->count[g->ifindex].bytes += bytes;
	h->count[g->ifindex].packets += n;
	g->flowed += bytes;
}

static void forget_loan(struct guest *g)
{
	g->over += g->lent ? SLACK : 0;
	g->lent = false;
}

static void begin_life(struct guest *g)
{
	g->raw = (struct counters){0};
	g->read = 0;
}

static void here(struct host *h, struct guest *g)
{
	struct account_vif_facts facts = {
		.domid = (unsigned)(g - h->guests) + 1, .uuid = g->uuid, .domain = g->uuid};
	char *warning = NULL;

	g->vif = account_vif_here(h->account, &facts, &warning);
	account_device_here(h->account, g->vif, g->ifindex, "vif", DEVICE_NETBACK, g->carrier_down,
			    g->left_connected);
	free(warning);
}

static void appear(struct host *h, struct guest *g)
{
	g->there = true;
	g->ifindex = ++h->last_ifindex;
	g->carrier_down = g->left_connected = 0;
	g->exact = true;
	g->lent = false;
	begin_life(g);
	if (h->account)
		here(h, g);
}

static void disappear(struct host *h, struct guest *g)
{
	struct counters zero = {0};

	send(h, g, 100000);
	g->slack += h->was_blind ? UNHEARD : g->exact ? 0 : SLACK;
	if (h->account) {
		account_device_gone(h->account, g->ifindex, &zero);
		account_vif_gone(h->account, g->vif);
	}
	g->there = false;
	h->ends++;
}

/* ---- the daemon ---- */

static void seen(void *ctx, int64_t vif, struct account_seen *out)
{
	(void)ctx;
	(void)vif;
	out->blind = true;
}

static bool sent(void *ctx, int64_t vif, unsigned ifindex, struct sent *growth)
{
	const struct host *h = ctx;

	(void)vif;
	growth->bytes = h->count[ifindex].bytes - h->heard[ifindex].bytes;
	growth->packets = h->count[ifindex].packets - h->heard[ifindex].packets;
	return !h->blind;
}

static void check(const struct host *h)
{
	for (int i = 0; i < GUESTS; i++) {
		const struct guest *g = &h->guests[i];
		struct class_bytes booked;
		uint64_t is, waits;

		memory_ledger_booked(h->ledger, g->uuid, &booked);
		is = class_bytes_total(&booked, DIR_OUTPUT);
		/* what came in after the reading comes with the next one */
		waits = g->there ? SLACK : 0;
		if (is > g->flowed + g->over || (is + waits + g->slack < g->flowed && !g->doubtful))
			sim_fail(h->sim, "guest %d: %" PRIu64 " booked, %" PRIu64 " sent, slack %" PRIu64, i,
				 is, g->flowed, g->slack);
	}
}

static void commit(struct host *h)
{
	struct ledger_batch batch;

	account_batch(h->account, &batch);
	batch.position = 1;
	memory_ledger_commit(h->ledger, "boot", &batch);
	account_batch_free(&batch);
	account_committed(h->account);
	memcpy(h->committed, h->heard, (h->last_ifindex + 1) * sizeof(*h->heard));
	check(h);
}

static void poll(struct host *h)
{
	struct account_look look = {.seen = seen, .sent = sent, .ctx = h};

	account_begin(h->account, h->now);
	for (int i = 0; i < GUESTS; i++) {
		struct guest *g = &h->guests[i];
		struct epoch_evidence evidence = {.carrier_down = g->carrier_down,
						  .carrier = true,
						  .left_connected = g->left_connected};

		if (!g->there)
			continue;
		g->late = false;
		g->read = g->raw.rx_bytes;
		account_evidence(h->account, g->ifindex, &evidence);
		if (account_reading(h->account, g->ifindex, &g->raw))
			account_restarted(h->account, g->ifindex, g->carrier_down);
		if (sim_chance(h->sim, 3) && !h->blind) {
			send(h, g, BETWEEN);
			g->late = true;
			h->lates++;
		} else if (!h->blind) {
			g->exact = true;
			g->lent = false;
		}
	}
	(void)account_settle(h->account, &look);
	for (unsigned i = 1; i <= h->last_ifindex; i++)
		h->heard[i] = h->count[i];
	for (int i = 0; h->blind && i < GUESTS; i++) {
		h->guests[i].exact = false;
		forget_loan(&h->guests[i]);
	}
	h->was_blind = h->blind;
	h->blind = false;
	commit(h);
}

static void start(struct host *h)
{
	struct account_settings settings = {.boot = "boot", .late = 60};
	struct ledger_state state = memory_ledger_state(h->ledger, "boot");
	const struct ledger_epoch *e, *next;

	h->account = account_new(&settings, &state, h->now);
	ledger_state_free(&state);
	memcpy(h->heard, h->committed, (h->last_ifindex + 1) * sizeof(*h->heard));
	for (e = account_next_epoch(h->account, NULL); e; e = next) {
		bool there = false;

		next = account_next_epoch(h->account, e);
		for (int i = 0; i < GUESTS; i++)
			there |= h->guests[i].there && h->guests[i].ifindex == e->ifindex;
		if (!there)
			account_device_gone(h->account, e->ifindex, NULL);
	}
	for (const struct ledger_vif *v = account_next_vif(h->account, NULL), *after; v; v = after) {
		after = account_next_vif(h->account, v);
		if (account_devices(h->account, v->id) == 0)
			account_vif_gone(h->account, v->id);
	}
	for (int i = 0; i < GUESTS; i++) {
		h->guests[i].left_connected = 0;
		if (h->guests[i].there)
			here(h, &h->guests[i]);
	}
}

/* ---- what happens ---- */

/* Its counters begin anew; nobody reads what was sent last. Proven, or seen by a drop of the carrier alone.
 */
static void reset(struct host *h, struct guest *g, bool proven)
{
	struct counters before = g->raw;

	if (!proven && (g->read < MUCH || !g->exact))
		return;
	send(h, g, 100000);
	g->slack += h->was_blind ? UNHEARD : g->exact ? 0 : SLACK;
	begin_life(g);
	g->carrier_down++;
	g->left_connected += proven;
	g->exact = false;
	g->lent = true;
	h->resets++;
	if (!proven) { /* and the counters do not say so */
		uint64_t more = before.rx_bytes + 100000;

		g->raw.rx_bytes += more;
		g->raw.rx_packets += before.rx_packets + 1000;
		h->count[g->ifindex].bytes += more;
		h->count[g->ifindex].packets += before.rx_packets + 1000;
		g->flowed += more;
		h->doubts++;
	} else if (sim_chance(h->sim, 2)) {
		send(h, g, 200000);
	}
}

/* No reading comes with a doubt that is open: what it means is told by the next two. */
static void doubt(struct host *h, struct guest *g)
{
	bool hidden = sim_chance(h->sim, 2);

	if (hidden)
		reset(h, g, false);
	else if (g->read >= MUCH)
		g->carrier_down++; /* a stall */
	g->doubtful = true;
	h->now += 60;
	poll(h);
	g->doubtful = false;
	g->lent |= hidden;
	h->now += 60;
	poll(h);
}

static void kill_it(struct host *h)
{
	account_free(h->account);
	h->account = NULL;
	for (int i = 0; i < GUESTS; i++) {
		struct guest *g = &h->guests[i];

		if (g->there && sim_chance(h->sim, 2))
			send(h, g, 100000);
		if (g->there && sim_chance(h->sim, 3))
			disappear(h, g);
		else if (!g->there && sim_chance(h->sim, 3))
			appear(h, g);
	}
	start(h);
	h->kills++;
}

static void something_happens(struct host *h)
{
	static const char *const kinds[] = {"reboot", "reboot", "reset", "reset", "doubt", "kill", "blind"};
	const char *kind = kinds[sim_below(h->sim, sizeof(kinds) / sizeof(kinds[0]))];
	struct guest *g = &h->guests[sim_below(h->sim, GUESTS)];

	if (!sim_wants(h->sim, kind))
		return;
	sim_tell(h->sim, "%s, guest %d", kind, (int)(g - h->guests));
	if (strcmp(kind, "kill") == 0)
		kill_it(h);
	else if (strcmp(kind, "blind") == 0)
		h->blind = sim_chance(h->sim, 10);
	else if (!g->there)
		appear(h, g);
	else if (strcmp(kind, "reboot") == 0)
		disappear(h, g);
	else if (strcmp(kind, "reset") == 0)
		reset(h, g, true);
	else
		doubt(h, g);
}

static void scenario(struct sim *s, const void *arg)
{
	struct host *h = mem_alloc(sizeof(*h));

	(void)arg;
	h->sim = s;
	h->now = 1767225600;
	h->ledger = memory_ledger_new(s);
	for (int i = 0; i < GUESTS; i++)
		h->guests[i].uuid = mem_printf("00000000-0000-4000-8000-%012d", i);
	start(h);
	while (++s->minute <= s->minutes) {
		h->now += 60;
		for (int i = 0; i < GUESTS; i++)
			if (h->guests[i].there && sim_chance(s, 2))
				send(h, &h->guests[i], 100000);
		if (sim_chance(s, 4) && h->last_ifindex < DEVICES - GUESTS - 1)
			something_happens(h);
		poll(h);
	}
	print_message("# %u kills, %u resets (%u hidden), %u ends, %u times bytes between the readings\n",
		      h->kills, h->resets, h->doubts, h->ends, h->lates);
	if (!s->events && s->minutes == POLLS)
		assert_true(h->kills > 100 && h->resets > 100 && h->doubts > 50 && h->ends > 500);
	account_free(h->account);
	memory_ledger_free(h->ledger);
	for (int i = 0; i < GUESTS; i++)
		free(h->guests[i].uuid);
	free(h);
}

static void what_was_sent_last_is_booked(void **state)
{
	(void)state;
	sim_run("tail", POLLS, true, scenario, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_sent_last_is_booked),
	};

	return cmocka_run_group_tests_name("sim_tail", tests, NULL, NULL);
}
