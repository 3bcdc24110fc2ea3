/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "account/account_state.h"

bool account_has_pending(const struct ledger_take *t)
{
	for (int d = 0; d < DIR_COUNT; d++)
		if (class_bytes_total(&t->classes, d) || t->clipped[d] || t->estimated[d])
			return true;
	return false;
}

static void merge(struct ledger_take *to, const struct ledger_take *from)
{
	class_bytes_add(&to->classes, &from->classes);
	for (int d = 0; d < DIR_COUNT; d++) {
		to->clipped[d] += from->clipped[d];
		to->estimated[d] += from->estimated[d];
	}
	to->spoofed += from->spoofed;
	to->to_time = from->to_time;
}

static const char *address_of(const struct vif *v, const struct share *s)
{
	if (s->text)
		return s->text;
	return v->address ? v->address : "";
}

/* Makes a take of what is pending. A take of the same slot that could not be committed yet grows instead, so
 * that a ledger that is away for long costs no more than a take per address and slot. */
static void cut(struct account *a, struct vif *v, struct share *s)
{
	int64_t bucket = s->bucket ? s->bucket : v->row.bucket;
	struct ledger_take *q = s->queued, *t;

	if (!account_has_pending(&s->pending))
		return;
	if (q && q->slot == a->open_slot && q->bucket == bucket &&
	    strcmp(q->address, address_of(v, s)) == 0) {
		merge(q, &s->pending);
	} else {
		t = mem_alloc(sizeof(*t));
		*t = s->pending;
		t->seq = ++a->last_seq;
		t->slot = a->open_slot;
		t->bucket = bucket;
		t->vif = v->row.id;
		t->address = mem_strdup(address_of(v, s));
		account_list_add(&a->takes, t);
		s->queued = t;
	}
	s->pending = (struct ledger_take){0};
}

void account_cut(struct account *a, struct vif *v)
{
	for (struct share *s = &v->own; s; s = s->next)
		cut(a, v, s);
}

void account_cut_all(struct account *a)
{
	for (struct vif *v = a->vifs; v; v = v->hh.next)
		account_cut(a, v);
}

/* ---- by address ---- */

static bool is_own(const struct vif *v, const uint8_t *address)
{
	for (size_t i = 0; i < v->addresses.count; i++)
		if (memcmp(v->addresses.list[i].address, address, sizeof(v->own.address)) == 0)
			return v->addresses.count > 1; /* a sole one is the vif's own share */
	return false;
}

struct share *account_share(struct account *a, struct vif *v, const uint8_t *address)
{
	struct network host = {.bits = 128};
	struct share *s;

	if (!address)
		return &v->own;
	for (s = v->own.next; s; s = s->next)
		if (memcmp(s->address, address, sizeof(s->address)) == 0)
			return s;
	if (!is_own(v, address))
		return &v->own;
	s = mem_alloc(sizeof(*s));
	memcpy(s->address, address, sizeof(s->address));
	memcpy(host.address, address, sizeof(host.address));
	s->text = network_text(&host);
	if (a->settings.bucket_by_ip)
		s->bucket = buckets_of_address(a->buckets, s->text, a->now);
	s->next = v->own.next;
	v->own.next = s;
	return s;
}

static void free_share(struct share *s)
{
	free(s->text);
	free(s);
}

static void drop_shares(struct account *a, struct vif *v)
{
	struct share **at = &v->own.next;

	while (*at) {
		struct share *s = *at;

		if (is_own(v, s->address)) {
			at = &s->next;
			continue;
		}
		cut(a, v, s);
		class_bytes_add(&v->own.waiting, &s->waiting);
		*at = s->next;
		free_share(s);
	}
}

void account_set_addresses(struct account *a, struct vif *v, struct networks *addresses)
{
	networks_free(&v->addresses);
	v->addresses = *addresses;
	drop_shares(a, v);
}

void account_free_shares(struct vif *v)
{
	while (v->own.next) {
		struct share *s = v->own.next;

		v->own.next = s->next;
		free_share(s);
	}
}
