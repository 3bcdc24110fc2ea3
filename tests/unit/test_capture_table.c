/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whose each frame on an uplink is, to the byte: MACs, routed addresses, dom0, strays, spoofed sources.
 */
#include <string.h>

#include "tests/support/table_bed.h"
#include "tests/support/unit.h"

static void a_mac_names_the_vif_and_the_remote_end_the_class(void **state)
{
	struct table_bed *b = *state;

	table_bed_tell(b, 7, 1, "10.0.0.1", 0);
	table_bed_tell(b, 8, 2, NULL, 0);
	table_bed_told(b);
	table_bed_out(b, 1, "10.0.0.1", "192.0.2.1", 100);
	table_bed_out(b, 1, "10.0.0.1", "192.0.2.1", 23);
	table_bed_out(b, 1, "10.0.0.1", "172.16.5.5", 200);
	table_bed_out(b, 1, "10.0.0.1", "10.9.9.9", 400);
	table_bed_out(b, 1, "10.0.0.1", "127.0.0.1", 800);
	table_bed_in(b, 1, "10.0.0.1", "192.0.2.1", 1600);
	table_bed_in(b, 2, "10.0.0.2", "172.16.0.1", 3200);
	table_bed_ask(b);
	table_bed_expect_records(b, 2);
	table_bed_expect(b, 7, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 123, 2);
	table_bed_expect(b, 7, NULL, DIR_OUTPUT, CLASS_DIRECT, 200, 1);
	table_bed_expect(b, 7, NULL, DIR_OUTPUT, CLASS_LOCAL, 400, 1);
	table_bed_expect(b, 7, NULL, DIR_OUTPUT, CLASS_IGNORED, 800, 1);
	table_bed_expect(b, 7, NULL, DIR_INPUT, CLASS_EXTERNAL, 1600, 1);
	table_bed_expect(b, 8, NULL, DIR_INPUT, CLASS_DIRECT, 3200, 1);
	table_bed_expect_strays(b, 0, 0, 0, 0);
	table_bed_expect_stray_mac(b, 0);
}

static void what_is_no_ip_is_not_counted(void **state)
{
	struct table_bed *b = *state;
	struct frame f = {.has_mac = true, .ip_bytes = 100};

	table_bed_tell(b, 7, 1, NULL, 0);
	table_bed_told(b);
	table_bed_mac_of(f.source_mac, 1);
	table_frame(b->table, DIR_OUTPUT, &f, 0);
	table_bed_ask(b);
	table_bed_expect_records(b, 0);
	table_bed_expect_strays(b, 0, 0, 0, 0);
}

static void every_answer_begins_at_zero(void **state)
{
	struct table_bed *b = *state;

	table_bed_tell(b, 7, 1, NULL, 0);
	table_bed_told(b);
	table_bed_out(b, 1, "10.0.0.1", "192.0.2.1", 100);
	table_bed_out(b, 99, "10.0.0.1", "192.0.2.1", 50);
	table_bed_ask(b);
	table_bed_expect(b, 7, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 100, 1);
	table_bed_expect_strays(b, 50, 1, 0, 0);
	table_bed_ask(b);
	table_bed_expect_records(b, 0);
	table_bed_expect_strays(b, 0, 0, 0, 0);
	table_bed_expect_stray_mac(b, 0);
	table_bed_out(b, 1, "10.0.0.1", "192.0.2.1", 1);
	table_bed_ask(b);
	table_bed_expect(b, 7, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 1, 1);
}

static void several_addresses_have_a_record_each(void **state)
{
	struct table_bed *b = *state;

	table_bed_tell(b, 7, 1, "10.0.0.1", 0);
	table_bed_tell(b, 7, 1, "10.0.0.2", 0);
	table_bed_tell(b, 7, 1, "2001:db8::7", 0);
	table_bed_told(b);
	table_bed_out(b, 1, "10.0.0.1", "192.0.2.1", 100);
	table_bed_in(b, 1, "10.0.0.2", "192.0.2.1", 200);
	table_bed_out(b, 1, "2001:db8::7", "2001:db9::1", 400);
	table_bed_in(b, 1, "10.0.0.3", "192.0.2.1", 800);
	table_bed_ask(b);
	table_bed_expect_records(b, 4);
	table_bed_expect(b, 7, "10.0.0.1", DIR_OUTPUT, CLASS_EXTERNAL, 100, 1);
	table_bed_expect(b, 7, "10.0.0.2", DIR_INPUT, CLASS_EXTERNAL, 200, 1);
	table_bed_expect(b, 7, "2001:db8::7", DIR_OUTPUT, CLASS_EXTERNAL, 400, 1);
	table_bed_expect(b, 7, NULL, DIR_INPUT, CLASS_EXTERNAL, 800, 1);
	table_bed_expect_spoofed(b, 7, 0, 0);
	for (unsigned i = 1; i < b->answer.count; i++) /* by address, the one without first */
		assert_true(memcmp(b->seen[i - 1].address, b->seen[i].address, 16) < 0);
}

