/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The account of a host, on a real ledger: what comes, goes and is counted.
 */
#include <stdlib.h>

#include "tests/support/account_bed.h"
#include "tests/support/unit.h"

/* ---- what is counted ---- */

static void a_device_that_appears_counts_from_0(void **state)
{
	uint64_t moved[DIR_COUNT];
	struct account_bed b;
	int64_t vif;

	(void)state;
	account_bed_set_up(&b, EDGE);
	vif = account_bed_simple_vif(&b);
	assert_false(account_bed_poll_at(&b, EDGE + 5, 10, 7));
	account_moved(b.account, vif, moved);
	assert_int_equal(moved[DIR_INPUT], 7000);
	assert_int_equal(moved[DIR_OUTPUT], 700);
	assert_int_equal(account_devices(b.account, vif), 1);
	assert_int_equal(account_vif_of(b.account, 10), vif);
	assert_int_equal(account_vif_of(b.account, 11), 0);
	account_bed_commit(&b);
	assert_int_equal(account_bed_number(&b, "SELECT unattributed_input FROM take"), 7000);
	assert_int_equal(account_bed_number(&b, "SELECT unattributed_output FROM take"), 700);
	assert_int_equal(account_bed_number(&b, "SELECT slot FROM take"), EDGE);
	assert_int_equal(account_bed_number(&b, "SELECT from_time FROM take"), EDGE);
	assert_int_equal(account_bed_number(&b, "SELECT to_time FROM take"), EDGE + 5);
	assert_int_equal(account_bed_number(&b, "SELECT last_tx_bytes FROM epoch"), 7 * 1014);
	account_bed_tear_down(&b);
}

static void a_reading_of_nobodys_device_is_nothing(void **state)
{
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_bed_poll_at(&b, EDGE + 5, 99, 1000);
	account_bed_commit(&b);
	assert_int_equal(account_bed_take_count(&b), 0);
	account_bed_tear_down(&b);
}

static void an_idle_vif_makes_no_takes(void **state)
{
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 5, 10, 3);
	account_bed_commit(&b);
	for (int64_t t = EDGE + 10; t < EDGE + 1000; t += 5)
		account_bed_poll_at(&b, t, 10, 3);
	account_bed_commit(&b);
	assert_int_equal(account_bed_take_count(&b), 1);
	/* its next bytes came after the last idle poll */
	account_bed_poll_at(&b, EDGE + 1000, 10, 4);
	account_bed_commit(&b);
	assert_int_equal(account_bed_number(&b, "SELECT from_time FROM take WHERE seq = 2"), EDGE + 995);
	account_bed_tear_down(&b);
}

static void what_was_counted_before_there_was_a_ledger_is_not_charged(void **state)
{
	struct counters before = account_bed_packets(1000);
	struct ledger_batch batch;
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_baseline(b.account, 10, &before);
	account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 5, 10, 1000);
	account_bed_poll_at(&b, EDGE + 10, 10, 1003);
	account_bed_commit(&b);
	assert_int_equal(account_bed_number(&b, "SELECT sum(unattributed_input) FROM take"), 3000);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM baseline"), 1);
	account_batch(b.account, &batch);
	assert_int_equal(batch.baseline_count, 0);
	account_batch_free(&batch);
	account_bed_tear_down(&b);
}

/* A vif that is bound only after a restart: the base line of this boot still counts. */
static void a_base_line_outlives_the_daemon(void **state)
{
	struct counters before = account_bed_packets(1000);
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_baseline(b.account, 10, &before);
	account_bed_commit(&b);
	account_bed_kill_it(&b);
	account_bed_start(&b, EDGE + 20);
	account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 25, 10, 1002);
	account_bed_commit(&b);
	assert_int_equal(account_bed_number(&b, "SELECT sum(unattributed_input) FROM take"), 2000);
	account_bed_tear_down(&b);
}

/* The number may be given out again in the same boot: the base line goes with its device. */
static void a_base_line_goes_with_its_device(void **state)
{
	struct counters before = account_bed_packets(1000);
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_baseline(b.account, 10, &before);
	account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 5, 10, 1003);
	account_device_gone(b.account, 10, NULL);
	account_bed_commit(&b);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM baseline"), 0);
	account_bed_kill_it(&b);
	account_bed_start(&b, EDGE + 20);
	account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 25, 10, 2000);
	account_bed_commit(&b);
	assert_int_equal(account_bed_number(&b, "SELECT sum(unattributed_input) FROM take"), 2003000);
	account_bed_tear_down(&b);
}

