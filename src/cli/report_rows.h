/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * report_rows: the rows of a report, from the ledger and the configuration.
 *
 * Buckets whose months begin on different days are asked about in turn, each for its own period. Writes
 * nothing.
 */
#ifndef XENBW_REPORT_ROWS_H
#define XENBW_REPORT_ROWS_H

#include "cli/percentile.h"
#include "cli/period.h"
#include "config/conf.h"
#include "db/usage.h"

enum report_by {
	REPORT_BY_DOMAIN,
	REPORT_BY_ADDRESS,
	REPORT_BY_VIF,
	REPORT_BY_OWNER,
	REPORT_BY_CLASS,
	REPORT_BY_COUNT
};

struct report_row {
	char *name;   /* of the bucket, address, owner or class; NULL: no single address, no owner */
	char *domain; /* by address and vif */
	char *netdev; /* by vif; may be NULL */
	unsigned domid, devid;
	struct period period;
	struct usage_sums sums;
	int64_t *buckets; /* whose they are: by domain and owner */
	size_t bucket_count;
	struct percentile percentile;
	uint64_t projected; /* charged bytes, in and out */
	size_t order;       /* as the ledger gave it */
};

struct report_rows {
	/* the question */
	enum report_by by;
	const char *month, *from, *to; /* as typed; NULL: not */
	const char *owner;             /* only its buckets; NULL: all */
	char *const *words;            /* buckets by name; none: all */
	size_t word_count;
	bool percentiles, projections;
	uint64_t commitment; /* bit/s */
	int64_t now;
	int (*is_late)(void *ctx); /* asked between two rows; NULL: there is time */
	void *ctx;
	/* the answer */
	struct usage_buckets buckets;
	struct report_row *list; /* by name */
	size_t count;
	struct usage_sums sums; /* of all of them */
	struct period period;   /* of all of them; without rows what was asked for */
	bool several;           /* they have several periods */
	bool rounded;           /* as in struct period */
	bool unattributed_charged;
	struct usage_run run;
	int64_t retired; /* slots before this one have left the ledger; 0: none */
	bool asked;      /* the ledger was, for some buckets */
};

/* Looks at what was asked for, before the ledger is there: a usage error. */
int report_rows_check(struct report_rows *r, const struct conf *conf, char **err);

/* Release with report_rows_free, whatever it returned. */
int report_rows_read(struct report_rows *r, const struct conf *conf, sqlite3 *db, char **err);
void report_rows_free(struct report_rows *r);

/* Charged bytes: netacct's input and output. */
uint64_t report_rows_charged_by(const struct report_rows *r, const struct usage_sums *s, enum direction dir);

/* Both of them. */
uint64_t report_rows_charged(const struct report_rows *r, const struct usage_sums *s);

/* Moves the rows with the most charged bytes to the front. */
void report_rows_by_size(struct report_rows *r);

#endif
