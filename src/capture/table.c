/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/table.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/mem.h"
#include "capture/owners.h"

#define ADDRESS_SIZE 16
#define MAC_SIZE 6

struct name_key {
	int64_t vif;
	uint64_t has_address;
	uint8_t address[ADDRESS_SIZE];
};

/* What was counted under a name since the last answer. */
struct cell {
	struct name_key key;
	struct capture_seen seen;
	UT_hash_handle hh;
};

/* The class depends on whether the address will prove to be the vif's own. */
struct unknown_key {
	uint8_t mac[MAC_SIZE];
	uint8_t own[ADDRESS_SIZE];
	uint8_t class_if_own, class_if_not;
	bool tagged;
};

struct amount {
	uint64_t bytes, packets, late;
};

/* What was counted of a MAC that nobody was told to have. */
struct unknown {
	struct unknown_key key;
	struct amount amount;
	uint64_t turn;  /* output: which stray it was, from 1 */
	uint64_t *heir; /* what has its late bytes from now on; NULL: nothing */
	UT_hash_handle hh;
};

/* Frames of one tick that were counted; `late` is what grows should they have been late (NULL: nothing). */
struct recent {
	int64_t end; /* of the tick */
	uint64_t *late;
	uint64_t bytes;
};

/* What a frame says of its flow. */
struct flow_key {
	uint8_t own[ADDRESS_SIZE], remote[ADDRESS_SIZE], mac[MAC_SIZE];
	uint8_t dir;
	uint8_t kind; /* 0: none; else 1, and FLOW_… */
};
#define FLOW_MAC 2
#define FLOW_TAGGED 4

/* A frame of a flow is mostly followed by more of it, which need no more lookups. */
struct flow {
	struct flow_key key;
	struct capture_seen *seen;
	enum byte_class class;
	bool spoofed;
	size_t noted; /* where its last frame may have been (note_frame) */
};
#define FLOWS 4096 /* one that lands on another's place takes it */

struct table {
	const struct rules *rules;
	struct flow flows[FLOWS];
	struct owners *owners;
	struct cell *cells;
	struct unknown *unknown[DIR_COUNT];
	struct capture_answer strays; /* those that are nobody's for good */
	uint64_t turns, first_turn;   /* of strays: so far; of the one whose MAC is in `strays` */
	struct recent *recent;
	size_t recents; /* since the last answer; the newest is at (recents - 1) % TABLE_RECENT */
	int64_t late_after;
};

struct table *table_new(const struct rules *rules)
{
	struct table *t = mem_alloc(sizeof(*t));

	t->rules = rules;
	t->owners = owners_new();
	t->recent = mem_array(TABLE_RECENT, sizeof(*t->recent));
	t->late_after = INT64_MAX;
	return t;
}

static struct cell *cell_find(struct table *t, const struct owners_name *n)
{
	struct name_key key = {.vif = n->vif, .has_address = n->has_address};
	struct cell *c;

	memcpy(key.address, n->address, ADDRESS_SIZE);
	HASH_FIND(hh, t->cells, &key, sizeof(key), c);
	if (c)
		return c;
	c = mem_alloc(sizeof(*c));
	c->key = key;
	c->seen.vif = n->vif;
	c->seen.has_address = n->has_address;
	memcpy(c->seen.address, n->address, ADDRESS_SIZE);
	HASH_ADD(hh, t->cells, key, sizeof(key), c);
	return c;
}

static struct capture_seen *seen_of(struct table *t, struct owners_name *n)
{
	struct cell *c = n->counter;

	if (!c)
		c = n->counter = cell_find(t, n);
	return &c->seen;
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

/* What nobody came to own is a stray for good. */
static void bury_stray(struct table *t, enum direction dir, struct unknown *u)
{
	count_stray(t, dir, u->amount.bytes, u->amount.packets);
	if (dir == DIR_OUTPUT)
		name_stray(t, u->turn, u->key.mac);
	if (dir == DIR_OUTPUT) {
		t->strays.stray_late += u->amount.late;
		u->heir = &t->strays.stray_late;
	}
}

/* NULL: there are too many. */
static struct unknown *unknown_of(struct table *t, enum direction dir, const struct unknown_key *key)
{
	struct unknown *u;

