/* SPDX-License-Identifier: GPL-2.0-or-later */

#include <stdlib.h>
#include <string.h>

#include "account/account_state.h"
#include "base/mem.h"

/* ---- beginning and end ---- */

static struct device *add_device(struct account *a, struct vif *v, const struct ledger_epoch *row)
{
	struct device *d = mem_alloc(sizeof(*d));

	d->ifindex = row->ifindex;
	d->vif = v;
	d->epoch.row = *row;
	d->epoch.own = v->row.domid == 0; /* dom0 has no other devices */
	d->seen.carrier_down = row->carrier_down;
	v->devices++;
	HASH_ADD(hh, a->devices, ifindex, sizeof(d->ifindex), d);
	return d;
}

static struct owner_address choose_address(const struct account *a, const struct account_vif_facts *f)
{
	struct owner_names names = {
		/* the name is dom0's own: a guest that is called so has none */
		.domain = f->domain && f->domid != 0 && strcmp(f->domain, BUCKET_DOM0_NAME) == 0 ? NULL
												 : f->domain,
		.vifname = f->vifname,
		.netdev = f->netdev,
		.mac = f->mac,
		.domid = f->domid,
		.devid = f->devid,
	};

	return owner_choose(a->owners, &names, f->addresses);
}

/* What the ledger knew of it is what is known until the toolstack is heard. */
static void restore_addresses(const struct account *a, struct vif *v)
{
	struct account_vif_facts f = {.domid = v->row.domid,
				      .devid = v->row.devid,
				      .domain = v->row.domain,
				      .mac = v->row.mac,
				      .addresses = v->row.addresses,
				      .netdev = v->row.netdev};
	struct owner_address own = choose_address(a, &f);

	mem_replace(&v->address, own.sole ? own.text : NULL);
	v->addresses = own.all;
	free(own.text);
}

static struct vif *add_vif(struct account *a, const struct ledger_vif *row, int64_t since)
{
	struct vif *v = mem_alloc(sizeof(*v));

	v->row = *row;
	v->numbers = (struct numbers){row->domid, row->devid};
	v->settled = since;
	HASH_ADD(hh, a->vifs, row.id, sizeof(v->row.id), v);
	HASH_ADD(by_numbers, a->present, numbers, sizeof(v->numbers), v);
	if (row->id > a->last_vif)
		a->last_vif = row->id;
	return v;
}

void account_move_to_gone(struct account *a, struct vif *v)
{
	HASH_DEL(a->vifs, v);
	v->next_gone = a->gone;
	a->gone = v;
}

void account_begin_at(struct device *d, const struct counters *counters)
{
	d->unread = false;
	d->epoch.row.base = d->epoch.row.last = *counters;
	d->epoch.has_hint = false;
	d->epoch.dirty = true;
}

void account_close_epoch(struct account *a, struct device *d, const struct counters *final,
			 const char *reason, int64_t time)
{
	struct epoch *closed = mem_alloc(sizeof(*closed));

	if (d->unread)
		account_begin_at(d, final ? final : &(struct counters){0});
	d->vif->gap |= !epoch_end(&d->epoch, final, reason, time, d->vif->grown);
	*closed = d->epoch;
	account_list_add(&a->closed, closed);
}

static void remove_device(struct account *a, struct device *d)
{
	HASH_DEL(a->devices, d);
	d->vif->devices--;
	free(d);
}

static void close_earlier_boots(struct account *a, int64_t last_seen)
{
	struct vif *v, *next;
	struct device *d, *d_next;

	HASH_ITER (hh, a->devices, d, d_next) {
		if (strcmp(d->epoch.row.boot, a->boot) == 0)
			continue;
		account_close_epoch(a, d, NULL, "reboot", last_seen);
		remove_device(a, d);
	}
	HASH_ITER (hh, a->vifs, v, next) {
		/* in a damaged ledger one of them may have a device of this boot: it is there, then */
		if (strcmp(v->row.boot, a->boot) == 0 || v->devices)
			continue;
		v->row.gone = last_seen;
		HASH_DELETE(by_numbers, a->present, v);
		account_move_to_gone(a, v);
	}
}

