/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "net/neighbours.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

#define ARP_FILE "/proc/net/arp"
#define ARP_COMPLETE 2 /* ATF_COM: the MAC is known */

static void add(struct neighbours *n, const struct neighbour *one)
{
	if ((n->count & (n->count - 1)) == 0)
		n->list = mem_resize(n->list, n->count ? n->count * 2 : 1, sizeof(*n->list));
	n->list[n->count++] = *one;
}

void neighbours_parse(struct neighbours *n, FILE *in)
{
	char line[256];

	while (fgets(line, sizeof(line), in)) {
		struct neighbour one = {0};
		char address[40], flags[16];

		/* address, type of hardware, flags, MAC, mask, device */
		if (sscanf(line, "%39s %*s %15s %17s %*s %15s", address, flags, one.mac, one.device) == 4 &&
		    network_address(address, &one.address) && (strtoul(flags, NULL, 16) & ARP_COMPLETE) &&
		    strlen(one.mac) == 17 && strcmp(one.mac, "00:00:00:00:00:00") != 0)
			add(n, &one);
	}
}

int neighbours_heard(struct neighbours *n, char **err)
{
	FILE *in = fopen(ARP_FILE, "re");
	int rc;

	if (!in)
		return err_sys(err, "cannot read " ARP_FILE);
	neighbours_parse(n, in);
	rc = ferror(in) ? err_sys(err, "cannot read " ARP_FILE) : 0;
	fclose(in);
	return rc;
}

/* The address as text; false where it is neither IPv4 nor IPv6. */
static bool address_text(const struct sockaddr *a, char out[static INET6_ADDRSTRLEN])
{
	if (a->sa_family == AF_INET)
		return inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a)->sin_addr, out,
				 INET6_ADDRSTRLEN);
	if (a->sa_family == AF_INET6)
		return inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, out,
				 INET6_ADDRSTRLEN);
	return false;
}

int neighbours_own(struct neighbours *n, char **err)
{
	struct ifaddrs *all;

	if (getifaddrs(&all) < 0)
		return err_sys(err, "cannot ask the kernel for this host's addresses");
	for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
		struct neighbour one = {0};
		char text[INET6_ADDRSTRLEN];

		if (!a->ifa_addr || (a->ifa_flags & IFF_LOOPBACK) ||
		    strlen(a->ifa_name) >= sizeof(one.device) || !address_text(a->ifa_addr, text) ||
		    !network_address(text, &one.address))
			continue;
		memcpy(one.device, a->ifa_name, strlen(a->ifa_name) + 1);
		add(n, &one);
	}
	freeifaddrs(all);
	return 0;
}

void neighbours_free(struct neighbours *n)
{
	free(n->list);
	*n = (struct neighbours){0};
}
