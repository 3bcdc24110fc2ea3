/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * doctor_ledger: does the ledger agree with itself (cli/doctor.h), and what does it tell of the last day?
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/doctor.h"
#include "cli/units.h"
#include "db/audit.h"
#include "db/retain.h"

#define DAY 86400
#define SHORT_GAP 60 /* seconds: a restart */
#define SAVE "keep a copy and report this; `xenbw explain` shows a bucket's part of it"
#define PERCENT_CLIPPED 1
#define PERCENT_UNATTRIBUTED 5
#define MEGABYTE (UINT64_C(1024) * 1024)

/* With what is not moved into it yet. */
static uint64_t size_of(const char *path)
{
	char *log = mem_printf("%s-wal", path);
	uint64_t size = 0;
	struct stat st;

	if (stat(path, &st) == 0)
		size += (uint64_t)st.st_size;
	if (stat(log, &st) == 0)
		size += (uint64_t)st.st_size;
	free(log);
	return size;
}

static void check_file(struct doctor *d)
{
	const char *path = d->cli->conf.ledger;
	bool closed = faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) < 0 && errno == EACCES;
	char *size;

	if (d->no_ledger) {
		doctor_say(d, closed ? DOCTOR_UNCHECKED : DOCTOR_ERROR, "ledger", NULL, "%s", d->no_ledger);
		return;
	}
	if (!d->has_ledger) {
		doctor_say(d, DOCTOR_ERROR, "ledger",
			   "xenbwd makes it when it first runs: `systemctl start xenbwd`", "%s is not there",
			   path);
		return;
	}
	size = units_bytes(size_of(path));
	doctor_say(d, DOCTOR_OK, "ledger", NULL, "%s, %s, schema %d", path, size, LEDGER_SCHEMA);
	free(size);
}

/* One question to the ledger: what it looked at is called `what`. */
static void check(struct doctor *d, const char *name, int (*ask)(sqlite3 *, struct audit *, char **),
		  const char *todo, const char *what, const char *fine)
{
	struct audit a = {0};
	char *err = NULL;

	if (doctor_lacks_ledger(d, name))
		return;
	if (ask(d->ledger.db, &a, &err) < 0)
		doctor_failed(d, name, err);
	else if (a.wrong)
		doctor_say(d, DOCTOR_ERROR, name, todo, "%" PRIu64 " of %" PRIu64 " %s: %s", a.wrong,
			   a.looked_at, what, a.first);
	else
		doctor_say(d, DOCTOR_OK, name, NULL, "%" PRIu64 " %s: %s", a.looked_at, what, fine);
	audit_clear(&a);
}

static void check_pages(struct doctor *d)
{
	struct audit a = {0};
	char *err = NULL;

	if (doctor_lacks_ledger(d, "database"))
		return;
	if (audit_pages(d->ledger.db, &a, &err) < 0)
		doctor_failed(d, "database", err);
	else if (a.wrong)
		doctor_say(d, DOCTOR_ERROR, "database", "keep a copy, then see LEDGER in xenbwd(8)",
			   "it is damaged: %s", a.first);
	else
		doctor_say(d, DOCTOR_OK, "database", NULL, "SQLite finds nothing wrong");
	audit_clear(&a);
}

/* Are old slots gone, as `retain` says; and does a sink hold some back? */
static void check_retain(struct doctor *d)
{
	unsigned months = conf_kept_months(&d->cli->conf);
	int64_t begin = months ? retain_begin(d->cli->now, months) : 0, until = 0, held = INT64_MAX;
	char *err = NULL, *when;

	if (doctor_lacks_ledger(d, "retain"))
		return;
	if (retain_read(d->ledger.db, &until, &err) < 0 || retain_held(d->ledger.db, &held, &err) < 0) {
		doctor_failed(d, "retain", err);
		return;
	}
	when = period_local(held < begin ? held : until);
	if (held < begin)
		doctor_say(d, DOCTOR_WARNING, "retain", "see the lines of the sinks: MySQL, RRD",
			   "slots from %s on are older than %u months, and stay: a sink has not got them yet",
			   when, months);
	else if (until)
		doctor_say(
			d, DOCTOR_OK, "retain", NULL,
			"slots before %s were retired; their sums are in the ledger, in one row of each vif",
			when);
	else
		doctor_say(d, DOCTOR_OK, "retain", NULL, "no slot was ever retired");
	free(when);
}

