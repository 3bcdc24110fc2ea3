/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * db: `xenbw db init`, `status` and `upgrade`: the MySQL database that xenbw-writer feeds.
 */
#include "cli/db.h"

#include <string.h>

#include "base/err.h"
#include "cli/rights.h"

/* Which options go with which word. */
static int check_words(const struct cli *cli, char **err)
{
	const char *const *value = cli->args.value, *what = cli->args.words[0];
	bool init = strcmp(what, "init") == 0, upgrade = strcmp(what, "upgrade") == 0;
	int steps = (value[OPTION_APPLY] != NULL) + (value[OPTION_ROLLBACK] != NULL) +
		    (value[OPTION_CONFIRM] != NULL);

	if (!init && !upgrade && strcmp(what, "status") != 0)
		return err_set(err, "db: unknown word `%s`; write init, status or upgrade", what);
	if (init && cli->format != OUT_TERMINAL)
		return err_set(err, "db init: has no --json and no --csv");
	if (upgrade && steps && cli->format != OUT_TERMINAL)
		return err_set(err, "db upgrade: only without --apply, --rollback and --confirm there is "
				    "--json or --csv");
	if (!upgrade && steps)
		return err_set(err, "db %s: has no --apply, no --rollback and no --confirm; upgrade has",
			       what);
	if (steps > 1)
		return err_set(err, "db upgrade: one of --apply, --rollback and --confirm at a time");
	if (!init && value[OPTION_PRINT])
		return err_set(err, "db %s: has no --print%s", what,
			       upgrade ? "; without --apply it prints and does nothing" : "");
	if (!init && !upgrade && value[OPTION_DEFAULTS_FILE])
		return err_set(
			err, "db status: has no --defaults-file; it uses the account that xenbw-writer uses");
	return 0;
}

int cli_db(struct cli *cli, char **err)
{
	const char *what = cli->args.words[0];

	if (check_words(cli, err) < 0)
		return CLI_USAGE;
	if (cli_configure(cli, err) < 0)
		return CLI_FAILED;
	if (cli->conf.mysql.password_file && !cli->args.value[OPTION_PRINT] &&
	    rights_to_read(cli->conf.mysql.password_file, "the MySQL password from", false, err) < 0)
		return CLI_FAILED;
	if (strcmp(what, "init") == 0)
		return db_init(cli, err);
	return strcmp(what, "upgrade") == 0 ? db_upgrade(cli, err) : db_status(cli, err);
}
