/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/ledger_left.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/sql.h"

int ledger_left_tail(sqlite3 *db, struct ledger_tail *tail, char **err)
{
	sqlite3_stmt *q;
	int rc;

	*tail = (struct ledger_tail){0};
	if (sql_number(db, "SELECT seq FROM sqlite_sequence WHERE name = 'take'", 0, &tail->seq, err) < 0 ||
	    sql_number(db, "SELECT max(seen) FROM run", 0, &tail->seen, err) < 0 ||
	    sql_prepare(db, &q, "SELECT value FROM meta WHERE key = 'uuid'", err) < 0)
		return -1;
	rc = sql_step(q, err);
	if (rc == 1)
		tail->uuid = sql_text(q, 0);
	sqlite3_finalize(q);
	if (rc == 0 || (rc == 1 && !tail->uuid))
		return err_set(err, "the ledger has no uuid");
	return rc < 0 ? -1 : 0;
}

int ledger_left_put(sqlite3 *db, bool left, char **err)
{
	return sql_run(db,
		       left ? "INSERT OR REPLACE INTO meta(key, value) VALUES ('left', unixepoch())"
			    : "DELETE FROM meta WHERE key = 'left'",
		       err);
}

int ledger_left_get(sqlite3 *db, bool *left, char **err)
{
	int64_t rows;

	if (sql_number(db, "SELECT count(*) FROM meta WHERE key = 'left'", 0, &rows, err) < 0)
		return -1;
	*left = rows > 0;
	return 0;
}

/* What the address of a database calls by other names. */
static char *as_address(const char *path)
{
	char *out = mem_strdup("file:");

	for (const char *p = path; *p; p++) {
		char *more = strchr("%?#", *p) ? mem_printf("%s%%%02x", out, (unsigned)*p)
					       : mem_printf("%s%c", out, *p);

		free(out);
		out = more;
	}
	return out;
}

/* Immutable: by the file alone, without a lock and without the log beside it, which is the other one's. */
int ledger_tail_of_file(const char *path, struct ledger_tail *tail)
{
	char *plain = as_address(path), *address = mem_printf("%s?immutable=1", plain);
	sqlite3 *db = NULL;
	int rc = 1;

	*tail = (struct ledger_tail){0};
	if (access(path, F_OK) == 0 &&
	    sqlite3_open_v2(address, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) == SQLITE_OK &&
	    ledger_left_tail(db, tail, NULL) == 0)
		rc = 0; /* else the opening says what it is */
	sqlite3_close(db);
	free(address);
	free(plain);
	return rc;
}
