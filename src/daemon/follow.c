/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/alias.h"
#include "daemon/classifier.h"
#include "daemon/daemon.h"

/* As long as epoch.c holds a departure from Connected for recent. */
#define ASK_CARRIER 2

static struct followed *find(const struct daemon *d, unsigned domid, unsigned devid)
{
	unsigned numbers[2] = {domid, devid};
	struct followed *f;

	HASH_FIND(hh, d->followed, numbers, sizeof(numbers), f);
	return f;
}

static struct followed *add(struct daemon *d, unsigned domid, unsigned devid, int64_t vif)
{
	struct followed *f = mem_alloc(sizeof(*f));

	f->numbers[0] = domid;
	f->numbers[1] = devid;
	f->vif = vif;
	f->window_start = d->last_poll;
	HASH_ADD(hh, d->followed, numbers, sizeof(f->numbers), f);
	HASH_ADD(by_vif, d->by_vif, vif, sizeof(f->vif), f);
	return f;
}

static void drop(struct daemon *d, struct followed *f)
{
	HASH_DEL(d->followed, f);
	HASH_DELETE(by_vif, d->by_vif, f);
	free(f->alias);
	free(f);
}

/* ---- devices ---- */

/* The vif that a device belongs to; NULL for none. */
static struct followed *owner_of(const struct daemon *d, unsigned ifindex)
{
	int64_t vif = account_vif_of(d->account, ifindex);
	struct followed *f = NULL;

	if (vif)
		HASH_FIND(by_vif, d->by_vif, &vif, sizeof(vif), f);
	return f;
}

/* The kernel gave the ifindex out again while nobody looked: the device says that it is another vif's. */
static bool is_anothers(const struct followed *f, const struct link *link)
{
	char *node;
	bool other;

	if (!link->nodename)
		return false;
	node = mem_printf("backend/vif/%u/%u", f->numbers[0], f->numbers[1]);
	other = strcmp(link->nodename, node) != 0;
	free(node);
	return other;
}

/* Tells the account what is known about a device, for its next readings. Without `f` its vif is gone already.
 */
static void tell_evidence(const struct daemon *d, const struct followed *f, const struct link *link)
{
	struct epoch_evidence seen = {.carrier_down = link->carrier_down, .carrier = link->carrier};

	if (link->kind == DEVICE_BRIDGE) /* without a carrier when no port has one: that says nothing */
		return;
	/* The counters of an emulated card's device live as long as it: only netback's own device begins anew
	 * with its guest. */
	if (f && f->binding.main == link->ifindex) {
		seen.left_connected = f->left_connected;
		seen.away = f->away;
	}
	account_evidence(d->account, link->ifindex, &seen);
}

static void on_link(void *ctx, enum link_event event, const struct link *link,
		    const struct counters *counters)
{
	struct daemon *d = ctx;
	const struct followed *f = owner_of(d, link->ifindex);

	if (event == LINK_ADDRESSES) { /* dom0's own traffic is told by them from routed guests' */
		d->told_again = true;
		return;
	}
	if (event == LINK_GONE) {
		if (f) {
			log_info("device %s is gone", link->name);
			d->urgent = true;
		}
		account_device_gone(d->account, link->ifindex, counters);
		d->follow_again = true;
		return;
	}
	if (f && is_anothers(f, link)) { /* the last reading was of the device before */
		account_device_gone(d->account, link->ifindex, NULL);
		d->urgent = true;
		f = NULL;
	}
	if (f)
		tell_evidence(d, f, link);
	/* Another port or MAC of a bridge or an uplink. */
	d->told_again |= !f || f->numbers[0] == 0;
	/* A vif's last counters may come with the message that its carrier went; see account_carrier_off.
	 * While it is not known which drop a restart came with, they may be those of the life before. */
	if (f && counters && !link->carrier && !f->restarted)
		account_carrier_off(d->account, link->ifindex, link->carrier_down, counters);
	if (event == LINK_APPEARED || event == LINK_RENAMED)
		d->follow_again = true;
}

