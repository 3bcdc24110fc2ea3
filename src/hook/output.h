/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * output: what a hook says, line by line into the log.
 *
 * A line that is long is cut, and one that comes behind many is left out, which the log says. What is not
 * text is shown as \xNN.
 */
#ifndef XENBW_HOOK_OUTPUT_H
#define XENBW_HOOK_OUTPUT_H

#include <stddef.h>

#define OUTPUT_LINE 400

struct output {
	int fd; /* not waiting; -1: it is at its end */
	size_t lines, used;
	char line[OUTPUT_LINE];
};

/* Logs all that is there by now. At the end of file it is closed. */
void output_read(struct output *o);

/* Logs what is there, and what stands behind the last line's end; closes it. */
void output_close(struct output *o);

#endif
