/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rrd_bed: what RRD files hold, read back by librrd.
 *
 * For cmocka tests: whatever goes wrong fails the running test.
 */
#ifndef XENBW_TEST_RRD_BED_H
#define XENBW_TEST_RRD_BED_H

#include <stdint.h>
#include <sys/types.h>

/* What rrdtool dump says: the contents without the places in the rings, which librrd picks by chance. free()
 */
char *rrd_bed_dump(const char *path);

int64_t rrd_bed_last(const char *path);

/* The average of the five minutes that begin at `slot`, times 300; NAN where it is unknown. */
double rrd_bed_slot(const char *path, const char *column, int64_t slot);

/* The sum of the above over [from, to), each rounded to whole bytes; *unknown counts those that are unknown.
 */
uint64_t rrd_bed_sum(const char *path, const char *column, int64_t from, int64_t to, unsigned *unknown);

/* rrdtool's create or update, blanks between the words: "create /x.rrd --step 300 …". */
void rrd_bed_tool(const char *words);

/* The xenbw-rrd that was started by `parent` and has this file open; 0: there is none. */
pid_t rrd_bed_worker(pid_t parent, const char *path);

/* How many descriptors a process has. */
int rrd_bed_descriptors(pid_t pid);

#endif
