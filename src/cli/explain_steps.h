/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * explain_steps: the calculation behind a bucket's bytes of a period, step by step.
 *
 * Pure. From raw counters to IP bytes of each epoch, from those to what was booked in the period, from that
 * to what a report says. Whoever adds and subtracts along the signs comes to each result; where the ledger
 * itself does not, that is told. What was not observed is a step without numbers, never one with zeros.
 */
#ifndef XENBW_EXPLAIN_STEPS_H
#define XENBW_EXPLAIN_STEPS_H

#include <stdbool.h>

#include "db/explain.h"

enum explain_row {
	/* words */
	ROW_VIF,
	ROW_EPOCH,
	ROW_NOT_OBSERVED,
	ROW_EVENT,
	ROW_BUCKET,
	/* numbers */
	ROW_LAST,
	ROW_FIRST,
	ROW_HEADERS,
	ROW_IP_BYTES,
	ROW_READ_BEFORE,
	ROW_EPOCHS,
	ROW_ESTIMATED,
	ROW_OTHER_BUCKETS,
	ROW_RETIRED,
	ROW_BEFORE,
	ROW_AFTER,
	ROW_BOOKED,
	ROW_CLASS, /* and those behind it, by enum byte_class */
	ROW_PART_ESTIMATED = ROW_CLASS + CLASS_COUNT,
	ROW_PART_SPOOFED,
	ROW_CLIPPED,
	ROW_OF_VIF,
	ROW_ALL_VIFS,
	ROW_ALL_CLASS,
	ROW_REPORT = ROW_ALL_CLASS + CLASS_COUNT,
	ROW_COUNT
};

struct explain_step {
	enum explain_row row;
	const struct explain_vif *vif;     /* NULL: about all of them */
	const struct explain_epoch *epoch; /* NULL: about all of them */
	int64_t from, to;                  /* -1: none */
	uint64_t bytes[DIR_COUNT], packets[DIR_COUNT];
	bool has_packets;
	char *label;  /* for people, where the row's own word does not do: of an epoch, what is input and
			 output */
	char *detail; /* a sentence, or NULL */
};

struct explain_steps {
	struct explain_step *list;
	size_t count;
	char *wrong; /* what does not add up first; NULL: all does */
};

/* `silent`: since when nobody has observed up to now; -1: somebody does. Points into e. */
void explain_steps_make(const struct explain *e, int64_t silent, int64_t now, struct explain_steps *out);
void explain_steps_free(struct explain_steps *s);

/* Has the row numbers? What it is called by machines and by people; how it goes into the next result. */
bool explain_row_has_bytes(enum explain_row row);
const char *explain_row_key(enum explain_row row);
const char *explain_row_label(enum explain_row row);
char explain_row_sign(enum explain_row row);

#endif
