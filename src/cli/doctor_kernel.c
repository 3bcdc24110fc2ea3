/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * doctor_kernel: what of ours is in the kernel (cli/doctor.h): its programs, and what they count beside the
 * vifs' own counters.
 *
 * xenbw-tc tells it (kernel/show.h); only root may ask. The counters are read twice, a second apart, and the
 * programs' counts before and after that: those have seen what the counters have, or more.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "account/basis.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/doctor.h"
#include "cli/spawn.h"
#include "net/stats.h"

#define SHOW_LIMIT_MS 10000

/* A device with programs, or with a vif's count. */
struct hooked {
	unsigned ifindex;
	size_t programs, missing;
	bool counts;   /* what came in by it is counted */
	uint64_t sent; /* IP bytes, as far as that */
};

struct view {
	struct hooked *list;
	size_t count;
};

/* ---- what xenbw-tc says ---- */

static struct hooked *hooked(struct view *v, unsigned ifindex)
{
	for (size_t i = 0; i < v->count; i++)
		if (v->list[i].ifindex == ifindex)
			return &v->list[i];
	v->list = mem_resize(v->list, v->count + 1, sizeof(*v->list));
	v->list[v->count] = (struct hooked){.ifindex = ifindex};
	return &v->list[v->count++];
}

static unsigned number(const char *field)
{
	uint64_t n = 0;

	return field && text_u64(field, 1, UINT32_MAX, &n) ? (unsigned)n : 0;
}

static void take_line(struct view *v, char *line)
{
	enum { FIELDS = 6 };
	char *field[FIELDS] = {NULL};
	unsigned ifindex;
	struct hooked *h;

	for (size_t i = 0; i < FIELDS && line; i++)
		field[i] = strsep(&line, "\t");
	if (strcmp(field[0], "program") == 0 && (ifindex = number(field[1])) && field[4]) {
		h = hooked(v, ifindex);
		h->programs++;
		h->missing += strcmp(field[4], "there") != 0;
	} else if (strcmp(field[0], "sent") == 0 && (ifindex = number(field[2])) && field[4]) {
		h = hooked(v, ifindex);
		h->counts = text_u64(field[4], 0, UINT64_MAX, &h->sent);
	}
}

static int look(struct view *v, char **err)
{
	static const char *const argv[] = {"xenbw-tc", "--show", NULL};
	char *text = NULL, *rest, *line;
	int rc = spawn_run(argv[0], argv, SHOW_LIMIT_MS, &text, err);

	*v = (struct view){0};
	if (rc > 0)
		*err = mem_strdup("run `xenbw-tc --show`, it says why it cannot be looked at");
	for (rest = text; rc == 0 && (line = strsep(&rest, "\n"));)
		take_line(v, line);
	free(text);
	return rc == 0 ? 0 : -1;
}

/* ---- programs ---- */

static void check_programs(struct doctor *d, const struct view *v)
{
	bool by_kernel = d->answers && d->daemon.split == CONTROL_SPLIT_KERNEL;
	size_t programs = 0, missing = 0, devices = 0;

	for (size_t i = 0; i < v->count; i++) {
		programs += v->list[i].programs;
		missing += v->list[i].missing;
		devices += v->list[i].programs > 0;
	}
	if (by_kernel && (missing || !programs))
		doctor_say(d, DOCTOR_ERROR, "kernel programs",
			   "xenbwd puts them back at its next readings: look again, then find who takes them "
			   "away",
			   "%zu of %zu are missing", missing, programs);
	else if (by_kernel)
		doctor_say(d, DOCTOR_OK, "kernel programs", NULL, "%zu at %zu devices, each there", programs,
			   devices);
	else if (!programs)
		doctor_say(d, DOCTOR_OK, "kernel programs", NULL, "none of ours is there");
	else
		doctor_say(d, DOCTOR_WARNING, "kernel programs",
			   "start xenbwd: with `attribution kernel` or `auto` it goes on from them, with "
			   "another "
			   "it takes them away, as `xenbwd --detach` does",
			   "%zu of an earlier xenbwd count at %zu devices, and nobody reads what", programs,
			   devices);
}