	HASH_FIND(hh, t->unknown[dir], key, sizeof(*key), u);
	if (u || HASH_COUNT(t->unknown[dir]) >= TABLE_UNKNOWN)
		return u;
	u = mem_alloc(sizeof(*u));
	u->key = *key;
	u->turn = dir == DIR_OUTPUT ? ++t->turns : 0;
	HASH_ADD(hh, t->unknown[dir], key, sizeof(u->key), u);
	return u;
}

static void forget_unknown(struct unknown **all)
{
	struct unknown *u, *next;

	HASH_ITER (hh, *all, u, next) {
		HASH_DELETE(hh, *all, u);
		free(u);
	}
}

/* ---- unknown ones that become known ---- */

/* The vif has what was seen of its MAC before it was told. */
static void credit(struct capture_seen *s, enum direction dir, struct unknown *u, enum owners_address address)
{
	uint8_t class = address == OWNERS_TOLD ? u->key.class_if_own : u->key.class_if_not;

	s->bytes.bytes[dir][class] += u->amount.bytes;
	s->packets.bytes[dir][class] += u->amount.packets;
	s->late[dir] += u->amount.late;
	u->heir = &s->late[dir];
	if (address == OWNERS_FOREIGN && dir == DIR_OUTPUT) {
		s->spoofed_bytes += u->amount.bytes;
		s->spoofed_packets += u->amount.packets;
	}
}

/* To whom it belongs now. False: it still is unknown. */
static bool assign(struct table *t, enum direction dir, struct unknown *u)
{
	enum owners_address address;
	struct owners_name *name;

	switch (owners_of(t->owners, u->key.mac, u->key.tagged, u->key.own, &name, &address)) {
	case OWNERS_VIF:
		credit(seen_of(t, name), dir, u, address);
		return true;
	case OWNERS_STRAY:
		bury_stray(t, dir, u);
		return true;
	case OWNERS_FORGED:
		if (dir == DIR_OUTPUT)
			bury_stray(t, dir, u);
		return true;
	case OWNERS_NOBODY:
		return true;
	default:
		return false;
	}
}

/* The recent frames must not point into unknowns that go. */
static void point_to_heirs(struct table *t, const struct unknown *gone)
{
	size_t kept = t->recents < TABLE_RECENT ? t->recents : TABLE_RECENT;

	for (const struct unknown *u = gone; u; u = u->hh.next)
		for (size_t i = 0; i < kept; i++)
			if (t->recent[i].late == &u->amount.late)
				t->recent[i].late = u->heir;
}

static void assign_unknowns(struct table *t, enum direction dir)
{
	struct unknown *u, *next, *gone = NULL;

	HASH_ITER (hh, t->unknown[dir], u, next) {
		if (!assign(t, dir, u))
			continue;
		HASH_DELETE(hh, t->unknown[dir], u);
		HASH_ADD(hh, gone, key, sizeof(u->key), u);
	}
	point_to_heirs(t, gone);
	forget_unknown(&gone);
}

static void forget_flows(struct table *t)
{
	memset(t->flows, 0, sizeof(t->flows));
}

void table_vifs(struct table *t, const struct capture_vif *vifs, size_t count)
{
	forget_flows(t);
	owners_set(t->owners, vifs, count);
	for (int d = 0; d < DIR_COUNT; d++)
		assign_unknowns(t, d);
}

/* ---- frames: each returns what grows should the frame have been late ---- */

static uint64_t *count_for_vif(const struct flow *f, uint32_t bytes)
{
	struct capture_seen *s = f->seen;

	s->bytes.bytes[f->key.dir][f->class] += bytes;
	s->packets.bytes[f->key.dir][f->class] += 1;
	if (f->spoofed) {
		s->spoofed_bytes += bytes;
		s->spoofed_packets++;
	}
	return &s->late[f->key.dir];
}

static uint64_t *count_as_stray(struct table *t, enum direction dir, const uint8_t *mac, uint32_t bytes)
{
	count_stray(t, dir, bytes, 1);
	if (dir == DIR_INPUT)
		return NULL;
	name_stray(t, ++t->turns, mac);
	return &t->strays.stray_late;
}

static uint64_t *count_as_unknown(struct table *t, enum direction dir, const struct unknown_key *key,
				  uint32_t bytes)
{
	struct unknown *u = unknown_of(t, dir, key);

	if (!u)
		return dir == DIR_OUTPUT ? count_as_stray(t, dir, key->mac, bytes) : NULL;
	u->amount.bytes += bytes;
	u->amount.packets += 1;
	return &u->amount.late;
}

static struct unknown_key unknown_key(const struct table *t, const uint8_t *mac, bool tagged,
				      const uint8_t *own, const uint8_t *remote)
{
	struct unknown_key key = {.tagged = tagged,
				  .class_if_own = (uint8_t)rules_class(t->rules, own, remote),
				  .class_if_not = (uint8_t)rules_class(t->rules, NULL, remote)};

	memcpy(key.mac, mac, MAC_SIZE);
	memcpy(key.own, own, ADDRESS_SIZE);
	return key;
}

/* `at`: where one like it may have been noted; becomes where this one is. That one must stay for as many more
 * as it has seen go by. */
static void note_frame(struct table *t, int64_t stamp, uint64_t *late, uint32_t bytes, size_t *at)
{
	struct recent *like = &t->recent[*at % TABLE_RECENT];
	int64_t end = stamp | (TABLE_TICK - 1);

	if (*at < t->recents && t->recents - *at <= TABLE_RECENT / 2 && like->end == end &&
	    like->late == late) {
		like->bytes += bytes;
	} else {
		*at = t->recents++;
		t->recent[*at % TABLE_RECENT] = (struct recent){end, late, bytes};
	}
	if (end > t->late_after)
		*late += bytes;
}

/* Whose a frame is, and where its other end is. */
struct ends {
	const uint8_t *own, *remote, *mac;
};

static struct ends ends_of(enum direction dir, const struct frame *f)
{
	return dir == DIR_OUTPUT ? (struct ends){f->source, f->target, f->source_mac}
				 : (struct ends){f->target, f->source, f->target_mac};
}

static uint8_t flow_kind(const struct frame *f)
{
	return (uint8_t)(1 | (f->has_mac ? FLOW_MAC : 0) | (f->tagged ? FLOW_TAGGED : 0));
}

static struct flow_key flow_key(enum direction dir, const struct frame *f, const struct ends *e)
{
	struct flow_key key = {.dir = (uint8_t)dir, .kind = flow_kind(f)};

