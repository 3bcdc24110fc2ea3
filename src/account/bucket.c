/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/bucket.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/mem.h"

struct bucket {
	struct ledger_bucket row;
	unsigned live; /* domains attached to it */
	struct bucket *next_new;
	UT_hash_handle by_id, by_label;
};

struct known_uuid {
	struct ledger_uuid row;
	struct known_uuid *next_new;
	UT_hash_handle hh;
};

struct attached {
	unsigned domid;
	struct bucket *bucket;
	char *name; /* its own; NULL: not known yet */
	bool apart; /* another domain has its uuid, too: see identity */
	UT_hash_handle hh;
};

struct label_change {
	struct ledger_label row;
	struct label_change *next;
};

struct buckets {
	struct bucket *by_id, *by_label; /* the same buckets twice */
	struct known_uuid *uuids;
	struct attached *attached;
	/* What the ledger lacks, oldest first: a host may have had very many buckets, and commits often. */
	struct bucket *new_buckets, **new_buckets_end;
	struct known_uuid *new_uuids, **new_uuids_end;
	struct label_change *changes, **changes_end; /* not in the ledger yet, oldest first */
	int64_t last_id;
};

/* Labels of addresses and of domains live side by side: the key tells them apart only by the text. */
static struct bucket *find_label(const struct buckets *b, const char *label)
{
	struct bucket *found;

	HASH_FIND(by_label, b->by_label, label, strlen(label), found);
	return found;
}

static struct bucket *find_id(const struct buckets *b, int64_t id)
{
	struct bucket *found;

	HASH_FIND(by_id, b->by_id, &id, sizeof(id), found);
	return found;
}

static struct known_uuid *find_uuid(const struct buckets *b, const char *uuid)
{
	struct known_uuid *found;

	HASH_FIND_STR(b->uuids, uuid, found);
	return found;
}

static struct attached *find_attached(const struct buckets *b, unsigned domid)
{
	struct attached *found;

	HASH_FIND(hh, b->attached, &domid, sizeof(domid), found);
	return found;
}

static void add(struct buckets *b, struct bucket *k)
{
	HASH_ADD(by_id, b->by_id, row.id, sizeof(k->row.id), k);
	HASH_ADD_KEYPTR(by_label, b->by_label, k->row.label, strlen(k->row.label), k);
	if (k->row.id > b->last_id)
		b->last_id = k->row.id;
}

static void note_label(struct buckets *b, const struct bucket *k, int64_t now)
{
	struct label_change *change = mem_alloc(sizeof(*change));

	change->row =
		(struct ledger_label){.bucket = k->row.id, .label = mem_strdup(k->row.label), .since = now};
	*b->changes_end = change;
	b->changes_end = &change->next;
}

static void relabel(struct buckets *b, struct bucket *k, const char *label, int64_t now)
{
	HASH_DELETE(by_label, b->by_label, k);
	mem_replace(&k->row.label, label);
	HASH_ADD_KEYPTR(by_label, b->by_label, k->row.label, strlen(k->row.label), k);
	note_label(b, k, now);
}

static struct bucket *create(struct buckets *b, bool by_ip, const char *label, int64_t now)
{
	struct bucket *k = mem_alloc(sizeof(*k));

	k->row = (struct ledger_bucket){.id = b->last_id + 1, .by_ip = by_ip, .label = mem_strdup(label)};
	*b->new_buckets_end = k;
	b->new_buckets_end = &k->next_new;
	add(b, k);
	note_label(b, k, now);
	return k;
}

/* NAME~2, NAME~3, …: the first that nobody has. */
static char *free_variant(const struct buckets *b, const char *name)
{
	for (unsigned n = 2;; n++) {
		char *label = mem_printf("%s~%u", name, n);

		if (!find_label(b, label))
			return label;
		free(label);
	}
}

/* Gives its label up; returns the new one, allocated. */
static char *step_aside(struct buckets *b, struct bucket *holder, int64_t now)
{
	char *label = free_variant(b, holder->row.label);

	relabel(b, holder, label, now);
	return label;
}

static bool is_dom0s(const char *name)
{
	return strcmp(name, BUCKET_DOM0_NAME) == 0;
}

static bool is_variant(const char *label, const char *name)
{
	size_t n = strlen(name);

	return strncmp(label, name, n) == 0 && label[n] == '~' && label[n + 1] != '\0' &&
	       label[n + 1 + strspn(label + n + 1, "0123456789")] == '\0';
}

struct buckets *buckets_new(const struct ledger_state *state)
{
	struct buckets *b = mem_alloc(sizeof(*b));

