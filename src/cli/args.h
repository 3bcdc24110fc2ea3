/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * args: the words of the command line, read by the table of commands.
 *
 * Options may stand before or behind the command and between its operands; their unambiguous beginnings work.
 * Reads nothing but argv; errors are for status 2.
 */
#ifndef XENBW_ARGS_H
#define XENBW_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/commands.h"

struct cli_args {
	const struct cli_command *command; /* the default one where none was named */
	bool named;
	const char
		*value[OPTION_COUNT]; /* NULL = not given; "" for what takes no value; the last one counts */
	char **words;                 /* operands */
	size_t count;
	char **argv; /* a copy of the vector, put in order */
};

/* Points into argv. After an error `command` tells what was understood until then. */
int args_parse(int argc, char **argv, struct cli_args *out, char **err);
void args_free(struct cli_args *a);

#endif
