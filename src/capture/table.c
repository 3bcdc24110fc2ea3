/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/table.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/mem.h"

#define ADDRESS_SIZE 16
#define MAC_SIZE 6

/* ---- who is there ---- */

struct cell_key {
	int64_t vif;
	uint8_t address[ADDRESS_SIZE];
	uint64_t has_address;
};

/* What is counted under one name; lives until it was answered and nobody bears the name any more. */
struct cell {
	struct cell_key key;
	struct capture_seen seen;
	bool listed;
	UT_hash_handle hh;
};

struct own {
	uint8_t address[ADDRESS_SIZE];
	struct cell *cell; /* the vif's `rest` where it has no other address */
	UT_hash_handle hh;
};

struct vif {
	int64_t id;
	struct cell *rest; /* what is under no single address of it */
	struct own *own;
	bool has_ipv4, has_ipv6; /* addresses of that family were told */
	UT_hash_handle hh;
};

/* Whose a MAC or a routed address is. */
struct owner {
	uint8_t name[ADDRESS_SIZE]; /* a MAC: its first bytes */
	struct vif *vif;            /* NULL: dom0 without a vif */
	bool is_host;               /* only dom0 was told to have it */
	bool several;
	UT_hash_handle hh;
};

/* ---- who is not ---- */

struct unknown_key {
	uint8_t mac[MAC_SIZE];
	uint8_t own[ADDRESS_SIZE];
};

struct amount {
	uint64_t bytes[CLASS_COUNT], packets[CLASS_COUNT];
	uint64_t late;
};

struct unknown {
	struct unknown_key key;
	struct amount amount;
	uint64_t turn;  /* which stray it was, from 1 */
	uint64_t *heir; /* who has its late bytes from now on; NULL: nobody */
	UT_hash_handle hh;
};

/* An output frame that was counted; `late` is what grows should it have been late (NULL: nothing). */
struct recent {
	int64_t stamp;
	uint64_t *late;
	uint32_t bytes;
};

struct table {
	const struct rules *rules;
	struct cell *cells;
	struct vif *vifs;
	struct owner *macs, *routed, *host_addresses;
	struct owner host; /* dom0, whatever the MAC: of frames without one */
	struct unknown *unknown[DIR_COUNT];
	struct capture_answer strays; /* those that are nobody's for good */
	uint64_t turns, first_turn;   /* of strays: so far; of the one whose MAC is in `strays` */
	struct recent *recent;
	size_t recents; /* ever; the newest is at (recents - 1) % TABLE_RECENT */
	int64_t late_after;
};

struct table *table_new(const struct rules *rules)
{
	struct table *t = mem_alloc(sizeof(*t));

	t->rules = rules;
	t->recent = mem_array(TABLE_RECENT, sizeof(*t->recent));
	t->late_after = INT64_MAX;
	return t;
}

/* ---- the table of vifs ---- */

static struct cell *cell_listed(struct table *t, int64_t vif, const uint8_t *address)
{
	struct cell_key key = {.vif = vif};
	struct cell *c;

	if (address) {
		key.has_address = 1;
		memcpy(key.address, address, ADDRESS_SIZE);
	}
	HASH_FIND(hh, t->cells, &key, sizeof(key), c);
	if (!c) {
		c = mem_alloc(sizeof(*c));
		c->key = key;
		c->seen.vif = vif;
		c->seen.has_address = (uint32_t)key.has_address;
		memcpy(c->seen.address, key.address, ADDRESS_SIZE);
		HASH_ADD(hh, t->cells, key, sizeof(key), c);
	}
	c->listed = true;
	return c;
}

static struct vif *vif_listed(struct table *t, int64_t id)
{
	struct vif *v;

	HASH_FIND(hh, t->vifs, &id, sizeof(id), v);
	if (!v) {
		v = mem_alloc(sizeof(*v));
		v->id = id;
		v->rest = cell_listed(t, id, NULL);
		HASH_ADD(hh, t->vifs, id, sizeof(v->id), v);
	}
	return v;
}

static bool is_ipv4(const uint8_t address[ADDRESS_SIZE])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(address, mapped, sizeof(mapped)) == 0;
}

