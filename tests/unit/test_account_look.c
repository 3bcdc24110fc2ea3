/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The account with a classifier: what was seen under which address, what was missed, what others sent under a
 * vif's MAC. In memory; batches are taken as a ledger would.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account/account.h"
#include "base/mem.h"
#include "tests/support/unit.h"

#define EDGE INT64_C(1700000100) /* a slot's edge */
#define VIFS 4
#define PORTIONS 4

/* What the classifier will say of a vif at the next poll. */
struct told {
	struct account_portion portions[PORTIONS];
	uint8_t addresses[PORTIONS][16];
	size_t count;
	uint64_t late[DIR_COUNT], spoofed;
	bool blind;
};

struct bed {
	struct account *account;
	int64_t now;
	uint64_t packets[VIFS + 1]; /* by vif */
	struct told told[VIFS + 1];
	struct account_look look;
	struct ledger_take *takes; /* committed */
	size_t take_count;
	char *labels[16]; /* by bucket */
	char *event;      /* the newest one's "OBJECT: DETAIL" */
	unsigned events;
};

static void seen(void *ctx, int64_t vif, struct account_seen *out)
{
	struct bed *b = ctx;
	const struct told *t = &b->told[vif];

	*out = (struct account_seen){
		t->portions, t->count, {t->late[DIR_INPUT], t->late[DIR_OUTPUT]}, t->spoofed, t->blind};
}

static struct bed *set_up(bool by_ip)
{
	struct account_settings settings = {.boot = "boot-1", .late = 60, .bucket_by_ip = by_ip};
	struct ledger_state state = {.first_run = true};
	struct bed *b = mem_alloc(sizeof(*b));

	b->now = EDGE;
	b->account = account_new(&settings, &state, EDGE);
	b->look = (struct account_look){.seen = seen, .ctx = b};
	return b;
}

static void commit(struct bed *b)
{
	struct ledger_batch batch;

	account_batch(b->account, &batch);
	for (size_t i = 0; i < batch.label_count; i++) {
		assert_true(batch.labels[i]->bucket < 16);
		mem_replace(&b->labels[batch.labels[i]->bucket], batch.labels[i]->label);
	}
	for (size_t i = 0; i < batch.take_count; i++) {
		b->takes = mem_resize(b->takes, b->take_count + 1, sizeof(*b->takes));
		b->takes[b->take_count] = *batch.takes[i];
		assert_int_equal(batch.takes[i]->seq, b->take_count + 1);
		b->takes[b->take_count++].address = mem_strdup(batch.takes[i]->address);
	}
	for (size_t i = 0; i < batch.event_count; i++) {
		char *text = mem_printf("%s: %s", batch.events[i]->object, batch.events[i]->detail);

		assert_string_equal(batch.events[i]->kind, "spoofed");
		mem_replace(&b->event, text);
		free(text);
		b->events++;
	}
	account_batch_free(&batch);
	account_committed(b->account);
}

/* The ledger says no. */
static void refused(struct bed *b)
{
	struct ledger_batch batch;

	account_batch(b->account, &batch);
	account_batch_free(&batch);
}

static void forget_takes(struct bed *b)
{
	while (b->take_count)
		free(b->takes[--b->take_count].address);
}

static void tear_down(struct bed *b)
{
	account_free(b->account);
	forget_takes(b);
	free(b->takes);
	for (size_t i = 0; i < 16; i++)
		free(b->labels[i]);
	free(b->event);
	free(b);
}

/* Vif N is domain N, "gN", and has these addresses. */
static void here(struct bed *b, unsigned n, const char *addresses)
{
	char *uuid = mem_printf("uuid-%u", n), *name = mem_printf("g%u", n);
	struct account_vif_facts f = {
		.domid = n, .uuid = uuid, .domain = name, .addresses = addresses, .netdev = name};
	char *warning = NULL;
	int64_t id = account_vif_here(b->account, &f, &warning);

	assert_int_equal(id, n);
	free(warning);
	account_device_here(b->account, id, 10 + n, name, DEVICE_OTHER, 0, 0);
	free(uuid);
	free(name);
}

static void saw(struct bed *b, unsigned vif, const char *address, enum direction d, enum byte_class c,
		uint64_t bytes)
{
	struct told *t = &b->told[vif];
	struct account_portion *p = &t->portions[t->count];
	struct network n;

	assert_true(t->count < PORTIONS);
	*p = (struct account_portion){0};
	if (address) {
		assert_true(network_address(address, &n));
		memcpy(t->addresses[t->count], n.address, sizeof(n.address));
		p->address = t->addresses[t->count];
	}
	p->bytes.bytes[d][c] = bytes;
	t->count++;
}

