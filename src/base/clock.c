/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"

#include <time.h>

struct mono clock_mono(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t); /* cannot fail: the clock exists since Linux 2.6.39 */
	return (struct mono){(int64_t)t.tv_sec * 1000000000 + t.tv_nsec};
}

int64_t clock_wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_wall(void)
{
	return clock_wall_ms() / 1000;
}
