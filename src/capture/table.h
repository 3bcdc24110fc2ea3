/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * table: what was counted for whom since the last answer.
 *
 * Pure: no I/O, no clock of its own. Frames come from anybody; who is there comes from xenbwd, and
 * capture/owners.h says whose a frame is. What nobody or more than one has is a stray. Cannot fail; what
 * strangers can make it remember is bounded.
 */
#ifndef XENBW_CAPTURE_TABLE_H
#define XENBW_CAPTURE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "ipc/capture.h"
#include "net/frame.h"
#include "net/rules.h"

/* MAC and own address pairs without an owner that are kept for each direction, until the next answer: should
 * they turn out to be a vif's by then, it gets what was seen of it. */
#define TABLE_UNKNOWN 1024

/* So many stamps are kept of what came since the last answer, to find what crossed after an instant that is
 * told later. The frames of a vif's flow in one tick share one: a list of all frames would push the guests'
 * data out of the processor's cache. */
#define TABLE_RECENT 65536
#define TABLE_TICK (INT64_C(1) << 17) /* nanoseconds */

struct table;

/* `rules` are the caller's and must outlive the table. Nobody is there yet. */
struct table *table_new(const struct rules *rules);
void table_free(struct table *t);

/* Who is there from now on. What was counted for those who are not listed any more stays until it is
 * answered. */
void table_vifs(struct table *t, const struct capture_vif *vifs, size_t count);

/* Counts a frame, if it is IP. `stamp` is when it crossed, in nanoseconds of any one clock. */
void table_frame(struct table *t, enum direction dir, const struct frame *f, int64_t stamp);

/* What crossed after this instant is late, of what was counted since the last answer and of what comes until
 * the next one; with it what crossed before, but in the same tick. Once for each answer. */
void table_late_after(struct table *t, int64_t stamp);

/* Fills in strays and count, and returns that many records (allocated; by vif, then address). Everything
 * counts from 0 again. */
struct capture_seen *table_answer(struct table *t, struct capture_answer *answer);

#endif
