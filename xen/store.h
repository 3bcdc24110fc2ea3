/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * store: one connection to xenstored, with "it is not there" kept apart from "the connection is gone".
 *
 * Owns the libxenstore handle. Never connects to /dev/xen/xenbus behind a daemon that died: a read there
 * would wait for ever. Once the connection failed every call fails at once, until store_close and store_open.
 * Only reads and watches, never writes. A daemon that is stopped, not dead, makes a call wait until it goes
 * on.
 */
#ifndef XENBW_STORE_H
#define XENBW_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xenstore.h>

struct store {
	struct xs_handle *xs; /* NULL = closed */
	bool broken;          /* the connection was lost */
	uint64_t requests;    /* round trips made, over all connections */
};

int store_open(struct store *s, char **err);
void store_close(struct store *s); /* nothing to do where it is closed */

/* One round trip; false where there is no connection (any more). Events that happened before it wait in
 * store_event after it. */
bool store_alive(struct store *s);

/* The value of a node with its length, a NUL behind it; free(). NULL where there is none, or no connection.
 */
char *store_read(struct store *s, const char *path, size_t *len);

/* The names of the children; free() the array alone. NULL where there is no such node, or no connection. */
char **store_list(struct store *s, const char *path, unsigned *count);

/* From now on each change of the node or below it is an event; the first comes at once. A daemon that refuses
 * it counts as a lost connection. */
void store_watch(struct store *s, const char *path);
void store_unwatch(struct store *s, const char *path);

/* The path of the next waiting event, or NULL; free(). */
char *store_event(struct store *s);

#endif
