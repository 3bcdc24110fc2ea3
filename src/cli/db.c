/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * db: `xenbw db init` and `xenbw db status`: the MySQL database that xenbw-writer feeds.
 */
#include "cli/db.h"

#include <string.h>

#include "base/err.h"
#include "cli/rights.h"

int cli_db(struct cli *cli, char **err)
{
	const char *const *value = cli->args.value, *what = cli->args.words[0];
	bool init = strcmp(what, "init") == 0;

	if (!init && strcmp(what, "status") != 0) {
		err_set(err, "db: unknown word `%s`; write init or status", what);
		return CLI_USAGE;
	}
	if (init && cli->format != OUT_TERMINAL) {
		err_set(err, "db init: has no --json and no --csv");
		return CLI_USAGE;
	}
	if (!init && (value[OPTION_DEFAULTS_FILE] || value[OPTION_PRINT])) {
		err_set(err, "db status: has no --defaults-file and no --print; it uses the account that "
			     "xenbw-writer uses");
		return CLI_USAGE;
	}
	if (cli_configure(cli, err) < 0)
		return CLI_FAILED;
	if (cli->conf.mysql.password_file && !value[OPTION_PRINT] &&
	    rights_to_read(cli->conf.mysql.password_file, "the MySQL password from", false, err) < 0)
		return CLI_FAILED;
	return init ? db_init(cli, err) : db_status(cli, err);
}