/* n packets in each direction, of 1,000 bytes to the guest and 100 from it, on a veth. */
static void moves(struct bed *b, unsigned vif, uint64_t n)
{
	b->packets[vif] += n;
}

/* A poll; what the classifier was going to say is said. */
static void poll_all(struct bed *b)
{
	account_begin(b->account, b->now += 5);
	for (unsigned v = 1; v <= VIFS; v++) {
		uint64_t n = b->packets[v];
		struct counters c = {
			.rx_bytes = n * 114, .rx_packets = n, .tx_bytes = n * 1014, .tx_packets = n};

		(void)account_reading(b->account, 10 + v, &c);
	}
	account_settle(b->account, &b->look);
	memset(b->told, 0, sizeof(b->told));
	b->look.missed[DIR_INPUT] = b->look.missed[DIR_OUTPUT] = 0;
}

/* What was committed of a class, and where: vif 0, or a NULL, stands for all. */
static uint64_t booked(const struct bed *b, int64_t vif, const char *address, const char *label,
		       enum direction d, enum byte_class c)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < b->take_count; i++) {
		const struct ledger_take *t = &b->takes[i];

		if ((!vif || t->vif == vif) && (!address || strcmp(t->address, address) == 0) &&
		    (!label || strcmp(b->labels[t->bucket], label) == 0))
			sum += t->classes.bytes[d][c];
	}
	return sum;
}

static uint64_t input(const struct bed *b, const char *address, enum byte_class c)
{
	return booked(b, 1, address, NULL, DIR_INPUT, c);
}

static uint64_t output(const struct bed *b, int64_t vif, enum byte_class c)
{
	return booked(b, vif, NULL, NULL, DIR_OUTPUT, c);
}

static uint64_t spoofed(const struct bed *b, int64_t vif)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < b->take_count; i++)
		sum += b->takes[i].vif == vif ? b->takes[i].spoofed : 0;
	return sum;
}

static uint64_t clipped(const struct bed *b, enum direction d)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < b->take_count; i++)
		sum += b->takes[i].clipped[d];
	return sum;
}

/* ---- by address ---- */

static void what_was_seen_under_an_address_is_booked_to_it(void **state)
{
	(void)state;
	for (int by_ip = 0; by_ip < 2; by_ip++) {
		struct bed *b = set_up(by_ip);

		here(b, 1, "10.0.1.1 10.0.1.2");
		moves(b, 1, 10);
		saw(b, 1, "10.0.1.1", DIR_INPUT, CLASS_EXTERNAL, 3000);
		saw(b, 1, "10.0.1.2", DIR_INPUT, CLASS_EXTERNAL, 2000);
		saw(b, 1, "10.0.1.2", DIR_INPUT, CLASS_PEER, 1000);
		saw(b, 1, NULL, DIR_INPUT, CLASS_DIRECT, 500);
		poll_all(b);
		commit(b);
		assert_int_equal(b->take_count, 3);
		assert_int_equal(input(b, "10.0.1.1", CLASS_EXTERNAL), 3000);
		assert_int_equal(input(b, "10.0.1.2", CLASS_EXTERNAL), 2000);
		assert_int_equal(input(b, "10.0.1.2", CLASS_PEER), 1000);
		assert_int_equal(input(b, "", CLASS_DIRECT), 500);
		assert_int_equal(input(b, "", CLASS_LOCAL), 3500); /* nobody knows under which address */
		assert_int_equal(output(b, 1, CLASS_LOCAL), 1000);
		for (size_t i = 0; i < b->take_count; i++) {
			assert_int_equal(b->takes[i].from_time, EDGE);
			assert_int_equal(b->takes[i].to_time, EDGE + 5);
		}
		if (by_ip) {
			assert_int_equal(booked(b, 1, NULL, "10.0.1.2", DIR_INPUT, CLASS_EXTERNAL), 2000);
			/* the first address stands for the vif, too */
			assert_int_equal(booked(b, 1, NULL, "10.0.1.1", DIR_INPUT, CLASS_EXTERNAL), 3000);
			assert_int_equal(booked(b, 1, "", "10.0.1.1", DIR_INPUT, CLASS_LOCAL), 3500);
		} else {
			assert_int_equal(booked(b, 1, NULL, "g1", DIR_INPUT, CLASS_EXTERNAL), 5000);
		}
		tear_down(b);
	}
}

