/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * parcel: a fixed message with descriptors beside it, over a SOCK_SEQPACKET socket.
 *
 * A table of any size travels as a memfd: it arrives whole or not at all, and never fills the socket. What is
 * received is copied out; sizes are checked against what is really there.
 */
#ifndef XENBW_PARCEL_H
#define XENBW_PARCEL_H

#include <stddef.h>

#define PARCEL_FDS 2 /* at most, in one message */

/* Sends a message and copies of the descriptors; does not wait. errno says why it failed (EAGAIN: the socket
 * is full).
 */
int parcel_send(int fd, const void *message, size_t length, const int *fds, size_t count);

/* The same, with `size` bytes of a table. */
int parcel_send_table(int fd, const void *message, size_t length, const void *table, size_t size);

/* Takes one message without waiting. Returns its length, 0 at the end of file, -1 with errno. Descriptors
 * that came along are in fds (the caller closes them), others are -1; `length` bytes have room at message. */
long parcel_receive(int fd, void *message, size_t length, int fds[PARCEL_FDS]);

/* Copies exactly `size` bytes out of a table's descriptor; allocated. NULL where there are fewer, or none at
 * all. */
void *parcel_read_table(int fd, size_t size);

#endif
