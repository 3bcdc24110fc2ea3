/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The log: what a line looks like, and that no kind of line floods it nor is lost without a word.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/log_limit.h"
#include "tests/support/unit.h"

#define MINUTE 60000

static const char here, there;

static unsigned admitted(struct log_limit *l, const void *place, unsigned lines, int64_t now)
{
	unsigned count = 0;

	for (unsigned i = 0; i < lines; i++)
		count += log_limit_admits(l, place, "", 4, i + 1 < lines ? "some" : "last", now);
	return count;
}

static void forget(struct log_limit *l)
{
	for (size_t i = 0; i < LOG_LIMIT_KINDS; i++)
		free(l->kinds[i].about);
}

static void one_kind_is_held_back_and_told(void **state)
{
	struct log_limit l = {0};
	struct log_held held;

	(void)state;
	assert_int_equal(admitted(&l, &here, 1000, 5), LOG_LIMIT_LINES);
	assert_int_equal(admitted(&l, &there, 10, 5), 10);
	assert_false(log_limit_next(&l, MINUTE, false, &held)); /* not over yet */
	assert_true(log_limit_next(&l, MINUTE + 5, false, &held));
	assert_int_equal(held.lines, 1000 - LOG_LIMIT_LINES);
	assert_int_equal(held.priority, 4);
	assert_string_equal(held.last, "last");
	free(held.last);
	assert_false(log_limit_next(&l, MINUTE + 5, false, &held));
	assert_int_equal(admitted(&l, &here, LOG_LIMIT_LINES, MINUTE + 6), LOG_LIMIT_LINES);
	assert_int_equal(admitted(&l, &there, LOG_LIMIT_LINES, MINUTE + 6), LOG_LIMIT_LINES);
	forget(&l);
}

/* What one object's lines are too many of hides no line of another one. */
static void each_object_has_its_share(void **state)
{
	struct log_limit l = {0};
	struct log_held held;

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_true(log_limit_admits(&l, &here, "guest 1", 4, "x", 5) == (i < LOG_LIMIT_LINES));
	assert_true(log_limit_admits(&l, &here, "guest 2", 4, "y", 5));
	assert_true(log_limit_admits(&l, &here, "", 4, "z", 5));
	assert_false(log_limit_next(&l, 6, false, &held));
	assert_true(log_limit_next(&l, 6, true, &held)); /* at the end of a program */
	assert_int_equal(held.lines, 1000 - LOG_LIMIT_LINES);
	free(held.last);
	assert_false(log_limit_next(&l, 6, true, &held));
	forget(&l);
}

static void what_is_rare_is_never_held_back(void **state)
{
	struct log_limit l = {0};
	struct log_held held;

	(void)state;
	for (int64_t now = 0; now < 100 * MINUTE; now += MINUTE / LOG_LIMIT_LINES)
		assert_true(log_limit_admits(&l, &here, "", 6, "again", now));
	assert_false(log_limit_next(&l, 200 * MINUTE, false, &held));
	forget(&l);
}

/* More kinds than there is room for: none is lost, and what was held back stays until it is told. */
static void too_many_kinds(void **state)
{
	static const char places[3 * LOG_LIMIT_KINDS];
	struct log_limit l = {0};
	struct log_held held;

	(void)state;
	assert_int_equal(admitted(&l, &here, LOG_LIMIT_LINES + 7, 0), LOG_LIMIT_LINES);
	for (size_t i = 0; i < sizeof(places); i++)
		assert_int_equal(admitted(&l, &places[i], 1, 1), 1);
	assert_true(log_limit_next(&l, MINUTE, false, &held));
	assert_int_equal(held.lines, 7);
	free(held.last);
	for (size_t i = 0; i < LOG_LIMIT_KINDS; i++)
		assert_int_equal(admitted(&l, &places[i], 2 * LOG_LIMIT_LINES, 2 * MINUTE), LOG_LIMIT_LINES);
	assert_int_equal(admitted(&l, &places[LOG_LIMIT_KINDS], 2 * LOG_LIMIT_LINES, 2 * MINUTE),
			 2 * LOG_LIMIT_LINES); /* no room, so let through */
	for (size_t i = 0; i < LOG_LIMIT_KINDS; i++) {
		assert_true(log_limit_next(&l, 3 * MINUTE, false, &held));
		assert_int_equal(held.lines, LOG_LIMIT_LINES);
		free(held.last);
	}
	assert_false(log_limit_next(&l, 3 * MINUTE, false, &held));
	forget(&l);
}

static void lines_have_a_name_and_a_bound(void **state)
{
	char *dir = scratch_new(), path[4096], *text;
	int file, kept = dup(STDERR_FILENO);
	size_t size, lines = 0;

	(void)state;
	assert_true(snprintf(path, sizeof(path), "%s/log", dir) < (int)sizeof(path));
	file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(file >= 0 && kept >= 0);
	unsetenv("JOURNAL_STREAM");
	log_init("xenbwd", false);
	assert_true(dup2(file, STDERR_FILENO) >= 0);
	for (int i = 0; i < 500; i++)
		log_warn("line %d", i);
	log_err("another, with %%s as it stands: %s", "%s%n");
	log_debug("not asked for");
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	close(file);
	close(kept);
	text = scratch_read(path, &size);
	assert_non_null(strstr(text, "xenbwd: line 0\nxenbwd: line 1\n"));
	assert_non_null(strstr(text, "xenbwd: another, with %s as it stands: %s%n\n"));
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, LOG_LIMIT_LINES + 1);
	free(text);
	scratch_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_kind_is_held_back_and_told),
		cmocka_unit_test(each_object_has_its_share),
		cmocka_unit_test(what_is_rare_is_never_held_back),
		cmocka_unit_test(too_many_kinds),
		cmocka_unit_test(lines_have_a_name_and_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
