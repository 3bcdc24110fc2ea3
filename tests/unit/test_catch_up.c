/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What /proc/net/softnet_stat says of backlogs, and how long is waited for them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "net/catch_up.h"
#include "tests/support/unit.h"

#define LINE(backlog, processor)                                                                     \
	"0012d6b3 00000000 0000000a 00000000 00000000 00000000 00000000 00000000 00000000 00000000 " \
	"00000000 " backlog " " processor " 00000000 00000000\n"

static uint64_t look(const char *text, uint64_t busy)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	assert_non_null(in);
	catch_up_look(in, &busy);
	fclose(in);
	return busy;
}

static void a_backlog_that_was_seen_empty_is_waited_for_no_more(void **state)
{
	uint64_t busy =
		look(LINE("00000000", "00000000") LINE("00000005", "00000001") LINE("0000001f", "00000003"),
		     UINT64_MAX);

	(void)state;
	assert_int_equal(busy, 0xa);
	busy = look(LINE("00000007", "00000000") LINE("00000000", "00000001") LINE("00000001", "00000003"),
		    busy);
	assert_int_equal(busy, 0x8);
	busy = look(LINE("00000007", "00000000") LINE("00000001", "00000001") LINE("00000000", "00000003"),
		    busy);
	assert_int_equal(busy, 0);
}

static void what_says_nothing_is_not_waited_for(void **state)
{
	(void)state;
	assert_int_equal(look("\n", UINT64_MAX), 0);
	assert_int_equal(look("no numbers at all here\n", UINT64_MAX), 0);
	assert_int_equal(
		look("0012d6b3 00000000 0000000a 00000000 00000000 00000000 00000000 00000000 00000000 "
		     "00000000 00000000\n",
		     UINT64_MAX),
		0);
	assert_int_equal(look(LINE("00000001", "00000040"), UINT64_MAX), 0); /* processor 64 */
}

/* Fails at the third time. */
static int third(void *ctx, char **err)
{
	int *calls = ctx;

	return ++*calls < 3 ? 0 : err_set(err, "third");
}

static int any(void *ctx, char **err)
{
	(void)err;
	++*(int *)ctx;
	return 0;
}

static void it_waits_within_its_bounds(void **state)
{
	int64_t begun = clock_mono().ns;
	FILE *backlogs = catch_up_open();
	int calls = 0;

	(void)state;
	assert_non_null(backlogs);
	assert_int_equal(catch_up_wait(backlogs, any, &calls, NULL), 0);
	assert_true(clock_mono().ns - begun >= CATCH_UP_LEAST_MS * INT64_C(1000000));
	assert_true(calls > 0);
	calls = 0;
	assert_int_equal(catch_up_wait(NULL, any, &calls, NULL), 0);
	assert_true(calls > 0);
	fclose(backlogs);
}

static int64_t wait_ms(FILE *backlogs)
{
	int64_t begun = clock_mono().ns;
	int calls = 0;

	assert_int_equal(catch_up_wait(backlogs, any, &calls, NULL), 0);
	return (clock_mono().ns - begun) / 1000000;
}

/* The file stays open, and says something else each time. */
static void a_backlog_is_looked_at_anew(void **state)
{
	static const char busy[] = LINE("00000007", "00000000"), idle[] = LINE("00000000", "00000000");
	char *dir = scratch_new(), *path = mem_printf("%s/softnet_stat", dir);
	FILE *backlogs;

	(void)state;
	scratch_write(path, idle, sizeof(idle) - 1);
	backlogs = fopen(path, "re");
	assert_non_null(backlogs);
	assert_true(wait_ms(backlogs) < CATCH_UP_MOST_MS);
	scratch_write(path, busy, sizeof(busy) - 1);
	assert_true(wait_ms(backlogs) >= CATCH_UP_MOST_MS);
	scratch_write(path, idle, sizeof(idle) - 1);
	assert_true(wait_ms(backlogs) < CATCH_UP_MOST_MS);
	fclose(backlogs);
	scratch_free(dir);
	free(path);
}

static void an_error_meanwhile_ends_the_wait(void **state)
{
	char *err = NULL;
	int calls = 0;

	(void)state;
	assert_int_equal(catch_up_wait(NULL, third, &calls, &err), -1);
	assert_int_equal(calls, 3);
	assert_string_equal(err, "third");
	free(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_backlog_that_was_seen_empty_is_waited_for_no_more),
		cmocka_unit_test(what_says_nothing_is_not_waited_for),
		cmocka_unit_test(it_waits_within_its_bounds),
		cmocka_unit_test(a_backlog_is_looked_at_anew),
		cmocka_unit_test(an_error_meanwhile_ends_the_wait),
	};

	return cmocka_run_group_tests_name("catch_up", tests, NULL, NULL);
}
