/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Networks as they are written in configuration files.
 */
#include "config/network.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"

/* `text` is read as `canonical`; it is noted exactly where `noted` says. */
static void reads(const char *text, const char *canonical, bool noted)
{
	char *note, *err = NULL, *shown;
	struct network n;

	if (network_parse(text, &n, &note, &err) < 0)
		fail_msg("`%s`: %s", text, err);
	shown = network_text(&n);
	assert_string_equal(shown, canonical);
	if ((note != NULL) != noted)
		fail_msg("`%s`: note: %s", text, note ? note : "none");
	free(shown);
	free(note);
}

static void refused(const char *text, const char *part)
{
	char *note, *err = NULL;
	struct network n;

	if (network_parse(text, &n, &note, &err) == 0)
		fail_msg("`%s` was taken", text);
	assert_null(note);
	assert_non_null(strstr(err, part));
	free(err);
}

static struct network host(const char *text)
{
	struct network n;

	assert_true(network_address(text, &n));
	return n;
}

static struct network net(const char *text)
{
	char *note, *err = NULL;
	struct network n;

	assert_int_equal(network_parse(text, &n, &note, &err), 0);
	free(note);
	return n;
}

static void every_way_to_write_a_network_is_understood(void **state)
{
	(void)state;
	reads("10.0.0.0 255.0.0.0", "10.0.0.0/8", false);
	reads("10.0.0.0\t 255.255.255.255", "10.0.0.0", false);
	reads("10.0.0.0/255.255.0.0", "10.0.0.0/16", false);
	reads("10.0.0.0/9", "10.0.0.0/9", false);
	reads("0.0.0.0 0.0.0.0", "0.0.0.0/0", false);
	reads("192.0.2.7", "192.0.2.7", false);
	reads("2001:DB8::/32", "2001:db8::/32", false);
	reads("::/0", "::/0", false);
	reads("::1", "::1", false);
}

static void host_bits_are_cut_and_said(void **state)
{
	(void)state;
	reads("10.1.2.3/8", "10.0.0.0/8", true);
	reads("192.0.2.128 255.255.255.128", "192.0.2.128/25", false);
	reads("192.0.2.130 255.255.255.128", "192.0.2.128/25", true);
	reads("2001:db8::1/64", "2001:db8::/64", true);
}

static void what_is_no_network_is_refused(void **state)
{
	(void)state;
	refused("", "is no IPv4 or IPv6 address");
	refused("junk", "`junk` is no IPv4");
	refused("10.0.0/8", "is no IPv4");
	refused("10.0.0.0/33", "`33` is no mask");
	refused("10.0.0.0/", "`` is no mask");
	refused("10.0.0.0 255.0.255.0", "ones, then zeros");
	refused("10.0.0.0 255.0.0.0 x", "is no mask");
	refused("2001:db8::/129", "no prefix length");
	refused("2001:db8::/255.0.0.0", "no prefix length");
}

static void a_network_holds_its_addresses_and_no_others(void **state)
{
	struct network eight = net("10.0.0.0/8"), half = net("192.0.2.128/25"), all4 = net("0.0.0.0/0"),
		       all6 = net("::/0"), around4 = net("::fffe:0:0/95"), six = net("2001:db8::/33");
	struct network in = host("10.255.0.1"), out = host("11.0.0.0"), low = host("192.0.2.127"),
		       high = host("192.0.2.128"), six_in = host("2001:db8:7fff::1"),
		       six_out = host("2001:db8:8000::1");

	(void)state;
	assert_true(network_contains(&eight, &in));
	assert_false(network_contains(&eight, &out));
	assert_false(network_contains(&half, &low));
	assert_true(network_contains(&half, &high));
	assert_true(network_contains(&all4, &out));
	assert_false(network_contains(&all4, &six_in)); /* every IPv4 address, and no other */
	assert_true(network_contains(&all6, &six_in));
	assert_false(network_contains(&all6, &out));
	assert_false(network_contains(&around4, &out));
	assert_true(network_contains(&all6, &around4));
	assert_false(network_contains(&all6, &all4));
	assert_true(network_contains(&six, &six_in));
	assert_false(network_contains(&six, &six_out));
}

static void a_set_holds_what_one_of_its_networks_holds(void **state)
{
	struct network a = net("10.0.0.0/8"), b = net("192.0.2.1"), in = host("192.0.2.1"),
		       out = host("192.0.2.2");
	struct networks set = {0};

	(void)state;
	assert_false(networks_contain(&set, &in));
	networks_add(&set, &a);
	networks_add(&set, &b);
	assert_true(networks_contain(&set, &in));
	assert_false(networks_contain(&set, &out));
	networks_free(&set);
	assert_int_equal(set.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_to_write_a_network_is_understood),
		cmocka_unit_test(host_bits_are_cut_and_said),
		cmocka_unit_test(what_is_no_network_is_refused),
		cmocka_unit_test(a_network_holds_its_addresses_and_no_others),
		cmocka_unit_test(a_set_holds_what_one_of_its_networks_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
