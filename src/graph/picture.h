/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * picture: series and their legend, drawn by librrd as PNG or SVG.
 *
 * One part: input as an area, output as a line. Stacked: the parts' input upwards on each other, their
 * output downwards in the same colours. Knows nothing of files; librrd asks it for the numbers.
 */
#ifndef XENBW_PICTURE_H
#define XENBW_PICTURE_H

#include <rrd.h>
#include <stdbool.h>
#include <stdint.h>

#include "graph/legend.h"
#include "graph/series.h"

#define PICTURE_WIDE 640      /* pixels of plot from which the legend has all its columns */
#define PICTURE_MOST_PARTS 10 /* with a colour of their own */

struct picture {
	const char *title;
	uint64_t width, height; /* of the plot, pixels */
	double zoom;            /* every pixel becomes so many */
	bool svg, dark, stacked;
	double percentile[DIR_COUNT]; /* bytes per second; NAN: no line */
};

/* librrd's answer, with the picture in it; NULL with an error. */
rrd_info_t *picture_draw(const struct picture *p, const struct series *s, const struct legend *l, char **err);

#endif
