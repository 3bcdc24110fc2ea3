/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/support/account_bed.h"

#include <stdlib.h>

#include "base/mem.h"
#include "db/sql.h"
#include "tests/support/unit.h"

void account_bed_start(struct account_bed *b, int64_t now)
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

void account_bed_kill_it(struct account_bed *b)
{
	account_free(b->account);
	ledger_close(b->ledger);
	b->account = NULL;
	b->ledger = NULL;
}

void account_bed_set_up(struct account_bed *b, int64_t now)
{
	char *err = NULL;

	*b = (struct account_bed){.dir = scratch_new(), .boot = "boot-1", .reader = {.lock_fd = -1}};
	b->path = mem_printf("%s/ledger.db", b->dir);
	account_bed_start(b, now);
	if (ledger_file_open_reader(&b->reader, b->path, &err) != 0)
		fail_msg("%s", err ? err : "no ledger");
}

void account_bed_meddle(const struct account_bed *b, const char *statements)
{
	char *err = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(b->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, statements, NULL, NULL, &err) != SQLITE_OK)
		fail_msg("%s", err);
	sqlite3_close(db);
}

int64_t account_bed_number(const struct account_bed *b, const char *query)
{
	char *err = NULL;
	int64_t n = 0;

	if (sql_number(b->reader.db, query, 0, &n, &err) < 0)
		fail_msg("%s", err);
	return n;
}

void account_bed_commit(struct account_bed *b)
{
	struct ledger_batch batch;
	char *err = NULL;

	account_batch(b->account, &batch);
	if (ledger_commit(b->ledger, &batch, &err) < 0)
		fail_msg("%s", err);
	account_batch_free(&batch);
	account_committed(b->account);
}

void account_bed_refused(struct account_bed *b)
{
	struct ledger_batch batch;

	account_batch(b->account, &batch);
	account_batch_free(&batch);
}

void account_bed_tear_down(struct account_bed *b)
{
	account_bed_commit(b);
	/* without a classifier all is unattributed, and each vif's takes add up to its epochs */
	assert_int_equal(
		account_bed_number(
			b, "SELECT count(*) FROM vif v WHERE"
			   " (SELECT coalesce(sum(total_input), 0) FROM epoch WHERE vif = v.id) <>"
			   " (SELECT coalesce(sum(unattributed_input), 0) FROM take WHERE vif = v.id) OR"
			   " (SELECT coalesce(sum(total_output), 0) FROM epoch WHERE vif = v.id) <>"
			   " (SELECT coalesce(sum(unattributed_output), 0) FROM take WHERE vif = v.id)"),
		0);
	assert_int_equal(
		account_bed_number(
			b, "SELECT count(*) FROM take a JOIN take b ON b.seq > a.seq AND b.slot < a.slot"),
		0);
	assert_int_equal(
		account_bed_number(b, "SELECT count(*) FROM take WHERE slot % 300 OR from_time > to_time"),
		0);
	assert_int_equal(account_bed_number(b,
					    "SELECT count(*) FROM take WHERE slot > (SELECT value FROM meta"
					    " WHERE key = 'open_slot')"),
			 0);
	account_bed_kill_it(b);
	ledger_file_close(&b->reader);
	free(b->path);
	scratch_free(b->dir);
}

int64_t account_bed_vif_of(struct account_bed *b, unsigned domid, unsigned devid, const char *uuid,
			   const char *name, const char *addresses)
{
	struct account_vif_facts f = {
		.domid = domid, .devid = devid, .uuid = uuid, .domain = name, .addresses = addresses};
	char *warning = NULL;
	int64_t id = account_vif_here(b->account, &f, &warning);

	free(warning);
	return id;
}

struct counters account_bed_packets(uint64_t n)
{
	return (struct counters){.rx_bytes = n * 114, .rx_packets = n, .tx_bytes = n * 1014, .tx_packets = n};
}

void account_bed_read_at(struct account_bed *b, unsigned ifindex, uint64_t n)
{
	struct counters c = account_bed_packets(n);

	(void)account_reading(b->account, ifindex, &c);
}

bool account_bed_poll_at(struct account_bed *b, int64_t now, unsigned ifindex, uint64_t n)
{
	account_begin(b->account, now);
	account_bed_read_at(b, ifindex, n);
	return account_settle(b->account, NULL);
}

int64_t account_bed_take_count(const struct account_bed *b)
{
	return account_bed_number(b, "SELECT count(*) FROM take");
}

int64_t account_bed_input_of(const struct account_bed *b, const char *label, int64_t slot)
{
	char *query = mem_printf("SELECT sum(unattributed_input) FROM usage WHERE bucket ="
				 " (SELECT bucket FROM bucket_label WHERE label = '%s' AND until IS NULL)"
				 " AND (%lld = 0 OR slot = %lld)",
				 label, (long long)slot, (long long)slot);
	int64_t n = account_bed_number(b, query);

	free(query);
	return n;
}

int64_t account_bed_simple_vif(struct account_bed *b)
{
	int64_t vif = account_bed_vif_of(b, 1, 0, UUID_A, "web", "10.0.0.1");

	account_device_here(b->account, vif, 10, "vif1.0", DEVICE_OTHER, 0, 0);
	return vif;
}
