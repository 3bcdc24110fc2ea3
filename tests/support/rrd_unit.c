/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/support/rrd_unit.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/support/rrd_bed.h"
#include "tests/support/unit.h"

const char *const rrd_unit_columns[RRD_COLUMNS] = {
	"input",        "output",        "peer_input",  "peer_output",
	"direct_input", "direct_output", "local_input", "local_output",
};

int rrd_unit_set_up(void **state)
{
	struct rrd_unit *b = mem_alloc(sizeof(*b));
	char *err = NULL;

	b->path = scratch_new();
	*state = b;
	return rrd_dir_open(&b->dir, b->path, &err);
}

int rrd_unit_tear_down(void **state)
{
	struct rrd_unit *b = *state;

	rrd_dir_close(&b->dir);
	scratch_free(b->path);
	free(b);
	return 0;
}

char *rrd_unit_path(const struct rrd_unit *b, const char *name)
{
	return mem_printf("%s/%s", b->path, name);
}

struct rrd_state rrd_unit_read(const struct rrd_unit *b, const char *name)
{
	struct rrd_state s;
	char *err = NULL;

	if (rrd_dir_read(&b->dir, &name, 1, &s, &err) < 0)
		fail_msg("%s", err);
	return s;
}

struct rrd_outcome rrd_unit_do(const struct rrd_unit *b, const struct rrd_job *job)
{
	struct rrd_outcome o;
	char *err = NULL;

	if (rrd_dir_write(&b->dir, job, 1, &o, &err) < 0)
		fail_msg("%s", err);
	return o;
}

struct rrd_outcome rrd_unit_bring_up(const struct rrd_unit *b, const char *name, int64_t from, int64_t to,
				     const struct rrd_usage *usage)
{
	struct rrd_state s = rrd_unit_read(b, name);
	bool missing = s.outcome.cause == RRD_MISSING;
	struct rrd_job job = {.name = name,
			      .mode = missing ? RRD_BEGIN : RRD_GO_ON,
			      .place = missing,
			      .after = s.tail.last_update,
			      .columns = s.columns};

	if (s.outcome.cause == RRD_FINE || missing) {
		rrd_plan(&s.tail, from, to, usage, &job.updates);
		s.outcome = rrd_unit_do(b, &job);
		free(job.updates.list);
	}
	return s.outcome;
}

void rrd_unit_fine(struct rrd_outcome o)
{
	if (o.cause != RRD_FINE)
		fail_msg("cause %d: %s", o.cause, o.reason);
}

void rrd_unit_trouble(struct rrd_outcome o, int cause, const char *words)
{
	if (o.cause != cause || !strstr(o.reason, words))
		fail_msg("expected cause %d and `%s`, got %d: %s", cause, words, o.cause, o.reason);
}

struct rrd_slot rrd_unit_slots[3] = {
	{.slot = SLOT(0), .bytes = {300, 600, 1, 2, 3, 4, 5, 6}},
	{.slot = SLOT(1), .bytes = {900, 30, 1, 2, 3, 4, 5, 6}},
	{.slot = SLOT(2), .bytes = {7, 8, 9, 10, 11, 12, 13, 14}},
};
const struct rrd_usage rrd_unit_some = {.slots = rrd_unit_slots, .slot_count = 3};

void rrd_unit_expect_slot(const char *path, const char *column, int64_t slot, double bytes)
{
	double seen = rrd_bed_slot(path, column, slot);

	if (isnan(bytes) ? !isnan(seen) : !(fabs(seen - bytes) < 0.001))
		fail_msg("%s of slot %" PRId64 ": expected %f, seen %f", column, slot, bytes, seen);
}

void rrd_unit_expect_some(const char *path)
{
	for (int s = 0; s < 3; s++)
		for (int c = 0; c < RRD_COLUMNS; c++)
			rrd_unit_expect_slot(path, rrd_unit_columns[c], SLOT(s),
					     (double)rrd_unit_slots[s].bytes[c]);
}