	memcpy(key.own, e->own, ADDRESS_SIZE);
	memcpy(key.remote, e->remote, ADDRESS_SIZE);
	memcpy(key.mac, e->mac, MAC_SIZE);
	return key;
}

/* Compares the frame as it is: to make a key of it is half of what a frame costs, and most need none. */
static bool is_of_flow(const struct flow_key *k, enum direction dir, const struct frame *f,
		       const struct ends *e)
{
	return k->dir == dir && k->kind == flow_kind(f) && memcmp(k->own, e->own, ADDRESS_SIZE) == 0 &&
	       memcmp(k->remote, e->remote, ADDRESS_SIZE) == 0 && memcmp(k->mac, e->mac, MAC_SIZE) == 0;
}

static struct flow *flow_place(struct table *t, enum direction dir, const struct ends *e)
{
	uint32_t own, remote;

	memcpy(&own, e->own + 12, sizeof(own));
	memcpy(&remote, e->remote + 12, sizeof(remote));
	return &t->flows[((own * 5 + remote + dir) * 2654435761U) >> 20];
}

/* One of which nothing is known yet. `place` becomes that of its flow, if it is a vif's. */
static uint64_t *count_looked_up(struct table *t, const struct flow_key *key, uint32_t bytes,
				 struct flow *place)
{
	bool out = key->dir == DIR_OUTPUT, tagged = key->kind & FLOW_TAGGED;
	const uint8_t *mac = key->kind & FLOW_MAC ? key->mac : NULL;
	enum owners_address address;
	struct owners_name *name;
	struct unknown_key unknown;

