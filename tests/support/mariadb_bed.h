/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mariadb_bed: a real MariaDB for unit tests, by support/mariadb.sh.
 *
 * Whatever goes wrong fails the running test. The server ends with the program, however that ends.
 */
#ifndef XENBW_TEST_MARIADB_BED_H
#define XENBW_TEST_MARIADB_BED_H

#include <stdio.h>
#include <sys/types.h>

#include "config/conf.h"
#include "db/mysql.h"

struct mariadb_bed {
	char *folder, *socket;
	pid_t shell, server;
	FILE *to, *from;
	struct conf_mysql root; /* no password, no database */
};

struct mariadb_bed *mariadb_bed_new(void);
void mariadb_bed_free(struct mariadb_bed *b);

/* A function of mariadb.sh: "mariadb_stop". */
void mariadb_bed_do(struct mariadb_bed *b, const char *command);

/* Starts the server (again), in a time zone. */
void mariadb_bed_start(struct mariadb_bed *b, const char *timezone);

struct mysql *mariadb_bed_open(const struct conf_mysql *c);

/* One statement. */
__attribute__((format(printf, 2, 3))) void mariadb_bed_sql(struct mysql *m, const char *fmt, ...);

/* The first column of a query is exactly this; each row ends with '\n'. */
void mariadb_bed_is(struct mysql *m, const char *query, const char *expected);

#endif
