/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The ledger's writer: what a batch leaves in the file, all of it or nothing.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/sql.h"
#include "tests/support/unit.h"
#include "tests/support/writer_bed.h"

/* The classifier's position, and what waits, are those of the last commit. */
static void where_the_classifier_is_stands_in_each_commit(void **state)
{
	const struct ledger_waiting waiting[] = {{4, writer_bed_text("10.0.0.1"), DIR_OUTPUT, CLASS_PEER, 77},
						 {4, NULL, DIR_INPUT, CLASS_EXTERNAL, 88}};
	struct ledger_batch later = {.now = 2001, .open_slot = SLOT0, .position = 1ULL << 62};
	struct ledger_state s;
	struct writer_bed_sample sample;
	struct writer_bed b;

	(void)state;
	writer_bed_set_up(&b);
	writer_bed_fill(&sample);
	sample.batch.position = 12345;
	sample.batch.waiting = waiting;
	sample.batch.waiting_count = 2;
	writer_bed_commit(&b, &sample.batch);
	s = writer_bed_load(&b);
	assert_int_equal(s.position, 12345);
	assert_int_equal(s.waiting_count, 2);
	assert_string_equal(s.waiting[0].address, "");
	assert_int_equal(s.waiting[0].bytes, 88);
	assert_string_equal(s.waiting[1].address, "10.0.0.1");
	assert_int_equal(s.waiting[1].direction, DIR_OUTPUT);
	assert_int_equal(s.waiting[1].class, CLASS_PEER);
	assert_int_equal(s.waiting[1].bytes, 77);
	ledger_state_free(&s);
	writer_bed_run(&b,
		       "INSERT INTO waiting VALUES (4, 'x', 0, 5, 9), (4, 'x', 2, 0, 9), (4, 'x', 0, 0, -9)");
	s = writer_bed_load(&b);
	assert_int_equal(s.waiting_count, 2); /* what cannot be is left out */
	ledger_state_free(&s);
	writer_bed_commit(&b, &later);
	s = writer_bed_load(&b);
	assert_int_equal(s.position, 1ULL << 62);
	assert_int_equal(s.waiting_count, 0);
	ledger_state_free(&s);
	later.position = 0; /* nobody goes on from it */
	later.waiting = waiting;
	later.waiting_count = 2;
	writer_bed_commit(&b, &later);
	s = writer_bed_load(&b);
	assert_int_equal(s.position, 0);
	assert_int_equal(s.waiting_count, 0);
	ledger_state_free(&s);
	writer_bed_tear_down(&b);
}

static void an_empty_ledger_knows_nothing(void **state)
{
	struct ledger_state s;
	struct writer_bed b;

	(void)state;
	writer_bed_set_up(&b);
	s = writer_bed_load(&b);
	assert_true(s.first_run);
	assert_int_equal(s.open_slot | s.last_seen | s.last_bucket | s.last_vif | s.last_epoch | s.last_seq,
			 0);
	assert_int_equal(s.bucket_count + s.uuid_count + s.vif_count + s.epoch_count + s.baseline_count, 0);
	ledger_state_free(&s);
	writer_bed_tear_down(&b);
}

