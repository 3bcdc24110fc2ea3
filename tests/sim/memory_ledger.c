/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memory_ledger.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* What was booked under an address, or the events of a kind. */
struct named {
	char *name;
	struct class_bytes booked;
	unsigned events;
};

/* What a vif's takes and its epochs say. */
struct booked_vif {
	uint64_t takes[DIR_COUNT], estimated[DIR_COUNT], closed[DIR_COUNT];
};

struct memory_ledger {
	const struct sim *sim;
	struct ledger_state state;
	char **baseline_boots;      /* beside state.baselines */
	struct class_bytes *booked; /* beside state.buckets */
	struct named *named;
	size_t named_count;
	struct booked_vif *vifs; /* by ledger id */
	size_t vif_room;
	unsigned *doubts; /* by epoch's ledger id */
	size_t doubt_room;
	unsigned doubtful;
	uint64_t clipped, estimated[DIR_COUNT], spoofed;
	int64_t last_slot;
};

struct memory_ledger *memory_ledger_new(const struct sim *s)
{
	struct memory_ledger *m = mem_alloc(sizeof(*m));

	m->sim = s;
	m->state.first_run = true;
	return m;
}

void memory_ledger_free(struct memory_ledger *m)
{
	for (size_t i = 0; i < m->state.baseline_count; i++)
		free(m->baseline_boots[i]);
	for (size_t i = 0; i < m->named_count; i++)
		free(m->named[i].name);
	free(m->named);
	free(m->baseline_boots);
	free(m->booked);
	free(m->vifs);
	free(m->doubts);
	ledger_state_free(&m->state);
	free(m);
}

static struct named *named(struct memory_ledger *m, const char *name)
{
	for (size_t i = 0; i < m->named_count; i++)
		if (strcmp(m->named[i].name, name) == 0)
			return &m->named[i];
	m->named = mem_resize(m->named, m->named_count + 1, sizeof(*m->named));
	m->named[m->named_count] = (struct named){.name = mem_strdup(name)};
	return &m->named[m->named_count++];
}

static size_t bucket_index(const struct memory_ledger *m, int64_t id)
{
	for (size_t i = 0; i < m->state.bucket_count; i++)
		if (m->state.buckets[i].id == id)
			return i;
	sim_fail(m->sim, "a row names bucket %" PRId64 ", which is not there", id);
}

static void must(const struct memory_ledger *m, bool holds, const char *what)
{
	if (!holds)
		sim_fail(m->sim, "the ledger would not hold it: %s", what);
}

static struct booked_vif *booked_vif(struct memory_ledger *m, int64_t id)
{
	while ((size_t)id >= m->vif_room) {
		m->vifs = mem_resize(m->vifs, m->vif_room + 64, sizeof(*m->vifs));
		memset(m->vifs + m->vif_room, 0, 64 * sizeof(*m->vifs));
		m->vif_room += 64;
	}
	return &m->vifs[id];
}

static void count_doubts(struct memory_ledger *m, const struct ledger_epoch *e)
{
	while ((size_t)e->id >= m->doubt_room) {
		m->doubts = mem_resize(m->doubts, m->doubt_room + 64, sizeof(*m->doubts));
		memset(m->doubts + m->doubt_room, 0, 64 * sizeof(*m->doubts));
		m->doubt_room += 64;
	}
	m->doubtful += e->doubtful - m->doubts[e->id];
	m->doubts[e->id] = e->doubtful;
}

/* Of each vif that a batch is about: its takes are what its epochs say, and what they were raised by. */
static void check_vif(struct memory_ledger *m, int64_t id)
{
	const struct booked_vif *v = booked_vif(m, id);

	for (int d = 0; d < DIR_COUNT; d++) {
		uint64_t sum = v->closed[d] + v->estimated[d];

		for (size_t i = 0; i < m->state.epoch_count; i++)
			if (m->state.epochs[i].vif == id)
				sum += m->state.epochs[i].total[d];
		if (v->takes[d] != sum)
			sim_fail(m->sim, "vif %" PRId64 ": its takes have %" PRIu64 ", its epochs %" PRIu64,
				 id, v->takes[d], sum);
	}
}

