/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * writer: the loop of xenbw-writer: what xenbwd says, a pass of each sink, what they have passed, and which
 * quotas are reached.
 *
 * After each commit of xenbwd RRD gets its pass and then MySQL, so that a slow server holds up no file. Each
 * is acknowledged for itself. Trouble of a sink is logged once, and once more when it is over; RRD tries
 * again with the next commit, MySQL after `errdelay` flushes have been left out. Never writes the ledger.
 */
#ifndef XENBW_WRITER_H
#define XENBW_WRITER_H

#include "config/conf.h"

struct writer_setup {
	const char *ledger;
	const char *rrd_dir;       /* NULL: no RRD */
	const struct conf *conf;   /* of MySQL; NULL: no MySQL */
	const struct conf *quotas; /* NULL: none */
	int signals;               /* readable: end */
};

/* Until a signal comes or xenbwd closes its end; FEED_FD is the socket to it. */
int writer_run(const struct writer_setup *setup, char **err);

#endif