static void check_gaps(struct doctor *d)
{
	struct audit_gaps g;
	char *err = NULL, *from, *to;

	if (doctor_lacks_ledger(d, "gaps"))
		return;
	if (audit_gaps(d->ledger.db, d->cli->now - DAY, SHORT_GAP, &g, &err) < 0) {
		doctor_failed(d, "gaps", err);
		return;
	}
	from = period_local(g.from);
	to = period_local(g.to);
	if (g.count)
		doctor_say(d, DOCTOR_WARNING, "gaps", "`xenbw explain BUCKET` says what became of the bytes",
			   "xenbwd was killed or away %" PRIu64 " times in a day, for %" PRId64
			   " s; last from %s to %s",
			   g.count, g.seconds, from, to);
	else
		doctor_say(d, DOCTOR_OK, "gaps", NULL, "xenbwd was neither killed nor away in the last day");
	free(from);
	free(to);
}

static void check_events(struct doctor *d)
{
	char *events = NULL, *err = NULL;

	if (doctor_lacks_ledger(d, "events"))
		return;
	if (audit_events(d->ledger.db, d->cli->now - DAY, &events, &err) < 0)
		doctor_failed(d, "events", err);
	else if (events)
		doctor_say(d, DOCTOR_WARNING, "events", "`xenbw explain BUCKET` tells them",
			   "in the last day: %s", events);
	else
		doctor_say(d, DOCTOR_OK, "events", NULL, "none in the last day");
	free(events);
}

static uint64_t both(const uint64_t bytes[DIR_COUNT])
{
	return bytes[DIR_INPUT] + bytes[DIR_OUTPUT];
}

/* What the classifier saw (eBPF or libpcap) beside what the counters say, poll by poll: the account has cut
 * what is more, and told what nobody saw. */
static void check_seen(struct doctor *d)
{
	uint64_t total = 0, unattributed, clipped;
	struct usage_sums s;
	char *err = NULL, *some;

	if (doctor_lacks_ledger(d, "seen and counted"))
		return;
	if (audit_sums(d->ledger.db, d->cli->now - DAY, &s, &err) < 0) {
		doctor_failed(d, "seen and counted", err);
		return;
	}
	for (int dir = 0; dir < DIR_COUNT; dir++)
		total += class_bytes_total(&s.classes, (enum direction)dir);
	unattributed = s.classes.bytes[DIR_INPUT][CLASS_UNATTRIBUTED] +
		       s.classes.bytes[DIR_OUTPUT][CLASS_UNATTRIBUTED];
	clipped = both(s.clipped);
	some = units_bytes(clipped > total / 100 * PERCENT_CLIPPED ? clipped : unattributed);
	if (d->cli->conf.attribution == ATTRIBUTION_OFF)
		doctor_say(d, DOCTOR_UNCHECKED, "seen and counted", NULL,
			   "the configuration says `attribution off`");
	else if (clipped > total / 100 * PERCENT_CLIPPED)
		doctor_say(d, DOCTOR_WARNING, "seen and counted",
			   "see THE SPLIT in xenbwd(8): offloads that differ, a shaper, or a guest under "
			   "another's MAC",
			   "in the last day %s more were seen on an uplink than the counters have; they are "
			   "in no sum",
			   some);
	else if (unattributed > total / 100 * PERCENT_UNATTRIBUTED)
		doctor_say(d, DOCTOR_WARNING, "seen and counted", "see the lines split, drops and gaps",
			   "%s of the last day's bytes were seen by nobody, and are unattributed", some);
	else
		doctor_say(d, DOCTOR_OK, "seen and counted", NULL,
			   "in the last day %" PRIu64 " bytes, of them %" PRIu64 " unattributed; %" PRIu64
			   " more were seen, and cut",
			   total, unattributed, clipped);
	free(some);
}

static void check_space(struct doctor *d)
{
	const char *path = d->cli->conf.ledger;
	struct statvfs fs;
	uint64_t left;
	char *size;

	if (statvfs(path, &fs) < 0) {
		doctor_say(d, DOCTOR_UNCHECKED, "disk", NULL, "the file system of %s cannot be asked", path);
		return;
	}
	left = (uint64_t)fs.f_bavail * fs.f_frsize;
	size = units_bytes(left);
	doctor_say(d,
		   left < 10 * MEGABYTE    ? DOCTOR_ERROR
		   : left < 200 * MEGABYTE ? DOCTOR_WARNING
					   : DOCTOR_OK,
		   "disk",
		   left < 200 * MEGABYTE ? "make room: a commit that does not fit waits in memory" : NULL,
		   "%s are left where the ledger is", size);
	free(size);
}

void doctor_ledger(struct doctor *d)
{
	check_file(d);
	check_pages(d);
	check(d, "epochs", audit_epochs, SAVE, "epochs", "what is booked is what their counters grew by");
	check(d, "identity", audit_identity, SAVE, "vifs",
	      "external + peer + direct + local + ignored + unattributed is the total");
	check(d, "rows", audit_rows, SAVE, "slots and takes", "none is impossible");
	check_retain(d);
	check_gaps(d);
	check_events(d);
	check_seen(d);
	check_space(d);
}
