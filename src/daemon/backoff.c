/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/backoff.h"

#define LONGEST_BACKOFF 60 /* seconds between two starts */
#define STEADY_SECONDS 60  /* who lived that long begins again with a short back-off */

void backoff_started(struct backoff *b)
{
	b->started = clock_mono();
}

void backoff_delivered(struct backoff *b)
{
	b->seconds = 0;
}

unsigned backoff_wait(struct backoff *b)
{
	if (clock_mono().ns - b->started.ns > (int64_t)STEADY_SECONDS * 1000000000)
		b->seconds = 0;
	b->seconds = b->seconds ? b->seconds * 2 : 1;
	if (b->seconds > LONGEST_BACKOFF)
		b->seconds = LONGEST_BACKOFF;
	return b->seconds;
}