static void counters_that_went_back_count_from_0_again(void **state)
{
	struct counters c = account_bed_packets(2);
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 5, 10, 10);
	account_begin(b.account, EDGE + 10);
	assert_true(account_reading(b.account, 10, &c));
	account_restarted(b.account, 10, 4);
	account_settle(b.account, NULL);
	account_bed_commit(&b);
	assert_int_equal(account_bed_number(&b, "SELECT sum(unattributed_input) FROM take"), 12000);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM epoch"), 2);
	assert_int_equal(account_bed_number(&b, "SELECT closed FROM epoch WHERE id = 1"), EDGE + 10);
	assert_int_equal(account_bed_number(&b, "SELECT carrier_down FROM epoch WHERE id = 2"), 4);
	assert_int_equal(account_bed_number(&b, "SELECT closed IS NULL FROM epoch WHERE id = 2"), 1);
	/* the carrier count that was told is no news at the next reading */
	account_begin(b.account, EDGE + 15);
	c = account_bed_packets(3);
	account_evidence(b.account, 10, &(struct epoch_evidence){.carrier_down = 4, .carrier = true});
	assert_false(account_reading(b.account, 10, &c));
	account_settle(b.account, NULL);
	account_bed_commit(&b);
	assert_int_equal(account_bed_number(&b, "SELECT doubtful FROM epoch WHERE id = 2"), 0);
	assert_int_equal(account_bed_number(&b, "SELECT sum(unattributed_input) FROM take"), 13000);
	account_bed_tear_down(&b);
}

/* Renamed by its script before we could look at it: sysfs no longer had the name that the kernel had told. */
static void a_device_that_turns_out_to_be_netbacks_counts_as_such(void **state)
{
	struct account_bed b;
	int64_t vif;

	(void)state;
	for (int read = 0; read < 2; read++) {
		account_bed_set_up(&b, EDGE);
		vif = account_bed_simple_vif(&b);
		if (read)
			account_bed_poll_at(&b, EDGE + 5, 10, 10); /* 14 bytes each were taken for a header */
		for (int i = 0; i < 2; i++)
			account_device_here(b.account, vif, 10, "web0", DEVICE_NETBACK, 0, 0);
		account_bed_poll_at(&b, EDGE + 10, 10, 1000);
		account_bed_commit(&b);
		assert_int_equal(account_bed_number(&b, "SELECT sum(unattributed_output) FROM take"),
				 read ? 10 * 100 + 990 * 114 : 1000 * 114);
		assert_int_equal(account_bed_number(&b, "SELECT sum(unattributed_input) FROM take"), 1000000);
		assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM epoch"), 2);
		assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM epoch WHERE closed IS NULL"
							" AND rx_header = 0 AND netdev = 'web0'"),
				 1);
		account_bed_tear_down(&b);
	}
}

static void a_reconnected_vif_counts_from_0_even_above_its_old_counters(void **state)
{
	struct epoch_evidence both = {.carrier_down = 1, .carrier = true, .left_connected = 1};
	struct counters c = account_bed_packets(20);
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 5, 10, 10);
	account_begin(b.account, EDGE + 10);
	account_evidence(b.account, 10, &both);
	account_reading(b.account, 10, &c);
	account_settle(b.account, NULL);
	account_begin(b.account, EDGE + 15);
	c = account_bed_packets(25);
	account_reading(b.account, 10, &c); /* the same evidence again is no second reconnect */
	account_settle(b.account, NULL);
	account_bed_commit(&b);
	assert_int_equal(account_bed_number(&b, "SELECT sum(unattributed_input) FROM take"), 35000);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM epoch"), 2);
	account_bed_tear_down(&b);
}

/* The guest is back before xenstore tells, and reconnects once more before the next reading: what was read in
 * between was a life of its own. */
static void a_life_that_was_seen_once_only_is_counted_from_0(void **state)
{
	struct epoch_evidence away = {.carrier_down = 1, .carrier = true, .left_connected = 1, .away = true},
			      back = {.carrier_down = 2, .carrier = true, .left_connected = 2};
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 5, 10, 1000);
	account_evidence(b.account, 10, &away);
	account_bed_poll_at(&b, EDGE + 10, 10, 1500);
	account_evidence(b.account, 10, &back);
	account_bed_poll_at(&b, EDGE + 15, 10, 200);
	account_bed_poll_at(&b, EDGE + 20, 10, 300);
	account_bed_commit(&b);
	assert_int_equal(account_bed_number(&b, "SELECT sum(unattributed_input) FROM take"), 2800000);
	assert_int_equal(account_bed_number(&b, "SELECT sum(unattributed_output) FROM take"), 280000);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM epoch"), 3);
	assert_int_equal(account_bed_number(&b, "SELECT total_input FROM epoch ORDER BY id LIMIT 1"),
			 1000000);
	account_bed_tear_down(&b);
}

