/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * doctor_daemon: does xenbwd run (cli/doctor.h), and what does it say of itself?
 */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/user.h"
#include "cli/doctor.h"

#define START "`systemctl start xenbwd`, and `journalctl -u xenbwd` for why it ended"
#define LOG "`journalctl -u xenbwd` says why"

static void check_runs(struct doctor *d)
{
	char *when, *user;

	if (d->answers) {
		when = period_local(d->daemon.started);
		doctor_say(d, DOCTOR_OK, "xenbwd", NULL, "it runs, since %s", when);
		free(when);
	} else if (d->silent) {
		doctor_say(d, DOCTOR_ERROR, "xenbwd", START, "it does not run: nobody listens on %s",
			   d->cli->conf.control);
	} else if (geteuid() != 0) {
		user = user_own_name();
		doctor_say(d, DOCTOR_UNCHECKED, "xenbwd", "run this as root", "the user %s may not ask it",
			   user);
		free(user);
	} else {
		doctor_say(d, DOCTOR_ERROR, "xenbwd", NULL, "%s", d->no_daemon);
	}
}

/* Of the ledger, so that those who may not ask xenbwd see it too. */
static void check_commits(struct doctor *d)
{
	const struct usage_run *run = &d->known.run;
	int64_t silent;
	char *when;

	if (doctor_lacks_ledger(d, "commits"))
		return;
	if (!run->boot) {
		doctor_say(d, DOCTOR_ERROR, "commits", START, "no xenbwd has written to the ledger yet");
		return;
	}
	silent = cli_silent_since(d->cli, run);
	when = period_local(run->seen);
	if (d->answers && d->daemon.commit_failing)
		doctor_say(d, DOCTOR_ERROR, "commits", LOG,
			   "the last one failed: what was counted since %s waits in memory", when);
	else if (silent >= 0)
		doctor_say(d, DOCTOR_ERROR, "commits", START,
			   "the last one was at %s: nothing is booked since", when);
	else
		doctor_say(d, DOCTOR_OK, "commits", NULL, "the last one was %" PRId64 " s ago",
			   d->cli->now > run->seen ? d->cli->now - run->seen : 0);
	free(when);
}

static void check_split(struct doctor *d)
{
	const struct control_status *s = &d->daemon;

	switch (s->split) {
	case CONTROL_SPLIT_OFF:
		doctor_say(d, DOCTOR_OK, "split", NULL, "off, as configured: all bytes are unattributed");
		break;
	case CONTROL_SPLIT_KERNEL:
		doctor_say(d, DOCTOR_OK, "split", NULL, "by the kernel (eBPF) on %s", s->uplinks);
		break;
	case CONTROL_SPLIT_PCAP:
		doctor_say(d, DOCTOR_OK, "split", NULL, "by libpcap on %s", s->uplinks);
		break;
	case CONTROL_SPLIT_FAILING:
		doctor_say(d, DOCTOR_WARNING, "split", LOG,
			   "nobody looks at the uplinks: bytes are unattributed");
		break;
	}
}

static void check_seen(struct doctor *d)
{
	const struct control_status *s = &d->daemon;
	size_t blind = 0;

	for (size_t i = 0; i < s->count; i++)
		blind += (s->vifs[i].flags & CONTROL_VIF_BLIND) != 0;
	if (s->dropped)
		doctor_say(d, DOCTOR_WARNING, "drops", "`attribution kernel` misses none",
			   "%" PRIu64 " packets were not seen since xenbwd started: their bytes are counted, "
			   "and unattributed",
			   s->dropped);
	else
		doctor_say(d, DOCTOR_OK, "drops", NULL, "no packet was missed since xenbwd started");
	if (s->stray_packets)
		doctor_say(d, DOCTOR_WARNING, "strays", "see THE SPLIT in xenbwd(8)",
			   "%" PRIu64 " packets (%" PRIu64
			   " bytes) left under a MAC or address that no guest has",
			   s->stray_packets, s->stray_bytes);
	else
		doctor_say(d, DOCTOR_OK, "strays", NULL,
			   "nothing left under a MAC or address that no guest has");
	if (blind)
		doctor_say(
			d, DOCTOR_WARNING, "blind vifs", "`xenbw list-domains` names them",
			"%zu of %zu are behind NAT, or have no MAC and address: their bytes are unattributed",
			blind, s->count);
	else
		doctor_say(d, DOCTOR_OK, "blind vifs", NULL, "none of %zu", s->count);
}

static void check_xenstore(struct doctor *d)
{
	if (d->daemon.xenstore_connected)
		doctor_say(d, DOCTOR_OK, "xenstore", NULL, "xenbwd is connected");
	else
		doctor_say(d, DOCTOR_ERROR, "xenstore", "see that xenstored runs; " LOG,
			   "xenbwd cannot reach it: new vifs are not found");
}

void doctor_daemon(struct doctor *d)
{
	static const char *const asked[] = {"xenstore", "split", "drops", "strays", "blind vifs"};

	check_runs(d);
	check_commits(d);
	if (d->answers) {
		check_xenstore(d);
		check_split(d);
		check_seen(d);
		return;
	}
	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++)
		doctor_say(d, DOCTOR_UNCHECKED, asked[i], NULL, "xenbwd does not answer");
}
