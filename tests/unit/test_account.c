/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The account of a host, on a real ledger: what comes, goes, is counted, and in which slot and bucket it
 * ends.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "account/account.h"
#include "base/mem.h"
#include "db/ledger_file.h"
#include "db/sql.h"
#include "tests/support/unit.h"

#define EDGE INT64_C(1700000100) /* a slot's edge */
#define LATE 60
#define UUID_A "aaaaaaaa-0000-4000-8000-00000000000a"
#define UUID_B "bbbbbbbb-0000-4000-8000-00000000000b"

struct bed {
	char *dir, *path;
	struct ledger *ledger;
	struct account *account;
	struct ledger_file reader;
	bool by_ip;
	struct owner_rules rules;
	const char *boot;
};

/* xenbwd begins (again), at this time. */
static void start(struct bed *b, int64_t now)
{
	struct account_settings settings = {
		.boot = b->boot, .late = LATE, .bucket_by_ip = b->by_ip, .rules = b->rules};
	struct ledger_state state;
	char *err = NULL;

	if (ledger_open(&b->ledger, b->path, b->boot, &err) < 0 || ledger_load(b->ledger, &state, &err) < 0)
		fail_msg("%s", err);
	b->account = account_new(&settings, &state, now);
	ledger_state_free(&state);
}

/* It is killed: what was not committed is gone. */
static void kill_it(struct bed *b)
{
	account_free(b->account);
	ledger_close(b->ledger);
	b->account = NULL;
	b->ledger = NULL;
}

static void set_up(struct bed *b, int64_t now)
{
	char *err = NULL;

	*b = (struct bed){.dir = scratch_new(), .boot = "boot-1", .reader = {.lock_fd = -1}};
	b->path = mem_printf("%s/ledger.db", b->dir);
	start(b, now);
	if (ledger_file_open_reader(&b->reader, b->path, &err) != 0)
		fail_msg("%s", err ? err : "no ledger");
}

static int64_t number(const struct bed *b, const char *query)
{
	char *err = NULL;
	int64_t n = 0;

	if (sql_number(b->reader.db, query, 0, &n, &err) < 0)
		fail_msg("%s", err);
	return n;
}

static void commit(struct bed *b)
{
	struct ledger_batch batch;
	char *err = NULL;

	account_batch(b->account, &batch);
	if (ledger_commit(b->ledger, &batch, &err) < 0)
		fail_msg("%s", err);
	account_batch_free(&batch);
	account_committed(b->account);
}

/* The ledger says no. */
static void refused(struct bed *b)
{
	struct ledger_batch batch;

	account_batch(b->account, &batch);
	account_batch_free(&batch);
}

/* What holds whatever happened; commits first. */
static void tear_down(struct bed *b)
{
	commit(b);
	/* without a classifier all is unattributed, and each vif's takes add up to its epochs */
	assert_int_equal(number(b,
				"SELECT count(*) FROM vif v WHERE"
				" (SELECT coalesce(sum(total_input), 0) FROM epoch WHERE vif = v.id) <>"
				" (SELECT coalesce(sum(unattributed_input), 0) FROM take WHERE vif = v.id) OR"
				" (SELECT coalesce(sum(total_output), 0) FROM epoch WHERE vif = v.id) <>"
				" (SELECT coalesce(sum(unattributed_output), 0) FROM take WHERE vif = v.id)"),
			 0);
	assert_int_equal(
		number(b, "SELECT count(*) FROM take a JOIN take b ON b.seq > a.seq AND b.slot < a.slot"), 0);
	assert_int_equal(number(b, "SELECT count(*) FROM take WHERE slot % 300 OR from_time > to_time"), 0);
	assert_int_equal(number(b, "SELECT count(*) FROM take WHERE slot > (SELECT value FROM meta"
				   " WHERE key = 'open_slot')"),
			 0);
	kill_it(b);
	ledger_file_close(&b->reader);
	free(b->path);
	scratch_free(b->dir);
}

static int64_t vif_of(struct bed *b, unsigned domid, unsigned devid, const char *uuid, const char *name,
		      const char *addresses)
{
	struct account_vif_facts f = {
		.domid = domid, .devid = devid, .uuid = uuid, .domain = name, .addresses = addresses};
	char *warning = NULL;
	int64_t id = account_vif_here(b->account, &f, &warning);

	free(warning);
	return id;
}

/* n packets in each direction, of 1,000 bytes to the guest and 100 from it, on a veth. */
static struct counters packets(uint64_t n)
{
	return (struct counters){.rx_bytes = n * 114, .rx_packets = n, .tx_bytes = n * 1014, .tx_packets = n};
}

static void read_at(struct bed *b, unsigned ifindex, uint64_t n)
{
	struct counters c = packets(n);

	(void)account_reading(b->account, ifindex, &c);
}

/* A poll with a reading of one device; true when a slot became complete. */
static bool poll_at(struct bed *b, int64_t now, unsigned ifindex, uint64_t n)
{
	account_begin(b->account, now);
	read_at(b, ifindex, n);
	return account_settle(b->account, NULL);
}

static int64_t take_count(const struct bed *b)
{
	return number(b, "SELECT count(*) FROM take");
}

/* Input of a bucket in a slot (0: in all of them). */
static int64_t input_of(const struct bed *b, const char *label, int64_t slot)
{
	char *query = mem_printf("SELECT sum(unattributed_input) FROM usage WHERE bucket ="
				 " (SELECT bucket FROM bucket_label WHERE label = '%s' AND until IS NULL)"
				 " AND (%lld = 0 OR slot = %lld)",
				 label, (long long)slot, (long long)slot);
	int64_t n = number(b, query);

	free(query);
	return n;
}

/* A vif with a device that is bound, both as new at the account's present time. */
static int64_t simple_vif(struct bed *b)
{
	int64_t vif = vif_of(b, 1, 0, UUID_A, "web", "10.0.0.1");

	account_device_here(b->account, vif, 10, "vif1.0", DEVICE_OTHER, 0, 0);
	return vif;
}

