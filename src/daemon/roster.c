/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/roster.h"

#include <ifaddrs.h>
#include <netinet/ether.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

/* A device by which dom0 itself sends; with a MAC. */
struct card {
	const struct link *link;
	int64_t vif;  /* of dom0's own card in its bridge; 0: nobody counts it */
	int64_t past; /* a VLAN: the vif of the bridge that its frames go past; 0: none */
};

struct making {
	const struct account *account;
	const struct links *links;
	const struct uplinks *uplinks;
	struct uplinks out; /* the bridges that an uplink is in */
	struct card *cards;
	size_t card_count;
	int64_t *passed; /* vifs that a VLAN of dom0's goes past; ascending */
	size_t passed_count;
	struct ifaddrs *addresses; /* dom0's */
	bool asked;                /* … of the kernel */
	const char **used;         /* names of devices that have addresses; ascending. NULL: not looked for */
	size_t used_count;
};

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

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

static void sort_unknown(struct roster *r)
{
	if (r->unknown_count)
		qsort(r->unknown, r->unknown_count, sizeof(*r->unknown), by_number);
}

/* ---- dom0 ---- */

/* dom0's own card in a bridge, 0 where no vif is in it. */
static int64_t vif_of_bridge(const struct account *a, unsigned bridge)
{
	return bridge ? account_vif_of(a, bridge) : 0;
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

/* What dom0 sends by the device is seen under its MAC. */
static bool is_card(const struct making *m, const struct link *link)
{
	return uplinks_have(m->uplinks, link->ifindex) || is_own_vlan(m->uplinks, link) ||
	       (link->kind == DEVICE_BRIDGE && uplinks_have(&m->out, link->ifindex));
}

static unsigned bridge_of_card(const struct link *card)
{
	return card->kind == DEVICE_BRIDGE ? card->ifindex : card->master;
}

static void find_cards(struct making *m)
{
	size_t room = 0;

	for (const struct link *l = NULL; (l = links_next(m->links, l));)
		room++;
	m->cards = mem_array(room, sizeof(*m->cards));
	m->passed = mem_array(room, sizeof(*m->passed));
	for (const struct link *l = NULL; (l = links_next(m->links, l));) {
		struct card card = {.link = l};

		if (!is_card(m, l))
			continue;
		card.vif = vif_of_bridge(m->account, bridge_of_card(l));
		if (is_own_vlan(m->uplinks, l))
			card.past = vif_of_bridge(m->account, bridge_below(m->links, l));
		if (card.past)
			m->passed[m->passed_count++] = card.past;
		if (l->has_mac)
			m->cards[m->card_count++] = card;
	}
	qsort(m->passed, m->passed_count, sizeof(*m->passed), by_number);
}

/* A bridge takes what is for it or for one of its ports as dom0's. That VLANs pass by is said of a vif only:
 * a VLAN beside it may be the very one that another vif with this MAC sends by. */
static void add_card(struct roster *r, const struct making *m, const struct card *card)
{
	struct capture_vif record = {.vif = card->vif, .flags = CAPTURE_HOST | CAPTURE_HAS_MAC};

	if (card->vif && bsearch(&card->vif, m->passed, m->passed_count, sizeof(*m->passed), by_number))
		record.flags |= CAPTURE_VLANS;
	memcpy(record.mac, card->link->mac, sizeof(record.mac));
	add(r, &record);
	r->by_address |= card->vif == 0 || record.flags & CAPTURE_VLANS;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Every dom0 has link-local addresses; next to nothing is sent from them. */
static bool is_used(const struct sockaddr *at)
{
	if (at && at->sa_family == AF_INET)
		return true;
	return at && at->sa_family == AF_INET6 &&
	       !IN6_IS_ADDR_LINKLOCAL(&((const struct sockaddr_in6 *)(const void *)at)->sin6_addr);
}

/* With thousands of devices asking takes longer than all else, and few rosters need it. */
static const struct ifaddrs *host_addresses(struct making *m)
{
	if (!m->asked && getifaddrs(&m->addresses) < 0) {
		m->addresses = NULL;
		log_warn("cannot read dom0's addresses: what it sends itself may look like a guest's with a "
			 "wrong address");
	}
	m->asked = true;
	return m->addresses;
}

static void find_used(struct making *m)
{
	size_t room = 0;

	for (const struct ifaddrs *i = host_addresses(m); i; i = i->ifa_next)
		room++;
	m->used = mem_array(room, sizeof(*m->used));
	for (const struct ifaddrs *i = host_addresses(m); i; i = i->ifa_next)
		if (is_used(i->ifa_addr))
			m->used[m->used_count++] = i->ifa_name;
	qsort(m->used, m->used_count, sizeof(*m->used), by_name);
}

static bool has_address(struct making *m, const struct link *link)
{
	const char *name = link->name;

	if (!m->used)
		find_used(m);
	return bsearch(&name, m->used, m->used_count, sizeof(*m->used), by_name);
}

/* By MAC; of those with the same the counted ones first. */
static int by_mac(const void *a, const void *b)
{
	const struct card *x = a, *y = b;
	int order = memcmp(x->link->mac, y->link->mac, sizeof(x->link->mac));

	return order ? order : (x->vif == 0) - (y->vif == 0);
}

/* Where the cards with this MAC begin; sorted. */
static size_t place_of(const struct making *m, const uint8_t mac[6])
{
	size_t low = 0, high = m->card_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (memcmp(m->cards[mid].link->mac, mac, 6) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Does a frame with the MAC of this vif's card not tell whether it is from another card of dom0's? Where that
 * one is nobody's it matters only if dom0 uses it, and not if its frames are known by their tags. */
static bool has_twin(struct making *m, const struct capture_vif *record)
{
	for (size_t i = place_of(m, record->mac); i < m->card_count; i++) {
		const struct card *card = &m->cards[i];

		if (memcmp(card->link->mac, record->mac, sizeof(record->mac)) != 0)
			return false;
		if (card->vif ? card->vif != record->vif
			      : card->past != record->vif && has_address(m, card->link))
			return true;
	}
	return false;
}

/* Of two of dom0's cards with one MAC a frame does not tell which it is from: VLANs on one device have it so.
 * What is seen of it is nobody's then, or it would be booked to the wrong one. */
static void add_twins(struct roster *r, struct making *m)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->list[i].vif && has_twin(m, &r->list[i])) {
			add_unknown(r, r->list[i].vif);
			r->by_address = true;
		}
	sort_unknown(r);
	for (size_t i = 0; i < r->count; i++)
		if (roster_is_unknown(r, r->list[i].vif))
			r->list[i].vif = 0;
}

static void add_host(struct roster *r, struct making *m)
{
	find_cards(m);
	for (size_t i = 0; i < m->card_count; i++)
		add_card(r, m, &m->cards[i]);
	qsort(m->cards, m->card_count, sizeof(*m->cards), by_mac);
	add_twins(r, m);
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

/* ---- vifs ---- */

/* Its frames do not reach an uplink as they are: it is in no bridge, or in one without an uplink. What a
 * bridge is that is not the kernel's own (Open vSwitch) is not known: it is taken to lead out. */
static bool is_routed(const struct making *m, const struct ledger_vif *row)
{
	const struct link *bridge = row->bridge ? links_named(m->links, row->bridge) : NULL;

	if (!row->bridge)
		return true;
	return bridge && bridge->kind == DEVICE_BRIDGE && !uplinks_have(&m->out, bridge->ifindex);
}

static void add_vif(struct roster *r, const struct making *m, const struct ledger_vif *row)
{
	const struct networks *own = account_addresses(m->account, row->id);
	struct capture_vif record = {.vif = row->id};
	struct ether_addr mac;

	if (is_routed(m, row)) {
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

struct roster roster_make(const struct account *a, const struct links *links, const struct uplinks *uplinks)
{
	struct making m = {.account = a, .links = links, .uplinks = uplinks};
	struct roster r = {0};

	m.out = uplinks_bridges(uplinks, links);
	add_host(&r, &m);
	for (const struct ledger_vif *row = NULL; (row = account_next_vif(a, row));)
		if (row->domid != 0)
			add_vif(&r, &m, row);
	if (r.by_address)
		add_host_addresses(&r, host_addresses(&m));
	sort_unknown(&r);
	if (m.addresses)
		freeifaddrs(m.addresses);
	uplinks_free(&m.out);
	free(m.cards);
	free(m.passed);
	free(m.used);
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
