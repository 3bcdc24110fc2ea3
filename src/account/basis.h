/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * basis: kernel counters turned into IP bytes in the guest's view.
 *
 * The one place where rx/tx becomes the domain's input/output, and where link headers are taken off. Pure. A
 * vif's rx is what its guest sent; a bridge device's rx is what dom0 received. Measured: netback and bridges
 * count rx without the 14-byte Ethernet header and tx with it; veth, tun and the others count it in both
 * directions.
 */
#ifndef XENBW_BASIS_H
#define XENBW_BASIS_H

#include <stdint.h>

#include "base/classes.h"
#include "net/counters.h"

struct basis {
	unsigned rx_header, tx_header; /* bytes that the driver counts per packet above the IP packet */
	bool own;                      /* the device is the domain's own card, not the other end of it */
};

struct basis basis_of(enum device_kind kind);

/* One direction of the counters, as the kernel has it, and what is to be taken off. */
struct basis_side {
	bool tx; /* it is the kernel's tx, else rx */
	uint64_t bytes, packets;
	unsigned header;
};

struct basis_side basis_side(struct basis b, const struct counters *c, enum direction dir);

/* IP bytes to (DIR_INPUT) or from (DIR_OUTPUT) the domain since the counters began. */
uint64_t basis_bytes(struct basis b, const struct counters *c, enum direction dir);

#endif
