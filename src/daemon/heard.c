/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/heard.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define LARGEST_PACKET 65550 /* bytes: what a packet that nobody saw may have had */

/* Adds, but not beyond HEARD_BYTES: so a sum of whatever values cannot wrap. */
static uint64_t plus(uint64_t sum, uint64_t value)
{
	return value < HEARD_BYTES - sum ? sum + value : HEARD_BYTES;
}

static uint64_t add_up(uint64_t sum, const struct capture_seen *s)
{
	for (int d = 0; d < DIR_COUNT; d++) {
		for (int k = 0; k < CLASS_COUNT; k++)
			sum = plus(sum, s->bytes.bytes[d][k]);
		sum = plus(sum, s->late[d]);
	}
	return plus(sum, s->spoofed_bytes);
}

/* The worker tells the classes of what it saw; that there is more, only xenbwd can know. */
static bool is_attributed(const struct capture_seen *s)
{
	return s->bytes.bytes[DIR_INPUT][CLASS_UNATTRIBUTED] == 0 &&
	       s->bytes.bytes[DIR_OUTPUT][CLASS_UNATTRIBUTED] == 0;
}

static bool add_records(struct heard *h, const struct capture_seen *list, size_t count)
{
	uint64_t bytes = h->bytes;

	for (size_t i = 0; i < count; i++) {
		bytes = add_up(bytes, &list[i]);
		if (!is_attributed(&list[i]))
			return false;
	}
	if (bytes == HEARD_BYTES)
		return false;
	h->bytes = bytes;
	h->list = mem_resize(h->list, h->count + count + 1, sizeof(*h->list));
	memcpy(h->list + h->count, list, count * sizeof(*list));
	h->count += count;
	return true;
}

static bool dropped_make_sense(const struct capture_answer *a)
{
	return a->dropped[DIR_INPUT] <= HEARD_DROPPED && a->dropped[DIR_OUTPUT] <= HEARD_DROPPED;
}

bool heard_add_dropped(struct heard *h, const struct capture_answer *a)
{
	if (!dropped_make_sense(a))
		return false;
	for (int d = 0; d < DIR_COUNT; d++)
		h->dropped[d] += a->dropped[d];
	return true;
}

bool heard_add(struct heard *h, const struct capture_answer *a, int table)
{
	struct capture_seen *list;
	bool good;

	if (a->count > HEARD_RECORDS - h->count || !dropped_make_sense(a))
		return false;
	list = capture_table_unpack(table, a->count, sizeof(*list), NULL);
	good = list && add_records(h, list, a->count);
	free(list);
	if (!good || !heard_add_dropped(h, a))
		return false;
	if (h->stray_packets[DIR_OUTPUT] == 0) /* it is the first one's */
		memcpy(h->stray_mac, a->stray_mac, sizeof(h->stray_mac));
	for (int d = 0; d < DIR_COUNT; d++) {
		h->stray_bytes[d] = plus(h->stray_bytes[d], a->stray_bytes[d]);
		h->stray_packets[d] = plus(h->stray_packets[d], a->stray_packets[d]);
	}
	h->stray_late = plus(h->stray_late, a->stray_late);
	return true;
}

static int by_vif(const void *a, const void *b)
{
	const struct capture_seen *x = a, *y = b;

	return (x->vif > y->vif) - (x->vif < y->vif);
}

void heard_sort(struct heard *h)
{
	if (h->count)
		qsort(h->list, h->count, sizeof(*h->list), by_vif);
}

size_t heard_first(const struct heard *h, int64_t vif)
{
	size_t low = 0, high = h->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (h->list[middle].vif < vif)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void heard_missed(const struct heard *h, uint64_t missed[DIR_COUNT], uint64_t next[DIR_COUNT])
{
	for (int d = 0; d < DIR_COUNT; d++) {
		next[d] = h->dropped[d] * LARGEST_PACKET;
		missed[d] = h->stray_bytes[d] + next[d];
	}
	next[DIR_OUTPUT] += h->stray_late;
	next[DIR_INPUT] +=
		h->stray_bytes[DIR_INPUT]; /* a vif counts what its guest takes, when it takes it */
}

void heard_clear(struct heard *h)
{
	free(h->list);
	*h = (struct heard){0};
}
