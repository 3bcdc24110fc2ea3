/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * detach: going into the background, as nacctd does, but only once all is well.
 *
 * The process that the shell started starts its own program once more, in a session of its own, waits until
 * that one runs or has ended, and exits with its status: unlike nacctd's, its exit status can be trusted, and
 * what went wrong is still on the terminal. Nothing is read or opened before by the one that goes: all that
 * they share is a pipe.
 */
#ifndef XENBW_DETACH_H
#define XENBW_DETACH_H

/* The option by which the second process is told its end of the pipe. */
#define DETACH_OPTION "status-fd"

/* Starts the second process with `-c path`, or without it where path is NULL. Returns the status to exit
 * with. */
int detach_start(const char *path);

/* In the second process: is this (the option's value) really such an end? Returns the descriptor, or -1. From
 * then on helpers are started for syslog. */
int detach_begun(const char *value);

/* Lets the first process exit with status 0. From then on the terminal is left alone and messages go to
 * syslog. One that ends without this lets it exit with its own status. */
void detach_done(int fd);

#endif
