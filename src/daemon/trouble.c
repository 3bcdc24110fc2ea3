/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/trouble.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

void trouble_is(struct trouble *t, char *reason)
{
	if (!reason && t->reason)
		log_info_about(t->what, "%s works again", t->what);
	if (reason && (!t->reason || strcmp(reason, t->reason) != 0))
		log_err_about(t->what, "%s; it is tried again, and meanwhile %s", reason, t->meanwhile);
	free(t->reason);
	t->reason = reason;
}
