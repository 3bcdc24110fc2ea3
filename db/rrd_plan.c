/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/rrd_plan.h"

#include <stdbool.h>
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

/* Seconds of [from, to) in which the bucket was live; `lives` is the first that may reach into it. */
static int64_t live_seconds(const struct rrd_life *lives, size_t count, int64_t from, int64_t to)
{
	int64_t sum = 0;

	for (size_t i = 0; i < count && lives[i].from < to; i++) {
		int64_t a = lives[i].from > from ? lives[i].from : from;
		int64_t b = lives[i].to < to ? lives[i].to : to;

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
	const struct rrd_slot *slot = usage->slots, *slots_end = slot + usage->slot_count;
	const struct rrd_life *life = usage->lives, *lives_end = life + usage->life_count;
	size_t room = 0;

	*out = (struct rrd_updates){0};
	if (from < rrd_slot_of(tail->last_update))
		from = rrd_slot_of(tail->last_update);
	for (int64_t start = from, end; start < to; start = end) {
		int64_t live, rest = RRD_STEP, whole = RRD_STEP;

		end = start + RRD_STEP;
		while (slot < slots_end && slot->slot < start)
			slot++;
		while (life < lives_end && life->to <= start)
			life++;
		live = live_seconds(life, (size_t)(lives_end - life), start, end);
		if (!live && (slot == slots_end || slot->slot != start))
			continue;
		if (tail->last_update < start) {
			push(out, &room, start, tail->value);
		} else if (tail->last_update > start) {
			rest = end - tail->last_update;
			if (live) {
				rest = live_seconds(life, (size_t)(lives_end - life), tail->last_update, end);
				whole = live;
			}
		}
		if (slot < slots_end && slot->slot == start)
			add_bytes(tail->value, slot, (uint64_t)rest, (uint64_t)whole);
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
