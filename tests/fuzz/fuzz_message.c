/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fuzz_message: any bytes as one rtnetlink message (libFuzzer).
 *
 * The message lies in memory of exactly its own length.
 */
#include <stdlib.h>
#include <string.h>

#include "net/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct link_message m;
	struct nlmsghdr *h;
	struct counters c;
	unsigned ifindex;

	if (size < sizeof(*h))
		return 0;
	h = malloc(size);
	if (!h)
		return 0;
	memcpy(h, data, size);
	h->nlmsg_len = (uint32_t)size;
	if (message_link(h, &m) &&
	    (m.name[0] == '\0' || !memchr(m.name, '\0', sizeof(m.name)) || m.ifindex == 0))
		abort();
	(void)message_address(h, &ifindex);
	if (message_stats(h, &ifindex, &c) && ifindex == 0)
		abort();
	free(h);
	return 0;
}
