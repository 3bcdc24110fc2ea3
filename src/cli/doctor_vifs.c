/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * doctor_vifs: what is there now (cli/doctor.h): vifs against the ledger, bridges and uplinks.
 *
 * Needs xenstore, so root. The counters are read twice, a second apart: what goes into a bridge comes out of
 * it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "account/basis.h"
#include "base/mem.h"
#include "cli/doctor.h"
#include "net/stats.h"
#include "net/uplinks.h"

#define SLACK 65536 /* bytes on their way, or flooded */

struct looking {
	struct doctor *d;
	struct links *links;
	struct uplinks uplinks;
	char *no_uplink;
};

/* ---- vifs and the ledger ---- */

static const struct usage_epoch *epoch_of(const struct usage_vifs *known, unsigned ifindex)
{
	for (size_t i = 0; i < known->epoch_count; i++)
		if (known->epochs[i].ifindex == ifindex)
			return &known->epochs[i];
	return NULL;
}

static char *vif_name(const struct live_vif *v)
{
	return *v->netdev ? mem_strdup(v->netdev)
			  : mem_printf("vif %u of domain %u", v->xen->devid, v->xen->domid);
}

/* xenbwd finds a vif at once and writes it down with the next commit. */
static void check_known(struct doctor *d)
{
	size_t unknown = 0, without = 0;
	char *first_unknown = NULL, *first_without = NULL;

	for (size_t i = 0; i < d->live.count; i++) {
		const struct live_vif *v = &d->live.vifs[i];

		if (!v->device_count && without++ == 0)
			first_without = vif_name(v);
		for (size_t k = 0; k < v->device_count; k++)
			if (!epoch_of(&d->known, v->devices[k].ifindex) && unknown++ == 0)
				first_unknown = vif_name(v);
	}
	if (without)
		doctor_say(d, DOCTOR_WARNING, "vifs", "a guest that starts has none for a moment; look again",
			   "%zu of %zu have no network device, first %s", without, d->live.count,
			   first_without);
	if (unknown && d->has_ledger)
		doctor_say(d, d->silent ? DOCTOR_WARNING : DOCTOR_ERROR, "vifs",
			   d->silent ? "start xenbwd: they count from 0 then"
				     : "a new one is there with the next commit: look again, then "
				       "`journalctl -u xenbwd`",
			   "the ledger does not count %zu of %zu, first %s", unknown, d->live.count,
			   first_unknown);
	if (!unknown && !without)
		doctor_say(d, DOCTOR_OK, "vifs", NULL,
			   "%zu are there, each with a device that the ledger counts", d->live.count);
	free(first_unknown);
	free(first_without);
}

/* The counters go on from where the ledger read them last. */
static void check_counters(struct doctor *d)
{
	size_t back = 0, looked_at = 0;
	uint64_t ahead = 0;
	char *first = NULL;

	if (doctor_lacks_ledger(d, "counters"))
		return;
	for (size_t i = 0; i < d->live.count; i++)
		for (size_t k = 0; k < d->live.vifs[i].device_count; k++) {
			const struct live_device *dev = &d->live.vifs[i].devices[k];
			const struct usage_epoch *e = epoch_of(&d->known, dev->ifindex);
			struct basis basis = basis_of(dev->kind);

			if (!e)
				continue;
			looked_at++;
			if (!counters_at_least(&dev->counters, &e->last)) {
				if (back++ == 0)
					first = vif_name(&d->live.vifs[i]);
				continue;
			}
			for (int dir = 0; dir < DIR_COUNT; dir++)
				ahead += basis_bytes(basis, &dev->counters, (enum direction)dir) -
					 basis_bytes(basis, &e->last, (enum direction)dir);
		}
	if (back)
		doctor_say(d, DOCTOR_WARNING, "counters",
			   "xenbwd begins a new epoch at its next reading: look again",
			   "%zu of %zu devices count less than the ledger read, first %s", back, looked_at,
			   first);
	else
		doctor_say(d, DOCTOR_OK, "counters", NULL,
			   "%zu devices go on from the ledger's reading; %" PRIu64
			   " bytes are not booked yet",
			   looked_at, ahead);
	free(first);
}

/* ---- bridges and uplinks ---- */

static bool is_vif(void *ctx, unsigned ifindex)
{
	const struct looking *l = ctx;

	for (size_t i = 0; i < l->d->live.count; i++)
		for (size_t k = 0; k < l->d->live.vifs[i].device_count; k++)
			if (l->d->live.vifs[i].devices[k].ifindex == ifindex)
				return true;
	return false;
}

/* What xenbwd has chosen it keeps. */
static struct uplinks chosen(const struct looking *l)
{
	char *names = mem_strdup(l->d->answers ? l->d->daemon.uplinks : ""), *rest = NULL;
	struct uplinks u = {.list = mem_array(strlen(names) + 1, sizeof(*u.list))};

	for (const char *name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
		const struct link *link = links_named(l->links, name);

		if (link)
			u.list[u.count++] = link->ifindex;
	}
	free(names);
	return u;
}

static void check_uplink(struct looking *l)
{
	char *names = mem_strdup("");

	for (size_t i = 0; i < l->uplinks.count; i++) {
		const struct link *link = links_find(l->links, l->uplinks.list[i]);
		char *more = mem_printf("%s%s%s", names, *names ? " " : "", link ? link->name : "?");

		free(names);
		names = more;
	}
	if (l->uplinks.count)
		doctor_say(l->d, DOCTOR_OK, "uplink", NULL, "%s", names);
	else
		doctor_say(l->d,
			   l->d->cli->conf.attribution == ATTRIBUTION_OFF ? DOCTOR_UNCHECKED : DOCTOR_WARNING,
			   "uplink", NULL, "%s",
			   l->no_uplink ? l->no_uplink : "there is none: what moves is unattributed");
	free(names);
}

