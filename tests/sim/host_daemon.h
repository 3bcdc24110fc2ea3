/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * host_daemon: what host_daemon.c needs of host_links.c and host_store.c.
 */
#ifndef XENBW_SIM_HOST_DAEMON_H
#define XENBW_SIM_HOST_DAEMON_H

#include "host.h"

/* Of the daemon that was made: d->links and d->stats; d->directory. */
void host_links_open(struct host *h);
void host_links_close(struct host *h);
void host_store_open(struct host *h);
void host_store_close(struct host *h);

#endif