/* It left and was back without any drop: what was read then may have been this life's, and what went back is
 * this life. */
static void a_life_that_nothing_proves_is_not_counted_from_0(void **state)
{
	struct epoch_evidence left = {.carrier = true, .left_connected = 1},
			      back = {.carrier_down = 1, .carrier = true, .left_connected = 2};
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 5, 10, 1000);
	account_evidence(b.account, 10, &left);
	account_bed_poll_at(&b, EDGE + 10, 10, 1500);
	account_evidence(b.account, 10, &back);
	account_bed_poll_at(&b, EDGE + 15, 10, 200);
	account_bed_commit(&b);
	assert_int_equal(account_bed_number(&b, "SELECT sum(unattributed_input) FROM take"), 1700000);
	account_bed_tear_down(&b);
}

/* Since the last reading the guest reconnected at the first drop and then stalled: the message of the second
 * one has the new life's counters, which are not the old life's last bytes too. */
static void the_message_of_a_second_drop_is_not_the_end_of_the_life_before(void **state)
{
	struct epoch_evidence both = {.carrier_down = 2, .carrier = true, .left_connected = 1};
	struct counters last = account_bed_packets(12), second = account_bed_packets(15),
			c = account_bed_packets(20);
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 5, 10, 10);
	account_carrier_off(b.account, 10, 1, &last);
	account_carrier_off(b.account, 10, 2, &second);
	account_begin(b.account, EDGE + 10);
	account_evidence(b.account, 10, &both);
	account_reading(b.account, 10, &c);
	account_settle(b.account, NULL);
	account_bed_commit(&b);
	assert_int_equal(account_bed_number(&b, "SELECT sum(unattributed_input) FROM take"), 32000);
	account_bed_tear_down(&b);
}

/* ---- what comes and goes ---- */

static void a_device_that_is_unbound_and_comes_back_counts_only_what_came_after(void **state)
{
	struct account_bed b;
	int64_t vif;

	(void)state;
	account_bed_set_up(&b, EDGE);
	vif = account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 5, 10, 10);
	account_device_unbound(b.account, 10);
	assert_int_equal(account_devices(b.account, vif), 0);
	account_bed_poll_at(&b, EDGE + 10, 10, 12); /* nobody's now */
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "web", 0), 10000);
	account_device_here(b.account, vif, 10, "vif1.0", DEVICE_OTHER, 0, 0);
	account_bed_poll_at(&b, EDGE + 15, 10, 15);
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "web", 0), 15000);
	account_bed_tear_down(&b);
}

static void a_device_that_moves_to_another_vif_takes_no_bytes_along(void **state)
{
	struct account_bed b;
	int64_t other;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_bed_simple_vif(&b);
	other = account_bed_vif_of(&b, 2, 0, UUID_B, "db", NULL);
	account_bed_poll_at(&b, EDGE + 5, 10, 10);
	account_device_here(b.account, other, 10, "vif2.0", DEVICE_OTHER, 0, 0);
	assert_int_equal(account_vif_of(b.account, 10), other);
	account_bed_poll_at(&b, EDGE + 10, 10, 13);
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "web", 0), 10000);
	assert_int_equal(account_bed_input_of(&b, "db", 0), 3000);
	account_bed_tear_down(&b);
}

static void the_last_bytes_of_a_vif_that_is_gone_are_booked(void **state)
{
	struct counters final = account_bed_packets(14);
	struct account_bed b;
	int64_t vif;

	(void)state;
	account_bed_set_up(&b, EDGE);
	vif = account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 5, 10, 10);
	account_bed_commit(&b);
	account_device_gone(b.account, 10, &final);
	account_vif_gone(b.account, vif);
	account_vif_gone(b.account, vif); /* twice is once */
	assert_null(account_next_vif(b.account, NULL));
	assert_null(account_next_epoch(b.account, NULL));
	account_begin(b.account, EDGE + 10);
	account_settle(b.account, NULL);
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "web", 0), 14000);
	assert_int_equal(account_bed_number(&b, "SELECT gone FROM vif"), EDGE + 5);
	assert_int_equal(account_bed_number(&b, "SELECT closed IS NOT NULL FROM epoch"), 1);
	account_bed_tear_down(&b);
}

