/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/devices.h"

#include "base/mem.h"

static struct capture_device of_uplink(const struct account *a, const struct links *links,
				       const struct uplinks *uplinks, unsigned ifindex)
{
	const struct link *link = links_find(links, ifindex);
	struct capture_device d = {.ifindex = ifindex, .flags = CAPTURE_UPLINK};

	if (link && link->master)
		d.vif = account_vif_of(a, link->master);
	if (link && uplinks_see_below(uplinks, link))
		d.flags |= CAPTURE_BELOW;
	return d;
}

/* `out`: the bridges that an uplink is in. */
static struct capture_device of_vif(const struct links *links, const struct uplinks *out,
				    const struct ledger_epoch *e)
{
	const struct link *link = links_find(links, e->ifindex);
	struct capture_device d = {.ifindex = e->ifindex, .vif = e->vif};

	if (!link || link->kind != DEVICE_BRIDGE)
		return d;
	d.flags = CAPTURE_BRIDGE;
	if (!uplinks_have(out, e->ifindex))
		d.flags |= CAPTURE_INSIDE;
	return d;
}

struct capture_device *devices_make(const struct account *a, const struct links *links,
				    const struct uplinks *uplinks, size_t *count)
{
	const struct ledger_epoch *e;
	struct capture_device *list;
	struct uplinks out = uplinks_bridges(uplinks, links);
	size_t room = uplinks->count + 1;

	for (e = NULL; (e = account_next_epoch(a, e));)
		room++;
	list = mem_array(room, sizeof(*list));
	*count = 0;
	for (size_t i = 0; i < uplinks->count; i++)
		list[(*count)++] = of_uplink(a, links, uplinks, uplinks->list[i]);
	for (e = NULL; (e = account_next_epoch(a, e));)
		if (!uplinks_have(uplinks, e->ifindex))
			list[(*count)++] = of_vif(links, &out, e);
	uplinks_free(&out);
	return list;
}
