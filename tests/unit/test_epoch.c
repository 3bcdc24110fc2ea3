/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * When a life of counters ends, and what its last bytes are.
 */
#include <string.h>

#include "account/epoch.h"
#include "tests/support/unit.h"

#define NOTHING ((struct epoch_evidence){0})

/* A veth-like device (14 bytes a packet both ways), read last at these counters. */
static struct epoch at(struct counters last)
{
	return (struct epoch){.row = {.rx_header = 14, .tx_header = 14, .last = last}};
}

static struct counters packets(uint64_t rx, uint64_t tx)
{
	return (struct counters){
		.rx_bytes = rx * 114, .rx_packets = rx, .tx_bytes = tx * 1014, .tx_packets = tx};
}

static void any_one_counter_that_goes_back_ends_the_life(void **state)
{
	const struct counters last = {100, 10, 200, 20};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct counters now = {1000, 1000, 1000, 1000};
		struct epoch e = at(last);

		switch (i) {
		case 0:
			now.rx_bytes = last.rx_bytes - 1;
			break;
		case 1:
			now.rx_packets = last.rx_packets - 1;
			break;
		case 2:
			now.tx_bytes = last.tx_bytes - 1;
			break;
		default:
			now.tx_packets = last.tx_packets - 1;
			break;
		}
		assert_int_equal(epoch_judge(&e, &now, &NOTHING), EPOCH_WENT_BACK);
	}
}

static void counters_that_stand_still_or_rise_continue(void **state)
{
	struct epoch e = at((struct counters){100, 10, 200, 20});
	struct counters same = e.row.last, more = {101, 10, 200, 21};

	(void)state;
	assert_int_equal(epoch_judge(&e, &same, &NOTHING), EPOCH_CONTINUES);
	assert_int_equal(epoch_judge(&e, &more, &NOTHING), EPOCH_CONTINUES);
	assert_int_equal(e.row.doubtful, 0);
}

static void carrier_and_state_together_prove_a_reconnect(void **state)
{
	struct epoch e = at(packets(1, 1));
	struct counters now = packets(5, 5);
	struct epoch_evidence seen = {.carrier_down = 1, .carrier = true, .left_connected = 1};

	(void)state;
	assert_int_equal(epoch_judge(&e, &now, &seen), EPOCH_RECONNECTED);
}

static void the_state_may_be_seen_one_reading_before_the_carrier(void **state)
{
	struct epoch e = at(packets(1, 1));
	struct counters now = packets(5, 5);
	struct epoch_evidence left = {.left_connected = 1},
			      both = {.carrier_down = 1, .carrier = true, .left_connected = 1};

	(void)state;
	assert_int_equal(epoch_judge(&e, &now, &left), EPOCH_CONTINUES);
	assert_int_equal(e.row.doubtful, 0);
	assert_int_equal(epoch_judge(&e, &now, &both), EPOCH_HAD_RECONNECTED);
}

static void a_departure_long_before_the_carrier_proves_nothing(void **state)
{
	struct epoch e = at(packets(1, 1));
	struct counters now = packets(5, 5);
	struct epoch_evidence left = {.left_connected = 1},
			      both = {.carrier_down = 1, .carrier = true, .left_connected = 1};

	(void)state;
	assert_int_equal(epoch_judge(&e, &now, &left), EPOCH_CONTINUES);
	assert_int_equal(epoch_judge(&e, &now, &left), EPOCH_CONTINUES);
	assert_int_equal(epoch_judge(&e, &now, &both), EPOCH_CONTINUES);
	assert_int_equal(e.row.doubtful, 1);
}

/* A guest without a driver for a while: however many readings it takes, the carrier belongs to that
 * departure. */
static void while_the_state_is_away_a_carrier_is_never_too_late(void **state)
{
	struct epoch e = at(packets(1, 1));
	struct counters now = packets(5, 5);
	struct epoch_evidence away = {.carrier = true, .left_connected = 1, .away = true};
	struct epoch_evidence back = {.left_connected = 1, .carrier_down = 1, .carrier = true};

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(epoch_judge(&e, &now, &away), EPOCH_CONTINUES);
	assert_int_equal(epoch_judge(&e, &now, &back), EPOCH_RECONNECTED);
}