static void a_sole_address_is_the_vifs_own(void **state)
{
	struct bed *b = set_up(true);

	(void)state;
	here(b, 1, "10.0.1.1");
	moves(b, 1, 10);
	saw(b, 1, "10.0.1.1", DIR_INPUT, CLASS_EXTERNAL, 3000);
	saw(b, 1, NULL, DIR_INPUT, CLASS_EXTERNAL, 1000);
	poll_all(b);
	commit(b);
	assert_int_equal(b->take_count, 1);
	assert_int_equal(input(b, "10.0.1.1", CLASS_EXTERNAL), 4000);
	assert_int_equal(input(b, "10.0.1.1", CLASS_LOCAL), 6000);
	tear_down(b);
}

static void an_address_that_is_not_the_vifs_is_booked_to_the_vif(void **state)
{
	struct bed *b = set_up(true);

	(void)state;
	here(b, 1, "10.0.1.1 10.0.1.2");
	moves(b, 1, 1);
	saw(b, 1, "10.0.9.9", DIR_INPUT, CLASS_EXTERNAL, 600);
	poll_all(b);
	commit(b);
	assert_int_equal(b->take_count, 1);
	assert_int_equal(input(b, "", CLASS_EXTERNAL), 600);
	tear_down(b);
}

/* Seen a moment early: the surplus waits by address, and what never came is cut in proportion. */
static void a_surplus_waits_and_is_cut_by_address(void **state)
{
	struct bed *b = set_up(false);

	(void)state;
	here(b, 1, "10.0.1.1 10.0.1.2");
	saw(b, 1, "10.0.1.1", DIR_INPUT, CLASS_EXTERNAL, 6000);
	saw(b, 1, "10.0.1.2", DIR_INPUT, CLASS_EXTERNAL, 2000);
	poll_all(b);
	commit(b);
	assert_int_equal(b->take_count, 0);
	moves(b, 1, 4);
	poll_all(b);
	commit(b);
	assert_int_equal(input(b, "10.0.1.1", CLASS_EXTERNAL), 3000);
	assert_int_equal(input(b, "10.0.1.2", CLASS_EXTERNAL), 1000);
	assert_int_equal(clipped(b, DIR_INPUT), 4000);
	moves(b, 1, 1);
	poll_all(b); /* nothing waits any more */
	commit(b);
	assert_int_equal(input(b, "", CLASS_LOCAL), 1000);
	tear_down(b);
}

/* Also where nothing moves and nothing is seen meanwhile. */
static void a_surplus_is_cut_at_the_next_poll_though_it_is_an_idle_one(void **state)
{
	(void)state;
	for (int d = 0; d < DIR_COUNT; d++) {
		struct bed *b = set_up(false);

		here(b, 1, NULL);
		saw(b, 1, NULL, d, CLASS_EXTERNAL, 700);
		poll_all(b);
		poll_all(b);
		moves(b, 1, 10);
		poll_all(b);
		commit(b);
		assert_int_equal(booked(b, 1, NULL, NULL, d, CLASS_EXTERNAL), 0);
		assert_int_equal(clipped(b, d), 700);
		tear_down(b);
	}
}

static void an_address_that_is_taken_away_keeps_what_is_booked_and_leaves_what_waits(void **state)
{
	(void)state;
	for (int by_ip = 0; by_ip < 2; by_ip++) {
		struct bed *b = set_up(by_ip);

		here(b, 1, "10.0.1.1 10.0.1.2");
		moves(b, 1, 1);
		saw(b, 1, "10.0.1.2", DIR_INPUT, CLASS_EXTERNAL, 1500);
		poll_all(b);
		here(b, 1, "10.0.1.1"); /* 500 still wait */
		moves(b, 1, 2);
		saw(b, 1, "10.0.1.2", DIR_INPUT, CLASS_EXTERNAL, 100);
		poll_all(b);
		commit(b);
		assert_int_equal(input(b, "10.0.1.2", CLASS_EXTERNAL), 1000);
		assert_int_equal(input(b, "10.0.1.1", CLASS_EXTERNAL), 600);
		assert_int_equal(input(b, "10.0.1.1", CLASS_LOCAL), 1400);
		assert_int_equal(
			booked(b, 1, "10.0.1.2", by_ip ? "10.0.1.2" : "g1", DIR_INPUT, CLASS_EXTERNAL), 1000);
		here(b, 1, "10.0.1.2 10.0.1.1"); /* and back */
		moves(b, 1, 1);
		saw(b, 1, "10.0.1.2", DIR_INPUT, CLASS_EXTERNAL, 1000);
		poll_all(b);
		commit(b);
		assert_int_equal(input(b, "10.0.1.2", CLASS_EXTERNAL), 2000);
		tear_down(b);
	}
}

