/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/owners.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/mem.h"

#define ADDRESS_SIZE 16
#define MAC_SIZE 6

struct own {
	uint8_t address[ADDRESS_SIZE];
	struct owners_name name; /* counts where the vif has more than one */
	UT_hash_handle hh;
};

struct vif {
	int64_t id;
	struct owners_name name; /* of what is under no single address of it */
	struct own *own;
	bool has_ipv4, has_ipv6; /* addresses of that family were told */
	UT_hash_handle hh;
};

/* Whose a MAC or an address is. */
struct owner {
	uint8_t key[ADDRESS_SIZE]; /* a MAC: its first bytes */
	struct vif *vif;           /* NULL: dom0 without a vif */
	bool is_host;              /* only dom0 was told to have it */
	bool has_vlans;            /* what it sends with a VLAN tag is not the vif's */
	bool several;
	UT_hash_handle hh;
};

struct owners {
	struct vif *vifs;
	struct owner *macs, *routed, *host_addresses;
	struct owner host; /* dom0, whatever the MAC: of frames without one */
	bool has_host;
};

struct owners *owners_new(void)
{
	return mem_alloc(sizeof(struct owners));
}

/* ---- what is told ---- */

static struct vif *vif_of(struct owners *o, int64_t id)
{
	struct vif *v;

	HASH_FIND(hh, o->vifs, &id, sizeof(id), v);
	if (!v) {
		v = mem_alloc(sizeof(*v));
		v->id = v->name.vif = id;
		HASH_ADD(hh, o->vifs, id, sizeof(v->id), v);
	}
	return v;
}

static bool is_ipv4(const uint8_t address[ADDRESS_SIZE])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(address, mapped, sizeof(mapped)) == 0;
}

static void add_address(struct vif *v, const uint8_t address[ADDRESS_SIZE])
{
	struct own *o;

	HASH_FIND(hh, v->own, address, ADDRESS_SIZE, o);
	if (o)
		return;
	o = mem_alloc(sizeof(*o));
	memcpy(o->address, address, ADDRESS_SIZE);
	memcpy(o->name.address, address, ADDRESS_SIZE);
	o->name.vif = v->id;
	o->name.has_address = true;
	HASH_ADD(hh, v->own, address, ADDRESS_SIZE, o);
	*(is_ipv4(address) ? &v->has_ipv4 : &v->has_ipv6) = true;
}

/* One more record says whose it is. dom0's records agree where one of them has no vif. */
static void owner_add(struct owner *o, bool is_new, struct vif *v, bool is_host)
{
	if (is_new) {
		o->vif = v;
		o->is_host = is_host;
		return;
	}
	if (o->is_host && is_host && (!o->vif || !v)) {
		o->vif = o->vif ? o->vif : v;
		return;
	}
	o->several |= o->vif != v;
	o->is_host &= is_host;
}

static struct owner *key_add(struct owner **keys, const uint8_t *key, size_t size, struct vif *v,
			     bool is_host)
{
	struct owner *o;
	bool is_new;

	HASH_FIND(hh, *keys, key, size, o);
	is_new = !o;
	if (is_new) {
		o = mem_alloc(sizeof(*o));
		memcpy(o->key, key, size);
		HASH_ADD_KEYPTR(hh, *keys, o->key, size, o);
	}
	owner_add(o, is_new, v, is_host);
	return o;
}

static void take_record(struct owners *o, const struct capture_vif *r)
{
	bool is_host = r->flags & CAPTURE_HOST;
	struct vif *v;

	if (r->vif == 0 && !is_host)
		return;
	v = r->vif ? vif_of(o, r->vif) : NULL;
	if (is_host) {
		owner_add(&o->host, !o->has_host, v, true);
		o->has_host = true;
	}
	if (r->flags & CAPTURE_HAS_MAC)
		key_add(&o->macs, r->mac, MAC_SIZE, v, is_host)->has_vlans |= r->flags & CAPTURE_VLANS;
	if (!(r->flags & CAPTURE_HAS_ADDRESS))
		return;
	if (v)
		add_address(v, r->address);
	if (is_host)
		key_add(&o->host_addresses, r->address, ADDRESS_SIZE, v, true);
	else if (r->flags & CAPTURE_ROUTED)
		key_add(&o->routed, r->address, ADDRESS_SIZE, v, false);
}

static void forget_keys(struct owner **keys)
{
	struct owner *o, *next;

	HASH_ITER (hh, *keys, o, next) {
		HASH_DELETE(hh, *keys, o);
		free(o);
	}
}

