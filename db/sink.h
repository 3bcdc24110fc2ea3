/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * sink: what a sink asks of the program that it runs in. It has no voice of its own, and no signals.
 */
#ifndef XENBW_SINK_H
#define XENBW_SINK_H

#include <stdbool.h>

/* Their names in the ledger, and in what xenbwd and xenbw-writer tell each other. */
#define RRD_SINK "rrd"
#define MYSQL_SINK "mysql"

enum sink_level { SINK_DEBUG, SINK_INFO, SINK_WARNING };

struct sink_host {
	void (*say)(void *arg, enum sink_level level, const char *line);
	bool (*must_stop)(void *arg); /* asked between two batches */
	void *arg;
};

void sink_say(const struct sink_host *host, enum sink_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
