/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * snapshot: what is known of vifs and domains, as two sorted arrays.
 *
 * Owns the texts in it. No I/O; cannot fail. Whoever changes a field sets `changed` too; of a vif's state
 * `states_changed`.
 */
#ifndef XENBW_SNAPSHOT_H
#define XENBW_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>

#include "xen/directory.h"

/* Zeros make an empty one. */
struct snapshot {
	struct xen_vif *vifs; /* by domid, devid */
	size_t vif_count;
	struct xen_domain *domains; /* by domid */
	size_t domain_count;
	bool changed, states_changed;
};

/* Index of the first vif that is not before (domid, devid). */
size_t snapshot_vif_place(const struct snapshot *s, unsigned domid, unsigned devid);

/* NULL when there is none. Pointers are good until something is added or removed. */
struct xen_vif *snapshot_vif_find(const struct snapshot *s, unsigned domid, unsigned devid);
struct xen_domain *snapshot_domain_find(const struct snapshot *s, unsigned domid);

/* Adds one that is not there yet, with nothing in it but its numbers. */
struct xen_vif *snapshot_vif_add(struct snapshot *s, unsigned domid, unsigned devid);
struct xen_domain *snapshot_domain_add(struct snapshot *s, unsigned domid);

void snapshot_vif_remove(struct snapshot *s, struct xen_vif *v);
void snapshot_domain_remove(struct snapshot *s, struct xen_domain *x);

/* Gives the vifs what is known of their domains. A vif whose domain is gone keeps what it had. */
void snapshot_name_vifs(struct snapshot *s);

void snapshot_free(struct snapshot *s);

#endif
