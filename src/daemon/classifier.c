/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/classifier.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/daemon.h"
#include "daemon/looker.h"
#include "daemon/nat_watch.h"
#include "daemon/roster.h"
#include "daemon/tc.h"
#include "net/nat.h"
#include "net/offload.h"
#include "net/uplinks.h"

/* Where an uplink has large packets cut: headers of 40 to 60 bytes to segments of 1,460. With room to spare.
 */
#define HEADERS_PART 16

struct classifier {
	struct daemon *d;
	struct uplinks uplinks;
	struct roster roster;
	struct nat_watch *nat;
	struct looker *looker;
	struct heard given;         /* what the account is given now */
	bool goes_on;               /* it has all that came in by vifs since what was given before */
	uint64_t position;          /* up to where that goes; 0: see looker_position */
	uint64_t before[DIR_COUNT]; /* of what was missed at the last poll: what this one may show */
	struct account_look look;
	struct account_portion *portions;
	size_t portion_room;
	int64_t told_slot; /* the last one with an event about strays */
	struct trouble no_uplink;
	struct classifier_status status;
};

/* ---- who and where ---- */

static bool is_vif(void *ctx, unsigned ifindex)
{
	const struct daemon *d = ctx;

	return account_vif_of(d->account, ifindex) != 0;
}

char *classifier_uplinks(const struct classifier *c)
{
	char *names = mem_strdup("");

	for (size_t i = 0; i < c->uplinks.count; i++) {
		const struct link *link = links_find(c->d->links, c->uplinks.list[i]);
		char *more = mem_printf("%s%s%s", names, *names ? " " : "", link ? link->name : "?");

		free(names);
		names = more;
	}
	return names;
}

static bool has_guests(const struct daemon *d)
{
	for (const struct ledger_vif *v = NULL; (v = account_next_vif(d->account, v));)
		if (v->domid != 0)
			return true;
	return false;
}

/* Whether an uplink cuts can be set while it is one: the kernel tells of that as of any change of a device.
 */
static void follow_offload(struct classifier *c)
{
	const struct link *link;

	c->look.headers = 0;
	for (size_t i = 0; i < c->uplinks.count; i++)
		if ((link = links_find(c->d->links, c->uplinks.list[i])) && offload_cuts(link->name))
			c->look.headers = HEADERS_PART;
}

/* Whether they are others than before. */
static bool follow_uplinks(struct classifier *c)
{
	struct daemon *d = c->d;
	char *why = NULL, *names;
	struct uplinks now = uplinks_choose(d->links, &d->conf->devices, is_vif, d, &c->uplinks, &why);
	bool same = uplinks_equal(&now, &c->uplinks);

	if (why && !has_guests(d)) { /* nobody misses it yet */
		free(why);
		why = NULL;
	}
	trouble_is(&c->no_uplink, why);
	uplinks_free(&c->uplinks);
	c->uplinks = now;
	follow_offload(c);
	if (same)
		return false;
	names = classifier_uplinks(c);
	if (now.count)
		log_info("uplink%s: %s", now.count > 1 ? "s" : "", names);
	free(names);
	return true;
}

static void follow_roster(struct classifier *c)
{
	struct roster now = roster_make(c->d->account, c->d->links, &c->uplinks);

	if (roster_equal(&now, &c->roster)) {
		roster_free(&now);
		return;
	}
	roster_free(&c->roster);
	c->roster = now;
	nat_watch_set(c->nat, &now);
}

/* A new worker is told who is there before it is asked anything: the frames of those it had not been told of
 * by then would be nobody's. */
void classifier_follow(struct classifier *c)
{
	bool elsewhere = follow_uplinks(c);

	follow_roster(c);
	if (elsewhere)
		looker_start_anew(c->looker);
	else
		looker_tell(c->looker);
}

static void watch_nat(struct classifier *c, struct mono counted)
{
	const uint8_t *address;
	while (nat_watch_scan(c->nat, counted, &address) != 0) {
		struct network n = {.bits = 128};
		char *text, *detail;

		memcpy(n.address, address, sizeof(n.address));
		text = network_text(&n);
		detail = mem_printf("this host translates the address %s (NAT), so frames on the uplink do "
				    "not show whose "
				    "they are: this vif's bytes are unattributed; give its guest an address "
				    "that is routed, "
				    "or write `attribution off`",
				    text);
		log_warn("vif with the address %s: %s", text, detail);
		account_event(c->d->account, "nat", text, detail);
		free(detail);
		free(text);
	}
}

bool classifier_is_blind_to(const struct classifier *c, int64_t vif)
{
	return roster_is_unknown(&c->roster, vif) || nat_watch_has(c->nat, vif);
}

/* ---- what was seen ---- */

static void seen(void *ctx, int64_t vif, struct account_seen *out)
{
	struct classifier *c = ctx;
	const struct heard *h = &c->given;

	for (size_t i = heard_first(h, vif); i < h->count && h->list[i].vif == vif; i++) {
		const struct capture_seen *s = &h->list[i];

		if (out->count == c->portion_room) {
			c->portion_room = c->portion_room ? c->portion_room * 2 : 8;
			c->portions = mem_resize(c->portions, c->portion_room, sizeof(*c->portions));
		}
		c->portions[out->count++] = (struct account_portion){
			.address = s->has_address ? s->address : NULL, .bytes = s->bytes};
		for (int d = 0; d < DIR_COUNT; d++)
			out->late[d] += s->late[d];
		out->spoofed += s->spoofed_bytes;
		out->blind |= s->fresh;
	}
	out->portions = c->portions;
	out->blind |= looker_is_blind(c->looker) || classifier_is_blind_to(c, vif);
}

