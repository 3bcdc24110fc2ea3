/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipc/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

#define FDS_SIZE (CAPTURE_FDS * sizeof(int))

/* Room for the descriptors beside a message, aligned as the kernel wants it. */
union beside {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(FDS_SIZE)];
};

int capture_send(int fd, const void *message, size_t size, const int *fds, size_t count, char **err)
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
static void take_fds(struct msghdr *m, int fds[CAPTURE_FDS])
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
		    c->cmsg_len <= CMSG_LEN(FDS_SIZE))
			memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
}

int capture_receive(int fd, void *message, size_t size, int fds[CAPTURE_FDS], char **err)
{
	struct iovec iov = {.iov_base = message, .iov_len = size};
	union beside beside = {0};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = beside.bytes,
			   .msg_controllen = sizeof(beside.bytes)};
	ssize_t n;

	for (int i = 0; i < CAPTURE_FDS; i++)
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
	capture_close(fds);
	if (n == 0)
		return -1;
	return err_set(err, "a message has %zd bytes instead of %zu%s", n, size,
		       m.msg_flags & MSG_TRUNC ? ", and more" : "");
}

void capture_close(int fds[CAPTURE_FDS])
{
	for (int i = 0; i < CAPTURE_FDS; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
}

int capture_table_pack(const void *records, size_t count, size_t size, char **err)
{
	int fd = memfd_create("xenbw capture", MFD_CLOEXEC);
	size_t left = count * size;
	const char *at = records;

	if (fd < 0)
		return err_sys(err, "cannot make a table");
	while (left) {
		ssize_t n = write(fd, at, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			err_sys(err, "cannot write a table");
			close(fd);
			return -1;
		}
		at += n;
		left -= (size_t)n;
	}
	return fd;
}

void *capture_table_unpack(int fd, size_t count, size_t size, char **err)
{
	struct stat st;
	char *records;
	size_t got = 0;

	/* Seals are a memfd's: reading any other file may take as long as who sent it likes. */
	if (fd < 0 || fcntl(fd, F_GET_SEALS) < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (uint64_t)st.st_size != count * size) {
		err_set(err, "a table of %zu records is missing or of another size", count);
		return NULL;
	}
	records = mem_array(count + 1, size);
	while (got < count * size) {
		ssize_t n = pread(fd, records + got, count * size - got, (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			err_sys(err, "cannot read a table");
			free(records);
			return NULL;
		}
		got += (size_t)n;
	}
	return records;
}
