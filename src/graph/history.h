/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * history: what an RRD file knows of a time, each part of it from the finest archive that has it.
 *
 * A year of an RRD file is days, and its last two days slots of five minutes: sums are so exact as the file
 * allows, and the latest slot is in them, which the archive of days does not have yet. Reads a copy of the
 * file.
 */
#ifndef XENBW_HISTORY_H
#define XENBW_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/classes.h"

/* Bytes per second in [from, to); NAN: not known. */
struct history_row {
	int64_t from, to;
	double rate[DIR_COUNT];
};

struct history {
	struct history_row *list; /* apart, in no order */
	size_t count;
	int64_t step;              /* of the coarsest archive that was read; 0: none was */
	double maximum[DIR_COUNT]; /* in the finest steps that the file has maxima of; NAN: not known */
};

/* Only rows in [from, to), cut to it. Release with history_free. */
int history_read(const char *file, int64_t from, int64_t to, struct history *out, char **err);
void history_free(struct history *h);

#endif
