/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * child: how a daemon starts its helper programs.
 *
 * A child gets the descriptors that it is given and no other, standard error (none under syslog), and no
 * blocked or ignored signal.
 */
#ifndef XENBW_CHILD_H
#define XENBW_CHILD_H

#include <stddef.h>
#include <sys/types.h>

#define CHILD_FIRST_FD 3

/* Starts a helper (base/program.h); fds[i] becomes its descriptor CHILD_FIRST_FD + i; they rise, and
 * the first is above CHILD_FIRST_FD. argv ends with NULL, argv[0] is set here. */
int child_start(pid_t *pid, const char *program, char **argv, const int *fds, size_t count, char **err);

/* The same, in a session of its own, and in the folder `/`. */
int child_start_session(pid_t *pid, const char *program, char **argv, const int *fds, size_t count,
			char **err);

/* Starts a program that is no helper, `path`, in a session of its own and in the folder `/`: its standard
 * output and error are `output`, its input is empty. Both lists end with NULL. */
int child_start_other(pid_t *pid, const char *path, char *const argv[], char *const envp[], int output,
		      char **err);

/* The same open file under a number above those that children get; closes fd. -1 on failure. */
int child_fd(int fd);

/* A socket pair whose ends are above the numbers that children get. */
int child_socketpair(int pair[2], char **err);

#endif