/* ---- counts ---- */

struct reading {
	const struct doctor *d;
	uint64_t *bytes; /* output, by the vifs' devices in their order; two a vif */
};

static void on_counters(void *ctx, unsigned ifindex, const struct counters *c)
{
	struct reading *r = ctx;

	for (size_t i = 0; i < r->d->live.count; i++)
		for (size_t k = 0; k < r->d->live.vifs[i].device_count; k++) {
			const struct live_device *device = &r->d->live.vifs[i].devices[k];

			if (device->ifindex == ifindex)
				r->bytes[2 * i + k] = basis_bytes(basis_of(device->kind), c, DIR_OUTPUT);
		}
}

static int read_counters(struct reading *r, char **err)
{
	struct stats *stats;
	int rc = stats_open(&stats, err);

	if (rc == 0)
		rc = stats_dump(stats, on_counters, r, err);
	if (stats)
		stats_close(stats);
	return rc;
}

/* What was read, in order: programs, counters, counters, programs. */
struct seen {
	struct view before, after;
	uint64_t *first, *last; /* as struct reading has them */
};

static void compare(struct doctor *d, struct seen *s)
{
	size_t compared = 0, short_of = 0;
	uint64_t missed = 0;
	const char *first = NULL;

	for (size_t i = 0; i < d->live.count; i++)
		for (size_t k = 0; k < d->live.vifs[i].device_count; k++) {
			const struct live_device *device = &d->live.vifs[i].devices[k];
			const struct hooked *a = hooked(&s->before, device->ifindex);
			const struct hooked *b = hooked(&s->after, device->ifindex);
			uint64_t grew = s->last[2 * i + k] - s->first[2 * i + k], sent = b->sent - a->sent;

			/* a life of the counters that ended meanwhile compares to nothing */
			if (basis_of(device->kind).own || !a->counts || !b->counts ||
			    s->last[2 * i + k] < s->first[2 * i + k])
				continue;
			compared++;
			if (sent >= grew)
				continue;
			missed += grew - sent;
			if (short_of++ == 0)
				first = d->live.vifs[i].netdev;
		}
	if (short_of)
		doctor_say(
			d, DOCTOR_ERROR, "kernel counts",
			"somebody else's program or filter is before ours: `bpftool net show dev VIF` (7.2), "
			"`tc filter show dev VIF ingress`",
			"%zu of %zu devices counted %" PRIu64
			" bytes in a second that our programs did not see, first %s",
			short_of, compared, missed, first);
	else
		doctor_say(d, DOCTOR_OK, "kernel counts", NULL,
			   "all that %zu devices counted in a second, our programs saw", compared);
}

static void check_counts(struct doctor *d, struct seen *s)
{
	char *err = NULL;

	if (!d->has_live) {
		doctor_say(d, DOCTOR_UNCHECKED, "kernel counts", NULL,
			   "xenstore cannot be asked what is there");
		return;
	}
	s->first = mem_array(2 * d->live.count, sizeof(*s->first));
	s->last = mem_array(2 * d->live.count, sizeof(*s->last));
	if (read_counters(&(struct reading){d, s->first}, &err) < 0 ||
	    nanosleep(&(struct timespec){.tv_sec = 1}, NULL) < 0 ||
	    read_counters(&(struct reading){d, s->last}, &err) < 0 || look(&s->after, &err) < 0)
		doctor_failed(d, "kernel counts", err);
	else
		compare(d, s);
	free(s->first);
	free(s->last);
}

void doctor_kernel(struct doctor *d)
{
	struct seen s = {0};
	char *err = NULL;

	if (geteuid() != 0) {
		doctor_say(d, DOCTOR_UNCHECKED, "kernel programs", "run this as root",
			   "only root may ask the kernel");
		return;
	}
	if (look(&s.before, &err) < 0) {
		doctor_failed(d, "kernel programs", err);
		return;
	}
	check_programs(d, &s.before);
	if (d->answers && d->daemon.split == CONTROL_SPLIT_KERNEL)
		check_counts(d, &s);
	free(s.before.list);
	free(s.after.list);
}
