/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * network: an IPv4 or IPv6 network as it stands in a configuration file.
 *
 * Pure. Understands `address mask`, `address/mask`, `address/bits` and a bare address. What netacct read
 * differently (host bits that are set, a missing mask) is taken as meant, and said.
 */
#ifndef XENBW_NETWORK_H
#define XENBW_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* IPv4 is mapped (::ffff:a.b.c.d), so that one comparison serves both; bits then count from 96. */
struct network {
	uint8_t address[16];
	unsigned bits; /* 0..128, of the 16 bytes; all bits of `address` behind them are 0 */
};

struct networks {
	struct network *list;
	size_t count;
};

/* *note (allocated, or NULL) says what netacct would have made of it, where that differs. */
int network_parse(const char *text, struct network *out, char **note, char **err);

/* One address without a mask. */
bool network_address(const char *text, struct network *out);

/* Canonical: "10.0.0.0/8", "2001:db8::/32"; allocated. */
char *network_text(const struct network *n);

/* Is it one single address? */
bool network_is_host(const struct network *n);

bool network_is_ipv4(const struct network *n);

/* Is the address `host` in it? ::/0 holds no IPv4 address, mapped as it may be. */
bool network_contains(const struct network *n, const struct network *host);
bool networks_contain(const struct networks *set, const struct network *host);

void networks_add(struct networks *set, const struct network *n);
void networks_free(struct networks *set);

#endif
