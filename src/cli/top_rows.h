/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * top_rows: rates of vifs from one reading to the next, and how they went.
 *
 * Pure: is handed readings and times. A vif whose bytes went back has begun anew, and has no rate until the
 * next reading.
 */
#ifndef XENBW_TOP_ROWS_H
#define XENBW_TOP_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/classes.h"
#include "base/clock.h"

#define TOP_HISTORY 24

struct top_reading {
	unsigned domid, devid;
	const char *domain, *netdev; /* the former may be NULL */
	uint64_t bytes[DIR_COUNT];
};

struct top_row {
	unsigned domid, devid;
	char *domain, *netdev;
	uint64_t bytes[DIR_COUNT];
	bool has_rate, seen;
	uint64_t rate[DIR_COUNT];      /* bytes per second */
	uint64_t history[TOP_HISTORY]; /* sums of both; the newest one first */
	size_t samples;
};

enum top_order { TOP_BY_RATE, TOP_BY_INPUT, TOP_BY_OUTPUT, TOP_BY_NAME };

struct top_rows {
	struct top_row *list;
	size_t count;
	struct mono read;
};

/* A reading of all vifs that there are: others go. */
void top_rows_take(struct top_rows *t, const struct top_reading *vifs, size_t count, struct mono now);
void top_rows_sort(struct top_rows *t, enum top_order order);
void top_rows_free(struct top_rows *t);

/* Whether the domain's or the device's name has this text in it, in any case; all have "". */
bool top_row_has(const struct top_row *r, const char *text);

/* How the rate went, the newest at the right, each in proportion to the largest of them. Allocated. */
char *top_row_sparkline(const struct top_row *r, bool utf8);

/* The order of this word, "rate", "input", "output" or "name"; false where it is none of them. */
bool top_order_named(const char *word, enum top_order *out);
const char *top_order_word(enum top_order order);

#endif