static void a_batch_that_was_refused_is_offered_again_by_address(void **state)
{
	struct bed *b = set_up(true);

	(void)state;
	here(b, 1, "10.0.1.1 10.0.1.2");
	for (int i = 0; i < 3; i++) {
		moves(b, 1, 2);
		saw(b, 1, "10.0.1.1", DIR_INPUT, CLASS_EXTERNAL, 100);
		saw(b, 1, "10.0.1.2", DIR_INPUT, CLASS_EXTERNAL, 10);
		poll_all(b);
		refused(b);
	}
	commit(b);
	assert_int_equal(b->take_count, 3); /* a take for each, however often it was refused */
	assert_int_equal(input(b, "10.0.1.1", CLASS_EXTERNAL), 300);
	assert_int_equal(input(b, "10.0.1.2", CLASS_EXTERNAL), 30);
	assert_int_equal(input(b, "", CLASS_LOCAL), 5670);
	commit(b);
	assert_int_equal(b->take_count, 3);
	tear_down(b);
}

static void the_account_tells_whose_addresses_are_whose(void **state)
{
	struct bed *b = set_up(false);
	const struct networks *own;
	char *text;

	(void)state;
	here(b, 1, "10.0.1.1 2001:db8::1");
	here(b, 2, NULL);
	own = account_addresses(b->account, 1);
	assert_int_equal(own->count, 2);
	text = network_text(&own->list[1]);
	assert_string_equal(text, "2001:db8::1");
	free(text);
	assert_int_equal(account_addresses(b->account, 2)->count, 0);
	assert_null(account_addresses(b->account, 3));
	tear_down(b);
}

/* ---- what was missed ---- */

static void what_was_missed_bounds_what_is_unattributed_of_each_vif(void **state)
{
	struct bed *b = set_up(false);

	(void)state;
	here(b, 1, NULL);
	here(b, 2, NULL);
	moves(b, 1, 10);
	moves(b, 2, 1);
	b->look.missed[DIR_INPUT] = 1500;
	b->look.missed[DIR_OUTPUT] = 30;
	poll_all(b);
	moves(b, 1, 10); /* it is over */
	poll_all(b);
	commit(b);
	assert_int_equal(booked(b, 1, NULL, NULL, DIR_INPUT, CLASS_UNATTRIBUTED), 1500);
	assert_int_equal(booked(b, 1, NULL, NULL, DIR_INPUT, CLASS_LOCAL), 18500);
	assert_int_equal(booked(b, 2, NULL, NULL, DIR_INPUT, CLASS_UNATTRIBUTED), 1000);
	assert_int_equal(output(b, 1, CLASS_UNATTRIBUTED), 30);
	assert_int_equal(output(b, 2, CLASS_UNATTRIBUTED), 30);
	assert_int_equal(output(b, 2, CLASS_LOCAL), 70);
	tear_down(b);
}

static void what_nobody_looked_at_is_unattributed(void **state)
{
	struct bed *b = set_up(false);

	(void)state;
	here(b, 1, NULL);
	here(b, 2, NULL);
	moves(b, 1, 1);
	moves(b, 2, 1);
	saw(b, 1, NULL, DIR_INPUT, CLASS_PEER, 300);
	b->told[1].blind = true;
	poll_all(b);
	commit(b);
	assert_int_equal(input(b, NULL, CLASS_PEER), 300);
	assert_int_equal(input(b, NULL, CLASS_UNATTRIBUTED), 700);
	assert_int_equal(booked(b, 2, NULL, NULL, DIR_INPUT, CLASS_LOCAL), 1000);
	tear_down(b);
}

/* ---- what others send ---- */

