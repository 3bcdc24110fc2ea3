/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Unit tests of cli/out: the same table for people, for programs and for spreadsheets.
 */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "cli/out.h"
#include "tests/support/unit.h"

enum { NAME, ID, WORDS, RATE, BYTES, TIME, ONLY_PEOPLE, COLUMNS };

static const struct out_column columns[COLUMNS] = {
	[NAME] = {"name", "NAME", OUT_TEXT, 0},      [ID] = {"id", "ID", OUT_NUMBER, 2},
	[WORDS] = {"words", "WORDS", OUT_WORDS, 1},  [RATE] = {"rate", "RATE", OUT_RATE, 3},
	[BYTES] = {"bytes", "BYTES", OUT_BYTES, 0},  [TIME] = {"time", NULL, OUT_TIME, 0},
	[ONLY_PEOPLE] = {NULL, "ALSO", OUT_TEXT, 1},
};

/* Two rows and a total. */
static struct out_table *table(const char *name)
{
	struct out_table *t = out_new(columns, COLUMNS);

	out_head_text(t, "command", "test");
	out_head_text(t, "nothing", NULL);
	out_head_time(t, "then", 1793487600);
	out_head_time(t, "never", -1);
	out_head_words(t, "several", "a b");
	out_head_words(t, "unknown", NULL);
	out_head_number(t, "count", 3);
	out_head_number(t, "uncounted", -1);
	out_head_flag(t, "yes", true);
	out_row(t);
	out_text(t, NAME, name);
	out_number(t, ID, 7);
	out_text(t, WORDS, "one two");
	out_number(t, RATE, 125);
	out_number(t, BYTES, 2048);
	out_number(t, TIME, 0);
	out_text(t, ONLY_PEOPLE, "x");
	out_row(t);
	out_text(t, NAME, "db");
	out_number(t, BYTES, UINT64_MAX);
	out_row(t);
	out_row_is_total(t);
	out_text(t, NAME, "total");
	out_number(t, BYTES, 5);
	return t;
}

static char *written(struct out_table *t, enum out_format format, size_t width, bool exact)
{
	struct out_screen screen = {width, exact};
	char *text = NULL, *err = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	if (out_write(t, format, "rows", &screen, to, &err) < 0)
		fail_msg("%s", err);
	assert_int_equal(fclose(to), 0);
	out_free(t);
	return text;
}

static void expect(char *seen, const char *expected)
{
	assert_string_equal(seen, expected);
	free(seen);
}

static void a_pipe_gets_every_column_with_units_to_the_right(void **state)
{
	(void)state;
	expect(written(table("web"), OUT_TERMINAL, 0, false), "NAME   ID  WORDS     RATE     BYTES  ALSO\n"
							      "web     7  one two  1.00k  2.00 KiB  x\n"
							      "db      -  -            -  16.0 EiB  -\n"
							      "total                           5 B  \n");
}

static void exact_numbers_have_no_units(void **state)
{
	(void)state;
	expect(written(table("web"), OUT_TERMINAL, 0, true),
	       "NAME   ID  WORDS    RATE                 BYTES  ALSO\n"
	       "web     7  one two  1000                  2048  x\n"
	       "db      -  -           -  18446744073709551615  -\n"
	       "total                                        5  \n");
}

static void a_terminal_that_is_wide_enough_hides_nothing(void **state)
{
	(void)state;
	expect(written(table("web"), OUT_TERMINAL, 41, false), "NAME   ID  WORDS     RATE     BYTES  ALSO\n"
							       "web     7  one two  1.00k  2.00 KiB  x\n"
							       "db      -  -            -  16.0 EiB  -\n"
							       "total                           5 B  \n");
}

static void a_narrow_terminal_loses_columns_in_their_order_and_says_so(void **state)
{
	(void)state;
	expect(written(table("web"), OUT_TERMINAL, 40, false), "NAME   ID   RATE     BYTES\n"
							       "web     7  1.00k  2.00 KiB\n"
							       "db      -      -  16.0 EiB\n"
							       "total                  5 B\n"
							       "Hidden: WORDS, ALSO. --wide shows all.\n");
	expect(written(table("web"), OUT_TERMINAL, 25, false), "NAME    RATE     BYTES\n"
							       "web    1.00k  2.00 KiB\n"
							       "db         -  16.0 EiB\n"
							       "total              5 B\n"
							       "Hidden: ID, WORDS, ALSO.\n"
							       "--wide shows all.\n");
	expect(written(table("web"), OUT_TERMINAL, 16, false), "NAME      BYTES\n"
							       "web    2.00 KiB\n"
							       "db     16.0 EiB\n"
							       "total       5 B\n"
							       "Hidden: ID,\n"
							       "WORDS, RATE,\n"
							       "ALSO.\n"
							       "--wide shows all.\n");
}

