/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/who.h"

#include <net/if.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

struct making {
	struct maps_who *out;
	const struct who_told *told;
	struct book *book;
};

static bool is_ipv4(const uint8_t address[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(address, mapped, sizeof(mapped)) == 0;
}

/* A device that is gone has what most have. */
static bool has_ethernet_header(uint32_t ifindex)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0); /* any socket serves */
	struct ifreq ask = {.ifr_ifindex = (int)ifindex};
	bool raw;

	if (fd < 0)
		return true;
	raw = ioctl(fd, SIOCGIFNAME, &ask) == 0 && ioctl(fd, SIOCGIFHWADDR, &ask) == 0 &&
	      ask.ifr_hwaddr.sa_family != ARPHRD_ETHER;
	close(fd);
	return !raw;
}

static void add_address(struct maps_who *w, uint32_t owner, const uint8_t *address, uint32_t slot,
			uint32_t flags)
{
	struct maps_address *a = &w->addresses[w->address_count];

	*a = (struct maps_address){.key.slot = owner, .address = {slot, flags}};
	memcpy(a->key.address, address, sizeof(a->key.address));
	for (size_t i = 0; i < w->address_count; i++)
		if (memcmp(&w->addresses[i].key, &a->key, sizeof(a->key)) == 0) {
			if (owner == KERNEL_ANY_ROUTED && w->addresses[i].address.slot != slot)
				w->addresses[i].address.slot = 0; /* whose it is cannot be told */
			return;
		}
	w->address_count++;
}

/* ---- vifs ---- */

static size_t addresses_of(const struct who_told *t, int64_t vif)
{
	size_t count = 0;

	for (size_t i = 0; i < t->vif_count; i++)
		count += t->vifs[i].vif == vif && t->vifs[i].flags & CAPTURE_HAS_ADDRESS;
	return count;
}

/* What is known of the vif goes into its device's flags and MAC; each of several addresses has a slot. */
static int take_records(struct making *m, struct maps_device *d, int64_t vif, bool several, char **err)
{
	for (size_t i = 0; i < m->told->vif_count; i++) {
		const struct capture_vif *r = &m->told->vifs[i];
		uint32_t slot = d->device.slot;

		if (r->vif != vif || r->flags & CAPTURE_HOST)
			continue;
		if (r->flags & CAPTURE_ROUTED)
			d->device.flags |= KERNEL_ROUTED;
		if (r->flags & CAPTURE_HAS_MAC) {
			d->device.flags |= KERNEL_HAS_MAC;
			memcpy(d->device.mac, r->mac, sizeof(d->device.mac));
		}
		if (!(r->flags & CAPTURE_HAS_ADDRESS))
			continue;
		d->device.flags |= is_ipv4(r->address) ? KERNEL_IPV4_TOLD : KERNEL_IPV6_TOLD;
		if (several && book_slot(m->book, d->ifindex, r->address, vif, &slot, err) < 0)
			return -1;
		add_address(m->out, d->device.slot, r->address, slot, 0);
	}
	return 0;
}

static void add_routed(struct making *m, const struct maps_device *d, int64_t vif)
{
	for (size_t i = 0; i < m->told->vif_count; i++) {
		const struct capture_vif *r = &m->told->vifs[i];

		if (r->vif == vif && r->flags & CAPTURE_ROUTED && r->flags & CAPTURE_HAS_ADDRESS)
			add_address(m->out, KERNEL_ANY_ROUTED, r->address, d->device.slot, d->device.flags);
	}
}

static int add_vif(struct making *m, const struct capture_device *told, char **err)
{
	struct maps_device *d = &m->out->devices[m->out->device_count++];

	*d = (struct maps_device){.ifindex = told->ifindex, .device.flags = KERNEL_VIF};
	if (book_slot(m->book, told->ifindex, NULL, told->vif, &d->device.slot, err) < 0 ||
	    take_records(m, d, told->vif, addresses_of(m->told, told->vif) > 1, err) < 0)
		return -1;
	add_routed(m, d, told->vif);
	return 0;
}

/* ---- dom0 and uplinks ---- */

