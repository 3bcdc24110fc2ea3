/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "net/prefixes.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void prefixes_free(struct prefixes *p)
{
	free(p->list);
	*p = (struct prefixes){0};
}

static void add(struct prefixes *p, const struct network *n, uint8_t flag)
{
	if (p->count == p->room) {
		p->room = p->room ? p->room * 2 : 16;
		p->list = mem_resize(p->list, p->room, sizeof(*p->list));
	}
	p->list[p->count++] = (struct prefix){*n, flag};
}

void prefixes_add(struct prefixes *p, const struct networks *list, uint8_t flag)
{
	for (size_t i = 0; i < list->count; i++)
		add(p, &list->list[i], flag);
}

/* A network stands before those that are inside it. */
static int by_start(const void *a, const void *b)
{
	const struct network *x = &((const struct prefix *)a)->network;
	const struct network *y = &((const struct prefix *)b)->network;
	int order = memcmp(x->address, y->address, sizeof(x->address));

	return order ? order : (x->bits > y->bits) - (x->bits < y->bits);
}

static bool is_same(const struct network *a, const struct network *b)
{
	return a->bits == b->bits && memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

static void merge_equal(struct prefixes *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->count; i++)
		if (kept && is_same(&p->list[kept - 1].network, &p->list[i].network))
			p->list[kept - 1].flags |= p->list[i].flags;
		else
			p->list[kept++] = p->list[i];
	p->count = kept;
}

/* Does the network begin inside the other one? As bits: of one family or not. */
static bool is_inside(const struct network *n, const struct network *around)
{
	unsigned bytes = around->bits / 8, rest = around->bits % 8;

	if (n->bits < around->bits || memcmp(n->address, around->address, bytes) != 0)
		return false;
	return !rest || (n->address[bytes] ^ around->address[bytes]) >> (8 - rest) == 0;
}

void prefixes_build(struct prefixes *p)
{
	const struct network ipv4 = {.address = {[10] = 0xff, [11] = 0xff}, .bits = 96};
	size_t *around, depth = 0;

	add(p, &ipv4, 0);
	qsort(p->list, p->count, sizeof(*p->list), by_start);
	merge_equal(p);
	around = mem_array(p->count, sizeof(*around));
	for (size_t i = 0; i < p->count; i++) {
		const struct network *n = &p->list[i].network;

		while (depth && !is_inside(n, &p->list[around[depth - 1]].network))
			depth--;
		if (depth && !is_same(n, &ipv4))
			p->list[i].flags |= p->list[around[depth - 1]].flags;
		around[depth++] = i;
	}
	free(around);
}
