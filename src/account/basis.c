/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/basis.h"

#define ETHERNET_HEADER 14

struct basis basis_of(bool netback)
{
	return (struct basis){.rx_header = netback ? 0 : ETHERNET_HEADER, .tx_header = ETHERNET_HEADER};
}

uint64_t basis_bytes(struct basis b, const struct counters *c, enum direction dir)
{
	/* the guest's input is what dom0 transmits to it */
	uint64_t bytes = dir == DIR_INPUT ? c->tx_bytes : c->rx_bytes;
	uint64_t header = dir == DIR_INPUT ? c->tx_packets * b.tx_header : c->rx_packets * b.rx_header;

	return bytes > header ? bytes - header : 0; /* a driver may count a packet before its bytes */
}
