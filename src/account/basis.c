/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/basis.h"

#define ETHERNET_HEADER 14

struct basis basis_of(enum device_kind kind)
{
	return (struct basis){.rx_header = kind == DEVICE_OTHER ? ETHERNET_HEADER : 0,
			      .tx_header = ETHERNET_HEADER,
			      .own = kind == DEVICE_BRIDGE};
}

struct basis_side basis_side(struct basis b, const struct counters *c, enum direction dir)
{
	/* a guest's input is what dom0 transmits to it; dom0's own is what it receives */
	bool tx = (dir == DIR_INPUT) != b.own;

	return (struct basis_side){.tx = tx,
				   .bytes = tx ? c->tx_bytes : c->rx_bytes,
				   .packets = tx ? c->tx_packets : c->rx_packets,
				   .header = tx ? b.tx_header : b.rx_header};
}

uint64_t basis_bytes(struct basis b, const struct counters *c, enum direction dir)
{
	struct basis_side s = basis_side(b, c, dir);
	uint64_t header = s.packets * s.header;

	return s.bytes > header ? s.bytes - header : 0; /* a driver may count a packet before its bytes */
}
