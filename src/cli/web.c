/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * web: `xenbw web` becomes xenbw-web, which has what it takes to talk to browsers, and no more.
 */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/program.h"
#include "cli/cli.h"
#include "cli/commands.h"

int cli_web(struct cli *cli, char **err)
{
	const char *config = cli->args.value[OPTION_CONFIG], *ledger = cli->args.value[OPTION_LEDGER];
	const char *argv[6] = {"xenbw-web"};
	char *path = program_path(argv[0]);
	size_t n = 1;

	if (config) {
		argv[n++] = "--config";
		argv[n++] = config;
	}
	if (ledger) {
		argv[n++] = "--ledger";
		argv[n++] = ledger;
	}
	/* which changes none of argv, but does not say so */
	execv(path, (char *const *)(uintptr_t)argv);
	err_sys(err, "cannot start %s", path);
	free(path);
	return CLI_FAILED;
}
