/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/owner.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "account/bucket.h"
#include "base/mem.h"

/* In the array they have the order of the lines. */
struct line {
	const struct conf_address *said;
	struct line *next; /* of the same owner */
	struct line *last; /* of the same owner; the first one has it */
	UT_hash_handle by_owner, by_address;
};

struct owners {
	const struct networks *compactnet;
	struct line *lines;
	struct line *by_owner; /* of each the first line */
	struct line *by_address;
};

/* How many names a vif can have: see lines_of_vif. */
enum { NAMES = 5 };

/* An address that is the vif's. */
struct candidate {
	struct network network;
	bool by_line;
};

struct candidates {
	struct candidate *list;
	size_t count;
};

static bool same_address(const struct network *a, const struct network *b)
{
	return memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

/* ---- the lines ---- */

static void append(struct owners *o, struct line *line)
{
	const char *owner = line->said->owner;
	const uint8_t *address = line->said->network.address;
	struct line *first;

	HASH_FIND(by_owner, o->by_owner, owner, strlen(owner), first);
	if (first) {
		first->last->next = line;
		first->last = line;
	} else {
		line->last = line;
		HASH_ADD_KEYPTR(by_owner, o->by_owner, owner, strlen(owner), line);
	}
	HASH_ADD_KEYPTR(by_address, o->by_address, address, sizeof(line->said->network.address), line);
}

struct owners *owners_new(const struct owner_rules *rules)
{
	struct owners *o = mem_alloc(sizeof(*o));
	size_t count = rules->lines ? rules->lines->count : 0;

	o->compactnet = rules->compactnet;
	o->lines = mem_array(count, sizeof(*o->lines));
	for (size_t i = 0; i < count; i++) {
		o->lines[i].said = &rules->lines->list[i];
		append(o, &o->lines[i]);
	}
	return o;
}

void owners_free(struct owners *o)
{
	if (!o)
		return;
	HASH_CLEAR(by_owner, o->by_owner);
	HASH_CLEAR(by_address, o->by_address);
	free(o->lines);
	free(o);
}

static const struct line *lines_of(const struct owners *o, const char *name, size_t length)
{
	const struct line *first;

	HASH_FIND(by_owner, o->by_owner, name, length, first);
	return first;
}

static const struct line *lines_of_text(const struct owners *o, const char *name)
{
	return name ? lines_of(o, name, strlen(name)) : NULL;
}

/* Under each of the vif's names the first line. One with a name of its own is never called vifD.V: another
 * one's name might look so. */
static void lines_of_vif(const struct owners *o, const struct owner_names *n,
			 const struct line *first[static NAMES])
{
	char *plain = n->vifname ? NULL : mem_printf("vif%u.%u", n->domid, n->devid);

	first[0] = n->domain ? lines_of(o, n->domain, bucket_own_length(n->domain)) : NULL;
	first[1] = lines_of_text(o, n->mac);
	first[2] = lines_of_text(o, n->vifname);
	first[3] = lines_of_text(o, n->netdev);
	first[4] = lines_of_text(o, plain);
	free(plain);
}

/* Takes the first of all lines that are left; where two names are the same, from both. */
static const struct line *take_line(const struct line *left[static NAMES])
{
	const struct line *first = NULL;

	for (int i = 0; i < NAMES; i++)
		if (left[i] && (!first || left[i] < first))
			first = left[i];
	for (int i = 0; first && i < NAMES; i++)
		if (left[i] == first)
			left[i] = first->next;
	return first;
}

/* ---- a vif's addresses ---- */

static void add(struct candidates *c, const struct network *network, bool by_line)
{
	c->list = mem_resize(c->list, c->count + 1, sizeof(*c->list));
	c->list[c->count++] = (struct candidate){*network, by_line};
}

static void add_lines(struct candidates *c, const struct owners *o, const struct owner_names *names)
{
	const struct line *left[NAMES], *line;

	if (!o->by_owner)
		return;
	lines_of_vif(o, names, left);
	while ((line = take_line(left)))
		add(c, &line->said->network, true);
}

static bool has_line(const struct owners *o, const struct network *address)
{
	const struct line *line;

	HASH_FIND(by_address, o->by_address, address->address, sizeof(address->address), line);
	return line != NULL;
}

static bool has(const struct candidates *c, const struct network *network)
{
	for (size_t i = 0; i < c->count; i++)
		if (same_address(&c->list[i].network, network))
			return true;
	return false;
}

/* What the toolstack gave it, less what a line gives: to this vif, which has it then, or to another. */
static void add_toolstack(struct candidates *c, const struct owners *o, const char *toolstack)
{
	const char *word = toolstack ? toolstack : "";

	while (*(word += strspn(word, " "))) {
		size_t length = strcspn(word, " ");
		char *text = mem_strndup(word, length);
		struct network address;

		if (network_address(text, &address) && !has_line(o, &address) && !has(c, &address))
			add(c, &address, false);
		free(text);
		word += length;
	}
}

/* Keeps those that a compactnet covers, where there are any. */
static void prefer_compactnet(struct candidates *c, const struct networks *compactnet)
{
	size_t kept = 0;

	for (size_t i = 0; compactnet && i < c->count; i++)
		if (networks_contain(compactnet, &c->list[i].network))
			c->list[kept++] = c->list[i];
	if (kept)
		c->count = kept;
}

struct owner_address owner_choose(const struct owners *o, const struct owner_names *names,
				  const char *toolstack)
{
	struct owner_address chosen = {0};
	struct candidates c = {0};

	add_lines(&c, o, names);
	add_toolstack(&c, o, toolstack);
	chosen.sole = c.count == 1;
	for (size_t i = 0; i < c.count; i++)
		networks_add(&chosen.all, &c.list[i].network);
	if (c.count > 1)
		prefer_compactnet(&c, o->compactnet);
	if (c.count) {
		chosen.text = network_text(&c.list[0].network);
		/* a single line among them is the admin's choice */
		chosen.ambiguous = c.count > 1 && (!c.list[0].by_line || c.list[1].by_line);
	}
	free(c.list);
	return chosen;
}
