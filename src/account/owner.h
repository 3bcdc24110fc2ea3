/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * owner: which addresses are a vif's, and which of them its bytes are charged to with `bucket ip`.
 *
 * Pure. Knows the admin's word (`address` lines, which win) and the toolstack's; nothing that a guest can
 * write.
 */
#ifndef XENBW_OWNER_H
#define XENBW_OWNER_H

#include <stdbool.h>
#include <stddef.h>

#include "config/conf.h"

/* What the admin said about addresses. */
struct owner_rules {
	const struct conf_addresses *lines; /* each address once; NULL: none */
	const struct networks *compactnet;  /* NULL: none */
};

/* How a vif can be named in an `address` line. Each text may be NULL. */
struct owner_names {
	const char *domain; /* NULL too where a name is not its domain's to have */
	const char *vifname;
	const char *netdev;
	const char *mac;
	unsigned domid, devid;
};

/* All texts are canonical (inet_ntop). */
struct owner_address {
	char *text;          /* allocated; NULL: no address is known to be the vif's */
	bool sole;           /* it has no other */
	bool ambiguous;      /* nobody said which of several it is: the first was taken */
	struct networks all; /* networks_free: each address that is the vif's, those by a line first */
};

/* The rules, to be asked for each vif: what that costs does not grow with the lines. They stay the caller's,
 * and as they are. */
struct owners;

struct owners *owners_new(const struct owner_rules *rules);
void owners_free(struct owners *o);

/* `toolstack`: addresses between blanks, or NULL. */
struct owner_address owner_choose(const struct owners *o, const struct owner_names *names,
				  const char *toolstack);

#endif
