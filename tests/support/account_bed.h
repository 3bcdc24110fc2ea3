/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * account_bed: the account of a host on a real ledger, as xenbwd has it.
 *
 * For cmocka tests: whatever goes wrong fails the running test.
 */
#ifndef XENBW_TEST_ACCOUNT_BED_H
#define XENBW_TEST_ACCOUNT_BED_H

#include <stdbool.h>

#include "account/account.h"
#include "db/ledger_file.h"

#define EDGE INT64_C(1700000100) /* a slot's edge */
#define LATE 60
#define UUID_A "aaaaaaaa-0000-4000-8000-00000000000a"
#define UUID_B "bbbbbbbb-0000-4000-8000-00000000000b"

struct account_bed {
	char *dir, *path;
	struct ledger *ledger;
	struct account *account;
	struct ledger_file reader;
	bool by_ip;
	struct owner_rules rules;
	const char *boot;
};

/* xenbwd begins (again), at this time. */
void account_bed_start(struct account_bed *b, int64_t now);

/* It is killed: what was not committed is gone. */
void account_bed_kill_it(struct account_bed *b);
void account_bed_set_up(struct account_bed *b, int64_t now);

/* Statements of somebody who is not xenbwd. */
void account_bed_meddle(const struct account_bed *b, const char *statements);

int64_t account_bed_number(const struct account_bed *b, const char *query);
void account_bed_commit(struct account_bed *b);

/* The ledger says no. */
void account_bed_refused(struct account_bed *b);

/* What holds whatever happened; commits first. */
void account_bed_tear_down(struct account_bed *b);
int64_t account_bed_vif_of(struct account_bed *b, unsigned domid, unsigned devid, const char *uuid,
			   const char *name, const char *addresses);

/* n packets in each direction, of 1,000 bytes to the guest and 100 from it, on a veth. */
struct counters account_bed_packets(uint64_t n);
void account_bed_read_at(struct account_bed *b, unsigned ifindex, uint64_t n);

/* A poll with a reading of one device; true when a slot became complete. */
bool account_bed_poll_at(struct account_bed *b, int64_t now, unsigned ifindex, uint64_t n);
int64_t account_bed_take_count(const struct account_bed *b);

/* Input of a bucket in a slot (0: in all of them). */
int64_t account_bed_input_of(const struct account_bed *b, const char *label, int64_t slot);

/* A vif with a device that is bound, both as new at the account's present time. */
int64_t account_bed_simple_vif(struct account_bed *b);

#endif
