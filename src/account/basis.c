/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/basis.h"

#define ETHERNET_HEADER 14

struct basis basis_of(enum device_kind kind)
{
	return (struct basis){.rx_header = kind == DEVICE_OTHER ? ETHERNET_HEADER : 0,
			      .tx_header = ETHERNET_HEADER,
			      .own = kind == DEVICE_BRIDGE};
}

uint64_t basis_bytes(struct basis b, const struct counters *c, enum direction dir)
{
	/* a guest's input is what dom0 transmits to it; dom0's own is what it receives */
	bool tx = (dir == DIR_INPUT) != b.own;
	uint64_t bytes = tx ? c->tx_bytes : c->rx_bytes;
	uint64_t header = tx ? c->tx_packets * b.tx_header : c->rx_packets * b.rx_header;

	return bytes > header ? bytes - header : 0; /* a driver may count a packet before its bytes */
}
