/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/rrd_slots.h"

#include <inttypes.h>
#include <math.h>
#include <rrd.h>
#include <stdlib.h>
#include <string.h>

#include "db/rrd_plan.h"

static void print_value(double rate, FILE *out)
{
	if (isnan(rate))
		fputs(" -", out);
	else
		fprintf(out, " %.0f", rate * RRD_STEP);
}

/* The column of this name; -1: there is none. */
static long column_of(char *const *names, unsigned long count, const char *name)
{
	for (unsigned long i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return (long)i;
	return -1;
}

int rrd_slots_print(const char *file, int64_t from, int64_t to, FILE *out)
{
	time_t start = (time_t)from, end = (time_t)to, last = rrd_last_r(file);
	unsigned long step = RRD_STEP, count;
	long input, output;
	rrd_value_t *data, *row;
	char **names;

	if (last < 0 || rrd_fetch_r(file, "AVERAGE", &start, &end, &step, &count, &names, &data) < 0)
		return -1;
	fprintf(out, "last %" PRId64 "\n", (int64_t)last);
	input = column_of(names, count, "input");
	output = column_of(names, count, "output");
	row = data;
	for (time_t t = start; step == RRD_STEP && input >= 0 && output >= 0 && t < (time_t)to;
	     t += RRD_STEP) {
		if (t >= (time_t)from) {
			fprintf(out, "%" PRId64, (int64_t)t);
			print_value(row[input], out);
			print_value(row[output], out);
			fputc('\n', out);
		}
		row += count;
	}
	for (unsigned long i = 0; i < count; i++)
		rrd_freemem(names[i]);
	rrd_freemem(names);
	rrd_freemem(data);
	return 0;
}
