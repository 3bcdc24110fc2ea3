/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/roster.h"

#include <ifaddrs.h>
#include <netinet/ether.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

static void add(struct roster *r, const struct capture_vif *record)
{
	if (r->count % 64 == 0)
		r->list = mem_resize(r->list, r->count + 64, sizeof(*r->list));
	r->list[r->count++] = *record;
}

static void add_unknown(struct roster *r, int64_t vif)
{
	r->unknown = mem_resize(r->unknown, r->unknown_count + 1, sizeof(*r->unknown));
	r->unknown[r->unknown_count++] = vif;
}

/* ---- dom0 ---- */

/* dom0's own card in a bridge, 0 where no vif is in it. */
static int64_t vif_of_bridge(const struct account *a, unsigned bridge)
{
	return bridge ? account_vif_of(a, bridge) : 0;
}

static void add_host_mac(struct roster *r, int64_t vif, const struct link *link, unsigned flags)
{
	struct capture_vif record = {.vif = vif, .flags = (uint16_t)(CAPTURE_HOST | CAPTURE_HAS_MAC | flags)};

	if (!link || !link->has_mac)
		return;
	memcpy(record.mac, link->mac, sizeof(record.mac));
	add(r, &record);
	r->by_address |= vif == 0 || flags;
}

/* A VLAN of dom0's own on an uplink: its frames bear dom0's MAC, and do not cross the bridge. */
static bool is_own_vlan(const struct uplinks *uplinks, const struct link *link)
{
	return uplinks_see_below(uplinks, link) && !link->master;
}

/* The bridge that the frames of dom0's own VLAN go past; 0: the uplink is in none. */
static unsigned bridge_below(const struct links *links, const struct link *vlan)
{
	const struct link *lower = links_find(links, vlan->lower);

	return lower ? lower->master : 0;
}

static unsigned vlans_on(const struct links *links, const struct uplinks *uplinks, unsigned bridge)
{
	for (const struct link *l = NULL; (l = links_next(links, l));)
		if (is_own_vlan(uplinks, l) && bridge_below(links, l) == bridge)
			return CAPTURE_VLANS;
	return 0;
}

/* What dom0 sends by the device is seen under its MAC. */
static bool is_card(const struct links *links, const struct uplinks *uplinks, const struct link *link)
{
	return uplinks_have(uplinks, link->ifindex) || is_own_vlan(uplinks, link) ||
	       (link->kind == DEVICE_BRIDGE && uplinks_leave_bridge(uplinks, links, link->ifindex));
}

static unsigned bridge_of_card(const struct link *card)
{
	return card->kind == DEVICE_BRIDGE ? card->ifindex : card->master;
}

/* Every dom0 has link-local addresses; next to nothing is sent from them. */
static bool has_address(const struct ifaddrs *all, const struct link *link)
{
	const struct sockaddr *at;

	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		at = strcmp(i->ifa_name, link->name) == 0 ? i->ifa_addr : NULL;
		if (at && at->sa_family == AF_INET)
			return true;
		if (at && at->sa_family == AF_INET6 &&
		    !IN6_IS_ADDR_LINKLOCAL(&((const struct sockaddr_in6 *)(const void *)at)->sin6_addr))
			return true;
	}
	return false;
}

/* Does a frame with the MAC of this record not tell whether it is from this card of dom0's? Where that one is
 * nobody's it matters only if dom0 uses it, and not if its frames are known by their tags. */
static bool is_twin(const struct capture_vif *record, const struct account *a, const struct links *links,
		    const struct uplinks *uplinks, const struct ifaddrs *all, const struct link *card)
{
	int64_t vif = vif_of_bridge(a, bridge_of_card(card));

	if (!record->vif || vif == record->vif || !card->has_mac ||
	    memcmp(card->mac, record->mac, sizeof(record->mac)) != 0)
		return false;
	if (vif)
		return true;
	if (is_own_vlan(uplinks, card) && vif_of_bridge(a, bridge_below(links, card)) == record->vif)
		return false;
	return has_address(all, card);
}

/* Of two of dom0's cards with one MAC a frame does not tell which it is from: VLANs on one device have it so.
 * What is seen of it is nobody's then, or it would be booked to the wrong one. */
static void add_twins(struct roster *r, const struct account *a, const struct links *links,
		      const struct uplinks *uplinks, const struct ifaddrs *all)
{
	for (size_t i = 0; i < r->count; i++)
		for (const struct link *l = NULL; (l = links_next(links, l));)
			if (is_card(links, uplinks, l) && is_twin(&r->list[i], a, links, uplinks, all, l)) {
				add_unknown(r, r->list[i].vif);
				r->by_address = true;
				break;
			}
	for (size_t i = 0; i < r->count; i++)
		for (size_t k = 0; k < r->unknown_count; k++)
			if (r->list[i].vif == r->unknown[k])
				r->list[i].vif = 0;
}

