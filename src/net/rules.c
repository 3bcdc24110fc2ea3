/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "net/rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/netset.h"
#include "net/rule_flags.h"

struct rules {
	struct netset *lists;
	uint8_t mask[4];
	bool own_in_ournet; /* local, direct and peer are for own addresses in ournet only */
};

struct rules *rules_new(const struct conf *c)
{
	struct rules *r = mem_alloc(sizeof(*r));

	r->lists = netset_new();
	netset_add(r->lists, &c->ignorenet, RULE_IGNORE);
	netset_add(r->lists, &c->dontignore, RULE_DONTIGNORE);
	netset_add(r->lists, &c->ournet, RULE_OURNET);
	netset_add(r->lists, &c->direct_peer, RULE_DIRECT);
	netset_add(r->lists, &c->peer, RULE_PEER);
	netset_build(r->lists);
	memcpy(r->mask, c->ignoremask.address + 12, sizeof(r->mask));
	r->own_in_ournet = c->kind == CONF_NACCTTAB;
	return r;
}

struct prefixes rules_prefixes(const struct conf *c)
{
	struct prefixes p = {0};

	prefixes_add(&p, &c->ignorenet, RULE_IGNORE);
	prefixes_add(&p, &c->dontignore, RULE_DONTIGNORE);
	prefixes_add(&p, &c->ournet, RULE_OURNET);
	prefixes_add(&p, &c->direct_peer, RULE_DIRECT);
	prefixes_add(&p, &c->peer, RULE_PEER);
	prefixes_build(&p);
	return p;
}

void rules_free(struct rules *r)
{
	if (!r)
		return;
	netset_free(r->lists);
	free(r);
}

/* ignoremask: the ends do not differ in any bit of it. The mask is IPv4's and may have holes. */
static bool same_end(const struct rules *r, const uint8_t a[16], const uint8_t b[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	unsigned differ = 0;

	if (memcmp(a, b, sizeof(mapped)) != 0)
		return false;
	if (memcmp(a, mapped, sizeof(mapped)) != 0)
		return memcmp(a + 12, b + 12, 4) == 0;
	for (int i = 0; i < 4; i++)
		differ |= (a[12 + i] ^ b[12 + i]) & r->mask[i];
	return differ == 0;
}

enum byte_class rules_class(const struct rules *r, const uint8_t *own, const uint8_t remote[16])
{
	unsigned own_in, remote_in;

	if (own && same_end(r, own, remote))
		return CLASS_IGNORED;
	own_in = own ? netset_flags(r->lists, own) : 0;
	remote_in = netset_flags(r->lists, remote);
	return rule_flags_class(own_in, remote_in, own && r->own_in_ournet);
}
