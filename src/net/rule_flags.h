/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rule_flags: the class of what crossed an uplink, once it is known which lists its two ends are in.
 *
 * Pure, and without a library: what xenbw-capture and the kernel's programs decide is the same code.
 */
#ifndef XENBW_RULE_FLAGS_H
#define XENBW_RULE_FLAGS_H

#include <stdbool.h>

#include "base/classes.h"

/* The lists that an address is in. */
enum rule_flag { RULE_IGNORE = 1, RULE_DONTIGNORE = 2, RULE_OURNET = 4, RULE_DIRECT = 8, RULE_PEER = 16 };

/* own_in: of the own end, 0 where that is not believed. own_in_ournet: an own address outside ournet makes it
 * external. */
static inline enum byte_class rule_flags_class(unsigned own_in, unsigned remote_in, bool own_in_ournet)
{
	if ((own_in | remote_in) & RULE_IGNORE && !((own_in | remote_in) & RULE_DONTIGNORE))
		return CLASS_IGNORED;
	if (own_in_ournet && !(own_in & RULE_OURNET))
		return CLASS_EXTERNAL;
	if (remote_in & RULE_OURNET)
		return CLASS_LOCAL;
	if (remote_in & RULE_DIRECT)
		return CLASS_DIRECT;
	return remote_in & RULE_PEER ? CLASS_PEER : CLASS_EXTERNAL;
}

#endif