static void a_column_without_a_value_goes_first(void **state)
{
	struct out_table *t = out_new(columns, COLUMNS);

	(void)state;
	out_row(t);
	out_text(t, NAME, "web");
	out_text(t, WORDS, "one");
	out_number(t, ID, 7);
	out_number(t, BYTES, 1);
	expect(written(t, OUT_TERMINAL, 25, false), "NAME  ID  WORDS  BYTES\n"
						    "web    7  one      1 B\n"
						    "Hidden: RATE, ALSO.\n"
						    "--wide shows all.\n");
}

static void long_names_are_cut_before_columns_go_and_by_places_not_bytes(void **state)
{
	(void)state;
	expect(written(table("a-domain-with-a-name-of-forty-characters"), OUT_TERMINAL, 70, false),
	       "NAME                              ID  WORDS     RATE     BYTES  ALSO\n"
	       "a-domain-with-a-name-of-forty-c…   7  one two  1.00k  2.00 KiB  x\n"
	       "db                                 -  -            -  16.0 EiB  -\n"
	       "total                                                      5 B  \n"
	       "Long names are cut. --wide shows all.\n");
	/* each of these fills two places: three and the mark are seven of the eight there are */
	expect(written(table("日本日本日本"), OUT_TERMINAL, 18, false), "NAME        BYTES\n"
									"日本日…  2.00 KiB\n"
									"db       16.0 EiB\n"
									"total         5 B\n"
									"Hidden: ID, WORDS,\n"
									"RATE, ALSO.\n"
									"Long names are cut.\n"
									"--wide shows all.\n");
	expect(written(table("abcdefghijkl"), OUT_TERMINAL, 10, false), "NAME         BYTES\n"
									"abcdefg…  2.00 KiB\n"
									"db        16.0 EiB\n"
									"total          5 B\n"
									"Hidden:\n"
									"ID, WORDS,\n"
									"RATE,\n"
									"ALSO.\n"
									"Long names are cut.\n"
									"--wide shows all.\n");
}

static void a_name_of_four_thousand_bytes_is_whole_in_a_pipe(void **state)
{
	char *name = mem_alloc(4001), *text;

	(void)state;
	memset(name, 'n', 4000);
	text = written(table(name), OUT_TERMINAL, 0, false);
	assert_non_null(strstr(text, name));
	free(text);
	text = written(table(name), OUT_TERMINAL, 80, false);
	assert_int_equal(strcspn(text, "\n"), 68); /* 32 of the name, and all columns */
	free(text);
	free(name);
}

static void what_a_terminal_must_not_get_is_written_as_hex(void **state)
{
	char *text = written(table("esc\x1b[31m\xff \\x1b"), OUT_TERMINAL, 0, false);

	(void)state;
	assert_non_null(
		strstr(text, "esc\\x1b[31m\\xff \\x1b")); /* the backslash of a printable name stays one */
	assert_null(strchr(text, '\x1b'));
	free(text);
}