/* ---- what is counted ---- */

static void a_device_that_appears_counts_from_0(void **state)
{
	uint64_t moved[DIR_COUNT];
	struct bed b;
	int64_t vif;

	(void)state;
	set_up(&b, EDGE);
	vif = simple_vif(&b);
	assert_false(poll_at(&b, EDGE + 5, 10, 7));
	account_moved(b.account, vif, moved);
	assert_int_equal(moved[DIR_INPUT], 7000);
	assert_int_equal(moved[DIR_OUTPUT], 700);
	assert_int_equal(account_devices(b.account, vif), 1);
	assert_int_equal(account_vif_of(b.account, 10), vif);
	assert_int_equal(account_vif_of(b.account, 11), 0);
	commit(&b);
	assert_int_equal(number(&b, "SELECT unattributed_input FROM take"), 7000);
	assert_int_equal(number(&b, "SELECT unattributed_output FROM take"), 700);
	assert_int_equal(number(&b, "SELECT slot FROM take"), EDGE);
	assert_int_equal(number(&b, "SELECT from_time FROM take"), EDGE);
	assert_int_equal(number(&b, "SELECT to_time FROM take"), EDGE + 5);
	assert_int_equal(number(&b, "SELECT last_tx_bytes FROM epoch"), 7 * 1014);
	tear_down(&b);
}

static void a_reading_of_nobodys_device_is_nothing(void **state)
{
	struct bed b;

	(void)state;
	set_up(&b, EDGE);
	poll_at(&b, EDGE + 5, 99, 1000);
	commit(&b);
	assert_int_equal(take_count(&b), 0);
	tear_down(&b);
}

static void an_idle_vif_makes_no_takes(void **state)
{
	struct bed b;

	(void)state;
	set_up(&b, EDGE);
	simple_vif(&b);
	poll_at(&b, EDGE + 5, 10, 3);
	commit(&b);
	for (int64_t t = EDGE + 10; t < EDGE + 1000; t += 5)
		poll_at(&b, t, 10, 3);
	commit(&b);
	assert_int_equal(take_count(&b), 1);
	/* its next bytes came after the last idle poll */
	poll_at(&b, EDGE + 1000, 10, 4);
	commit(&b);
	assert_int_equal(number(&b, "SELECT from_time FROM take WHERE seq = 2"), EDGE + 995);
	tear_down(&b);
}

static void what_was_counted_before_there_was_a_ledger_is_not_charged(void **state)
{
	struct counters before = packets(1000);
	struct ledger_batch batch;
	struct bed b;

	(void)state;
	set_up(&b, EDGE);
	account_baseline(b.account, 10, &before);
	simple_vif(&b);
	poll_at(&b, EDGE + 5, 10, 1000);
	poll_at(&b, EDGE + 10, 10, 1003);
	commit(&b);
	assert_int_equal(number(&b, "SELECT sum(unattributed_input) FROM take"), 3000);
	assert_int_equal(number(&b, "SELECT count(*) FROM baseline"), 1);
	account_batch(b.account, &batch);
	assert_int_equal(batch.baseline_count, 0);
	account_batch_free(&batch);
	tear_down(&b);
}

/* A vif that is bound only after a restart: the base line of this boot still counts. */
static void a_base_line_outlives_the_daemon(void **state)
{
	struct counters before = packets(1000);
	struct bed b;

	(void)state;
	set_up(&b, EDGE);
	account_baseline(b.account, 10, &before);
	commit(&b);
	kill_it(&b);
	start(&b, EDGE + 20);
	simple_vif(&b);
	poll_at(&b, EDGE + 25, 10, 1002);
	commit(&b);
	assert_int_equal(number(&b, "SELECT sum(unattributed_input) FROM take"), 2000);
	tear_down(&b);
}

/* The number may be given out again in the same boot: the base line goes with its device. */
static void a_base_line_goes_with_its_device(void **state)
{
	struct counters before = packets(1000);
	struct bed b;

	(void)state;
	set_up(&b, EDGE);
	account_baseline(b.account, 10, &before);
	simple_vif(&b);
	poll_at(&b, EDGE + 5, 10, 1003);
	account_device_gone(b.account, 10, NULL);
	commit(&b);
	assert_int_equal(number(&b, "SELECT count(*) FROM baseline"), 0);
	kill_it(&b);
	start(&b, EDGE + 20);
	simple_vif(&b);
	poll_at(&b, EDGE + 25, 10, 2000);
	commit(&b);
	assert_int_equal(number(&b, "SELECT sum(unattributed_input) FROM take"), 2003000);
	tear_down(&b);
}

static void counters_that_went_back_count_from_0_again(void **state)
{
	struct counters c = packets(2);
	struct bed b;

	(void)state;
	set_up(&b, EDGE);
	simple_vif(&b);
	poll_at(&b, EDGE + 5, 10, 10);
	account_begin(b.account, EDGE + 10);
	assert_true(account_reading(b.account, 10, &c));
	account_restarted(b.account, 10, 4);
	account_settle(b.account, NULL);
	commit(&b);
	assert_int_equal(number(&b, "SELECT sum(unattributed_input) FROM take"), 12000);
	assert_int_equal(number(&b, "SELECT count(*) FROM epoch"), 2);
	assert_int_equal(number(&b, "SELECT closed FROM epoch WHERE id = 1"), EDGE + 10);
	assert_int_equal(number(&b, "SELECT carrier_down FROM epoch WHERE id = 2"), 4);
	assert_int_equal(number(&b, "SELECT closed IS NULL FROM epoch WHERE id = 2"), 1);
	/* the carrier count that was told is no news at the next reading */
	account_begin(b.account, EDGE + 15);
	c = packets(3);
	account_evidence(b.account, 10, &(struct epoch_evidence){.carrier_down = 4, .carrier = true});
	assert_false(account_reading(b.account, 10, &c));
	account_settle(b.account, NULL);
	commit(&b);
	assert_int_equal(number(&b, "SELECT doubtful FROM epoch WHERE id = 2"), 0);
	assert_int_equal(number(&b, "SELECT sum(unattributed_input) FROM take"), 13000);
	tear_down(&b);
}