static void a_vif_may_have_two_devices_and_both_count(void **state)
{
	struct account_bed b;
	int64_t vif;

	(void)state;
	account_bed_set_up(&b, EDGE);
	vif = account_bed_simple_vif(&b);
	account_device_here(b.account, vif, 11, "vif1.0-emu", DEVICE_OTHER, 0, 0);
	assert_int_equal(account_devices(b.account, vif), 2);
	account_begin(b.account, EDGE + 5);
	account_bed_read_at(&b, 10, 3);
	account_bed_read_at(&b, 11, 4);
	account_settle(b.account, NULL);
	account_device_gone(b.account, 11, NULL);
	account_bed_poll_at(&b, EDGE + 10, 10, 5);
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "web", 0), 9000);
	assert_int_equal(account_devices(b.account, vif), 1);
	account_bed_tear_down(&b);
}

static void an_ifindex_given_out_again_counts_from_0(void **state)
{
	struct account_bed b;
	int64_t vif;

	(void)state;
	account_bed_set_up(&b, EDGE);
	vif = account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 5, 10, 10);
	account_device_unbound(b.account, 10);
	account_device_gone(b.account, 10, NULL);
	account_device_here(b.account, vif, 10, "vif1.0", DEVICE_OTHER, 0, 0);
	account_bed_poll_at(&b, EDGE + 10, 10, 12);
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "web", 0), 22000);
	account_bed_tear_down(&b);
}

static void a_domid_given_out_again_is_another_domain(void **state)
{
	struct account_bed b;
	int64_t old, now;

	(void)state;
	account_bed_set_up(&b, EDGE);
	old = account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 5, 10, 10);
	now = account_bed_vif_of(&b, 1, 0, UUID_B, "db", NULL);
	assert_int_not_equal(now, old);
	account_device_here(b.account, now, 20, "vif1.0", DEVICE_OTHER, 0, 0);
	account_bed_poll_at(&b, EDGE + 10, 20, 4);
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "web", 0), 10000);
	assert_int_equal(account_bed_input_of(&b, "db", 0), 4000);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM vif WHERE gone IS NULL"), 1);
	account_bed_tear_down(&b);
}

static void a_domid_given_out_again_has_nothing_of_the_old_domains_other_vifs(void **state)
{
	struct account_bed b;
	int64_t second;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_bed_simple_vif(&b);
	second = account_bed_vif_of(&b, 1, 1, UUID_A, "web", NULL);
	account_device_here(b.account, second, 11, "vif1.1", DEVICE_OTHER, 0, 0);
	account_begin(b.account, EDGE + 5);
	account_bed_read_at(&b, 10, 10);
	account_bed_read_at(&b, 11, 20);
	account_settle(b.account, NULL);
	/* the new domain has one vif only; nobody has said yet that the old one's second is gone */
	account_device_here(b.account, account_bed_vif_of(&b, 1, 0, UUID_B, "db", NULL), 20, "vif1.0",
			    DEVICE_OTHER, 0, 0);
	account_bed_poll_at(&b, EDGE + 10, 20, 4);
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "web", 0), 30000);
	assert_int_equal(account_bed_input_of(&b, "db", 0), 4000);
	assert_int_equal(account_bed_number(&b, "SELECT bucket FROM bucket_uuid WHERE uuid = '" UUID_B "'"),
			 2);
	account_bed_tear_down(&b);
}

static void a_rename_moves_no_bytes(void **state)
{
	struct account_bed b;
	int64_t vif;

	(void)state;
	account_bed_set_up(&b, EDGE);
	vif = account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 5, 10, 10);
	account_bed_commit(&b);
	assert_int_equal(account_bed_vif_of(&b, 1, 0, UUID_A, "www", "10.0.0.1"), vif);
	account_bed_poll_at(&b, EDGE + 10, 10, 11);
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "www", 0), 11000);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM bucket"), 1);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM bucket_label"), 2);
	account_bed_tear_down(&b);
}

/* ---- a classifier ---- */

struct seen {
	struct account_portion portion;
	struct account_look look;
};

static void saw(void *ctx, int64_t vif, struct account_seen *out)
{
	const struct seen *s = ctx;

	assert_int_equal(vif, 1);
	out->portions = &s->portion;
	out->count = 1;
}

