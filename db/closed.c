/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/closed.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/sql.h"

static void copy_name(char to[CONTROL_NAME], sqlite3_stmt *stmt, int column)
{
	char *text = sql_word(stmt, column);

	strncpy(to, text, CONTROL_NAME - 1);
	free(text);
}

static void take_row(struct closed_rows *out, sqlite3_stmt *stmt)
{
	struct closed_row *c;

	out->list = mem_resize(out->list, out->count + 1, sizeof(*out->list));
	c = &out->list[out->count++];
	*c = (struct closed_row){.edition = (uint32_t)sqlite3_column_int64(stmt, 0),
				 .time = sql_time(sqlite3_column_int64(stmt, 8))};
	c->row = (struct control_closed){
		.bucket = sqlite3_column_int64(stmt, 1),
		.from = sql_time(sqlite3_column_int64(stmt, 3)),
		.to = sql_time(sqlite3_column_int64(stmt, 4)),
		.day = (uint32_t)sqlite3_column_int64(stmt, 5),
		.bytes = {sqlite3_column_int64(stmt, 9), sqlite3_column_int64(stmt, 10)},
		.p95 = {sqlite3_column_int64(stmt, 11), sqlite3_column_int64(stmt, 12)},
		.slots = sqlite3_column_int64(stmt, 13),
		.observed = sqlite3_column_int64(stmt, 14)};
	copy_name(c->row.owner, stmt, 2);
	copy_name(c->row.label, stmt, 6);
	copy_name(c->place, stmt, 15);
	if (c->edition >= out->editions)
		out->editions = c->edition + 1;
}

static int by_payer(const void *a, const void *b)
{
	const struct closed_row *p = a, *q = b;
	const struct control_closed *x = &p->row, *y = &q->row;
	int order = !*x->owner - !*y->owner; /* what is nobody's comes last */

	if (order == 0)
		order = strverscmp(x->owner, y->owner);
	if (order == 0)
		order = (x->bucket > 0) - (y->bucket > 0);
	if (order == 0)
		order = strverscmp(p->place, q->place);
	if (order == 0)
		order = (x->bucket > y->bucket) - (x->bucket < y->bucket);
	if (order == 0)
		order = (x->from > y->from) - (x->from < y->from);
	return order ? order : (p->edition > q->edition) - (p->edition < q->edition);
}

int closed_read(sqlite3 *db, const char *month, struct closed_rows *out, char **err)
{
	sqlite3_stmt *stmt;
	int rc;

	*out = (struct closed_rows){0};
	if (sql_prepare(db, &stmt,
			"SELECT edition, bucket, owner, from_time, to_time, day, label, month, time, input,"
			" output, p95_input, p95_output, slots, observed,"
			" first_value(label) OVER (PARTITION BY bucket ORDER BY edition)"
			" FROM closed WHERE month = ?",
			err) < 0)
		return -1;
	rc = sql_bind(stmt, err, "s", month);
	while (rc == 0 && (rc = sql_step(stmt, err)) == 1) {
		take_row(out, stmt);
		rc = 0;
	}
	sqlite3_finalize(stmt);
	if (rc < 0)
		closed_rows_free(out);
	else if (out->count)
		qsort(out->list, out->count, sizeof(out->list[0]), by_payer);
	return rc < 0 ? -1 : 0;
}

void closed_rows_free(struct closed_rows *c)
{
	free(c->list);
	*c = (struct closed_rows){0};
}