/* As netback goes away: the carrier is off, its counters are still whole; they are freed a moment later. */
static void counters_that_are_whole_while_the_carrier_is_off_are_not_counted_again(void **state)
{
	struct epoch e = at(packets(100, 100));
	struct counters whole = packets(105, 105), freed = {0};
	struct epoch_evidence off = {.carrier_down = 1, .left_connected = 1, .away = true};
	struct epoch_evidence off_but_connected = {.carrier_down = 1, .left_connected = 1};
	struct epoch_evidence on_but_away = {
		.carrier_down = 1, .carrier = true, .left_connected = 1, .away = true};

	(void)state;
	assert_int_equal(epoch_judge(&e, &whole, &off), EPOCH_CONTINUES);
	assert_int_equal(epoch_judge(&e, &whole, &off_but_connected), EPOCH_CONTINUES);
	assert_int_equal(epoch_judge(&e, &whole, &on_but_away), EPOCH_CONTINUES);
	assert_int_equal(epoch_judge(&e, &freed, &off), EPOCH_WENT_BACK);
}

/* One drop was the departure's, and the guest was back before the second. */
static void a_guest_that_stalls_at_once_has_reconnected(void **state)
{
	struct epoch e = at(packets(1, 1));
	struct counters now = packets(5, 5);
	struct epoch_evidence stalls = {.carrier_down = 2, .left_connected = 1};

	(void)state;
	assert_int_equal(epoch_judge(&e, &now, &stalls), EPOCH_RECONNECTED);
}

/* However long the guest takes to come back: the carrier's proof is kept until then. */
static void a_guest_that_comes_back_late_is_still_a_reconnect(void **state)
{
	struct epoch e = at(packets(1, 1));
	struct counters none = packets(1, 1), now = packets(5, 5);
	struct epoch_evidence off = {.carrier_down = 1, .left_connected = 1, .away = true};
	struct epoch_evidence back = {.carrier_down = 1, .carrier = true, .left_connected = 1};

	(void)state;
	for (int i = 0; i < 9; i++)
		assert_int_equal(epoch_judge(&e, &none, &off), EPOCH_CONTINUES);
	assert_int_equal(epoch_judge(&e, &now, &back), EPOCH_RECONNECTED);
}

/* Xenstore is silent, and its last word is that the guest is away: what is read with the carrier on again is
 * the new life's, and goes over to it when xenstore tells. */
static void a_guest_that_is_back_before_xenstore_tells_is_counted_once(void **state)
{
	struct epoch e = at(packets(0, 0));
	struct counters old = packets(3, 3), early = packets(4, 4), now = packets(5, 7),
			later = packets(8, 9);
	struct epoch_evidence off = {.carrier_down = 1, .left_connected = 1, .away = true},
			      on = {.carrier_down = 1, .carrier = true, .left_connected = 1, .away = true},
			      stalled = {.carrier_down = 2,
					 .carrier = true,
					 .left_connected = 1,
					 .away = true},
			      told = {.carrier_down = 2, .carrier = true, .left_connected = 1};
	uint64_t growth[DIR_COUNT] = {0}, booked[DIR_COUNT];

	(void)state;
	epoch_grow(&e, &old, 1, growth);
	assert_int_equal(epoch_judge(&e, &old, &off), EPOCH_CONTINUES);
	assert_int_equal(epoch_judge(&e, &early, &on), EPOCH_CONTINUES);
	epoch_grow(&e, &early, 2, growth);
	assert_int_equal(epoch_judge(&e, &now, &stalled), EPOCH_CONTINUES);
	epoch_grow(&e, &now, 3, growth);
	assert_int_equal(epoch_judge(&e, &later, &told), EPOCH_HAD_RECONNECTED);
	epoch_take_back(&e, booked);
	assert_int_equal(e.row.total[DIR_OUTPUT], 300);
	assert_int_equal(e.row.total[DIR_INPUT], 3000);
	assert_int_equal(booked[DIR_OUTPUT], 200);
	assert_int_equal(booked[DIR_INPUT], 4000);
	assert_int_equal(e.row.doubtful, 0);
}

/* The life that began when the counters went back has had that departure: a state that is still `away`, for
 * xenstore is silent, proves no second one. */
static void a_departure_that_ended_a_life_does_not_end_the_next(void **state)
{
	struct epoch e = at(packets(3, 3));
	struct counters now = packets(5, 7);
	struct epoch_evidence stalled = {.carrier_down = 2,
					 .carrier = true,
					 .left_connected = 1,
					 .away = true},
			      told = {.carrier_down = 2, .carrier = true, .left_connected = 1};

	(void)state;
	e.row.carrier_down = 1;
	e.left_connected = 1;
	e.was_away = true;
	assert_int_equal(epoch_judge(&e, &now, &stalled), EPOCH_CONTINUES);
	assert_int_equal(e.row.doubtful, 1);
	assert_int_equal(epoch_judge(&e, &now, &told), EPOCH_CONTINUES);
}

