/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * connections: how many browsers there are at a time, and for how long each may take.
 *
 * evhttp knows neither. Connections are this process's TCP sockets, told apart by the kernel's cookie of
 * each. One that has taken too long for a request and its answer is shut down, whatever trickles in; while
 * there are too many no other is accepted.
 */
#ifndef XENBW_WEB_CONNECTIONS_H
#define XENBW_WEB_CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>

#define CONNECTIONS_MOST 64
#define CONNECTIONS_FDS 128   /* descriptors of this process, with what else is open */
#define CONNECTIONS_ASK 20    /* seconds for a request to come */
#define CONNECTIONS_ANSWER 60 /* for its answer to be taken, and for the next one */

struct connections {
	struct {
		uint64_t cookie; /* 0: none */
		int64_t until;   /* seconds of a clock that is never stepped */
	} list[CONNECTIONS_FDS];
};

/* No more descriptors than CONNECTIONS_FDS for this process. */
int connections_limit(char **err);

/* Are there as many as may be? */
bool connections_full(void);

/* The request of this one has come: it has the time for the answer. */
void connections_served(struct connections *c, int fd, int64_t now);

/* To be called every second or so: ends those that are late. */
void connections_tick(struct connections *c, int64_t now);

#endif
