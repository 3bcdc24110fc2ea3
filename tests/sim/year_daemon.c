/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "year.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void year_here(struct host *h, const struct guest *g, struct device *v, const char *name)
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

		year_here(h, g, &g->device, g->name);
		year_here(h, g, &g->incoming, incoming);
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
	year_check_commit(h);
	return true;
}

bool year_poll_with(struct host *h, bool flush, bool may_lag)
{
	bool complete;

	h->behind = false;
	account_begin(h->account, h->true_time + h->clock_error);
	for (int i = 0; i < GUESTS; i++) {
		read_device(h, &h->guests[i].device);
		read_device(h, &h->guests[i].incoming);
	}
	for (int i = 0; may_lag && i < GUESTS; i++)
		year_lag(h, &h->guests[i], &h->guests[i].device);
	complete = settle(h);
	h->last_word_count = 0;
	h->just_began = false;
	return complete || flush ? commit(h) : false;
}

bool year_poll_host(struct host *h, bool flush)
{
	return year_poll_with(h, flush, false);
}

void year_start_daemon(struct host *h)
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
	year_poll_host(h, true);
	h->restarts++;
}

void year_stop_daemon(struct host *h)
{
	if (!h->account || h->refuse > 0)
		return;
	year_poll_host(h, true);
	account_free(h->account);
	h->account = NULL;
}

/* KILL: nothing is read or written any more. Only where no life has ended since the last commit; bytes of a
 * life that ended after it are gone with the daemon's memory, as xenbwd(8) says. */
void year_kill_daemon(struct host *h)
{
	if (!h->account || h->refuse > 0 || !year_poll_host(h, true))
		return;
	h->dying = true;
	for (int i = 0; i < GUESTS; i++) {
		year_flow(h, &h->guests[i], &h->guests[i].device);
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
