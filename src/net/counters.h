/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * counters: what the kernel counts for one network device, as dom0 sees it.
 *
 * A vif's rx is what the guest sent. The one place where this is turned into the guest's view
 * (input, output) is account/basis.c.
 */
#ifndef XENBW_COUNTERS_H
#define XENBW_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

/* Drivers differ in what they count. */
enum device_kind {
	DEVICE_OTHER,
	DEVICE_NETBACK, /* a guest's vif */
	DEVICE_BRIDGE   /* dom0's own card in a bridge: its rx is what dom0 received */
};

struct counters {
	uint64_t rx_bytes, rx_packets, tx_bytes, tx_packets;
};

/* No counter of `now` is below the one of `before`. */
static inline bool counters_at_least(const struct counters *now, const struct counters *before)
{
	return now->rx_bytes >= before->rx_bytes && now->rx_packets >= before->rx_packets &&
	       now->tx_bytes >= before->tx_bytes && now->tx_packets >= before->tx_packets;
}

#endif
