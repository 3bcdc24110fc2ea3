/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * sandbox: takes from the process that reads strangers' packets every system call that it does not need.
 *
 * Afterwards no file can be opened, no program started, and no socket made but for the one that the C library
 * makes anew when syslog was restarted. Whoever calls what is not on the list is killed at once, by SIGSYS.
 * It cannot be undone, and does not free who holds a descriptor from using it.
 */
#ifndef XENBW_CAPTURE_SANDBOX_H
#define XENBW_CAPTURE_SANDBOX_H

/* A sanitizer's runtime opens /proc/self/maps, starts threads and more; and the calls are known by the names
 * that they have on 64-bit machines. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __SIZEOF_POINTER__ != 8
#define SANDBOX_LEFT_OUT 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define SANDBOX_LEFT_OUT 1
#endif
#endif
#ifndef SANDBOX_LEFT_OUT
#define SANDBOX_LEFT_OUT 0
#endif

/* To be called by a process of one thread, with all that it reads open and its capabilities dropped. -1: the
 * kernel, or who started us, does not let us; nothing is changed then. Where it is left out it does nothing,
 * and returns 0. */
int sandbox_enter(char **err);

#endif