/* External bytes, seen under no address. */
static void sees(struct seen *s, uint64_t input, uint64_t output)
{
	*s = (struct seen){.look = {.seen = saw, .ctx = s}};
	s->portion.bytes.bytes[DIR_INPUT][CLASS_EXTERNAL] = input;
	s->portion.bytes.bytes[DIR_OUTPUT][CLASS_EXTERNAL] = output;
}

static void what_the_classifier_saw_is_booked_by_class_and_direction(void **state)
{
	struct seen s;
	struct account_bed b;

	(void)state;
	sees(&s, 6000, 100);
	account_bed_set_up(&b, EDGE);
	account_bed_simple_vif(&b);
	account_begin(b.account, EDGE + 5);
	account_bed_read_at(&b, 10, 10);
	account_settle(b.account, &s.look);
	account_bed_commit(&b);
	assert_int_equal(account_bed_number(&b, "SELECT external_input FROM take"), 6000);
	assert_int_equal(account_bed_number(&b, "SELECT local_input FROM take"), 4000);
	assert_int_equal(account_bed_number(&b, "SELECT external_output FROM take"), 100);
	assert_int_equal(account_bed_number(&b, "SELECT local_output FROM take"), 900);
	assert_int_equal(account_bed_number(&b, "SELECT unattributed_input + unattributed_output FROM take"),
			 0);
	account_bed_kill_it(&b);
	ledger_file_close(&b.reader);
	free(b.path);
	scratch_free(b.dir);
}

/* netback's delete event carries zeros: what the classifier saw is all there is. */
static void what_the_classifier_saw_of_a_life_that_was_never_read_is_estimated(void **state)
{
	struct seen s;
	struct counters zeros = {0};
	uint64_t moved[DIR_COUNT];
	struct account_bed b;

	(void)state;
	sees(&s, 6000, 100);
	account_bed_set_up(&b, EDGE);
	account_bed_simple_vif(&b);
	account_device_gone(b.account, 10, &zeros);
	account_begin(b.account, EDGE + 5);
	account_settle(b.account, &s.look);
	account_moved(b.account, 1, moved);
	assert_int_equal(moved[DIR_INPUT], 6000);
	account_bed_commit(&b);
	assert_int_equal(account_bed_number(&b, "SELECT external_input FROM take"), 6000);
	assert_int_equal(account_bed_number(&b, "SELECT estimated_input FROM take"), 6000);
	assert_int_equal(account_bed_number(&b, "SELECT estimated_output FROM take"), 100);
	account_bed_kill_it(&b);
	ledger_file_close(&b.reader);
	free(b.path);
	scratch_free(b.dir);
}

/* The classifier is always a moment ahead: what it saw of the new life must not be added now and read again
 * later. */
static void what_was_seen_early_of_a_life_that_began_anew_is_counted_once(void **state)
{
	struct seen s;
	struct account_bed b;

	(void)state;
	sees(&s, 10000, 1000);
	account_bed_set_up(&b, EDGE);
	account_bed_simple_vif(&b);
	account_begin(b.account, EDGE + 5);
	account_bed_read_at(&b, 10, 10);
	account_settle(b.account, &s.look);
	sees(&s, 5000, 500); /* of them 3 packets are in the counters already */
	account_begin(b.account, EDGE + 10);
	account_bed_read_at(&b, 10, 3);
	account_settle(b.account, &s.look);
	sees(&s, 0, 0);
	account_begin(b.account, EDGE + 15);
	account_bed_read_at(&b, 10, 5);
	account_settle(b.account, &s.look);
	account_bed_commit(&b);
	assert_int_equal(account_bed_number(&b, "SELECT sum(external_input) FROM take"), 15000);
	assert_int_equal(account_bed_number(&b, "SELECT sum(external_output) FROM take"), 1500);
	assert_int_equal(
		account_bed_number(
			&b, "SELECT sum(estimated_input + estimated_output + clipped_input) FROM take"),
		0);
	account_bed_kill_it(&b);
	ledger_file_close(&b.reader);
	free(b.path);
	scratch_free(b.dir);
}

/* ---- any life at all ---- */

#define GUESTS 4

