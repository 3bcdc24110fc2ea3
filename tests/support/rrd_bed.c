/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/support/rrd_bed.h"

#include <dirent.h>
#include <limits.h>
#include <math.h>
#include <rrd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/support/unit.h"

char *rrd_bed_dump(const char *path)
{
	char *out = mem_printf("%s.dump", path), *text;
	size_t size;

	rrd_clear_error();
	if (rrd_dump_r(path, out) != 0)
		fail_msg("rrd_dump_r %s: %s", path, rrd_get_error());
	text = scratch_read(out, &size);
	assert_int_equal(unlink(out), 0);
	free(out);
	return text;
}

int64_t rrd_bed_last(const char *path)
{
	time_t last;

	rrd_clear_error();
	last = rrd_last_r(path);
	if (last < 0)
		fail_msg("rrd_last_r %s: %s", path, rrd_get_error());
	return last;
}

/* All averages of five minutes in [from, to) of one column; *count of them. free() */
static double *fetch(const char *path, const char *column, int64_t from, int64_t to, size_t *count)
{
	time_t start = (time_t)from, end = (time_t)to;
	unsigned long step = 300, columns;
	rrd_value_t *data;
	double *out;
	char **names;
	size_t at;

	rrd_clear_error();
	if (rrd_fetch_r(path, "AVERAGE", &start, &end, &step, &columns, &names, &data) != 0)
		fail_msg("rrd_fetch_r %s: %s", path, rrd_get_error());
	assert_int_equal(step, 300);
	assert_int_equal(start, from);
	for (at = 0; at < columns && strcmp(names[at], column) != 0; at++)
		;
	assert_true(at < columns);
	*count = (size_t)(to - from) / 300;
	out = mem_array(*count, sizeof(*out));
	for (size_t i = 0; i < *count; i++)
		out[i] = data[i * columns + at];
	for (unsigned long i = 0; i < columns; i++)
		rrd_freemem(names[i]);
	rrd_freemem(names);
	rrd_freemem(data);
	return out;
}

double rrd_bed_slot(const char *path, const char *column, int64_t slot)
{
	size_t count;
	double *rates = fetch(path, column, slot, slot + 300, &count), bytes = rates[0] * 300;

	free(rates);
	return bytes;
}

uint64_t rrd_bed_sum(const char *path, const char *column, int64_t from, int64_t to, unsigned *unknown)
{
	size_t count;
	double *rates = fetch(path, column, from, to, &count);
	uint64_t sum = 0;

	*unknown = 0;
	for (size_t i = 0; i < count; i++) {
		if (isnan(rates[i]))
			(*unknown)++;
		else
			sum += (uint64_t)llround(rates[i] * 300);
	}
	free(rates);
	return sum;
}

void rrd_bed_tool(const char *words)
{
	char *copy = mem_strdup(words), *rest = copy, *argv[64], *word;
	int argc = 0, rc;

	while ((word = strsep(&rest, " "))) {
		assert_true(argc < 63);
		argv[argc++] = word;
	}
	argv[argc] = NULL;
	rrd_clear_error();
	rc = strcmp(argv[0], "create") == 0 ? rrd_create(argc, argv) : rrd_update(argc, argv);
	if (rc != 0)
		fail_msg("rrd %s: %s", words, rrd_get_error());
	free(copy);
}

/* Counts descriptors, all of them or those of one file; 0 where the process is gone. */
static int count_open(pid_t pid, const char *path)
{
	char *name = mem_printf("/proc/%d/fd", (int)pid), target[PATH_MAX];
	DIR *dir = opendir(name);
	const struct dirent *entry;
	int found = 0;

	while (dir && (entry = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		target[n < 0 ? 0 : n] = '\0';
		found += n >= 0 && (!path || strcmp(target, path) == 0);
	}
	if (dir)
		closedir(dir);
	free(name);
	return found;
}

static bool is_worker(const char *pid, pid_t parent)
{
	char *name = mem_printf("/proc/%s/stat", pid), comm[32] = "";
	FILE *in = fopen(name, "re");
	int ppid = 0;

	if (in && fscanf(in, "%*d (%31[^)]) %*c %d", comm, &ppid) != 2)
		ppid = 0;
	if (in)
		fclose(in);
	free(name);
	return ppid == (int)parent && strcmp(comm, "xenbw-rrd") == 0;
}

pid_t rrd_bed_worker(pid_t parent, const char *path)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	pid_t found = 0;

	while (proc && !found && (entry = readdir(proc)))
		if (is_worker(entry->d_name, parent) &&
		    count_open((pid_t)strtol(entry->d_name, NULL, 10), path) > 0)
			found = (pid_t)strtol(entry->d_name, NULL, 10);
	if (proc)
		closedir(proc);
	return found;
}

int rrd_bed_descriptors(pid_t pid)
{
	return count_open(pid, NULL);
}