struct account *account_new(const struct account_settings *settings, const struct ledger_state *state,
			    int64_t now)
{
	struct account *a = mem_alloc(sizeof(*a));

	a->settings = *settings;
	a->boot = mem_strdup(settings->boot);
	a->settings.boot = a->boot;
	a->buckets = buckets_new(state);
	a->owners = owners_new(&settings->rules);
	a->last_vif = state->last_vif;
	a->last_epoch = state->last_epoch;
	a->last_seq = state->last_seq;
	a->now = now > state->last_seen ? now : state->last_seen;
	a->open_slot =
		account_slot_of(a->now) > state->open_slot ? account_slot_of(a->now) : state->open_slot;
	for (size_t i = 0; i < state->vif_count; i++) {
		struct ledger_vif row = ledger_vif_copy(&state->vifs[i]);

		restore_addresses(a, add_vif(a, &row, state->last_seen));
		if (strcmp(row.boot, a->boot) == 0)
			buckets_attach(a->buckets, row.domid, row.bucket, row.uuid, row.domain);
	}
	for (size_t i = 0; i < state->epoch_count; i++) {
		struct vif *v = account_find_vif(a, state->epochs[i].vif);
		struct ledger_epoch row = state->epochs[i];

		if (!v || account_find_device(a, row.ifindex))
			continue; /* the ledger's own constraints exclude it */
		row = ledger_epoch_copy(&row);
		add_device(a, v, &row);
	}
	for (size_t i = 0; i < state->baseline_count; i++) {
		struct baseline *b = mem_alloc(sizeof(*b));

		b->ifindex = state->baselines[i].ifindex;
		b->row = state->baselines[i];
		HASH_ADD(hh, a->baselines, ifindex, sizeof(b->ifindex), b);
	}
	close_earlier_boots(a, state->last_seen);
	for (struct device *d = a->devices; d && state->position; d = d->hh.next)
		account_tail_resume(d);
	account_resume(a, state->waiting, state->waiting_count);
	return a;
}

void account_free(struct account *a)
{
	struct vif *v, *v_next;
	struct device *d, *d_next;
	struct baseline *b, *b_next;

	if (!a)
		return;
	account_free_waiting(a);
	account_tail_forget(a);
	free(a->ended.items);
	free(a->closed.items);
	free(a->takes.items);
	free(a->events.items);
	HASH_ITER (hh, a->devices, d, d_next) {
		HASH_DEL(a->devices, d);
		ledger_epoch_clear(&d->epoch.row);
		free(d);
	}
	HASH_CLEAR(by_numbers, a->present);
	HASH_ITER (hh, a->vifs, v, v_next) {
		HASH_DEL(a->vifs, v);
		account_free_vif(v);
	}
	HASH_ITER (hh, a->baselines, b, b_next) {
		HASH_DEL(a->baselines, b);
		free(b);
	}
	buckets_free(a->buckets);
	owners_free(a->owners);
	free(a->boot);
	free(a);
}

/* ---- what is there ---- */

void account_event(struct account *a, const char *kind, const char *object, const char *detail)
{
	struct ledger_event *e = mem_alloc(sizeof(*e));

	*e = (struct ledger_event){
		.time = a->now, .kind = kind, .object = mem_strdup(object), .detail = mem_strdup(detail)};
	account_list_add(&a->events, e);
}

static struct vif *new_vif(struct account *a, const struct account_vif_facts *f)
{
	struct ledger_vif row = {
		.id = a->last_vif + 1,
		.boot = mem_strdup(a->boot),
		.domid = f->domid,
		.devid = f->devid,
		.domain = mem_strdup(""),
		.appeared = a->now,
	};

	return add_vif(a, &row, a->now);
}

