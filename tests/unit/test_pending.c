/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What each event of xenstore makes pending, and in which order it is taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xen/pending.h"

struct fixture {
	struct snapshot known; /* vif 1.0 */
	struct pending pending;
};

static int set_up(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	snapshot_vif_add(&f.known, 1, 0);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	snapshot_free(&f->known);
	pending_clear(&f->pending);
	return 0;
}

static void event(struct fixture *f, const char *path)
{
	pending_event(&f->pending, &f->known, path);
}

static void expect_next(struct fixture *f, unsigned domid, unsigned devid, unsigned state_events)
{
	struct pending_key key;

	assert_true(pending_count(&f->pending) > 0);
	key = pending_take(&f->pending);
	assert_int_equal(key.domid, domid);
	assert_int_equal(key.devid, devid);
	assert_int_equal(key.state_events, state_events);
}

static void the_special_events_ask_for_the_list_of_domains(void **state)
{
	struct fixture *f = *state;

	event(f, "@introduceDomain");
	assert_true(f->pending.domains);
	f->pending.domains = false;
	event(f, "@releaseDomain");
	assert_true(f->pending.domains);
	assert_int_equal(pending_count(&f->pending), 0);
}

static void each_level_of_the_backend_path_asks_for_itself(void **state)
{
	struct fixture *f = *state;

	event(f, "/local/domain/0/backend/vif");
	assert_true(f->pending.backends);
	event(f, "/local/domain/0/backend/vif/3");
	event(f, "/local/domain/0/backend/vif/3/1");
	event(f, "/local/domain/3/name");
	event(f, "/local/domain/4");
	expect_next(f, 3, DEVID_FOLDER, 0);
	expect_next(f, 3, 1, 0);
	expect_next(f, 3, DEVID_DOMAIN, 0);
	expect_next(f, 4, DEVID_DOMAIN, 0);
	assert_int_equal(pending_count(&f->pending), 0);
}

static void a_storm_for_one_vif_is_one_thing_to_read(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 1000; i++) {
		event(f, "/local/domain/0/backend/vif/1/0/state");
		event(f, "/local/domain/0/backend/vif/1/0/ip");
		event(f, "/local/domain/0/backend/vif/1/0");
	}
	expect_next(f, 1, 0, 1000);
	assert_int_equal(pending_count(&f->pending), 0);
}

static void nodes_that_nobody_reads_count_for_new_vifs_only(void **state)
{
	struct fixture *f = *state;

	event(f, "/local/domain/0/backend/vif/1/0/feature-sg");
	event(f, "/local/domain/0/backend/vif/1/0/state/below");
	event(f, "/local/domain/0/backend/vif/1/0/statesman");
	assert_int_equal(pending_count(&f->pending), 0);
	event(f, "/local/domain/0/backend/vif/1/1/feature-sg");
	expect_next(f, 1, 1, 0);
}

static void stray_nodes_ask_for_nothing(void **state)
{
	static const char *const strays[] = {"/local/domain/0/backend/vif/web0",
					     "/local/domain/0/backend/vif/web0/0/state",
					     "/local/domain/0/backend/vif/01/0/state",
					     "/local/domain/0/backend/vif/1/x/state",
					     "/local/domain/0/backend/vif/32752/0/state",
					     "/local/domain/0/backend/vif//0/state",
					     "/local/domain/web0/device/vif",
					     "/local/domain/",
					     "/local/domains/1/name",
					     "/local/domain",
					     "/local",
					     "/",
					     ""};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(strays) / sizeof(*strays); i++)
		event(f, strays[i]);
	assert_int_equal(pending_count(&f->pending), 0);
	assert_false(f->pending.backends);
	assert_false(f->pending.domains);
}

static void state_events_are_handed_out_once(void **state)
{
	struct fixture *f = *state;

	event(f, "/local/domain/0/backend/vif/1/0/state");
	event(f, "/local/domain/0/backend/vif/1/0/state");
	assert_int_equal(pending_state_events(&f->pending, 1, 0), 2);
	assert_int_equal(pending_state_events(&f->pending, 1, 0), 0);
	assert_int_equal(pending_state_events(&f->pending, 2, 0), 0);
	expect_next(f, 1, 0, 0);
}

static void what_is_removed_is_not_taken(void **state)
{
	struct fixture *f = *state;

	pending_add(&f->pending, 5, DEVID_DOMAIN);
	pending_add(&f->pending, 6, 0);
	pending_add(&f->pending, 6, 0);
	pending_remove(&f->pending, 5, DEVID_DOMAIN);
	pending_remove(&f->pending, 5, DEVID_DOMAIN);
	expect_next(f, 6, 0, 0);
	assert_int_equal(pending_count(&f->pending), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_special_events_ask_for_the_list_of_domains),
		TEST(each_level_of_the_backend_path_asks_for_itself),
		TEST(a_storm_for_one_vif_is_one_thing_to_read),
		TEST(nodes_that_nobody_reads_count_for_new_vifs_only),
		TEST(stray_nodes_ask_for_nothing),
		TEST(state_events_are_handed_out_once),
		TEST(what_is_removed_is_not_taken),
	};

	return cmocka_run_group_tests_name("pending", tests, NULL, NULL);
}