/* g2 sends 5 packets under g1's MAC: g1's share is clipped, and g2 does not get them as local. */
static void what_others_sent_under_a_mac_is_unattributed_where_it_may_have_come_from(void **state)
{
	struct bed *b = set_up(false);

	(void)state;
	here(b, 1, NULL);
	here(b, 2, NULL);
	here(b, 3, NULL);
	moves(b, 1, 2);
	moves(b, 2, 8);
	moves(b, 3, 1);
	saw(b, 1, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 700); /* 200 are its own */
	saw(b, 2, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 100);
	poll_all(b);
	commit(b);
	assert_int_equal(output(b, 1, CLASS_EXTERNAL), 200);
	assert_int_equal(output(b, 2, CLASS_EXTERNAL), 100);
	assert_int_equal(output(b, 2, CLASS_UNATTRIBUTED), 500);
	assert_int_equal(output(b, 2, CLASS_LOCAL), 200);
	assert_int_equal(output(b, 3, CLASS_UNATTRIBUTED), 100); /* it may have been g3 */
	assert_int_equal(b->events, 1);
	assert_non_null(strstr(b->event, "g1: 500 bytes left under this vif's MAC that it did not send"));
	/* told once: at the next poll it is cut, and is no more */
	moves(b, 2, 3);
	poll_all(b);
	commit(b);
	assert_int_equal(clipped(b, DIR_OUTPUT), 500);
	assert_int_equal(output(b, 2, CLASS_UNATTRIBUTED), 500);
	assert_int_equal(output(b, 2, CLASS_LOCAL), 500);
	/* again, in the same slot: counted, not told */
	moves(b, 2, 4);
	saw(b, 1, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 400);
	poll_all(b);
	commit(b);
	assert_int_equal(output(b, 2, CLASS_UNATTRIBUTED), 900);
	assert_int_equal(b->events, 1);
	/* in the next slot: told */
	b->now = EDGE + SLOT_SECONDS;
	poll_all(b);
	poll_all(b);
	moves(b, 2, 4);
	saw(b, 1, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 40);
	poll_all(b);
	commit(b);
	assert_int_equal(output(b, 2, CLASS_UNATTRIBUTED), 940);
	assert_int_equal(b->events, 2);
	assert_non_null(strstr(b->event, "g1: 40 bytes"));
	tear_down(b);
}

/* It goes on poll after poll: each byte is counted once, whatever is cut meanwhile. */
static void each_byte_that_others_sent_is_counted_once(void **state)
{
	struct bed *b = set_up(false);

	(void)state;
	here(b, 1, NULL);
	here(b, 2, NULL);
	for (int i = 0; i < 20; i++) {
		moves(b, 2, 10); /* 300 of them under g1's MAC, 700 local */
		saw(b, 1, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 300);
		poll_all(b);
	}
	poll_all(b);
	commit(b);
	assert_int_equal(output(b, 1, CLASS_EXTERNAL), 0);
	assert_int_equal(output(b, 2, CLASS_UNATTRIBUTED), 20 * 300);
	assert_int_equal(output(b, 2, CLASS_LOCAL), 20 * 700);
	assert_int_equal(clipped(b, DIR_OUTPUT), 20 * 300);
	tear_down(b);
}

static void a_vifs_own_surplus_is_not_held_against_it(void **state)
{
	struct bed *b = set_up(false);

	(void)state;
	here(b, 1, NULL);
	here(b, 2, NULL);
	moves(b, 1, 10);
	saw(b, 1, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 900);
	poll_all(b);
	saw(b, 1, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 300);
	moves(b, 1, 1);
	moves(b, 2, 5);
	poll_all(b);
	commit(b);
	assert_int_equal(output(b, 1, CLASS_UNATTRIBUTED), 0);
	assert_int_equal(output(b, 1, CLASS_LOCAL), 100);
	assert_int_equal(output(b, 2, CLASS_UNATTRIBUTED), 200);
	moves(b, 1, 5); /* 200 take the surplus' place */
	poll_all(b);
	commit(b);
	assert_int_equal(output(b, 1, CLASS_UNATTRIBUTED), 0);
	assert_int_equal(output(b, 1, CLASS_LOCAL), 400);
	tear_down(b);
}

/* With headers of 40 bytes to each segment: more was seen than was sent, and nobody else sent it. */
static void headers_of_segments_are_held_against_nobody(void **state)
{
	struct bed *b = set_up(false);

	(void)state;
	here(b, 1, NULL);
	here(b, 2, NULL);
	b->look.headers = 16;
	for (int i = 0; i < 10; i++) {
		moves(b, 1, 1000); /* 100,000 bytes of output */
		moves(b, 2, 10);
		saw(b, 1, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 103500);
		b->told[1].late[DIR_OUTPUT] = 2000;
		poll_all(b);
	}
	poll_all(b); /* what was late was in the counters: all headers show */
	commit(b);
	assert_int_equal(b->events, 0);
	assert_int_equal(clipped(b, DIR_OUTPUT), 35000);
	assert_int_equal(output(b, 2, CLASS_LOCAL), 10000);
	/* beyond that it is */
	moves(b, 2, 10);
	saw(b, 1, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 16000);
	poll_all(b);
	commit(b);
	assert_int_equal(b->events, 1);
	assert_int_equal(output(b, 2, CLASS_LOCAL), 10000);
	assert_int_equal(output(b, 2, CLASS_UNATTRIBUTED), 1000);
	tear_down(b);
}