static void put_buckets(struct memory_ledger *m, const struct ledger_batch *b)
{
	struct ledger_state *s = &m->state;

	for (size_t i = 0; i < b->bucket_count; i++) {
		s->buckets = mem_resize(s->buckets, s->bucket_count + 1, sizeof(*s->buckets));
		m->booked = mem_resize(m->booked, s->bucket_count + 1, sizeof(*m->booked));
		m->booked[s->bucket_count] = (struct class_bytes){0};
		s->buckets[s->bucket_count++] =
			(struct ledger_bucket){.id = b->buckets[i]->id, .by_ip = b->buckets[i]->by_ip};
		must(m, b->buckets[i]->id > s->last_bucket, "a bucket's id is higher than all before");
		s->last_bucket = b->buckets[i]->id;
	}
	for (size_t i = 0; i < b->label_count; i++) {
		for (size_t k = 0; k < s->bucket_count; k++) /* a label names one bucket at a time */
			must(m,
			     !s->buckets[k].label || s->buckets[k].id == b->labels[i]->bucket ||
				     strcmp(s->buckets[k].label, b->labels[i]->label) != 0,
			     "a label names one bucket");
		mem_replace(&s->buckets[bucket_index(m, b->labels[i]->bucket)].label, b->labels[i]->label);
	}
	for (size_t i = 0; i < b->uuid_count; i++) {
		s->uuids = mem_resize(s->uuids, s->uuid_count + 1, sizeof(*s->uuids));
		s->uuids[s->uuid_count++] =
			(struct ledger_uuid){mem_strdup(b->uuids[i]->uuid), b->uuids[i]->bucket};
	}
}

static void put_vif(struct memory_ledger *m, const struct ledger_vif *v)
{
	struct ledger_state *s = &m->state;
	size_t i = 0;

	while (i < s->vif_count && s->vifs[i].id != v->id)
		i++;
	if (i == s->vif_count) {
		s->vifs = mem_resize(s->vifs, ++s->vif_count, sizeof(*s->vifs));
	} else {
		ledger_vif_clear(&s->vifs[i]);
	}
	s->vifs[i] = ledger_vif_copy(v);
	if (v->id > s->last_vif)
		s->last_vif = v->id;
	if (v->gone) { /* a state holds only those that are there */
		ledger_vif_clear(&s->vifs[i]);
		memmove(s->vifs + i, s->vifs + i + 1, (s->vif_count - i - 1) * sizeof(*s->vifs));
		s->vif_count--;
	}
}

static void put_epoch(struct memory_ledger *m, const struct ledger_epoch *e)
{
	struct ledger_state *s = &m->state;
	size_t i = 0;

	while (i < s->epoch_count && s->epochs[i].id != e->id)
		i++;
	if (i == s->epoch_count)
		s->epochs = mem_resize(s->epochs, ++s->epoch_count, sizeof(*s->epochs));
	else
		ledger_epoch_clear(&s->epochs[i]);
	s->epochs[i] = ledger_epoch_copy(e);
	count_doubts(m, e);
	if (e->id > s->last_epoch)
		s->last_epoch = e->id;
	if (e->closed) {
		for (int d = 0; d < DIR_COUNT; d++)
			booked_vif(m, e->vif)->closed[d] += e->total[d];
		ledger_epoch_clear(&s->epochs[i]);
		memmove(s->epochs + i, s->epochs + i + 1, (s->epoch_count - i - 1) * sizeof(*s->epochs));
		s->epoch_count--;
	}
}

static void put_take(struct memory_ledger *m, const struct ledger_take *t)
{
	struct booked_vif *v;

	must(m, t->seq == m->state.last_seq + 1, "sequences follow each other");
	must(m, t->slot >= m->last_slot && t->slot % SLOT_SECONDS == 0, "slots never run back");
	must(m, t->from_time <= t->to_time, "a take begins before it ends");
	m->state.last_seq = t->seq;
	m->last_slot = t->slot;
	class_bytes_add(&m->booked[bucket_index(m, t->bucket)], &t->classes);
	class_bytes_add(&named(m, t->address)->booked, &t->classes);
	m->spoofed += t->spoofed;
	must(m, t->spoofed <= class_bytes_total(&t->classes, DIR_OUTPUT), "what is spoofed is booked");
	v = booked_vif(m, t->vif);
	for (int d = 0; d < DIR_COUNT; d++) {
		for (int c = 0; c < CLASS_COUNT; c++)
			must(m, t->classes.bytes[d][c] <= INT64_MAX, "no class is negative");
		v->takes[d] += class_bytes_total(&t->classes, d);
		v->estimated[d] +=
			t->estimated[d]; /* in the vif's own take, whichever address has the bytes */
		m->clipped += t->clipped[d];
		m->estimated[d] += t->estimated[d];
	}
}

