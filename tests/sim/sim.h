/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * sim: what every simulation needs: seeds, repeatable random numbers, kinds of events that can be switched
 * off.
 *
 * SEED=n repeats a run, SEEDS=a-b runs many; without them a few fixed seeds and some fresh ones are run, and
 * printed. MINUTES=n makes a run shorter. EVENTS=-kind,-kind leaves these kinds of events out,
 * EVENTS=kind,kind all others; the random numbers stay the same until the first event that is left out. A
 * failure says the seed, the minute and the latest events.
 */
#ifndef XENBW_SIM_H
#define XENBW_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_LATEST 12

struct sim {
	const char *name; /* of the scenario */
	uint64_t seed, random;
	long minute, minutes;
	const char *events; /* NULL: all */
	struct {
		long minute;
		char text[96];
	} latest[SIM_LATEST];
	size_t told;
};

/* Runs one scenario of so many minutes with each seed; `fresh`: with some that nobody has tried before, too.
 */
void sim_run(const char *name, long minutes, bool fresh, void (*scenario)(struct sim *s, const void *arg),
	     const void *arg);

uint64_t sim_below(struct sim *s, uint64_t n);

/* Once in n times. */
bool sim_chance(struct sim *s, uint64_t n);

/* An event of this kind may happen. */
bool sim_wants(const struct sim *s, const char *kind);

/* Something happened: a failure will tell it. */
__attribute__((format(printf, 2, 3))) void sim_tell(struct sim *s, const char *fmt, ...);

/* Fails the running test. */
__attribute__((format(printf, 2, 3), noreturn)) void sim_fail(const struct sim *s, const char *fmt, ...);

#endif