	b->new_buckets_end = &b->new_buckets;
	b->new_uuids_end = &b->new_uuids;
	b->changes_end = &b->changes;
	b->last_id = state->last_bucket;
	for (size_t i = 0; i < state->bucket_count; i++) {
		struct bucket *k = mem_alloc(sizeof(*k));

		k->row = state->buckets[i];
		k->row.label = mem_strdup(state->buckets[i].label);
		add(b, k);
	}
	for (size_t i = 0; i < state->uuid_count; i++) {
		struct known_uuid *u = mem_alloc(sizeof(*u));

		u->row = (struct ledger_uuid){mem_strdup(state->uuids[i].uuid), state->uuids[i].bucket};
		HASH_ADD_KEYPTR(hh, b->uuids, u->row.uuid, strlen(u->row.uuid), u);
	}
	return b;
}

static void free_changes(struct buckets *b)
{
	while (b->changes) {
		struct label_change *next = b->changes->next;

		free(b->changes->row.label);
		free(b->changes);
		b->changes = next;
	}
	b->changes_end = &b->changes;
}

void buckets_free(struct buckets *b)
{
	struct bucket *k, *k_next;
	struct known_uuid *u, *u_next;
	struct attached *a, *a_next;

	if (!b)
		return;
	HASH_CLEAR(by_label, b->by_label);
	HASH_ITER (by_id, b->by_id, k, k_next) {
		HASH_DELETE(by_id, b->by_id, k);
		free(k->row.label);
		free(k);
	}
	HASH_ITER (hh, b->uuids, u, u_next) {
		HASH_DEL(b->uuids, u);
		free(u->row.uuid);
		free(u);
	}
	HASH_ITER (hh, b->attached, a, a_next) {
		HASH_DEL(b->attached, a);
		free(a->name);
		free(a);
	}
	free_changes(b);
	free(b);
}

size_t bucket_own_length(const char *name)
{
	static const char *const suffixes[] = {"--incoming", "--migratedaway"};
	size_t n = strlen(name);

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		size_t s = strlen(suffixes[i]);

		if (n > s && strcmp(name + n - s, suffixes[i]) == 0)
			return n - s;
	}
	return n;
}

/* *provisional tells that it is not the domain's own. */
static char *own_name(unsigned domid, const char *name, bool *provisional)
{
	size_t n = name ? bucket_own_length(name) : 0;

	*provisional = n == 0 || name[n] != '\0';
	return n ? mem_strndup(name, n) : mem_printf("domain-%u", domid);
}

static void remember_uuid(struct buckets *b, const char *uuid, int64_t bucket)
{
	struct known_uuid *u = mem_alloc(sizeof(*u));

	u->row = (struct ledger_uuid){mem_strdup(uuid), bucket};
	*b->new_uuids_end = u;
	b->new_uuids_end = &u->next_new;
	HASH_ADD_KEYPTR(hh, b->uuids, u->row.uuid, strlen(u->row.uuid), u);
}

static char *label_taken(const char *name, const char *label, bool reserved)
{
	return mem_printf("the label %s is %s: this domain is charged to bucket %s; rename %s", name,
			  reserved ? "dom0's own" : "in use", label, reserved ? "it" : "one of them");
}

/* A domain whose bucket is known is called `name` now: its label follows, unless a live domain has that
 * label. */
static void follow_name(struct buckets *b, struct bucket *k, unsigned domid, const char *name, int64_t now,
			char **warning)
{
	struct bucket *holder = find_label(b, name);
	bool reserved = domid != 0 && is_dom0s(name);
	char *label;

	if (holder == k && !reserved)
		return;
	if (!holder && !reserved) {
		relabel(b, k, name, now);
		return;
	}
	if (is_variant(k->row.label, name)) /* settled before: labels do not swing to and fro */
		return;
	if (!reserved && holder->live == 0 && !holder->row.by_ip) { /* its owner is gone: it steps aside */
		label = step_aside(b, holder, now);
		relabel(b, k, name, now);
		*warning = mem_printf(
			"domain %s takes over the label of another domain that is gone; that one's bytes "
			"are shown as %s from now on",
			name, label);
		free(label);
		return;
	}
	label = free_variant(b, name);
	relabel(b, k, label, now);
	if (reserved || holder->row.by_ip)
		*warning = label_taken(name, label, reserved);
	else
		*warning = mem_printf(
			"two live domains are called %s: the second is charged to bucket %s; rename one of "
			"them",
			name, label);
	free(label);
}

/* nameless: `name` was made from the domid, which says nothing about who was called so before. */
static struct bucket *new_of_domain(struct buckets *b, unsigned domid, const char *name, bool nameless,
				    int64_t now, char **warning)
{
	struct bucket *holder = find_label(b, name), *k;
	bool reserved = domid != 0 && is_dom0s(name);
	char *label;

	if (holder && domid == 0) {
		free(step_aside(b, holder, now));
		holder = NULL;
	}
	if (!holder && !reserved)
		return create(b, false, name, now);
	if (!reserved && holder->live == 0 && !holder->row.by_ip && !nameless)
		return holder;
	label = free_variant(b, name);
	k = create(b, false, label, now);
	if (!nameless)
		*warning = label_taken(name, label, reserved);
	free(label);
	return k;
}