static void whatever_happens_every_byte_is_charged_once_to_its_own_domain(void **state)
{
	static const char *const names[GUESTS] = {"g0", "g1", "g2", "g3"};
	static const char *const uuids[GUESTS] = {"uuid-0", "uuid-1", "uuid-2", "uuid-3"};
	struct random r = random_new();

	(void)state;
	for (int life = 0; life < 12; life++) {
		uint64_t count[GUESTS] = {0}, charged[GUESTS] = {0};
		unsigned ifindex[GUESTS] = {0}, domid[GUESTS] = {0}, next = 10;
		int64_t vif[GUESTS] = {0}, now = EDGE, clock = EDGE;
		bool away = false;
		struct account_bed b;

		account_bed_set_up(&b, EDGE);
		for (int step = 0; step < 300; step++) {
			unsigned g = (unsigned)random_below(&r, GUESTS);

			if (!ifindex[g]) { /* boots */
				ifindex[g] = next++;
				domid[g] =
					(1 + (unsigned)random_below(&r, 1000)) * GUESTS + g; /* 0 is dom0 */
				count[g] = 0;
				vif[g] = account_bed_vif_of(&b, domid[g], 0, uuids[g], names[g], NULL);
				account_device_here(b.account, vif[g], ifindex[g], "vif", DEVICE_OTHER, 0, 0);
			} else if (random_below(&r, 20) == 0) { /* ends, with its last bytes or without */
				struct counters final = account_bed_packets(count[g] += random_below(&r, 50));

				charged[g] += count[g];
				account_device_gone(b.account, ifindex[g], &final);
				account_vif_gone(b.account, vif[g]);
				ifindex[g] = 0;
			} else if (count[g] > 100 &&
				   random_below(&r, 10) == 0) { /* its counters begin anew */
				charged[g] += count[g];
				count[g] = 0;
			}
			now += (int64_t)random_below(&r, 40);
			clock = random_below(&r, 15) ? now : now - 1000 + (int64_t)random_below(&r, 2000);
			account_begin(b.account, clock);
			for (unsigned i = 0; i < GUESTS; i++) {
				if (!ifindex[i])
					continue;
				count[i] += random_below(&r, 100);
				account_bed_read_at(&b, ifindex[i], count[i]);
			}
			account_settle(b.account, NULL);
			if (random_below(&r, 20) == 0)
				away = !away;
			if (away)
				account_bed_refused(&b);
			else
				account_bed_commit(&b);
			if (!away && random_below(&r, 30) == 0) { /* restart of the daemon alone */
				account_bed_kill_it(&b);
				account_bed_start(&b, clock);
			}
		}
		account_bed_commit(&b);
		for (unsigned g = 0; g < GUESTS; g++)
			assert_int_equal(account_bed_input_of(&b, names[g], 0),
					 (charged[g] + (ifindex[g] ? count[g] : 0)) * 1000);
		account_bed_tear_down(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_that_appears_counts_from_0),
		cmocka_unit_test(a_reading_of_nobodys_device_is_nothing),
		cmocka_unit_test(an_idle_vif_makes_no_takes),
		cmocka_unit_test(what_was_counted_before_there_was_a_ledger_is_not_charged),
		cmocka_unit_test(a_base_line_outlives_the_daemon),
		cmocka_unit_test(a_base_line_goes_with_its_device),
		cmocka_unit_test(counters_that_went_back_count_from_0_again),
		cmocka_unit_test(a_device_that_turns_out_to_be_netbacks_counts_as_such),
		cmocka_unit_test(a_reconnected_vif_counts_from_0_even_above_its_old_counters),
		cmocka_unit_test(a_life_that_was_seen_once_only_is_counted_from_0),
		cmocka_unit_test(a_life_that_nothing_proves_is_not_counted_from_0),
		cmocka_unit_test(the_message_of_a_second_drop_is_not_the_end_of_the_life_before),
		cmocka_unit_test(a_device_that_is_unbound_and_comes_back_counts_only_what_came_after),
		cmocka_unit_test(a_device_that_moves_to_another_vif_takes_no_bytes_along),
		cmocka_unit_test(the_last_bytes_of_a_vif_that_is_gone_are_booked),
		cmocka_unit_test(a_vif_may_have_two_devices_and_both_count),
		cmocka_unit_test(an_ifindex_given_out_again_counts_from_0),
		cmocka_unit_test(a_domid_given_out_again_is_another_domain),
		cmocka_unit_test(a_domid_given_out_again_has_nothing_of_the_old_domains_other_vifs),
		cmocka_unit_test(a_rename_moves_no_bytes),
		cmocka_unit_test(what_the_classifier_saw_is_booked_by_class_and_direction),
		cmocka_unit_test(what_the_classifier_saw_of_a_life_that_was_never_read_is_estimated),
		cmocka_unit_test(what_was_seen_early_of_a_life_that_began_anew_is_counted_once),
		cmocka_unit_test(whatever_happens_every_byte_is_charged_once_to_its_own_domain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
