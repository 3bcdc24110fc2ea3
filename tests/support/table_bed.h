/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * table_bed: a classifier's table with a few networks, and frames of made-up guests.
 *
 * For cmocka tests: whatever goes wrong fails the running test.
 */
#ifndef XENBW_TEST_TABLE_BED_H
#define XENBW_TEST_TABLE_BED_H

#include "capture/table.h"
#include "config/conf.h"

#define TABLE_BED_VIFS 64

struct table_bed {
	struct conf conf;
	struct rules *rules;
	struct table *table;
	struct capture_vif vifs[TABLE_BED_VIFS];
	size_t count;
	struct capture_seen *seen; /* of the last answer */
	struct capture_answer answer;
};

int table_bed_set_up(void **state);
int table_bed_tear_down(void **state);
void table_bed_mac_of(uint8_t mac[6], unsigned n);
void table_bed_address_of(uint8_t address[16], const char *text);

/* What is told next to the table: table_bed_told. mac 0: none; address NULL: none. */
void table_bed_tell(struct table_bed *b, int64_t vif, unsigned mac, const char *address, unsigned flags);
void table_bed_told(struct table_bed *b);

/* As the first of a tick; and what crossed after a tick is late. */
void table_bed_frame_at(struct table_bed *b, enum direction dir, unsigned mac, const char *own,
			const char *remote, uint32_t bytes, int64_t tick);
void table_bed_late_after(struct table_bed *b, int64_t tick);

/* At tick 0. */
void table_bed_out(struct table_bed *b, unsigned mac, const char *own, const char *remote, uint32_t bytes);
void table_bed_in(struct table_bed *b, unsigned mac, const char *own, const char *remote, uint32_t bytes);

/* Asks for an answer, of which all that follows is told. */
void table_bed_ask(struct table_bed *b);
const struct capture_seen *table_bed_seen_of(const struct table_bed *b, int64_t vif, const char *address);
void table_bed_expect(const struct table_bed *b, int64_t vif, const char *address, enum direction dir,
		      enum byte_class class, uint64_t bytes, uint64_t packets);
void table_bed_expect_spoofed(const struct table_bed *b, int64_t vif, uint64_t bytes, uint64_t packets);
void table_bed_expect_strays(const struct table_bed *b, uint64_t out_bytes, uint64_t out_packets,
			     uint64_t in_bytes, uint64_t in_packets);

/* Nothing but the records that were expected by now. */
void table_bed_expect_records(const struct table_bed *b, unsigned count);
void table_bed_expect_stray_mac(const struct table_bed *b, unsigned mac);

#endif