static void a_reconnected_vif_counts_from_0_even_above_its_old_counters(void **state)
{
	struct epoch_evidence both = {.carrier_down = 1, .carrier = true, .left_connected = 1};
	struct counters c = packets(20);
	struct bed b;

	(void)state;
	set_up(&b, EDGE);
	simple_vif(&b);
	poll_at(&b, EDGE + 5, 10, 10);
	account_begin(b.account, EDGE + 10);
	account_evidence(b.account, 10, &both);
	account_reading(b.account, 10, &c);
	account_settle(b.account, NULL);
	account_begin(b.account, EDGE + 15);
	c = packets(25);
	account_reading(b.account, 10, &c); /* the same evidence again is no second reconnect */
	account_settle(b.account, NULL);
	commit(&b);
	assert_int_equal(number(&b, "SELECT sum(unattributed_input) FROM take"), 35000);
	assert_int_equal(number(&b, "SELECT count(*) FROM epoch"), 2);
	tear_down(&b);
}

/* Since the last reading the guest reconnected at the first drop and then stalled: the message of the second
 * one has the new life's counters, which are not the old life's last bytes too. */
static void the_message_of_a_second_drop_is_not_the_end_of_the_life_before(void **state)
{
	struct epoch_evidence both = {.carrier_down = 2, .carrier = true, .left_connected = 1};
	struct counters last = packets(12), second = packets(15), c = packets(20);
	struct bed b;

	(void)state;
	set_up(&b, EDGE);
	simple_vif(&b);
	poll_at(&b, EDGE + 5, 10, 10);
	account_carrier_off(b.account, 10, 1, &last);
	account_carrier_off(b.account, 10, 2, &second);
	account_begin(b.account, EDGE + 10);
	account_evidence(b.account, 10, &both);
	account_reading(b.account, 10, &c);
	account_settle(b.account, NULL);
	commit(&b);
	assert_int_equal(number(&b, "SELECT sum(unattributed_input) FROM take"), 32000);
	tear_down(&b);
}

/* ---- what comes and goes ---- */

static void a_device_that_is_unbound_and_comes_back_counts_only_what_came_after(void **state)
{
	struct bed b;
	int64_t vif;

	(void)state;
	set_up(&b, EDGE);
	vif = simple_vif(&b);
	poll_at(&b, EDGE + 5, 10, 10);
	account_device_unbound(b.account, 10);
	assert_int_equal(account_devices(b.account, vif), 0);
	poll_at(&b, EDGE + 10, 10, 12); /* nobody's now */
	commit(&b);
	assert_int_equal(input_of(&b, "web", 0), 10000);
	account_device_here(b.account, vif, 10, "vif1.0", DEVICE_OTHER, 0, 0);
	poll_at(&b, EDGE + 15, 10, 15);
	commit(&b);
	assert_int_equal(input_of(&b, "web", 0), 15000);
	tear_down(&b);
}

static void a_device_that_moves_to_another_vif_takes_no_bytes_along(void **state)
{
	struct bed b;
	int64_t other;

	(void)state;
	set_up(&b, EDGE);
	simple_vif(&b);
	other = vif_of(&b, 2, 0, UUID_B, "db", NULL);
	poll_at(&b, EDGE + 5, 10, 10);
	account_device_here(b.account, other, 10, "vif2.0", DEVICE_OTHER, 0, 0);
	assert_int_equal(account_vif_of(b.account, 10), other);
	poll_at(&b, EDGE + 10, 10, 13);
	commit(&b);
	assert_int_equal(input_of(&b, "web", 0), 10000);
	assert_int_equal(input_of(&b, "db", 0), 3000);
	tear_down(&b);
}

static void the_last_bytes_of_a_vif_that_is_gone_are_booked(void **state)
{
	struct counters final = packets(14);
	struct bed b;
	int64_t vif;

	(void)state;
	set_up(&b, EDGE);
	vif = simple_vif(&b);
	poll_at(&b, EDGE + 5, 10, 10);
	commit(&b);
	account_device_gone(b.account, 10, &final);
	account_vif_gone(b.account, vif);
	account_vif_gone(b.account, vif); /* twice is once */
	assert_null(account_next_vif(b.account, NULL));
	assert_null(account_next_epoch(b.account, NULL));
	account_begin(b.account, EDGE + 10);
	account_settle(b.account, NULL);
	commit(&b);
	assert_int_equal(input_of(&b, "web", 0), 14000);
	assert_int_equal(number(&b, "SELECT gone FROM vif"), EDGE + 5);
	assert_int_equal(number(&b, "SELECT closed IS NOT NULL FROM epoch"), 1);
	tear_down(&b);
}

static void a_vif_may_have_two_devices_and_both_count(void **state)
{
	struct bed b;
	int64_t vif;

	(void)state;
	set_up(&b, EDGE);
	vif = simple_vif(&b);
	account_device_here(b.account, vif, 11, "vif1.0-emu", DEVICE_OTHER, 0, 0);
	assert_int_equal(account_devices(b.account, vif), 2);
	account_begin(b.account, EDGE + 5);
	read_at(&b, 10, 3);
	read_at(&b, 11, 4);
	account_settle(b.account, NULL);
	account_device_gone(b.account, 11, NULL);
	poll_at(&b, EDGE + 10, 10, 5);
	commit(&b);
	assert_int_equal(input_of(&b, "web", 0), 9000);
	assert_int_equal(account_devices(b.account, vif), 1);
	tear_down(&b);
}

static void an_ifindex_given_out_again_counts_from_0(void **state)
{
	struct bed b;
	int64_t vif;

	(void)state;
	set_up(&b, EDGE);
	vif = simple_vif(&b);
	poll_at(&b, EDGE + 5, 10, 10);
	account_device_unbound(b.account, 10);
	account_device_gone(b.account, 10, NULL);
	account_device_here(b.account, vif, 10, "vif1.0", DEVICE_OTHER, 0, 0);
	poll_at(&b, EDGE + 10, 10, 12);
	commit(&b);
	assert_int_equal(input_of(&b, "web", 0), 22000);
	tear_down(&b);
}

