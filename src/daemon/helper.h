/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * helper: what xenbwd's helper programs have in common: their settings, and when they are started again.
 */
#ifndef XENBW_HELPER_H
#define XENBW_HELPER_H

#include <stdbool.h>

#include "base/clock.h"
#include "config/conf.h"

/* The effective configuration as text on a descriptor, to be read from its beginning: no password on a
 * command line or in an environment. The caller closes it. -1 on failure. */
int helper_settings(const struct conf *conf, bool with_secrets, char **err);

/* How long to wait before one that ended is started again: from a second, doubled up to a minute. One that
 * was steady, or has delivered something, ran well: the waits begin anew, whoever killed it. */
struct helper_backoff {
	struct mono started;
	unsigned seconds;
};

void helper_started(struct helper_backoff *b);
void helper_delivered(struct helper_backoff *b); /* it did its work, which is more than that it started */
unsigned helper_wait(struct helper_backoff *b);

#endif
