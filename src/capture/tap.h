/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * tap: the frames that cross a device in one direction, or those of a savefile.
 *
 * The kernel filters, cuts each frame to its headers and keeps it in a ring that is read without system
 * calls. Nobody is made to wait: what the ring has no room for is dropped and counted. The only file that
 * knows libpcap. Errors name the device or file and what to do.
 */
#ifndef XENBW_CAPTURE_TAP_H
#define XENBW_CAPTURE_TAP_H

#include <stdint.h>

#include "base/classes.h"
#include "net/frame.h"

struct tap;

/* A frame and when it crossed, by the kernel's wall clock, in nanoseconds. libpcap tells the microsecond;
 * this is its last nanosecond. */
typedef void (*tap_fn)(void *ctx, const struct frame *f, int64_t stamp);

/* Needs the right to open packet sockets (CAP_NET_RAW). The direction is the guests' view: output leaves
 * through the device. What comes to group addresses is left out: it names no vif. */
int tap_open(struct tap **tap, const char *device, enum direction dir, char **err);

/* A savefile: pcap or pcapng. It does not know directions; `dir` says which one it was. */
int tap_open_file(struct tap **tap, const char *path, enum direction dir, char **err);
void tap_close(struct tap *tap);

/* Readable where frames are waiting. */
int tap_fd(const struct tap *tap);

/* Hands over what the kernel shows, at most all that the ring held at the call; of a file, all of it. Error:
 * the device is gone; the file is damaged, and what stands before the damage was handed over. */
int tap_drain(struct tap *tap, tap_fn fn, void *ctx, char **err);

/* The kernel shows frames up to 40 ms late, but knows their number: notes how many have come by
 * now. What was dropped since the last mark is added to *dropped. */
int tap_mark(struct tap *tap, uint64_t *dropped, char **err);

/* How many of those that had come at the last mark were not handed over yet, those that were given up
 * included. */
uint32_t tap_behind(const struct tap *tap);

/* As tap_drain, but of those that had come at the last mark only. */
int tap_drain_marked(struct tap *tap, tap_fn fn, void *ctx, char **err);

/* Those that tap_behind tells never will be handed over; returns how many of them had not been given up
 * before. */
uint32_t tap_give_up(struct tap *tap);

#endif
