/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/support/bwcounts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

#define HEAD_MAGIC 0x62776c64u /* "bwld" */

static struct bwcounts *map(int fd)
{
	void *p = mmap(NULL, sizeof(struct bwcounts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

struct bwcounts *bwcounts_create(const char *path, char **err)
{
	char *draft = mem_printf("%s.draft", path);
	struct bwcounts *c = NULL;
	int fd = open(draft, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, sizeof(*c)) < 0 || !(c = map(fd)) || rename(draft, path) < 0) {
		err_sys(err, "cannot make the counts file %s", path);
		c = NULL;
	}
	if (fd >= 0)
		close(fd);
	free(draft);
	return c;
}

struct bwcounts *bwcounts_open(const char *path, char **err)
{
	struct bwcounts *c = NULL;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0 || !(c = map(fd)))
		err_sys(err, "cannot open the counts file %s (is the receiver running?)", path);
	if (fd >= 0)
		close(fd);
	return c;
}

int bwcounts_take_flow(struct bwcounts *c, uint32_t *flow, char **err)
{
	uint64_t n = atomic_fetch_add(&c->flows, 1);

	if (n >= BWCOUNTS_FLOWS)
		return err_set(err, "all %d flows of this receiver are used up", BWCOUNTS_FLOWS);
	*flow = (uint32_t)n;
	return 0;
}

void bwcounts_write_head(void *payload, uint32_t flow)
{
	uint32_t head[2] = {HEAD_MAGIC, flow};

	_Static_assert(sizeof(head) == BWCOUNTS_HEAD, "the head is two words");
	memcpy(payload, head, sizeof(head));
}

void bwcounts_receive(struct bwcounts *c, const void *payload, size_t len)
{
	uint32_t head[2];

	if (len < sizeof(head))
		return;
	memcpy(head, payload, sizeof(head));
	if (head[0] != HEAD_MAGIC || head[1] >= BWCOUNTS_FLOWS)
		return;
	atomic_fetch_add(&c->flow[head[1]].bytes, len);
	atomic_fetch_add(&c->flow[head[1]].packets, 1);
}
