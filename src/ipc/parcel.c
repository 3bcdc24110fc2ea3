/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipc/parcel.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

union control {
	struct cmsghdr head; /* for its alignment */
	char room[CMSG_SPACE(PARCEL_FDS * sizeof(int))];
};

int parcel_send(int fd, const void *message, size_t length, const int *fds, size_t count)
{
	struct iovec bytes = {.iov_base = (void *)(uintptr_t)message, .iov_len = length};
	struct msghdr m = {.msg_iov = &bytes, .msg_iovlen = 1};
	union control control = {0};
	struct cmsghdr *c;

	if (count) {
		m.msg_control = control.room;
		m.msg_controllen = CMSG_SPACE(count * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	}
	return sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)length ? 0 : -1;
}

static int write_all(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = write(fd, bytes, size);

		if (n < 0)
			return -1;
		bytes += n;
		size -= (size_t)n;
	}
	return 0;
}

int parcel_send_table(int fd, const void *message, size_t length, const void *table, size_t size)
{
	int memory = memfd_create("xenbw table", MFD_CLOEXEC), rc = -1, why;

	if (memory < 0)
		return -1;
	if (write_all(memory, table, size) == 0)
		rc = parcel_send(fd, message, length, &memory, 1);
	why = errno;
	close(memory);
	errno = why;
	return rc;
}

long parcel_receive(int fd, void *message, size_t length, int fds[PARCEL_FDS])
{
	struct iovec bytes = {.iov_base = message, .iov_len = length};
	union control control = {0};
	struct msghdr m = {.msg_iov = &bytes,
			   .msg_iovlen = 1,
			   .msg_control = control.room,
			   .msg_controllen = sizeof(control.room)};
	struct cmsghdr *c;
	ssize_t n;

	for (size_t i = 0; i < PARCEL_FDS; i++)
		fds[i] = -1;
	n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return -1;
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
	return n;
}

void *parcel_read_table(int fd, size_t size)
{
	struct stat st;
	char *table;
	size_t done = 0;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (size_t)st.st_size < size)
		return NULL;
	table = mem_alloc(size ? size : 1);
	while (done < size) {
		ssize_t n = pread(fd, table + done, size - done, (off_t)done);

		if (n <= 0) {
			free(table);
			return NULL;
		}
		done += (size_t)n;
	}
	return table;
}