static void forget_vif(struct owners *all, struct vif *v)
{
	struct own *o, *next;

	HASH_ITER (hh, v->own, o, next) {
		HASH_DELETE(hh, v->own, o);
		free(o);
	}
	HASH_DELETE(hh, all->vifs, v);
	free(v);
}

static void forget_all(struct owners *o)
{
	struct vif *v, *next;

	forget_keys(&o->macs);
	forget_keys(&o->routed);
	forget_keys(&o->host_addresses);
	HASH_ITER (hh, o->vifs, v, next)
		forget_vif(o, v);
	*o = (struct owners){0};
}

void owners_set(struct owners *o, const struct capture_vif *vifs, size_t count)
{
	forget_all(o);
	for (size_t i = 0; i < count; i++)
		take_record(o, &vifs[i]);
}

void owners_clear_counters(struct owners *o)
{
	for (struct vif *v = o->vifs; v; v = v->hh.next) {
		v->name.counter = NULL;
		for (struct own *a = v->own; a; a = a->hh.next)
			a->name.counter = NULL;
	}
}

void owners_free(struct owners *o)
{
	if (!o)
		return;
	forget_all(o);
	free(o);
}

/* ---- what is asked ---- */

static bool is_unspecified(const uint8_t own[ADDRESS_SIZE])
{
	static const uint8_t nothing[ADDRESS_SIZE];

	return memcmp(own + 12, nothing, 4) == 0 && (is_ipv4(own) || memcmp(own, nothing, ADDRESS_SIZE) == 0);
}

/* Is it dom0's, as far as that is known? Unspecified ones are what it has before it has one. */
static bool is_hosts(const struct owners *all, const uint8_t *own)
{
	struct owner *o;

	if (!all->host_addresses || is_unspecified(own))
		return true;
	HASH_FIND(hh, all->host_addresses, own, ADDRESS_SIZE, o);
	return o != NULL;
}

/* Bears dom0's MAC, or none: a routed vif's or dom0's own, as the address says. */
static enum owners_place place_by_address(const struct owners *all, const struct owner *host, bool tagged,
					  const uint8_t *own, const struct vif **v)
{
	struct owner *o;

	if (all->routed) {
		HASH_FIND(hh, all->routed, own, ADDRESS_SIZE, o);
		if (o) {
			*v = o->vif;
			return o->several ? OWNERS_STRAY : OWNERS_VIF;
		}
		if (!is_hosts(all, own))
			return OWNERS_STRAY;
	}
	*v = host->vif;
	/* one MAC in several bridges, as VLANs on one device have it: dom0's all the same */
	if (*v && !host->several && !(tagged && host->has_vlans))
		return OWNERS_VIF;
	return is_hosts(all, own) ? OWNERS_NOBODY : OWNERS_FORGED;
}

static enum owners_place place_of(const struct owners *all, const uint8_t *mac, bool tagged,
				  const uint8_t *own, const struct vif **v)
{
	struct owner *o;

	if (!mac)
		return place_by_address(all, &all->host, tagged, own, v);
	HASH_FIND(hh, all->macs, mac, MAC_SIZE, o);
	if (!o)
		return OWNERS_UNKNOWN;
	if (o->is_host)
		return place_by_address(all, o, tagged, own, v);
	if (o->several)
		return OWNERS_STRAY;
	*v = o->vif;
	return OWNERS_VIF;
}

static bool is_foreign(const struct vif *v, const uint8_t own[ADDRESS_SIZE])
{
	if (is_unspecified(own))
		return false;
	if (is_ipv4(own))
		return v->has_ipv4;
	return v->has_ipv6 && !(own[0] == 0xfe && (own[1] & 0xc0) == 0x80); /* link-local */
}

enum owners_place owners_of(const struct owners *all, const uint8_t *mac, bool tagged,
			    const uint8_t own[ADDRESS_SIZE], struct owners_name **name,
			    enum owners_address *address)
{
	const struct vif *v = NULL;
	enum owners_place place = place_of(all, mac, tagged, own, &v);
	struct own *o = NULL;

	if (place != OWNERS_VIF)
		return place;
	if (v->own)
		HASH_FIND(hh, v->own, own, ADDRESS_SIZE, o);
	*address = o ? OWNERS_TOLD : is_foreign(v, own) ? OWNERS_FOREIGN : OWNERS_UNTOLD;
	*name = (struct owners_name *)(o && HASH_COUNT(v->own) > 1 ? &o->name : &v->name);
	return place;
}
