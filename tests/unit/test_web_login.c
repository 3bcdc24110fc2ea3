/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Unit tests of web/sessions and web/throttle: who is logged in for how long, and how often a password may be
 * tried.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/support/unit.h"
#include "web/sessions.h"
#include "web/throttle.h"

static char *begin(struct sessions *s, const char *user, int64_t now)
{
	char *cookie = sessions_begin(s, user, "hash", now, NULL);

	assert_non_null(cookie);
	return cookie;
}

static void a_session_is_known_by_its_cookie(void **state)
{
	struct sessions *s = mem_alloc(sizeof(*s));
	char *one = begin(s, "one", 100), *two = begin(s, "two", 100), *wrong = mem_strdup(one);

	(void)state;
	assert_int_equal(strlen(one), 2 * SESSIONS_TOKEN);
	assert_string_not_equal(one, two);
	assert_string_equal(sessions_find(s, one, 101)->user, "one");
	assert_string_equal(sessions_find(s, two, 101)->user, "two");
	assert_string_not_equal(sessions_find(s, two, 101)->token, two);
	wrong[63] = wrong[63] == '0' ? '1' : '0';
	assert_null(sessions_find(s, wrong, 101));
	wrong[63] = 'g';
	assert_null(sessions_find(s, wrong, 101));
	wrong[63] = '\0';
	assert_null(sessions_find(s, wrong, 101));
	assert_null(sessions_find(s, "", 101));
	assert_null(sessions_find(s, NULL, 101));
	assert_null(
		sessions_find(s, "0000000000000000000000000000000000000000000000000000000000000000", 101));
	sessions_end(sessions_find(s, one, 101));
	assert_null(sessions_find(s, one, 101));
	assert_non_null(sessions_find(s, two, 101));
	sessions_free(s);
	free(s);
	free(one);
	free(two);
	free(wrong);
}

static void it_ends_when_it_is_not_used_and_when_it_is_old(void **state)
{
	struct sessions *s = mem_alloc(sizeof(*s));
	char *idle = begin(s, "idle", 0), *busy = begin(s, "busy", 0);
	int64_t now = 0;

	(void)state;
	assert_non_null(sessions_find(s, idle, SESSIONS_IDLE - 1));
	assert_null(sessions_find(s, idle, 2 * SESSIONS_IDLE - 1));
	assert_null(sessions_find(s, idle, 0));
	for (; now < SESSIONS_LONGEST; now += SESSIONS_IDLE / 2)
		assert_non_null(sessions_find(s, busy, now));
	assert_null(sessions_find(s, busy, now));
	sessions_free(s);
	free(s);
	free(idle);
	free(busy);
}

static void the_one_that_is_used_least_lately_makes_room(void **state)
{
	struct sessions *s = mem_alloc(sizeof(*s));
	char *cookies[SESSIONS_MOST + 1];

	(void)state;
	for (int i = 0; i < SESSIONS_MOST; i++)
		cookies[i] = begin(s, "user", i);
	assert_non_null(sessions_find(s, cookies[0], SESSIONS_MOST));
	cookies[SESSIONS_MOST] = begin(s, "user", SESSIONS_MOST);
	for (int i = 0; i <= SESSIONS_MOST; i++) {
		assert_int_equal(sessions_find(s, cookies[i], SESSIONS_MOST) != NULL, i != 1);
		free(cookies[i]);
	}
	sessions_free(s);
	free(s);
}

static struct throttle *new_throttle(void)
{
	struct throttle *t = mem_alloc(sizeof(*t));

	assert_int_equal(throttle_init(t, NULL), 0);
	return t;
}

static void a_name_has_some_tries_and_then_waits(void **state)
{
	struct throttle *t = new_throttle();
	int64_t now = 1000;

	(void)state;
	for (int i = 0; i < THROTTLE_NAME_TRIES; i++)
		assert_int_equal(throttle_take(t, "acme", now), 0);
	assert_int_equal(throttle_take(t, "acme", now), THROTTLE_NAME_SECONDS);
	assert_int_equal(throttle_take(t, "acme", now + THROTTLE_NAME_SECONDS - 1), 1);
	now += THROTTLE_NAME_SECONDS;
	assert_int_equal(throttle_take(t, "acme", now), 0);
	assert_int_equal(throttle_take(t, "acme", now), THROTTLE_NAME_SECONDS);
	throttle_forgive(t, "acme");
	for (int i = 0; i < THROTTLE_NAME_TRIES; i++)
		assert_int_equal(throttle_take(t, "acme", now), 0);
	now += (int64_t)THROTTLE_NAME_SECONDS * THROTTLE_NAME_TRIES * 10; /* never more than all of them */
	for (int i = 0; i < THROTTLE_NAME_TRIES; i++)
		assert_int_equal(throttle_take(t, "acme", now), 0);
	assert_true(throttle_take(t, "acme", now) > 0);
	free(t);
}

static void so_do_all_names_together(void **state)
{
	struct throttle *t = new_throttle();
	int taken = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		char *name = mem_printf("made up %d", i);

		taken += throttle_take(t, name, 1000) == 0;
		free(name);
	}
	assert_int_equal(taken, THROTTLE_ALL_TRIES);
	for (int i = 0; i < 1000; i++) {
		char *name = mem_printf("made up too %d", i);

		taken += throttle_take(t, name, 1000 + 10 * THROTTLE_ALL_SECONDS) == 0;
		free(name);
	}
	assert_int_equal(taken, THROTTLE_ALL_TRIES + 10);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_is_known_by_its_cookie),
		cmocka_unit_test(it_ends_when_it_is_not_used_and_when_it_is_old),
		cmocka_unit_test(the_one_that_is_used_least_lately_makes_room),
		cmocka_unit_test(a_name_has_some_tries_and_then_waits),
		cmocka_unit_test(so_do_all_names_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
