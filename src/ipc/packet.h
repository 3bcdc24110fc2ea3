/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * packet: a fixed message, and descriptors beside it, over a SOCK_SEQPACKET socket.
 *
 * What is in a message is its own header's; nothing here looks into one. Whole messages or none: what has
 * another size than the receiver expects is an error.
 */
#ifndef XENBW_IPC_PACKET_H
#define XENBW_IPC_PACKET_H

#include <stddef.h>

#define PACKET_FDS 2 /* at most so many descriptors come with a message */

/* Sends a message with `count` descriptors (at most PACKET_FDS), which stay the caller's. Waits while the
 * socket is full. */
int packet_send(int fd, const void *message, size_t size, const int *fds, size_t count, char **err);

/* Takes a message of exactly this size, without waiting; descriptors that came with it are the caller's to
 * close, -1 where none came. Returns 1; 0: none is waiting; -1: end of file (*err stays NULL), or a message
 * of another size. */
int packet_receive(int fd, void *message, size_t size, int fds[PACKET_FDS], char **err);
void packet_close(int fds[PACKET_FDS]);

#endif
