/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xen/pending.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/mem.h"

struct pending_item {
	uint64_t key;
	unsigned state_events;
	UT_hash_handle hh;
};

static uint64_t key_of(unsigned domid, unsigned devid)
{
	return (uint64_t)domid << 32 | devid;
}

static struct pending_item *find(const struct pending *p, unsigned domid, unsigned devid)
{
	uint64_t key = key_of(domid, devid);
	struct pending_item *item;

	HASH_FIND(hh, p->items, &key, sizeof(key), item);
	return item;
}

static struct pending_item *find_or_add(struct pending *p, unsigned domid, unsigned devid)
{
	struct pending_item *item = find(p, domid, devid);

	if (!item) {
		item = mem_alloc(sizeof(*item));
		item->key = key_of(domid, devid);
		HASH_ADD(hh, p->items, key, sizeof(item->key), item);
	}
	return item;
}

static void drop(struct pending *p, struct pending_item *item)
{
	HASH_DEL(p->items, item);
	free(item);
}

/* What follows `prefix` in the path: "" or "/…"; NULL where the path is neither it nor below it. */
static const char *below(const char *path, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(path, prefix, n) == 0 && (!path[n] || path[n] == '/') ? path + n : NULL;
}

/* Takes "/NUMBER" from the front of *rest. Anything else is a stray node, which nobody asked for. */
static bool take_number(const char **rest, unsigned max, unsigned *out)
{
	size_t n;

	if (**rest != '/')
		return false;
	n = strcspn(*rest + 1, "/");
	if (!value_number(*rest + 1, n, max, out))
		return false;
	*rest += 1 + n;
	return true;
}

static bool is_read(const char *node)
{
	static const char *const nodes[] = {"/state", "/mac", "/ip", "/bridge", "/vifname"};

	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
		if (strcmp(node, nodes[i]) == 0)
			return true;
	return false;
}

static void backend_event(struct pending *p, const struct snapshot *known, const char *rest)
{
	unsigned domid, devid;
	struct pending_item *item;

	if (!*rest) {
		p->backends = true;
		return;
	}
	if (!take_number(&rest, VALUE_DOMID_MAX, &domid))
		return;
	if (!*rest) {
		find_or_add(p, domid, DEVID_FOLDER);
		return;
	}
	if (!take_number(&rest, VALUE_DEVID_MAX, &devid))
		return;
	/* Of the forty events of a vif's birth most are for nodes that are none of ours. */
	if (*rest && !is_read(rest) && snapshot_vif_find(known, domid, devid))
		return;
	item = find_or_add(p, domid, devid);
	if (strcmp(rest, "/state") == 0)
		item->state_events++;
}

void pending_event(struct pending *p, const struct snapshot *known, const char *path)
{
	const char *rest;
	unsigned domid;

	if (*path == '@') {
		p->domains = true;
		return;
	}
	rest = below(path, PENDING_BACKENDS);
	if (rest) {
		backend_event(p, known, rest);
		return;
	}
	rest = below(path, PENDING_DOMAINS);
	if (rest && take_number(&rest, VALUE_DOMID_MAX, &domid))
		find_or_add(p, domid, DEVID_DOMAIN);
}

void pending_add(struct pending *p, unsigned domid, unsigned devid)
{
	find_or_add(p, domid, devid);
}

void pending_remove(struct pending *p, unsigned domid, unsigned devid)
{
	struct pending_item *item = find(p, domid, devid);

	if (item)
		drop(p, item);
}

unsigned pending_state_events(struct pending *p, unsigned domid, unsigned devid)
{
	struct pending_item *item = find(p, domid, devid);
	unsigned n = item ? item->state_events : 0;

	if (item)
		item->state_events = 0;
	return n;
}

size_t pending_count(const struct pending *p)
{
	return HASH_COUNT(p->items);
}

struct pending_key pending_take(struct pending *p)
{
	struct pending_key key = {.domid = (unsigned)(p->items->key >> 32),
				  .devid = (unsigned)p->items->key,
				  .state_events = p->items->state_events};

	drop(p, p->items);
	return key;
}

void pending_clear(struct pending *p)
{
	while (p->items)
		drop(p, p->items);
	p->domains = p->backends = false;
}