	switch (owners_of(t->owners, mac, tagged, key->own, &name, &address)) {
	case OWNERS_VIF:
		*place = (struct flow){
			.key = *key,
			.seen = seen_of(t, name),
			.class = rules_class(t->rules, address == OWNERS_TOLD ? key->own : NULL, key->remote),
			.spoofed = out && address == OWNERS_FOREIGN};
		return count_for_vif(place, bytes);
	case OWNERS_UNKNOWN:
		unknown = unknown_key(t, key->mac, tagged, key->own, key->remote);
		return count_as_unknown(t, key->dir, &unknown, bytes);
	case OWNERS_STRAY:
		return count_as_stray(t, key->dir, mac, bytes);
	case OWNERS_FORGED:
		return out ? count_as_stray(t, key->dir, mac, bytes) : NULL;
	case OWNERS_NOBODY:
		break;
	}
	return NULL;
}

void table_frame(struct table *t, enum direction dir, const struct frame *f, int64_t stamp)
{
	const struct ends ends = ends_of(dir, f);
	struct flow *place = flow_place(t, dir, &ends);
	size_t newest = t->recents - 1, *at = &newest;
	uint64_t *late;

	if (!f->is_ip)
		return;
	if (is_of_flow(&place->key, dir, f, &ends)) {
		late = count_for_vif(place, f->ip_bytes);
	} else {
		struct flow_key key = flow_key(dir, f, &ends);

		late = count_looked_up(t, &key, f->ip_bytes, place);
	}
	if (!late)
		return;
	if (place->seen && late == &place->seen->late[dir])
		at = &place->noted;
	note_frame(t, stamp, late, f->ip_bytes, at);
}

void table_late_after(struct table *t, int64_t stamp)
{
	size_t kept = t->recents < TABLE_RECENT ? t->recents : TABLE_RECENT;

	for (size_t i = 0; i < kept; i++)
		if (t->recent[i].late && t->recent[i].end > stamp)
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

static void forget_cells(struct table *t)
{
	struct cell *c, *next;

	forget_flows(t);
	owners_clear_counters(t->owners);
	HASH_ITER (hh, t->cells, c, next) {
		HASH_DELETE(hh, t->cells, c);
		free(c);
	}
}

static struct capture_seen *take_cells(struct table *t, uint32_t *count)
{
	struct capture_seen *seen = mem_array(HASH_COUNT(t->cells) + 1, sizeof(*seen));

	*count = 0;
	for (const struct cell *c = t->cells; c; c = c->hh.next)
		seen[(*count)++] = c->seen;
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
		forget_unknown(&t->unknown[d]);
	t->strays = (struct capture_answer){0};
	t->turns = t->first_turn = 0;
}

struct capture_seen *table_answer(struct table *t, struct capture_answer *answer)
{
	struct capture_seen *seen = take_cells(t, &answer->count);

	take_strays(t, answer);
	t->recents = 0;
	t->late_after = INT64_MAX;
	return seen;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	forget_cells(t);
	owners_free(t->owners);
	for (int d = 0; d < DIR_COUNT; d++)
		forget_unknown(&t->unknown[d]);
	free(t->recent);
	free(t);
}
