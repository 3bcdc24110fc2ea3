/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipc/packet.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

#define FDS_SIZE (PACKET_FDS * sizeof(int))

/* Room for the descriptors beside a message, aligned as the kernel wants it. */
union beside {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(FDS_SIZE)];
};

int packet_send(int fd, const void *message, size_t size, const int *fds, size_t count, char **err)
{
	struct iovec iov = {.iov_base = (void *)message, .iov_len = size};
	union beside beside = {0};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;
	ssize_t n;

	if (count) {
		m.msg_control = beside.bytes;
		m.msg_controllen = CMSG_SPACE(count * sizeof(int));
		c = &beside.align;
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	}
	do
		n = sendmsg(fd, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? err_sys(err, "cannot send a message") : 0;
}

/* The kernel closes what there is no room for. */
static void take_fds(struct msghdr *m, int fds[PACKET_FDS])
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
		    c->cmsg_len <= CMSG_LEN(FDS_SIZE))
			memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
}

int packet_receive(int fd, void *message, size_t size, int fds[PACKET_FDS], char **err)
{
	struct iovec iov = {.iov_base = message, .iov_len = size};
	union beside beside = {0};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = beside.bytes,
			   .msg_controllen = sizeof(beside.bytes)};
	ssize_t n;

	for (int i = 0; i < PACKET_FDS; i++)
		fds[i] = -1;
	n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	/* Who ended with a message unread makes the kernel report a reset, once, before what it sent last. */
	if (n < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNRESET))
		return 0;
	if (n < 0)
		return err_sys(err, "cannot receive a message");
	take_fds(&m, fds);
	if (n == (ssize_t)size && !(m.msg_flags & MSG_TRUNC))
		return 1;
	packet_close(fds);
	if (n == 0)
		return -1;
	return err_set(err, "a message has %zd bytes instead of %zu%s", n, size,
		       m.msg_flags & MSG_TRUNC ? ", and more" : "");
}

void packet_close(int fds[PACKET_FDS])
{
	for (int i = 0; i < PACKET_FDS; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
}