static void a_line_below_goes_on_at_a_blank(void **state)
{
	static const struct {
		size_t width;
		const char *expected;
	} cases[] = {{0, "one two three\n"},
		     {13, "one two three\n"},
		     {12, "one two\nthree\n"},
		     {2, "one\ntwo\nthree\n"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct out_screen screen = {cases[i].width, false};
		char *text = NULL;
		size_t size = 0;
		FILE *to = open_memstream(&text, &size);

		assert_non_null(to);
		out_line("one two three", &screen, to);
		assert_int_equal(fclose(to), 0);
		expect(text, cases[i].expected);
	}
}

static void csv_has_headings_crlf_and_nothing_for_null_or_totals(void **state)
{
	(void)state;
	expect(written(table("web"), OUT_CSV, 0, false), "name,id,words,rate,bytes,time\r\n"
							 "web,7,one two,125,2048,1970-01-01T00:00:00Z\r\n"
							 "db,,,,18446744073709551615,\r\n");
}

static void csv_text_is_quoted_and_never_a_formula(void **state)
{
	static const char *const cells[][2] = {
		{"a,b", "\"a,b\""},
		{"say \"hi\"", "\"say \"\"hi\"\"\""},
		{"two\nlines, \r", "\"two\\x0alines, \\x0d\""},
		{"esc\x1b[31m\x7f\xff", "esc\\x1b[31m\\x7f\\xff"},
		{"printable\\x1b already", "printable\\x1b already"},
		{"\xc2\x9b"
		 "2J",
		 "\\xc2\\x9b"
		 "2J"},
		{"=1+1", "'=1+1"},
		{"+49", "'+49"},
		{"-rf", "'-rf"},
		{"@SUM(A1)", "'@SUM(A1)"},
		{"\ttab", "\\x09tab"},
		{"=A1,\"x\"", "\"'=A1,\"\"x\"\"\""},
		{"a=b", "a=b"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		char *expected = mem_printf("name,id,words,rate,bytes,time\r\n%s,7,", cells[i][1]);
		char *text = written(table(cells[i][0]), OUT_CSV, 0, false);

		assert_int_equal(strncmp(text, expected, strlen(expected)), 0);
		free(text);
		free(expected);
	}
}

static void json_is_exact_and_says_null(void **state)
{
	(void)state;
	expect(written(table("wéb \"x\""), OUT_JSON, 0, false), "{\n"
								"  \"format\": 1,\n"
								"  \"command\": \"test\",\n"
								"  \"nothing\": null,\n"
								"  \"then\": \"2026-10-31T23:00:00Z\",\n"
								"  \"never\": null,\n"
								"  \"several\": [\n"
								"    \"a\",\n"
								"    \"b\"\n"
								"  ],\n"
								"  \"unknown\": null,\n"
								"  \"count\": 3,\n"
								"  \"uncounted\": null,\n"
								"  \"yes\": true,\n"
								"  \"rows\": [\n"
								"    {\n"
								"      \"name\": \"wéb \\\"x\\\"\",\n"
								"      \"id\": 7,\n"
								"      \"words\": [\n"
								"        \"one\",\n"
								"        \"two\"\n"
								"      ],\n"
								"      \"rate\": 125,\n"
								"      \"bytes\": 2048,\n"
								"      \"time\": \"1970-01-01T00:00:00Z\"\n"
								"    },\n"
								"    {\n"
								"      \"name\": \"db\",\n"
								"      \"id\": null,\n"
								"      \"words\": null,\n"
								"      \"rate\": null,\n"
								"      \"bytes\": \"18446744073709551615\",\n"
								"      \"time\": null\n"
								"    }\n"
								"  ]\n"
								"}\n");
}

static void json_of_a_name_that_is_no_text_is_still_json(void **state)
{
	char *text = written(table("bad\xff"), OUT_JSON, 0, false);

	(void)state;
	assert_non_null(strstr(text, "\"name\": \"bad\\\\xff\""));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pipe_gets_every_column_with_units_to_the_right),
		cmocka_unit_test(exact_numbers_have_no_units),
		cmocka_unit_test(a_terminal_that_is_wide_enough_hides_nothing),
		cmocka_unit_test(a_narrow_terminal_loses_columns_in_their_order_and_says_so),
		cmocka_unit_test(a_column_without_a_value_goes_first),
		cmocka_unit_test(long_names_are_cut_before_columns_go_and_by_places_not_bytes),
		cmocka_unit_test(a_name_of_four_thousand_bytes_is_whole_in_a_pipe),
		cmocka_unit_test(what_a_terminal_must_not_get_is_written_as_hex),
		cmocka_unit_test(a_line_below_goes_on_at_a_blank),
		cmocka_unit_test(csv_has_headings_crlf_and_nothing_for_null_or_totals),
		cmocka_unit_test(csv_text_is_quoted_and_never_a_formula),
		cmocka_unit_test(json_is_exact_and_says_null),
		cmocka_unit_test(json_of_a_name_that_is_no_text_is_still_json),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
