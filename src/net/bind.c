/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "net/bind.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* A netback device says itself whose it is; then no name counts. */
static bool belongs_elsewhere(const struct link *link, const char *node)
{
	return link->nodename && strcmp(link->nodename, node) != 0;
}

static unsigned keep(const struct links *links, unsigned ifindex, const char *node)
{
	const struct link *link = ifindex ? links_find(links, ifindex) : NULL;

	return link && !belongs_elsewhere(link, node) ? ifindex : 0;
}

static unsigned named(const struct links *links, const char *name, const char *suffix, const char *node)
{
	char *full = mem_printf("%s%s", name, suffix);
	const struct link *link = links_named(links, full);

	free(full);
	return link && !belongs_elsewhere(link, node) ? link->ifindex : 0;
}

struct binding bind_vif(const struct links *links, unsigned domid, unsigned devid, const char *vifname,
			struct binding before)
{
	char *node = mem_printf("backend/vif/%u/%u", domid, devid);
	char *plain = mem_printf("vif%u.%u", domid, devid);
	const struct link *by_node = links_of_node(links, node);
	struct binding now = {.main = keep(links, before.main, node), .emu = keep(links, before.emu, node)};

	if (by_node)
		now.main = by_node->ifindex;
	if (!now.main && vifname)
		now.main = named(links, vifname, "", node);
	if (!now.main)
		now.main = named(links, plain, "", node);
	if (!now.emu && vifname)
		now.emu = named(links, vifname, "-emu", node);
	if (!now.emu)
		now.emu = named(links, plain, "-emu", node);
	if (now.emu == now.main) /* a vifname that looks like an emulated card's */
		now.emu = 0;
	free(node);
	free(plain);
	return now;
}