static struct attached *attach(struct buckets *b, unsigned domid, struct bucket *k)
{
	struct attached *a = mem_alloc(sizeof(*a));

	a->domid = domid;
	a->bucket = k;
	k->live++;
	HASH_ADD(hh, b->attached, domid, sizeof(a->domid), a);
	return a;
}

/* ---- two domains of one uuid: of a configuration that was copied with it ---- */

/* Another live domain that has this bucket and is called otherwise. One that migrates is there twice for a
 * while, under one name of its own. */
static const struct attached *find_twin(const struct buckets *b, const struct bucket *k, unsigned domid,
					const char *own)
{
	if (!k || k->live == 0)
		return NULL;
	for (const struct attached *a = b->attached; a; a = a->hh.next)
		if (a->bucket == k && a->domid != domid && a->name && strcmp(a->name, own) != 0)
			return a;
	return NULL;
}

static char *uuid_and_name(const char *uuid, const char *own)
{
	return mem_printf("%s %s", uuid, own);
}

/* Of a uuid that is known: the live domain that has its bucket, where this one is not it. */
static const struct attached *holder_of(const struct buckets *b, const char *uuid, unsigned domid,
					const char *own)
{
	const struct known_uuid *u = find_uuid(b, uuid);

	return u ? find_twin(b, find_id(b, u->row.bucket), domid, own) : NULL;
}

/* It is charged to the bucket of this uuid, under its name: a new name changes nothing in that. */
static bool is_settled(const struct buckets *b, const struct attached *a, const char *uuid)
{
	const struct known_uuid *u = find_uuid(b, uuid);

	return a && a->name && !a->apart && u && u->row.bucket == a->bucket->row.id;
}

/* What a domain is known by, allocated: its uuid, or uuid and name where it was found that another domain has
 * that uuid, too: whichever of them is started first, each goes on in its own bucket. NULL: by nothing. */
static char *identity(const struct buckets *b, const struct attached *a, const char *uuid, const char *own,
		      bool named)
{
	char *both;

	if (!uuid || (!named && a && a->apart))
		return NULL;
	both = uuid_and_name(uuid, own);
	if (named && !is_settled(b, a, uuid) && ((a && a->apart) || find_uuid(b, both)))
		return both;
	free(both);
	return mem_strdup(uuid);
}

static char *tell_twin(const char *uuid, const struct attached *twin, const char *label)
{
	return mem_printf("its uuid %s is the uuid of the live domain %s, too: this domain is charged to a "
			  "bucket of its own, %s; take the line `uuid` out of the configuration of one of "
			  "them",
			  uuid, twin->name, label);
}

/* Another domain has its uuid, and that one's bucket is not for it. */
static struct bucket *part(struct buckets *b, const struct attached *twin, unsigned domid, const char *uuid,
			   const char *own, int64_t now, char **warning)
{
	char *both = uuid_and_name(uuid, own);
	struct bucket *k = new_of_domain(b, domid, own, false, now, warning);

	free(*warning);
	*warning = tell_twin(uuid, twin, k->row.label);
	remember_uuid(b, both, k->row.id);
	free(both);
	return k;
}

/* ---- which bucket ---- */

int64_t buckets_of_domain(struct buckets *b, unsigned domid, const char *uuid, const char *name, int64_t now,
			  char **warning)
{
	struct attached *a = find_attached(b, domid);
	const struct attached *twin = NULL;
	struct known_uuid *u = NULL;
	struct bucket *k;
	bool provisional, named = name && *name;
	char *own = own_name(domid, name, &provisional), *known_by;

	*warning = NULL;
	if (uuid && domid != 0 && strcmp(uuid, BUCKET_DOM0_UUID) == 0)
		uuid = NULL;
	known_by = identity(b, a, uuid, own, named);
	if (known_by)
		u = find_uuid(b, known_by);
	if (u && named && strcmp(known_by, uuid) == 0 && !is_settled(b, a, uuid))
		twin = holder_of(b, uuid, domid, own);
	if (a && !a->apart &&
	    (twin || (u && u->row.bucket != a->bucket->row.id && find_id(b, u->row.bucket)))) {
		buckets_release(b, domid); /* its uuid, or its name, was not known before */
		a = NULL;
	}
	if (a)
		k = a->bucket;
	else if (twin)
		k = part(b, twin, domid, uuid, own, now, warning);
	else if (u && find_id(b, u->row.bucket))
		k = find_id(b, u->row.bucket);
	else
		k = new_of_domain(b, domid, own, !named, now, warning);
	if (!a)
		a = attach(b, domid, k);
	a->apart |= twin || (known_by && strcmp(known_by, uuid) != 0);
	if (named)
		mem_replace(&a->name, own);
	if (known_by && !u)
		remember_uuid(b, known_by, k->row.id);
	if (!provisional && !*warning && !find_twin(b, k, domid, own))
		follow_name(b, k, domid, own, now, warning);
	free(known_by);
	free(own);
	return k->row.id;
}

