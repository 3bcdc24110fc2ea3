/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * clock: elapsed time and wall time as two types that cannot be mixed up.
 *
 * Only mains and the daemon's loop read a clock; everything below is handed its time.
 */
#ifndef XENBW_CLOCK_H
#define XENBW_CLOCK_H

#include <stdint.h>

/* Elapsed time since some fixed point; never stepped. */
struct mono {
	int64_t ns;
};

struct mono clock_mono(void);

/* UTC, seconds since 1970; may be stepped by the admin or NTP at any time. */
int64_t clock_wall(void);

/* UTC in milliseconds, for timers that aim at a slot's edge. */
int64_t clock_wall_ms(void);

#endif
