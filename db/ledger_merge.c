/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/ledger_merge.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "db/ledger_state.h"
#include "db/sql.h"

/* More than a device counts in five minutes, and less than SQLite can add up. */
#define SANE "BETWEEN 0 AND (1 << 44)"

/* clang-format off */
/* An island are those that touch: the time in which the vif was there stays what it was. */
#define DEVICE "vif, boot, ifindex, netdev, rx_header, tx_header"
static const char find_lives[] =
	"INSERT INTO temp.life SELECT id, max(id) OVER island, count(*) OVER island FROM"
	" (SELECT *, sum(touches IS NOT 1) OVER same AS island FROM"
	"  (SELECT *, opened / ?4 AS slot, opened <= lag(closed) OVER before AS touches FROM epoch"
	"   WHERE id > ?1 AND id <= ?2 AND opened >= 0 AND closed >= opened AND closed < ?3"
	"   AND closed / ?4 = opened / ?4"
	"   AND reason NOT LIKE '%" LEDGER_LIVES "%'"
	"   AND base_rx_bytes = 0 AND base_rx_packets = 0 AND base_tx_bytes = 0 AND base_tx_packets = 0"
	"   AND last_rx_packets " SANE " AND last_rx_bytes - last_rx_packets * rx_header " SANE
	"   AND last_tx_packets " SANE " AND last_tx_bytes - last_tx_packets * tx_header " SANE
	"   AND total_input " SANE " AND total_output " SANE
	"   WINDOW before AS (PARTITION BY " DEVICE ", opened / ?4 ORDER BY id))"
	"  WINDOW same AS (PARTITION BY " DEVICE ", slot ORDER BY id))"
	" WINDOW island AS (PARTITION BY " DEVICE ", slot, island)";

/* The last one takes them all in: the highest id of the table stays. */
static const char add_up[] =
	"UPDATE epoch SET opened = m.opened, seen = m.seen, closed = m.closed, doubtful = m.doubtful,"
	" carrier_down = m.carrier_down, total_input = m.total_input, total_output = m.total_output,"
	" last_rx_bytes = m.rx_bytes, last_rx_packets = m.rx_packets,"
	" last_tx_bytes = m.tx_bytes, last_tx_packets = m.tx_packets,"
	" reason = m.lives || '" LEDGER_LIVES "' || iif(m.known, reason, replace(reason, '" LEDGER_OUTPUT_KNOWN "', ''))"
	" FROM (SELECT l.into_id, count(*) AS lives, min(instr(reason, '" LEDGER_OUTPUT_KNOWN "') > 0) AS known,"
	" min(opened) AS opened, max(seen) AS seen,"
	" max(closed) AS closed, sum(doubtful) AS doubtful, max(carrier_down) AS carrier_down,"
	" sum(total_input) AS total_input, sum(total_output) AS total_output,"
	" sum(last_rx_bytes) AS rx_bytes, sum(last_rx_packets) AS rx_packets,"
	" sum(last_tx_bytes) AS tx_bytes, sum(last_tx_packets) AS tx_packets"
	" FROM temp.life l JOIN epoch e ON e.id = l.id GROUP BY l.into_id) AS m WHERE epoch.id = m.into_id";
/* clang-format on */

struct merge {
	int64_t after, upto, open_slot;
};

static int merge_body(struct ledger *l, const void *arg, char **err)
{
	const struct merge *m = arg;
	sqlite3 *db = l->file.db;
	sqlite3_stmt *stmt;
	int rc;

	if (sql_run(db,
		    "CREATE TEMP TABLE IF NOT EXISTS life(id INTEGER PRIMARY KEY, into_id INTEGER, lives "
		    "INTEGER);"
		    "DELETE FROM temp.life",
		    err) < 0 ||
	    sql_prepare(db, &stmt, find_lives, err) < 0)
		return -1;
	rc = sql_exec(stmt, err, "iiii", m->after, m->upto, m->open_slot, (int64_t)SLOT_SECONDS);
	sqlite3_finalize(stmt);
	if (rc < 0 || sql_run(db, "DELETE FROM temp.life WHERE lives = 1", err) < 0)
		return -1;
	return sql_run(db, add_up, err) < 0 ? -1
					    : sql_run(db,
						      "DELETE FROM epoch WHERE id IN"
						      " (SELECT id FROM temp.life WHERE id <> into_id)",
						      err);
}

int ledger_merge(struct ledger *l, int64_t open_slot, unsigned limit, char **err)
{
	struct merge m = {.after = l->merged_up_to, .open_slot = open_slot};
	char *text = mem_printf("SELECT ifnull(max(id), %" PRId64
				") FROM (SELECT id, opened FROM epoch WHERE id > %" PRId64
				" ORDER BY id LIMIT %u) WHERE opened < %" PRId64,
				m.after, m.after, limit, open_slot);
	int rc = sql_number(l->file.db, text, m.after, &m.upto, err);

	free(text);
	if (rc == 0 && m.upto > m.after)
		rc = ledger_transaction(l, merge_body, &m, err);
	if (rc == 0)
		l->merged_up_to = m.upto;
	return rc;
}