static void a_domid_given_out_again_is_another_domain(void **state)
{
	struct bed b;
	int64_t old, now;

	(void)state;
	set_up(&b, EDGE);
	old = simple_vif(&b);
	poll_at(&b, EDGE + 5, 10, 10);
	now = vif_of(&b, 1, 0, UUID_B, "db", NULL);
	assert_int_not_equal(now, old);
	account_device_here(b.account, now, 20, "vif1.0", DEVICE_OTHER, 0, 0);
	poll_at(&b, EDGE + 10, 20, 4);
	commit(&b);
	assert_int_equal(input_of(&b, "web", 0), 10000);
	assert_int_equal(input_of(&b, "db", 0), 4000);
	assert_int_equal(number(&b, "SELECT count(*) FROM vif WHERE gone IS NULL"), 1);
	tear_down(&b);
}

static void a_domid_given_out_again_has_nothing_of_the_old_domains_other_vifs(void **state)
{
	struct bed b;
	int64_t second;

	(void)state;
	set_up(&b, EDGE);
	simple_vif(&b);
	second = vif_of(&b, 1, 1, UUID_A, "web", NULL);
	account_device_here(b.account, second, 11, "vif1.1", DEVICE_OTHER, 0, 0);
	account_begin(b.account, EDGE + 5);
	read_at(&b, 10, 10);
	read_at(&b, 11, 20);
	account_settle(b.account, NULL);
	/* the new domain has one vif only; nobody has said yet that the old one's second is gone */
	account_device_here(b.account, vif_of(&b, 1, 0, UUID_B, "db", NULL), 20, "vif1.0", DEVICE_OTHER, 0,
			    0);
	poll_at(&b, EDGE + 10, 20, 4);
	commit(&b);
	assert_int_equal(input_of(&b, "web", 0), 30000);
	assert_int_equal(input_of(&b, "db", 0), 4000);
	assert_int_equal(number(&b, "SELECT bucket FROM bucket_uuid WHERE uuid = '" UUID_B "'"), 2);
	tear_down(&b);
}

static void a_rename_moves_no_bytes(void **state)
{
	struct bed b;
	int64_t vif;

	(void)state;
	set_up(&b, EDGE);
	vif = simple_vif(&b);
	poll_at(&b, EDGE + 5, 10, 10);
	commit(&b);
	assert_int_equal(vif_of(&b, 1, 0, UUID_A, "www", "10.0.0.1"), vif);
	poll_at(&b, EDGE + 10, 10, 11);
	commit(&b);
	assert_int_equal(input_of(&b, "www", 0), 11000);
	assert_int_equal(number(&b, "SELECT count(*) FROM bucket"), 1);
	assert_int_equal(number(&b, "SELECT count(*) FROM bucket_label"), 2);
	tear_down(&b);
}

/* ---- slots ---- */