static void a_sole_address_has_no_record_of_its_own(void **state)
{
	struct table_bed *b = *state;

	table_bed_tell(b, 7, 1, "10.0.0.1", 0);
	table_bed_tell(b, 7, 1, "10.0.0.1", 0);
	table_bed_told(b);
	table_bed_out(b, 1, "10.0.0.1", "192.0.2.1", 100);
	table_bed_out(b, 1, "10.0.0.2", "192.0.2.1", 11);
	table_bed_ask(b);
	table_bed_expect_records(b, 1);
	table_bed_expect(b, 7, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 111, 2);
	table_bed_expect_spoofed(b, 7, 11, 1);
}

static void spoofed_is_a_source_that_no_address_of_its_family_allows(void **state)
{
	struct table_bed *b = *state;

	table_bed_tell(b, 7, 1, "10.0.0.1", 0);
	table_bed_tell(b, 7, 1, "10.0.0.2", 0);
	table_bed_tell(b, 8, 2, "2001:db8::8", 0);
	table_bed_tell(b, 9, 3, NULL, 0);
	table_bed_told(b);
	table_bed_out(b, 1, "10.0.0.3", "192.0.2.1", 1);       /* spoofed */
	table_bed_out(b, 1, "0.0.0.0", "255.255.255.255", 2);  /* asks for an address */
	table_bed_out(b, 1, "2001:db8::1", "2001:db9::1", 4);  /* no IPv6 address was told */
	table_bed_in(b, 1, "10.0.0.3", "192.0.2.1", 8);        /* not its doing */
	table_bed_out(b, 2, "2001:db8::9", "2001:db9::1", 16); /* spoofed */
	table_bed_out(b, 2, "::", "ff02::1", 32);
	table_bed_out(b, 2, "fe80::1", "fe80::2", 64);
	table_bed_out(b, 2, "febf::1", "fe80::2", 128);
	table_bed_out(b, 2, "fec0::1", "fe80::2", 256); /* spoofed */
	table_bed_out(b, 2, "10.0.0.3", "192.0.2.1", 512);
	table_bed_out(b, 3, "10.0.0.3", "192.0.2.1", 1024);
	table_bed_ask(b);
	table_bed_expect_records(b, 3);
	table_bed_expect_spoofed(b, 7, 1, 1);
	table_bed_expect_spoofed(b, 8, 16 + 256, 2);
	table_bed_expect_spoofed(b, 9, 0, 0);
	table_bed_expect(b, 7, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 1 + 2 + 4, 3);
	table_bed_expect(b, 8, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 16 + 32 + 64 + 128 + 256 + 512, 6);
}

static void a_source_that_was_not_told_makes_nothing_free(void **state)
{
	struct table_bed *b = *state;

	table_bed_tell(b, 1, 1, "198.51.100.1", 0);
	table_bed_tell(b, 2, 2, NULL, 0);
	table_bed_tell(b, 3, 3, "127.0.0.9", 0); /* the admin's word */
	table_bed_told(b);
	table_bed_out(b, 1, "127.0.0.1", "192.0.2.1", 100);
	table_bed_in(b, 1, "127.0.0.1", "192.0.2.1", 200);
	table_bed_out(b, 2, "127.0.0.1", "192.0.2.1", 300);
	table_bed_out(b, 3, "127.0.0.9", "192.0.2.1", 400);
	table_bed_out(b, 4, "127.0.0.1", "192.0.2.1", 500); /* told below */
	table_bed_out(b, 4, "127.0.0.8", "192.0.2.1", 600);
	table_bed_tell(b, 1, 1, "198.51.100.1", 0);
	table_bed_tell(b, 2, 2, NULL, 0);
	table_bed_tell(b, 3, 3, "127.0.0.9", 0);
	table_bed_tell(b, 4, 4, "127.0.0.8", 0);
	table_bed_told(b);
	table_bed_ask(b);
	table_bed_expect(b, 1, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 100, 1);
	table_bed_expect_spoofed(b, 1, 100, 1);
	table_bed_expect(b, 1, NULL, DIR_INPUT, CLASS_EXTERNAL, 200, 1);
	table_bed_expect(b, 2, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 300, 1);
	table_bed_expect_spoofed(b, 2, 0, 0);
	table_bed_expect(b, 3, NULL, DIR_OUTPUT, CLASS_IGNORED, 400, 1);
	table_bed_expect(b, 4, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 500, 1);
	table_bed_expect(b, 4, NULL, DIR_OUTPUT, CLASS_IGNORED, 600, 1);
	table_bed_expect_spoofed(b, 4, 500, 1);
}

