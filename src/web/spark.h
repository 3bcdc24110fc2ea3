/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * spark: slots of a period as a picture in a page: input as an area, output as a line (inline SVG).
 *
 * Colours are the style sheet's. Slots that xenbwd did not observe are gaps.
 */
#ifndef XENBW_WEB_SPARK_H
#define XENBW_WEB_SPARK_H

#include <stdio.h>

#include "db/usage_slots.h"

/* A small one, beside figures: it is left to those who see. */
void spark_small(FILE *out, const struct usage_slots *s);

/* A large one with its scale; `title` is what a screen reader says. */
void spark_large(FILE *out, const struct usage_slots *s, int64_t to, const char *title);

#endif
