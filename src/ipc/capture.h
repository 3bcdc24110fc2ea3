/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * capture: the fixed messages between xenbwd and who looks at the uplinks for it (a SOCK_SEQPACKET pair):
 * xenbw-capture's worker, or xenbw-tc, which has the kernel count.
 *
 * xenbw-guard starts the worker (ipc/guard.h), which opens the uplinks, gives up the right to do so, and from
 * then on answers xenbwd over this socket. End of file ends it. xenbw-tc is started by xenbwd itself, once;
 * what it answers from, the kernel's maps, outlives both, so that its answers have positions: each says from
 * which one to which the growth is, and a later xenbwd goes on at the one that its ledger holds.
 *
 * Tables travel as descriptors (memfd) of arrays beside a message: any size, and always whole. The receiver
 * copies them out and trusts neither count nor content. Same host, same build: native byte order.
 */
#ifndef XENBW_IPC_CAPTURE_H
#define XENBW_IPC_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/classes.h"

#define CAPTURE_MAGIC 0x78656e73 /* changes with the layout */
#define CAPTURE_FD 3             /* the worker's: the socket to xenbwd */
#define CAPTURE_SETTINGS_FD 4    /* the effective configuration as text; `device` names each uplink */

enum capture_kind {
	CAPTURE_VIFS = 2, /* to the worker, with a table of capture_vif: who is there from now on */
	CAPTURE_READ = 3, /* to the worker: what has crossed by now? */
	CAPTURE_SEEN = 4, /* from the worker, with a table of capture_seen: the growth since the last one */
	CAPTURE_SETTINGS = 5, /* to xenbw-tc, with the settings as text: another xenbwd, or other settings */
	CAPTURE_DEVICES = 6,  /* to xenbw-tc, with a table of capture_device, before each CAPTURE_VIFS */
	CAPTURE_READY = 7,    /* from xenbw-tc, first: the kernel has taken its programs */
	CAPTURE_LEAVE = 8     /* to xenbw-tc: take away what is in the kernel, and end */
};

/* To the worker. */
struct capture_order {
	uint32_t magic;
	uint32_t kind;
	uint32_t serial;    /* CAPTURE_READ: comes back with the answer */
	uint32_t count;     /* CAPTURE_VIFS, CAPTURE_DEVICES: records in the table */
	int64_t counted_ns; /* CAPTURE_READ: when the reading of the counters began (clock_mono) */
	/* CAPTURE_READ, to xenbw-tc: the position in the ledger; 0: none. The first answer after
	 * CAPTURE_SETTINGS goes on from there. */
	uint64_t committed;
};

/* A device by which the kernel tells whose a packet is. */
enum capture_device_flags {
	CAPTURE_UPLINK = 1, /* `vif` is dom0's own card behind it, or 0 */
	CAPTURE_BELOW = 2,  /* an uplink whose packets are seen at the device below it */
	CAPTURE_BRIDGE = 4, /* `vif` is dom0's own card in it, or 0 */
	CAPTURE_INSIDE = 8  /* of a bridge: no uplink is in it */
};

struct capture_device {
	uint32_t ifindex;
	uint32_t flags;
	int64_t vif; /* a vif's device has no flags */
};

/* What a record of the table says: that a vif, or dom0 itself, has a MAC and perhaps an address. A vif with
 * several addresses has a record for each; dom0 has one for each of its cards' MACs. */
enum capture_vif_flags {
	CAPTURE_HAS_MAC = 1,
	CAPTURE_HAS_ADDRESS = 2,
	CAPTURE_ROUTED = 4, /* its frames bear dom0's MAC on the uplink: known by its address */
	CAPTURE_HOST = 8,   /* dom0 itself. `vif` may be 0: nobody counts it, but it is no stranger */
	CAPTURE_VLANS = 16  /* of a HOST's MAC: frames with a VLAN tag are dom0's past this vif */
};

struct capture_vif {
	int64_t vif; /* ledger id */
	uint8_t mac[6];
	uint16_t flags;
	uint8_t address[16]; /* IPv4 mapped */
};

/* A vif's growth; one record for each of its addresses that had any, and one without an address for the rest
 * (also where it has just one or none: then there is only this). No growth, no record. */
struct capture_seen {
	int64_t vif;
	uint32_t has_address;
	uint32_t fresh; /* its device is looked at only since some time in this growth */
	uint8_t address[16];
	struct class_bytes bytes, packets;
	uint64_t late[DIR_COUNT]; /* of the bytes above: crossed after counted_ns, or a tick (capture/table.h)
				     before */
	uint64_t spoofed_bytes,
		spoofed_packets; /* of the output above: from an address that is not its own */
	/* xenbw-tc, of a record without an address: all that the guest sent by this device, without Ethernet
	 * headers, since it was told last. */
	uint32_t ifindex, reserved;
	uint64_t sent_bytes, sent_packets;
};

/* From the worker. */
struct capture_answer {
	uint32_t magic;
	uint32_t kind;
	uint32_t serial;
	uint32_t count; /* records in the table */
	/* By direction, what crossed under no vif's name: from a MAC that nobody or more than one has, or
	 * (routed) an address that nobody has, or left under the MAC of a dom0 that nobody counts, from an
	 * address that it has not. Bytes of IP. */
	uint64_t stray_bytes[DIR_COUNT], stray_packets[DIR_COUNT];
	uint64_t stray_late;         /* of the output above, after counted_ns */
	uint64_t dropped[DIR_COUNT]; /* packets that the kernel had no room for, or did not show in time */
	uint8_t stray_mac[6];        /* of the first stray output since the last answer */
	uint8_t reserved[2];
	uint64_t base,
		position; /* xenbw-tc: the growth is from one to the other; base 0: looks only since now */
};

/* A table as a descriptor; -1 on error. And back: `count` records of it, allocated; NULL where it is no
 * memfd of that size. */
int capture_table_pack(const void *records, size_t count, size_t size, char **err);
void *capture_table_unpack(int fd, size_t count, size_t size, char **err);

#endif
