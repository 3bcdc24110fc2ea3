/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * netns: a network namespace of the test's own, with its own /sys.
 *
 * Nothing that is done in here reaches the host. Whatever goes wrong fails the running test.
 */
#ifndef XENBW_TEST_NETNS_H
#define XENBW_TEST_NETNS_H

#include "tests/support/unit.h"

/* The calling process lives in new network and mount namespaces from now on; /sys shows the new devices. */
void netns_enter(void);

/* Within netns_enter's namespaces: the folder of the built programs, this test's own, is here too. Each user
 * can reach it here, which a folder below /root is not. */
#define NETNS_PROGRAMS "/mnt"
void netns_bind_programs(void);

/* In place of sysfs an empty file system of the same name, for devices that this kernel cannot make. */
void netns_fake_sys(void);

/* Runs a command, its words separated by blanks, and waits for it; it must succeed. */
__attribute__((format(printf, 1, 2))) void netns_run(const char *fmt, ...);

/* A number out of /sys/class/net/DEVICE/LEAF. */
uint64_t netns_number(const char *device, const char *leaf);

#endif
