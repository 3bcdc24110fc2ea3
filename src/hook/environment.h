/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * environment: a crossing as the environment of the hook that is called for it (xenbw.conf(5)).
 *
 * Nothing of this process's own environment is in it. Names are passed on as they are; no shell reads them.
 */
#ifndef XENBW_HOOK_ENVIRONMENT_H
#define XENBW_HOOK_ENVIRONMENT_H

#include "ipc/crossing.h"

/* `config`: the path of the configuration. NULL where a number in the crossing means nothing. */
char **environment_new(const struct crossing *c, const char *config);
void environment_free(char **env);

#endif
