/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * compare: what nacctd and xenbw counted beside each other, and why they differ.
 *
 * Pure arithmetic. Of each bucket, hour and counter there are both figures; their difference is parted among
 * causes, as far as something that is known bears that out, and what is left over is called unexplained. The
 * parts of a figure always add up to its difference. Hours are those of the tables, counted from 1970 as if
 * there were no time zones.
 */
#ifndef XENBW_COMPARE_H
#define XENBW_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/classes.h"

#define COMPARE_COLUMNS 8 /* counters, in the order of traffic_columns */

/* In the order in which they are looked for. */
enum compare_cause {
	COMPARE_IPV6,      /* the bucket is an IPv6 address */
	COMPARE_UNCOUNTED, /* no compactnet that worked holds the bucket */
	COMPARE_UNSEEN,    /* nacctd had not one row of the bucket, though a compactnet holds it */
	COMPARE_UNWRITTEN, /* in the ledger, and not in xenbw's table yet */
	COMPARE_CLASS,     /* the same bytes under another counter of the same direction */
	COMPARE_LATE,      /* seen in one hour, written by nacctd in a later one */
	COMPARE_GUESTS,    /* inside this host: between guests, which counts at both ends */
	COMPARE_CEILING,   /* nacctd's counter was at its end */
	COMPARE_IGNORED,   /* ignored by xenbw, by a line that did not work with nacctd */
	COMPARE_SILENT,    /* an hour in which nacctd wrote nothing for anybody */
	COMPARE_EDGE,      /* an hour in which one of the two began or ended, or that is not over */
	COMPARE_WRITES,    /* lost while nacctd wrote, at most: if a write takes a second */
	COMPARE_UNEXPLAINED,
	COMPARE_CAUSES
};

enum compare_source {
	COMPARE_NACCTD, /* its table */
	COMPARE_XENBW,  /* xenbw's table */
	COMPARE_LEDGER, /* the ledger: what is to be in the table */
	COMPARE_TAIL,   /* of it, what came so late in the hour that nacctd may have written it in the next */
	COMPARE_ASIDE,  /* of the ledger: ignored input and output, unattributed input and output, then zeros
			 */
	COMPARE_SOURCES
};

struct compare_cell {
	uint64_t from[COMPARE_ASIDE]; /* by source */
	int64_t part[COMPARE_CAUSES]; /* of what xenbw has more; negative: less */
};

struct compare_row {
	const char *label;
	int64_t hour;
	enum compare_cause whole; /* the cause of all differences of the bucket, or COMPARE_UNEXPLAINED */
	uint64_t ignored[DIR_COUNT], unattributed[DIR_COUNT];
	struct compare_cell cells[COMPARE_COLUMNS];
};

struct compare_sample;

struct compare {
	/* what the caller knows */
	int64_t first, last; /* the hours that both have: one of the two began or ended in them */
	int64_t *edges;      /* and between them: hours in which xenbwd was away; ascending, owned */
	size_t edge_count;
	unsigned flush;                    /* seconds between nacctd's writes */
	uint64_t ceiling[COMPARE_COLUMNS]; /* where nacctd's counters end; 0: nowhere */
	bool lists_differ;                 /* ournet, direct_peer or peers that did not work with nacctd */
	bool ignores_more;                 /* ignorenet or ignoremask that did not work with nacctd */
	/* what compare_explain makes of it */
	struct compare_row *rows; /* by label, then hour; each pair once */
	size_t count;
	int64_t *wrote; /* hours in which nacctd wrote anything, ascending */
	size_t wrote_count;
	/* what compare_add kept */
	struct compare_sample *samples;
	size_t sample_count;
};

/* Bytes of a bucket in an hour; several of the same add up. The label is copied. `whole`: what is known of
 * the bucket, the same in all calls. */
void compare_add(struct compare *c, enum compare_source source, const char *label, int64_t hour,
		 enum compare_cause whole, const uint64_t bytes[static COMPARE_COLUMNS]);

/* Makes the rows, and parts the differences. To be called once. */
void compare_explain(struct compare *c);
void compare_free(struct compare *c);

int64_t compare_difference(const struct compare_cell *cell); /* xenbw's less nacctd's */

/* The cause with the most bytes; COMPARE_CAUSES where nothing differs. *more: there are others. */
enum compare_cause compare_main_cause(const struct compare_cell *cell, bool *more);

#endif