/* It was away, and its carrier off, when the daemon came: that drop is in the count already. */
static void a_departure_before_the_first_reading_does_not_end_the_next_life(void **state)
{
	struct epoch e = at((struct counters){0});
	struct counters none = {0}, now = packets(5, 7), later = packets(6, 8);
	struct epoch_evidence off = {.away = true}, back = {.carrier = true},
			      stalled = {.carrier_down = 1, .carrier = true};

	(void)state;
	assert_int_equal(epoch_judge(&e, &none, &off), EPOCH_CONTINUES);
	assert_int_equal(epoch_judge(&e, &now, &back), EPOCH_CONTINUES);
	assert_int_equal(epoch_judge(&e, &later, &stalled), EPOCH_CONTINUES);
	assert_int_equal(e.row.doubtful, 1);
}

static void the_carrier_alone_is_doubtful_and_continues(void **state)
{
	struct epoch e = at(packets(1, 1));
	struct counters now = packets(5, 5);
	struct epoch_evidence down = {.carrier_down = 1, .carrier = true},
			      down_again = {.carrier_down = 2, .carrier = true};

	(void)state;
	assert_int_equal(epoch_judge(&e, &now, &down), EPOCH_CONTINUES);
	assert_int_equal(e.row.doubtful, 1);
	assert_true(e.dirty);
	assert_int_equal(e.row.carrier_down, 1);
	assert_int_equal(epoch_judge(&e, &now, &down), EPOCH_CONTINUES);
	assert_int_equal(e.row.doubtful, 1);
	assert_int_equal(epoch_judge(&e, &now, &down_again), EPOCH_CONTINUES);
	assert_int_equal(e.row.doubtful, 2);
}

static void a_departure_that_has_not_come_back_ends_nothing(void **state)
{
	struct epoch e = at(packets(1, 1));
	struct counters now = packets(5, 5);
	struct epoch_evidence down = {.carrier_down = 1, .carrier = true},
			      both = {.carrier_down = 1, .carrier = true, .left_connected = 1, .away = true};

	(void)state;
	assert_int_equal(epoch_judge(&e, &now, &down), EPOCH_CONTINUES);
	assert_int_equal(epoch_judge(&e, &now, &both), EPOCH_CONTINUES);
}

/* Xenstore tells late, and the new life has passed the old counters by then: nothing of the old one is lost.
 */
static void a_departure_told_late_settles_the_doubt(void **state)
{
	struct epoch e = at(packets(0, 0));
	struct counters old = packets(3, 3), now = packets(5, 7);
	struct epoch_evidence down = {.carrier_down = 1, .carrier = true},
			      both = {.carrier_down = 1, .carrier = true, .left_connected = 1};
	uint64_t growth[DIR_COUNT] = {0}, booked[DIR_COUNT];

	(void)state;
	epoch_grow(&e, &old, 1, growth);
	assert_int_equal(epoch_judge(&e, &now, &down), EPOCH_CONTINUES);
	epoch_grow(&e, &now, 2, growth);
	assert_int_equal(epoch_judge(&e, &now, &both), EPOCH_HAD_RECONNECTED);
	epoch_take_back(&e, booked);
	assert_int_equal(e.row.total[DIR_OUTPUT], 300);
	assert_int_equal(e.row.total[DIR_INPUT], 3000);
	assert_int_equal(booked[DIR_OUTPUT], 200);
	assert_int_equal(booked[DIR_INPUT], 4000);
	assert_int_equal(e.row.doubtful, 0);
}

/* It has not gone yet, has had a drop of its own, or came long after. */
static void another_departure_settles_no_doubt(void **state)
{
	struct counters now = packets(5, 5);
	struct epoch_evidence down = {.carrier_down = 1, .carrier = true};
	struct epoch_evidence away = {.carrier_down = 1, .carrier = true, .left_connected = 1, .away = true};
	struct epoch_evidence own = {.carrier_down = 2, .carrier = true, .left_connected = 1};
	struct epoch_evidence late = {.carrier_down = 1, .carrier = true, .left_connected = 1};
	struct epoch e = at(packets(1, 1));

	(void)state;
	assert_int_equal(epoch_judge(&e, &now, &down), EPOCH_CONTINUES);
	assert_int_equal(epoch_judge(&e, &now, &away), EPOCH_CONTINUES);
	e = at(packets(1, 1));
	assert_int_equal(epoch_judge(&e, &now, &down), EPOCH_CONTINUES);
	assert_int_equal(epoch_judge(&e, &now, &own), EPOCH_RECONNECTED);
	e = at(packets(1, 1));
	for (int i = 0; i < 3; i++)
		assert_int_equal(epoch_judge(&e, &now, &down), EPOCH_CONTINUES);
	assert_int_equal(epoch_judge(&e, &now, &late), EPOCH_CONTINUES);
}