static void every_column_is_written_where_it_belongs(void **state)
{
	struct writer_bed_sample s;
	struct writer_bed b;

	(void)state;
	writer_bed_set_up(&b);
	writer_bed_fill(&s);
	writer_bed_commit(&b, &s.batch);
	writer_bed_row_is(&b, "SELECT id, kind FROM bucket", "3|domain");
	writer_bed_row_is(&b, "SELECT bucket, label, since, until FROM bucket_label",
			  "3|web'1\xc3\xbc|1000|NULL");
	writer_bed_row_is(&b, "SELECT uuid, bucket FROM bucket_uuid", "uuid-1|3");
	writer_bed_row_is(
		&b,
		"SELECT id, boot, domid, devid, uuid, domain, mac, addresses, bridge, netdev, bucket, "
		"appeared, gone"
		" FROM vif",
		"4|boot-1|5|6|uuid-1|web|00:16:3e:00:00:01|10.0.0.1 2001:db8::1|xenbr0|vif5.6|3|1001|NULL");
	writer_bed_row_is(
		&b,
		"SELECT id, vif, boot, ifindex, netdev, rx_header, tx_header, base_rx_bytes, base_rx_packets,"
		" base_tx_bytes, base_tx_packets, last_rx_bytes, last_rx_packets, last_tx_bytes, "
		"last_tx_packets,"
		" total_input, total_output, carrier_down, opened, seen, closed, reason, doubtful, "
		"ahead_bytes,"
		" ahead_packets, ahead_known FROM epoch",
		"7|4|boot-1|8|vif5.6|0|14|11|12|13|14|-1|22|23|24|31|32|4294967295|1002|1003|NULL|NULL|41|-"
		"42|43|2");
	writer_bed_row_is(
		&b,
		"SELECT seq, slot, bucket, vif, address, from_time, to_time, external_input, "
		"external_output, "
		"peer_input,"
		" peer_output, direct_input, direct_output, local_input, local_output, ignored_input, "
		"ignored_output,"
		" unattributed_input, unattributed_output, clipped_input, clipped_output, estimated_input,"
		" estimated_output, spoofed_output FROM take",
		"51|1700000100|3|4|10.0.0.1|1700000101|1700000102|100|200|101|201|102|202|103|203|104|204|"
		"105|"
		"205|"
		"61|62|63|64|65");
	writer_bed_row_is(&b, "SELECT time, kind, object, detail FROM event", "1004|clock|host|what's up");
	writer_bed_row_is(&b,
			  "SELECT boot, ifindex, rx_bytes, rx_packets, tx_bytes, tx_packets FROM baseline",
			  "boot-1|9|71|72|73|74");
	writer_bed_row_is(&b, "SELECT boot, started, seen, ended FROM run", "boot-1|2000|2000|NULL");
	writer_bed_row_is(&b, "SELECT value FROM meta WHERE key = 'open_slot'", "1700000100");
	writer_bed_row_is(&b, "SELECT value FROM meta WHERE key = 'steady'", "1001");
	writer_bed_tear_down(&b);
}