/* The slot of dom0's own card: that of its bridge. */
static int host_slot(struct making *m, int64_t vif, uint32_t *slot, char **err)
{
	*slot = 0;
	for (size_t i = 0; vif && i < m->told->device_count; i++) {
		const struct capture_device *d = &m->told->devices[i];

		if (d->flags & CAPTURE_BRIDGE && d->vif == vif)
			return book_slot(m->book, d->ifindex, NULL, vif, slot, err);
	}
	return 0;
}

static uint32_t vlans_of(const struct who_told *t, int64_t vif)
{
	for (size_t i = 0; vif && i < t->vif_count; i++)
		if (t->vifs[i].vif == vif && t->vifs[i].flags & CAPTURE_VLANS)
			return KERNEL_VLANS;
	return 0;
}

static int add_other(struct making *m, const struct capture_device *told, char **err)
{
	struct maps_device *d = &m->out->devices[m->out->device_count++];

	*d = (struct maps_device){.ifindex = told->ifindex};
	if (told->flags & CAPTURE_BRIDGE) {
		d->device.flags = told->flags & CAPTURE_INSIDE ? KERNEL_ROUTED : 0;
		return host_slot(m, told->vif, &d->device.slot, err);
	}
	d->device.flags = KERNEL_UPLINK | vlans_of(m->told, told->vif) |
			  (has_ethernet_header(told->ifindex) ? 0 : KERNEL_RAW);
	return host_slot(m, told->vif, &d->device.host, err);
}

static bool has_routed(const struct who_told *t)
{
	for (size_t i = 0; i < t->vif_count; i++)
		if (t->vifs[i].flags & CAPTURE_ROUTED)
			return true;
	return false;
}

/* Where guests are routed dom0's MAC does not tell whose a packet is: then its own addresses do. */
static int add_host(struct making *m, const struct capture_vif *r, bool routed, char **err)
{
	struct maps_host *h = &m->out->hosts[m->out->host_count];

	if (r->flags & CAPTURE_HAS_ADDRESS)
		add_address(m->out, KERNEL_ANY_HOST, r->address, 0, 0);
	if (!(r->flags & CAPTURE_HAS_MAC))
		return 0;
	*h = (struct maps_host){.address.flags = routed ? KERNEL_ROUTED : 0};
	memcpy(h->key.mac, r->mac, sizeof(h->key.mac));
	if (r->flags & CAPTURE_VLANS)
		h->address.flags |= KERNEL_VLANS;
	for (size_t i = 0; i < m->out->host_count; i++)
		if (memcmp(&m->out->hosts[i].key, &h->key, sizeof(h->key)) == 0) {
			h = &m->out->hosts[i];
			return h->address.slot ? 0 : host_slot(m, r->vif, &h->address.slot, err);
		}
	m->out->host_count++;
	return host_slot(m, r->vif, &h->address.slot, err);
}

/* ---- all of it ---- */

int who_make(struct maps_who *out, const struct who_told *told, struct book *book, char **err)
{
	struct making m = {out, told, book};
	bool routed = has_routed(told);
	int rc = 0;

	*out = (struct maps_who){.devices = mem_array(told->device_count + 1, sizeof(*out->devices)),
				 /* each device has those of its vif, and they may be routed ones */
				 .addresses = mem_array(told->vif_count * 4 + 1, sizeof(*out->addresses)),
				 .hosts = mem_array(told->vif_count + 1, sizeof(*out->hosts))};
	book_begin(book);
	for (size_t i = 0; i < told->device_count && rc == 0; i++)
		rc = told->devices[i].flags ? add_other(&m, &told->devices[i], err)
					    : add_vif(&m, &told->devices[i], err);
	for (size_t i = 0; i < told->vif_count && rc == 0; i++)
		if (told->vifs[i].flags & CAPTURE_HOST)
			rc = add_host(&m, &told->vifs[i], routed, err);
	if (rc == 0)
		book_settled(book);
	return rc;
}

void who_free(struct maps_who *w)
{
	free(w->devices);
	free(w->addresses);
	free(w->hosts);
	*w = (struct maps_who){0};
}