void buckets_attach(struct buckets *b, unsigned domid, int64_t bucket, const char *uuid, const char *name)
{
	struct bucket *k = find_id(b, bucket);
	struct attached *a = find_attached(b, domid);
	char *both;

	if (!k || k->row.by_ip || a)
		return;
	a = attach(b, domid, k);
	if (!name || !*name)
		return;
	a->name = mem_strndup(name, bucket_own_length(name));
	if (!uuid)
		return;
	both = uuid_and_name(uuid, a->name);
	a->apart = find_uuid(b, both) != NULL;
	free(both);
}

void buckets_release(struct buckets *b, unsigned domid)
{
	struct attached *a = find_attached(b, domid);

	if (!a)
		return;
	a->bucket->live--;
	HASH_DEL(b->attached, a);
	free(a->name);
	free(a);
}

bool buckets_know(const struct buckets *b, unsigned domid, const char *uuid, const char *name)
{
	bool provisional, named = name && *name;
	char *own = own_name(domid, name, &provisional), *both = uuid_and_name(uuid, own);
	bool known = find_uuid(b, both) || (find_uuid(b, uuid) && !(named && holder_of(b, uuid, domid, own)));

	free(both);
	free(own);
	return known;
}

bool buckets_is_idle(const struct buckets *b, int64_t id)
{
	const struct bucket *k = find_id(b, id);

	return !k || k->live == 0;
}

void buckets_forget(struct buckets *b, int64_t id)
{
	struct bucket *k = find_id(b, id);

	if (!k || k->live)
		return;
	HASH_DELETE(by_label, b->by_label, k);
	HASH_DELETE(by_id, b->by_id, k);
	free(k->row.label);
	free(k);
}

void buckets_forget_uuid(struct buckets *b, const char *uuid)
{
	struct known_uuid *u = find_uuid(b, uuid);

	if (!u)
		return;
	HASH_DEL(b->uuids, u);
	free(u->row.uuid);
	free(u);
}

int64_t buckets_of_address(struct buckets *b, const char *address, int64_t now)
{
	struct bucket *k = find_label(b, address);

	if (k && !k->row.by_ip) { /* a domain called like an address: its label steps aside */
		free(step_aside(b, k, now));
		k = NULL;
	}
	return (k ? k : create(b, true, address, now))->row.id;
}

const char *buckets_label(const struct buckets *b, int64_t id)
{
	const struct bucket *k = find_id(b, id);

	return k ? k->row.label : NULL;
}

void buckets_batch(const struct buckets *b, struct ledger_batch *batch)
{
	for (const struct bucket *k = b->new_buckets; k; k = k->next_new)
		batch->bucket_count++;
	batch->buckets = mem_array(batch->bucket_count, sizeof(*batch->buckets));
	batch->bucket_count = 0;
	for (const struct bucket *k = b->new_buckets; k; k = k->next_new)
		batch->buckets[batch->bucket_count++] = &k->row;
	for (const struct known_uuid *u = b->new_uuids; u; u = u->next_new)
		batch->uuid_count++;
	batch->uuids = mem_array(batch->uuid_count, sizeof(*batch->uuids));
	batch->uuid_count = 0;
	for (const struct known_uuid *u = b->new_uuids; u; u = u->next_new)
		batch->uuids[batch->uuid_count++] = &u->row;
	for (const struct label_change *c = b->changes; c; c = c->next)
		batch->label_count++;
	batch->labels = mem_array(batch->label_count, sizeof(*batch->labels));
	batch->label_count = 0;
	for (const struct label_change *c = b->changes; c; c = c->next)
		batch->labels[batch->label_count++] = &c->row;
}

void buckets_committed(struct buckets *b)
{
	struct bucket *k;
	struct known_uuid *u;

	while ((k = b->new_buckets)) {
		b->new_buckets = k->next_new;
		k->next_new = NULL;
	}
	while ((u = b->new_uuids)) {
		b->new_uuids = u->next_new;
		u->next_new = NULL;
	}
	b->new_buckets_end = &b->new_buckets;
	b->new_uuids_end = &b->new_uuids;
	free_changes(b);
}
