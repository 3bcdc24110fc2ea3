/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/support/netns.h"

#include <sched.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

#define MOST_WORDS 32

void netns_enter(void)
{
	assert_int_equal(unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
	assert_int_equal(mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("sysfs", "/sys", "sysfs", 0, NULL), 0);
}

void netns_bind_programs(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	assert_true(n > 0);
	path[n] = '\0';
	*strrchr(path, '/') = '\0';
	assert_int_equal(mount(path, NETNS_PROGRAMS, NULL, MS_BIND, NULL), 0);
}

void netns_fake_sys(void)
{
	assert_int_equal(mount("tmpfs", "/sys", "tmpfs", 0, NULL), 0);
}

void netns_run(const char *fmt, ...)
{
	char *words[MOST_WORDS + 1] = {0}, *text, *rest = NULL;
	int status, count = 0;
	va_list ap;
	pid_t pid;

	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);
	for (char *w = strtok_r(text, " ", &rest); w; w = strtok_r(NULL, " ", &rest)) {
		assert_true(count < MOST_WORDS);
		words[count++] = w;
	}
	assert_int_equal(posix_spawnp(&pid, words[0], NULL, NULL, words, environ), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	free(text);
}

uint64_t netns_number(const char *device, const char *leaf)
{
	char *path = mem_printf("/sys/class/net/%s/%s", device, leaf);
	size_t len;
	char *text = scratch_read(path, &len);
	uint64_t number = strtoull(text, NULL, 10);

	free(text);
	free(path);
	return number;
}
