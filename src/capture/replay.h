/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * replay: how what is in savefiles would be booked, as a table to read.
 *
 * The frames go the way that they go in the worker: the same filter, table and rules. Needs no rights.
 */
#ifndef XENBW_CAPTURE_REPLAY_H
#define XENBW_CAPTURE_REPLAY_H

#include <stddef.h>
#include <stdio.h>

#include "base/classes.h"

struct replay_file {
	const char *path;
	enum direction dir; /* input: what came in at the uplink */
};

struct replay_setup {
	const char *conf, *vifs; /* paths */
	const struct replay_file *files;
	size_t count;
};

/* Prints the table to `out`. A savefile that is damaged is an error, and ends the reading; the table is
 * printed all the same, of all that was read before. */
int replay_run(const struct replay_setup *setup, FILE *out, char **err);

#endif