/* Xenstore was emptied and filled again: the count of departures begins at 0, and nobody departed. */
static void a_count_of_departures_that_begins_anew_is_no_departure(void **state)
{
	struct epoch e = at(packets(1, 1));
	struct counters now = packets(5, 5);
	struct epoch_evidence anew = {.carrier_down = 1, .carrier = true};

	(void)state;
	e.left_connected = 3;
	assert_int_equal(epoch_judge(&e, &now, &anew), EPOCH_CONTINUES);
	assert_int_equal(e.row.doubtful, 1);
}

static void a_departure_with_the_carrier_up_is_no_reset(void **state)
{
	struct epoch e = at(packets(1, 1));
	struct counters now = packets(5, 5);
	struct epoch_evidence left = {.left_connected = 3};

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(epoch_judge(&e, &now, &left), EPOCH_CONTINUES);
	assert_int_equal(e.row.doubtful, 0);
}

static void growth_is_ip_bytes_in_the_guests_view_since_the_base_line(void **state)
{
	struct epoch e = at(packets(0, 0));
	uint64_t growth[DIR_COUNT] = {0};
	struct counters now;

	(void)state;
	e.row.base = e.row.last = packets(10, 20);
	now = packets(12, 23);
	epoch_grow(&e, &now, 1000, growth);
	assert_int_equal(growth[DIR_OUTPUT], 200);
	assert_int_equal(growth[DIR_INPUT], 3000);
	assert_int_equal(e.row.total[DIR_OUTPUT], 200);
	assert_int_equal(e.row.total[DIR_INPUT], 3000);
	assert_int_equal(e.row.seen, 1000);
	assert_memory_equal(&e.row.last, &now, sizeof(now));
	assert_true(e.dirty);
	epoch_grow(&e, &now, 1005, growth); /* growth adds up, a second time there is none */
	assert_int_equal(growth[DIR_OUTPUT], 200);
}

static void an_idle_reading_makes_nothing_to_write(void **state)
{
	struct epoch e = at(packets(3, 3));
	struct counters same = packets(3, 3);
	uint64_t growth[DIR_COUNT] = {0};

	(void)state;
	e.row.base = same;
	epoch_grow(&e, &same, 1000, growth);
	assert_false(e.dirty);
	assert_int_equal(growth[DIR_INPUT] + growth[DIR_OUTPUT], 0);
}

/* A driver may count a packet before its bytes, or be read in between. */
static void a_packet_counted_before_its_bytes_never_shrinks_the_total(void **state)
{
	struct epoch e = at(packets(0, 0));
	uint64_t growth[DIR_COUNT] = {0};
	struct counters whole = packets(2, 2), torn = whole, next;

	(void)state;
	epoch_grow(&e, &whole, 1, growth);
	assert_int_equal(e.row.total[DIR_OUTPUT], 200);
	torn.rx_packets++;
	torn.tx_packets++;
	epoch_grow(&e, &torn, 2, growth);
	assert_int_equal(e.row.total[DIR_OUTPUT], 200);
	assert_int_equal(e.row.total[DIR_INPUT], 2000);
	next = packets(3, 3);
	assert_int_equal(epoch_judge(&e, &next, &NOTHING), EPOCH_CONTINUES);
	epoch_grow(&e, &next, 3, growth);
	assert_int_equal(growth[DIR_OUTPUT], 300); /* to the byte, once all is there */
	assert_int_equal(growth[DIR_INPUT], 3000);
}