static void what_crossed_late_or_inwards_proves_nothing(void **state)
{
	struct bed *b = set_up(false);

	(void)state;
	here(b, 1, NULL);
	here(b, 2, NULL);
	moves(b, 2, 10);
	saw(b, 1, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 300);
	b->told[1].late[DIR_OUTPUT] = 300;
	saw(b, 1, NULL, DIR_INPUT, CLASS_EXTERNAL, 3000);
	poll_all(b);
	moves(b, 1, 3);
	poll_all(b);
	commit(b);
	assert_int_equal(output(b, 1, CLASS_EXTERNAL), 300);
	assert_int_equal(output(b, 2, CLASS_UNATTRIBUTED), 0);
	assert_int_equal(booked(b, 2, NULL, NULL, DIR_INPUT, CLASS_LOCAL), 10000);
	assert_int_equal(b->events, 0);
	/* late, but it did not come after all */
	saw(b, 1, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 300);
	b->told[1].late[DIR_OUTPUT] = 200;
	moves(b, 2, 10);
	poll_all(b);
	moves(b, 2, 10);
	poll_all(b);
	commit(b);
	assert_int_equal(output(b, 2, CLASS_UNATTRIBUTED), 300);
	tear_down(b);
}

/* Counters that nobody could read, or that were lost, are no proof. */
static void a_surplus_proves_nothing_where_the_total_is_not_whole(void **state)
{
	struct counters zeros = {0};
	struct bed *b = set_up(false);

	(void)state;
	here(b, 1, NULL);
	here(b, 2, NULL);
	moves(b, 1, 5);
	moves(b, 2, 5);
	poll_all(b);
	b->packets[1] = 0; /* its counters began anew; 4 more packets had gone out before, and were seen */
	moves(b, 2, 5);
	saw(b, 1, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 400);
	poll_all(b);
	poll_all(b);
	/* a poll without its device's reading */
	saw(b, 1, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 400);
	account_begin(b->account, b->now += 5);
	account_settle(b->account, &b->look);
	b->told[1] = (struct told){0};
	moves(b, 1, 4);
	moves(b, 2, 5);
	poll_all(b);
	commit(b);
	assert_int_equal(b->events, 0);
	assert_int_equal(output(b, 2, CLASS_LOCAL), 1500);
	assert_int_equal(output(b, 1, CLASS_EXTERNAL), 800); /* T was raised by what was lost */
	assert_int_equal(clipped(b, DIR_OUTPUT), 0);
	/* the end: it is again */
	saw(b, 1, NULL, DIR_OUTPUT, CLASS_PEER, 250);
	account_device_gone(b->account, 11, &zeros);
	account_vif_gone(b->account, 1);
	moves(b, 2, 5);
	poll_all(b);
	commit(b);
	assert_int_equal(b->events, 0);
	assert_int_equal(output(b, 1, CLASS_PEER), 250);
	assert_int_equal(output(b, 2, CLASS_LOCAL), 2000);
	tear_down(b);
}

/* An HVM's two devices go within one poll: netback's without its counters, the emulated card's with them. */
static void an_end_that_is_not_known_is_not_hidden_by_a_known_one(void **state)
{
	struct counters tap = {.rx_bytes = 570, .rx_packets = 5, .tx_bytes = 9126, .tx_packets = 9},
			zeros = {0};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct bed *b = set_up(false);
		bool tap_last = i & 1, at_once = i & 2;

		here(b, 1, NULL);
		account_device_here(b->account, 1, 50, "g1-emu", DEVICE_OTHER, 0, 0);
		moves(b, 1, 1);
		(void)account_reading(b->account, 50, &tap);
		poll_all(b);
		saw(b, 1, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 50000);
		if (!tap_last)
			account_device_gone(b->account, 50, &tap);
		account_device_gone(b->account, 11, &zeros);
		if (tap_last)
			account_device_gone(b->account, 50, &tap);
		if (at_once)
			account_vif_gone(b->account, 1);
		poll_all(b);
		account_vif_gone(b->account, 1);
		poll_all(b);
		commit(b);
		assert_int_equal(output(b, 1, CLASS_EXTERNAL), 50000);
		assert_int_equal(clipped(b, DIR_OUTPUT), 0);
		tear_down(b);
	}
}