static void put_baseline(struct memory_ledger *m, const char *boot, const struct ledger_baseline *b)
{
	struct ledger_state *s = &m->state;
	size_t i = 0;

	while (i < s->baseline_count &&
	       (s->baselines[i].ifindex != b->ifindex || strcmp(m->baseline_boots[i], boot) != 0))
		i++;
	if (i == s->baseline_count) {
		s->baselines = mem_resize(s->baselines, i + 1, sizeof(*s->baselines));
		m->baseline_boots = mem_resize(m->baseline_boots, i + 1, sizeof(*m->baseline_boots));
		m->baseline_boots[i] = mem_strdup(boot);
		s->baseline_count++;
	}
	s->baselines[i] = *b;
	if (b->gone) {
		free(m->baseline_boots[i]);
		s->baselines[i] = s->baselines[--s->baseline_count];
		m->baseline_boots[i] = m->baseline_boots[s->baseline_count];
	}
}

void memory_ledger_commit(struct memory_ledger *m, const char *boot, const struct ledger_batch *b)
{
	put_buckets(m, b);
	for (size_t i = 0; i < b->vif_count; i++)
		put_vif(m, b->vifs[i]);
	for (size_t i = 0; i < b->epoch_count; i++)
		put_epoch(m, b->epochs[i]);
	for (size_t i = 0; i < b->take_count; i++)
		put_take(m, b->takes[i]);
	for (size_t i = 0; i < b->event_count; i++)
		named(m, b->events[i]->kind)->events++;
	for (size_t i = 0; i < b->baseline_count; i++)
		put_baseline(m, boot, b->baselines[i]);
	must(m, b->open_slot >= m->state.open_slot && b->now >= m->state.last_seen, "time goes on");
	for (size_t i = 0; i < b->take_count; i++)
		check_vif(m, b->takes[i]->vif);
	for (size_t i = 0; i < b->epoch_count; i++)
		check_vif(m, b->epochs[i]->vif);
	m->state.open_slot = b->open_slot;
	m->state.last_seen = b->now;
	m->state.position = b->position;
	m->state.first_run = false;
}

struct ledger_state memory_ledger_state(const struct memory_ledger *m, const char *boot)
{
	struct ledger_state s = m->state;

	s.buckets = mem_array(s.bucket_count, sizeof(*s.buckets));
	for (size_t i = 0; i < s.bucket_count; i++) {
		s.buckets[i] = m->state.buckets[i];
		s.buckets[i].label = mem_strdup(m->state.buckets[i].label);
	}
	s.uuids = mem_array(s.uuid_count, sizeof(*s.uuids));
	for (size_t i = 0; i < s.uuid_count; i++)
		s.uuids[i] =
			(struct ledger_uuid){mem_strdup(m->state.uuids[i].uuid), m->state.uuids[i].bucket};
	s.vifs = mem_array(s.vif_count, sizeof(*s.vifs));
	for (size_t i = 0; i < s.vif_count; i++)
		s.vifs[i] = ledger_vif_copy(&m->state.vifs[i]);
	s.epochs = mem_array(s.epoch_count, sizeof(*s.epochs));
	for (size_t i = 0; i < s.epoch_count; i++)
		s.epochs[i] = ledger_epoch_copy(&m->state.epochs[i]);
	s.baselines = mem_array(s.baseline_count, sizeof(*s.baselines));
	s.baseline_count = 0;
	for (size_t i = 0; i < m->state.baseline_count; i++)
		if (strcmp(m->baseline_boots[i], boot) == 0)
			s.baselines[s.baseline_count++] = m->state.baselines[i];
	return s;
}

void memory_ledger_booked(const struct memory_ledger *m, const char *uuid, struct class_bytes *booked)
{
	*booked = (struct class_bytes){0};
	for (size_t i = 0; i < m->state.uuid_count; i++)
		if (strcmp(m->state.uuids[i].uuid, uuid) == 0)
			*booked = m->booked[bucket_index(m, m->state.uuids[i].bucket)];
}

uint64_t memory_ledger_estimated(const struct memory_ledger *m, enum direction dir)
{
	return m->estimated[dir];
}

uint64_t memory_ledger_clipped(const struct memory_ledger *m)
{
	return m->clipped;
}

void memory_ledger_booked_at(struct memory_ledger *m, const char *address, struct class_bytes *booked)
{
	*booked = named(m, address)->booked;
}

uint64_t memory_ledger_spoofed(const struct memory_ledger *m)
{
	return m->spoofed;
}

unsigned memory_ledger_events(struct memory_ledger *m, const char *kind)
{
	return named(m, kind)->events;
}

unsigned memory_ledger_doubts(const struct memory_ledger *m)
{
	return m->doubtful;
}
