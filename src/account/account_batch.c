/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "account/account_state.h"
#include "base/mem.h"

void account_batch(struct account *a, struct ledger_batch *batch)
{
	struct vif *v;
	struct device *d;
	struct baseline *b;
	size_t gone = 0;

	account_cut_all(a); /* raw counters and the takes made from them go in together */
	*batch = (struct ledger_batch){.now = a->now, .open_slot = a->open_slot};
	buckets_batch(a->buckets, batch);
	for (v = a->gone; v; v = v->next_gone)
		gone++;
	batch->vifs = mem_array(HASH_COUNT(a->vifs) + gone, sizeof(*batch->vifs));
	for (v = a->gone; v; v = v->next_gone)
		batch->vifs[batch->vif_count++] = &v->row;
	for (v = a->vifs; v; v = v->hh.next)
		if (v->dirty)
			batch->vifs[batch->vif_count++] = &v->row;
	batch->epochs = mem_array(HASH_COUNT(a->devices) + a->closed.count, sizeof(*batch->epochs));
	for (size_t i = 0; i < a->closed.count; i++)
		batch->epochs[batch->epoch_count++] = &((const struct epoch *)a->closed.items[i])->row;
	for (d = a->devices; d; d = d->hh.next) {
		account_tail_keep(d);
		if (d->epoch.dirty && !d->unread)
			batch->epochs[batch->epoch_count++] = &d->epoch.row;
	}
	batch->takes = mem_array(a->takes.count, sizeof(*batch->takes));
	for (size_t i = 0; i < a->takes.count; i++)
		batch->takes[batch->take_count++] = a->takes.items[i];
	batch->events = mem_array(a->events.count, sizeof(*batch->events));
	for (size_t i = 0; i < a->events.count; i++)
		batch->events[batch->event_count++] = a->events.items[i];
	batch->waiting = account_waiting(a, &batch->waiting_count);
	batch->baselines = mem_array(HASH_COUNT(a->baselines), sizeof(*batch->baselines));
	for (b = a->baselines; b; b = b->hh.next)
		if (b->is_new)
			batch->baselines[batch->baseline_count++] = &b->row;
}

void account_batch_free(struct ledger_batch *batch)
{
	free(batch->buckets);
	free(batch->labels);
	free(batch->uuids);
	free(batch->vifs);
	free(batch->epochs);
	free(batch->takes);
	free(batch->events);
	free(batch->baselines);
	free((void *)(uintptr_t)batch->waiting);
	*batch = (struct ledger_batch){0};
}

void account_committed(struct account *a)
{
	struct baseline *b, *b_next;

	buckets_committed(a->buckets);
	account_tail_forget(a); /* their rows are no more */
	for (struct vif *v = a->vifs; v; v = v->hh.next) {
		v->dirty = false;
		for (struct share *s = &v->own; s; s = s->next)
			s->queued = NULL;
	}
	for (struct device *d = a->devices; d; d = d->hh.next)
		d->epoch.dirty = false;
	HASH_ITER (hh, a->baselines, b, b_next) {
		b->is_new = false;
		if (b->row.gone) {
			HASH_DEL(a->baselines, b);
			free(b);
		}
	}
	account_free_waiting(a);
}

void account_free_vif(struct vif *v)
{
	ledger_vif_clear(&v->row);
	free(v->address);
	free(v->guessed);
	networks_free(&v->addresses);
	account_free_shares(v);
	free(v);
}

static void free_gone(struct account *a)
{
	while (a->gone) {
		struct vif *next = a->gone->next_gone;

		account_free_vif(a->gone);
		a->gone = next;
	}
}

void account_free_waiting(struct account *a)
{
	for (size_t i = 0; i < a->closed.count; i++) {
		struct epoch *e = a->closed.items[i];

		ledger_epoch_clear(&e->row);
		free(e);
	}
	for (size_t i = 0; i < a->takes.count; i++) {
		ledger_take_clear(a->takes.items[i]);
		free(a->takes.items[i]);
	}
	for (size_t i = 0; i < a->events.count; i++) {
		struct ledger_event *e = a->events.items[i];

		free(e->object);
		free(e->detail);
		free(e);
	}
	a->closed.count = a->takes.count = a->events.count = 0;
	free_gone(a);
}
