/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * legend: the figures below a picture, as lines of text in columns.
 *
 * Pure. Rates in bit/s and bytes are written as `xenbw report` writes them. "-" is what is not known.
 */
#ifndef XENBW_LEGEND_H
#define XENBW_LEGEND_H

#include <stdbool.h>
#include <stddef.h>

#include "graph/series.h"

struct legend {
	char *heads[2]; /* above the lines; NULL: none */
	char **lines;   /* input and output, or one of each part and one of their sum */
	size_t count;
	char *percentile; /* NULL: none was asked for */
};

/* With `stacked` one line for each part, with input and output side by side. Without `wide` there are fewer
 * columns. Release with legend_free. */
void legend_make(struct legend *l, const struct series *s, bool stacked, bool wide);
void legend_add_percentile(struct legend *l, uint64_t input, uint64_t output); /* bytes per second */
void legend_free(struct legend *l);

/* Text that may be shown, in `room` columns: cut, or filled with blanks where `fill` says so. Characters
 * beyond Latin, Greek and Cyrillic take two columns. */
char *legend_fit(const char *text, size_t room, bool fill);

#endif
