/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * layout: what is in the maps that the kernel's programs (count.bpf.c) share with xenbw-tc.
 *
 * Compiled for both. Addresses are 16 bytes, IPv4 mapped; numbers are the host's. A slot is a place in
 * `counts`: of a vif, or of one of several addresses of it; slot 0 is nobody's.
 */
#ifndef XENBW_KERNEL_LAYOUT_H
#define XENBW_KERNEL_LAYOUT_H

#include <stdint.h>

#include "base/classes.h"

#define KERNEL_SLOTS 4096
#define KERNEL_CLASSES CLASS_UNATTRIBUTED /* all that can be told of a packet */

/* The position in the ledger, the one answered last, and the one being made. */
#define KERNEL_KEPT 3

/* What crossed an uplink for a slot since the map was made, and what came in by its device. A packet is one
 * to the kernel; segments are what it is on a wire. What grows with one packet lies together. */
struct kernel_amount {
	uint64_t bytes, packets, segments;
};

struct kernel_counts {
	uint64_t sent_bytes, sent_packets; /* by the guest to anybody, of a slot without an address */
	struct kernel_amount crossed[DIR_COUNT][KERNEL_CLASSES];
	uint64_t spoofed_bytes, spoofed_packets; /* of the output: not from an address of its own */
	uint64_t second; /* layout: by its size whoever has the first one refuses this, and the other way
			    round */
};

enum kernel_flag {
	KERNEL_UPLINK = 1,     /* what comes from here came from outside */
	KERNEL_RAW = 2,        /* its frames have no link header */
	KERNEL_VIF = 4,        /* a guest's */
	KERNEL_HAS_MAC = 8,    /* only frames for this MAC are the guest's input */
	KERNEL_ROUTED = 16,    /* a bridge without an uplink, or a vif whose input is told by its address */
	KERNEL_IPV4_TOLD = 32, /* some address of the vif's is known: another one is spoofed */
	KERNEL_IPV6_TOLD = 64,
	KERNEL_VLANS = 128 /* what has a VLAN tag and is dom0's went past this vif of dom0's */
};

/* A device, by ifindex. */
struct kernel_device {
	uint32_t flags;
	uint32_t slot; /* of the vif; of a bridge: of dom0's own card */
	uint32_t host; /* an uplink: the slot of dom0's own card behind it */
	uint8_t mac[6];
	uint8_t unused[2];
};

/* An address that was told, of a vif by its slot, or (KERNEL_ANY_*) of whoever is routed or dom0. */
struct kernel_address_key {
	uint32_t slot;
	uint8_t address[16];
};

#define KERNEL_ANY_ROUTED UINT32_MAX
#define KERNEL_ANY_HOST (UINT32_MAX - 1)

struct kernel_address {
	uint32_t slot;
	uint32_t flags; /* ROUTED: as the vif's device has them */
};

/* dom0 itself, by a MAC of its own. */
struct kernel_host_key {
	uint8_t mac[6];
	uint8_t unused[2];
};

/* A network of the configuration, with the lists (rule_flags.h) that all of it is in. */
struct kernel_network {
	uint32_t bits;
	uint8_t address[16];
};

/* What xenbw-tc keeps about a slot, in a map so that it lives as long as the counts do. */
struct kernel_page {
	uint32_t ifindex; /* 0: the slot is free */
	uint32_t has_address;
	int64_t vif; /* ledger id, as told last */
	uint8_t address[16];
	uint64_t born; /* the last position before it was made */
	uint64_t gone; /* the first position at which it was no longer wanted; 0: it is */
	struct kernel_counts at[KERNEL_KEPT]; /* at the positions in the book's head */
};

struct kernel_head {
	uint64_t last;                   /* position */
	uint64_t positions[KERNEL_KEPT]; /* 0: nothing whole is there */
};

/* Which of our programs sit at a device; did we make its clsact qdisc; are they TCX links? */
enum kernel_hook {
	KERNEL_HOOK_INGRESS = 1,
	KERNEL_HOOK_EGRESS = 2,
	KERNEL_HOOK_QDISC = 4,
	KERNEL_HOOK_TCX = 8
};

#define KERNEL_FEW 8 /* networks: comparing so many costs less than a lookup */

/* Whether all bits of the mask are as in the address; both as they lie in memory. */
struct kernel_few {
	uint64_t address[2], mask[2];
	uint64_t lists;
};

/* One set of rules. `current` counts the states of all that is told to the programs: it grows by 1 with other
 * rules, by 2 with who is there, and whether it is odd says which of the two sets is in force. */
struct kernel_rules {
	uint32_t ignoremask; /* network byte order */
	uint32_t own_in_ournet;
	uint64_t few_count;                /* 0: they are too many, and only in the map */
	struct kernel_few few[KERNEL_FEW]; /* the longest first */
};

#endif
