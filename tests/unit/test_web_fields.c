/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Unit tests of web/fields: queries, forms and cookies, as they should be and as they are made up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"
#include "web/fields.h"

static int parse(struct fields *f, const char *text)
{
	return fields_parse(f, text, strlen(text), NULL);
}

static void pairs_are_decoded(void **state)
{
	struct fields f;

	(void)state;
	assert_int_equal(parse(&f, "name=a+b%2Bc&&month=&q=Gr%C3%BC%c3%9fe%5C=x&flag"), 0);
	assert_string_equal(fields_get(&f, "name"), "a b+c");
	assert_null(fields_get(&f, "month")); /* as a form sends what was left out */
	assert_null(fields_get(&f, "flag"));
	assert_null(fields_get(&f, "other"));
	assert_string_equal(fields_get(&f, "q"), "Grüße\\=x");
	fields_free(&f);
	assert_int_equal(parse(&f, ""), 0);
	assert_int_equal(f.count, 0);
	fields_free(&f);
}

static void what_is_not_well_formed_is_refused(void **state)
{
	static const char *const bad[] = {"a=%",       "a=%4",        "a=%zz",       "a=%00",  "a=1&a=2",
					  "a=1&%61=2", "=1",          "a=%0a",       "a=\x01", "a=%ff",
					  "a=%c3",     "%00=1",       "a=%e2%80%ae", "a=%7f",  "a=%ed%a0%80",
					  "a=\xc3",    "b=1&a=%c0%af"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct fields f;
		char *err = NULL;

		if (fields_parse(&f, bad[i], strlen(bad[i]), &err) == 0)
			fail_msg("%s", bad[i]);
		assert_non_null(err);
		free(err);
		fields_free(&f);
	}
}

static void only_so_many_are_taken(void **state)
{
	char text[FIELDS_MOST * 4 + 8] = "";
	struct fields f;

	(void)state;
	for (int i = 0; i <= FIELDS_MOST; i++) {
		assert_int_equal(parse(&f, text), 0);
		assert_int_equal(f.count, i);
		fields_free(&f);
		(void)snprintf(text + strlen(text), 5, "%c=1&", 'a' + i);
	}
	assert_int_equal(parse(&f, text), -1);
	fields_free(&f);
}

static void a_value_ends_where_its_bytes_do(void **state)
{
	struct fields f;

	(void)state;
	assert_int_equal(fields_parse(&f, "a=12345", 4, NULL), 0);
	assert_string_equal(fields_get(&f, "a"), "12");
	fields_free(&f);
	assert_int_equal(fields_parse(&f, "a=%41", 4, NULL), -1);
	fields_free(&f);
	assert_int_equal(fields_parse(&f, "a=1\0b", 5, NULL), -1);
	fields_free(&f);
}

static void names_are_checked(void **state)
{
	static const char *const names[] = {"a", "b", NULL};
	char *err = NULL;
	struct fields f;

	(void)state;
	assert_int_equal(parse(&f, "b=1&a=2"), 0);
	assert_int_equal(fields_check(&f, names, &err), 0);
	fields_free(&f);
	assert_int_equal(parse(&f, "b=1&c=2"), 0);
	assert_int_equal(fields_check(&f, names, &err), -1);
	assert_string_equal(err, "unknown parameter `c`");
	free(err);
	fields_free(&f);
}

static void expect_cookie(const char *header, const char *value)
{
	char *seen = fields_cookie(header, "xenbw");

	if (value)
		assert_string_equal(seen, value);
	else if (seen)
		fail_msg("%s", seen);
	free(seen);
}

static void cookies_are_found_once_or_not_at_all(void **state)
{
	(void)state;
	expect_cookie("xenbw=1", "1");
	expect_cookie("a=2; xenbw=1;b=3", "1");
	expect_cookie("xenbw=a=b", "a=b");
	expect_cookie("xenbw=", "");
	expect_cookie("xenbw=1; xenbw=2", NULL);
	expect_cookie("xenbw=1; xenbw=1; xenbw=1", NULL);
	expect_cookie("xenbw-login=1; xxenbw=2; xenbw", NULL);
	expect_cookie("XENBW=1", NULL);
	expect_cookie(";;; ; ;", NULL);
	expect_cookie("", NULL);
	expect_cookie(NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_are_decoded),
		cmocka_unit_test(what_is_not_well_formed_is_refused),
		cmocka_unit_test(only_so_many_are_taken),
		cmocka_unit_test(a_value_ends_where_its_bytes_do),
		cmocka_unit_test(names_are_checked),
		cmocka_unit_test(cookies_are_found_once_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
