/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * migrate: `xenbw migrate NACCTTAB`: what becomes of nacctd's configuration.
 *
 * Changes nothing but for the file that --write names.
 */
#include "cli/migrate.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

static int check_words(const struct cli *cli, char **err)
{
	const char *const *value = cli->args.value;

	if (cli->format == OUT_CSV)
		return err_set(err, "migrate: has no --csv; --json tells all");
	if (value[OPTION_CONFIG])
		return err_set(err, "migrate: takes no --config; the naccttab is its operand");
	return 0;
}

static int run(struct migrate *m, char **err)
{
	const char *to = m->cli->args.value[OPTION_WRITE];

	if (naccttab_read(&m->tab, m->cli->args.words[0], err) < 0 ||
	    migrate_owners_find(&m->owners, &m->tab, err) < 0 || migrate_conf_check(m, err) < 0)
		return CLI_FAILED;
	if (m->owners.no_live)
		cli_note("whose the addresses are is hardly known: %s; run this on the dom0, as root",
			 m->owners.no_live);
	if (to && migrate_conf_write(m, to, err) < 0)
		return CLI_FAILED;
	m->written = to ? mem_strdup(to) : NULL;
	if (m->cli->format == OUT_JSON) {
		migrate_json(m, stdout);
		return CLI_OK;
	}
	return migrate_show(m, err) < 0 ? CLI_FAILED : CLI_OK;
}

int cli_migrate(struct cli *cli, char **err)
{
	struct migrate m = {.cli = cli};
	int status = CLI_USAGE;

	if (check_words(cli, err) == 0)
		status = run(&m, err);
	naccttab_free(&m.tab);
	migrate_owners_free(&m.owners);
	free(m.written);
	return status;
}
