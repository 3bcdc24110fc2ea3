/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * privileges: what a process may still do: every change of capabilities, and of the user.
 *
 * All of it is of the calling thread only, as Linux has it: to be called while there is no other one. What
 * was given up does not come back.
 */
#ifndef XENBW_PRIVILEGES_H
#define XENBW_PRIVILEGES_H

#include <stdbool.h>

#include "base/user.h"

/* No capability, in no set (but for the bounding set, where there is no right to clear it), and none to gain
 * by an exec. Again: changes nothing. */
int privileges_drop(char **err);

/* Neither memory nor descriptors of this process can be had by another one of the same user (ptrace,
 * /proc/PID/mem, pidfd_getfd), and it leaves no core. An exec undoes it. Left out under a sanitizer, whose
 * search for leaks is a ptrace. */
int privileges_hide(char **err);

/* Whether this process may become another user, with another group. */
bool privileges_may_change_user(void);

/* The user's group instead of this process's groups; the user id stays. */
int privileges_take_group(const struct user *u, char **err);

/* Becomes the user, with the primary group and no other, and without any capability. */
int privileges_become(const struct user *u, char **err);

/* Becomes the user (NULL: stays who it is), with the primary group and no other. Of capabilities only the
 * right to open packet sockets stays, permitted and inheritable; what is exec'ed has none unless it is handed
 * on. Where this process has not even that one, it has none afterwards (*raw says so). */
int privileges_keep_raw(const struct user *u, bool *raw, char **err);

/* Of capabilities only the rights to traffic control and to BPF stay, and none goes through an exec.
 * `loading`: the one that the verifier wants for arithmetic on pointers (CAP_PERFMON) as well; again without
 * it drops it. */
int privileges_keep_kernel(bool loading, char **err);

/* Of capabilities only the right to change network devices (CAP_NET_ADMIN) stays, and it goes through no
 * exec.
 */
int privileges_keep_devices(char **err);

/* Whether a program that is exec'ed from now on may open packet sockets. */
int privileges_hand_on_raw(bool on, char **err);

#endif
