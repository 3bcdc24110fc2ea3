/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * quotas: how many bytes of which kind a domain, or an owner's domains, may move in a period.
 *
 * The list of `quota` lines of the configuration. Nothing here knows how many were moved, or of the calendar.
 */
#ifndef XENBW_QUOTAS_H
#define XENBW_QUOTAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/classes.h"
#include "ipc/crossing.h"

#define QUOTA_MARKS 8           /* percentages of a quota, with the 100 that each has */
#define QUOTA_MOST_PERCENT 1000 /* ten times the quota */
#define QUOTA_MOST_BYTES UINT64_C(1000000000000000000)

enum quota_period { QUOTA_BILLING, QUOTA_MONTH, QUOTA_DAY, QUOTA_PERIODS };

/* The six of base/classes.h, and sums of them. */
enum quota_class { QUOTA_CHARGED = CLASS_COUNT, QUOTA_ALL, QUOTA_CLASSES };

enum quota_direction {
	QUOTA_INPUT = DIR_INPUT,
	QUOTA_OUTPUT = DIR_OUTPUT,
	QUOTA_BOTH,   /* the sum */
	QUOTA_LARGER, /* of the two sums */
	QUOTA_DIRECTIONS
};

struct quota {
	char *name;
	bool of_owner; /* the name is an owner's; else a bucket's label, a domain's name */
	enum quota_period period;
	enum quota_class class;
	enum quota_direction direction;
	uint64_t bytes;
	unsigned marks[QUOTA_MARKS]; /* percentages that are told, rising; 100 is one */
	size_t mark_count;
};

struct quotas {
	struct quota *list; /* in the order in which they were given */
	size_t count;
};

/* Takes in the value of a line: `NAME|owner:NAME PERIOD CLASS DIRECTION SIZE [warn PERCENT,…]`. */
int quotas_add(struct quotas *q, const char *value, char **err);

/* The same lines again, each beginning with `head`. */
void quotas_print(const struct quotas *q, const char *head, FILE *out);
void quotas_free(struct quotas *q);

/* As they are written; NULL for a number that is none. */
const char *quota_period_word(unsigned period);
const char *quota_class_word(unsigned class);
const char *quota_direction_word(unsigned direction);

#endif