static void check_ports(struct looking *l)
{
	const struct live *live = &l->d->live;
	size_t ports = 0, odd = 0;
	char *first = NULL;

	for (const struct link *port = NULL; (port = links_next(l->links, port));)
		for (size_t i = 0; i < live->bridge_count; i++) {
			if (port->master != live->bridges[i].devid)
				continue;
			ports++;
			if (is_vif(l, port->ifindex) || uplinks_have(&l->uplinks, port->ifindex) ||
			    uplinks_see_below(&l->uplinks, port))
				continue;
			if (odd++ == 0)
				first = mem_printf("%s in %s", port->name, live->bridges[i].bridge);
		}
	if (odd)
		doctor_say(l->d, DOCTOR_WARNING, "bridge ports",
			   "where it leads out of the host name it with `device`",
			   "%zu of %zu are neither a vif nor an uplink, first %s: what goes there is local",
			   odd, ports, first);
	else
		doctor_say(l->d, DOCTOR_OK, "bridge ports", NULL, "%zu, each a vif or an uplink", ports);
	free(first);
}

/* ---- what flows ---- */

struct flow {
	struct looking *l;
	unsigned bridge;
	uint64_t in, out; /* of the bridge, IP bytes */
};

static void on_counters(void *ctx, unsigned ifindex, const struct counters *c)
{
	struct flow *f = ctx;
	const struct link *link = links_find(f->l->links, ifindex);
	struct basis basis;

	if (!link || (link->master != f->bridge && ifindex != f->bridge))
		return;
	/* a guest's output, and dom0's, goes into the bridge */
	basis = basis_of(link->kind);
	f->in += basis_bytes(basis, c, DIR_OUTPUT);
	f->out += basis_bytes(basis, c, DIR_INPUT);
}

static int dump(struct looking *l, struct flow *flows, size_t count, char **err)
{
	struct stats *stats;
	int rc = stats_open(&stats, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		flows[i] = (struct flow){.l = l, .bridge = l->d->live.bridges[i].devid};
		rc = stats_dump(stats, on_counters, &flows[i], err);
	}
	if (stats)
		stats_close(stats);
	return rc;
}

static void say_flow(struct doctor *d, const char *bridge, uint64_t in, uint64_t out)
{
	uint64_t slack = SLACK + (in > out ? in : out) / 10;

	if (out + slack < in)
		doctor_say(d, DOCTOR_WARNING, "bridge flow",
			   "a filter or a full queue drops it; the sender's bytes are counted",
			   "%s took %" PRIu64 " bytes in a second and gave out %" PRIu64, bridge, in, out);
	else if (in + slack < out)
		doctor_say(d, DOCTOR_WARNING, "bridge flow",
			   "frames are flooded, and count as input of each vif that they reach",
			   "%s took %" PRIu64 " bytes in a second and gave out %" PRIu64, bridge, in, out);
	else
		doctor_say(d, DOCTOR_OK, "bridge flow", NULL,
			   "%s took %" PRIu64 " bytes in a second and gave out %" PRIu64, bridge, in, out);
}

static void check_flow(struct looking *l)
{
	size_t count = l->d->live.bridge_count;
	struct flow *before = mem_array(count, sizeof(*before)), *after = mem_array(count, sizeof(*after));
	char *err = NULL;

	if (!count)
		doctor_say(l->d, DOCTOR_UNCHECKED, "bridge flow", NULL, "no vif is in a bridge");
	else if (dump(l, before, count, &err) < 0 || nanosleep(&(struct timespec){.tv_sec = 1}, NULL) < 0 ||
		 dump(l, after, count, &err) < 0)
		doctor_failed(l->d, "bridge flow", err);
	else
		for (size_t i = 0; i < count; i++) {
			if (after[i].in < before[i].in || after[i].out < before[i].out)
				doctor_say(l->d, DOCTOR_UNCHECKED, "bridge flow", NULL,
					   "a port of %s went away meanwhile", l->d->live.bridges[i].bridge);
			else
				say_flow(l->d, l->d->live.bridges[i].bridge, after[i].in - before[i].in,
					 after[i].out - before[i].out);
		}
	free(before);
	free(after);
}

void doctor_vifs(struct doctor *d)
{
	static const char *const asked[] = {"counters", "uplink", "bridge ports", "bridge flow"};
	struct looking l = {.d = d};
	struct uplinks before;
	char *err = NULL;

	if (!d->has_live) {
		doctor_say(d, DOCTOR_UNCHECKED, "vifs",
			   geteuid() == 0 ? "start xenstored" : "run this as root", "%s", d->no_live);
		for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++)
			doctor_say(d, DOCTOR_UNCHECKED, asked[i], NULL,
				   "xenstore cannot be asked what is there");
		return;
	}
	check_known(d);
	check_counters(d);
	if (links_open(&l.links, &err) < 0) {
		doctor_failed(d, "uplink", err);
		return;
	}
	before = chosen(&l);
	l.uplinks = uplinks_choose(l.links, &d->cli->conf.devices, is_vif, &l, &before, &l.no_uplink);
	uplinks_free(&before);
	check_uplink(&l);
	check_ports(&l);
	check_flow(&l);
	uplinks_free(&l.uplinks);
	free(l.no_uplink);
	links_close(l.links);
}
