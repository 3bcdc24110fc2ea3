/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * started: what a program does first that xenbwd starts, or has started.
 */
#ifndef XENBW_STARTED_H
#define XENBW_STARTED_H

/* Whether the descriptor is a socket; else nobody but a person has started this program. */
int started_check_socket(int fd, char **err);

/* For who ends by the end of its socket alone: the signals that end a whole group of processes are ignored.
 */
int started_ignore_signals(char **err);

#endif