static void own_address(struct table *t, struct vif *v, const uint8_t address[ADDRESS_SIZE])
{
	struct own *o;

	HASH_FIND(hh, v->own, address, ADDRESS_SIZE, o);
	if (o)
		return;
	o = mem_alloc(sizeof(*o));
	memcpy(o->address, address, ADDRESS_SIZE);
	o->cell = v->rest;
	HASH_ADD(hh, v->own, address, ADDRESS_SIZE, o);
	*(is_ipv4(address) ? &v->has_ipv4 : &v->has_ipv6) = true;
	if (HASH_COUNT(v->own) < 2)
		return;
	for (o = v->own; o; o = o->hh.next)
		o->cell = cell_listed(t, v->id, o->address);
}

/* One more record says whose it is. dom0's records agree where one of them has no vif. */
static void owner_add(struct owner *o, bool is_new, struct vif *v, bool is_host)
{
	if (is_new) {
		o->vif = v;
		o->is_host = is_host;
		return;
	}
	if (o->is_host && is_host && (!o->vif || !v)) {
		o->vif = o->vif ? o->vif : v;
		return;
	}
	o->several |= o->vif != v;
	o->is_host &= is_host;
}

static void name_owner(struct owner **names, const uint8_t *name, size_t size, struct vif *v, bool is_host)
{
	struct owner *o;
	bool is_new;

	HASH_FIND(hh, *names, name, size, o);
	is_new = !o;
	if (is_new) {
		o = mem_alloc(sizeof(*o));
		memcpy(o->name, name, size);
		HASH_ADD_KEYPTR(hh, *names, o->name, size, o);
	}
	owner_add(o, is_new, v, is_host);
}

static void take_record(struct table *t, const struct capture_vif *r, bool *hosts)
{
	bool is_host = r->flags & CAPTURE_HOST;
	struct vif *v;

	if (r->vif == 0 && !is_host)
		return;
	v = r->vif ? vif_listed(t, r->vif) : NULL;
	if (is_host) {
		owner_add(&t->host, !*hosts, v, true);
		*hosts = true;
	}
	if (r->flags & CAPTURE_HAS_MAC)
		name_owner(&t->macs, r->mac, MAC_SIZE, v, is_host);
	if (!(r->flags & CAPTURE_HAS_ADDRESS))
		return;
	if (v)
		own_address(t, v, r->address);
	if (is_host)
		name_owner(&t->host_addresses, r->address, ADDRESS_SIZE, v, true);
	else if (r->flags & CAPTURE_ROUTED)
		name_owner(&t->routed, r->address, ADDRESS_SIZE, v, false);
}

static void free_owners(struct owner **names)
{
	struct owner *o, *next;

	HASH_ITER (hh, *names, o, next) {
		HASH_DELETE(hh, *names, o);
		free(o);
	}
}

static void forget_vif(struct table *t, struct vif *v)
{
	struct own *o, *next;

	HASH_ITER (hh, v->own, o, next) {
		HASH_DELETE(hh, v->own, o);
		free(o);
	}
	HASH_DELETE(hh, t->vifs, v);
	free(v);
}

static void forget_all(struct table *t)
{
	struct vif *v, *next;

	free_owners(&t->macs);
	free_owners(&t->routed);
	free_owners(&t->host_addresses);
	HASH_ITER (hh, t->vifs, v, next)
		forget_vif(t, v);
	t->host = (struct owner){.is_host = true};
	for (struct cell *c = t->cells; c; c = c->hh.next)
		c->listed = false;
}

/* ---- whose it is ---- */

enum place { PLACE_VIF, PLACE_NOBODY, PLACE_STRAY, PLACE_UNKNOWN };

/* Bears dom0's MAC, or none: a routed vif's or dom0's own, as the address says. */
static enum place place_by_address(const struct table *t, const struct owner *host, const uint8_t *own,
				   struct vif **v)
{
	struct owner *o;

	if (t->routed) {
		HASH_FIND(hh, t->routed, own, ADDRESS_SIZE, o);
		if (o) {
			*v = o->vif;
			return o->several ? PLACE_STRAY : PLACE_VIF;
		}
		if (t->host_addresses) {
			HASH_FIND(hh, t->host_addresses, own, ADDRESS_SIZE, o);
			if (!o)
				return PLACE_STRAY;
		}
	}
	*v = host->vif;
	if (host->several)
		return PLACE_STRAY;
	return *v ? PLACE_VIF : PLACE_NOBODY;
}

