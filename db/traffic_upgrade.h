/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * traffic_upgrade: makes of netacct's table `traffic` one that xenbw-writer can add to, with all that is in
 * it.
 *
 * The old table is only read: its rows are added up, by (ip, time), into a new one beside it; then both
 * change their names at once. Batches and how far they came are committed together, so that it goes on after
 * any interruption without a byte twice. All sums must agree before the names change, and after. The old
 * table stays, under another name, until it is dropped by traffic_upgrade_confirm; traffic_upgrade_rollback
 * takes it back until then.
 */
#ifndef XENBW_TRAFFIC_UPGRADE_H
#define XENBW_TRAFFIC_UPGRADE_H

#include "db/traffic_old.h"

#define UPGRADE_BATCH 10000 /* rows that are copied in one transaction, far below MYSQL_ANSWER_SECONDS */

enum upgrade_stage {
	UPGRADE_NONE,    /* nothing to do */
	UPGRADE_WAITING, /* the old table is in use */
	UPGRADE_BEGUN,   /* some of it is copied */
	UPGRADE_DONE,    /* the new one is in use; the old one is kept */
};

struct upgrade {
	struct mysql *m;
	const char *table;
	char *kept, *made, *back; /* names: of the old table afterwards; of the new one before; where a
				     rollback puts it */
	enum upgrade_stage stage;
	struct traffic_old old;   /* of the old table, whatever its name is now */
	uint64_t last_id, copied; /* UPGRADE_BEGUN: how far it is */
	uint64_t rows_now;        /* after traffic_upgrade_apply: in the new table */
};

/* Looks how it stands, and changes nothing. An error where the table cannot be upgraded, with the way out. */
int traffic_upgrade_open(struct upgrade *u, struct mysql *m, const char *table, char **err);
void traffic_upgrade_close(struct upgrade *u);

/* The statements as an admin may read them; free(). */
char *traffic_upgrade_statements(const struct upgrade *u);

/* How many of the `rows` rows a second are copied here: tried with some of them, into a table that vanishes
 * with the session, and for which the server keeps no log: really it is about half of that. 0: too few to
 * tell. */
int traffic_upgrade_speed(const struct upgrade *u, uint64_t rows, double *rows_a_second, char **err);

/* How often an upgrade adds up a whole table besides. */
#define UPGRADE_SCANS 4

/* Copies, compares and changes the names. `progress` is told now and then how many rows are copied. Where it
 * fails the old table is in use, and the next call goes on. *sums: what was copied. */
typedef void traffic_upgrade_fn(void *ctx, uint64_t rows);
int traffic_upgrade_apply(struct upgrade *u, traffic_upgrade_fn *progress, void *ctx,
			  struct traffic_sums *sums, char **err);

/* UPGRADE_BEGUN: drops what was copied. UPGRADE_DONE: takes the old table back; the new one stays under
 * another name, and *more says whether it has something that the old one has not. */
int traffic_upgrade_rollback(struct upgrade *u, bool *more, char **err);

/* UPGRADE_DONE: drops the old table. */
int traffic_upgrade_confirm(struct upgrade *u, char **err);

#endif