static void each_slot_has_its_own_take(void **state)
{
	struct bed b;

	(void)state;
	set_up(&b, EDGE);
	simple_vif(&b);
	for (int i = 1; i <= 180; i++) /* three slots; commits only at their edges */
		if (poll_at(&b, EDGE + i * 5, 10, (uint64_t)i))
			commit(&b);
	assert_int_equal(take_count(&b), 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(input_of(&b, "web", EDGE + i * 300), 60000);
	assert_int_equal(number(&b, "SELECT count(*) FROM take a JOIN take b ON b.seq = a.seq + 1"
				    " WHERE b.from_time <> a.to_time"),
			 0);
	tear_down(&b);
}

static void a_poll_at_the_edge_completes_the_slot(void **state)
{
	struct bed b;

	(void)state;
	set_up(&b, EDGE);
	simple_vif(&b);
	assert_false(poll_at(&b, EDGE + 299, 10, 1));
	assert_int_equal(account_open_slot(b.account), EDGE);
	assert_true(poll_at(&b, EDGE + 300, 10, 2));
	assert_int_equal(account_open_slot(b.account), EDGE + 300);
	assert_false(poll_at(&b, EDGE + 301, 10, 3));
	commit(&b);
	assert_int_equal(input_of(&b, "web", EDGE), 2000);
	assert_int_equal(input_of(&b, "web", EDGE + 300), 1000);
	assert_int_equal(number(&b, "SELECT value FROM meta WHERE key = 'open_slot'"), EDGE + 300);
	tear_down(&b);
}

static void a_poll_a_little_late_still_belongs_to_the_slot(void **state)
{
	struct bed b;

	(void)state;
	set_up(&b, EDGE);
	simple_vif(&b);
	poll_at(&b, EDGE + 290, 10, 1);
	assert_true(poll_at(&b, EDGE + 300 + LATE, 10, 2));
	commit(&b);
	assert_int_equal(input_of(&b, "web", EDGE), 2000);
	assert_int_equal(input_of(&b, "web", EDGE + 300), 0);
	tear_down(&b);
}

static void a_poll_too_late_leaves_the_slot_with_what_it_has(void **state)
{
	struct bed b;

	(void)state;
	set_up(&b, EDGE);
	simple_vif(&b);
	poll_at(&b, EDGE + 290, 10, 1);
	poll_at(&b, EDGE + 301 + LATE, 10, 2);
	assert_int_equal(account_open_slot(b.account), EDGE + 300);
	poll_at(&b, EDGE + 365 + 3600, 10, 3); /* and a suspended host */
	commit(&b);
	assert_int_equal(input_of(&b, "web", EDGE), 1000);
	assert_int_equal(input_of(&b, "web", EDGE + 300), 1000);
	assert_int_equal(input_of(&b, "web", EDGE + 3900), 1000);
	tear_down(&b);
}

static void a_ledger_that_is_away_for_many_slots_loses_nothing(void **state)
{
	struct bed b;
	int64_t t = EDGE;

	(void)state;
	set_up(&b, EDGE);
	simple_vif(&b);
	poll_at(&b, t += 5, 10, 1);
	commit(&b);
	for (uint64_t i = 2; i <= 600; i++) {
		bool complete = poll_at(&b, t += 5, 10, i);

		if (complete || i % 6 == 0)
			refused(&b);
	}
	commit(&b);
	assert_int_equal(input_of(&b, "web", 0), 600000);
	/* a take for each slot at most, but the one that was committed before */
	assert_int_equal(take_count(&b), 1 + 11 - 1);
	for (int i = 0; i < 10; i++)
		assert_int_equal(input_of(&b, "web", EDGE + i * 300), 60000);
	assert_int_equal(number(&b, "SELECT max(seq) - min(seq) + 1 - count(*) FROM take"), 0);
	assert_int_equal(number(&b, "SELECT max(seq) FROM take"), account_last_seq(b.account));
	tear_down(&b);
}

static void a_vif_that_goes_while_the_ledger_is_away_is_not_forgotten(void **state)
{
	struct counters final = packets(9);
	struct bed b;
	int64_t vif;

	(void)state;
	set_up(&b, EDGE);
	vif = simple_vif(&b);
	poll_at(&b, EDGE + 5, 10, 5);
	refused(&b);
	account_device_gone(b.account, 10, &final);
	account_vif_gone(b.account, vif);
	refused(&b);
	account_begin(b.account, EDGE + 10);
	account_settle(b.account, NULL);
	refused(&b);
	for (int64_t t = EDGE + 15; t < EDGE + 700; t += 5) {
		account_begin(b.account, t);
		account_settle(b.account, NULL);
		refused(&b);
	}
	commit(&b);
	assert_int_equal(input_of(&b, "web", EDGE), 9000);
	assert_int_equal(number(&b, "SELECT count(*) FROM vif WHERE gone IS NOT NULL"), 1);
	assert_int_equal(number(&b, "SELECT count(*) FROM epoch WHERE closed IS NOT NULL"), 1);
	tear_down(&b);
}

static void a_clock_that_goes_back_keeps_the_slot_open(void **state)
{
	struct bed b;

	(void)state;
	set_up(&b, EDGE);
	simple_vif(&b);
	poll_at(&b, EDGE + 310, 10, 1); /* completes the first slot */
	for (int i = 0; i < 100; i++)
		assert_false(poll_at(&b, EDGE - 3600 + i * 5, 10, 2 + (uint64_t)i));
	assert_int_equal(account_open_slot(b.account), EDGE + 300);
	commit(&b);
	assert_int_equal(input_of(&b, "web", EDGE + 300), 100000);
	assert_int_equal(number(&b, "SELECT count(*) FROM event WHERE kind = 'clock'"), 1);
	assert_int_equal(number(&b, "SELECT count(*) FROM take WHERE slot < "
				    "1700000100"),
			 0);
	assert_true(poll_at(&b, EDGE + 605, 10, 102)); /* it has caught up */
	poll_at(&b, EDGE + 300, 10, 103);              /* and once more */
	commit(&b);
	assert_int_equal(number(&b, "SELECT count(*) FROM event WHERE kind = 'clock'"), 2);
	tear_down(&b);
}

static void a_clock_that_jumps_forth_and_back_never_turns_slots_round(void **state)
{
	struct bed b;

	(void)state;
	set_up(&b, EDGE);
	simple_vif(&b);
	poll_at(&b, EDGE + 5, 10, 1);
	poll_at(&b, EDGE + 86400, 10, 2);
	poll_at(&b, EDGE + 10, 10, 3);
	commit(&b);
	poll_at(&b, EDGE + 15, 10, 4);
	commit(&b);
	assert_int_equal(input_of(&b, "web", 0), 4000);
	assert_int_equal(input_of(&b, "web", EDGE), 1000);
	assert_int_equal(input_of(&b, "web", EDGE + 86400), 3000);
	kill_it(&b);
	start(&b, EDGE + 20); /* not at a restart either */
	assert_int_equal(account_open_slot(b.account), EDGE + 86400);
	poll_at(&b, EDGE + 25, 10, 5);
	commit(&b);
	assert_int_equal(input_of(&b, "web", EDGE + 86400), 4000);
	tear_down(&b);
}

/* ---- restarts ---- */

static void bytes_that_flowed_while_the_daemon_was_down_are_one_take(void **state)
{
	struct bed b;

	(void)state;
	set_up(&b, EDGE);
	simple_vif(&b);
	poll_at(&b, EDGE + 5, 10, 1);
	commit(&b);
	poll_at(&b, EDGE + 10, 10, 2); /* dies with the daemon */
	kill_it(&b);
	start(&b, EDGE + 1000);
	assert_int_equal(account_vif_of(b.account, 10), 1);
	assert_int_equal(vif_of(&b, 1, 0, UUID_A, "web", "10.0.0.1"), 1);
	account_device_here(b.account, 1, 10, "vif1.0", DEVICE_OTHER, 0, 0);
	poll_at(&b, EDGE + 1001, 10, 50);
	commit(&b);
	assert_int_equal(input_of(&b, "web", 0), 50000);
	assert_int_equal(take_count(&b), 2);
	assert_int_equal(number(&b, "SELECT from_time FROM take WHERE seq = 2"), EDGE + 5);
	assert_int_equal(number(&b, "SELECT to_time FROM take WHERE seq = 2"), EDGE + 1001);
	assert_int_equal(number(&b, "SELECT count(*) FROM epoch"), 1);
	tear_down(&b);
}

/* Its first reading is all zeros: even so the ledger must know that this life has begun. */
static void a_new_life_that_has_not_moved_yet_outlives_the_daemon(void **state)
{
	struct counters before = packets(5);
	struct bed b;

	(void)state;
	set_up(&b, EDGE);
	account_baseline(b.account, 10, &before);
	simple_vif(&b);
	poll_at(&b, EDGE + 5, 10, 10);
	poll_at(&b, EDGE + 10, 10, 0);
	commit(&b);
	assert_int_equal(number(&b, "SELECT count(*) FROM epoch WHERE closed IS NULL"), 1);
	kill_it(&b);
	start(&b, EDGE + 20);
	account_device_here(b.account, 1, 10, "vif1.0", DEVICE_OTHER, 0, 0);
	poll_at(&b, EDGE + 25, 10, 7); /* above the base line of old */
	commit(&b);
	assert_int_equal(input_of(&b, "web", 0), 5000 + 7000);
	tear_down(&b);
}

static void another_boot_closes_all_and_numbers_mean_nothing_any_more(void **state)
{
	struct bed b;

	(void)state;
	set_up(&b, EDGE);
	simple_vif(&b);
	poll_at(&b, EDGE + 5, 10, 40);
	commit(&b);
	kill_it(&b);
	b.boot = "boot-2";
	start(&b, EDGE + 1000);
	assert_null(account_next_vif(b.account, NULL));
	assert_int_equal(account_vif_of(b.account, 10), 0);
	assert_int_equal(vif_of(&b, 1, 0, UUID_B, "db", NULL), 2);
	account_device_here(b.account, 2, 10, "vif1.0", DEVICE_OTHER, 0, 0);
	poll_at(&b, EDGE + 1005, 10, 50); /* above the old counters */
	commit(&b);
	assert_int_equal(input_of(&b, "web", 0), 40000);
	assert_int_equal(input_of(&b, "db", 0), 50000);
	assert_int_equal(number(&b, "SELECT gone FROM vif WHERE id = 1"), EDGE + 5);
	assert_int_equal(number(&b, "SELECT closed FROM epoch WHERE id = 1"), EDGE + 5);
	tear_down(&b);
}

/* ---- buckets by address ---- */

static void with_ip_buckets_the_sole_address_is_charged(void **state)
{
	struct bed b;

	(void)state;
	set_up(&b, EDGE);
	b.by_ip = true;
	kill_it(&b);
	start(&b, EDGE);
	simple_vif(&b);
	poll_at(&b, EDGE + 5, 10, 3);
	account_device_here(b.account, vif_of(&b, 2, 0, UUID_B, "two", "10.0.0.2 10.0.0.3"), 20, "vif2.0",
			    DEVICE_OTHER, 0, 0);
	account_device_here(b.account, vif_of(&b, 3, 0, NULL, "none", NULL), 30, "vif3.0", DEVICE_OTHER, 0,
			    0);
	account_begin(b.account, EDGE + 10);
	read_at(&b, 10, 3);
	read_at(&b, 20, 5);
	read_at(&b, 30, 7);
	account_settle(b.account, NULL);
	commit(&b);
	assert_int_equal(input_of(&b, "10.0.0.1", 0), 3000);
	assert_int_equal(input_of(&b, "10.0.0.2", 0), 5000); /* the first: nobody said which */
	assert_int_equal(input_of(&b, "none", 0), 7000);     /* none is known: the domain */
	assert_int_equal(number(&b, "SELECT count(*) FROM take WHERE address = '10.0.0.1'"), 1);
	assert_int_equal(number(&b, "SELECT count(*) FROM take WHERE address = ''"), 2);
	tear_down(&b);
}

static void an_address_change_splits_the_takes_and_with_ip_buckets_the_bucket(void **state)
{
	(void)state;
	for (int by_ip = 0; by_ip < 2; by_ip++) {
		struct bed b;
		int64_t vif;

		set_up(&b, EDGE);
		b.by_ip = by_ip;
		kill_it(&b);
		start(&b, EDGE);
		vif = simple_vif(&b);
		poll_at(&b, EDGE + 5, 10, 3);
		assert_int_equal(vif_of(&b, 1, 0, UUID_A, "web", "10.0.0.9"), vif);
		poll_at(&b, EDGE + 10, 10, 8);
		commit(&b);
		assert_int_equal(number(&b, "SELECT unattributed_input FROM take WHERE address = '10.0.0.1'"),
				 3000);
		assert_int_equal(number(&b, "SELECT unattributed_input FROM take WHERE address = '10.0.0.9'"),
				 5000);
		if (by_ip) {
			assert_int_equal(input_of(&b, "10.0.0.1", 0), 3000);
			assert_int_equal(input_of(&b, "10.0.0.9", 0), 5000);
		} else {
			assert_int_equal(input_of(&b, "web", 0), 8000);
		}
		tear_down(&b);
	}
}

/* The admin turns from one kind of bucket to the other: what was booked stays, all that comes goes over. */
static void another_kind_of_bucket_begins_with_a_restart(void **state)
{
	static const bool kinds[] = {false, true, false, true};
	struct bed b;
	uint64_t n = 0;

	(void)state;
	set_up(&b, EDGE);
	simple_vif(&b);
	poll_at(&b, EDGE + 5, 10, n);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		commit(&b);
		kill_it(&b);
		b.by_ip = kinds[i];
		start(&b, EDGE + 10 * (int64_t)i + 10);
		vif_of(&b, 1, 0, UUID_A, "web", "10.0.0.1");
		n += (uint64_t)1 << i;
		poll_at(&b, EDGE + 10 * (int64_t)i + 15, 10, n);
	}
	commit(&b);
	assert_int_equal(input_of(&b, "web", 0), (1 + 4) * 1000);
	assert_int_equal(input_of(&b, "10.0.0.1", 0), (2 + 8) * 1000);
	assert_int_equal(number(&b, "SELECT count(*) FROM bucket"), 2);
	assert_int_equal(number(&b, "SELECT count(*) FROM epoch"), 1);
	tear_down(&b);
}

