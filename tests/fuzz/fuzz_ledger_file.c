/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fuzz_ledger_file: any bytes as damage to the file of a small, good ledger (libFuzzer), which is then opened
 * by those who read it and by xenbwd.
 *
 * In pieces of a place (2 bytes), a length, and as many bytes that stand there from now on; length 0: the
 * file ends there.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "db/ledger_versions.h"
#include "tests/fuzz/ledger_life.h"

#define MOST_PIECE 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char rows[] =
	"BEGIN;"
	"INSERT INTO run VALUES (1, 'boot', 1699990000, 1700000000, NULL);"
	"INSERT INTO bucket VALUES (1, 'domain'), (2, 'ip');"
	"INSERT INTO bucket_label VALUES (1, 'old', 0, 5), (1, 'web', 5, NULL), (2, '192.0.2.1', 0, NULL);"
	"INSERT INTO bucket_uuid VALUES ('11111111-1111-1111-1111-111111111111', 1);"
	"INSERT INTO vif VALUES (1, 'boot', 1, 0, '11111111-1111-1111-1111-111111111111', 'web',"
	" '00:16:3e:00:00:01', '192.0.2.1', 'xenbr0', 'vif1.0', 1, 1699990000, NULL);"
	"INSERT INTO epoch VALUES (1, 1, 'boot', 11, 'vif1.0', 0, 14, 0, 0, 0, 0, 90, 1, 90, 1, 70, 80, 1,"
	" 1699990000, 1700000000, NULL, NULL, 0, 0, 0, 0);"
	"INSERT INTO baseline VALUES ('boot', 12, 5, 1, 5, 1);"
	"INSERT INTO take VALUES (1, 1699999800, 1, 1, '', 1699999900, 1700000000,"
	" 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 2);"
	"INSERT INTO take VALUES (2, 1699999800, 2, 1, '192.0.2.1', 1699999900, 1700000000,"
	" 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 2);"
	"INSERT INTO slot VALUES (1, 1699999500, 1, '', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 0, 0, 0, "
	"0);"
	"INSERT INTO sink VALUES ('rrd', 1), ('mysql', 0);"
	"INSERT INTO event VALUES (1, 1700000000, 'clock', 'host', 'x');"
	"UPDATE meta SET value = 1699999800 WHERE key = 'open_slot';"
	"UPDATE meta SET value = 'u' WHERE key = 'uuid';"
	"UPDATE meta SET value = 0 WHERE key = 'created';"
	"COMMIT;";

static uint8_t *good_ledger(size_t *size)
{
	sqlite3_int64 length;
	uint8_t *bytes;
	char *err = NULL;
	sqlite3 *db;

	if (sqlite3_open(":memory:", &db) != SQLITE_OK ||
	    sqlite3_exec(db, "PRAGMA page_size = 512", NULL, NULL, NULL) != SQLITE_OK ||
	    ledger_versions_create(db, &err) < 0 || sqlite3_exec(db, rows, NULL, NULL, NULL) != SQLITE_OK)
		abort();
	bytes = sqlite3_serialize(db, "main", &length, 0);
	if (!bytes || length > UINT16_MAX)
		abort();
	sqlite3_close(db);
	*size = (size_t)length;
	return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t *good;
	static size_t good_size;
	size_t length;
	bool by_ip;
	uint8_t *bytes;

	if (!good)
		good = good_ledger(&good_size);
	length = good_size;
	bytes = mem_alloc(good_size);
	memcpy(bytes, good, good_size);
	by_ip = size % 2;
	while (size > 3) {
		size_t at = (size_t)(data[0] << 8 | data[1]) % good_size, n = data[2] % (MOST_PIECE + 1);

		data += 3;
		size -= 3;
		n = n < size ? n : size;
		n = n < good_size - at ? n : good_size - at;
		if (!n && at < length)
			length = at;
		memcpy(bytes + at, data, n);
		data += n;
		size -= n;
	}
	ledger_life_put(bytes, length);
	free(bytes);
	ledger_life_visit();
	ledger_life_run(by_ip);
	return 0;
}