static void random_torn_readings_never_shrink_and_end_exactly(void **state)
{
	struct random r = random_new();

	(void)state;
	for (int life = 0; life < 500; life++) {
		struct epoch e = at(packets(0, 0));
		uint64_t growth[DIR_COUNT] = {0}, n = 0, before = 0;

		for (int i = 0; i < 100; i++) {
			struct counters now;

			n += random_below(&r, 5);
			now = packets(n, n);
			now.rx_packets += random_below(&r, 3); /* counted, bytes still to come */
			if (!counters_at_least(&now, &e.row.last))
				continue;
			epoch_grow(&e, &now, i, growth);
			assert_true(growth[DIR_OUTPUT] >= before);
			assert_true(growth[DIR_OUTPUT] <= n * 100);
			assert_int_equal(growth[DIR_OUTPUT], e.row.total[DIR_OUTPUT]);
			before = growth[DIR_OUTPUT];
		}
		n += 5;
		epoch_grow(&e, &(struct counters){n * 114, n, n * 1014, n}, 100, growth);
		assert_int_equal(growth[DIR_OUTPUT], n * 100);
		assert_int_equal(growth[DIR_INPUT], n * 1000);
	}
}

/* ---- the end ---- */

static void final_counters_of_a_delete_are_the_last_bytes(void **state)
{
	struct epoch e = at(packets(0, 0));
	struct counters read = packets(2, 2), final = packets(5, 7);
	uint64_t growth[DIR_COUNT] = {0};

	(void)state;
	epoch_grow(&e, &read, 1, growth);
	assert_true(epoch_end(&e, &final, "device gone", 9, growth));
	assert_int_equal(growth[DIR_OUTPUT], 500);
	assert_int_equal(growth[DIR_INPUT], 7000);
	assert_memory_equal(&e.row.last, &final, sizeof(final));
	assert_int_equal(e.row.closed, 9);
	assert_string_equal(e.row.reason, "device gone");
	assert_true(e.dirty);
}

static void final_counters_that_are_zero_or_older_say_nothing(void **state)
{
	const struct counters finals[] = {{0}, {228, 2, 2028, 1}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct epoch e = at(packets(0, 0));
		struct counters read = packets(2, 2);
		uint64_t growth[DIR_COUNT] = {0};

		epoch_grow(&e, &read, 1, growth);
		assert_false(epoch_end(&e, &finals[i], "device gone", 9, growth));
		assert_int_equal(growth[DIR_OUTPUT], 200);
		assert_int_equal(growth[DIR_INPUT], 2000);
		assert_memory_equal(&e.row.last, &read, sizeof(read));
		assert_int_equal(e.row.closed, 9);
	}
}

/* netback's delete event carries zeros whatever there was: also when nothing was read before. */
static void final_zeros_are_no_proof_that_nothing_moved(void **state)
{
	struct epoch e = at(packets(0, 0));
	struct counters zeros = {0};
	uint64_t growth[DIR_COUNT] = {0};

	(void)state;
	assert_false(epoch_end(&e, &zeros, "device gone", 9, growth));
	assert_int_equal(growth[DIR_INPUT] + growth[DIR_OUTPUT], 0);
}

static void an_end_without_any_counters_is_not_known(void **state)
{
	struct epoch e = at(packets(2, 2));
	uint64_t growth[DIR_COUNT] = {0};

	(void)state;
	assert_false(epoch_end(&e, NULL, "unbound", 9, growth));
	assert_int_equal(growth[DIR_INPUT] + growth[DIR_OUTPUT], 0);
}

static void a_hint_counts_at_the_end_only(void **state)
{
	struct epoch e = at(packets(0, 0));
	struct counters read = packets(2, 2), hint = packets(4, 4), zeros = {0};
	uint64_t growth[DIR_COUNT] = {0};

	(void)state;
	epoch_grow(&e, &read, 1, growth);
	epoch_hint(&e, &hint);
	assert_int_equal(e.row.total[DIR_OUTPUT], 200);
	assert_memory_equal(&e.row.last, &read, sizeof(read));
	assert_true(epoch_end(&e, &zeros, "device gone", 9, growth));
	assert_int_equal(growth[DIR_OUTPUT], 400);
	assert_int_equal(growth[DIR_INPUT], 4000);
}

static void a_hint_of_zeros_or_of_old_counters_is_no_hint(void **state)
{
	const struct counters hints[] = {{0}, {114, 1, 1014, 1}, {228, 2, 2027, 2}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct epoch e = at(packets(0, 0)), unread = at(packets(0, 0));
		struct counters read = packets(2, 2);
		uint64_t growth[DIR_COUNT] = {0};

		epoch_grow(&e, &read, 1, growth);
		epoch_hint(&e, &hints[i]);
		assert_false(epoch_end(&e, NULL, "reconnected", 9, growth));
		epoch_hint(&unread, &hints[0]);
		assert_false(unread.has_hint); /* zeros, also where nothing was read before */
		assert_int_equal(growth[DIR_OUTPUT], 200);
		assert_int_equal(growth[DIR_INPUT], 2000);
	}
}

