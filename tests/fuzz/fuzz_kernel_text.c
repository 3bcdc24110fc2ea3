/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fuzz_kernel_text: any bytes as /proc/net/nf_conntrack, /proc/net/softnet_stat and /proc/net/arp
 * (libFuzzer).
 *
 * A line can name two translated addresses at most; a look only takes processors out, and whether it does is
 * no matter of the others. A neighbour has a whole MAC and one address.
 */
#include <stdlib.h>
#include <string.h>

#include "net/catch_up.h"
#include "net/nat.h"
#include "net/neighbours.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(void *ctx, const uint8_t address[16])
{
	size_t *left = ctx;
	uint8_t copy[16];

	memcpy(copy, address, sizeof(copy)); /* all of it can be read */
	if ((*left)-- == 0)
		abort();
}

static FILE *open_text(const uint8_t *data, size_t size)
{
	FILE *in = fmemopen((void *)data, size, "r");

	if (!in)
		abort();
	return in;
}

static uint64_t look(const uint8_t *data, size_t size, uint64_t busy)
{
	FILE *in = open_text(data, size);

	catch_up_look(in, &busy);
	fclose(in);
	return busy;
}

static void look_at_neighbours(const uint8_t *data, size_t size)
{
	struct neighbours n = {0};
	FILE *in = open_text(data, size);

	neighbours_parse(&n, in);
	fclose(in);
	for (size_t i = 0; i < n.count; i++)
		if (strlen(n.list[i].mac) != 17 || !network_is_host(&n.list[i].address) || !*n.list[i].device)
			abort();
	neighbours_free(&n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t some = UINT64_C(0x5a5a00ff0f0f3331), all;
	size_t most = 2;
	FILE *in;

	if (!size)
		return 0;
	for (size_t i = 0; i < size; i++)
		most += data[i] == '\n' ? 2 : 0;
	in = open_text(data, size);
	while (nat_scan(in, 1 + data[0] % 8, count, &most))
		;
	fclose(in);
	all = look(data, size, UINT64_MAX);
	if (look(data, size, some) != (all & some) || look(data, size, 0) != 0)
		abort();
	look_at_neighbours(data, size);
	return 0;
}