static void what_was_committed_is_loaded_again(void **state)
{
	struct ledger_state l;
	struct writer_bed_sample s;
	struct writer_bed b;

	(void)state;
	writer_bed_set_up(&b);
	writer_bed_fill(&s);
	writer_bed_commit(&b, &s.batch);
	ledger_close(b.ledger);
	writer_bed_start(&b, BOOT);
	l = writer_bed_load(&b);
	assert_false(l.first_run);
	assert_int_equal(l.open_slot, SLOT0);
	assert_int_equal(l.last_seen, 2000);
	assert_int_equal(l.last_bucket, 3);
	assert_int_equal(l.last_vif, 4);
	assert_int_equal(l.last_epoch, 7);
	assert_int_equal(l.last_seq, 51);
	assert_int_equal(l.bucket_count, 1);
	assert_int_equal(l.buckets[0].id, 3);
	assert_false(l.buckets[0].by_ip);
	assert_string_equal(l.buckets[0].label, s.label.label);
	assert_int_equal(l.uuid_count, 1);
	assert_string_equal(l.uuids[0].uuid, "uuid-1");
	assert_int_equal(l.uuids[0].bucket, 3);
	assert_int_equal(l.vif_count, 1);
	assert_int_equal(l.vifs[0].id, 4);
	assert_string_equal(l.vifs[0].boot, BOOT);
	assert_int_equal(l.vifs[0].domid, 5);
	assert_int_equal(l.vifs[0].devid, 6);
	assert_string_equal(l.vifs[0].uuid, "uuid-1");
	assert_string_equal(l.vifs[0].domain, "web");
	assert_string_equal(l.vifs[0].mac, s.vif.mac);
	assert_string_equal(l.vifs[0].addresses, s.vif.addresses);
	assert_string_equal(l.vifs[0].bridge, "xenbr0");
	assert_string_equal(l.vifs[0].netdev, "vif5.6");
	assert_int_equal(l.vifs[0].bucket, 3);
	assert_int_equal(l.vifs[0].appeared, 1001);
	assert_int_equal(l.vifs[0].gone, 0);
	assert_int_equal(l.epoch_count, 1);
	assert_int_equal(l.epochs[0].id, 7);
	assert_int_equal(l.epochs[0].vif, 4);
	assert_string_equal(l.epochs[0].boot, BOOT);
	assert_int_equal(l.epochs[0].ifindex, 8);
	assert_string_equal(l.epochs[0].netdev, "vif5.6");
	assert_int_equal(l.epochs[0].rx_header, 0);
	assert_int_equal(l.epochs[0].tx_header, 14);
	assert_memory_equal(&l.epochs[0].base, &s.epoch.base, sizeof(struct counters));
	assert_memory_equal(&l.epochs[0].last, &s.epoch.last, sizeof(struct counters));
	assert_memory_equal(l.epochs[0].total, s.epoch.total, sizeof(s.epoch.total));
	assert_int_equal(l.epochs[0].carrier_down, UINT32_MAX);
	assert_int_equal(l.epochs[0].opened, 1002);
	assert_int_equal(l.epochs[0].seen, 1003);
	assert_int_equal(l.epochs[0].closed, 0);
	assert_null(l.epochs[0].reason);
	assert_int_equal(l.epochs[0].doubtful, 41);
	assert_int_equal(l.steady, 1001);
	assert_int_equal(l.epochs[0].ahead_bytes, -42);
	assert_int_equal(l.epochs[0].ahead_packets, 43);
	assert_int_equal(l.epochs[0].ahead_known, LEDGER_AHEAD_LENT);
	assert_int_equal(l.baseline_count, 1);
	assert_int_equal(l.baselines[0].ifindex, 9);
	assert_memory_equal(&l.baselines[0].counters, &s.baseline.counters, sizeof(struct counters));
	ledger_state_free(&l);
	writer_bed_tear_down(&b);
}

static void texts_that_are_not_known_stay_null(void **state)
{
	struct ledger_state l;
	struct writer_bed_sample s;
	struct writer_bed b;

	(void)state;
	writer_bed_set_up(&b);
	writer_bed_fill(&s);
	s.vif.uuid = s.vif.mac = s.vif.addresses = s.vif.bridge = s.vif.netdev = NULL;
	s.bucket.by_ip = true;
	writer_bed_commit(&b, &s.batch);
	l = writer_bed_load(&b);
	assert_null(l.vifs[0].uuid);
	assert_null(l.vifs[0].mac);
	assert_null(l.vifs[0].addresses);
	assert_null(l.vifs[0].bridge);
	assert_null(l.vifs[0].netdev);
	assert_true(l.buckets[0].by_ip);
	ledger_state_free(&l);
	writer_bed_tear_down(&b);
}

static void a_row_that_changed_is_updated_and_what_ended_is_not_loaded(void **state)
{
	struct ledger_state l;
	struct writer_bed_sample s;
	struct writer_bed b;

	(void)state;
	writer_bed_set_up(&b);
	writer_bed_fill(&s);
	writer_bed_commit(&b, &s.batch);
	s.vif.domain = writer_bed_text("www");
	s.vif.gone = 3000;
	s.epoch.last.rx_packets = 99;
	s.epoch.total[DIR_INPUT] = 77;
	s.epoch.closed = 3001;
	s.epoch.reason = "device gone";
	s.batch.bucket_count = s.batch.label_count = s.batch.uuid_count = s.batch.take_count = 0;
	s.batch.event_count = s.batch.baseline_count = 0;
	s.batch.now = 3002;
	writer_bed_commit(&b, &s.batch);
	writer_bed_row_is(&b, "SELECT domain, gone FROM vif", "www|3000");
	writer_bed_row_is(&b, "SELECT last_rx_packets, total_input, closed, reason FROM epoch",
			  "99|77|3001|device gone");
	writer_bed_row_is(&b, "SELECT started, seen FROM run", "2000|3002");
	l = writer_bed_load(&b);
	assert_int_equal(l.vif_count + l.epoch_count, 0);
	assert_int_equal(l.last_vif, 4);
	assert_int_equal(l.last_epoch, 7);
	ledger_state_free(&l);
	writer_bed_tear_down(&b);
}

