/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/support/ledger_bed.h"

#include <stdlib.h>

#include "base/mem.h"
#include "tests/support/unit.h"

struct ledger_file ledger_bed_open(const char *path)
{
	struct ledger_file f;
	char *err = NULL;

	if (ledger_file_open_writer(&f, path, &err) < 0)
		fail_msg("%s", err);
	return f;
}

void ledger_bed_sql(sqlite3 *db, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", text, sqlite3_errmsg(db));
	free(text);
}

void ledger_bed_bucket(sqlite3 *db, int id, const char *label)
{
	ledger_bed_sql(db, "INSERT INTO bucket(id, kind) VALUES (%d, 'domain')", id);
	ledger_bed_sql(db, "INSERT INTO bucket_label(bucket, label, since) VALUES (%d, '%s', 0)", id, label);
	ledger_bed_sql(db,
		       "INSERT INTO vif(id, boot, domid, devid, domain, bucket, appeared)"
		       " VALUES (%d, 'boot', %d, 0, '%s', %d, 0)",
		       id, id, label, id);
}

int64_t ledger_bed_epoch(sqlite3 *db, int bucket, int64_t opened, int64_t seen, int64_t closed)
{
	ledger_bed_sql(db,
		       "INSERT INTO epoch(vif, boot, ifindex, netdev, rx_header, tx_header,"
		       " base_rx_bytes, base_rx_packets, base_tx_bytes, base_tx_packets,"
		       " last_rx_bytes, last_rx_packets, last_tx_bytes, last_tx_packets,"
		       " total_input, total_output, carrier_down, opened, seen, closed, doubtful)"
		       " VALUES (%d, 'boot', %d, 'vif', 0, 14, 0,0,0,0, 0,0,0,0, 0,0, 0, %lld, %lld,"
		       " nullif(%lld, 0), 0)",
		       bucket, bucket, (long long)opened, (long long)seen, (long long)closed);
	return sqlite3_last_insert_rowid(db);
}

void ledger_bed_run(sqlite3 *db, int64_t started, int64_t seen, int64_t ended)
{
	ledger_bed_sql(
		db,
		"INSERT INTO run(boot, started, seen, ended) VALUES ('boot', %lld, %lld, nullif(%lld, 0))",
		(long long)started, (long long)seen, (long long)ended);
}

#define CLASSES                                                                                  \
	"external_input, external_output, peer_input, peer_output, direct_input, direct_output," \
	" local_input, local_output, ignored_input, ignored_output, unattributed_input, "        \
	"unattributed_output,"                                                                   \
	" clipped_input, clipped_output, estimated_input, estimated_output"

void ledger_bed_bytes(sqlite3 *db, int bucket, int64_t slot, int folded, const uint64_t external[2],
		      const uint64_t peer[2], const uint64_t unattributed[2])
{
	char *values = mem_printf("%lld, %lld, %lld, %lld, 5, 6, 7, 8, 9, 10, %lld, %lld, 0, 0, 0, 0",
				  (long long)external[0], (long long)external[1], (long long)peer[0],
				  (long long)peer[1], (long long)unattributed[0], (long long)unattributed[1]);

	ledger_bed_sql(db, "INSERT INTO %s, " CLASSES ") VALUES (%d, %d, %lld, '', %s%s)",
		       folded ? "slot(bucket, vif, slot, address"
			      : "take(bucket, vif, slot, address, from_time, to_time",
		       bucket, bucket, (long long)slot, folded ? "" : "0, 0, ", values);
	free(values);
}

void ledger_bed_open_slot(sqlite3 *db, int64_t slot)
{
	ledger_bed_sql(db, "UPDATE meta SET value = %lld WHERE key = 'open_slot'", (long long)slot);
}

int ledger_bed_set_up(void **state)
{
	struct ledger_bed *b = mem_alloc(sizeof(*b));
	char *err = NULL;

	b->folder = scratch_new();
	b->path = mem_printf("%s/ledger.db", b->folder);
	b->writer = ledger_bed_open(b->path);
	assert_int_equal(ledger_file_open_reader(&b->reader, b->path, &err), 0);
	*state = b;
	return 0;
}

int ledger_bed_tear_down(void **state)
{
	struct ledger_bed *b = *state;

	ledger_file_close(&b->reader);
	ledger_file_close(&b->writer);
	scratch_free(b->folder);
	free(b->path);
	free(b);
	return 0;
}
