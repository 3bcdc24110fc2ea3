/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * clockshim: a wall clock that a test moves, for programs that are started with it in LD_PRELOAD.
 *
 * The file named by CLOCKSHIM holds three whole numbers, "REAL FAKE RATE": when the real clock (UTC, seconds)
 * said REAL this one said FAKE, and since then it runs RATE times as fast. It is read anew at each look at
 * the clock; put a new one in its place by rename. Elapsed time (CLOCK_MONOTONIC), timers and sleep stay as
 * they are. Where the file cannot be read the process aborts: a test must not go on with the wrong time.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS 1000000000LL

static struct timespec fake_now(void)
{
	const char *path = getenv("CLOCKSHIM");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	long long real, fake, rate, ns;
	struct timespec now;
	char text[128];
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (len < 0 || syscall(SYS_clock_gettime, CLOCK_REALTIME, &now) < 0)
		abort();
	text[len] = '\0';
	if (sscanf(text, "%lld %lld %lld", &real, &fake, &rate) != 3)
		abort();
	ns = (now.tv_sec - real) * NS + now.tv_nsec;
	ns *= rate;
	return (struct timespec){.tv_sec = fake + ns / NS, .tv_nsec = ns % NS};
}

int clock_gettime(clockid_t id, struct timespec *out)
{
	if (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE)
		return (int)syscall(SYS_clock_gettime, id, out);
	*out = fake_now();
	return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now = fake_now();

	(void)zone;
	*out = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
	return 0;
}

time_t time(time_t *out)
{
	time_t now = fake_now().tv_sec;

	if (out)
		*out = now;
	return now;
}
