/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/privileges.h"

#include <cap-ng.h>
#include <stdbool.h>
#include <sys/prctl.h>

#include "base/err.h"

#define ALL_SETS (CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE | CAPNG_BOUNDING_SET)

/* The bounding set can be changed by who may; else it does no harm, as no_new_privs stands before it. */
static int apply(bool bounding, char **err)
{
	if (capng_apply(bounding ? CAPNG_SELECT_ALL : CAPNG_SELECT_CAPS) < 0)
		return err_sys(err, "cannot drop capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, "cannot set no_new_privs");
	return 0;
}

static bool may_bound(void)
{
	return capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) == 1;
}

int privileges_keep_capture(char **err)
{
	bool bounding = may_bound();

	if (capng_have_capability(CAPNG_PERMITTED, CAP_NET_RAW) != 1)
		return err_set(err, "no right to open packet sockets; xenbwd must be started by root, with "
				    "CAP_NET_RAW");
	capng_clear(CAPNG_SELECT_ALL);
	if (capng_update(CAPNG_ADD, ALL_SETS, CAP_NET_RAW) < 0)
		return err_set(err, "cannot keep the right to open packet sockets");
	return apply(bounding, err);
}

int privileges_drop(char **err)
{
	bool bounding = may_bound();

	capng_clear(CAPNG_SELECT_ALL);
	return apply(bounding, err);
}
