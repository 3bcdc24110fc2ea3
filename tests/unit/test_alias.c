/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * alias: real devices of a network of the test's own get names, others' are left alone, and all of ours go.
 */
#include "net/alias.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/support/netns.h"

static void expect(const char *device, const char *alias)
{
	char *path = mem_printf("/sys/class/net/%s/ifalias", device), *text;
	size_t length;

	text = scratch_read(path, &length);
	text[strcspn(text, "\n")] = '\0';
	assert_string_equal(text, alias);
	free(text);
	free(path);
}

static void ours_are_set_and_cleared_and_nobody_elses(void **state)
{
	struct alias *a;
	char *err = NULL;

	(void)state;
	netns_enter();
	netns_run("ip link add d0 type bridge");
	netns_run("ip link add d1 type bridge");
	netns_run("ip link add d2 type bridge");
	netns_run("ip link set dev d1 alias mine");
	assert_int_equal(alias_open(&a, &err), 0);
	assert_int_equal(alias_set(a, if_nametoindex("d0"), "web", &err), 0);
	expect("d0", "xenbw:web");
	assert_int_equal(alias_set(a, if_nametoindex("d0"), "web", &err), 0);
	assert_int_equal(alias_set(a, if_nametoindex("d0"), "db", &err), 0);
	expect("d0", "xenbw:db");
	assert_int_equal(alias_set(a, if_nametoindex("d1"), "web", &err), 1);
	expect("d1", "mine");
	assert_int_equal(alias_set(a, 9999, "web", &err), 1);
	assert_int_equal(alias_set(a, if_nametoindex("d2"), "mail", &err), 0);
	assert_int_equal(alias_clear(a, &err), 0);
	expect("d0", "");
	expect("d1", "mine");
	expect("d2", "");
	assert_null(err);
	alias_close(a);
	alias_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ours_are_set_and_cleared_and_nobody_elses),
	};

	return cmocka_run_group_tests_name("alias", tests, NULL, NULL);
}
