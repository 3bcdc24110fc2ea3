/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * crossing: a percentage of a quota that was reached, as one process tells it to another, and the ledger.
 *
 * The words behind the numbers are config/quotas.h's. Same host, same build: native byte order.
 */
#ifndef XENBW_CROSSING_H
#define XENBW_CROSSING_H

#include <stdint.h>

#define CROSSING_NAME 256 /* bytes of a name, with its NUL */

struct crossing {
	int64_t bucket;   /* 0: all buckets of the owner */
	int64_t from, to; /* of the period */
	int64_t time;     /* when it was found */
	uint64_t bytes;   /* of the quota */
	uint64_t used;
	uint32_t percent;
	uint32_t period, class, direction;
	char owner[CROSSING_NAME]; /* "": nobody's */
	char label[CROSSING_NAME]; /* of the bucket; "" where it is all of them */
};

#endif
