/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * traffic_marker: this ledger's row in xenbw_host, which says how far the table `traffic` is.
 *
 * Beside the sequence it has what tells that sequence's take from any other, so that a ledger which was put
 * back, or a copy of it on another host, is not taken for the one that the bytes came from. Reads and writes
 * the row, and judges whether it and the ledger fit; begins and ends no transaction.
 */
#ifndef XENBW_TRAFFIC_MARKER_H
#define XENBW_TRAFFIC_MARKER_H

#include <stdbool.h>
#include <stdint.h>

#include "db/mysql.h"
#include "db/traffic_source.h"

void traffic_marker_clear(struct traffic_marker *marker);

/* The ledger's uuid comes as a literal in quotes. Nothing is left to free where none is found. */
int traffic_marker_read(struct mysql *m, const char *uuid, struct traffic_marker *out, bool *found,
			char **err);

/* The first one of a ledger; one that is there stays. */
int traffic_marker_insert(struct mysql *m, const char *uuid, int64_t seq, char **err);

/* From where it was found to the take `taken`. Returns how many rows that changed: none where it moved
 * meanwhile. */
int64_t traffic_marker_move(struct mysql *m, const char *uuid, int64_t from, int64_t to, const char *taken,
			    char **err);

/* Whether bytes may be written: `ledger` was read with this marker; NULL: there is none yet. -1 says why not
 * and how to go on. `path` is the ledger's. */
int traffic_marker_check(const struct traffic_marker *marker, const struct traffic_ledger *ledger,
			 struct mysql *m, const char *table, const char *path, char **err);

/* The host that wrote last, where it is not this one; NULL: it is. */
const char *traffic_marker_other_host(const struct traffic_marker *marker);

#endif
