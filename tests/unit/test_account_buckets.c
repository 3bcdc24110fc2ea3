/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The account of a host, on a real ledger: in which bucket bytes end, by address and dom0's.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/support/account_bed.h"
#include "tests/support/unit.h"

/* ---- buckets by address ---- */

static void with_ip_buckets_the_sole_address_is_charged(void **state)
{
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	b.by_ip = true;
	account_bed_kill_it(&b);
	account_bed_start(&b, EDGE);
	account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 5, 10, 3);
	account_device_here(b.account, account_bed_vif_of(&b, 2, 0, UUID_B, "two", "10.0.0.2 10.0.0.3"), 20,
			    "vif2.0", DEVICE_OTHER, 0, 0);
	account_device_here(b.account, account_bed_vif_of(&b, 3, 0, NULL, "none", NULL), 30, "vif3.0",
			    DEVICE_OTHER, 0, 0);
	account_begin(b.account, EDGE + 10);
	account_bed_read_at(&b, 10, 3);
	account_bed_read_at(&b, 20, 5);
	account_bed_read_at(&b, 30, 7);
	account_settle(b.account, NULL);
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "10.0.0.1", 0), 3000);
	assert_int_equal(account_bed_input_of(&b, "10.0.0.2", 0), 5000); /* the first: nobody said which */
	assert_int_equal(account_bed_input_of(&b, "none", 0), 7000);     /* none is known: the domain */
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM take WHERE address = '10.0.0.1'"), 1);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM take WHERE address = ''"), 2);
	account_bed_tear_down(&b);
}

static void an_address_change_splits_the_takes_and_with_ip_buckets_the_bucket(void **state)
{
	(void)state;
	for (int by_ip = 0; by_ip < 2; by_ip++) {
		struct account_bed b;
		int64_t vif;

		account_bed_set_up(&b, EDGE);
		b.by_ip = by_ip;
		account_bed_kill_it(&b);
		account_bed_start(&b, EDGE);
		vif = account_bed_simple_vif(&b);
		account_bed_poll_at(&b, EDGE + 5, 10, 3);
		assert_int_equal(account_bed_vif_of(&b, 1, 0, UUID_A, "web", "10.0.0.9"), vif);
		account_bed_poll_at(&b, EDGE + 10, 10, 8);
		account_bed_commit(&b);
		assert_int_equal(
			account_bed_number(&b,
					   "SELECT unattributed_input FROM take WHERE address = '10.0.0.1'"),
			3000);
		assert_int_equal(
			account_bed_number(&b,
					   "SELECT unattributed_input FROM take WHERE address = '10.0.0.9'"),
			5000);
		if (by_ip) {
			assert_int_equal(account_bed_input_of(&b, "10.0.0.1", 0), 3000);
			assert_int_equal(account_bed_input_of(&b, "10.0.0.9", 0), 5000);
		} else {
			assert_int_equal(account_bed_input_of(&b, "web", 0), 8000);
		}
		account_bed_tear_down(&b);
	}
}

/* The admin turns from one kind of bucket to the other: what was booked stays, all that comes goes over. */
static void another_kind_of_bucket_begins_with_a_restart(void **state)
{
	static const bool kinds[] = {false, true, false, true};
	struct account_bed b;
	uint64_t n = 0;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 5, 10, n);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		account_bed_commit(&b);
		account_bed_kill_it(&b);
		b.by_ip = kinds[i];
		account_bed_start(&b, EDGE + 10 * (int64_t)i + 10);
		account_bed_vif_of(&b, 1, 0, UUID_A, "web", "10.0.0.1");
		n += (uint64_t)1 << i;
		account_bed_poll_at(&b, EDGE + 10 * (int64_t)i + 15, 10, n);
	}
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "web", 0), (1 + 4) * 1000);
	assert_int_equal(account_bed_input_of(&b, "10.0.0.1", 0), (2 + 8) * 1000);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM bucket"), 2);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM epoch"), 1);
	account_bed_tear_down(&b);
}

/* Begun with addresses: the domain is not mistaken for its address afterwards, known or not. */
static void a_domain_gets_a_bucket_of_its_own_after_ip_buckets(void **state)
{
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	b.by_ip = true;
	account_bed_kill_it(&b);
	account_bed_start(&b, EDGE);
	account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 5, 10, 3);
	account_bed_commit(&b);
	account_bed_kill_it(&b);
	b.by_ip = false;
	account_bed_start(&b, EDGE + 10);
	account_bed_vif_of(&b, 1, 0, UUID_A, "web", "10.0.0.1");
	account_bed_poll_at(&b, EDGE + 15, 10, 8);
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "10.0.0.1", 0), 3000);
	assert_int_equal(account_bed_input_of(&b, "web", 0), 5000);
	account_bed_tear_down(&b);
}

