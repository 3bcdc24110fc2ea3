/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * report: `xenbw report`, the sums of a period per bucket or per own address.
 *
 * Only the ledger is asked. Input and output are what netacct's are: external bytes, and those that nobody could
 * attribute.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/period.h"
#include "cli/units.h"

/* Sums by direction: a pair of columns for each. */
enum {
	SUM_CHARGED, /* external and unattributed */
	SUM_EXTERNAL,
	SUM_UNATTRIBUTED,
	SUM_PEER,
	SUM_DIRECT,
	SUM_LOCAL,
	SUM_IGNORED,
	SUM_CLIPPED,
	SUM_ESTIMATED,
	SUM_COUNT
};

enum {
	COLUMN_BUCKET,
	COLUMN_ADDRESS,
	COLUMN_DOMAIN,
	COLUMN_CHARGED, /* input, output */
	COLUMN_TOTAL = COLUMN_CHARGED + DIR_COUNT,
	COLUMN_SUMS, /* those after SUM_CHARGED, by direction */
	COLUMN_COUNT = COLUMN_SUMS + (SUM_COUNT - 1) * DIR_COUNT
};

#define PAIR(sum, key, title, drop)                                                                            \
	[COLUMN_SUMS + (sum - 1) * DIR_COUNT + DIR_INPUT] = {key "_input", title " IN", OUT_BYTES, drop},      \
	[COLUMN_SUMS + (sum - 1) * DIR_COUNT + DIR_OUTPUT] = {key "_output", title " OUT", OUT_BYTES, drop}

static const struct out_column report_columns[COLUMN_COUNT] = {
	[COLUMN_BUCKET] = {"bucket", "BUCKET", OUT_TEXT, 0},
	[COLUMN_ADDRESS] = {"address", "ADDRESS", OUT_TEXT, 0},
	[COLUMN_DOMAIN] = {"domain", "DOMAIN", OUT_TEXT, 0},
	[COLUMN_CHARGED + DIR_INPUT] = {"input", "INPUT", OUT_BYTES, 0},
	[COLUMN_CHARGED + DIR_OUTPUT] = {"output", "OUTPUT", OUT_BYTES, 0},
	[COLUMN_TOTAL] = {"total", "TOTAL", OUT_BYTES, 0},
	PAIR(SUM_EXTERNAL, "external", NULL, 0),
	PAIR(SUM_UNATTRIBUTED, "unattributed", NULL, 0),
	PAIR(SUM_PEER, "peer", "PEER", 4),
	PAIR(SUM_DIRECT, "direct", "DIRECT", 3),
	PAIR(SUM_LOCAL, "local", "LOCAL", 2),
	PAIR(SUM_IGNORED, "ignored", "IGNORED", 1),
	PAIR(SUM_CLIPPED, "clipped", NULL, 0),
	PAIR(SUM_ESTIMATED, "estimated", NULL, 0),
};
