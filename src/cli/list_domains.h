/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * list_domains: one line per vif: the table of `xenbw list-domains`.
 *
 * What goes into it is gathered by listing; the lines below it are those of list_below.
 */
#ifndef XENBW_LIST_DOMAINS_H
#define XENBW_LIST_DOMAINS_H

#include "cli/listing.h"

/* An exit status. */
int list_domains_write(struct listing *l, char **err);

#endif
