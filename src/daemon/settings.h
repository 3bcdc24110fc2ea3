/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * settings: what xenbwd hands its helpers as their settings (conf_receive reads it).
 *
 * The effective configuration as text in a file without a name: no password on a command line, in an
 * environment or in a folder.
 */
#ifndef XENBW_SETTINGS_H
#define XENBW_SETTINGS_H

#include <stdbool.h>

#include "config/conf.h"

/* A descriptor, to be read from its beginning. The caller closes it. -1 on failure. */
int settings_fd(const struct conf *conf, bool with_secrets, char **err);

#endif