static void open_device(struct daemon *d, const struct followed *f, unsigned ifindex, unsigned left_connected)
{
	const struct link *link = ifindex ? links_find(d->links, ifindex) : NULL;

	if (!link)
		return;
	if (account_vif_of(d->account, ifindex) != f->vif) {
		if (link->kind == DEVICE_BRIDGE)
			log_info("device %s belongs to " BUCKET_DOM0_NAME, link->name);
		else
			log_info("device %s belongs to vif %u.%u", link->name, f->numbers[0], f->numbers[1]);
		d->urgent = true;
	}
	account_device_here(d->account, f->vif, ifindex, link->name, link->kind, link->carrier_down,
			    left_connected);
	tell_evidence(d, f, link);
}

static void leave_device(struct daemon *d, unsigned before, unsigned now)
{
	if (before && before != now && links_find(d->links, before))
		account_device_unbound(d->account, before);
}

/* ---- vifs ---- */

static int64_t tell_vif(struct daemon *d, const struct account_vif_facts *facts)
{
	char *warning = NULL;
	int64_t vif = account_vif_here(d->account, facts, &warning);

	if (warning) {
		log_warn("domain %s (domid %u): %s", facts->domain ? facts->domain : "without a name",
			 facts->domid, warning);
		account_event(d->account, "label", facts->domain ? facts->domain : "", warning);
		d->urgent = true;
	}
	free(warning);
	return vif;
}

/* What finds no room is said again with the next poll. */
static void tell_alias(struct daemon *d, struct followed *f, const char *domain)
{
	bool other = f->aliased != f->binding.main;

	if (!d->alias || !f->binding.main || !domain || (!mem_replace(&f->alias, domain) && !other))
		return;
	f->aliased = f->binding.main;
	if (daemon_alias_tell(d->alias, f->binding.main, domain))
		return;
	f->aliased = 0;
	d->alias_again = true;
}

static bool is_away(const struct xen_vif *xv)
{
	return xv->state != XEN_STATE_UNKNOWN && xv->state != XEN_STATE_CONNECTED;
}

static void take_state(struct followed *f, const struct xen_vif *xv)
{
	if (f->left_connected != xv->left_connected)
		f->ask_carrier = ASK_CARRIER;
	f->left_connected = xv->left_connected;
	f->away = is_away(xv);
}

static void follow_vif(struct daemon *d, const struct xen_vif *xv)
{
	struct followed *f = find(d, xv->domid, xv->devid);
	struct binding none = {0};
	struct binding binding = bind_vif(d->links, xv->domid, xv->devid, xv->vifname, f ? f->binding : none);
	const struct link *link = binding.main ? links_find(d->links, binding.main) : NULL;
	struct account_vif_facts facts = {
		.domid = xv->domid,
		.devid = xv->devid,
		.uuid = xv->uuid,
		.domain = xv->domain,
		.mac = xv->mac,
		.addresses = xv->addresses,
		.bridge = xv->bridge,
		.vifname = xv->vifname,
		.netdev = link ? link->name : NULL,
	};
	int64_t vif = tell_vif(d, &facts);

	if (f && f->vif != vif) { /* another domain under the same numbers */
		drop(d, f);
		f = NULL;
	}
	if (!f) {
		f = add(d, xv->domid, xv->devid, vif);
		d->urgent = true;
		log_info("vif %u.%u of domain %s", xv->domid, xv->devid,
			 xv->domain ? xv->domain : "(no name yet)");
	}
	f->listed = true;
	leave_device(d, f->binding.main, binding.main);
	leave_device(d, f->binding.emu, binding.emu);
	f->binding = binding;
	take_state(f, xv);
	open_device(d, f, binding.main, xv->left_connected);
	open_device(d, f, binding.emu, 0);
	tell_alias(d, f, xv->domain);
}

/* It came while we looked, and within the time of a slot: all that it moved belongs to the present. */
static bool is_young(const struct link *link)
{
	return link->appeared.ns && clock_mono().ns - link->appeared.ns < (int64_t)SLOT_SECONDS * 1000000000;
}

