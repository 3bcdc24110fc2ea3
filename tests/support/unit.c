/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/support/unit.h"

#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"

struct random random_new(void)
{
	const char *given = getenv("SEED");
	struct timespec now;
	struct random r;

	clock_gettime(CLOCK_REALTIME, &now);
	r.state =
		given ? strtoull(given, NULL, 10) : (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	printf("# SEED=%" PRIu64 "\n", r.state);
	return r;
}

/* splitmix64 */
uint64_t random_next(struct random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint64_t random_below(struct random *r, uint64_t n)
{
	return random_next(r) % n;
}

char *scratch_new(void)
{
	const char *base = getenv("TMPDIR");
	char *dir = mem_printf("%s/xenbw-test-XXXXXX", base ? base : "/tmp");

	assert_non_null(mkdtemp(dir));
	return dir;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

void scratch_free(char *dir)
{
	assert_int_equal(nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	free(dir);
}

void scratch_write(const char *path, const void *bytes, size_t len)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

char *scratch_read(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	char *bytes;
	long size;

	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	size = ftell(f);
	assert_true(size >= 0);
	rewind(f);
	bytes = mem_alloc((size_t)size + 1);
	*len = fread(bytes, 1, (size_t)size, f); /* sysfs says a page and has less */
	assert_false(ferror(f));
	fclose(f);
	return bytes;
}
