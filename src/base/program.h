/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * program: where xenbw's helper programs are.
 */
#ifndef XENBW_PROGRAM_H
#define XENBW_PROGRAM_H

/* The path of a helper: beside the running program where it is there (a build directory), else in libexec.
 * Allocated. Whether it can be run shows when it is. */
char *program_path(const char *name);

#endif
