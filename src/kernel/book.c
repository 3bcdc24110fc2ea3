/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/book.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/mem.h"

#define ADDRESS_SIZE 16
#define NOWHERE KERNEL_KEPT

struct book {
	struct maps *maps;
	struct kernel_page *pages;
	struct kernel_head *head;
	bool *wanted; /* since book_begin */
};

struct book *book_new(struct maps *maps)
{
	struct book *b = mem_alloc(sizeof(*b));
	struct timespec now = {0};

	b->maps = maps;
	b->pages = maps_pages(maps);
	b->head = maps_head(maps);
	b->wanted = mem_array(KERNEL_SLOTS, sizeof(*b->wanted));
	if (!b->head->last) { /* new maps: no position of older ones comes again */
		(void)timespec_get(&now, TIME_UTC);
		b->head->last = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	}
	return b;
}

void book_free(struct book *b)
{
	if (!b)
		return;
	free(b->wanted);
	free(b);
}

/* What was written before stands in memory before what comes: whoever is killed in between leaves it so. */
static void whole(void)
{
	atomic_signal_fence(memory_order_seq_cst);
}

/* ---- positions ---- */

/* Where a reading is; NOWHERE: it is not kept. */
static size_t place_of(const struct book *b, uint64_t position)
{
	size_t i = 0;

	while (i < KERNEL_KEPT && (!position || b->head->positions[i] != position))
		i++;
	return i;
}

bool book_has(const struct book *b, uint64_t position)
{
	return place_of(b, position) != NOWHERE;
}

/* The oldest but those two. */
static size_t place_for_next(const struct book *b, uint64_t base, uint64_t committed)
{
	size_t found = NOWHERE;

	for (size_t i = 0; i < KERNEL_KEPT; i++) {
		uint64_t at = b->head->positions[i];

		if ((at && (at == base || at == committed)) ||
		    (found != NOWHERE && at >= b->head->positions[found]))
			continue;
		found = i;
	}
	return found; /* two are kept, so one is left */
}

/* ---- slots ---- */

void book_begin(struct book *b)
{
	memset(b->wanted, 0, KERNEL_SLOTS * sizeof(*b->wanted));
}

static bool is_of(const struct kernel_page *p, uint32_t ifindex, const uint8_t *address)
{
	return p->ifindex == ifindex && (p->has_address != 0) == (address != NULL) &&
	       (!address || memcmp(p->address, address, ADDRESS_SIZE) == 0);
}

/* Slot 0 is nobody's, and what is not found. */
static uint32_t find(const struct book *b, uint32_t ifindex, const uint8_t *address)
{
	for (uint32_t slot = 1; slot < KERNEL_SLOTS; slot++)
		if (is_of(&b->pages[slot], ifindex, address))
			return slot;
	return 0;
}

static uint32_t find_free(const struct book *b)
{
	for (uint32_t slot = 1; slot < KERNEL_SLOTS; slot++)
		if (!b->pages[slot].ifindex)
			return slot;
	return 0;
}

/* What stands in the counts belonged to somebody else. */
static int take_slot(struct book *b, uint32_t slot, uint32_t ifindex, const uint8_t *address, char **err)
{
	struct kernel_page *p = &b->pages[slot];
	struct kernel_counts now;

	if (maps_counts(b->maps, slot, &now, err) < 0)
		return -1;
	*p = (struct kernel_page){.born = b->head->last, .has_address = address != NULL};
	if (address)
		memcpy(p->address, address, ADDRESS_SIZE);
	for (size_t i = 0; i < KERNEL_KEPT; i++)
		p->at[i] = now;
	whole();
	p->ifindex = ifindex;
	return 0;
}

