/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * traffic_table: netacct's table `traffic` (under any name) and xenbw_host at a MySQL server.
 *
 * Makes what is missing, and says what is there; never alters or drops a table. The definitions are those of
 * schema/mysql.sql.
 */
#ifndef XENBW_TRAFFIC_TABLE_H
#define XENBW_TRAFFIC_TABLE_H

#include "db/mysql.h"

#define TRAFFIC_COLUMNS 8                 /* counters, in the order of traffic_columns */
#define TRAFFIC_LABEL_MAX 255             /* characters in `ip` */
#define TRAFFIC_MARKER_TABLE "xenbw_host" /* how far each ledger is in the table */

/* What adds the column that the marker's table did not always have. */
#define TRAFFIC_MARKER_ALTER                \
	"ALTER TABLE " TRAFFIC_MARKER_TABLE \
	" ADD COLUMN taken VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT ''"

extern const char *const traffic_columns[TRAFFIC_COLUMNS];

enum traffic_state {
	TRAFFIC_FINE,
	TRAFFIC_MISSING, /* one of the two tables is */
	TRAFFIC_LEGACY,  /* netacct's own: rows cannot be added exactly; or an early xenbw_host */
	TRAFFIC_FOREIGN  /* something else that has the name */
};

/* The statements that make both tables, each ended by ";\n"; free(). */
char *traffic_table_statements(const char *table);

/* Makes the tables that are not there, in the chosen database. An existing one stays as it is. */
int traffic_table_create(struct mysql *m, const char *table, char **err);

/* Looks at both tables. Where the state is not TRAFFIC_FINE, *why says what is wrong and what to do; free().
 */
int traffic_table_check(struct mysql *m, const char *table, enum traffic_state *state, char **why,
			char **err);

/* The same, without a look at xenbw_host. */
int traffic_table_check_alone(struct mysql *m, const char *table, enum traffic_state *state, char **why,
			      char **err);

#endif
