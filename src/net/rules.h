/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rules: the class of what crossed an uplink, by the networks of the configuration.
 *
 * Pure. The order is netacct's: ignoremask, ignorenet unless dontignore (each looks at both ends), then by
 * the remote end ournet = local, direct_peer, peer, else external. In a naccttab an own address outside
 * ournet makes it external.
 */
#ifndef XENBW_RULES_H
#define XENBW_RULES_H

#include <stdint.h>

#include "base/classes.h"
#include "config/conf.h"
#include "net/prefixes.h"

struct rules;

/* Copies what it needs. */
struct rules *rules_new(const struct conf *c);
void rules_free(struct rules *r);

/* The same lists for a longest match, with the flags of rule_flags.h; free with prefixes_free. */
struct prefixes rules_prefixes(const struct conf *c);

/* Addresses as in struct network. own NULL: nobody but the sender says whose address it is, so that it is not
 * believed (a guest would choose one that is ignored): the remote end alone decides. */
enum byte_class rules_class(const struct rules *r, const uint8_t *own, const uint8_t remote[16]);

#endif
