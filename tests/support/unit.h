/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * unit: what every unit test needs: cmocka, repeatable random numbers, a directory to make a mess in.
 *
 * Whatever goes wrong in here fails the running test.
 */
#ifndef XENBW_TEST_UNIT_H
#define XENBW_TEST_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct random {
	uint64_t state;
};

/* Seeded by the environment's SEED, else by the clock; the seed is printed, so that a failure can be had
 * again. */
struct random random_new(void);
uint64_t random_next(struct random *r);

/* 0 .. n - 1 */
uint64_t random_below(struct random *r, uint64_t n);

/* A new directory; allocated. */
char *scratch_new(void);

/* Removes it with all that is in it, and frees the name. */
void scratch_free(char *dir);

/* Writes a file of exactly these bytes. */
void scratch_write(const char *path, const void *bytes, size_t len);

/* All of a file, allocated, with a NUL behind it. */
char *scratch_read(const char *path, size_t *len);

#endif
