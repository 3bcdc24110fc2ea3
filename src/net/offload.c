/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "net/offload.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

bool offload_cuts(const char *device)
{
	struct ethtool_value ask = {.cmd = ETHTOOL_GTSO};
	struct ifreq req = {.ifr_data = (void *)&ask};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0); /* any socket serves */
	bool takes;

	if (fd < 0)
		return true;
	strncpy(req.ifr_name, device, sizeof(req.ifr_name) - 1);
	takes = ioctl(fd, SIOCETHTOOL, &req) == 0 && ask.data;
	close(fd);
	return !takes;
}
