/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipc/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

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
