/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * account: all vifs of this host, their epochs, and the takes that are made from their counters.
 *
 * Pure arithmetic: no I/O, no clock of its own; a year can be run through it in seconds. The daemon tells it
 * what is there, hands it readings and the time, and carries its batches to the ledger. What is not committed
 * stays here and is offered again; bytes are never merged across a slot's edge.
 */
#ifndef XENBW_ACCOUNT_H
#define XENBW_ACCOUNT_H

#include "account/bucket.h"
#include "account/epoch.h"
#include "account/owner.h"
#include "account/split.h"
#include "account/tail.h"
#include "db/ledger.h"
#include "db/ledger_forget.h"

/* How the toolstack describes a vif. dom0's own device in a bridge is a vif too: domid 0, BUCKET_DOM0_UUID,
 * BUCKET_DOM0_NAME. Text stays the caller's. */
struct account_vif_facts {
	unsigned domid, devid;
	const char *uuid, *domain, *mac, *addresses, *bridge, *vifname, *netdev; /* each may be NULL */
};

struct account_settings {
	const char *boot; /* the kernel's boot id */
	unsigned late; /* seconds: a poll at most this late after a slot's edge still belongs to that slot */
	bool bucket_by_ip;
	struct owner_rules rules; /* the caller's; must outlive the account */
};

struct account;

/* What the classifier saw under one of a vif's own addresses, or (address NULL) under none or several of
 * them.
 */
struct account_portion {
	const uint8_t *address; /* 16 bytes, IPv4 mapped */
	struct class_bytes bytes;
};

/* What it saw of one vif since it was asked last. */
struct account_seen {
	const struct account_portion *portions; /* the classifier's, until it is asked for the next vif */
	size_t count;
	uint64_t late[DIR_COUNT]; /* crossed after the reading of the counters had begun */
	uint64_t spoofed;         /* of the output: not from an address of its own */
	bool blind; /* nobody looked all the time, or it cannot be told apart: the rest is unattributed */
};

/* One poll of the classifier. */
struct account_look {
	void (*seen)(void *ctx, int64_t vif,
		     struct account_seen *out); /* called once for each vif; out is zeros */
	/* What came in by a device of the vif since it was asked last, by a count that outlives the device;
	 * may be NULL. False: not known. It was read after the device's counters. */
	bool (*sent)(void *ctx, int64_t vif, unsigned ifindex, struct sent *growth);
	void *ctx;
	/* At most so many bytes crossed an uplink under no vif's name, or unseen: of each vif's rest, so much
	 * may be no local traffic. The account adds what it proves itself: bytes that left under a vif's MAC
	 * before its counters were read, and are not in them, are some other vif's. */
	uint64_t missed[DIR_COUNT];
	/* An uplink has large packets cut, so what is seen may exceed what was sent by this part of it (one
	 * in so many); 0: none does. */
	unsigned headers;
};

/* Goes on where the ledger stopped: epochs of this boot stay open, those of earlier boots are closed. */
struct account *account_new(const struct account_settings *settings, const struct ledger_state *state,
			    int64_t now);
void account_free(struct account *a);

/* ---- what is there ---- */

/* A vif is there, as described; returns its ledger id. Vifs of another domain under the same domid are
 * taken as gone. *warning is set (allocated) where the admin should know what its bytes are charged to. */
int64_t account_vif_here(struct account *a, const struct account_vif_facts *facts, char **warning);

/* A vif is gone, and its devices with it. Its last bytes are booked by the next account_settle. */
void account_vif_gone(struct account *a, int64_t id);

/* A device of a vif is there: opens an epoch at 0, or at the ledger's base line for it. Already open:
 * nothing; but where it is of another kind than it seemed (netback's is told by sysfs, which has a new name
 * before we do), a new epoch goes on from its last counters. */
void account_device_here(struct account *a, int64_t vif, unsigned ifindex, const char *netdev,
			 enum device_kind kind, uint32_t carrier_down, unsigned left_connected);

/* What a device that was just opened moved before its next reading is not counted; but where this run, before
 * its first commit, was told a base line for it, all after that is. */
