/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * started: what a program does first that xenbwd starts, or has started.
 */
#ifndef XENBW_STARTED_H
#define XENBW_STARTED_H

#include <getopt.h>

/* What a command line may have. `take` is told each option but --help, --version and those that there are
 * none of. */
struct started_arguments {
	const char *name, *usage;
	const char *letters; /* for getopt_long(3) */
	const struct option *options;
	void (*take)(void *ctx, int option);
};

/* Ends the options of each. */
#define STARTED_OPTIONS                                                        \
	{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, \
	{                                                                      \
		NULL, 0, NULL, 0                                               \
	}

/* Takes the command line in, and says what it asks for or what it should be. Returns 0, or 1 + the exit
 * status. */
int started_read(const struct started_arguments *a, int argc, char **argv, void *ctx);

/* Says how it is called; returns what started_read does then. */
int started_misused(const struct started_arguments *a);

/* Whether the descriptor is a socket; else nobody but a person has started this program. */
int started_check_socket(int fd, char **err);

/* For who ends by the end of its socket alone: the signals that end a whole group of processes are ignored.
 */
int started_ignore_signals(char **err);

#endif
