/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mysql_bed: the sink for MySQL between a ledger made by hand and a MariaDB server of its own.
 *
 * For cmocka tests: whatever goes wrong fails the running test.
 */
#ifndef XENBW_TEST_MYSQL_BED_H
#define XENBW_TEST_MYSQL_BED_H

#include <stdbool.h>

#include "config/conf.h"
#include "db/mysql.h"
#include "db/mysql_sink.h"
#include "tests/support/ledger_bed.h"
#include "tests/support/mariadb_bed.h"

#define T0 1700006400 /* 2023-11-15 00:00:00 UTC */
#define SLOT(n) (T0 + (int64_t)(n)*300)
#define PASSWORD "p'w\"\\d"

#define ROWS                                                                                     \
	"SELECT CONCAT_WS('|', ip, time, input, output, peer_input, peer_output, direct_input, " \
	"direct_output,"                                                                         \
	" local_input, local_output) FROM traffic ORDER BY ip, time"
#define SHORT_ROWS "SELECT CONCAT_WS('|', ip, time, input, output) FROM traffic ORDER BY ip, time"

extern struct mariadb_bed *mysql_bed_server;

struct mysql_bed {
	struct ledger_bed *ledger;
	struct conf conf;
	struct mysql *root; /* in the test's database */
	struct mysql_sink *sink;
	char *log; /* what it said, level and line */
};

void mysql_bed_hear(void *arg, enum sink_level level, const char *line);
bool mysql_bed_never(void *arg);
void mysql_bed_new_sink(struct mysql_bed *b);
void mysql_bed_make_tables(struct mysql_bed *b);
int mysql_bed_set_up(void **state);
int mysql_bed_tear_down(void **state);
sqlite3 *mysql_bed_db(const struct mysql_bed *b);
void mysql_bed_take(const struct mysql_bed *b, int bucket, int64_t slot, uint64_t input, uint64_t output);

/* A pass that ends with 0 and this sequence to acknowledge, which the ledger then has. */
void mysql_bed_passes(struct mysql_bed *b, int64_t expected);

/* A pass that fails with a text that has these words, in this order. */
void mysql_bed_fails(struct mysql_bed *b, const char *words, const char *more);
void mysql_bed_rows_are(const struct mysql_bed *b, const char *expected);
void mysql_bed_marker_is(const struct mysql_bed *b, const char *expected);

/* The sums of the whole ledger and of the whole table are the same. */
void mysql_bed_sums_are_equal(const struct mysql_bed *b);
int mysql_bed_start_server(void **state);
int mysql_bed_stop_server(void **state);

#endif