static void a_mac_of_two_vifs_is_nobodys(void **state)
{
	struct table_bed *b = *state;

	table_bed_tell(b, 7, 1, "10.0.0.1", 0);
	table_bed_tell(b, 8, 1, "10.0.0.2", 0);
	table_bed_tell(b, 9, 2, NULL, 0);
	table_bed_tell(b, 0, 2, NULL, CAPTURE_HOST);
	table_bed_told(b);
	table_bed_out(b, 1, "10.0.0.1", "192.0.2.1", 100);
	table_bed_in(b, 1, "10.0.0.1", "192.0.2.1", 200);
	table_bed_out(b, 2, "10.0.0.1", "192.0.2.1", 400);
	table_bed_ask(b);
	table_bed_expect_records(b, 0);
	table_bed_expect_strays(b, 500, 2, 200, 1);
	table_bed_expect_stray_mac(b, 1);
}

static void an_unknown_mac_is_a_stray_when_it_sends(void **state)
{
	struct table_bed *b = *state;

	table_bed_tell(b, 7, 1, NULL, 0);
	table_bed_told(b);
	table_bed_in(b, 98, "10.0.0.1", "192.0.2.1", 7);
	table_bed_out(b, 99, "10.0.0.1", "192.0.2.1", 100);
	table_bed_out(b, 97, "10.0.0.1", "192.0.2.1", 100);
	table_bed_out(b, 99, "10.0.0.2", "192.0.2.1", 50);
	table_bed_ask(b);
	table_bed_expect_records(b, 0);
	table_bed_expect_strays(b, 250, 3, 0, 0);
	table_bed_expect_stray_mac(b, 99);
}

static void dom0_is_no_stranger(void **state)
{
	struct table_bed *b = *state;

	table_bed_tell(b, 0, 5, NULL, CAPTURE_HOST);
	table_bed_told(b);
	table_bed_out(b, 5, "10.0.0.1", "192.0.2.1", 100);
	table_bed_in(b, 5, "10.0.0.1", "192.0.2.1", 100);
	table_bed_out(b, 0, "10.0.0.1", "192.0.2.1", 100); /* a link without a MAC */
	table_bed_ask(b);
	table_bed_expect_records(b, 0);
	table_bed_expect_strays(b, 0, 0, 0, 0);
	table_bed_tell(b, 0, 5, NULL, CAPTURE_HOST);
	table_bed_tell(b, 3, 5, "10.0.0.1", CAPTURE_HOST);
	table_bed_tell(b, 3, 6, NULL, CAPTURE_HOST);
	table_bed_told(b);
	table_bed_out(b, 5, "10.0.0.1", "192.0.2.1", 1);
	table_bed_in(b, 6, "10.0.0.1", "192.0.2.1", 2);
	table_bed_out(b, 0, "10.0.0.1", "192.0.2.1", 4);
	table_bed_in(b, 0, "10.0.0.1", "192.0.2.1", 8);
	table_bed_ask(b);
	table_bed_expect_records(b, 1);
	table_bed_expect(b, 3, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 5, 2);
	table_bed_expect(b, 3, NULL, DIR_INPUT, CLASS_EXTERNAL, 10, 2);
	table_bed_expect_strays(b, 0, 0, 0, 0);
}

static void two_vifs_of_dom0_with_one_mac_are_nobodys(void **state)
{
	struct table_bed *b = *state;

	table_bed_tell(b, 3, 5, NULL, CAPTURE_HOST);
	table_bed_tell(b, 4, 5, NULL, CAPTURE_HOST);
	table_bed_told(b);
	table_bed_out(b, 5, "10.0.0.1", "192.0.2.1", 1);
	table_bed_in(b, 0, "10.0.0.1", "192.0.2.1", 2);
	table_bed_ask(b);
	table_bed_expect_records(b, 0);
	table_bed_expect_strays(b, 0, 0, 0, 0);
}

