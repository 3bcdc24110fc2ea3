/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bucket: which bucket a domain or an address is charged to, and what it is called.
 *
 * Pure. A known uuid means its bucket, whatever the domain is called now; an unknown uuid under the label of
 * a bucket that no live domain uses means that bucket (a guest was reinstalled). A rename changes the label.
 * A uuid that a live domain under another name has is a copied one: this domain gets a bucket of its own,
 * which it is known by with uuid and name together. A label that a live domain uses is never taken from it:
 * the newcomer becomes NAME~2. "--incoming" and
 * "--migratedaway" are no names. The label Domain-0 is dom0's, whoever else is called so.
 */
#ifndef XENBW_BUCKET_H
#define XENBW_BUCKET_H

#include "db/ledger.h"

/* dom0, as Xen itself knows it. A guest under this uuid counts as one without. */
#define BUCKET_DOM0_NAME "Domain-0"
#define BUCKET_DOM0_UUID "00000000-0000-0000-0000-000000000000"

struct buckets;

/* Knows what the ledger knew. */
struct buckets *buckets_new(const struct ledger_state *state);
void buckets_free(struct buckets *b);

/* The bucket of a live domain; call it again whenever name or uuid may have changed. name may be NULL (not
 * named yet), uuid too. *warning is set (allocated) where the label had to differ from the name. */
int64_t buckets_of_domain(struct buckets *b, unsigned domid, const char *uuid, const char *name, int64_t now,
			  char **warning);

/* How much of a domain's name is its own, without what a migration adds for a while. */
size_t bucket_own_length(const char *name);

/* Binds a live domain to a bucket that the ledger says it has, under the uuid and name (may be NULL) that it
 * says; not to one of an address. */
void buckets_attach(struct buckets *b, unsigned domid, int64_t bucket, const char *uuid, const char *name);

/* The domain is gone; its label is free for a new one. */
void buckets_release(struct buckets *b, unsigned domid);

/* Is it certain which bucket this domain is charged to: has one with this uuid been charged before, and has
 * no live domain of another name its bucket? name may be NULL. */
bool buckets_know(const struct buckets *b, unsigned domid, const char *uuid, const char *name);

/* Is no live domain attached to it? */
bool buckets_is_idle(const struct buckets *b, int64_t id);

/* The ledger has forgotten an idle bucket of a domain, or a uuid: both are unknown from now on. */
void buckets_forget(struct buckets *b, int64_t id);
void buckets_forget_uuid(struct buckets *b, const char *uuid);

/* The bucket of an address. */
int64_t buckets_of_address(struct buckets *b, const char *address, int64_t now);

/* The present label; NULL for an unknown id. Valid until the next buckets_of_*. */
const char *buckets_label(const struct buckets *b, int64_t id);

/* Adds to a batch what the ledger does not know yet; buckets_committed when it went in. The batch's arrays
 * are allocated (free them), the rows belong to the buckets. */
void buckets_batch(const struct buckets *b, struct ledger_batch *batch);
void buckets_committed(struct buckets *b);

#endif