static void a_run_begins_with_its_first_commit_and_ends_cleanly_or_not(void **state)
{
	struct ledger_batch empty = {.now = 5000, .open_slot = SLOT0};
	struct ledger_state l;
	struct writer_bed b;

	(void)state;
	writer_bed_set_up(&b);
	assert_int_equal(writer_bed_number(&b, "SELECT count(*) FROM run"), 0);
	writer_bed_commit(&b, &empty);
	empty.now = 5010;
	writer_bed_commit(&b, &empty);
	writer_bed_row_is(&b, "SELECT started, seen, ended FROM run", "5000|5010|NULL");
	empty.now = 4000; /* a clock that went back does not take the run back */
	empty.open_slot = SLOT0 - 300;
	writer_bed_commit(&b, &empty);
	writer_bed_row_is(&b, "SELECT started, seen, ended FROM run", "5000|5010|NULL");
	writer_bed_row_is(&b, "SELECT value FROM meta WHERE key = 'open_slot'", "1700000100");
	ledger_close(b.ledger);
	writer_bed_start(&b, BOOT);
	empty.now = 6000;
	empty.ended = true;
	writer_bed_commit(&b, &empty);
	writer_bed_row_is(&b, "SELECT started, seen, ended FROM run WHERE id = 2", "6000|6000|6000");
	l = writer_bed_load(&b);
	assert_int_equal(l.last_seen, 6000);
	assert_false(l.first_run);
	ledger_state_free(&l);
	writer_bed_tear_down(&b);
}

static void base_lines_are_of_one_boot(void **state)
{
	struct ledger_state l;
	struct writer_bed_sample s;
	struct writer_bed b;

	(void)state;
	writer_bed_set_up(&b);
	writer_bed_fill(&s);
	writer_bed_commit(&b, &s.batch);
	ledger_close(b.ledger);
	writer_bed_start(&b, "boot-2");
	l = writer_bed_load(&b);
	assert_int_equal(l.baseline_count, 0);
	assert_int_equal(l.vif_count, 1); /* of the earlier boot: the account closes it */
	assert_int_equal(l.epoch_count, 1);
	ledger_state_free(&l);
	writer_bed_commit(&b, &(struct ledger_batch){.now = 9000, .open_slot = SLOT0});
	assert_int_equal(writer_bed_number(&b, "SELECT count(*) FROM baseline"), 0);
	writer_bed_tear_down(&b);
}

static void labels_are_dated_and_the_present_one_is_loaded(void **state)
{
	struct ledger_label one = {3, writer_bed_text("www"), 1500}, two = {3, writer_bed_text("web2"), 1600};
	const struct ledger_label *labels[] = {&one, &two};
	struct ledger_batch more = {.now = 3000, .open_slot = SLOT0, .labels = labels, .label_count = 2};
	struct ledger_state l;
	struct writer_bed_sample s;
	struct writer_bed b;

	(void)state;
	writer_bed_set_up(&b);
	writer_bed_fill(&s);
	writer_bed_commit(&b, &s.batch);
	writer_bed_commit(&b, &more);
	writer_bed_row_is(&b,
			  "SELECT group_concat(since || '-' || coalesce(until, ''), ' ') FROM bucket_label",
			  "1000-1500 1500-1600 1600-");
	l = writer_bed_load(&b);
	assert_int_equal(l.bucket_count, 1);
	assert_string_equal(l.buckets[0].label, "web2");
	ledger_state_free(&l);
	writer_bed_tear_down(&b);
}

