/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * help: what --help shows, made from the table of commands.
 *
 * Writes to standard output.
 */
#ifndef XENBW_HELP_H
#define XENBW_HELP_H

#include "cli/commands.h"

void help_overview(void);
void help_command(const struct cli_command *c);

#endif