/* Begun with addresses: the domain is not mistaken for its address afterwards, known or not. */
static void a_domain_gets_a_bucket_of_its_own_after_ip_buckets(void **state)
{
	struct bed b;

	(void)state;
	set_up(&b, EDGE);
	b.by_ip = true;
	kill_it(&b);
	start(&b, EDGE);
	simple_vif(&b);
	poll_at(&b, EDGE + 5, 10, 3);
	commit(&b);
	kill_it(&b);
	b.by_ip = false;
	start(&b, EDGE + 10);
	vif_of(&b, 1, 0, UUID_A, "web", "10.0.0.1");
	poll_at(&b, EDGE + 15, 10, 8);
	commit(&b);
	assert_int_equal(input_of(&b, "10.0.0.1", 0), 3000);
	assert_int_equal(input_of(&b, "web", 0), 5000);
	tear_down(&b);
}

static void a_guess_is_told_once_for_each_address(void **state)
{
	struct account_vif_facts f = {
		.domid = 1, .uuid = UUID_A, .domain = "web", .addresses = "10.0.0.1 10.0.0.2"};
	char *warning = NULL;
	struct bed b;

	(void)state;
	set_up(&b, EDGE);
	b.by_ip = true;
	kill_it(&b);
	start(&b, EDGE);
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
	tear_down(&b);
}

