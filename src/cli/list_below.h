/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * list_below: the lines below the table of `xenbw list-domains`: what a glance at it would miss.
 *
 * Only for people. A line that is longer than the terminal goes on below at a blank.
 */
#ifndef XENBW_LIST_BELOW_H
#define XENBW_LIST_BELOW_H

#include <stdbool.h>

#include "cli/listing.h"

/* Once the table is filled in. `all`: vifs that are gone are in it. */
void list_below(const struct listing *l, bool all);

#endif
