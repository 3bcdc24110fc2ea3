/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * neighbours: what the kernel heard, in a network of the test's own, and texts that look like it.
 */
#include "net/neighbours.h"

#include <string.h>

#include "tests/support/netns.h"

static const struct neighbour *find(const struct neighbours *n, const char *address)
{
	struct network key;

	assert_true(network_address(address, &key));
	for (size_t i = 0; i < n->count; i++)
		if (memcmp(&n->list[i].address, &key, sizeof(key)) == 0)
			return &n->list[i];
	return NULL;
}

static void the_kernel_is_asked(void **state)
{
	struct neighbours n = {0};
	const struct neighbour *one;
	char *err = NULL;

	(void)state;
	netns_enter();
	netns_run("ip link add d0 type bridge");
	netns_run("ip addr add 10.9.0.1/24 dev d0");
	netns_run("ip link set d0 up");
	netns_run("ip neigh add 10.9.0.7 lladdr 00:16:3e:00:00:07 nud permanent dev d0");
	assert_int_equal(neighbours_own(&n, &err), 0);
	one = find(&n, "10.9.0.1");
	assert_non_null(one);
	assert_string_equal(one->mac, "");
	assert_string_equal(one->device, "d0");
	assert_null(find(&n, "127.0.0.1"));
	assert_int_equal(neighbours_heard(&n, &err), 0);
	one = find(&n, "10.9.0.7");
	assert_non_null(one);
	assert_string_equal(one->mac, "00:16:3e:00:00:07");
	assert_string_equal(one->device, "d0");
	neighbours_free(&n);
}

static void lines_that_say_nothing_are_passed_over(void **state)
{
	static const char text[] = "IP address HW type Flags HW address Mask Device\n"
				   "10.0.0.1 0x1 0x0 00:00:00:00:00:00 * eth0\n"
				   "10.0.0.2 0x1 0x2 00:16:3e:00:00:02 * eth0\n"
				   "10.0.0.3 0x1 0x2 00:16:3e:00:00 * eth0\n"
				   "nonsense\n\n"
				   "10.0.0.300 0x1 0x2 00:16:3e:00:00:03 * eth0\n";
	struct neighbours n = {0};
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	(void)state;
	assert_non_null(in);
	neighbours_parse(&n, in);
	fclose(in);
	assert_int_equal(n.count, 1);
	assert_non_null(find(&n, "10.0.0.2"));
	neighbours_free(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_that_say_nothing_are_passed_over),
		cmocka_unit_test(the_kernel_is_asked),
	};

	return cmocka_run_group_tests_name("neighbours", tests, NULL, NULL);
}
