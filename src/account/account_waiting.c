/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "account/account_state.h"

struct growing {
	struct ledger_waiting *list;
	size_t count, room;
};

static void add(struct growing *g, const struct ledger_waiting *w)
{
	if (g->count == g->room) {
		g->room = g->room ? g->room * 2 : 16;
		g->list = mem_resize(g->list, g->room, sizeof(*g->list));
	}
	g->list[g->count++] = *w;
}

static void add_share(struct growing *g, int64_t vif, const struct share *s)
{
	for (int d = 0; d < DIR_COUNT; d++)
		for (int c = 0; c < CLASS_COUNT; c++) {
			struct ledger_waiting w = {.vif = vif,
						   .address = s->text,
						   .direction = (enum direction)d,
						   .class = (enum byte_class)c,
						   .bytes = s->waiting.bytes[d][c]};

			if (w.bytes)
				add(g, &w);
		}
}

struct ledger_waiting *account_waiting(const struct account *a, size_t *count)
{
	struct growing g = {0};

	for (const struct vif *v = a->vifs; v; v = v->hh.next)
		for (const struct share *x = v->waiting ? &v->own : NULL; x; x = x->next)
			add_share(&g, v->row.id, x);
	*count = g.count;
	return g.list;
}

/* An address that is no longer the vif's: its own share has it. */
static struct share *share_of(struct account *a, struct vif *v, const char *text)
{
	struct network n;

	return account_share(a, v, text && *text && network_address(text, &n) ? n.address : NULL);
}

static void resume(struct vif *v)
{
	struct class_bytes all = {0};

	for (const struct share *s = &v->own; s; s = s->next)
		class_bytes_add(&all, &s->waiting);
	for (int d = 0; d < DIR_COUNT; d++)
		split_resume(&v->split[d], all.bytes[d]);
}

void account_resume(struct account *a, const struct ledger_waiting *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct vif *v = account_find_vif(a, list[i].vif);

		if (!v)
			continue;
		share_of(a, v, list[i].address)->waiting.bytes[list[i].direction][list[i].class] +=
			list[i].bytes;
		v->waiting = true;
	}
	for (struct vif *v = a->vifs; v; v = v->hh.next)
		if (v->waiting)
			resume(v);
}
