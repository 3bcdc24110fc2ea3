/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * doctor_host: clock, time zone, versions (cli/doctor.h).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/doctor.h"
#include "cli/spawn.h"

#define VERSION_LIMIT_MS 3000
#define STATES_LIMIT_MS 12000 /* it gives up by itself before */

static void check_clock(struct doctor *d)
{
	struct timex t = {0};
	int64_t ahead = d->known.run.boot ? d->known.run.seen - d->cli->now : 0;

	if (ahead > 5)
		doctor_say(d, DOCTOR_ERROR, "clock",
			   "set it by NTP; bytes go to one slot until it has caught up",
			   "the ledger's last commit is %" PRId64 " s ahead of it: it was stepped back",
			   ahead);
	else if (adjtimex(&t) < 0)
		doctor_say(d, DOCTOR_UNCHECKED, "clock", NULL, "the kernel cannot be asked: %s",
			   strerror(errno));
	else if (t.status & STA_UNSYNC)
		doctor_say(d, DOCTOR_WARNING, "clock", "run chrony or systemd-timesyncd",
			   "nothing keeps it right, as far as the kernel knows");
	else
		doctor_say(d, DOCTOR_OK, "clock", NULL, "it is kept right");
}

/* That there is such a zone was seen when the configuration was read. */
static void check_zone(struct doctor *d)
{
	const char *zone = d->cli->conf.timezone;
	char *now = period_local(d->cli->now);

	doctor_say(d, DOCTOR_OK, "time zone", NULL, "%s; it is %s", zone ? zone : "the system's", now);
	free(now);
}

/* The first line of a file, or NULL. */
static char *line_of(const char *path)
{
	char text[128] = "";
	FILE *f = fopen(path, "re");

	if (!f)
		return NULL;
	if (!fgets(text, sizeof(text), f))
		*text = '\0';
	fclose(f);
	text[strcspn(text, "\n")] = '\0';
	return mem_strdup(text);
}

static void check_xen(struct doctor *d)
{
	char *major = line_of("/sys/hypervisor/version/major"),
	     *minor = line_of("/sys/hypervisor/version/minor");
	struct utsname u = {0};

	(void)uname(&u);
	if (major && minor)
		doctor_say(d, DOCTOR_OK, "Xen", NULL, "%s.%s, Linux %s", major, minor, u.release);
	else
		doctor_say(d, DOCTOR_WARNING, "Xen",
			   "on another host than the dom0 only a ledger's copy can be looked at",
			   "this kernel (Linux %s) runs under none", u.release);
	free(major);
	free(minor);
}

/* Only under Xen: elsewhere it has nobody to ask. */
static void check_states(struct doctor *d)
{
	static const char *const argv[] = {"xenbw-xl", NULL};
	char *text = NULL;

	if (access("/sys/hypervisor/version/major", F_OK) != 0)
		return;
	if (spawn_run(argv[0], argv, STATES_LIMIT_MS, &text, NULL) == 0)
		doctor_say(d, DOCTOR_OK, "states", NULL, "libxenlight tells the domains' states");
	else
		doctor_say(d, DOCTOR_WARNING, "states",
			   "run xenbw-xl, it says why; after an upgrade of Xen's libraries boot the host",
			   "libxenlight cannot ask the hypervisor for the domains' states; counting goes on");
	free(text);
}

/* All programs must be of one version: they speak to each other. */
static void check_programs(struct doctor *d)
{
	static const char *const names[] = {"xenbw-guard", "xenbw-writer", "xenbw-rrd", "xenbw-capture",
					    "xenbw-tc",    "xenbw-graph",  "xenbw-xl"};
	const size_t count = sizeof(names) / sizeof(*names);
	size_t fine = 0;

	for (size_t i = 0; i < count; i++) {
		const char *const argv[] = {names[i], "--version", NULL};
		char *text = NULL, *err = NULL, *should = mem_printf("%s %s\n", names[i], XENBW_VERSION);
		int rc = spawn_run(names[i], argv, VERSION_LIMIT_MS, &text, &err);

		if (rc != 0)
			doctor_say(d, strcmp(names[i], "xenbw-xl") == 0 ? DOCTOR_WARNING : DOCTOR_ERROR,
				   "programs", "install all of xenbw again, with the libraries that it needs",
				   "%s does not start%s%s", names[i], err ? ": " : "", err ? err : "");
		else if (strcmp(text, should) != 0)
			doctor_say(d, DOCTOR_ERROR, "programs",
				   "install all of them again, and restart xenbwd",
				   "%s is of another version than this xenbw, %s", names[i], XENBW_VERSION);
		else
			fine++;
		free(should);
		free(text);
		free(err);
	}
	if (fine == count)
		doctor_say(d, DOCTOR_OK, "programs", NULL, "xenbw and its %zu helpers are version %s", count,
			   XENBW_VERSION);
}

void doctor_host(struct doctor *d)
{
	check_clock(d);
	check_zone(d);
	check_xen(d);
	check_states(d);
	check_programs(d);
}
