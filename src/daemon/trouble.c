/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/trouble.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

void trouble_is(struct trouble *t, char *reason)
{
	if (!reason && t->reason)
		log_info("%s works again", t->what);
	if (reason && (!t->reason || strcmp(reason, t->reason) != 0))
		log_err("%s; it is tried again, nothing is lost meanwhile", reason);
	free(t->reason);
	t->reason = reason;
}
