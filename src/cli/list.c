/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * list: `xenbw list-domains`, once or again and again.
 */
#include "base/err.h"
#include "cli/commands.h"
#include "cli/list_domains.h"
#include "cli/watch.h"

static int list(struct cli *cli, char **err)
{
	struct listing l = {.cli = cli};
	int status = CLI_FAILED;

	if (listing_gather(&l, err) == 0)
		status = list_domains_write(&l, err);
	listing_free(&l);
	return status;
}

int cli_list_domains(struct cli *cli, char **err)
{
	const char *interval = cli->args.value[OPTION_INTERVAL];
	unsigned seconds;

	if (watch_seconds(interval, 2, &seconds, err) < 0)
		return CLI_USAGE;
	if (cli_configure(cli, err) < 0)
		return CLI_FAILED;
	if (!cli->args.value[OPTION_WATCH] && !interval)
		return list(cli, err);
	if (cli->format == OUT_TERMINAL)
		return watch_run(cli, seconds, list, err);
	err_set(err, "list-domains: --watch is for people, without --json and --csv");
	return CLI_USAGE;
}
