/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * directory: which vifs there are and whose they are, as the toolstack wrote it into xenstore.
 *
 * Owns the xenstore connection and its watches. Reads only nodes that dom0 owns (backend/vif, a domain's name
 * and vm): never a node that a guest can write. Values may hold any bytes; what is not a sane MAC, address,
 * interface name or uuid is reported once and left out, names become printable text (base/text.h).
 * xenstored going away makes it keep what it knew; directory_probe notices, and connects and watches anew. An
 * empty store is then as good an answer as any other. Where xenstored cannot list all domains (oxenstored,
 * beyond some 700) those without a vif are missing. Waits for a xenstored that is stopped, not dead.
 */
#ifndef XENBW_DIRECTORY_H
#define XENBW_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	XEN_STATE_UNKNOWN = 0,
	XEN_STATE_CONNECTED = 4,
	XEN_STATE_CLOSING = 5,
	XEN_STATE_CLOSED = 6
}; /* xenbus states */

struct xen_vif {
	unsigned domid, devid;
	char *domain; /* the name, "--incoming" and "--migratedaway" still on; NULL while it has none */
	char *uuid; /* 36 lower-case characters, or NULL; both stay when the domain has gone before its vif */
	char *mac;  /* aa:bb:cc:dd:ee:ff, lower case, or NULL */
	char *addresses; /* the toolstack's, canonical (inet_ntop), separated by one blank; NULL when none */
	char *bridge;    /* or NULL */
	char *vifname;   /* the admin's vifname=, or NULL */
	int state;       /* of the backend; XEN_STATE_UNKNOWN while it has none */
	/* How often the backend's state was seen to leave Connected, 0 when the vif appears. Also where it
	 * was back before anybody looked; but not while there was no connection. Leaving once may count
	 * twice. */
	unsigned left_connected;
};

struct xen_domain {
	unsigned domid;
	char *name; /* NULL while it has none */
	char *uuid;
};

struct directory;

/* Connects, registers the watches, reads everything. On failure *d is NULL. Watches start a thread inside
 * libxenstore: drop capabilities before. */
int directory_open(struct directory **d, char **err);

/* The same object without a connection: directory_probe will make it. For a daemon that must not depend on
 * xenstored being there. */
struct directory *directory_new(void);

void directory_close(struct directory *d);

/* Descriptor that becomes readable when there is something to drain; -1 while not connected. It changes when
 * directory_probe connects anew. */
int directory_fd(const struct directory *d);

/* One cheap read, which also brings in every event that happened before it; connects again when the
 * connection is gone. Returns 1 connected, 0 not connected (why is in *err, once per cause). Call
 * directory_drain after it. */
int directory_probe(struct directory *d, char **err);

enum directory_news {
	DIRECTORY_SAME,
	DIRECTORY_STATES, /* of vifs `state` or `left_connected` changed, and nothing else: a guest can do
			     that */
	DIRECTORY_CHANGED /* vifs or domains did */
};

/* Handles all waiting events and re-reads what they touched. */
enum directory_news directory_drain(struct directory *d);

/* What is there, sorted by domid, devid; valid until the next probe, drain or close. */
const struct xen_vif *directory_vifs(const struct directory *d, size_t *count);
const struct xen_domain *directory_domains(const struct directory *d, size_t *count);

/* One line about the next value that was left out as not sane (path, what was wrong), and the number of the
 * domain that it is about ("": none), both allocated; false when there is none. Each value is reported once
 * for as long as it stays the same. */
bool directory_complaint(struct directory *d, char **line, char **guest);

/* How many round trips to xenstored were made since directory_new: what the watching costs. */
uint64_t directory_requests(const struct directory *d);

#endif
