/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * child: how xenbwd starts its helper programs.
 *
 * A child gets the descriptors that it is given and no other, standard error (none under syslog), and no
 * blocked or ignored signal. Settings travel as text on a descriptor: no password on a command line or in an
 * environment.
 */
#ifndef XENBW_CHILD_H
#define XENBW_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "config/conf.h"

#define CHILD_FIRST_FD 3

/* Starts a helper (base/program.h); fds[i] becomes its descriptor CHILD_FIRST_FD + i; each must be above
 * those numbers. argv ends with NULL, argv[0] is set here. */
int child_start(pid_t *pid, const char *program, char **argv, const int *fds, size_t count, char **err);

/* The effective configuration, to be read from its beginning. The caller closes it. -1 on failure. */
int child_settings(const struct conf *conf, bool with_secrets, char **err);

/* A socket pair whose ends are above the numbers that children get. */
int child_socketpair(int pair[2], char **err);

/* How long to wait before a child that ended is started again: from a second, doubled up to a minute; a
 * steady one begins anew. */
struct child_backoff {
	struct mono started;
	unsigned seconds;
};

void child_started(struct child_backoff *b);
unsigned child_wait(struct child_backoff *b);

#endif