static void spoofed_bytes_are_a_part_of_what_is_booked(void **state)
{
	struct bed *b = set_up(false);

	(void)state;
	here(b, 1, "10.0.1.1 10.0.1.2");
	moves(b, 1, 8);
	saw(b, 1, "10.0.1.1", DIR_OUTPUT, CLASS_EXTERNAL, 300);
	saw(b, 1, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 500);
	b->told[1].spoofed = 200;
	poll_all(b);
	commit(b);
	assert_int_equal(spoofed(b, 1), 200);
	/* a part waits, and half of that is cut: as much of it as of all */
	saw(b, 1, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 400);
	b->told[1].spoofed = 200;
	b->told[1].late[DIR_OUTPUT] = 400;
	poll_all(b);
	moves(b, 1, 2);
	poll_all(b);
	moves(b, 1, 5);
	poll_all(b);
	commit(b);
	assert_int_equal(spoofed(b, 1), 300);
	for (size_t i = 0; i < b->take_count; i++) {
		assert_true(b->takes[i].spoofed <= class_bytes_total(&b->takes[i].classes, DIR_OUTPUT));
		assert_true(!b->takes[i].spoofed || !*b->takes[i].address);
	}
	tear_down(b);
}

/* ---- anything at all ---- */

static const char *any_addresses(struct random *r, unsigned n)
{
	static const char *const lists[VIFS + 1][4] = {
		{NULL},
		{"10.0.1.1", "10.0.1.1 10.0.1.2", "10.0.1.2 10.0.1.3", NULL},
		{"10.0.2.1 10.0.2.2", "10.0.2.1 10.0.2.2 10.0.2.3", "10.0.2.3", "10.0.2.3 10.0.2.1"},
		{"10.0.3.1", "10.0.3.2", NULL, "10.0.3.1 10.0.3.2"},
		{NULL, "10.0.4.1 10.0.4.2", "10.0.4.1", "10.0.4.2"},
	};

	return lists[n][random_below(r, 4)];
}

static void any_portion(struct random *r, struct bed *b, unsigned n)
{
	static const enum byte_class classes[] = {CLASS_EXTERNAL, CLASS_PEER, CLASS_LOCAL, CLASS_IGNORED};
	char *address =
		random_below(r, 4) ? mem_printf("10.0.%u.%u", n, 1 + (unsigned)random_below(r, 4)) : NULL;

	saw(b, n, address, random_below(r, 2) ? DIR_INPUT : DIR_OUTPUT, classes[random_below(r, 4)],
	    random_below(r, 3000));
	free(address);
}

static void whatever_is_told_every_byte_is_booked_once(void **state)
{
	struct random r = random_new();

	(void)state;
	for (int life = 0; life < 200; life++) {
		struct bed *b = set_up(life % 2);
		uint64_t told_spoofed[VIFS + 1] = {0};

		for (int step = 0; step < 300; step++) {
			for (unsigned n = 1; n <= VIFS; n++) {
				if (step == 0 || random_below(&r, 20) == 0)
					here(b, n, any_addresses(&r, n));
				moves(b, n, random_below(&r, 3) ? random_below(&r, 10) : 0);
				for (uint64_t i = random_below(&r, PORTIONS + 1); i > 0; i--)
					any_portion(&r, b, n);
				b->told[n].late[DIR_OUTPUT] =
					random_below(&r, 3) ? 0 : random_below(&r, 3000);
				b->told[n].spoofed = random_below(&r, 3) ? 0 : random_below(&r, 1000);
				b->told[n].blind = random_below(&r, 10) == 0;
				told_spoofed[n] += b->told[n].spoofed;
			}
			b->look.missed[DIR_INPUT] = random_below(&r, 2) * random_below(&r, 500);
			b->look.missed[DIR_OUTPUT] = random_below(&r, 2) * random_below(&r, 500);
			poll_all(b);
			if (random_below(&r, 3))
				commit(b);
			else
				refused(b);
			for (unsigned n = 1; step % 50 == 0 && n <= VIFS; n++) {
				uint64_t in = 0, out = 0;

				commit(b);
				for (int c = 0; c < CLASS_COUNT; c++) {
					in += booked(b, n, NULL, NULL, DIR_INPUT, c);
					out += booked(b, n, NULL, NULL, DIR_OUTPUT, c);
				}
				assert_int_equal(in, b->packets[n] * 1000);
				assert_int_equal(out, b->packets[n] * 100);
			}
		}
		commit(b);
		for (unsigned n = 1; n <= VIFS; n++)
			assert_true(spoofed(b, n) <= told_spoofed[n]);
		for (size_t i = 0; i < b->take_count; i++) {
			const struct ledger_take *t = &b->takes[i];

			assert_true(t->spoofed <= class_bytes_total(&t->classes, DIR_OUTPUT));
			assert_true(t->from_time < t->to_time);
		}
		tear_down(b);
	}
}

