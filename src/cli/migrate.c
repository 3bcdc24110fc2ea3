/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * migrate: `xenbw migrate NACCTTAB`: what becomes of nacctd's configuration; which part of the command is
 * meant.
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
	static const enum cli_option_id of_compare[] = {OPTION_MONTH, OPTION_FROM,          OPTION_TO,
							OPTION_ALL,   OPTION_DEFAULTS_FILE, OPTION_BYTES,
							OPTION_CONFIG};
	const char *const *value = cli->args.value;

	if (value[OPTION_COMPARE])
		return !value[OPTION_WRITE] && !value[OPTION_SHADOW]
			       ? 0
			       : err_set(err, "migrate --compare: makes no configuration; leave --write and "
					      "--shadow");
	if (cli->format == OUT_CSV)
		return err_set(err, "migrate: has no --csv without --compare; --json tells all");
	for (size_t i = 0; i < sizeof(of_compare) / sizeof(*of_compare); i++)
		if (value[of_compare[i]])
			return err_set(
				err, "migrate: without --compare it takes no period, --all, --defaults-file, "
				     "--bytes or --config; the naccttab is its operand");
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
		status = cli->args.value[OPTION_COMPARE] ? migrate_compare(cli, err) : run(&m, err);
	naccttab_free(&m.tab);
	migrate_owners_free(&m.owners);
	free(m.written);
	return status;
}
