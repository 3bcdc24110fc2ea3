/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xenbw: shows what each Xen domain has sent and received.
 *
 * This file only runs the command that was asked for and turns the outcome into a message and an exit status.
 */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/help.h"

static int run(struct cli *cli, int argc, char **argv, char **err)
{
	if (cli_open(cli, argc, argv, err) < 0)
		return CLI_USAGE;
	if (cli->args.value[OPTION_VERSION]) {
		puts("xenbw " XENBW_VERSION);
		return CLI_OK;
	}
	if (cli->args.value[OPTION_HELP]) {
		if (cli->args.named)
			help_command(cli->args.command);
		else
			help_overview();
		return CLI_OK;
	}
	return cli->args.command->run(cli, err);
}

int main(int argc, char **argv)
{
	char *err = NULL;
	struct cli cli;
	int status;

	setlocale(LC_CTYPE, ""); /* how wide a name is; numbers stay as they are */
	status = run(&cli, argc, argv, &err);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "xenbw: cannot write the output: %s\n", strerror(errno));
		status = CLI_FAILED;
	}
	if (err && status == CLI_USAGE)
		fprintf(stderr, "xenbw: %s\nTry `xenbw help%s%s`.\n", err, cli.args.named ? " " : "",
			cli.args.named ? cli.args.command->name : "");
	else if (err)
		fprintf(stderr, "xenbw: %s\n", err);
	cli_close(&cli);
	free(err);
	return status;
}
