/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * out_table: what the writers see of a table (cli/out.h). Only out*.c includes it.
 */
#ifndef XENBW_OUT_TABLE_H
#define XENBW_OUT_TABLE_H

#include "cli/out.h"

struct out_cell {
	bool set;
	char *text; /* OUT_TEXT, OUT_WORDS */
	uint64_t number;
	bool negative; /* and `number` is how far below 0 */
};

struct out_line {
	struct out_cell *cells; /* one per column */
	bool total;
};

enum out_head_type { OUT_HEAD_TEXT, OUT_HEAD_WORDS, OUT_HEAD_NUMBER, OUT_HEAD_TIME, OUT_HEAD_FLAG };

struct out_head {
	const char *key;
	enum out_head_type type;
	char *text;
	int64_t number;
};

struct out_table {
	const struct out_column *columns;
	size_t column_count;
	struct out_line *lines;
	size_t line_count;
	struct out_head *heads;
	size_t head_count;
};

static inline bool out_is_text(enum out_type type)
{
	return type == OUT_TEXT || type == OUT_WORDS;
}

void out_write_json(const struct out_table *t, const char *rows, FILE *to);
void out_write_csv(const struct out_table *t, FILE *to);
int out_write_terminal(const struct out_table *t, const struct out_screen *screen, FILE *to, char **err);

#endif