/* dom0's own card in a bridge. What that moved before there was a vif in it, maybe for weeks, is not
 * counted. */
static void follow_bridge(struct daemon *d, const struct link *link)
{
	struct followed *f = find(d, 0, link->ifindex);
	struct account_vif_facts facts = {
		.devid = link->ifindex,
		.uuid = BUCKET_DOM0_UUID,
		.domain = BUCKET_DOM0_NAME,
		.bridge = link->name,
		.netdev = link->name,
	};
	int64_t vif = tell_vif(d, &facts);
	bool known = account_vif_of(d->account, link->ifindex) == vif;

	if (!f)
		f = add(d, 0, link->ifindex, vif);
	f->listed = true;
	f->binding.main = link->ifindex;
	open_device(d, f, link->ifindex, 0);
	if (!known && !is_young(link))
		account_device_from_now(d->account, link->ifindex);
}

/* The bridges that vifs are in; once known, for as long as they live. */
static void follow_bridges(struct daemon *d, const struct xen_vif *vifs, size_t count)
{
	const struct link *link;
	struct followed *f, *next;

	HASH_ITER (hh, d->followed, f, next)
		if (f->numbers[0] == 0 && (link = links_find(d->links, f->numbers[1])) &&
		    link->kind == DEVICE_BRIDGE)
			follow_bridge(d, link);
	for (size_t i = 0; i < count; i++) {
		link = vifs[i].bridge ? links_named(d->links, vifs[i].bridge) : NULL;
		if (link && link->kind == DEVICE_BRIDGE && !find(d, 0, link->ifindex))
			follow_bridge(d, link);
	}
}

/* Xenstore no longer lists it. While a device of it lives it goes on: an emptied store is not a destroyed
 * guest. */
static void unlisted(struct daemon *d, struct followed *f)
{
	if (account_devices(d->account, f->vif) > 0)
		return;
	log_info("vif %u.%u is gone", f->numbers[0], f->numbers[1]);
	account_vif_gone(d->account, f->vif);
	d->urgent = true;
	drop(d, f);
}

/* Its bucket is certain: it has it already, or its uuid has, and no live domain has that. */
static bool has_bucket(const struct daemon *d, const struct xen_vif *xv)
{
	return find(d, xv->domid, xv->devid) ||
	       (xv->uuid && account_knows(d->account, xv->domid, xv->uuid, xv->domain));
}

/* Nothing but states changed. A guest can have its own do that as often as it likes, so nobody else's vif is
 * gone through. */
static void follow_states(struct daemon *d)
{
	size_t count;
	const struct xen_vif *vifs = directory_vifs(d->directory, &count);

	for (size_t i = 0; i < count; i++) {
		const struct xen_vif *xv = &vifs[i];
		struct followed *f = xv->domid != 0 ? find(d, xv->domid, xv->devid) : NULL;
		const struct link *link;

		if (!f || (f->left_connected == xv->left_connected && f->away == is_away(xv)))
			continue;
		take_state(f, xv);
		link = f->binding.main ? links_find(d->links, f->binding.main) : NULL;
		if (link && account_vif_of(d->account, link->ifindex) == f->vif)
			tell_evidence(d, f, link);
		else
			d->follow_again = true;
	}
}

/* The order matters: who has a bucket takes it, who is gone lets go of its label, and only then may a
 * newcomer find a label of old free. */
static void follow_all(struct daemon *d)
{
	struct followed *f, *next;
	size_t count, newcomers = 0;
	const struct xen_vif *vifs = directory_vifs(d->directory, &count), **late;

	/* A vif of dom0's own (backend and frontend in one) is left out: its bytes cross the bridge. */
	while (count && vifs->domid == 0) {
		vifs++;
		count--;
	}
	late = mem_array(count, sizeof(*late));
	HASH_ITER (hh, d->followed, f, next)
		f->listed = false;
	follow_bridges(d, vifs, count);
	for (size_t i = 0; i < count; i++) {
		if (has_bucket(d, &vifs[i]))
			follow_vif(d, &vifs[i]);
		else
			late[newcomers++] = &vifs[i];
	}
	HASH_ITER (hh, d->followed, f, next)
		if (!f->listed)
			unlisted(d, f);
	for (size_t i = 0; i < newcomers; i++)
		follow_vif(d, late[i]);
	free(late);
	d->follow_again = d->alias_again;
	d->alias_again = false;
	d->told_again = true;
}