/* `mac` NULL: the frame has none. */
static enum place place_of(const struct table *t, const uint8_t *mac, const uint8_t *own, struct vif **v)
{
	struct owner *o;

	if (!mac)
		return place_by_address(t, &t->host, own, v);
	HASH_FIND(hh, t->macs, mac, MAC_SIZE, o);
	if (!o)
		return PLACE_UNKNOWN;
	if (o->several)
		return PLACE_STRAY;
	if (o->is_host)
		return place_by_address(t, o, own, v);
	*v = o->vif;
	return PLACE_VIF;
}

static bool is_spoofed(const struct vif *v, const uint8_t own[ADDRESS_SIZE])
{
	static const uint8_t nothing[ADDRESS_SIZE];

	if (is_ipv4(own))
		return v->has_ipv4 && memcmp(own + 12, nothing, 4) != 0;
	return v->has_ipv6 && memcmp(own, nothing, ADDRESS_SIZE) != 0 &&
	       !(own[0] == 0xfe && (own[1] & 0xc0) == 0x80); /* link-local */
}

/* The cell of an own address, and whether as output it would not be the vif's to send. */
static struct cell *cell_of(const struct vif *v, const uint8_t own[ADDRESS_SIZE], bool *spoofed)
{
	struct own *o = NULL;

	if (v->own)
		HASH_FIND(hh, v->own, own, ADDRESS_SIZE, o);
	*spoofed = !o && is_spoofed(v, own);
	return o ? o->cell : v->rest;
}

/* ---- strays ---- */

static void count_stray(struct table *t, enum direction dir, uint64_t bytes, uint64_t packets)
{
	t->strays.stray_bytes[dir] += bytes;
	t->strays.stray_packets[dir] += packets;
}

static void name_stray(struct table *t, uint64_t turn, const uint8_t *mac)
{
	if (t->first_turn && t->first_turn <= turn)
		return;
	t->first_turn = turn;
	if (mac)
		memcpy(t->strays.stray_mac, mac, MAC_SIZE);
	else
		memset(t->strays.stray_mac, 0, MAC_SIZE);
}

static uint64_t amount_sum(const uint64_t by_class[CLASS_COUNT])
{
	uint64_t sum = 0;

	for (int c = 0; c < CLASS_COUNT; c++)
		sum += by_class[c];
	return sum;
}

/* What nobody came to own is a stray for good. */
static void bury_stray(struct table *t, enum direction dir, struct unknown *u)
{
	count_stray(t, dir, amount_sum(u->amount.bytes), amount_sum(u->amount.packets));
	if (dir == DIR_OUTPUT)
		name_stray(t, u->turn, u->key.mac);
	t->strays.stray_late += u->amount.late;
	u->heir = &t->strays.stray_late;
}

static struct unknown *unknown_of(struct table *t, enum direction dir, const uint8_t *mac, const uint8_t *own)
{
	struct unknown_key key;
	struct unknown *u;

	memcpy(key.mac, mac, MAC_SIZE);
	memcpy(key.own, own, ADDRESS_SIZE);
	HASH_FIND(hh, t->unknown[dir], &key, sizeof(key), u);
	if (u || HASH_COUNT(t->unknown[dir]) >= TABLE_UNKNOWN)
		return u;
	u = mem_alloc(sizeof(*u));
	u->key = key;
	u->turn = dir == DIR_OUTPUT ? ++t->turns : 0;
	HASH_ADD(hh, t->unknown[dir], key, sizeof(key), u);
	return u;
}

static void forget_unknown(struct table *t, enum direction dir)
{
	struct unknown *u, *next;

	HASH_ITER (hh, t->unknown[dir], u, next) {
		HASH_DELETE(hh, t->unknown[dir], u);
		free(u);
	}
}

