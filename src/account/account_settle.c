/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "account/account_state.h"
#include "account/portion.h"

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t plus(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* ---- what the classifier says ---- */

/* A surplus proves something only where T is whole: all devices were read, and no counters were lost. */
static bool is_whole(const struct vif *v)
{
	return v->devices > 0 && v->read >= v->devices && !v->gap;
}

/* Each byte that left under this vif's MAC without being in its counters is told once. Where headers add to
 * what is seen, some of what was late hid as much of them: it crossed after the reading had begun, but was in
 * it. */
static void prove(struct vif *v, uint64_t late, unsigned headers)
{
	uint64_t seen = class_bytes_total(&v->heard.bytes, DIR_OUTPUT), honest;
	uint64_t surplus = split_surplus(&v->split[DIR_OUTPUT], v->grown[DIR_OUTPUT],
					 v->heard.bytes.bytes[DIR_OUTPUT], late);

	honest = v->surplus + (headers ? seen / headers + v->late_before : 0);
	v->surplus_grew = surplus > honest && is_whole(v) ? surplus - honest : 0;
	v->surplus = surplus;
	v->late_before = late;
}

static void tell_surplus(struct account *a, struct vif *v)
{
	char *detail;

	if (v->told_slot == a->open_slot)
		return;
	v->told_slot = a->open_slot;
	detail = mem_printf("%" PRIu64 " bytes left under this vif's MAC that it did not send: another guest "
			    "uses its MAC, or the uplink cuts into segments what the guest sent whole; they "
			    "are clipped, and as many of the other guests' bytes may be unattributed instead "
			    "of local",
			    v->surplus_grew);
	account_event(a, "spoofed", v->row.netdev ? v->row.netdev : v->row.domain, detail);
	free(detail);
}

static void hear(struct account *a, struct vif *v, const struct account_look *look)
{
	struct account_seen told = {0};

	look->seen(look->ctx, v->row.id, &told);
	v->heard.blind = told.blind;
	memcpy(v->heard.late, told.late, sizeof(v->heard.late));
	v->heard.anything = told.count > 0;
	for (size_t i = 0; i < told.count; i++) {
		const struct account_portion *p = &told.portions[i];

		class_bytes_add(&account_share(a, v, p->address)->waiting, &p->bytes);
		class_bytes_add(&v->heard.bytes, &p->bytes);
	}
	v->spoofed = smaller(v->spoofed + told.spoofed, class_bytes_total(&v->own.waiting, DIR_OUTPUT));
	if (v->heard.anything || v->waiting) {
		prove(v, told.late[DIR_OUTPUT], look->headers);
		if (v->surplus_grew)
			tell_surplus(a, v);
	}
}

/* ---- dividing ---- */

/* One class of a direction: what was booked and cut of it goes to the addresses in proportion to what each
 * has waiting. */
static void divide_class(struct vif *v, enum direction d, enum byte_class c, const struct split_growth *g)
{
	uint64_t left = v->split[d].seen[c] - v->split[d].booked[c];
	struct portion booked = portion_of(g->seen[c], left + g->cut[c] + g->seen[c]);
	struct portion cut = portion_of(g->cut[c], left + g->cut[c]);

	if (!booked.parts)
		return;
	for (struct share *s = &v->own; s; s = s->next) {
		uint64_t *waiting = &s->waiting.bytes[d][c], part = portion_next(&booked, *waiting);

		s->pending.classes.bytes[d][c] += part;
		*waiting -= part;
		*waiting -= portion_next(&cut, *waiting);
	}
}

/* What was spoofed is booked and cut with the own share's output, in proportion. */
static void divide_spoofed(struct vif *v, uint64_t waited, uint64_t booked)
{
	uint64_t left = class_bytes_total(&v->own.waiting, DIR_OUTPUT);
	struct portion p = portion_of(v->spoofed, waited);
	uint64_t part = portion_next(&p, booked);

	v->own.pending.spoofed += part;
	p = portion_of(v->spoofed - part, waited - booked);
	v->spoofed = portion_next(&p, left);
}

static void divide(struct vif *v, enum direction d, uint64_t missed)
{
	uint64_t waited = class_bytes_total(&v->own.waiting, d), before;
	struct ledger_take *own = &v->own.pending;
	struct split_growth g;

	if (v->read < v->devices) /* a device that is about to go is in no dump any more */
		split_not_read(&v->split[d]);
	if (v->gap)
		split_lost(&v->split[d]);
	if (v->tail_lost)
		split_teardown(&v->split[d], v->grown[d], v->heard.bytes.bytes[d], v->heard.late[d], missed,
			       &g);
	else
		split_poll(&v->split[d], v->grown[d], v->heard.bytes.bytes[d], v->heard.late[d], missed, &g);
	for (int c = 0; c < CLASS_COUNT; c++) {
		own->classes.bytes[d][c] += g.classes[c] - g.seen[c];
	}
	before = class_bytes_total(&own->classes, d);
	for (int c = 0; c < CLASS_COUNT; c++)
		divide_class(v, d, c, &g);
	if (d == DIR_OUTPUT) {
		divide_spoofed(v, waited, class_bytes_total(&own->classes, d) - before);
		v->surplus = v->tail_lost ? 0 : v->surplus - smaller(v->surplus, g.clipped + g.estimated);
	}
	own->clipped[d] += g.clipped;
	own->estimated[d] += g.estimated;
	v->moved[d] += v->grown[d] + g.estimated;
	v->grown[d] = 0;
}

/* Idle, as most vifs are at most polls. */
static bool is_idle(const struct vif *v)
{
	return !v->grown[DIR_INPUT] && !v->grown[DIR_OUTPUT] && !v->heard.anything && !v->waiting;
}

/* Divides a vif's growth into classes and addresses. */
static void settle(struct account *a, struct vif *v, const uint64_t missed[DIR_COUNT])
{
	if (!is_idle(v)) {
		for (struct share *s = &v->own; s; s = s->next)
			if (!account_has_pending(&s->pending))
				s->pending.from_time = v->settled;
		for (int d = 0; d < DIR_COUNT; d++)
			divide(v, d, v->heard.blind ? SPLIT_BLIND : missed[d]);
		for (struct share *s = &v->own; s; s = s->next)
			s->pending.to_time = a->now;
		v->waiting = split_waiting(&v->split[DIR_INPUT]) || split_waiting(&v->split[DIR_OUTPUT]);
		v->heard = (struct heard){0};
	}
	v->settled = a->now;
	v->tail_lost = v->gap = false;
	v->read = 0;
}

bool account_settle(struct account *a, const struct account_look *look)
{
	uint64_t missed[DIR_COUNT] = {SPLIT_BLIND, SPLIT_BLIND}, proven = 0;
	struct vif *v, *next;

	account_tails(a, look);
	for (v = a->vifs; look && v; v = v->hh.next) {
		hear(a, v, look);
		proven += v->surplus_grew;
	}
	HASH_ITER (hh, a->vifs, v, next) {
		if (look) {
			missed[DIR_INPUT] = look->missed[DIR_INPUT];
			missed[DIR_OUTPUT] = plus(look->missed[DIR_OUTPUT], proven - v->surplus_grew);
			v->surplus_grew = 0;
		}
		settle(a, v, missed);
		if (v->row.gone) {
			account_cut(a, v);
			account_move_to_gone(a, v);
		}
	}
	if (a->now < a->open_slot + SLOT_SECONDS)
		return false;
	account_cut_all(a);
	a->open_slot = account_slot_of(a->now);
	return true;
}
