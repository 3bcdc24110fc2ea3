/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Each state of a domain gives one word.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "xen/xl_state.h"

static void one_flag_gives_its_word(void **state)
{
	(void)state;
	assert_string_equal(xl_state_word(&(libxl_dominfo){.running = true}), "running");
	assert_string_equal(xl_state_word(&(libxl_dominfo){.blocked = true}), "blocked");
	assert_string_equal(xl_state_word(&(libxl_dominfo){.paused = true}), "paused");
	assert_string_equal(xl_state_word(&(libxl_dominfo){.dying = true}), "dying");
}

static void a_domain_that_waits_for_a_processor_is_running(void **state)
{
	(void)state;
	assert_string_equal(xl_state_word(&(libxl_dominfo){0}), "running");
}

static const char *after_shutdown(libxl_shutdown_reason reason)
{
	return xl_state_word(&(libxl_dominfo){.shutdown = true, .shutdown_reason = reason});
}

static void a_domain_that_has_ended_says_why(void **state)
{
	(void)state;
	assert_string_equal(after_shutdown(LIBXL_SHUTDOWN_REASON_POWEROFF), "poweroff");
	assert_string_equal(after_shutdown(LIBXL_SHUTDOWN_REASON_REBOOT), "reboot");
	assert_string_equal(after_shutdown(LIBXL_SHUTDOWN_REASON_SOFT_RESET), "reboot");
	assert_string_equal(after_shutdown(LIBXL_SHUTDOWN_REASON_SUSPEND), "suspended");
	assert_string_equal(after_shutdown(LIBXL_SHUTDOWN_REASON_CRASH), "crashed");
	assert_string_equal(after_shutdown(LIBXL_SHUTDOWN_REASON_WATCHDOG), "crashed");
	assert_string_equal(after_shutdown(LIBXL_SHUTDOWN_REASON_UNKNOWN), "shutdown");
	assert_string_equal(after_shutdown((libxl_shutdown_reason)99), "shutdown");
}

static void of_several_flags_the_last_stage_wins(void **state)
{
	(void)state;
	assert_string_equal(xl_state_word(&(libxl_dominfo){.running = true, .blocked = true}), "running");
	assert_string_equal(xl_state_word(&(libxl_dominfo){.blocked = true, .paused = true}), "paused");
	assert_string_equal(xl_state_word(&(libxl_dominfo){.paused = true,
							   .shutdown = true,
							   .shutdown_reason = LIBXL_SHUTDOWN_REASON_CRASH}),
			    "crashed");
	assert_string_equal(xl_state_word(&(libxl_dominfo){.shutdown = true, .dying = true}), "dying");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_flag_gives_its_word),
		cmocka_unit_test(a_domain_that_waits_for_a_processor_is_running),
		cmocka_unit_test(a_domain_that_has_ended_says_why),
		cmocka_unit_test(of_several_flags_the_last_stage_wins),
	};

	return cmocka_run_group_tests_name("xl_state", tests, NULL, NULL);
}
