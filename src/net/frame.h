/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * frame: a captured frame taken apart, as far as accounting needs it.
 *
 * Pure. The bytes come from anybody: no field is believed beyond what was captured. Understands Ethernet with
 * any number of VLAN tags (802.1Q, 802.1ad and the 0x9100, 0x9200 before it) and links without a link header;
 * IPv4 and IPv6. What is no whole IP header (truncated, of another version than its EtherType says, an IPv4
 * header length below 20) is no IP; IPv4 options need not be captured. A fragment counts by its own length.
 */
#ifndef XENBW_FRAME_H
#define XENBW_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_SNAPLEN 128 /* bytes to capture: the link header, 15 VLAN tags, an IPv6 header */

enum frame_link { FRAME_ETHERNET, FRAME_RAW };

struct frame {
	bool tagged;
	bool has_mac; /* a whole Ethernet header was captured; the tags behind it may be cut */
	bool is_ip, is_ipv4;
	uint8_t source_mac[6], target_mac[6]; /* zeros where has_mac is false */
	uint8_t source[16], target[16];       /* IPv4 mapped, as in struct network; zeros where it is no IP */
	/* IP bytes: what the header says, but not more than the frame has behind its link header; all of that
	 * where the length field is 0 (large segments). A padded frame counts without its padding. */
	uint32_t ip_bytes;
};

/* `captured` bytes at `bytes` of a frame that was `length` bytes long, with all its tags. Fills all of *out;
 * returns out->is_ip. */
bool frame_parse(enum frame_link link, const uint8_t *bytes, size_t captured, size_t length,
		 struct frame *out);

#endif
