/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bwbench: what the bench cannot measure from a script.
 *
 *   bwbench dump N     N bare RTM_GETSTATS dumps; prints how many devices one has, and its processor time in
 * ns bwbench cpu PID    prints the processor time that a process has used so far, in ns
 *
 * The bare dump is net/stats.c with a callback that does nothing but count: what it costs to ask the kernel.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/text.h"
#include "net/stats.h"

static int clock_ns(clockid_t clock, int64_t *ns, char **err)
{
	struct timespec t;

	if (clock_gettime(clock, &t) < 0)
		return err_sys(err, "cannot read the clock of processor time");
	*ns = t.tv_sec * 1000000000LL + t.tv_nsec;
	return 0;
}

static void count_device(void *ctx, unsigned ifindex, const struct counters *counters)
{
	uint64_t *devices = ctx;

	(void)ifindex;
	(void)counters;
	(*devices)++;
}

static int run_dump(uint64_t times, uint64_t pause_ms, char **err)
{
	struct stats *stats;
	uint64_t devices = 0;
	int64_t start, end;
	int rc;

	if (stats_open(&stats, err) < 0)
		return -1;
	rc = clock_ns(CLOCK_PROCESS_CPUTIME_ID, &start, err);
	for (uint64_t i = 0; rc == 0 && i < times; i++) {
		if (pause_ms)
			usleep((unsigned)pause_ms * 1000);
		rc = stats_dump(stats, count_device, &devices, err);
	}
	if (rc == 0)
		rc = clock_ns(CLOCK_PROCESS_CPUTIME_ID, &end, err);
	if (rc == 0)
		printf("%" PRIu64 " %" PRId64 "\n", devices / times, (end - start) / (int64_t)times);
	stats_close(stats);
	return rc;
}

static int run_cpu(uint64_t pid, char **err)
{
	clockid_t clock;
	int64_t ns;

	if (clock_getcpuclockid((pid_t)pid, &clock) != 0)
		return err_set(err, "there is no process %" PRIu64, pid);
	if (clock_ns(clock, &ns, err) < 0)
		return -1;
	printf("%" PRId64 "\n", ns);
	return 0;
}

int main(int argc, char **argv)
{
	char *err = NULL;
	uint64_t number, pause_ms;
	int rc;

	if (argc == 4 && strcmp(argv[1], "dump") == 0 && text_u64(argv[2], 1, INT32_MAX, &number) &&
	    text_u64(argv[3], 0, 60000, &pause_ms)) {
		rc = run_dump(number, pause_ms, &err);
	} else if (argc == 3 && strcmp(argv[1], "cpu") == 0 && text_u64(argv[2], 1, INT32_MAX, &number)) {
		rc = run_cpu(number, &err);
	} else {
		fputs("usage: bwbench dump N MS | cpu PID\n", stderr);
		return 2;
	}
	if (rc < 0)
		fprintf(stderr, "bwbench %s: %s\n", argv[1], err);
	free(err);
	return rc < 0 ? 1 : 0;
}
