/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "net/frame.h"

#include <net/ethernet.h>
#include <string.h>

#define TAG 4          /* bytes of a VLAN tag */
#define IPV4_HEADER 20 /* without options: they stand behind all that is read here */
#define IPV6_HEADER 40

static uint32_t read16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static bool is_tag(uint32_t type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100 || type == 0x9200;
}

/* Reads the MACs, walks over the tags; the EtherType behind them, or 0 where it was not captured. *header
 * becomes the length of all that. */
static uint32_t read_ethernet(const uint8_t *bytes, size_t captured, struct frame *out, size_t *header)
{
	size_t at = ETHER_HDR_LEN;

	if (captured < at)
		return 0;
	out->has_mac = true;
	memcpy(out->target_mac, bytes, sizeof(out->target_mac));
	memcpy(out->source_mac, bytes + 6, sizeof(out->source_mac));
	while (is_tag(read16(bytes + at - 2))) {
		if (captured - at < TAG)
			return 0;
		at += TAG;
		out->tagged = true;
	}
	*header = at;
	return read16(bytes + at - 2);
}

/* In one piece: who reads it in larger pieces than it was written in waits. */
static void map_ipv4(uint8_t to[16], const uint8_t *address)
{
	uint8_t end[8] = {[2] = 0xff, 0xff};

	memcpy(end + 4, address, 4);
	memcpy(to + 8, end, sizeof(end));
}

/* `said` is the length by the IP header, 0 where it leaves that open; `rest` is what the frame has. */
static uint32_t length_of(size_t said, size_t rest)
{
	size_t length = said && said < rest ? said : rest;

	return length < UINT32_MAX ? (uint32_t)length : UINT32_MAX;
}

static bool read_ipv4(const uint8_t *ip, size_t captured, size_t rest, struct frame *out)
{
	if (captured < IPV4_HEADER || ip[0] >> 4 != 4 || (ip[0] & 0x0f) * 4 < IPV4_HEADER)
		return false;
	out->is_ip = out->is_ipv4 = true;
	map_ipv4(out->source, ip + 12);
	map_ipv4(out->target, ip + 16);
	out->ip_bytes = length_of(read16(ip + 2), rest);
	return true;
}

static bool read_ipv6(const uint8_t *ip, size_t captured, size_t rest, struct frame *out)
{
	uint32_t payload;

	if (captured < IPV6_HEADER || ip[0] >> 4 != 6)
		return false;
	payload = read16(ip + 4);
	out->is_ip = true;
	memcpy(out->source, ip + 8, sizeof(out->source));
	memcpy(out->target, ip + 24, sizeof(out->target));
	out->ip_bytes = length_of(payload ? IPV6_HEADER + payload : 0, rest);
	return true;
}

bool frame_parse(enum frame_link link, const uint8_t *bytes, size_t captured, size_t length,
		 struct frame *out)
{
	size_t header = 0;
	uint32_t type = 0;

	*out = (struct frame){0};
	if (captured > length)
		captured = length;
	if (link == FRAME_ETHERNET)
		type = read_ethernet(bytes, captured, out, &header);
	else if (captured > 0)
		type = bytes[0] >> 4 == 4 ? ETHERTYPE_IP : ETHERTYPE_IPV6;
	if (type == ETHERTYPE_IP)
		return read_ipv4(bytes + header, captured - header, length - header, out);
	if (type == ETHERTYPE_IPV6)
		return read_ipv6(bytes + header, captured - header, length - header, out);
	return false;
}
