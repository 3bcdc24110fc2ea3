/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Unit tests of cli/present: what the ledger has not booked yet is added, once.
 */
#include <string.h>

#include "cli/present.h"
#include "tests/support/unit.h"

#define BOOT "this-boot"

static char boot[] = BOOT, other_boot[] = "other-boot", web[] = "web";

static struct xen_vif xen_vif(unsigned domid, unsigned devid)
{
	return (struct xen_vif){.domid = domid, .devid = devid, .domain = web};
}

static struct usage_vif known_vif(int64_t id, unsigned domid, unsigned devid, uint64_t input, uint64_t output)
{
	return (struct usage_vif){.id = id,
				  .boot = boot,
				  .domid = domid,
				  .devid = devid,
				  .domain = web,
				  .gone = -1,
				  .bytes = {input, output}};
}

/* One live vif with one netback device, number 5: 10 packets of 100 bytes to it, 20 of 50 from it. */
static struct live_vif one_live(const struct xen_vif *xen)
{
	return (struct live_vif){
		.xen = xen,
		.netdev = "vif1.0",
		.devices = {{5,
			     true,
			     {.rx_bytes = 1000, .rx_packets = 20, .tx_bytes = 1140, .tx_packets = 10}}},
		.device_count = 1};
}

static struct present merge(struct live_vif *vifs, size_t count, const struct usage_vifs *known)
{
	struct live live = {.vifs = vifs, .count = count};
	struct present p;

	present_merge(vifs ? &live : NULL, known, BOOT, &p);
	return p;
}

static void assert_bytes(const struct present_row *row, uint64_t input, uint64_t output)
{
	assert_true(row->counted);
	assert_int_equal(row->bytes[DIR_INPUT], input);
	assert_int_equal(row->bytes[DIR_OUTPUT], output);
}

static void without_a_ledger_the_counters_are_all_there_is(void **state)
{
	struct xen_vif xen = xen_vif(1, 0);
	struct live_vif v = one_live(&xen);
	struct present p = merge(&v, 1, NULL);

	(void)state;
	assert_int_equal(p.count, 1);
	assert_bytes(&p.rows[0], 1000, 1000);
	present_free(&p);
}

static void a_vif_that_the_ledger_does_not_know_counts_from_its_base_line(void **state)
{
	struct usage_baseline base = {5,
				      {.rx_bytes = 600, .rx_packets = 2, .tx_bytes = 128, .tx_packets = 2}};
	struct usage_vifs known = {.baselines = &base, .baseline_count = 1};
	struct xen_vif xen = xen_vif(1, 0);
	struct live_vif v = one_live(&xen);
	struct present p = merge(&v, 1, &known);

	(void)state;
	assert_bytes(&p.rows[0], 900, 400);
	present_free(&p);
	base.ifindex = 6; /* another device's */
	p = merge(&v, 1, &known);
	assert_bytes(&p.rows[0], 1000, 1000);
	present_free(&p);
	base = (struct usage_baseline){5, {.rx_bytes = 600, .rx_packets = 21}}; /* the counters began anew */
	p = merge(&v, 1, &known);
	assert_bytes(&p.rows[0], 1000, 1000);
	present_free(&p);
}

static void an_open_epoch_adds_what_it_has_not_booked(void **state)
{
	struct usage_vif row = known_vif(9, 1, 0, 70000, 80000);
	struct usage_epoch epoch = {
		.vif = 9,
		.ifindex = 5,
		.tx_header = 14,
		.base = {.rx_bytes = 100, .rx_packets = 1},
		.last = {.rx_bytes = 990, .rx_packets = 19, .tx_bytes = 342, .tx_packets = 3},
		.booked = {300, 890}};
	struct usage_vifs known = {.vifs = &row, .vif_count = 1, .epochs = &epoch, .epoch_count = 1};
	struct xen_vif xen = xen_vif(1, 0);
	struct live_vif v = one_live(&xen);
	struct present p = merge(&v, 1, &known);

	(void)state;
	assert_int_equal(p.count, 1);
	assert_ptr_equal(p.rows[0].known, &row);
	assert_false(p.rows[0].gone);
	assert_bytes(&p.rows[0], 70000 + 700, 80000 + 10);
	present_free(&p);
	/* as xenbwd: where the booked sum is ahead of the difference, nothing is taken back */
	epoch.booked[DIR_OUTPUT] = 905;
	p = merge(&v, 1, &known);
	assert_bytes(&p.rows[0], 70000 + 700, 80000);
	present_free(&p);
	/* one counter went back: all of them began anew */
	epoch.last.rx_packets = 21;
	p = merge(&v, 1, &known);
	assert_bytes(&p.rows[0], 70000 + 1000, 80000 + 1000);
	present_free(&p);
}

