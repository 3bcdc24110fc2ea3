/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * series: what is drawn: parts (domains), the busiest first, on one grid of time, with their figures.
 *
 * Pure arithmetic. Figures come from the histories themselves, not from the grid: the sum of a part is the
 * sum of its rows.
 */
#ifndef XENBW_SERIES_H
#define XENBW_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "graph/history.h"

/* Bytes per second, and bytes; NAN: not known. */
struct series_figures {
	double current, average, maximum, total;
};

struct series_part {
	char *name;
	struct series_figures figures[DIR_COUNT];
	double *rate[DIR_COUNT]; /* bytes per second, by cell; NAN: not known */
};

struct series {
	int64_t from, to;    /* what was asked for */
	int64_t start, step; /* of the grid, which has its edges on multiples of the step */
	size_t cells;
	struct series_part *list; /* the most bytes first; what was merged comes last */
	size_t count;
	size_t merged; /* so many are in the last one together; 0: none are */
	struct series_part sum;
	bool known; /* anything is, of this time */
};

/* One part to be taken in. */
struct series_source {
	const char *name;
	struct history history;
};

/* Of the sources (which it sorts) the `most` with the most bytes, and the others together. Release with
 * series_free. With `stacked` a cell's rates are of the time in which anything is known of any of them. */
void series_make(struct series *s, struct series_source *sources, size_t count, size_t most, bool stacked,
		 int64_t from, int64_t to);
void series_free(struct series *s);

#endif