/* Two domains swap their names within a second, by way of a third name. */
static void labels_may_change_hands_within_one_batch(void **state)
{
	struct ledger_bucket first = {.id = 1}, second = {.id = 2};
	struct ledger_label a = {1, writer_bed_text("web"), 1000}, c = {2, writer_bed_text("db"), 1000},
			    steps[] = {{1, writer_bed_text("db~2"), 2000},
				       {2, writer_bed_text("web"), 2000},
				       {1, writer_bed_text("db"), 2000}};
	const struct ledger_bucket *buckets[] = {&first, &second};
	const struct ledger_label *labels[] = {&a, &c}, *swap[] = {&steps[0], &steps[1], &steps[2]};
	struct ledger_batch batch = {.now = 1000,
				     .open_slot = SLOT0,
				     .buckets = buckets,
				     .bucket_count = 2,
				     .labels = labels,
				     .label_count = 2};
	struct writer_bed b;

	(void)state;
	writer_bed_set_up(&b);
	writer_bed_commit(&b, &batch);
	batch = (struct ledger_batch){.now = 2000, .open_slot = SLOT0, .labels = swap, .label_count = 3};
	writer_bed_commit(&b, &batch);
	writer_bed_row_is(&b, "SELECT label, since FROM bucket_label WHERE bucket = 1 AND until IS NULL",
			  "db|2000");
	writer_bed_row_is(&b, "SELECT label, since FROM bucket_label WHERE bucket = 2 AND until IS NULL",
			  "web|2000");
	writer_bed_row_is(&b, "SELECT label, until FROM bucket_label WHERE bucket = 1 AND since = 1000",
			  "web|2000");
	writer_bed_row_is(&b, "SELECT label, until FROM bucket_label WHERE bucket = 2 AND since = 1000",
			  "db|2000");
	writer_bed_tear_down(&b);
}

static void a_label_in_use_is_never_taken_silently(void **state)
{
	struct ledger_bucket other = {.id = 9};
	struct ledger_label taken = {9, writer_bed_text("web'1\xc3\xbc"), 1500};
	const struct ledger_bucket *buckets[] = {&other};
	const struct ledger_label *labels[] = {&taken};
	struct ledger_batch more = {.now = 3000,
				    .open_slot = SLOT0,
				    .buckets = buckets,
				    .bucket_count = 1,
				    .labels = labels,
				    .label_count = 1};
	struct writer_bed_sample s;
	char *err = NULL;
	struct writer_bed b;

	(void)state;
	writer_bed_set_up(&b);
	writer_bed_fill(&s);
	writer_bed_commit(&b, &s.batch);
	if (ledger_commit(b.ledger, &more, &err) == 0)
		fail_msg("bucket 3 has lost its label to bucket 9");
	free(err);
	assert_int_equal(
		writer_bed_number(&b, "SELECT count(*) FROM bucket_label WHERE bucket = 3 AND until IS NULL"),
		1);
	writer_bed_tear_down(&b);
}

/* ---- all or nothing ---- */

static char *contents(const struct writer_bed *b)
{
	return writer_bed_row(
		b,
		"SELECT (SELECT count(*) FROM bucket), (SELECT count(*) FROM bucket_label),"
		" (SELECT count(*) FROM bucket_uuid), (SELECT count(*) FROM vif), (SELECT count(*) FROM "
		"epoch),"
		" (SELECT count(*) FROM take), (SELECT count(*) FROM event), (SELECT count(*) FROM baseline),"
		" (SELECT count(*) FROM run), (SELECT value FROM meta WHERE key = 'open_slot'),"
		" (SELECT coalesce(max(seq), 0) FROM sqlite_sequence)");
}