int book_slot(struct book *b, uint32_t ifindex, const uint8_t *address, int64_t vif, uint32_t *slot,
	      char **err)
{
	*slot = find(b, ifindex, address);
	if (!*slot) {
		*slot = find_free(b);
		if (!*slot)
			return err_set(err,
				       "the kernel's map has room for %d vifs and addresses only; write "
				       "`attribution pcap`",
				       KERNEL_SLOTS - 1);
		if (take_slot(b, *slot, ifindex, address, err) < 0)
			return -1;
	}
	b->pages[*slot].vif = vif;
	b->pages[*slot].gone = 0;
	b->wanted[*slot] = true;
	return 0;
}

void book_settled(struct book *b)
{
	for (uint32_t slot = 1; slot < KERNEL_SLOTS; slot++)
		if (b->pages[slot].ifindex && !b->wanted[slot] && !b->pages[slot].gone)
			b->pages[slot].gone = b->head->last + 1;
}

void book_back_to(struct book *b, uint64_t position)
{
	for (uint32_t slot = 1; slot < KERNEL_SLOTS; slot++)
		if (b->pages[slot].born > position)
			b->pages[slot].vif = 0;
}

/* ---- reading ---- */

static void set_classes(struct capture_seen *out, const struct kernel_counts *now,
			const struct kernel_counts *before)
{
	for (int d = 0; d < DIR_COUNT; d++)
		for (int k = 0; k < KERNEL_CLASSES; k++) {
			const struct kernel_amount *a = &now->crossed[d][k], *b = &before->crossed[d][k];

			out->bytes.bytes[d][k] = a->bytes - b->bytes;
			out->packets.bytes[d][k] = a->packets - b->packets;
		}
}

/* What crossed "late" (after the vifs' counters were read) is not known; no more than all of it did. */
static bool growth(const struct kernel_page *p, const struct kernel_counts *now, size_t from, uint64_t since,
		   struct capture_seen *out)
{
	const struct kernel_counts *before = &p->at[from];

	*out = (struct capture_seen){.vif = p->vif,
				     .has_address = p->has_address,
				     .fresh = !p->has_address && p->born >= since,
				     .spoofed_bytes = now->spoofed_bytes - before->spoofed_bytes,
				     .spoofed_packets = now->spoofed_packets - before->spoofed_packets,
				     .ifindex = p->has_address ? 0 : p->ifindex,
				     .sent_bytes = now->sent_bytes - before->sent_bytes,
				     .sent_packets = now->sent_packets - before->sent_packets};
	memcpy(out->address, p->address, ADDRESS_SIZE);
	set_classes(out, now, before);
	for (int d = 0; d < DIR_COUNT; d++)
		out->late[d] = class_bytes_total(&out->bytes, d);
	return p->vif && (out->fresh || out->late[DIR_INPUT] || out->late[DIR_OUTPUT] || out->sent_packets);
}

/* The ledger has its last growth, and nobody counts in it any more. */
static bool is_free(const struct kernel_page *p, uint64_t committed)
{
	return p->gone && p->gone < committed;
}

struct capture_seen *book_read(struct book *b, uint64_t base, uint64_t committed, size_t *count,
			       uint64_t *position, char **err)
{
	struct capture_seen *seen = mem_array(KERNEL_SLOTS, sizeof(*seen));
	size_t from = place_of(b, base), to = place_for_next(b, base, committed);
	struct kernel_counts now;

	*count = 0;
	b->head->positions[to] = 0;
	whole();
	for (uint32_t slot = 1; slot < KERNEL_SLOTS; slot++) {
		struct kernel_page *p = &b->pages[slot];

		if (!p->ifindex)
			continue;
		if (is_free(p, committed)) {
			p->ifindex = 0;
			continue;
		}
		if (maps_counts(b->maps, slot, &now, err) < 0) {
			free(seen);
			return NULL;
		}
		if (from != NOWHERE && growth(p, &now, from, base, &seen[*count]))
			(*count)++;
		p->at[to] = now;
	}
	*position = ++b->head->last;
	whole();
	b->head->positions[to] = *position;
	return seen;
}