static int64_t bucket_of(struct account *a, const struct account_vif_facts *f, const char *address,
			 char **warning)
{
	*warning = NULL;
	if (a->settings.bucket_by_ip && address)
		return buckets_of_address(a->buckets, address, a->now);
	return buckets_of_domain(a->buckets, f->domid, f->uuid, f->domain, a->now, warning);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_another_domain(const struct vif *v, const struct account_vif_facts *f)
{
	return f->uuid && v->row.uuid && strcmp(f->uuid, v->row.uuid) != 0;
}

/* The domid was given out again: whatever the domain before had under it is gone, or the new one would be
 * charged to its bucket. */
static void end_other_domain(struct account *a, const struct account_vif_facts *f)
{
	struct vif *v, *next;

	for (v = a->present; v; v = next) {
		next = v->by_numbers.next;
		if (v->row.domid == f->domid && is_another_domain(v, f))
			account_vif_gone(a, v->row.id);
	}
}

/* Once for each vif and address. */
static void tell_guess(struct vif *v, const struct owner_address *own, char **warning)
{
	if (!own->ambiguous) {
		mem_replace(&v->guessed, NULL);
		return;
	}
	if (mem_replace(&v->guessed, own->text))
		*warning = mem_printf("vif %u.%u has several addresses; local and unattributed bytes, and "
				      "without attribution all, go to one of them, %s; choose with a line "
				      "`address IP OWNER` or with compactnet lines",
				      v->row.domid, v->row.devid, own->text);
}

int64_t account_vif_here(struct account *a, const struct account_vif_facts *f, char **warning)
{
	struct numbers numbers = {f->domid, f->devid};
	struct owner_address own = choose_address(a, f);
	struct vif *v;
	int64_t bucket;

	HASH_FIND(by_numbers, a->present, &numbers, sizeof(numbers), v);
	if (v && is_another_domain(v, f))
		v = NULL;
	if (!v)
		end_other_domain(a, f);
	bucket = bucket_of(a, f, own.text, warning);
	if (!v) {
		v = new_vif(a, f);
		v->dirty = true;
	}
	if (v->row.bucket != bucket || !same_text(own.sole ? own.text : NULL, v->address))
		account_cut(a, v); /* what was settled so far stays where it belonged */
	account_set_addresses(a, v, &own.all);
	mem_replace(&v->address, own.sole ? own.text : NULL);
	if (a->settings.bucket_by_ip)
		tell_guess(v, &own, warning);
	free(own.text);
	if (v->row.bucket != bucket) {
		v->row.bucket = bucket;
		v->dirty = true;
	}
	v->dirty |= (f->uuid && mem_replace(&v->row.uuid, f->uuid)) |
		    mem_replace(&v->row.domain, f->domain ? f->domain : "") |
		    mem_replace(&v->row.mac, f->mac) | mem_replace(&v->row.addresses, f->addresses) |
		    mem_replace(&v->row.bridge, f->bridge) |
		    (f->netdev && mem_replace(&v->row.netdev, f->netdev));
	return v->row.id;
}

void account_vif_gone(struct account *a, int64_t id)
{
	struct vif *v = account_find_vif(a, id), *other;
	struct device *d, *next;

	if (!v || v->row.gone)
		return;
	HASH_ITER (hh, a->devices, d, next)
		if (d->vif == v)
			account_device_unbound(a, d->ifindex);
	v->row.gone = a->now;
	v->dirty = true;
	HASH_DELETE(by_numbers, a->present, v);
	for (other = a->present; other; other = other->by_numbers.next)
		if (other->row.domid == v->row.domid)
			return;
	buckets_release(a->buckets, v->row.domid);
}

void account_device_here(struct account *a, int64_t vif, unsigned ifindex, const char *netdev,
			 enum device_kind kind, uint32_t carrier_down, unsigned left_connected)
{
	struct basis basis = basis_of(kind);
	struct vif *v = account_find_vif(a, vif);
	struct device *d = account_find_device(a, ifindex);
	struct ledger_epoch row = {0};
	struct baseline *b;

	if (d && d->vif == v && d->epoch.row.rx_header == basis.rx_header &&
	    d->epoch.row.tx_header == basis.tx_header) {
		if (mem_replace(&d->epoch.row.netdev, netdev))
			d->epoch.dirty = true;
		return;
	}
	if (d)
		account_device_unbound(a, ifindex);
	HASH_FIND(hh, a->baselines, &ifindex, sizeof(ifindex), b);
	row.id = ++a->last_epoch;
	row.vif = vif;
	row.boot = mem_strdup(a->boot);
	row.ifindex = ifindex;
	row.netdev = mem_strdup(netdev);
	row.rx_header = basis.rx_header;
	row.tx_header = basis.tx_header;
	if (b && !b->row.gone)
		row.base = row.last = b->row.counters;
	row.carrier_down = carrier_down;
	row.opened = row.seen = a->now;
	d = add_device(a, v, &row);
	d->epoch.left_connected = d->seen.left_connected = left_connected;
	d->epoch.dirty = true;
}

void account_device_from_now(struct account *a, unsigned ifindex)
{
	struct device *d = account_find_device(a, ifindex);
	struct baseline *b;

	HASH_FIND(hh, a->baselines, &ifindex, sizeof(ifindex), b);
	if (d && !(b && b->is_new && !b->row.gone))
		d->unread = true;
}

void account_device_gone(struct account *a, unsigned ifindex, const struct counters *final)
{
	struct device *d = account_find_device(a, ifindex);
	struct baseline *b;

	if (d) {
		struct vif *v = d->vif;

		account_close_epoch(a, d, final, "device gone", a->now);
		account_tail_ended(a, d, a->closed.items[a->closed.count - 1]);
		remove_device(a, d);
		/* Only where nothing of the vif counts on may what the classifier saw raise its total at
		 * once: else the bytes that it saw a moment early would be counted again with the next
		 * reading. There it waits for that (split_lost). The life whose end is not known need not be
		 * this last one's. */
		v->tail_lost |= v->gap && v->devices == 0;
	}
	HASH_FIND(hh, a->baselines, &ifindex, sizeof(ifindex), b);
	if (b) {
		b->row.gone = true;
		b->is_new = true;
	}
}

void account_device_unbound(struct account *a, unsigned ifindex)
{
	struct device *d = account_find_device(a, ifindex);

	if (!d)
		return;
	account_baseline(a, ifindex, &d->epoch.row.last);
	account_close_epoch(a, d, NULL, "unbound", a->now);
	remove_device(a, d);
}

void account_carrier_off(struct account *a, unsigned ifindex, uint32_t carrier_down,
			 const struct counters *counters)
{
	struct device *d = account_find_device(a, ifindex);

	/* Of several drops since this life's count, those after the first may be the next life's. */
	if (d && carrier_down == d->epoch.row.carrier_down + 1)
		epoch_hint(&d->epoch, counters);
}

void account_baseline(struct account *a, unsigned ifindex, const struct counters *counters)
{
	struct baseline *b;

	HASH_FIND(hh, a->baselines, &ifindex, sizeof(ifindex), b);
	if (!b) {
		b = mem_alloc(sizeof(*b));
		b->ifindex = ifindex;
		HASH_ADD(hh, a->baselines, ifindex, sizeof(b->ifindex), b);
	}
	b->row = (struct ledger_baseline){.ifindex = ifindex, .counters = *counters};
	b->is_new = true;
}

size_t account_last_counters(const struct account *a, struct ledger_baseline **last)
{
	struct ledger_baseline *list =
		mem_array(HASH_COUNT(a->devices) + HASH_COUNT(a->baselines), sizeof(*list));
	size_t count = 0;

	for (const struct device *d = a->devices; d; d = d->hh.next)
		if (!d->unread)
			list[count++] = (struct ledger_baseline){.ifindex = d->ifindex,
								 .counters = d->epoch.row.last};
	for (const struct baseline *b = a->baselines; b; b = b->hh.next)
		if (!b->row.gone && !account_find_device(a, b->ifindex))
			list[count++] = b->row;
	*last = list;
	return count;
}

bool account_is_idle(const void *account, int64_t bucket)
{
	const struct account *a = account;

	return buckets_is_idle(a->buckets, bucket);
}

void account_forget(struct account *a, const struct ledger_forgotten *forgotten)
{
	for (size_t i = 0; i < forgotten->uuid_count; i++)
		buckets_forget_uuid(a->buckets, forgotten->uuids[i]);
	for (size_t i = 0; i < forgotten->bucket_count; i++)
		buckets_forget(a->buckets, forgotten->buckets[i]);
}

bool account_knows(const struct account *a, unsigned domid, const char *uuid, const char *name)
{
	return buckets_know(a->buckets, domid, uuid, name);
}

unsigned account_devices(const struct account *a, int64_t vif)
{
	const struct vif *v = account_find_vif(a, vif);

	return v ? v->devices : 0;
}

const struct networks *account_addresses(const struct account *a, int64_t vif)
{
	const struct vif *v = account_find_vif(a, vif);

	return v ? &v->addresses : NULL;
}

int64_t account_vif_of(const struct account *a, unsigned ifindex)
{
	const struct device *d = account_find_device(a, ifindex);

	return d ? d->vif->row.id : 0;
}

const struct ledger_vif *account_next_vif(const struct account *a, const struct ledger_vif *before)
{
	const struct vif *v = before ? ((const struct vif *)before)->hh.next : a->vifs;

	while (v && v->row.gone)
		v = v->hh.next;
	return v ? &v->row : NULL;
}

const struct ledger_epoch *account_next_epoch(const struct account *a, const struct ledger_epoch *before)
{
	const struct device *d = before ? ((const struct device *)before)->hh.next : a->devices;

	return d ? &d->epoch.row : NULL;
}

int64_t account_open_slot(const struct account *a)
{
	return a->open_slot;
}

int64_t account_last_seq(const struct account *a)
{
	return a->last_seq;
}
