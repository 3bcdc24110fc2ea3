/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * capture_bed: xenbw-guard and xenbw-capture, started and asked as xenbwd does.
 *
 * For cmocka tests: whatever goes wrong fails the running test.
 */
#ifndef XENBW_TEST_CAPTURE_BED_H
#define XENBW_TEST_CAPTURE_BED_H

#include <sys/types.h>

#include "ipc/capture.h"

#define PATIENCE 1000 /* looks, 10 ms apart */

#define GUEST "00:16:3e:00:00:01"
#define OUTSIDE "00:16:3e:fe:fe:fe"
#define NET_RAW 0x2000 /* the bit of CAP_NET_RAW */
#define USER "daemon"  /* every Debian has this one, with uid and gid 1 */
#define ID 1

struct capture_bed {
	char *folder, *log;
	pid_t guard;
	int orders, worker; /* our ends; -1 */
	uint32_t serial;
	struct capture_answer answer;
	struct capture_seen *seen;
};
int capture_bed_make_devices(void **state);
int capture_bed_set_up(void **state);
int capture_bed_tear_down(void **state);

/* Runs it with these arguments and `fd` as descriptor 3 (-1: none); its output goes to the log. */
void capture_bed_start_with(struct capture_bed *b, char *const *argv, int fd);
void capture_bed_start_guard(struct capture_bed *b);
void capture_bed_order_start(struct capture_bed *b, const char *settings, uint32_t flags);
struct capture_vif capture_bed_vif_of(int64_t id, const char *mac, const char *address);
void capture_bed_order_vifs(const struct capture_bed *b, const struct capture_vif *vifs, uint32_t count);
void capture_bed_order_guest(const struct capture_bed *b);

/* Asks, and takes the answer to that. */
void capture_bed_ask_since(struct capture_bed *b, int64_t counted_ns);
void capture_bed_ask(struct capture_bed *b);

/* A worker that answers has opened its devices. */
void capture_bed_start_both(struct capture_bed *b, const char *settings);
void capture_bed_send_frames(const char *device, const char *words);

/* `dir` as vif 7 sees it; bytes and packets of the whole answer, all of one class. */
void capture_bed_expect(const struct capture_bed *b, enum direction dir, enum byte_class class,
			uint64_t bytes, uint64_t packets);
void capture_bed_expect_no_loss(const struct capture_bed *b);
pid_t capture_bed_worker_of(const struct capture_bed *b);
pid_t capture_bed_wait_for_worker(const struct capture_bed *b, pid_t other_than);
uint64_t capture_bed_status_of(pid_t pid, const char *word);
int capture_bed_end_of_guard(struct capture_bed *b);
void capture_bed_expect_log(const struct capture_bed *b, const char *words);
void capture_bed_expect_worker_gone(const struct capture_bed *b);

#endif
