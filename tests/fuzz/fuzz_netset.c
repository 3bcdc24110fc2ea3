/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fuzz_netset: any bytes as networks and addresses (libFuzzer), in records of a byte that says what it is,
 * one for the prefix length, and an address: four bytes of IPv4 or sixteen.
 *
 * Each address that stands there, and the first and last of each network with their neighbours, must have the
 * flags that a linear look through the lists gives.
 */
#include <stdlib.h>
#include <string.h>

#include "net/netset.h"

#define LISTS 8
#define MOST 64 /* networks */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct record {
	bool asked;    /* an address that is asked for, else a network */
	unsigned list; /* of a network */
	struct network network;
};

static void cut(struct network *n)
{
	for (unsigned bit = n->bits; bit < 128; bit++)
		n->address[bit / 8] &= (uint8_t) ~(0x80u >> (bit % 8));
}

/* Bytes of the record, 0 at the end of the input. */
static size_t read_record(const uint8_t *data, size_t size, struct record *r)
{
	bool ipv4 = size && data[0] & 0x80;
	size_t len = ipv4 ? 4 : 16;

	if (size < 2 + len)
		return 0;
	*r = (struct record){.asked = data[0] & 0x40, .list = data[0] % LISTS};
	if (ipv4)
		r->network.address[10] = r->network.address[11] = 0xff;
	memcpy(r->network.address + 16 - len, data + 2, len);
	r->network.bits = ipv4 ? 96 + data[1] % 33u : data[1] % 129u;
	if (r->asked)
		r->network.bits = 128;
	cut(&r->network);
	return 2 + len;
}

static void compare(const struct netset *s, const struct networks lists[LISTS], const struct network *host)
{
	unsigned flags = 0;

	for (unsigned l = 0; l < LISTS; l++)
		if (networks_contain(&lists[l], host))
			flags |= 1u << l;
	if (netset_flags(s, host->address) != flags)
		abort();
}

/* The host and the two beside it; beyond the last address comes the first. */
static void compare_around(const struct netset *s, const struct networks lists[LISTS], struct network host)
{
	struct network up = host, down = host;

	for (int i = 15; i >= 0 && ++up.address[i] == 0; i--)
		;
	for (int i = 15; i >= 0 && down.address[i]-- == 0; i--)
		;
	compare(s, lists, &host);
	compare(s, lists, &up);
	compare(s, lists, &down);
}

static void compare_ends(const struct netset *s, const struct networks lists[LISTS], const struct network *n)
{
	struct network first = *n, last = *n;

	for (unsigned bit = n->bits; bit < 128; bit++)
		last.address[bit / 8] |= (uint8_t)(0x80u >> (bit % 8));
	first.bits = last.bits = 128;
	compare_around(s, lists, first);
	compare_around(s, lists, last);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct networks lists[LISTS] = {0};
	struct netset *s = netset_new();
	struct record r;
	size_t at = 0, len, networks = 0;

	for (; (len = read_record(data + at, size - at, &r)) > 0; at += len)
		if (!r.asked && networks++ < MOST)
			networks_add(&lists[r.list], &r.network);
	for (unsigned l = 0; l < LISTS; l++)
		netset_add(s, &lists[l], (uint8_t)(1u << l));
	netset_build(s);
	for (at = 0; (len = read_record(data + at, size - at, &r)) > 0; at += len)
		if (r.asked)
			compare(s, lists, &r.network);
	for (unsigned l = 0; l < LISTS; l++)
		for (size_t i = 0; i < lists[l].count; i++)
			compare_ends(s, lists, &lists[l].list[i]);
	for (unsigned l = 0; l < LISTS; l++)
		networks_free(&lists[l]);
	netset_free(s);
	return 0;
}