/* A bridge takes what is for it or for one of its ports as dom0's. That VLANs pass by is said of a vif only:
 * a VLAN beside it may be the very one that another vif with this MAC sends by. */
static void add_host(struct roster *r, const struct account *a, const struct links *links,
		     const struct uplinks *uplinks, const struct ifaddrs *all)
{
	for (const struct link *l = NULL; (l = links_next(links, l));) {
		unsigned bridge = bridge_of_card(l);
		int64_t vif = vif_of_bridge(a, bridge);

		if (is_card(links, uplinks, l))
			add_host_mac(r, vif, l, vif ? vlans_on(links, uplinks, bridge) : 0);
	}
	add_twins(r, a, links, uplinks, all);
}

static bool address_of(const struct sockaddr *from, uint8_t out[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (from && from->sa_family == AF_INET) {
		memcpy(out, mapped, sizeof(mapped));
		memcpy(out + 12, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
		return true;
	}
	if (from && from->sa_family == AF_INET6) {
		memcpy(out, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, 16);
		return true;
	}
	return false;
}

/* Where guests are routed, or nobody counts what dom0 sends, its own traffic is told by its addresses: a
 * guest can send under dom0's MAC. */
static void add_host_addresses(struct roster *r, const struct ifaddrs *all)
{
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		struct capture_vif record = {.flags = CAPTURE_HOST | CAPTURE_HAS_ADDRESS};

		if (address_of(i->ifa_addr, record.address))
			add(r, &record);
	}
}

static struct ifaddrs *read_host_addresses(void)
{
	struct ifaddrs *all;

	if (getifaddrs(&all) == 0)
		return all;
	log_warn("cannot read dom0's addresses: what it sends itself may look like a guest's with a "
		 "wrong address");
	return NULL;
}

/* ---- vifs ---- */

/* Its frames do not reach an uplink as they are: it is in no bridge, or in one without an uplink. What a
 * bridge is that is not the kernel's own (Open vSwitch) is not known: it is taken to lead out. */
static bool is_routed(const struct ledger_vif *row, const struct links *links, const struct uplinks *uplinks)
{
	const struct link *bridge = row->bridge ? links_named(links, row->bridge) : NULL;

	if (!row->bridge)
		return true;
	return bridge && bridge->kind == DEVICE_BRIDGE &&
	       !uplinks_leave_bridge(uplinks, links, bridge->ifindex);
}

static void add_vif(struct roster *r, const struct account *a, const struct ledger_vif *row,
		    const struct links *links, const struct uplinks *uplinks)
{
	const struct networks *own = account_addresses(a, row->id);
	struct capture_vif record = {.vif = row->id};
	struct ether_addr mac;

	if (is_routed(row, links, uplinks)) {
		record.flags = CAPTURE_ROUTED;
		r->by_address = true;
	} else if (row->mac && ether_aton_r(row->mac, &mac)) {
		record.flags = CAPTURE_HAS_MAC;
		memcpy(record.mac, mac.ether_addr_octet, sizeof(record.mac));
	}
	if (!own->count && record.flags == CAPTURE_HAS_MAC)
		add(r, &record);
	if (record.flags == 0 || (record.flags == CAPTURE_ROUTED && !own->count))
		add_unknown(r, row->id);
	record.flags |= CAPTURE_HAS_ADDRESS;
	for (size_t i = 0; i < own->count && record.flags != CAPTURE_HAS_ADDRESS; i++) {
		memcpy(record.address, own->list[i].address, sizeof(record.address));
		add(r, &record);
	}
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

struct roster roster_make(const struct account *a, const struct links *links, const struct uplinks *uplinks)
{
	struct ifaddrs *all = read_host_addresses();
	struct roster r = {0};

	add_host(&r, a, links, uplinks, all);
	for (const struct ledger_vif *row = NULL; (row = account_next_vif(a, row));)
		if (row->domid != 0)
			add_vif(&r, a, row, links, uplinks);
	if (r.by_address)
		add_host_addresses(&r, all);
	if (all)
		freeifaddrs(all);
	if (r.unknown_count)
		qsort(r.unknown, r.unknown_count, sizeof(*r.unknown), by_number);
	return r;
}

void roster_free(struct roster *r)
{
	free(r->list);
	free(r->unknown);
	*r = (struct roster){0};
}

bool roster_is_unknown(const struct roster *r, int64_t vif)
{
	return r->unknown_count &&
	       bsearch(&vif, r->unknown, r->unknown_count, sizeof(*r->unknown), by_number);
}

bool roster_equal(const struct roster *a, const struct roster *b)
{
	return a->count == b->count && a->unknown_count == b->unknown_count &&
	       (!a->count || memcmp(a->list, b->list, a->count * sizeof(*a->list)) == 0) &&
	       (!a->unknown_count ||
		memcmp(a->unknown, b->unknown, a->unknown_count * sizeof(*a->unknown)) == 0);
}