/* A VLAN of dom0's on the uplink: what it sends is in no bridge's counters. */
static void tagged_frames_of_dom0_are_past_its_vif(void **state)
{
	struct table_bed *b = *state;
	struct frame f = {.has_mac = true, .is_ip = true, .tagged = true, .ip_bytes = 100};

	table_bed_tell(b, 3, 5, NULL, CAPTURE_HOST | CAPTURE_VLANS);
	table_bed_tell(b, 3, 6, NULL, CAPTURE_HOST);
	table_bed_tell(b, 0, 0, "192.0.2.50", CAPTURE_HOST);
	table_bed_told(b);
	table_bed_out(b, 5, "192.0.2.50", "192.0.2.1", 1);
	table_bed_mac_of(f.source_mac, 5);
	table_bed_address_of(f.source, "192.0.2.50");
	table_bed_address_of(f.target, "192.0.2.1");
	table_frame(b->table, DIR_OUTPUT, &f, 0); /* dom0's storage, say */
	table_bed_address_of(f.source, "10.0.0.7");
	table_frame(b->table, DIR_OUTPUT, &f, 0); /* a guest under dom0's MAC */
	table_bed_mac_of(f.source_mac, 6);
	table_frame(b->table, DIR_OUTPUT, &f, 0); /* a card without VLANs: its own */
	table_bed_ask(b);
	table_bed_expect_records(b, 1);
	table_bed_expect(b, 3, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 1 + 100, 2);
	table_bed_expect_strays(b, 100, 1, 0, 0);
}

static void routed_vifs_are_known_by_their_address(void **state)
{
	struct table_bed *b = *state;

	table_bed_tell(b, 7, 1, "10.0.0.1", CAPTURE_ROUTED);
	table_bed_tell(b, 8, 0, "10.0.0.2", CAPTURE_ROUTED);
	table_bed_tell(b, 8, 0, "2001:db8::8", CAPTURE_ROUTED);
	table_bed_tell(b, 9, 2, "10.0.0.9", 0); /* bridged beside them */
	table_bed_tell(b, 0, 5, "10.0.0.254", CAPTURE_HOST);
	table_bed_told(b);
	table_bed_out(b, 5, "10.0.0.1", "192.0.2.1", 1);
	table_bed_in(b, 5, "10.0.0.1", "192.0.2.1", 2);
	table_bed_out(b, 5, "10.0.0.2", "192.0.2.1", 4);
	table_bed_in(b, 5, "2001:db8::8", "2001:db9::1", 8);
	table_bed_out(b, 5, "10.0.0.254", "192.0.2.1", 16); /* dom0's own */
	table_bed_out(b, 0, "10.0.0.1", "192.0.2.1", 32);   /* without a link header */
	table_bed_out(b, 5, "10.0.0.3", "192.0.2.1", 64);   /* nobody's */
	table_bed_in(b, 5, "10.0.0.3", "192.0.2.1", 128);
	table_bed_in(b, 0, "10.0.0.4", "192.0.2.1", 256);
	table_bed_out(b, 5, "10.0.0.9", "192.0.2.1", 512);  /* bridged: its frames do not bear dom0's MAC */
	table_bed_out(b, 2, "10.0.0.1", "192.0.2.1", 1024); /* bridged: the MAC says whose it is */
	table_bed_ask(b);
	table_bed_expect(b, 7, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 33, 2);
	table_bed_expect(b, 7, NULL, DIR_INPUT, CLASS_EXTERNAL, 2, 1);
	table_bed_expect(b, 8, "10.0.0.2", DIR_OUTPUT, CLASS_EXTERNAL, 4, 1);
	table_bed_expect(b, 8, "2001:db8::8", DIR_INPUT, CLASS_EXTERNAL, 8, 1);
	table_bed_expect(b, 9, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 1024, 1);
	table_bed_expect_spoofed(b, 9, 1024, 1);
	table_bed_expect_records(b, 4);
	table_bed_expect_strays(b, 64 + 512, 2, 128 + 256, 2);
	table_bed_expect_stray_mac(b, 5);
}

static void without_addresses_of_dom0_what_no_routed_vif_has_is_dom0s(void **state)
{
	struct table_bed *b = *state;

	table_bed_tell(b, 7, 0, "10.0.0.1", CAPTURE_ROUTED);
	table_bed_tell(b, 3, 5, NULL, CAPTURE_HOST);
	table_bed_told(b);
	table_bed_out(b, 5, "10.0.0.3", "192.0.2.1", 64);
	table_bed_ask(b);
	table_bed_expect(b, 3, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 64, 1);
	table_bed_expect_strays(b, 0, 0, 0, 0);
}