/* Only the kernel's own count is as certain as its counters are. */
static bool sent(void *ctx, int64_t vif, unsigned ifindex, struct sent *out)
{
	const struct classifier *c = ctx;
	const struct heard *h = &c->given;

	if (!c->goes_on)
		return false;
	for (size_t i = heard_first(h, vif); i < h->count && h->list[i].vif == vif; i++)
		if (h->list[i].ifindex == ifindex) {
			out->bytes += h->list[i].sent_bytes;
			out->packets += h->list[i].sent_packets;
		}
	return true;
}

/* Once a slot for the ledger, once a run for the log. */
static void tell_strays(struct classifier *c, bool first)
{
	const struct heard *h = &c->given;
	const uint8_t *m = h->stray_mac;
	int64_t slot = account_open_slot(c->d->account);
	char *names, *detail;

	if (!h->stray_packets[DIR_OUTPUT] || slot == c->told_slot)
		return;
	c->told_slot = slot;
	names = classifier_uplinks(c);
	detail = mem_printf(
		"%" PRIu64 " packets (%" PRIu64
		" bytes) left under a MAC or address that is no guest's, the first from "
		"%02x:%02x:%02x:%02x:%02x:%02x: a guest may be hiding; so much of each vif's local "
		"output of that poll is unattributed",
		h->stray_packets[DIR_OUTPUT], h->stray_bytes[DIR_OUTPUT], m[0], m[1], m[2], m[3], m[4], m[5]);
	account_event(c->d->account, "stray", names, detail);
	if (first)
		log_warn("%s: %s", names, detail);
	free(detail);
	free(names);
}

/* What was heard goes to the account with this look. */
static void sum_up(struct classifier *c)
{
	struct heard *h = &c->given;
	struct classifier_status *s = &c->status;
	bool first = s->stray_packets == 0;
	uint64_t next[DIR_COUNT];

	heard_clear(h);
	c->goes_on = looker_goes_on(c->looker);
	looker_take(c->looker, h);
	c->position = looker_position(c->looker);
	heard_sort(h);
	heard_missed(h, c->look.missed, next);
	for (int d = 0; d < DIR_COUNT; d++) {
		c->look.missed[d] += c->before[d];
		c->before[d] = next[d];
		s->dropped += h->dropped[d];
	}
	s->stray_packets += h->stray_packets[DIR_OUTPUT];
	s->stray_bytes += h->stray_bytes[DIR_OUTPUT];
	s->looks = looker_looks(c->looker);
	s->kernel = looker_is_kernel(c->looker);
	tell_strays(c, first);
}

const struct account_look *classifier_look(struct classifier *c, struct mono counted, bool patient)
{
	if (!looker_look(c->looker, counted, patient))
		return NULL;
	watch_nat(c, counted);
	sum_up(c);
	return &c->look;
}

void classifier_wait(struct classifier *c)
{
	looker_wait(c->looker);
}

void classifier_give_up(struct classifier *c)
{
	if (c)
		looker_give_up(c->looker);
}

uint64_t classifier_position(const struct classifier *c)
{
	return c->position;
}

struct classifier_status classifier_status(const struct classifier *c)
{
	return c->status;
}

/* ---- life ---- */

/* xenbw-tc is started with xenbwd or not at all. So where a reload is the first to ask for it, xenbwd is
 * started again by what manages it: that loses no byte. */
static bool in_kernel(struct daemon *d)
{
	const char *way = d->conf->attribution == ATTRIBUTION_AUTO ? "auto" : "kernel";

	if (!conf_asks_kernel(d->conf))
		return false;
	if (d->tc && !tc_has_left(d->tc))
		return d->conf->attribution == ATTRIBUTION_KERNEL || tc_fd(d->tc) >= 0;
	if (d->managed) {
		log_info("`attribution %s` wants xenbw-tc, which is started with xenbwd alone: xenbwd "
			 "commits and "
			 "ends, to be started again",
			 way);
		daemon_restart(d);
	} else {
		log_warn("`attribution %s`: the kernel is asked when xenbwd is started again; until then "
			 "xenbw-capture looks",
			 way);
	}
	return false;
}

struct classifier *classifier_new(struct daemon *d)
{
	struct classifier *c = mem_alloc(sizeof(*c));

	c->d = d;
	c->nat = nat_watch_new(NAT_TABLE);
	c->look = (struct account_look){.seen = seen, .sent = sent, .ctx = c};
	c->no_uplink.what = "finding the uplink";
	c->no_uplink.meanwhile = "what moves is unattributed";
	c->looker = looker_new(d, in_kernel(d), &c->uplinks, &c->roster);
	if (!c->looker) {
		classifier_free(c);
		return NULL;
	}
	return c;
}

void classifier_free(struct classifier *c)
{
	if (!c)
		return;
	looker_free(c->looker);
	uplinks_free(&c->uplinks);
	roster_free(&c->roster);
	nat_watch_free(c->nat);
	heard_clear(&c->given);
	free(c->portions);
	free(c->no_uplink.reason);
	free(c);
}
