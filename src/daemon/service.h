/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * service: the life of xenbwd from its configuration to its exit status.
 *
 * Owns the settings in force and what lives by them: pid file, guard, ledger, and the daemon that a reload
 * ends and makes anew. Settings that cannot be read or do not work leave those from before in force. Where
 * not even these work any more it ends; it never leaves two daemons, or two ledgers, counting the same bytes.
 */
#ifndef XENBW_SERVICE_H
#define XENBW_SERVICE_H

#include <stdbool.h>

#include "config/conf.h"

struct service;

/* `path`: of the configuration, absolute. `named`: by the command line; then it must be there. Reads nothing
 * yet. */
struct service *service_new(const char *path, bool named);

/* Reads the settings; logs what they are warned of. */
int service_read(struct service *s, char **err);
const struct conf *service_conf(const struct service *s);

/* Starts, once the settings are read, and runs until it is asked to stop or cannot go on. fd: of the process
 * that waits for this one (detach.h), or -1. Returns the status to exit with; the reason of one that is not 0
 * is in the log. */
int service_run(struct service *s, int fd);

void service_free(struct service *s);

#endif
