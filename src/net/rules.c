/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "net/rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/netset.h"

enum { IGNORE = 1, DONTIGNORE = 2, OURNET = 4, DIRECT = 8, PEER = 16 };

struct rules {
	struct netset *lists;
	uint8_t mask[4];
	bool own_in_ournet; /* local, direct and peer are for own addresses in ournet only */
};

struct rules *rules_new(const struct conf *c)
{
	struct rules *r = mem_alloc(sizeof(*r));

	r->lists = netset_new();
	netset_add(r->lists, &c->ignorenet, IGNORE);
	netset_add(r->lists, &c->dontignore, DONTIGNORE);
	netset_add(r->lists, &c->ournet, OURNET);
	netset_add(r->lists, &c->direct_peer, DIRECT);
	netset_add(r->lists, &c->peer, PEER);
	netset_build(r->lists);
	memcpy(r->mask, c->ignoremask.address + 12, sizeof(r->mask));
	r->own_in_ournet = c->kind == CONF_NACCTTAB;
	return r;
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
	if ((own_in | remote_in) & IGNORE && !((own_in | remote_in) & DONTIGNORE))
		return CLASS_IGNORED;
	if (own && r->own_in_ournet && !(own_in & OURNET))
		return CLASS_EXTERNAL;
	if (remote_in & OURNET)
		return CLASS_LOCAL;
	if (remote_in & DIRECT)
		return CLASS_DIRECT;
	return remote_in & PEER ? CLASS_PEER : CLASS_EXTERNAL;
}