static struct account_vif_facts dom0(void)
{
	return (struct account_vif_facts){.devid = 30,
					  .uuid = BUCKET_DOM0_UUID,
					  .domain = BUCKET_DOM0_NAME,
					  .bridge = "xenbr0",
					  .netdev = "xenbr0"};
}

/* packets() on a bridge: 114 bytes each without a header in, 1,000 out. Across a restart too. */
static void dom0_is_charged_for_its_bridge(void **state)
{
	struct account_vif_facts f = dom0();
	char *warning = NULL;
	struct bed b;

	(void)state;
	for (int by_ip = 0; by_ip < 2; by_ip++) {
		set_up(&b, EDGE);
		b.by_ip = by_ip;
		kill_it(&b);
		start(&b, EDGE);
		simple_vif(&b);
		account_device_here(b.account, account_vif_here(b.account, &f, &warning), 30, "xenbr0",
				    DEVICE_BRIDGE, 0, 0);
		assert_null(warning);
		poll_at(&b, EDGE + 5, 30, 3);
		commit(&b);
		kill_it(&b);
		start(&b, EDGE + 10);
		account_vif_here(b.account, &f, &warning);
		poll_at(&b, EDGE + 15, 30, 7);
		poll_at(&b, EDGE + 20, 30, 2); /* the counters went back */
		commit(&b);
		assert_int_equal(input_of(&b, "Domain-0", 0), 9 * 114);
		assert_int_equal(number(&b,
					"SELECT sum(unattributed_output) FROM take JOIN vif ON vif.id = vif"
					" WHERE domid = 0"),
				 9 * 1000);
		tear_down(&b);
	}
}

static void an_address_of_dom0_is_no_guests_by_its_name(void **state)
{
	struct account_vif_facts f = dom0();
	char owner[] = "Domain-0";
	struct conf_address line = {.owner = owner};
	struct conf_addresses lines = {&line, 1};
	char *warning = NULL;
	struct bed b;

	(void)state;
	assert_true(network_address("10.0.0.9", &line.network));
	set_up(&b, EDGE);
	b.by_ip = true;
	b.rules.lines = &lines;
	kill_it(&b);
	start(&b, EDGE);
	account_device_here(b.account, vif_of(&b, 1, 0, UUID_A, "Domain-0", NULL), 10, "vif1.0", DEVICE_OTHER,
			    0, 0);
	account_device_here(b.account, account_vif_here(b.account, &f, &warning), 30, "xenbr0", DEVICE_BRIDGE,
			    0, 0);
	assert_null(warning);
	account_begin(b.account, EDGE + 5);
	read_at(&b, 10, 1);
	read_at(&b, 30, 2);
	account_settle(b.account, NULL);
	commit(&b);
	assert_int_equal(input_of(&b, "Domain-0~2", 0), 1000);
	assert_int_equal(input_of(&b, "10.0.0.9", 0), 2 * 114);
	tear_down(&b);
}

/* What was settled while the address was (not) known stays so. */
static void an_address_that_appears_or_goes_splits_the_takes_too(void **state)
{
	struct bed b;

	(void)state;
	set_up(&b, EDGE);
	account_device_here(b.account, vif_of(&b, 1, 0, UUID_A, "web", NULL), 10, "vif1.0", DEVICE_OTHER, 0,
			    0);
	poll_at(&b, EDGE + 5, 10, 1);
	vif_of(&b, 1, 0, UUID_A, "web", "10.0.0.1");
	poll_at(&b, EDGE + 10, 10, 3);
	vif_of(&b, 1, 0, UUID_A, "web", NULL);
	poll_at(&b, EDGE + 15, 10, 7);
	commit(&b);
	assert_int_equal(number(&b, "SELECT sum(unattributed_input) FROM take WHERE address = '10.0.0.1'"),
			 2000);
	assert_int_equal(number(&b, "SELECT sum(unattributed_input) FROM take WHERE address = ''"), 5000);
	tear_down(&b);
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
	struct bed b;

	(void)state;
	sees(&s, 6000, 100);
	set_up(&b, EDGE);
	simple_vif(&b);
	account_begin(b.account, EDGE + 5);
	read_at(&b, 10, 10);
	account_settle(b.account, &s.look);
	commit(&b);
	assert_int_equal(number(&b, "SELECT external_input FROM take"), 6000);
	assert_int_equal(number(&b, "SELECT local_input FROM take"), 4000);
	assert_int_equal(number(&b, "SELECT external_output FROM take"), 100);
	assert_int_equal(number(&b, "SELECT local_output FROM take"), 900);
	assert_int_equal(number(&b, "SELECT unattributed_input + unattributed_output FROM take"), 0);
	kill_it(&b);
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
	struct bed b;

	(void)state;
	sees(&s, 6000, 100);
	set_up(&b, EDGE);
	simple_vif(&b);
	account_device_gone(b.account, 10, &zeros);
	account_begin(b.account, EDGE + 5);
	account_settle(b.account, &s.look);
	account_moved(b.account, 1, moved);
	assert_int_equal(moved[DIR_INPUT], 6000);
	commit(&b);
	assert_int_equal(number(&b, "SELECT external_input FROM take"), 6000);
	assert_int_equal(number(&b, "SELECT estimated_input FROM take"), 6000);
	assert_int_equal(number(&b, "SELECT estimated_output FROM take"), 100);
	kill_it(&b);
	ledger_file_close(&b.reader);
	free(b.path);
	scratch_free(b.dir);
}