static void a_routed_address_of_two_vifs_is_nobodys(void **state)
{
	struct table_bed *b = *state;

	table_bed_tell(b, 7, 0, "10.0.0.1", CAPTURE_ROUTED);
	table_bed_tell(b, 8, 0, "10.0.0.1", CAPTURE_ROUTED);
	table_bed_tell(b, 0, 5, NULL, CAPTURE_HOST);
	table_bed_told(b);
	table_bed_out(b, 5, "10.0.0.1", "192.0.2.1", 64);
	table_bed_in(b, 5, "10.0.0.1", "192.0.2.1", 32);
	table_bed_ask(b);
	table_bed_expect_records(b, 0);
	table_bed_expect_strays(b, 64, 1, 32, 1);
}

/* A guest in a bridge that is not the kernel's: nobody counts dom0 there, and what a guest sends under its
 * MAC would be neither the guest's nor missed. */
static void who_sends_under_the_mac_of_an_uncounted_dom0_is_told_by_the_address(void **state)
{
	struct table_bed *b = *state;

	table_bed_tell(b, 1, 1, "10.0.0.1", 0);
	table_bed_tell(b, 0, 5, NULL, CAPTURE_HOST);
	table_bed_tell(b, 0, 0, "10.0.0.254", CAPTURE_HOST);
	table_bed_tell(b, 0, 0, "fe80::1", CAPTURE_HOST);
	table_bed_told(b);
	table_bed_out(b, 5, "10.0.0.254", "192.0.2.1", 100); /* dom0 */
	table_bed_out(b, 5, "fe80::1", "2001:db9::1", 100);
	table_bed_out(b, 5, "0.0.0.0", "192.0.2.1", 100);
	table_bed_out(b, 5, "::", "2001:db9::1", 100);
	table_bed_in(b, 5, "10.0.0.254", "192.0.2.1", 100);
	table_bed_in(b, 5, "10.0.0.77", "192.0.2.1",
		     100); /* outsiders can do that at will, and no guest gets it */
	table_bed_ask(b);
	assert_int_equal(b->answer.count, 0);
	assert_int_equal(b->answer.stray_packets[DIR_OUTPUT], 0);
	assert_int_equal(b->answer.stray_packets[DIR_INPUT], 0);
	table_bed_out(b, 5, "10.0.0.1", "192.0.2.1",
		      200); /* the guest, with an address of its own or another one */
	table_bed_out(b, 5, "10.0.0.77", "192.0.2.1", 300);
	table_bed_ask(b);
	assert_int_equal(b->answer.stray_packets[DIR_OUTPUT], 2);
	assert_int_equal(b->answer.stray_bytes[DIR_OUTPUT], 500);
	assert_int_equal(b->answer.count, 0);
	table_bed_out(b, 6, "10.0.0.77", "192.0.2.1", 400); /* before that MAC was told to be dom0's */
	table_bed_in(b, 6, "10.0.0.77", "192.0.2.1", 400);
	table_bed_tell(b, 0, 6, "10.0.0.254", CAPTURE_HOST);
	table_bed_told(b);
	table_bed_ask(b);
	assert_int_equal(b->answer.stray_bytes[DIR_OUTPUT], 400);
	assert_int_equal(b->answer.stray_packets[DIR_INPUT], 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, table_bed_set_up, table_bed_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_mac_names_the_vif_and_the_remote_end_the_class),
		TEST(what_is_no_ip_is_not_counted),
		TEST(every_answer_begins_at_zero),
		TEST(several_addresses_have_a_record_each),
		TEST(a_sole_address_has_no_record_of_its_own),
		TEST(spoofed_is_a_source_that_no_address_of_its_family_allows),
		TEST(a_source_that_was_not_told_makes_nothing_free),
		TEST(a_mac_of_two_vifs_is_nobodys),
		TEST(an_unknown_mac_is_a_stray_when_it_sends),
		TEST(dom0_is_no_stranger),
		TEST(two_vifs_of_dom0_with_one_mac_are_nobodys),
		TEST(tagged_frames_of_dom0_are_past_its_vif),
		TEST(routed_vifs_are_known_by_their_address),
		TEST(without_addresses_of_dom0_what_no_routed_vif_has_is_dom0s),
		TEST(a_routed_address_of_two_vifs_is_nobodys),
		TEST(who_sends_under_the_mac_of_an_uncounted_dom0_is_told_by_the_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
