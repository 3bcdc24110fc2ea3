/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * doctor: what the families of `xenbw doctor` share: what they look at, and how they say what they found.
 *
 * Each family is one file and looks at one thing. None of them changes anything, ends the program, or leaves
 * out a check without saying why.
 */
#ifndef XENBW_DOCTOR_H
#define XENBW_DOCTOR_H

#include "cli/cli.h"
#include "cli/live.h"
#include "ipc/control.h"

enum doctor_result { DOCTOR_OK, DOCTOR_UNCHECKED, DOCTOR_WARNING, DOCTOR_ERROR, DOCTOR_RESULTS };

struct doctor_finding {
	enum doctor_result result;
	const char *family, *check; /* static text */
	char *text, *todo;          /* todo: what to do, or NULL */
};

struct doctor {
	struct cli *cli;
	const char *family; /* that is looking */
	char *boot;
	struct ledger_file ledger;
	bool has_ledger;
	char *no_ledger;         /* why it cannot be read, with what to do; NULL: there is none, or it can */
	struct usage_vifs known; /* without their bytes; empty where there is no ledger */
	bool has_live;
	char *no_live;
	struct live live;
	bool answers; /* xenbwd does */
	bool silent;  /* nothing listens; else no_daemon says why not */
	char *no_daemon;
	struct control_status daemon;
	struct doctor_finding *list;
	size_t count;
};

/* What was found: `todo` is copied, or NULL. */
void doctor_say(struct doctor *d, enum doctor_result result, const char *check, const char *todo,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* That a check could not be made, for this reason (which is freed). */
void doctor_failed(struct doctor *d, const char *check, char *reason);

/* Where there is no ledger to read, says so of a check; false: there is one. */
bool doctor_lacks_ledger(struct doctor *d, const char *check);

/* ---- the families ---- */

typedef void doctor_family_fn(struct doctor *d);
doctor_family_fn doctor_daemon, doctor_ledger, doctor_vifs, doctor_kernel, doctor_mysql, doctor_rrd,
	doctor_host, doctor_rights;

#endif