/* The classifier is always a moment ahead: what it saw of the new life must not be added now and read again
 * later. */
static void what_was_seen_early_of_a_life_that_began_anew_is_counted_once(void **state)
{
	struct seen s;
	struct bed b;

	(void)state;
	sees(&s, 10000, 1000);
	set_up(&b, EDGE);
	simple_vif(&b);
	account_begin(b.account, EDGE + 5);
	read_at(&b, 10, 10);
	account_settle(b.account, &s.look);
	sees(&s, 5000, 500); /* of them 3 packets are in the counters already */
	account_begin(b.account, EDGE + 10);
	read_at(&b, 10, 3);
	account_settle(b.account, &s.look);
	sees(&s, 0, 0);
	account_begin(b.account, EDGE + 15);
	read_at(&b, 10, 5);
	account_settle(b.account, &s.look);
	commit(&b);
	assert_int_equal(number(&b, "SELECT sum(external_input) FROM take"), 15000);
	assert_int_equal(number(&b, "SELECT sum(external_output) FROM take"), 1500);
	assert_int_equal(
		number(&b, "SELECT sum(estimated_input + estimated_output + clipped_input) FROM take"), 0);
	kill_it(&b);
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
		struct bed b;

		set_up(&b, EDGE);
		for (int step = 0; step < 300; step++) {
			unsigned g = (unsigned)random_below(&r, GUESTS);

			if (!ifindex[g]) { /* boots */
				ifindex[g] = next++;
				domid[g] =
					(1 + (unsigned)random_below(&r, 1000)) * GUESTS + g; /* 0 is dom0 */
				count[g] = 0;
				vif[g] = vif_of(&b, domid[g], 0, uuids[g], names[g], NULL);
				account_device_here(b.account, vif[g], ifindex[g], "vif", DEVICE_OTHER, 0, 0);
			} else if (random_below(&r, 20) == 0) { /* ends, with its last bytes or without */
				struct counters final = packets(count[g] += random_below(&r, 50));

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
				read_at(&b, ifindex[i], count[i]);
			}
			account_settle(b.account, NULL);
			if (random_below(&r, 20) == 0)
				away = !away;
			if (away)
				refused(&b);
			else
				commit(&b);
			if (!away && random_below(&r, 30) == 0) { /* restart of the daemon alone */
				kill_it(&b);
				start(&b, clock);
			}
		}
		commit(&b);
		for (unsigned g = 0; g < GUESTS; g++)
			assert_int_equal(input_of(&b, names[g], 0),
					 (charged[g] + (ifindex[g] ? count[g] : 0)) * 1000);
		tear_down(&b);
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
		cmocka_unit_test(a_reconnected_vif_counts_from_0_even_above_its_old_counters),
		cmocka_unit_test(the_message_of_a_second_drop_is_not_the_end_of_the_life_before),
		cmocka_unit_test(a_device_that_is_unbound_and_comes_back_counts_only_what_came_after),
		cmocka_unit_test(a_device_that_moves_to_another_vif_takes_no_bytes_along),
		cmocka_unit_test(the_last_bytes_of_a_vif_that_is_gone_are_booked),
		cmocka_unit_test(a_vif_may_have_two_devices_and_both_count),
		cmocka_unit_test(an_ifindex_given_out_again_counts_from_0),
		cmocka_unit_test(a_domid_given_out_again_is_another_domain),
		cmocka_unit_test(a_domid_given_out_again_has_nothing_of_the_old_domains_other_vifs),
		cmocka_unit_test(a_rename_moves_no_bytes),
		cmocka_unit_test(each_slot_has_its_own_take),
		cmocka_unit_test(a_poll_at_the_edge_completes_the_slot),
		cmocka_unit_test(a_poll_a_little_late_still_belongs_to_the_slot),
		cmocka_unit_test(a_poll_too_late_leaves_the_slot_with_what_it_has),
		cmocka_unit_test(a_ledger_that_is_away_for_many_slots_loses_nothing),
		cmocka_unit_test(a_vif_that_goes_while_the_ledger_is_away_is_not_forgotten),
		cmocka_unit_test(a_clock_that_goes_back_keeps_the_slot_open),
		cmocka_unit_test(a_clock_that_jumps_forth_and_back_never_turns_slots_round),
		cmocka_unit_test(bytes_that_flowed_while_the_daemon_was_down_are_one_take),
		cmocka_unit_test(a_new_life_that_has_not_moved_yet_outlives_the_daemon),
		cmocka_unit_test(another_boot_closes_all_and_numbers_mean_nothing_any_more),
		cmocka_unit_test(with_ip_buckets_the_sole_address_is_charged),
		cmocka_unit_test(an_address_change_splits_the_takes_and_with_ip_buckets_the_bucket),
		cmocka_unit_test(another_kind_of_bucket_begins_with_a_restart),
		cmocka_unit_test(a_domain_gets_a_bucket_of_its_own_after_ip_buckets),
		cmocka_unit_test(a_guess_is_told_once_for_each_address),
		cmocka_unit_test(dom0_is_charged_for_its_bridge),
		cmocka_unit_test(an_address_of_dom0_is_no_guests_by_its_name),
		cmocka_unit_test(an_address_that_appears_or_goes_splits_the_takes_too),
		cmocka_unit_test(what_the_classifier_saw_is_booked_by_class_and_direction),
		cmocka_unit_test(what_the_classifier_saw_of_a_life_that_was_never_read_is_estimated),
		cmocka_unit_test(what_was_seen_early_of_a_life_that_began_anew_is_counted_once),
		cmocka_unit_test(whatever_happens_every_byte_is_charged_once_to_its_own_domain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
