/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * packet: what the kernel's programs read of a packet: what net/frame.c reads of a captured frame.
 *
 * For count.bpf.c alone. Changes nothing; what is no IP, or is cut off, is told by false.
 */
#ifndef XENBW_KERNEL_PACKET_H
#define XENBW_KERNEL_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define ETHER 14
#define TAG 4
#define TAGS 15 /* as many as xenbw-capture reads */
#define IPV4_HEADER 20
#define IPV6_HEADER 40

/* A packet as far as accounting needs it. Addresses are in words of memory, for what is written in pieces and
 * read in larger ones waits. */
struct packet {
	uint64_t source[2], target[2];
	uint8_t ether[16] __attribute__((aligned(8))); /* target and source MAC */
	uint32_t bytes;                                /* of IP */
	bool tagged;
};

static __always_inline bool is_tag(uint16_t type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100 || type == 0x9200;
}

static __always_inline uint16_t read16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static __always_inline uint64_t word(uint32_t first, uint32_t second)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? (uint64_t)second << 32 | first
							 : (uint64_t)first << 32 | second;
}

/* An IP header, and what the packet has from there on. */
static __always_inline bool read_ipv4(const struct iphdr *ip, uint32_t rest, struct packet *p)
{
	uint32_t said = bpf_ntohs(ip->tot_len);

	if (ip->version != 4 || ip->ihl < 5)
		return false;
	p->source[1] = word(bpf_htonl(0xffff), ip->saddr); /* mapped */
	p->target[1] = word(bpf_htonl(0xffff), ip->daddr);
	p->bytes = said && said < rest ? said : rest;
	return true;
}

static __always_inline bool read_ipv6(const struct ipv6hdr *ip, uint32_t rest, struct packet *p)
{
	const uint32_t *s = ip->saddr.s6_addr32, *t = ip->daddr.s6_addr32;
	uint32_t payload = bpf_ntohs(ip->payload_len), said = payload ? payload + IPV6_HEADER : 0;

	if (ip->version != 6)
		return false;
	p->source[0] = word(s[0], s[1]);
	p->source[1] = word(s[2], s[3]);
	p->target[0] = word(t[0], t[1]);
	p->target[1] = word(t[2], t[3]);
	p->bytes = said && said < rest ? said : rest;
	return true;
}

static __always_inline bool read_ip(struct __sk_buff *skb, uint32_t at, uint32_t version, struct packet *p)
{
	uint32_t rest = skb->len - at;
	struct iphdr four;
	struct ipv6hdr six;

	if (version == 4)
		return bpf_skb_load_bytes(skb, at, &four, sizeof(four)) == 0 && read_ipv4(&four, rest, p);
	return bpf_skb_load_bytes(skb, at, &six, sizeof(six)) == 0 && read_ipv6(&six, rest, p);
}

/* What lies there in one piece is read where it lies: Ethernet and IP without a tag between them. Not the
 * MACs. */
static __always_inline bool peek(struct __sk_buff *skb, struct packet *p)
{
	const uint8_t *data = (const uint8_t *)(long)skb->data, *end = (const uint8_t *)(long)skb->data_end;
	const struct ethhdr *ether = (const struct ethhdr *)data;

	if (data + ETHER + IPV4_HEADER > end)
		return false;
	p->tagged = skb->vlan_present;
	if (ether->h_proto == bpf_htons(0x0800))
		return read_ipv4((const struct iphdr *)(data + ETHER), skb->len - ETHER, p);
	if (ether->h_proto != bpf_htons(0x86dd) || data + ETHER + IPV6_HEADER > end)
		return false;
	return read_ipv6((const struct ipv6hdr *)(data + ETHER), skb->len - ETHER, p);
}

static __always_inline bool read_raw(struct __sk_buff *skb, struct packet *p)
{
	uint8_t first;

	if (bpf_skb_load_bytes(skb, 0, &first, 1) < 0)
		return false;
	return read_ip(skb, 0, first >> 4 == 4 ? 4 : 6, p);
}

static __always_inline bool read_packet(struct __sk_buff *skb, bool raw, struct packet *p)
{
	uint32_t at = ETHER;
	uint8_t two[2];
	uint16_t type;

	p->tagged = skb->vlan_present;
	if (raw)
		return read_raw(skb, p);
	if (bpf_skb_load_bytes(skb, 0, p->ether, ETHER) < 0)
		return false;
	type = read16(p->ether + 12);
	for (int i = 0; i < TAGS && is_tag(type); i++) {
		p->tagged = true;
		at += TAG;
		if (bpf_skb_load_bytes(skb, at - 2, two, 2) < 0)
			return false;
		type = read16(two);
	}
	if (type == 0x0800)
		return read_ip(skb, at, 4, p);
	return type == 0x86dd && read_ip(skb, at, 6, p);
}

#endif