static void a_commit_that_fails_anywhere_leaves_nothing_and_can_be_offered_again(void **state)
{
	static const char *const tables[] = {"bucket", "bucket_label", "bucket_uuid", "vif", "epoch",
					     "take",   "event",        "baseline",    "run"};

	(void)state;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		char *trigger = mem_printf(
			"CREATE TRIGGER no BEFORE INSERT ON %s BEGIN SELECT raise(ABORT, 'not now');"
			" END",
			tables[i]);
		char *before, *err = NULL;
		struct writer_bed_sample s;
		struct writer_bed b;

		writer_bed_set_up(&b);
		writer_bed_run(&b, trigger);
		before = contents(&b);
		writer_bed_fill(&s);
		for (int again = 0; again < 2; again++) {
			assert_int_equal(ledger_commit(b.ledger, &s.batch, &err), -1);
			assert_non_null(strstr(err, "not now"));
			assert_non_null(strstr(err, b.path));
			err_clear(&err);
		}
		writer_bed_row_is(
			&b,
			"SELECT (SELECT count(*) FROM bucket), (SELECT count(*) FROM bucket_label),"
			" (SELECT count(*) FROM bucket_uuid), (SELECT count(*) FROM vif), (SELECT count(*) "
			"FROM epoch),"
			" (SELECT count(*) FROM take), (SELECT count(*) FROM event), (SELECT count(*) FROM "
			"baseline),"
			" (SELECT count(*) FROM run), (SELECT value FROM meta WHERE key = 'open_slot'),"
			" (SELECT coalesce(max(seq), 0) FROM sqlite_sequence)",
			before);
		writer_bed_run(&b, "DROP TRIGGER no");
		writer_bed_commit(&b, &s.batch);
		writer_bed_row_is(&b, "SELECT (SELECT count(*) FROM take), (SELECT count(*) FROM run)",
				  "1|1");
		free(before);
		free(trigger);
		writer_bed_tear_down(&b);
	}
}

/* On a small file system of its own. */
static void a_full_disk_leaves_nothing_says_what_to_do_and_heals(void **state)
{
	enum { EVENTS = 20000 };
	struct ledger_event *events = mem_array(EVENTS, sizeof(*events));
	const struct ledger_event **list = mem_array(EVENTS, sizeof(*list));
	struct ledger_batch batch = {.now = 1000, .open_slot = SLOT0, .events = list, .event_count = EVENTS};
	struct writer_bed_sample s;
	char *err = NULL;
	struct writer_bed b;

	(void)state;
	for (size_t i = 0; i < EVENTS; i++) {
		events[i] = (struct ledger_event){1, "clock", writer_bed_text("host"),
						  writer_bed_text("a long line that fills pages")};
		list[i] = &events[i];
	}
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL), 0);
	b.dir = scratch_new();
	b.path = mem_printf("%s/ledger.db", b.dir);
	assert_int_equal(mount("tmpfs", b.dir, "tmpfs", 0, "size=600k"), 0);
	writer_bed_start(&b, BOOT);
	assert_int_equal(sqlite3_open(b.path, &b.db), SQLITE_OK);
	writer_bed_fill(&s);
	writer_bed_commit(&b, &s.batch);
	for (int again = 0; again < 2; again++) {
		assert_int_equal(ledger_commit(b.ledger, &batch, &err), -1);
		assert_non_null(strstr(err, b.path));
		assert_non_null(strstr(err, "full"));
		assert_non_null(strstr(err, "free some space"));
		err_clear(&err);
		writer_bed_row_is(&b, "SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM take)",
				  "1|1");
	}
	assert_int_equal(mount("tmpfs", b.dir, "tmpfs", MS_REMOUNT, "size=32m"), 0);
	writer_bed_commit(&b, &batch);
	assert_int_equal(writer_bed_number(&b, "SELECT count(*) FROM event"), EVENTS + 1);
	sqlite3_close(b.db);
	ledger_close(b.ledger);
	assert_int_equal(umount(b.dir), 0);
	free(b.path);
	scratch_free(b.dir);
	free(events);
	free(list);
}

