/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/rrd_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int64_t rrd_slot_of(int64_t time)
{
	int64_t over = time % RRD_STEP;

	return time - (over < 0 ? over + RRD_STEP : over);
}

static void push(struct rrd_updates *out, size_t *room, int64_t time, const uint64_t *value)
{
	if (out->count == *room) {
		*room = *room ? *room * 2 : 16;
		out->list = mem_resize(out->list, *room, sizeof(*out->list));
	}
	out->list[out->count].time = time;
	memcpy(out->list[out->count].value, value, sizeof(out->list->value));
	out->count++;
}

/* Seconds of [from, to) in which the bucket was live, counted from its life number `at` on. */
static int64_t live_seconds(const struct rrd_usage *u, size_t at, int64_t from, int64_t to)
{
	int64_t sum = 0;

	for (; at < u->life_count && u->lives[at].from < to; at++) {
		int64_t a = u->lives[at].from > from ? u->lives[at].from : from;
		int64_t b = u->lives[at].to < to ? u->lives[at].to : to;

		if (b > a)
			sum += b - a;
	}
	return sum;
}

/* Adds the slot's bytes, or part/whole of them; whole is at most a slot, so the products fit. */
static void add_bytes(uint64_t *value, const struct rrd_slot *slot, uint64_t part, uint64_t whole)
{
	for (int c = 0; c < RRD_COLUMNS; c++)
		value[c] += slot->bytes[c] / whole * part + slot->bytes[c] % whole * part / whole;
}

void rrd_plan(struct rrd_tail *tail, int64_t from, int64_t to, const struct rrd_usage *usage,
	      struct rrd_updates *out)
{
	size_t room = 0, at_slot = 0, at_life = 0;

	*out = (struct rrd_updates){0};
	if (from < rrd_slot_of(tail->last_update))
		from = rrd_slot_of(tail->last_update);
	for (int64_t start = from, end; start < to; start = end) {
		int64_t live, part = RRD_STEP, whole = RRD_STEP;
		const struct rrd_slot *slot;

		end = start + RRD_STEP;
		while (at_slot < usage->slot_count && usage->slots[at_slot].slot < start)
			at_slot++;
		while (at_life < usage->life_count && usage->lives[at_life].to <= start)
			at_life++;
		slot = at_slot < usage->slot_count && usage->slots[at_slot].slot == start
			       ? &usage->slots[at_slot]
			       : NULL;
		live = live_seconds(usage, at_life, start, end);
		if (!live && !slot)
			continue;
		if (tail->last_update < start) {
			push(out, &room, start, tail->value);
		} else if (tail->last_update > start && live) {
			part = live_seconds(usage, at_life, tail->last_update, end);
			whole = live;
		} else if (tail->last_update > start) {
			part = end - tail->last_update;
		}
		if (slot)
			add_bytes(tail->value, slot, (uint64_t)part, (uint64_t)whole);
		push(out, &room, end, tail->value);
		tail->last_update = end;
	}
}

void rrd_usage_free(struct rrd_usage *u)
{
	free(u->slots);
	free(u->lives);
	*u = (struct rrd_usage){0};
}