/* The vif has what was seen of its MAC before it was told. */
static void credit(struct vif *v, enum direction dir, struct unknown *u)
{
	const struct amount *a = &u->amount;
	bool spoofed;
	struct capture_seen *s = &cell_of(v, u->key.own, &spoofed)->seen;

	for (int c = 0; c < CLASS_COUNT; c++) {
		s->bytes.bytes[dir][c] += a->bytes[c];
		s->packets.bytes[dir][c] += a->packets[c];
	}
	s->late += a->late;
	u->heir = &s->late;
	if (spoofed && dir == DIR_OUTPUT) {
		s->spoofed_bytes += amount_sum(a->bytes);
		s->spoofed_packets += amount_sum(a->packets);
	}
}

/* An unknown that is none any more; false: it still is. */
static bool settle_unknown(struct table *t, enum direction dir, struct unknown *u)
{
	struct vif *v = NULL;

	switch (place_of(t, u->key.mac, u->key.own, &v)) {
	case PLACE_VIF:
		credit(v, dir, u);
		return true;
	case PLACE_STRAY:
		bury_stray(t, dir, u);
		return true;
	case PLACE_NOBODY:
		return true;
	default:
		return false;
	}
}

/* The log must not point into unknowns that go. */
static void point_to_heirs(struct table *t, const struct unknown *gone)
{
	size_t kept = t->recents < TABLE_RECENT ? t->recents : TABLE_RECENT;

	for (const struct unknown *u = gone; u; u = u->hh.next)
		for (size_t i = 0; i < kept; i++)
			if (t->recent[i].late == &u->amount.late)
				t->recent[i].late = u->heir;
}

static void settle_unknowns(struct table *t, enum direction dir)
{
	struct unknown *u, *next, *gone = NULL;

	HASH_ITER (hh, t->unknown[dir], u, next) {
		if (!settle_unknown(t, dir, u))
			continue;
		HASH_DELETE(hh, t->unknown[dir], u);
		HASH_ADD(hh, gone, key, sizeof(u->key), u);
	}
	point_to_heirs(t, gone);
	HASH_ITER (hh, gone, u, next) {
		HASH_DELETE(hh, gone, u);
		free(u);
	}
}

static bool has_growth(const struct capture_seen *s)
{
	for (int d = 0; d < DIR_COUNT; d++)
		if (class_bytes_total(&s->packets, d))
			return true;
	return false;
}

/* Cells whose name is gone and that have nothing to say. */
static void forget_cells(struct table *t)
{
	struct cell *c, *next;

	HASH_ITER (hh, t->cells, c, next) {
		if (c->listed || has_growth(&c->seen))
			continue;
		HASH_DELETE(hh, t->cells, c);
		free(c);
	}
}

void table_vifs(struct table *t, const struct capture_vif *vifs, size_t count)
{
	bool hosts = false;

	forget_all(t);
	for (size_t i = 0; i < count; i++)
		take_record(t, &vifs[i], &hosts);
	for (int d = 0; d < DIR_COUNT; d++)
		settle_unknowns(t, d);
	forget_cells(t);
}

/* ---- frames ---- */

/* Returns what grows should the frame have been late; NULL where nothing does. */
static uint64_t *count_for_vif(struct vif *v, enum direction dir, const uint8_t *own, enum byte_class class,
			       uint32_t bytes)
{
	bool spoofed;
	struct capture_seen *s = &cell_of(v, own, &spoofed)->seen;

	s->bytes.bytes[dir][class] += bytes;
	s->packets.bytes[dir][class]++;
	if (spoofed && dir == DIR_OUTPUT) {
		s->spoofed_bytes += bytes;
		s->spoofed_packets++;
	}
	return &s->late;
}

static uint64_t *count_as_stray(struct table *t, enum direction dir, const uint8_t *mac, uint32_t bytes)
{
	count_stray(t, dir, bytes, 1);
	if (dir == DIR_OUTPUT)
		name_stray(t, ++t->turns, mac);
	return &t->strays.stray_late;
}

static uint64_t *count_as_unknown(struct table *t, enum direction dir, const uint8_t *mac, const uint8_t *own,
				  enum byte_class class, uint32_t bytes)
{
	struct unknown *u = unknown_of(t, dir, mac, own);

	if (!u)
		return dir == DIR_OUTPUT ? count_as_stray(t, dir, mac, bytes) : NULL;
	u->amount.bytes[class] += bytes;
	u->amount.packets[class]++;
	return &u->amount.late;
}

