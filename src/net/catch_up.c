/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "net/catch_up.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define SOFTNET "/proc/net/softnet_stat"
#define STEP_MS 2

/* Its columns, in hexadecimal. Kernels before 5.10 have fewer: nothing is known then. */
#define BACKLOG_COLUMN 11
#define PROCESSOR_COLUMN 12

/* Reads a line's backlog and processor; false where it has none. */
static bool read_line(const char *line, uint32_t *backlog, uint32_t *processor)
{
	uint32_t value = 0;
	int used;

	for (int column = 0; column <= PROCESSOR_COLUMN; column++) {
		/* NOLINTNEXTLINE(cert-err34-c): the kernel writes 32 bits */
		if (sscanf(line, "%" SCNx32 "%n", &value, &used) != 1)
			return false;
		line += used;
		if (column == BACKLOG_COLUMN)
			*backlog = value;
	}
	*processor = value;
	return true;
}

void catch_up_look(FILE *in, uint64_t *busy)
{
	uint64_t waiting = 0;
	uint32_t backlog, processor;
	char line[512];

	while (fgets(line, sizeof(line), in))
		if (read_line(line, &backlog, &processor) && backlog && processor < 64)
			waiting |= UINT64_C(1) << processor;
	*busy &= waiting;
}

FILE *catch_up_open(void)
{
	return fopen(SOFTNET, "re");
}

int catch_up_wait(FILE *backlogs, catch_up_fn *fn, void *ctx, char **err)
{
	uint64_t busy = backlogs ? UINT64_MAX : 0;
	int64_t begun = clock_mono().ns, passed = 0;

	while (passed < CATCH_UP_LEAST_MS || (busy && passed < CATCH_UP_MOST_MS)) {
		if (busy) {
			rewind(backlogs); /* it was read to its end: the kernel writes it anew */
			catch_up_look(backlogs, &busy);
		}
		(void)poll(NULL, 0, STEP_MS);
		if (fn(ctx, err) < 0)
			return -1;
		passed = (clock_mono().ns - begun) / 1000000;
	}
	return 0;
}
