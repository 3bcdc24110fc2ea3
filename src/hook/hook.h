/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * hook: calls the program that the configuration names for what was reached of a quota, one call at a time.
 *
 * Keeps the rights that xenbwd was started with, for what the program may have to do; so which one it is is
 * said at the start and by nobody later, and it is looked at before each call (hook/check.h). No shell is in
 * between. A call that takes too long is killed with all that it started in its process group. Reads nothing
 * but fixed messages of xenbwd (ipc/hook.h) and what the program says.
 */
#ifndef XENBW_HOOK_HOOK_H
#define XENBW_HOOK_HOOK_H

struct hook_setup {
	const char *program; /* path */
	const char *config;  /* path of the configuration, for the program */
};

/* Until xenbwd closes its end of descriptor 3, and the last call is over. */
int hook_run(const struct hook_setup *setup, char **err);

#endif