/* What a ledger would give to the next daemon. */
static void restart(struct bed *b)
{
	struct account_settings settings = {.boot = "boot-1", .late = 60};
	struct ledger_bucket bucket = {.id = 1, .label = mem_strdup("g1")};
	struct ledger_state state = {.buckets = &bucket, .bucket_count = 1, .vif_count = 1, .epoch_count = 1};
	struct ledger_batch batch;
	struct ledger_vif vif;
	struct ledger_epoch epoch;
	struct account *next;

	account_batch(b->account, &batch);
	assert_int_equal(batch.vif_count, 1);
	assert_int_equal(batch.epoch_count, 1);
	vif = *batch.vifs[0];
	epoch = *batch.epochs[0];
	state.vifs = &vif;
	state.epochs = &epoch;
	state.waiting = (struct ledger_waiting *)(uintptr_t)batch.waiting;
	state.waiting_count = batch.waiting_count;
	state.last_vif = state.last_epoch = state.last_bucket = 1;
	next = account_new(&settings, &state, b->now);
	account_batch_free(&batch);
	commit(b);
	account_free(b->account);
	b->account = next;
	free(bucket.label);
}

static void what_waits_goes_on_after_a_restart_under_its_address(void **state)
{
	struct bed *b = set_up(false);

	(void)state;
	here(b, 1, "10.0.0.1 10.0.0.2");
	moves(b, 1, 1);
	saw(b, 1, "10.0.0.1", DIR_INPUT, CLASS_PEER, 1000);
	saw(b, 1, "10.0.0.2", DIR_INPUT, CLASS_DIRECT, 2000); /* ahead of the counters */
	saw(b, 1, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 300);
	b->told[1].late[DIR_INPUT] = 3000;
	b->told[1].late[DIR_OUTPUT] = 300;
	poll_all(b);
	restart(b);
	forget_takes(b); /* the sequence begins anew */
	moves(b, 1, 2);
	poll_all(b);
	commit(b);
	assert_int_equal(booked(b, 1, NULL, NULL, DIR_INPUT, CLASS_LOCAL), 0);
	assert_int_equal(booked(b, 1, NULL, NULL, DIR_INPUT, CLASS_PEER) +
				 booked(b, 1, NULL, NULL, DIR_INPUT, CLASS_DIRECT),
			 2000);
	assert_true(input(b, "10.0.0.2", CLASS_DIRECT) >= 1000);
	assert_int_equal(output(b, 1, CLASS_EXTERNAL), 200);
	assert_int_equal(output(b, 1, CLASS_LOCAL), 0);
	tear_down(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_seen_under_an_address_is_booked_to_it),
		cmocka_unit_test(a_sole_address_is_the_vifs_own),
		cmocka_unit_test(an_address_that_is_not_the_vifs_is_booked_to_the_vif),
		cmocka_unit_test(a_surplus_waits_and_is_cut_by_address),
		cmocka_unit_test(a_surplus_is_cut_at_the_next_poll_though_it_is_an_idle_one),
		cmocka_unit_test(an_address_that_is_taken_away_keeps_what_is_booked_and_leaves_what_waits),
		cmocka_unit_test(a_batch_that_was_refused_is_offered_again_by_address),
		cmocka_unit_test(the_account_tells_whose_addresses_are_whose),
		cmocka_unit_test(what_was_missed_bounds_what_is_unattributed_of_each_vif),
		cmocka_unit_test(what_nobody_looked_at_is_unattributed),
		cmocka_unit_test(what_others_sent_under_a_mac_is_unattributed_where_it_may_have_come_from),
		cmocka_unit_test(each_byte_that_others_sent_is_counted_once),
		cmocka_unit_test(a_vifs_own_surplus_is_not_held_against_it),
		cmocka_unit_test(headers_of_segments_are_held_against_nobody),
		cmocka_unit_test(what_crossed_late_or_inwards_proves_nothing),
		cmocka_unit_test(a_surplus_proves_nothing_where_the_total_is_not_whole),
		cmocka_unit_test(an_end_that_is_not_known_is_not_hidden_by_a_known_one),
		cmocka_unit_test(spoofed_bytes_are_a_part_of_what_is_booked),
		cmocka_unit_test(whatever_is_told_every_byte_is_booked_once),
		cmocka_unit_test(what_waits_goes_on_after_a_restart_under_its_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
