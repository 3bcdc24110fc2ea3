/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * settings: what xenbwd tells its writer of the configuration.
 *
 * The text comes over a descriptor, since it may hold a password; it is read to its end, and then the
 * descriptor is closed.
 */
#ifndef XENBW_WRITER_SETTINGS_H
#define XENBW_WRITER_SETTINGS_H

#include "config/conf.h"

/* `conf` holds the defaults. */
int settings_read(int fd, struct conf *conf, char **err);

#endif