static void a_hint_that_a_later_reading_has_passed_counts_once(void **state)
{
	struct epoch e = at(packets(0, 0));
	struct counters hint = packets(4, 4), later = packets(6, 6);
	uint64_t growth[DIR_COUNT] = {0};

	(void)state;
	epoch_hint(&e, &hint);
	epoch_grow(&e, &later, 2, growth);
	assert_false(epoch_end(&e, NULL, "unbound", 9, growth));
	assert_int_equal(growth[DIR_OUTPUT], 600);
}

static void a_hint_and_better_final_counters_are_not_added_up(void **state)
{
	struct epoch e = at(packets(0, 0));
	struct counters hint = packets(4, 4), final = packets(5, 5);
	uint64_t growth[DIR_COUNT] = {0};

	(void)state;
	epoch_hint(&e, &hint);
	assert_true(epoch_end(&e, &final, "device gone", 9, growth));
	assert_int_equal(growth[DIR_OUTPUT], 500);
}

/* The carrier went, the counters were thrown away, new ones began: the hint is what the old life had. */
static void a_hint_closes_the_life_before_counters_that_went_back(void **state)
{
	struct epoch e = at(packets(0, 0));
	struct counters read = packets(10, 10), hint = packets(15, 15), fresh = packets(3, 3);
	uint64_t growth[DIR_COUNT] = {0};

	(void)state;
	epoch_grow(&e, &read, 1, growth);
	epoch_hint(&e, &hint);
	assert_int_equal(epoch_judge(&e, &fresh, &NOTHING), EPOCH_WENT_BACK);
	assert_true(epoch_end(&e, NULL, "counters went back", 2, growth));
	assert_int_equal(growth[DIR_OUTPUT], 1500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_one_counter_that_goes_back_ends_the_life),
		cmocka_unit_test(counters_that_stand_still_or_rise_continue),
		cmocka_unit_test(carrier_and_state_together_prove_a_reconnect),
		cmocka_unit_test(the_state_may_be_seen_one_reading_before_the_carrier),
		cmocka_unit_test(a_departure_long_before_the_carrier_proves_nothing),
		cmocka_unit_test(while_the_state_is_away_a_carrier_is_never_too_late),
		cmocka_unit_test(counters_that_are_whole_while_the_carrier_is_off_are_not_counted_again),
		cmocka_unit_test(a_guest_that_stalls_at_once_has_reconnected),
		cmocka_unit_test(a_guest_that_comes_back_late_is_still_a_reconnect),
		cmocka_unit_test(a_guest_that_is_back_before_xenstore_tells_is_counted_once),
		cmocka_unit_test(a_departure_that_ended_a_life_does_not_end_the_next),
		cmocka_unit_test(a_departure_before_the_first_reading_does_not_end_the_next_life),
		cmocka_unit_test(the_carrier_alone_is_doubtful_and_continues),
		cmocka_unit_test(a_departure_that_has_not_come_back_ends_nothing),
		cmocka_unit_test(a_departure_told_late_settles_the_doubt),
		cmocka_unit_test(another_departure_settles_no_doubt),
		cmocka_unit_test(a_count_of_departures_that_begins_anew_is_no_departure),
		cmocka_unit_test(a_departure_with_the_carrier_up_is_no_reset),
		cmocka_unit_test(growth_is_ip_bytes_in_the_guests_view_since_the_base_line),
		cmocka_unit_test(an_idle_reading_makes_nothing_to_write),
		cmocka_unit_test(a_packet_counted_before_its_bytes_never_shrinks_the_total),
		cmocka_unit_test(random_torn_readings_never_shrink_and_end_exactly),
		cmocka_unit_test(final_counters_of_a_delete_are_the_last_bytes),
		cmocka_unit_test(final_counters_that_are_zero_or_older_say_nothing),
		cmocka_unit_test(final_zeros_are_no_proof_that_nothing_moved),
		cmocka_unit_test(an_end_without_any_counters_is_not_known),
		cmocka_unit_test(a_hint_counts_at_the_end_only),
		cmocka_unit_test(a_hint_of_zeros_or_of_old_counters_is_no_hint),
		cmocka_unit_test(a_hint_that_a_later_reading_has_passed_counts_once),
		cmocka_unit_test(a_hint_and_better_final_counters_are_not_added_up),
		cmocka_unit_test(a_hint_closes_the_life_before_counters_that_went_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