void follow_events(struct daemon *d)
{
	char *err = NULL, *line, *guest;
	enum directory_news news;

	trouble_is(&d->no_links, links_drain(d->links, on_link, d, &err) < 0 ? err : NULL);
	err = NULL;
	if (directory_probe(d->directory, &err) == 1)
		trouble_is(&d->no_xenstore, NULL);
	else if (err)
		trouble_is(&d->no_xenstore, err);
	news = directory_drain(d->directory);
	if (news == DIRECTORY_CHANGED)
		d->follow_again = true;
	else if (news == DIRECTORY_STATES && !d->follow_again)
		follow_states(d);
	while (directory_complaint(d->directory, &line, &guest)) {
		log_warn_about(guest, "%s", line);
		free(guest);
		free(line);
	}
	if (d->follow_again)
		follow_all(d);
	if (d->classifier && d->told_again)
		classifier_follow(d->classifier);
	d->told_again = false;
}

void follow_restored(struct daemon *d)
{
	const struct ledger_epoch *e, *next;
	const struct followed *f;
	const struct link *link;

	for (const struct ledger_vif *v = NULL; (v = account_next_vif(d->account, v));)
		add(d, v->domid, v->devid, v->id);
	for (e = account_next_epoch(d->account, NULL); e; e = next) {
		next = account_next_epoch(d->account, e);
		link = links_find(d->links, e->ifindex);
		f = owner_of(d, e->ifindex);
		if (link && (!f || !is_anothers(f, link)))
			tell_evidence(d, f, link);
		else
			account_device_gone(d->account, e->ifindex, NULL);
	}
	d->follow_again = true;
}

/* Asks the kernel for a device now. Of a new name that the answer brings along its event tells nothing any
 * more. */
static int refresh(struct daemon *d, unsigned ifindex, char **err)
{
	const struct link *link = links_find(d->links, ifindex);
	char *name = mem_strdup(link ? link->name : NULL);
	int rc = links_refresh(d->links, ifindex, err);

	if (rc == 0 && (!name || strcmp(links_find(d->links, ifindex)->name, name) != 0))
		d->follow_again = true;
	free(name);
	return rc;
}

/* The answer comes after the reading that showed it, so the count includes the drop that came with this
 * restart. */
void follow_restarted(struct daemon *d, unsigned ifindex)
{
	struct followed *f = owner_of(d, ifindex);
	char *err = NULL;
	int rc = refresh(d, ifindex, &err);

	if (rc == 0)
		account_restarted(d->account, ifindex, links_find(d->links, ifindex)->carrier_down);
	/* A drop that belongs to this restart must not look like another one later: it would be counted
	 * twice. */
	if (f && f->binding.main == ifindex)
		f->restarted = rc < 0;
	free(err);
}

void follow_carriers(struct daemon *d)
{
	for (struct followed *f = d->followed; f; f = f->hh.next) {
		char *err = NULL;

		if (f->restarted && f->binding.main)
			follow_restarted(d, f->binding.main);
		if (f->away)
			f->ask_carrier = ASK_CARRIER;
		if (!f->ask_carrier || !f->binding.main)
			continue;
		f->ask_carrier--;
		if (refresh(d, f->binding.main, &err) == 0)
			tell_evidence(d, f, links_find(d->links, f->binding.main));
		else
			log_debug("asking for the carrier of vif %u.%u: %s", f->numbers[0], f->numbers[1],
				  err ? err : "its device is gone");
		free(err);
	}
}

void follow_free(struct daemon *d)
{
	struct followed *f, *next;

	HASH_ITER (hh, d->followed, f, next)
		drop(d, f);
}