static void an_epochs_header_size_is_its_own(void **state)
{
	struct usage_vif row = known_vif(9, 1, 0, 0, 0);
	struct usage_epoch epoch = {.vif = 9, .ifindex = 5, .rx_header = 14, .tx_header = 14};
	struct usage_vifs known = {.vifs = &row, .vif_count = 1, .epochs = &epoch, .epoch_count = 1};
	struct xen_vif xen = xen_vif(1, 0);
	struct live_vif v = one_live(&xen);
	struct present p = merge(&v, 1, &known);

	(void)state;
	assert_bytes(&p.rows[0], 1000, 1000 - 20 * 14);
	present_free(&p);
}

static void an_emulated_card_counts_with_its_vif(void **state)
{
	struct xen_vif xen = xen_vif(1, 0);
	struct live_vif v = one_live(&xen);
	struct present p;

	(void)state;
	v.devices[v.device_count++] = (struct live_device){
		6, false, {.rx_bytes = 64, .rx_packets = 1, .tx_bytes = 24, .tx_packets = 1}};
	p = merge(&v, 1, NULL);
	assert_bytes(&p.rows[0], 1000 + 10, 1000 + 50);
	present_free(&p);
}

static void a_vif_without_a_device_has_what_was_booked_or_nothing_known(void **state)
{
	struct usage_vif row = known_vif(9, 1, 0, 7, 8);
	struct usage_vifs known = {.vifs = &row, .vif_count = 1};
	struct xen_vif xen[] = {xen_vif(1, 0), xen_vif(2, 0)};
	struct live_vif v[] = {{.xen = &xen[0]}, {.xen = &xen[1]}};
	struct present p = merge(v, 2, &known);

	(void)state;
	assert_int_equal(p.count, 2);
	assert_bytes(&p.rows[0], 7, 8);
	assert_null(p.rows[1].known);
	assert_false(p.rows[1].counted);
	present_free(&p);
}

static void a_vif_is_known_by_boot_domid_and_devid_while_it_is_not_gone(void **state)
{
	struct usage_vif rows[] = {known_vif(1, 1, 0, 1, 1), known_vif(2, 1, 0, 2, 2),
				   known_vif(3, 1, 1, 3, 3), known_vif(4, 1, 0, 4, 4)};
	struct usage_vifs known = {.vifs = rows, .vif_count = 4};
	struct xen_vif xen = xen_vif(1, 0);
	struct live_vif v = {.xen = &xen};
	struct present p;

	(void)state;
	rows[0].boot = other_boot;
	rows[1].gone = 1234;
	p = merge(&v, 1, &known);
	assert_int_equal(p.count, 4);
	assert_int_equal(p.rows[0].known->id, 4);
	assert_false(p.rows[0].gone);
	for (size_t i = 1; i < 4; i++) { /* what the ledger still took to be there is not, either */
		assert_int_equal(p.rows[i].known->id, (int64_t)i);
		assert_null(p.rows[i].live);
		assert_true(p.rows[i].gone);
	}
	present_free(&p);
}

static void without_a_live_view_the_last_run_tells_what_was_there(void **state)
{
	struct usage_vif rows[] = {known_vif(1, 1, 0, 1, 1), known_vif(2, 2, 0, 2, 2),
				   known_vif(3, 3, 0, 3, 3)};
	struct usage_vifs known = {.run = {.boot = boot}, .vifs = rows, .vif_count = 3};
	struct present p;

	(void)state;
	rows[0].boot = other_boot; /* that host was started anew since */
	rows[1].gone = 77;
	p = merge(NULL, 0, &known);
	assert_int_equal(p.count, 3);
	assert_int_equal(p.rows[0].known->id, 3);
	assert_false(p.rows[0].gone);
	assert_bytes(&p.rows[0], 3, 3);
	assert_true(p.rows[1].gone);
	assert_true(p.rows[2].gone);
	present_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_ledger_the_counters_are_all_there_is),
		cmocka_unit_test(a_vif_that_the_ledger_does_not_know_counts_from_its_base_line),
		cmocka_unit_test(an_open_epoch_adds_what_it_has_not_booked),
		cmocka_unit_test(an_epochs_header_size_is_its_own),
		cmocka_unit_test(an_emulated_card_counts_with_its_vif),
		cmocka_unit_test(a_vif_without_a_device_has_what_was_booked_or_nothing_known),
		cmocka_unit_test(a_vif_is_known_by_boot_domid_and_devid_while_it_is_not_gone),
		cmocka_unit_test(without_a_live_view_the_last_run_tells_what_was_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