void account_device_from_now(struct account *a, unsigned ifindex);

/* A device is gone; its last counters where the delete event carried them, else NULL. */
void account_device_gone(struct account *a, unsigned ifindex, const struct counters *final);

/* A device lives on, but is no longer this vif's. Should it come back to a vif, only what came after counts.
 */
void account_device_unbound(struct account *a, unsigned ifindex);

/* The carrier of a device is down, and the kernel's message, with this carrier count, carried these counters.
 * Such messages come late: one with the count that this life began with is about the life before, and one
 * that is not the first drop of this life may be about the next one. Both are ignored. */
void account_carrier_off(struct account *a, unsigned ifindex, uint32_t carrier_down,
			 const struct counters *counters);

/* The devices' counters before there was a ledger: only what comes after them is counted. First run only. */
void account_baseline(struct account *a, unsigned ifindex, const struct counters *counters);

/* Where each device's counters stand in this account: its last reading, and the base lines of those that are
 * no vif's. Returns their number; *last is the caller's to free. */
size_t account_last_counters(const struct account *a, struct ledger_baseline **last);

/* Another ledger was written until now, and its account stood so: what these counters hold was booked there,
 * so only what comes after them is counted here. Before the first reading. */
void account_carried(struct account *a, const struct ledger_baseline *last, size_t count);

/* Is the bucket of this domain certain? As buckets_know. */
bool account_knows(const struct account *a, unsigned domid, const char *uuid, const char *name);

/* How many open devices a vif has. */
unsigned account_devices(const struct account *a, int64_t vif);

/* The vif that a device belongs to, 0 for none. */
int64_t account_vif_of(const struct account *a, unsigned ifindex);

/* Vifs that are there, by rising id: the first after `before`, which is NULL at the start; NULL at the end.
 */
const struct ledger_vif *account_next_vif(const struct account *a, const struct ledger_vif *before);

/* Open epochs, in the same way. */
const struct ledger_epoch *account_next_epoch(const struct account *a, const struct ledger_epoch *before);

/* ---- a poll: begin, a reading for each device, settle ---- */

/* The time of the readings that follow, UTC. It may have been stepped back: then slots do not follow. */
void account_begin(struct account *a, int64_t now);

/* What is known about a device, from now on until told otherwise. To be told before the counters are read. */
void account_evidence(struct account *a, unsigned ifindex, const struct epoch_evidence *seen);

/* Returns true if the counters went back; the caller then tells the device's present carrier count with
 * account_restarted. */
bool account_reading(struct account *a, unsigned ifindex, const struct counters *counters);
void account_restarted(struct account *a, unsigned ifindex, uint32_t carrier_down);

/* Divides what was read into classes; look NULL: there is no classifier, all is unattributed. Where the time
 * has passed the open slot's edge, the slot is complete afterwards (true). */
bool account_settle(struct account *a, const struct account_look *look);

/* The addresses that are a vif's, as the toolstack and the admin's lines say; NULL for a vif that is not
 * there. Valid until the next account_vif_here. */
const struct networks *account_addresses(const struct account *a, int64_t vif);

/* IP bytes that a vif was found to have moved since the daemon began, for present rates. */
void account_moved(const struct account *a, int64_t vif, uint64_t moved[DIR_COUNT]);

/* ---- the ledger ---- */

/* A line for the ledger's events. */
void account_event(struct account *a, const char *kind, const char *object, const char *detail);

/* Everything the ledger lacks. Rows belong to the account, arrays to the batch (account_batch_free). */
void account_batch(struct account *a, struct ledger_batch *batch);
void account_batch_free(struct ledger_batch *batch);

/* The batch went in: forget what it carried. */
void account_committed(struct account *a);

/* What the ledger may forget of buckets (db/ledger_forget.h), and that it has. Only when all is committed. */
bool account_is_idle(const void *account, int64_t bucket);
void account_forget(struct account *a, const struct ledger_forgotten *forgotten);

int64_t account_open_slot(const struct account *a);
int64_t account_last_seq(const struct account *a);

#endif
