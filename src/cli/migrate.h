/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * migrate: the parts of `xenbw migrate`: what it knows, the xenbw.conf that it proposes, how both are shown.
 *
 * migrate_conf makes and writes the proposal, migrate_show and migrate_json are for people and programs;
 * migrate_compare is what comes later, when both have run.
 */
#ifndef XENBW_MIGRATE_H
#define XENBW_MIGRATE_H

#include "cli/cli.h"
#include "cli/migrate_owners.h"
#include "cli/naccttab.h"

struct migrate {
	struct cli *cli;
	struct naccttab tab;
	struct migrate_owners owners;
	char *written; /* path of the file that was made, or NULL */
};

/* The text of a xenbw.conf that does what the naccttab was meant to do; free(). With secrets it is complete,
 * without it can be shown. */
char *migrate_conf_text(const struct migrate *m, bool with_secrets);

/* Is it one that xenbw takes? -1 with the reason. */
int migrate_conf_check(const struct migrate *m, char **err);

/* Makes the file, which must not be there; readable to root alone where a password is in it. */
int migrate_conf_write(const struct migrate *m, const char *path, char **err);

int migrate_show(const struct migrate *m, char **err);
void migrate_json(const struct migrate *m, FILE *to);

/* `xenbw migrate --compare`, while both run; an exit status. */
int migrate_compare(struct cli *cli, char **err);

/* "the toolstack says so" and the like. */
const char *migrate_evidence_text(enum evidence e);

#endif
