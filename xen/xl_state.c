/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xen/xl_state.h"

static const char *reason_word(libxl_shutdown_reason reason)
{
	switch (reason) {
	case LIBXL_SHUTDOWN_REASON_POWEROFF:
		return "poweroff";
	case LIBXL_SHUTDOWN_REASON_REBOOT:
	case LIBXL_SHUTDOWN_REASON_SOFT_RESET:
		return "reboot";
	case LIBXL_SHUTDOWN_REASON_SUSPEND:
		return "suspended";
	case LIBXL_SHUTDOWN_REASON_CRASH:
	case LIBXL_SHUTDOWN_REASON_WATCHDOG:
		return "crashed";
	case LIBXL_SHUTDOWN_REASON_UNKNOWN:
		break;
	}
	return "shutdown";
}

const char *xl_state_word(const libxl_dominfo *info)
{
	if (info->dying)
		return "dying";
	if (info->shutdown)
		return reason_word(info->shutdown_reason);
	if (info->paused)
		return "paused";
	if (info->blocked && !info->running)
		return "blocked";
	return "running";
}
