/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * control: the fixed messages on xenbwd's control socket (AF_UNIX, SOCK_SEQPACKET, mode 0600, root only).
 *
 * A client sends one control_request; the daemon answers with control_reply messages until `left` is 0, each
 * with up to CONTROL_VIFS records. Who wants a month closed goes on with control_closing messages until
 * `left` is 0, and gets one control_answer. Same host, same build: native byte order. The server is in
 * daemon/, the client below serves the command line tool.
 */
#ifndef XENBW_CONTROL_H
#define XENBW_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/classes.h"

#define CONTROL_MAGIC 0x78656e33 /* "xen3": changes with the layout */
#define CONTROL_VIFS 128
#define CONTROL_UPLINKS 128
#define CONTROL_CLOSED 32 /* rows in a message */
#define CONTROL_NAME 256  /* bytes of a label or an owner, with its NUL */
#define CONTROL_TEXT 400

enum control_kind { CONTROL_STATUS = 1, CONTROL_CLOSE };

/* Who tells the classes apart at present. */
enum control_split {
	CONTROL_SPLIT_OFF, /* nobody, as configured */
	CONTROL_SPLIT_KERNEL,
	CONTROL_SPLIT_PCAP,
	CONTROL_SPLIT_FAILING /* nobody, though somebody should */
};

enum control_vif_flags {
	CONTROL_VIF_BLIND = 1 /* its bytes cannot be told apart: NAT, or neither MAC nor address is known */
};

struct control_request {
	uint32_t magic;
	uint32_t kind;
};

struct control_vif {
	int64_t vif; /* ledger id */
	uint32_t domid, devid;
	uint32_t ifindex;                 /* of its main device; 0 while there is none */
	uint32_t window_ms;               /* what the rates are averaged over; 0 = no second reading yet */
	uint64_t input_rate, output_rate; /* IP bytes per second, guest's view */
	uint32_t flags;
	uint32_t reserved;
};

struct control_reply {
	uint32_t magic;
	uint32_t kind;
	uint32_t count;    /* records in this message */
	uint32_t left;     /* records still to come */
	int64_t started;   /* of this run, UTC */
	int64_t committed; /* newest sequence in the ledger */
	uint32_t xenstore_connected;
	uint32_t commit_failing; /* 1: the last commit failed, bytes wait in memory */
	uint32_t split;
	uint32_t reserved;
	char uplinks[CONTROL_UPLINKS]; /* device names with blanks between; ends with NUL, cut if too long */
	/* since xenbwd started */
	uint64_t dropped;                    /* packets that the capture missed */
	uint64_t stray_packets, stray_bytes; /* left through an uplink under no vif's name; IP bytes */
	struct control_vif vifs[CONTROL_VIFS];
};

/* A row of a closed month (see db/ledger_closing.h); of a correction all figures are differences. */
struct control_closed {
	int64_t bucket; /* 0: all of the owner's in this period */
	int64_t from, to;
	int64_t bytes[DIR_COUNT]; /* charged */
	int64_t p95[DIR_COUNT];   /* 95th percentile: bytes in a slot */
	int64_t slots, observed;
	uint32_t day, reserved; /* of the calendar's month on which it begins */
	char label[CONTROL_NAME];
	char owner[CONTROL_NAME]; /* "": nobody's */
};

struct control_closing {
	uint32_t magic;
	uint32_t kind;
	uint32_t count;
	uint32_t left;    /* rows still to come */
	uint32_t edition; /* 0: close it; else correct it */
	char month[8];    /* YYYY-MM */
	uint32_t reserved;
	struct control_closed rows[CONTROL_CLOSED];
};

struct control_answer {
	uint32_t magic;
	uint32_t kind;
	uint32_t failed;
	char text[CONTROL_TEXT]; /* why */
};

struct control_status {
	int64_t started, committed;
	int xenstore_connected, commit_failing;
	enum control_split split;
	char uplinks[CONTROL_UPLINKS]; /* printable ASCII */
	uint64_t dropped, stray_packets, stray_bytes;
	size_t count;
	struct control_vif *vifs; /* free() */
};

/* Takes in a message of the answer, `size` bytes as they were received: its records go behind those that
 * there are already. Returns 1 where more are to come, 0 after the last, -1 where it is none. *out begins as
 * zeros. */
int control_take(struct control_status *out, const struct control_reply *r, size_t size, char **err);

/* Asks the daemon at `path`; at most two seconds. Returns 0, or 1 where no daemon listens there (no error),
 * or -1. */
int control_ask(const char *path, struct control_status *out, char **err);

/* Is this a sound part of a month, of `size` bytes as it was received? */
bool control_closing_is_sound(const struct control_closing *m, size_t size);

/* Has the daemon at `path` write an edition of a month. Returns as control_ask. */
int control_close(const char *path, const char month[8], uint32_t edition, const struct control_closed *rows,
		  size_t count, char **err);

#endif
