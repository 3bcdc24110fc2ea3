/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * trouble: something that fails for a while, told once.
 *
 * A line when it begins, another when its reason changes, one when it is over; nothing while it lasts.
 */
#ifndef XENBW_TROUBLE_H
#define XENBW_TROUBLE_H

struct trouble {
	const char *what;      /* for the line that says that it is over */
	const char *meanwhile; /* what is so while it lasts */
	char *reason;          /* NULL: all is well */
};

/* How it stands now; reason NULL: well. Takes over the text. */
void trouble_is(struct trouble *t, char *reason);

#endif