static void a_commit_waits_for_nobody_who_reads(void **state)
{
	struct writer_bed_sample s;
	struct writer_bed b;

	(void)state;
	writer_bed_set_up(&b);
	writer_bed_fill(&s);
	writer_bed_run(&b, "BEGIN");
	assert_int_equal(writer_bed_number(&b, "SELECT count(*) FROM take"), 0);
	writer_bed_commit(&b, &s.batch);
	assert_int_equal(writer_bed_number(&b, "SELECT count(*) FROM take"), 0);
	writer_bed_run(&b, "COMMIT");
	assert_int_equal(writer_bed_number(&b, "SELECT count(*) FROM take"), 1);
	writer_bed_tear_down(&b);
}

static void numbers_that_cannot_be_are_refused_when_loading(void **state)
{
	static const char *const damages[] = {
		"UPDATE meta SET value = 9223372036854775807 WHERE key = 'open_slot'",
		"INSERT INTO run(boot, started, seen) VALUES ('x', 0, 9223372036854775807)",
		"INSERT INTO bucket(id, kind) VALUES (9223372036854775807, 'ip')",
		"INSERT INTO sqlite_sequence(name, seq) VALUES ('take', 9223372036854775807)",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		struct ledger_state loaded;
		char *err = NULL;
		struct writer_bed b;

		writer_bed_set_up(&b);
		writer_bed_run(&b, damages[i]);
		assert_int_equal(ledger_load(b.ledger, &loaded, &err), -1);
		assert_non_null(strstr(err, "is damaged: its "));
		assert_null(strchr(err, '\n'));
		assert_null(loaded.buckets);
		free(err);
		writer_bed_tear_down(&b);
	}
}

/* Whatever of the file it quotes. */
static void what_sqlite_says_is_one_line(void **state)
{
	char *line = sql_line("two\nlines\x1b[1m");

	(void)state;
	assert_string_equal(line, "two lines [1m");
	free(line);
}

static void a_ledger_in_use_cannot_be_opened_twice(void **state)
{
	struct ledger *second = (struct ledger *)1;
	char *err = NULL;
	struct writer_bed b;

	(void)state;
	writer_bed_set_up(&b);
	assert_int_equal(ledger_open(&second, b.path, BOOT, &err), -1);
	assert_null(second);
	assert_non_null(strstr(err, "in use"));
	free(err);
	writer_bed_tear_down(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_the_classifier_is_stands_in_each_commit),
		cmocka_unit_test(an_empty_ledger_knows_nothing),
		cmocka_unit_test(every_column_is_written_where_it_belongs),
		cmocka_unit_test(what_was_committed_is_loaded_again),
		cmocka_unit_test(texts_that_are_not_known_stay_null),
		cmocka_unit_test(a_row_that_changed_is_updated_and_what_ended_is_not_loaded),
		cmocka_unit_test(a_run_begins_with_its_first_commit_and_ends_cleanly_or_not),
		cmocka_unit_test(base_lines_are_of_one_boot),
		cmocka_unit_test(labels_are_dated_and_the_present_one_is_loaded),
		cmocka_unit_test(labels_may_change_hands_within_one_batch),
		cmocka_unit_test(a_label_in_use_is_never_taken_silently),
		cmocka_unit_test(a_commit_that_fails_anywhere_leaves_nothing_and_can_be_offered_again),
		cmocka_unit_test(a_full_disk_leaves_nothing_says_what_to_do_and_heals),
		cmocka_unit_test(a_commit_waits_for_nobody_who_reads),
		cmocka_unit_test(numbers_that_cannot_be_are_refused_when_loading),
		cmocka_unit_test(what_sqlite_says_is_one_line),
		cmocka_unit_test(a_ledger_in_use_cannot_be_opened_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
