/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * usage: what the ledger knows, for people and scripts that ask.
 *
 * Reads only. Each function answers one question inside one read transaction and leaves no statement open, so
 * its parts fit each other whatever xenbwd commits meanwhile. Times are UTC seconds; -1 stands for "never" or
 * "not yet". Bytes are IP bytes in the guest's view. A damaged ledger gives -1 and sql_error's text; the
 * result is then empty.
 */
#ifndef XENBW_USAGE_H
#define XENBW_USAGE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/classes.h"
#include "net/counters.h"

typedef int usage_question_fn(sqlite3 *db, void *ctx, char **err);

/* Every statement of `question` sees the same commit, also those of functions that ask by themselves. */
int usage_ask(sqlite3 *db, usage_question_fn *question, void *ctx, char **err);

/* The newest life of xenbwd that the ledger tells of. */
struct usage_run {
	char *boot;   /* NULL: no xenbwd has run yet */
	int64_t seen; /* its last commit: the ledger reaches so far */
	int64_t ended;
};

struct usage_bucket {
	int64_t id;
	char *label;  /* the present one, else the last it had */
	bool present; /* false: the label may name another bucket today */
};

struct usage_buckets {
	struct usage_bucket *list; /* sorted by label, numbers in it by value */
	size_t count;
};

int usage_read_buckets(sqlite3 *db, struct usage_buckets *out, char **err);
void usage_buckets_free(struct usage_buckets *b);

/* The bucket of this label, one whose present label it is first; NULL when there is none. */
const struct usage_bucket *usage_bucket_named(const struct usage_buckets *b, const char *label);

/* ---- sums of a period ---- */

struct usage_sums {
	struct class_bytes classes;
	uint64_t clipped[DIR_COUNT];
	uint64_t estimated[DIR_COUNT]; /* a part of the classes, known less well */
	uint64_t spoofed;              /* a part of the output: not sent from an address of its own */
};

void usage_sums_add(struct usage_sums *to, const struct usage_sums *from);

enum usage_by { USAGE_BY_BUCKET, USAGE_BY_ADDRESS, USAGE_BY_VIF };

struct usage_row {
	int64_t bucket;        /* by bucket */
	char *label;           /* by bucket */
	char *address;         /* by address; "" where several or none are known */
	char *domain;          /* by address or vif: the domain whose vif it was */
	char *netdev;          /* by vif; may be NULL */
	unsigned domid, devid; /* by vif */
	struct usage_sums sums;
};

struct usage_report {
	struct usage_run run;
	bool unattributed_charged; /* they are in what netacct calls input and output */
	struct usage_row
		*rows; /* sorted by label, by address and domain, or by domain and vif; numbers by value */
	size_t count;
};

/* Sums of the slots that start in [from, to), for the given buckets, or for all of them when count is 0. By
 * bucket, a bucket that was asked for has its row even when it has no bytes. */
int usage_read_report(sqlite3 *db, enum usage_by by, int64_t from, int64_t to, const int64_t *buckets,
		      size_t count, struct usage_report *out, char **err);
void usage_report_free(struct usage_report *r);

/* ---- vifs, and what is needed to go on from the ledger to the present reading of their counters ---- */

struct usage_vif {
	int64_t id;
	char *boot;
	unsigned domid, devid;
	char *domain;
	char *uuid, *mac, *addresses, *bridge, *netdev; /* each may be NULL */
	char *bucket;                                   /* label */
	int64_t appeared, gone;
	/* of the slots that start in [from, to) */
	struct class_bytes classes;
	uint64_t bytes[DIR_COUNT]; /* all classes */
};

struct usage_epoch { /* open */
	int64_t vif;
	unsigned ifindex;
	unsigned rx_header, tx_header;
	struct counters base, last; /* at its begin, and up to which all is booked */
	uint64_t booked[DIR_COUNT]; /* since its begin */
};

struct usage_baseline {
	unsigned ifindex;
	struct counters counters;
};

struct usage_vifs {
	struct usage_run run;
	bool charge_unattributed; /* unattributed bytes are charged as external ones */
	struct usage_vif *vifs;   /* by domain, appeared, devid */
	size_t vif_count;
	struct usage_epoch *epochs; /* open ones of `boot` */
	size_t epoch_count;
	struct usage_baseline *baselines; /* of `boot` */
	size_t baseline_count;
};

/* The vifs that are there, and those that are gone and have bytes in [from, to); with `all`, all that there
 * ever were. `boot` is the kernel's present boot id. */
int usage_read_vifs(sqlite3 *db, const char *boot, int64_t from, int64_t to, bool all, struct usage_vifs *out,
		    char **err);

/* Only those of these buckets (of all, when count is 0), and of their bytes only what these were charged. */
int usage_read_vifs_of(sqlite3 *db, const char *boot, int64_t from, int64_t to, bool all,
		       const int64_t *buckets, size_t count, struct usage_vifs *out, char **err);
void usage_vifs_free(struct usage_vifs *v);

#endif
