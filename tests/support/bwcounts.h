/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bwcounts: what one receiver of the test bed has received, in a file that its senders look at.
 *
 * The file is shared memory between network namespaces, so that a sender can wait for the receiver without a
 * single packet of its own. A sender takes a flow number and puts it at the head of each payload; the
 * receiver counts by flow. Never waits, never resets a count.
 */
#ifndef XENBW_TEST_BWCOUNTS_H
#define XENBW_TEST_BWCOUNTS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define BWCOUNTS_FLOWS 65536
#define BWCOUNTS_WINDOW 64        /* datagrams of one sender on their way at most */
#define BWCOUNTS_HEAD 8           /* bytes of a payload that carry the flow */
#define BWCOUNTS_PAYLOAD_MAX 1472 /* what fits a 1500-byte IP packet */
#define BWCOUNTS_UDP_OVERHEAD 28  /* IPv4 and UDP header */

struct bwflow {
	_Atomic uint64_t packets, bytes; /* bytes of UDP payload */
};

struct bwcounts {
	_Atomic uint64_t flows; /* numbers given away */
	_Atomic uint64_t tcp_bytes;
	struct bwflow flow[BWCOUNTS_FLOWS];
};

/* Makes the file (mode 0600) under its final name only now, so that its being there means "the receiver is
 * ready". NULL and *err when it cannot. The mapping lasts as long as the process. */
struct bwcounts *bwcounts_create(const char *path, char **err);

/* Maps the file of a receiver that is ready. */
struct bwcounts *bwcounts_open(const char *path, char **err);

/* A flow number that nobody else has; -1 and *err when they are used up. */
int bwcounts_take_flow(struct bwcounts *c, uint32_t *flow, char **err);

void bwcounts_write_head(void *payload, uint32_t flow);

/* Counts one datagram with this payload; what has no valid head is not counted. */
void bwcounts_receive(struct bwcounts *c, const void *payload, size_t len);

#endif
