/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rebucket_rrd: `xenbw rebucket --rrd`: RRD files of addresses, renamed to those of the domains that had
 * them.
 *
 * Renames within rrd_dir, never over another file, and keeps what it did. Holds the folder's lock meanwhile,
 * as xenbw-writer does. xenbw-rrd looks into the files: they must be such that the writer can go on with
 * them.
 */
#ifndef XENBW_REBUCKET_RRD_H
#define XENBW_REBUCKET_RRD_H

#include "cli/cli.h"

/* An exit status; the words were checked and the configuration is read. */
int rebucket_rrd(const struct cli *cli, char **err);

#endif
