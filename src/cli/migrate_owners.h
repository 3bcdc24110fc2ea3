/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * migrate_owners: whose each address of a naccttab is, and how that is known.
 *
 * Gathers what the toolstack said, which MAC this host heard, and what guests say of themselves. Needs no
 * daemon and writes nothing. Without xenstore it knows little, and says why.
 */
#ifndef XENBW_MIGRATE_OWNERS_H
#define XENBW_MIGRATE_OWNERS_H

#include "cli/naccttab.h"

/* The best first. */
enum evidence {
	EVIDENCE_LINE,      /* an `address` line of the file */
	EVIDENCE_OWN,       /* this host has the address: dom0 */
	EVIDENCE_TOOLSTACK, /* the domain's configuration in Xen */
	EVIDENCE_MAC,       /* this host has heard it from the MAC of a vif */
	EVIDENCE_GUEST,     /* the guest says so */
	EVIDENCE_SERVER,    /* mysql_host is this address: probably dom0 */
	EVIDENCE_NONE
};

struct migrate_owner {
	struct network network;
	char *address;
	size_t line; /* the compactnet that covers it */
	enum evidence evidence;
	char *domain; /* NULL: nobody's */
	unsigned domid, devid;
	bool has_vif;
	bool sole; /* the domain's only vif */
	char *device, *mac;
	char *remark; /* what speaks against it, or what is known of one that nobody has; or NULL */
};

struct migrate_owners {
	struct migrate_owner *list; /* by address */
	size_t count;
	size_t without;                /* of them have no owner */
	struct conf_texts not_counted; /* vifs that nacctd never counted: "web (vif1.0)" */
	char *no_live;                 /* why the guests are not known, or NULL */
};

int migrate_owners_find(struct migrate_owners *o, const struct naccttab *t, char **err);
void migrate_owners_free(struct migrate_owners *o);

/* "toolstack", "mac", ... ; for machines. */
const char *migrate_evidence_word(enum evidence e);

#endif
