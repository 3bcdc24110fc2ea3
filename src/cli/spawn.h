/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * spawn: runs one of xenbw's helper programs, without a shell, and waits for it.
 *
 * A helper that exceeds its time is killed; none is left behind.
 */
#ifndef XENBW_SPAWN_H
#define XENBW_SPAWN_H

/* Runs the helper of this name (base/program.h); argv as for exec, argv[0] included. With `output` its
 * standard output is kept there (allocated, at most 16 MiB) and its standard error is dropped; with NULL both
 * are ours. limit_ms -1: as long as it takes. Returns its exit status, or -1 where it could not be started,
 * died of a signal or took too long; *output is set only with a status. */
int spawn_run(const char *name, const char *const argv[], int limit_ms, char **output, char **err);

#endif