static void a_guess_is_told_once_for_each_address(void **state)
{
	struct account_vif_facts f = {
		.domid = 1, .uuid = UUID_A, .domain = "web", .addresses = "10.0.0.1 10.0.0.2"};
	char *warning = NULL;
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	b.by_ip = true;
	account_bed_kill_it(&b);
	account_bed_start(&b, EDGE);
	account_vif_here(b.account, &f, &warning);
	assert_non_null(strstr(warning, "vif 1.0 has several addresses"));
	assert_non_null(strstr(warning, "10.0.0.1"));
	free(warning);
	account_vif_here(b.account, &f, &warning);
	assert_null(warning);
	f.addresses = "10.0.0.3 10.0.0.2";
	account_vif_here(b.account, &f, &warning);
	assert_non_null(strstr(warning, "10.0.0.3"));
	free(warning);
	f.addresses = "10.0.0.3";
	account_vif_here(b.account, &f, &warning);
	assert_null(warning);
	account_bed_tear_down(&b);
}

static struct account_vif_facts dom0(void)
{
	return (struct account_vif_facts){.devid = 30,
					  .uuid = BUCKET_DOM0_UUID,
					  .domain = BUCKET_DOM0_NAME,
					  .bridge = "xenbr0",
					  .netdev = "xenbr0"};
}

/* account_bed_packets() on a bridge: 114 bytes each without a header in, 1,000 out. Across a restart too. */
static void dom0_is_charged_for_its_bridge(void **state)
{
	struct account_vif_facts f = dom0();
	char *warning = NULL;
	struct account_bed b;

	(void)state;
	for (int by_ip = 0; by_ip < 2; by_ip++) {
		account_bed_set_up(&b, EDGE);
		b.by_ip = by_ip;
		account_bed_kill_it(&b);
		account_bed_start(&b, EDGE);
		account_bed_simple_vif(&b);
		account_device_here(b.account, account_vif_here(b.account, &f, &warning), 30, "xenbr0",
				    DEVICE_BRIDGE, 0, 0);
		assert_null(warning);
		account_bed_poll_at(&b, EDGE + 5, 30, 3);
		account_bed_commit(&b);
		account_bed_kill_it(&b);
		account_bed_start(&b, EDGE + 10);
		account_vif_here(b.account, &f, &warning);
		account_bed_poll_at(&b, EDGE + 15, 30, 7);
		account_bed_poll_at(&b, EDGE + 20, 30, 2); /* the counters went back */
		account_bed_commit(&b);
		assert_int_equal(account_bed_input_of(&b, "Domain-0", 0), 9 * 114);
		assert_int_equal(account_bed_number(
					 &b,
					 "SELECT sum(unattributed_output) FROM take JOIN vif ON vif.id = vif"
					 " WHERE domid = 0"),
				 9 * 1000);
		account_bed_tear_down(&b);
	}
}

/* The bridge of the storage gets its first vif after weeks. */
static void a_bridge_that_is_known_late_counts_from_then_on(void **state)
{
	struct counters before = account_bed_packets(1000);
	struct account_vif_facts f = dom0();
	struct ledger_baseline *last;
	struct account_bed b;
	char *warning = NULL;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_baseline(b.account, 30, &before);
	account_bed_commit(&b);
	account_device_here(b.account, account_vif_here(b.account, &f, &warning), 30, "xenbr1", DEVICE_BRIDGE,
			    0, 0);
	account_device_from_now(b.account, 30);
	account_begin(b.account, EDGE + 5); /* the kernel does not answer */
	account_settle(b.account, NULL);
	account_bed_commit(&b);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM epoch"), 0);
	assert_int_equal(account_last_counters(b.account, &last), 0); /* nothing to go on from, either */
	free(last);
	account_bed_poll_at(&b, EDGE + 10, 30, 1000000);
	account_bed_commit(&b);
	assert_int_equal(account_bed_take_count(&b), 0);
	account_bed_poll_at(&b, EDGE + 15, 30, 1000003);
	account_bed_commit(&b);
	account_bed_kill_it(&b);
	account_bed_start(&b, EDGE + 20);
	account_bed_poll_at(&b, EDGE + 25, 30, 1000007);
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "Domain-0", 0), 7 * 114);
	account_bed_tear_down(&b);
}