static void note_late(struct table *t, int64_t stamp, uint64_t *late, uint32_t bytes)
{
	t->recent[t->recents++ % TABLE_RECENT] = (struct recent){stamp, late, bytes};
	if (stamp > t->late_after)
		*late += bytes;
}

void table_frame(struct table *t, enum direction dir, const struct frame *f, int64_t stamp)
{
	const uint8_t *mac = NULL, *own = f->source, *remote = f->target;
	struct vif *v = NULL;
	uint64_t *late = NULL;

	if (!f->is_ip)
		return;
	if (f->has_mac)
		mac = dir == DIR_OUTPUT ? f->source_mac : f->target_mac;
	if (dir == DIR_INPUT) {
		own = f->target;
		remote = f->source;
	}
	switch (place_of(t, mac, own, &v)) {
	case PLACE_VIF:
		late = count_for_vif(v, dir, own, rules_class(t->rules, own, remote), f->ip_bytes);
		break;
	case PLACE_UNKNOWN:
		late = count_as_unknown(t, dir, mac, own, rules_class(t->rules, own, remote), f->ip_bytes);
		break;
	case PLACE_STRAY:
		late = count_as_stray(t, dir, mac, f->ip_bytes);
		break;
	case PLACE_NOBODY:
		break;
	}
	if (late && dir == DIR_OUTPUT)
		note_late(t, stamp, late, f->ip_bytes);
}

void table_late_after(struct table *t, int64_t stamp)
{
	size_t kept = t->recents < TABLE_RECENT ? t->recents : TABLE_RECENT;

	for (size_t i = 0; i < kept; i++)
		if (t->recent[i].late && t->recent[i].stamp > stamp && t->recent[i].stamp <= t->late_after)
			*t->recent[i].late += t->recent[i].bytes;
	t->late_after = stamp;
}

/* ---- the answer ---- */

static int by_name(const void *a, const void *b)
{
	const struct capture_seen *x = a, *y = b;

	if (x->vif != y->vif)
		return x->vif < y->vif ? -1 : 1;
	if (x->has_address != y->has_address)
		return x->has_address < y->has_address ? -1 : 1;
	return memcmp(x->address, y->address, ADDRESS_SIZE);
}

static struct capture_seen *take_cells(struct table *t, size_t *count)
{
	struct capture_seen *seen = mem_array(HASH_COUNT(t->cells) + 1, sizeof(*seen));

	*count = 0;
	for (struct cell *c = t->cells; c; c = c->hh.next) {
		if (!has_growth(&c->seen))
			continue;
		seen[(*count)++] = c->seen;
		c->seen.bytes = c->seen.packets = (struct class_bytes){0};
		c->seen.late = c->seen.spoofed_bytes = c->seen.spoofed_packets = 0;
	}
	qsort(seen, *count, sizeof(*seen), by_name);
	forget_cells(t);
	return seen;
}

static void take_strays(struct table *t, struct capture_answer *answer)
{
	for (struct unknown *u = t->unknown[DIR_OUTPUT]; u; u = u->hh.next)
		bury_stray(t, DIR_OUTPUT, u);
	memcpy(answer->stray_bytes, t->strays.stray_bytes, sizeof(answer->stray_bytes));
	memcpy(answer->stray_packets, t->strays.stray_packets, sizeof(answer->stray_packets));
	memcpy(answer->stray_mac, t->strays.stray_mac, sizeof(answer->stray_mac));
	answer->stray_late = t->strays.stray_late;
	for (int d = 0; d < DIR_COUNT; d++)
		forget_unknown(t, d);
	t->strays = (struct capture_answer){0};
	t->turns = t->first_turn = 0;
}

struct capture_seen *table_answer(struct table *t, struct capture_answer *answer)
{
	size_t count;
	struct capture_seen *seen = take_cells(t, &count);

	take_strays(t, answer);
	answer->count = (uint32_t)count;
	t->recents = 0;
	t->late_after = INT64_MAX;
	return seen;
}

void table_free(struct table *t)
{
	struct cell *c, *next;

	if (!t)
		return;
	forget_all(t);
	for (int d = 0; d < DIR_COUNT; d++)
		forget_unknown(t, d);
	HASH_ITER (hh, t->cells, c, next) {
		HASH_DELETE(hh, t->cells, c);
		free(c);
	}
	free(t->recent);
	free(t);
}
