/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * metrics: `xenbw metrics`, counters and health as text that Prometheus' node_exporter reads, or
 * OpenMetrics.
 *
 * It goes to standard output, or to a file that is there as a whole or not at all.
 */
#ifndef XENBW_METRICS_H
#define XENBW_METRICS_H

#include <stdio.h>

#include "cli/cli.h"

/* What the ledger knows, for who may not ask xenbwd how it is. */
int metrics_write(struct cli *cli, FILE *out, char **err);

#endif
