/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Kernel counters to IP bytes, and whose view is whose.
 */
#include "account/basis.h"
#include "tests/support/unit.h"

static const struct counters sample = {
	.rx_bytes = 10000, .rx_packets = 10, .tx_bytes = 50000, .tx_packets = 40};

static void netback_counts_the_header_only_in_what_it_transmits(void **state)
{
	struct basis b = basis_of(DEVICE_NETBACK);

	(void)state;
	assert_int_equal(b.rx_header, 0);
	assert_int_equal(b.tx_header, 14);
	assert_int_equal(basis_bytes(b, &sample, DIR_OUTPUT), 10000);
	assert_int_equal(basis_bytes(b, &sample, DIR_INPUT), 50000 - 40 * 14);
}

static void other_drivers_count_the_header_in_both_directions(void **state)
{
	struct basis b = basis_of(DEVICE_OTHER);

	(void)state;
	assert_int_equal(basis_bytes(b, &sample, DIR_OUTPUT), 10000 - 10 * 14);
	assert_int_equal(basis_bytes(b, &sample, DIR_INPUT), 50000 - 40 * 14);
}

static void a_bridge_counts_as_netback_but_as_dom0s_own_card(void **state)
{
	struct basis b = basis_of(DEVICE_BRIDGE);

	(void)state;
	assert_int_equal(b.rx_header, 0);
	assert_int_equal(b.tx_header, 14);
	assert_int_equal(basis_bytes(b, &sample, DIR_INPUT), 10000);
	assert_int_equal(basis_bytes(b, &sample, DIR_OUTPUT), 50000 - 40 * 14);
}

static void the_guests_input_is_what_dom0_transmits(void **state)
{
	struct counters only_tx = {.tx_bytes = 1000, .tx_packets = 1},
			only_rx = {.rx_bytes = 1000, .rx_packets = 1};

	(void)state;
	assert_int_equal(basis_bytes(basis_of(DEVICE_OTHER), &only_tx, DIR_INPUT), 986);
	assert_int_equal(basis_bytes(basis_of(DEVICE_OTHER), &only_tx, DIR_OUTPUT), 0);
	assert_int_equal(basis_bytes(basis_of(DEVICE_OTHER), &only_rx, DIR_OUTPUT), 986);
	assert_int_equal(basis_bytes(basis_of(DEVICE_OTHER), &only_rx, DIR_INPUT), 0);
}

static void a_packet_counted_before_its_bytes_gives_no_negative_number(void **state)
{
	struct counters early = {.rx_bytes = 13, .rx_packets = 1, .tx_bytes = 0, .tx_packets = 7};

	(void)state;
	assert_int_equal(basis_bytes(basis_of(DEVICE_OTHER), &early, DIR_OUTPUT), 0);
	assert_int_equal(basis_bytes(basis_of(DEVICE_OTHER), &early, DIR_INPUT), 0);
}

static void sixty_four_bits_are_enough_for_large_counters(void **state)
{
	struct counters large = {.tx_bytes = UINT64_C(1) << 62, .tx_packets = UINT64_C(1) << 50};

	(void)state;
	assert_true(basis_bytes(basis_of(DEVICE_NETBACK), &large, DIR_INPUT) ==
		    (UINT64_C(1) << 62) - 14 * (UINT64_C(1) << 50));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(netback_counts_the_header_only_in_what_it_transmits),
		cmocka_unit_test(other_drivers_count_the_header_in_both_directions),
		cmocka_unit_test(a_bridge_counts_as_netback_but_as_dom0s_own_card),
		cmocka_unit_test(the_guests_input_is_what_dom0_transmits),
		cmocka_unit_test(a_packet_counted_before_its_bytes_gives_no_negative_number),
		cmocka_unit_test(sixty_four_bits_are_enough_for_large_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
