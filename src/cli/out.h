/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * out: one table, written for people (terminal), for programs (JSON) or for spreadsheets (CSV).
 *
 * A command describes its columns once and fills in rows; the three writers share nothing but this. Machines
 * get exact integers, UTC times and nulls; people get units, local words and "-". Writers report no errors:
 * the stream keeps them, and main looks at it before it exits.
 */
#ifndef XENBW_OUT_H
#define XENBW_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum out_format { OUT_TERMINAL, OUT_JSON, OUT_CSV };

enum out_type {
	OUT_TEXT,
	OUT_WORDS,  /* text; its blank-separated words are a JSON array */
	OUT_NUMBER, /* an id: shown as it is */
	OUT_BYTES,
	OUT_RATE, /* bytes per second; people see bit/s */
	OUT_TIME  /* UTC seconds */
};

struct out_column {
	const char *key;   /* JSON member and CSV heading, NULL = not for machines */
	const char *title; /* heading on the terminal, NULL = not for people */
	enum out_type type;
	unsigned drop; /* on a narrow terminal all with 1 go first, then 2 …; 0 stays */
};

struct out_screen {
	size_t width; /* columns of the terminal, 0 = as wide as needed */
	bool exact;   /* bytes and rates without units */
};

struct out_table;

/* `columns` must outlive the table. */
struct out_table *out_new(const struct out_column *columns, size_t count);
void out_free(struct out_table *t);

/* A new row; its cells are null until they are set. Values are copied. */
void out_row(struct out_table *t);
void out_text(struct out_table *t, size_t column, const char *value); /* NULL = null */
void out_number(struct out_table *t, size_t column, uint64_t value);
void out_signed(struct out_table *t, size_t column, int64_t value); /* of OUT_NUMBER, OUT_BYTES, OUT_RATE */

/* Makes the newest row a line of totals: for people only, without "-" in it. */
void out_row_is_total(struct out_table *t);

/* What JSON says beside the rows, in the order of the calls; "format": 1 is always there and first. */
void out_head_text(struct out_table *t, const char *key, const char *value);  /* NULL = null */
void out_head_time(struct out_table *t, const char *key, int64_t value);      /* -1 = null */
void out_head_words(struct out_table *t, const char *key, const char *value); /* as OUT_WORDS */
void out_head_number(struct out_table *t, const char *key, int64_t value);    /* -1 = null */
void out_head_flag(struct out_table *t, const char *key, bool value);

/* Writes all of it. `rows` is the name that JSON gives to the array of rows; `screen` is for the terminal.
 * What the stream refuses it keeps: look at ferror in the end. */
int out_write(const struct out_table *t, enum out_format format, const char *rows,
	      const struct out_screen *screen, FILE *to, char **err);

/* A line for the terminal, of words with single blanks; where it is too narrow the line goes on below. */
void out_line(const char *text, const struct out_screen *screen, FILE *to);

/* The same behind what fills `indent` columns already; what goes on below is as far in. */
void out_indented(const char *text, size_t indent, const struct out_screen *screen, FILE *to);

/* The same behind a head, under whose end the line goes on. */
void out_hanging(const char *head, const char *text, const struct out_screen *screen, FILE *to);

#endif
