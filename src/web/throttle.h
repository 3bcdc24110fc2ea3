/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * throttle: how often a password may be tried: five times and then once in 30 seconds for a name, and 20
 * times and then once a second for all names together.
 *
 * Names share a fixed number of places, by a hash with a random seed, so that what is made up takes no
 * memory. A client's address is not looked at: behind a proxy all have the same one. Reads no clock: `now` is
 * handed in, in seconds of a clock that is never stepped.
 */
#ifndef XENBW_WEB_THROTTLE_H
#define XENBW_WEB_THROTTLE_H

#include <stdint.h>

#define THROTTLE_PLACES 1024
#define THROTTLE_NAME_TRIES 5
#define THROTTLE_NAME_SECONDS 30
#define THROTTLE_ALL_TRIES 20
#define THROTTLE_ALL_SECONDS 1

struct throttle_place {
	int64_t free_at; /* when all tries will be there again */
};

struct throttle {
	uint64_t seed;
	struct throttle_place all, places[THROTTLE_PLACES];
};

int throttle_init(struct throttle *t, char **err);

/* Takes a try: 0, or the seconds until there is one. */
unsigned throttle_take(struct throttle *t, const char *name, int64_t now);

/* It was the right password: this name has all its tries again. */
void throttle_forgive(struct throttle *t, const char *name);

#endif
