/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cli_open: what `struct cli` begins and ends with on a command line; who has none (xenbw-web) does without.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/cli.h"

/* How wide the terminal is; 0 where standard output is none, so that nothing is left out for a pipe. */
static size_t terminal_width(void)
{
	struct winsize size;
	uint64_t columns;

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (text_u64(getenv("COLUMNS"), 1, 100000, &columns))
		return columns;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return 80;
}

void cli_resize(struct cli *cli)
{
	cli->screen.width = cli->args.value[OPTION_WIDE] ? 0 : terminal_width();
}

int cli_open(struct cli *cli, int argc, char **argv, char **err)
{
	*cli = (struct cli){.to = stdout, .now = clock_wall()};
	if (args_parse(argc, argv, &cli->args, err) < 0)
		return -1;
	if (cli->args.value[OPTION_JSON])
		cli->format = OUT_JSON;
	else if (cli->args.value[OPTION_CSV])
		cli->format = OUT_CSV;
	cli_resize(cli);
	cli->screen.exact = cli->args.value[OPTION_BYTES] != NULL;
	return 0;
}

void cli_close(struct cli *cli)
{
	args_free(&cli->args);
	conf_free(&cli->conf);
}
