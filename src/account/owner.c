/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/owner.h"

#include <stdlib.h>
#include <string.h>

#include "account/bucket.h"
#include "base/mem.h"

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

static bool is_called(const char *name, const char *owner)
{
	return name && strcmp(name, owner) == 0;
}

/* A vif with a name of its own is never called vifD.V: another one's name might look so. */
static bool names_match(const struct owner_names *n, const char *owner)
{
	char *plain;
	bool match;

	if (is_called(n->mac, owner) || is_called(n->vifname, owner) || is_called(n->netdev, owner) ||
	    (n->domain && bucket_is_called(n->domain, owner)))
		return true;
	if (n->vifname)
		return false;
	plain = mem_printf("vif%u.%u", n->domid, n->devid);
	match = strcmp(plain, owner) == 0;
	free(plain);
	return match;
}

static void add(struct candidates *c, const struct network *network, bool by_line)
{
	for (size_t i = 0; i < c->count; i++)
		if (same_address(&c->list[i].network, network))
			return;
	c->list = mem_resize(c->list, c->count + 1, sizeof(*c->list));
	c->list[c->count++] = (struct candidate){*network, by_line};
}

static void add_lines(struct candidates *c, const struct conf_addresses *lines,
		      const struct owner_names *names)
{
	for (size_t i = 0; lines && i < lines->count; i++)
		if (names_match(names, lines->list[i].owner))
			add(c, &lines->list[i].network, true);
}

static bool has_line(const struct conf_addresses *lines, const struct network *address)
{
	for (size_t i = 0; lines && i < lines->count; i++)
		if (same_address(&lines->list[i].network, address))
			return true;
	return false;
}

/* What the toolstack gave it, less what a line gives: to this vif, which has it then, or to another. */
static void add_toolstack(struct candidates *c, const struct conf_addresses *lines, const char *toolstack)
{
	const char *word = toolstack ? toolstack : "";

	while (*(word += strspn(word, " "))) {
		size_t length = strcspn(word, " ");
		char *text = mem_strndup(word, length);
		struct network address;

		if (network_address(text, &address) && !has_line(lines, &address))
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

struct owner_address owner_choose(const struct owner_rules *rules, const struct owner_names *names,
				  const char *toolstack)
{
	struct owner_address chosen = {0};
	struct candidates c = {0};

	add_lines(&c, rules->lines, names);
	add_toolstack(&c, rules->lines, toolstack);
	chosen.sole = c.count == 1;
	for (size_t i = 0; i < c.count; i++)
		networks_add(&chosen.all, &c.list[i].network);
	prefer_compactnet(&c, rules->compactnet);
	if (c.count) {
		chosen.text = network_text(&c.list[0].network);
		/* a single line among them is the admin's choice */
		chosen.ambiguous = c.count > 1 && (!c.list[0].by_line || c.list[1].by_line);
	}
	free(c.list);
	return chosen;
}
