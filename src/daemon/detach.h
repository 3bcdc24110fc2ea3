/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * detach: going into the background, as nacctd does, but only once all is well.
 *
 * The process that the shell started waits until its child runs or has failed, and exits with what the child
 * says: unlike nacctd's, its exit status can be trusted, and what went wrong is still on the terminal. To be
 * called before there is any thread.
 */
#ifndef XENBW_DETACH_H
#define XENBW_DETACH_H

/* Forks; returns only in the child, with the descriptor for detach_done, or -1. */
int detach_begin(char **err);

/* Lets the parent exit with `status`. From then on the terminal is left alone and messages go to syslog. */
void detach_done(int fd, int status);

#endif
