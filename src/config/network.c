/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/network.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

#define MAPPED 96 /* bits in front of a mapped IPv4 address */

static bool bit_of(const uint8_t *bytes, unsigned bit)
{
	return bytes[bit / 8] & (0x80u >> (bit % 8));
}

/* Clears all bits behind n->bits; tells whether any was set. */
static bool cut_host_bits(struct network *n)
{
	bool any = false;

	for (unsigned bit = n->bits; bit < 128; bit++) {
		any |= bit_of(n->address, bit);
		n->address[bit / 8] &= (uint8_t) ~(0x80u >> (bit % 8));
	}
	return any;
}

bool network_address(const char *text, struct network *out)
{
	struct network n = {.address = {[10] = 0xff, [11] = 0xff}, .bits = 128};

	if (inet_pton(AF_INET, text, n.address + 12) != 1 && inet_pton(AF_INET6, text, n.address) != 1)
		return false;
	*out = n;
	return true;
}

bool network_is_ipv4(const struct network *n)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return n->bits >= MAPPED && memcmp(n->address, mapped, sizeof(mapped)) == 0;
}

bool network_is_host(const struct network *n)
{
	return n->bits == 128;
}

/* The bits of a dotted mask; false where it is none, or has holes. */
static bool mask_bits(const char *text, unsigned *bits)
{
	struct network mask;
	unsigned n = MAPPED;

	if (!network_address(text, &mask) || !network_is_ipv4(&mask))
		return false;
	while (n < 128 && bit_of(mask.address, n))
		n++;
	for (unsigned rest = n; rest < 128; rest++)
		if (bit_of(mask.address, rest))
			return false;
	*bits = n;
	return true;
}

static int set_mask(struct network *n, const char *mask, char **err)
{
	bool ipv4 = network_is_ipv4(n);
	uint64_t bits;

	if (text_u64(mask, 0, ipv4 ? 32 : 128, &bits)) {
		n->bits = (unsigned)bits + (ipv4 ? MAPPED : 0);
		return 0;
	}
	if (ipv4 && mask_bits(mask, &n->bits))
		return 0;
	return err_set(err,
		       ipv4 ? "`%s` is no mask; write one as 255.255.255.0 (ones, then zeros) or as a number "
			      "of bits "
			      "from 0 to 32"
			    : "`%s` is no prefix length; write a number of bits from 0 to 128",
		       mask);
}

int network_parse(const char *text, struct network *out, char **note, char **err)
{
	char *address = mem_strdup(text), *mask = address + strcspn(address, "/ \t");
	bool slash = *mask == '/', host_bits;
	struct network n;
	int rc = 0;

	*note = NULL;
	if (*mask) {
		*mask++ = '\0';
		mask += strspn(mask, " \t");
	}
	if (!network_address(address, &n))
		rc = err_set(err, "`%s` is no IPv4 or IPv6 address; write it as 192.0.2.1 or 2001:db8::1",
			     address);
	else if (*mask || slash)
		rc = set_mask(&n, mask, err);
	if (rc == 0) {
		host_bits = cut_host_bits(&n);
		*out = n;
		if (host_bits) {
			char *shown = network_text(&n);

			*note = mem_printf(
				"`%s` has host bits set; read as %s (netacct matched nothing with it)", text,
				shown);
			free(shown);
		}
	}
	free(address);
	return rc;
}

char *network_text(const struct network *n)
{
	char text[INET6_ADDRSTRLEN];
	bool ipv4 = network_is_ipv4(n);

	/* both texts fit by definition */
	if (ipv4)
		inet_ntop(AF_INET, n->address + 12, text, sizeof(text));
	else
		inet_ntop(AF_INET6, n->address, text, sizeof(text));
	return network_is_host(n) ? mem_strdup(text)
				  : mem_printf("%s/%u", text, n->bits - (ipv4 ? MAPPED : 0));
}

bool network_contains(const struct network *n, const struct network *host)
{
	struct network cut = *host;

	if (host->bits < n->bits || network_is_ipv4(host) != network_is_ipv4(n))
		return false;
	cut.bits = n->bits;
	cut_host_bits(&cut);
	return memcmp(cut.address, n->address, sizeof(cut.address)) == 0;
}

bool networks_contain(const struct networks *set, const struct network *host)
{
	for (size_t i = 0; i < set->count; i++)
		if (network_contains(&set->list[i], host))
			return true;
	return false;
}

void networks_add(struct networks *set, const struct network *n)
{
	if ((set->count & (set->count - 1)) == 0)
		set->list = mem_resize(set->list, set->count ? set->count * 2 : 1, sizeof(*set->list));
	set->list[set->count++] = *n;
}

void networks_free(struct networks *set)
{
	free(set->list);
	*set = (struct networks){0};
}
