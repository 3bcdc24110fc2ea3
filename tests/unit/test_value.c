/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Which xenstore values are taken, in which form, and which are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "xen/value.h"

#define UUID "79f5d9ee-8775-45be-a6f7-b19947a56d88"

static bool mac_is(const char *value, const char *expected)
{
	char out[VALUE_MAC_SIZE] = "?";

	return value_mac(value, strlen(value), out) && strcmp(out, expected) == 0;
}

static bool mac_refused(const char *value, size_t len)
{
	char out[VALUE_MAC_SIZE];

	return !value_mac(value, len, out);
}

static void a_mac_comes_out_in_lower_case(void **state)
{
	(void)state;
	assert_true(mac_is("00:16:3e:4d:00:0b", "00:16:3e:4d:00:0b"));
	assert_true(mac_is("00:16:3E:AB:CD:EF", "00:16:3e:ab:cd:ef"));
	assert_true(mac_is("02:00:00:00:00:00", "02:00:00:00:00:00"));
}

static void what_is_not_quite_a_mac_is_refused(void **state)
{
	static const char *const bad[] = {"",
					  "00:16:3e:4d:00:0",
					  "00:16:3e:4d:00:0bb",
					  "00:16:3e:4d:00:0b ",
					  " 0:16:3e:4d:00:0b",
					  "0:16:3e:4d:0:0b",
					  "00-16-3e-4d-00-0b",
					  "00:16:3e:4d:00;0b",
					  "00:16:3g:4d:00:0b",
					  "00163e4d000b",
					  "00:16:3e:4d:00:0b\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_true(mac_refused(bad[i], strlen(bad[i])));
	assert_true(mac_refused("00:16:3e:4d:00:0\0", 17));
	assert_true(mac_refused("00:16:3e:4d:00:0b\0", 18));
}

static void no_host_has_a_group_address_or_zeros(void **state)
{
	(void)state;
	assert_true(mac_refused("ff:ff:ff:ff:ff:ff", 17));
	assert_true(mac_refused("01:00:5e:00:00:01", 17));
	assert_true(mac_refused("0D:00:00:00:00:01", 17));
	assert_true(mac_refused("00:00:00:00:00:00", 17));
}

static void addresses_are(const char *value, size_t len, const char *expected, const char *expected_why)
{
	char *why, *list = value_addresses(value, len, &why);

	if (expected)
		assert_string_equal(list, expected);
	else
		assert_null(list);
	if (expected_why)
		assert_string_equal(why, expected_why);
	else
		assert_null(why);
	free(list);
	free(why);
}

static void addresses(const char *value, const char *expected, const char *expected_why)
{
	addresses_are(value, strlen(value), expected, expected_why);
}

static void addresses_come_out_canonical_and_in_order(void **state)
{
	(void)state;
	addresses("10.77.0.11", "10.77.0.11", NULL);
	addresses("10.77.0.11 10.77.0.10", "10.77.0.11 10.77.0.10", NULL);
	addresses("2001:DB8:0:0::1", "2001:db8::1", NULL);
	addresses("::ffff:10.0.0.1 fe80::1", "::ffff:10.0.0.1 fe80::1", NULL);
	addresses("  10.0.0.1\t10.0.0.2\n", "10.0.0.1 10.0.0.2", NULL);
	addresses("", NULL, NULL);
	addresses("  \n", NULL, NULL);
}

static void an_address_that_comes_twice_is_one(void **state)
{
	(void)state;
	addresses("10.0.0.1 10.0.0.1", "10.0.0.1", NULL);
	addresses("2001:db8::1 2001:0db8::0001 10.0.0.1", "2001:db8::1 10.0.0.1", NULL);
	addresses("11.0.0.11 1.0.0.1 1.0.0.11 1.0.0.1", "11.0.0.11 1.0.0.1 1.0.0.11", NULL);
}

static void a_prefix_is_dropped_when_it_fits(void **state)
{
	(void)state;
	addresses("10.0.0.1/24 10.0.0.2/0 10.0.0.3/32", "10.0.0.1 10.0.0.2 10.0.0.3", NULL);
	addresses("2001:db8::1/64 2001:db8::2/128", "2001:db8::1 2001:db8::2", NULL);
	addresses("10.0.0.1/33", NULL, "10.0.0.1/33 is not an address of a host");
	addresses("2001:db8::1/129", NULL, "2001:db8::1/129 is not an address of a host");
	addresses("10.0.0.1/", NULL, "10.0.0.1/ is not an address of a host");
	addresses("10.0.0.1/255.255.255.0", NULL, "10.0.0.1/255.255.255.0 is not an address of a host");
	addresses("10.0.0.1/24/24", NULL, "10.0.0.1/24/24 is not an address of a host");
	addresses("/24", NULL, "/24 is not an address of a host");
}

static void what_is_no_address_is_left_out_and_told(void **state)
{
	char value[4096];

	(void)state;
	addresses("10.0.0.1,10.0.0.2", NULL, "10.0.0.1,10.0.0.2 is not an address of a host");
	addresses("dhcp 10.0.0.1 10.0.0.256", "10.0.0.1", "dhcp and 1 more are not addresses of a host");
	addresses("0.0.0.0 255.255.255.255 224.0.0.1 :: ff02::1", NULL,
		  "0.0.0.0 and 4 more are not addresses of a host");
	addresses("fe80::1%eth0", NULL, "fe80::1%eth0 is not an address of a host");
	addresses("010.0.0.1", NULL, "010.0.0.1 is not an address of a host");
	addresses_are("10.0.0.1\0 10.0.0.2", 18, "10.0.0.2", "10.0.0.1\\x00 is not an address of a host");
	memset(value, 'a', sizeof(value));
	addresses_are(value, sizeof(value), NULL,
		      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa is not an address of a host");
	memset(value, 0, sizeof(value));
	value[4095] = '\n';
	addresses_are(value, 1, NULL, "\\x00 is not an address of a host");
}

static void many_addresses_are_all_taken(void **state)
{
	char *value = mem_strdup("");
	char *why, *list;

	(void)state;
	for (unsigned i = 0; i < 400; i++) {
		char *longer = mem_printf("%s%s10.0.%u.%u", value, i ? " " : "", i / 250, i % 250 + 1);

		free(value);
		value = longer;
	}
	list = value_addresses(value, strlen(value), &why);
	assert_string_equal(list, value);
	assert_null(why);
	free(list);
	free(value);
}

static void interface_names_follow_the_kernels_rules(void **state)
{
	char out[IFNAMSIZ];

	(void)state;
	assert_true(value_ifname("web0", 4, out));
	assert_string_equal(out, "web0");
	assert_true(value_ifname("fifteen-letters", 15, out));
	assert_string_equal(out, "fifteen-letters");
	assert_false(value_ifname("sixteen-letters!", 16, out));
	assert_false(value_ifname("", 0, out));
	assert_false(value_ifname("we\0b", 4, out));
	assert_false(value_ifname("web0\0", 5, out));
	assert_false(value_ifname("we/b", 4, out));
	assert_false(value_ifname("we:b", 4, out));
	assert_false(value_ifname("we b", 4, out));
	assert_false(value_ifname("..", 2, out));
}

static void a_uuid_comes_out_in_lower_case(void **state)
{
	char out[VALUE_UUID_SIZE];

	(void)state;
	assert_true(value_uuid("79F5D9EE-8775-45BE-A6F7-B19947A56D88", 36, out));
	assert_string_equal(out, UUID);
	assert_false(value_uuid(UUID, 35, out));
	assert_false(value_uuid(UUID "0", 37, out));
	assert_false(value_uuid("79f5d9ee-8775-45be-a6f7-b19947a56d8g", 36, out));
	assert_false(value_uuid("79f5d9ee8775-45be-a6f7-b19947a56d880-", 36, out));
	assert_false(value_uuid("79f5d9ee-8775-45be-a6f7-b19947a56d8\0", 36, out));
}

static void the_vm_node_gives_the_uuid(void **state)
{
	char out[VALUE_UUID_SIZE];

	(void)state;
	assert_true(value_vm_uuid("/vm/" UUID, 40, out));
	assert_string_equal(out, UUID);
	assert_true(value_vm_uuid("/vm/" UUID "-1", 42, out));
	assert_string_equal(out, UUID);
	assert_false(value_vm_uuid("/vm/" UUID "-", 41, out));
	assert_false(value_vm_uuid("/vm/" UUID "-x", 42, out));
	assert_false(value_vm_uuid("/vm/" UUID "/1", 42, out));
	assert_false(value_vm_uuid("/vm/" UUID "\0", 41, out));
	assert_false(value_vm_uuid("/vn/" UUID, 40, out));
	assert_false(value_vm_uuid(UUID, 36, out));
	assert_false(value_vm_uuid("", 0, out));
}

static void numbers_have_one_spelling(void **state)
{
	unsigned n = 7;

	(void)state;
	assert_true(value_number("0", 1, 10, &n));
	assert_int_equal(n, 0);
	assert_true(value_number("10", 2, 10, &n));
	assert_int_equal(n, 10);
	assert_true(value_number("4294967295", 10, UINT32_MAX, &n));
	assert_int_equal(n, UINT32_MAX);
	assert_true(value_number("12/3", 2, 100, &n));
	assert_int_equal(n, 12);
	assert_false(value_number("11", 2, 10, &n));
	assert_false(value_number("4294967296", 10, UINT32_MAX, &n));
	assert_false(value_number("99999999999999999999", 20, UINT32_MAX, &n));
	assert_false(value_number("", 0, 10, &n));
	assert_false(value_number("01", 2, 10, &n));
	assert_false(value_number("00", 2, 10, &n));
	assert_false(value_number("+1", 2, 10, &n));
	assert_false(value_number("-1", 2, 10, &n));
	assert_false(value_number(" 1", 2, 10, &n));
	assert_false(value_number("1 ", 2, 10, &n));
	assert_false(value_number("1\0", 2, 10, &n));
	assert_int_equal(n, 12);
}

static void a_name_is_made_printable(void **state)
{
	char *name;

	(void)state;
	assert_null(value_name("", 0));
	name = value_name("w\xc3\xa9"
			  "b\0\xff\n",
			  7);
	assert_string_equal(name, "w\xc3\xa9"
				  "b\\x00\\xff\\x0a");
	free(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mac_comes_out_in_lower_case),
		cmocka_unit_test(what_is_not_quite_a_mac_is_refused),
		cmocka_unit_test(no_host_has_a_group_address_or_zeros),
		cmocka_unit_test(addresses_come_out_canonical_and_in_order),
		cmocka_unit_test(an_address_that_comes_twice_is_one),
		cmocka_unit_test(a_prefix_is_dropped_when_it_fits),
		cmocka_unit_test(what_is_no_address_is_left_out_and_told),
		cmocka_unit_test(many_addresses_are_all_taken),
		cmocka_unit_test(interface_names_follow_the_kernels_rules),
		cmocka_unit_test(a_uuid_comes_out_in_lower_case),
		cmocka_unit_test(the_vm_node_gives_the_uuid),
		cmocka_unit_test(numbers_have_one_spelling),
		cmocka_unit_test(a_name_is_made_printable),
	};

	return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
