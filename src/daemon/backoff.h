/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * backoff: how long xenbwd waits before it starts a helper again that ended.
 *
 * From a second, doubled up to a minute. One that was steady, or has delivered something, ran well: the waits
 * begin anew, whoever killed it. Keeps the reckoning only: starts nothing, sets no timer.
 */
#ifndef XENBW_BACKOFF_H
#define XENBW_BACKOFF_H

#include "base/clock.h"

struct backoff {
	struct mono started;
	unsigned seconds;
};

void backoff_started(struct backoff *b);
void backoff_delivered(struct backoff *b); /* it did its work, which is more than that it started */
unsigned backoff_wait(struct backoff *b);

#endif
