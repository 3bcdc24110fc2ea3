/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * alias: names of domains as aliases of network devices (IFLA_IFALIAS), which `ip link` and SNMP show.
 *
 * Ours begin with ALIAS_MARK: by that they are known, by whatever process, and an alias of anybody else is
 * left alone. Wants CAP_NET_ADMIN. Reads and writes nothing else of a device.
 */
#ifndef XENBW_NET_ALIAS_H
#define XENBW_NET_ALIAS_H

#define ALIAS_MARK "xenbw:"

struct alias;

/* On failure *out is NULL. */
int alias_open(struct alias **out, char **err);
void alias_close(struct alias *a);

/* Returns 0; 1 where the device has an alias of somebody else, or is gone. */
int alias_set(struct alias *a, unsigned ifindex, const char *name, char **err);

/* Takes all of ours away. */
int alias_clear(struct alias *a, char **err);

#endif
