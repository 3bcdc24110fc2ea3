/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xenbw-hook's parts: what its program gets as its environment, which program may be called, what it says.
 * Needs root.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "config/quotas.h"
#include "hook/check.h"
#include "hook/environment.h"
#include "hook/output.h"
#include "tests/support/unit.h"

/* ---- environment ---- */

static const char *value_of(char **env, const char *name)
{
	size_t length = strlen(name);

	for (; *env; env++)
		if (strncmp(*env, name, length) == 0 && (*env)[length] == '=')
			return *env + length + 1;
	return NULL;
}

static struct crossing some_crossing(void)
{
	struct crossing c = {.bucket = 7,
			     .from = 1793487600,
			     .to = 1796079600,
			     .time = 1795431610,
			     .bytes = 2000000000000,
			     .used = UINT64_C(1900000000001),
			     .percent = 95,
			     .period = QUOTA_MONTH,
			     .class = QUOTA_CHARGED,
			     .direction = QUOTA_OUTPUT};

	memcpy(c.owner, "acme", 5);
	memcpy(c.label, "$(reboot) `x`;\n'\"", 18);
	return c;
}

static void a_crossing_is_told_as_it_is(void **state)
{
	struct crossing c = some_crossing();
	char **env = environment_new(&c, "/etc/xenbw/xenbw.conf");

	(void)state;
	assert_non_null(env);
	assert_string_equal(value_of(env, "XENBW_BUCKET"), "$(reboot) `x`;\n'\"");
	assert_string_equal(value_of(env, "XENBW_OWNER"), "acme");
	assert_string_equal(value_of(env, "XENBW_PERIOD"), "month");
	assert_string_equal(value_of(env, "XENBW_CLASS"), "charged");
	assert_string_equal(value_of(env, "XENBW_DIRECTION"), "output");
	assert_string_equal(value_of(env, "XENBW_PERCENT"), "95");
	assert_string_equal(value_of(env, "XENBW_USED"), "1900000000001");
	assert_string_equal(value_of(env, "XENBW_LIMIT"), "2000000000000");
	assert_string_equal(value_of(env, "XENBW_FROM"), "2026-10-31T23:00:00Z");
	assert_string_equal(value_of(env, "XENBW_TO"), "2026-11-30T23:00:00Z");
	assert_string_equal(value_of(env, "XENBW_CROSSED_AT"), "2026-11-23T11:00:10Z");
	assert_string_equal(value_of(env, "XENBW_CONFIG"), "/etc/xenbw/xenbw.conf");
	assert_null(value_of(env, "HOME")); /* nothing of its own */
	environment_free(env);
}

static void a_crossing_that_means_nothing_is_refused(void **state)
{
	struct crossing c = some_crossing();

	(void)state;
	c.period = QUOTA_PERIODS;
	assert_null(environment_new(&c, "/x"));
	c = some_crossing();
	c.class = QUOTA_CLASSES;
	assert_null(environment_new(&c, "/x"));
	c = some_crossing();
	c.direction = UINT32_MAX;
	assert_null(environment_new(&c, "/x"));
}

/* ---- which program ---- */

static void refused(const char *path, const char *words)
{
	char *real = NULL, *err = NULL;

	assert_int_equal(check_program(path, &real, &err), -1);
	assert_null(real);
	if (!strstr(err, words))
		fail_msg("expected `%s`, got: %s", words, err);
	free(err);
}

static void only_what_nobody_but_root_can_change_is_called(void **state)
{
	char *folder = scratch_new(), *path = mem_printf("%s/hook", folder),
	     *link = mem_printf("%s/link", folder), *real, *err = NULL;

	(void)state;
	assert_int_equal(geteuid(), 0);
	refused(path, "cannot find");
	scratch_write(path, "#!/bin/sh\n", 10);
	assert_int_equal(chmod(path, 0755), 0);
	refused(path, "write to /tmp"); /* everybody may, in there */
	assert_int_equal(chmod(path, 0644), 0);
	refused(path, "is no program");
	assert_int_equal(chmod(path, 0775), 0);
	refused(path, "others than root can write");
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(chown(path, 1, 0), 0);
	refused(path, "is not root's");
	refused("/bin", "is no program");
	assert_int_equal(symlink("/bin/true", link), 0);
	assert_int_equal(check_program(link, &real, &err), 0);
	assert_string_equal(strrchr(real, '/'), "/true");
	free(real);
	free(link);
	free(path);
	scratch_free(folder);
}

/* ---- what it says ---- */

/* All that is logged while `text` is taken as its output. */
static char *logged(const char *text, size_t length)
{
	char *folder = scratch_new(), *path = mem_printf("%s/log", folder), *all;
	int before = dup(STDERR_FILENO), file = open(path, O_RDWR | O_CREAT, 0600), ends[2];
	struct output o;
	size_t size;

	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	assert_int_equal(write(ends[1], text, length), length);
	(void)fflush(stderr);
	dup2(file, STDERR_FILENO);
	o = (struct output){.fd = ends[0]};
	output_read(&o);
	assert_true(o.fd >= 0); /* more may come */
	close(ends[1]);
	output_close(&o);
	(void)fflush(stderr);
	dup2(before, STDERR_FILENO);
	assert_int_equal(o.fd, -1);
	output_close(&o); /* once is enough */
	close(before);
	close(file);
	all = scratch_read(path, &size);
	free(path);
	scratch_free(folder);
	return all;
}

static void lines_are_logged_and_harmless(void **state)
{
	static const char text[] = "one\n\x1b[2Jtwo\nand no end";
	char *seen = logged(text, sizeof(text) - 1);

	(void)state;
	assert_non_null(strstr(seen, "quota_hook says: one\n"));
	assert_non_null(strstr(seen, "says: \\x1b[2Jtwo\n"));
	assert_non_null(strstr(seen, "says: and no end\n"));
	free(seen);
}

static void a_flood_is_cut(void **state)
{
	static char text[60000];
	char *seen;
	size_t lines = 0;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t i = 1000; i < sizeof(text); i += 100)
		text[i] = '\n';
	seen = logged(text, sizeof(text));
	for (const char *s = seen; (s = strchr(s, '\n')); s++)
		lines++;
	assert_true(lines <= 52);
	free(seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crossing_is_told_as_it_is),
		cmocka_unit_test(a_crossing_that_means_nothing_is_refused),
		cmocka_unit_test(only_what_nobody_but_root_can_change_is_called),
		cmocka_unit_test(lines_are_logged_and_harmless),
		cmocka_unit_test(a_flood_is_cut),
	};

	log_init("test", false);
	return cmocka_run_group_tests_name("hook_parts", tests, NULL, NULL);
}