static void a_bridge_that_goes_before_it_was_read_has_moved_nothing(void **state)
{
	struct counters off = account_bed_packets(10), final = account_bed_packets(12);
	struct account_vif_facts f = dom0();
	struct account_bed b;
	char *warning = NULL;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_device_here(b.account, account_vif_here(b.account, &f, &warning), 30, "xenbr1", DEVICE_BRIDGE,
			    0, 0);
	account_device_from_now(b.account, 30);
	account_carrier_off(b.account, 30, 1, &off);
	account_device_gone(b.account, 30, &final);
	account_begin(b.account, EDGE + 5);
	account_settle(b.account, NULL);
	account_bed_commit(&b);
	assert_int_equal(account_bed_take_count(&b), 0);
	account_bed_tear_down(&b);
}

/* Of a new ledger, or of one that is gone over to: told at the begin of this run. */
static void a_bridge_counts_from_a_base_line_of_this_run(void **state)
{
	struct counters before = account_bed_packets(1000);
	struct account_vif_facts f = dom0();
	struct account_bed b;
	char *warning = NULL;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_baseline(b.account, 30, &before);
	account_device_here(b.account, account_vif_here(b.account, &f, &warning), 30, "xenbr0", DEVICE_BRIDGE,
			    0, 0);
	account_device_from_now(b.account, 30);
	account_bed_poll_at(&b, EDGE + 5, 30, 1003);
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "Domain-0", 0), 3 * 114);
	account_bed_tear_down(&b);
}

static void an_address_of_dom0_is_no_guests_by_its_name(void **state)
{
	struct account_vif_facts f = dom0();
	char owner[] = "Domain-0";
	struct conf_address line = {.owner = owner};
	struct conf_addresses lines = {&line, 1};
	char *warning = NULL;
	struct account_bed b;

	(void)state;
	assert_true(network_address("10.0.0.9", &line.network));
	account_bed_set_up(&b, EDGE);
	b.by_ip = true;
	b.rules.lines = &lines;
	account_bed_kill_it(&b);
	account_bed_start(&b, EDGE);
	account_device_here(b.account, account_bed_vif_of(&b, 1, 0, UUID_A, "Domain-0", NULL), 10, "vif1.0",
			    DEVICE_OTHER, 0, 0);
	account_device_here(b.account, account_vif_here(b.account, &f, &warning), 30, "xenbr0", DEVICE_BRIDGE,
			    0, 0);
	assert_null(warning);
	account_begin(b.account, EDGE + 5);
	account_bed_read_at(&b, 10, 1);
	account_bed_read_at(&b, 30, 2);
	account_settle(b.account, NULL);
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "Domain-0~2", 0), 1000);
	assert_int_equal(account_bed_input_of(&b, "10.0.0.9", 0), 2 * 114);
	account_bed_tear_down(&b);
}

/* What was settled while the address was (not) known stays so. */
static void an_address_that_appears_or_goes_splits_the_takes_too(void **state)
{
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_device_here(b.account, account_bed_vif_of(&b, 1, 0, UUID_A, "web", NULL), 10, "vif1.0",
			    DEVICE_OTHER, 0, 0);
	account_bed_poll_at(&b, EDGE + 5, 10, 1);
	account_bed_vif_of(&b, 1, 0, UUID_A, "web", "10.0.0.1");
	account_bed_poll_at(&b, EDGE + 10, 10, 3);
	account_bed_vif_of(&b, 1, 0, UUID_A, "web", NULL);
	account_bed_poll_at(&b, EDGE + 15, 10, 7);
	account_bed_commit(&b);
	assert_int_equal(
		account_bed_number(&b, "SELECT sum(unattributed_input) FROM take WHERE address = '10.0.0.1'"),
		2000);
	assert_int_equal(
		account_bed_number(&b, "SELECT sum(unattributed_input) FROM take WHERE address = ''"), 5000);
	account_bed_tear_down(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_ip_buckets_the_sole_address_is_charged),
		cmocka_unit_test(an_address_change_splits_the_takes_and_with_ip_buckets_the_bucket),
		cmocka_unit_test(another_kind_of_bucket_begins_with_a_restart),
		cmocka_unit_test(a_domain_gets_a_bucket_of_its_own_after_ip_buckets),
		cmocka_unit_test(a_guess_is_told_once_for_each_address),
		cmocka_unit_test(dom0_is_charged_for_its_bridge),
		cmocka_unit_test(a_bridge_that_is_known_late_counts_from_then_on),
		cmocka_unit_test(a_bridge_that_goes_before_it_was_read_has_moved_nothing),
		cmocka_unit_test(a_bridge_counts_from_a_base_line_of_this_run),
		cmocka_unit_test(an_address_of_dom0_is_no_guests_by_its_name),
		cmocka_unit_test(an_address_that_appears_or_goes_splits_the_takes_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
