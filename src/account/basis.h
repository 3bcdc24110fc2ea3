/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * basis: kernel counters turned into IP bytes in the guest's view.
 *
 * The one place where dom0's rx/tx becomes the guest's output/input, and where link headers are taken off.
 * Pure. Measured: netback counts rx without the 14-byte Ethernet header and tx with it; veth, tun and the
 * others count it in both directions.
 */
#ifndef XENBW_BASIS_H
#define XENBW_BASIS_H

#include <stdint.h>

#include "base/classes.h"
#include "net/counters.h"

struct basis {
	unsigned rx_header, tx_header; /* bytes that the driver counts per packet above the IP packet */
};

/* The basis of a device: netback's, or any other driver's. */
struct basis basis_of(bool netback);

/* IP bytes to (DIR_INPUT) or from (DIR_OUTPUT) the guest since the counters began. */
uint64_t basis_bytes(struct basis b, const struct counters *c, enum direction dir);

#endif
