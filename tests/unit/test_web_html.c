/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What pages are made of: text that can hold anything, forms that pick a period, and curves with gaps.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "db/usage_slots.h"
#include "tests/support/unit.h"
#include "web/html.h"
#include "web/range.h"
#include "web/spark.h"

#define NOW INT64_C(1795431610) /* 2026-11-23 11:00:10 UTC */

struct paper {
	FILE *out;
	char *text;
	size_t length;
};

static struct paper *paper_new(void)
{
	struct paper *p = mem_alloc(sizeof(*p));

	p->out = open_memstream(&p->text, &p->length);
	assert_non_null(p->out);
	return p;
}

/* Ends it; the text is the caller's. */
static char *text_of(struct paper *p)
{
	char *text;

	assert_int_equal(fclose(p->out), 0);
	text = p->text;
	free(p);
	return text;
}

static void expect_in(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("`%s` is not in: %s", part, text);
}

static unsigned count_of(const char *text, const char *part)
{
	unsigned count = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		count++;
	return count;
}

static void text_is_only_text(void **state)
{
	struct paper *p = paper_new();
	char *text;

	(void)state;
	html_text(p->out, "<script>\"&'\x1b[2J");
	text = text_of(p);
	assert_string_equal(text, "&lt;script&gt;&quot;&amp;&#39;\\x1b[2J");
	free(text);
	p = paper_new();
	html_query(p->out, "a b&c=\"Gr\xc3\xbc-._~");
	text = text_of(p);
	assert_string_equal(text, "a%20b%26c%3D%22Gr%C3%BC-._~");
	free(text);
}

static void figures_have_units_and_the_exact_number(void **state)
{
	struct paper *p = paper_new();
	char *text;

	(void)state;
	html_bytes(p->out, 1234567890123);
	text = text_of(p);
	assert_string_equal(text, "<td title=\"1234567890123 bytes\">1.12 TiB</td>");
	free(text);
	text = html_rate(180000);
	assert_string_equal(text, "1.44 Mbit/s");
	free(text);
}

static void a_page_has_a_title_and_a_way_out(void **state)
{
	struct viewer v = {.name = "a<b", .token = "0123"};
	struct paper *p = paper_new();
	char *text;

	(void)state;
	html_begin(p->out, "x & y", &v);
	html_end(p->out);
	text = text_of(p);
	expect_in(text, "<title>x &amp; y - xenbw</title>");
	expect_in(text, "<h1>x &amp; y</h1>");
	expect_in(text, "<span>a&lt;b</span>");
	expect_in(text, "name=\"token\" value=\"0123\"");
	free(text);
	p = paper_new();
	html_begin(p->out, "Log in", NULL);
	text = text_of(p);
	assert_null(strstr(text, "/logout"));
	free(text);
}

static void forms_keep_what_was_picked(void **state)
{
	static const char query[] = "month=2026-10&from=2026-11-02&to=%3C";
	struct paper *p = paper_new();
	struct fields f;
	char *text;

	(void)state;
	assert_int_equal(fields_parse(&f, query, strlen(query), NULL), 0);
	range_forms(p->out, "/domain", &f, "we\"b", NOW);
	range_query(p->out, &f);
	text = text_of(p);
	assert_int_equal(count_of(text, "<option"), 13); /* the present month and a year */
	expect_in(text, "<option selected>2026-10</option>");
	expect_in(text, "<option>2025-11</option>");
	expect_in(text, "name=\"from\" value=\"2026-11-02\"");
	expect_in(text, "name=\"to\" value=\"&lt;\"");
	assert_int_equal(count_of(text, "name=\"name\" value=\"we&quot;b\""), 2);
	expect_in(text, "&amp;month=2026-10&amp;from=2026-11-02&amp;to=%3C");
	fields_free(&f);
	free(text);
}

static void the_line_says_from_when_to_when(void **state)
{
	struct report_rows r = {.period = {.from = 1793491200, .to = 1796083200}};
	struct paper *p = paper_new();
	char *text;

	(void)state;
	range_line(p->out, &r);
	r.run.boot = (char *)(uintptr_t) "boot";
	r.run.seen = NOW;
	r.several = true;
	r.retired = 1793577600;
	range_line(p->out, &r);
	text = text_of(p);
	expect_in(text, "2026-11-01 00:00 UTC to 2026-12-01 00:00 UTC. Nothing has been counted yet.");
	expect_in(text, "Counted up to 2026-11-23 11:00:10 UTC. Months begin on each domain's billing day.");
	expect_in(text, "What was before 2026-11-02 00:00 UTC has been retired, and is in no figure.");
	assert_int_equal(count_of(text, "retired"), 1);
	free(text);
}

static void a_curve_has_gaps_where_nobody_observed(void **state)
{
	uint64_t bytes[DIR_COUNT][8] = {{300, 600, 0, 0, 0, 900, 0, 300}, {0, 3000, 0, 0, 0, 30000, 0, 0}};
	bool observed[8] = {true, true, false, false, true, true, false, true};
	struct usage_slots s = {
		.from = 1793491200, .count = 8, .bytes = {bytes[0], bytes[1]}, .observed = observed};
	struct paper *p = paper_new();
	char *text;

	(void)state;
	spark_small(p->out, &s);
	text = text_of(p);
	assert_int_equal(count_of(text, "<path"), 2);
	assert_int_equal(count_of(text, "M"), 6); /* three stretches each way */
	expect_in(text, "L85.71 1M");             /* the highest one is at the top */
	free(text);
	p = paper_new();
	spark_large(p->out, &s, 0, "<web>");
	text = text_of(p);
	expect_in(text, "aria-label=\"&lt;web&gt;, at most 800 bit/s\"");
	expect_in(text, "a point is the mean of 5 min");
	expect_in(text, "2026-11-01 00:40 UTC");
	free(text);
}

/* The picture is that of the whole period, also where its first part is not known. */
static void what_nobody_can_know_is_a_gap(void **state)
{
	uint64_t bytes[DIR_COUNT][2] = {{300, 600}, {0, 0}};
	bool observed[2] = {true, true};
	struct usage_slots s = {.earlier = 6,
				.from = 1793491200 + 6 * 300,
				.count = 2,
				.bytes = {bytes[0], bytes[1]},
				.observed = observed};
	struct paper *p = paper_new();
	char *text;

	(void)state;
	spark_large(p->out, &s, 0, "web");
	text = text_of(p);
	expect_in(text, "d=\"M617.1 100"); /* from the seventh of eight on */
	expect_in(text, "2026-11-01 00:00 UTC");
	expect_in(text, "2026-11-01 00:40 UTC");
	free(text);
}

static void nothing_is_a_curve_too(void **state)
{
	struct usage_slots s = {.from = 1793491200};
	struct paper *p = paper_new();
	char *text;

	(void)state;
	spark_small(p->out, &s);
	spark_large(p->out, &s, 1793491500, "none");
	text = text_of(p);
	assert_int_equal(count_of(text, "nan"), 0);
	assert_int_equal(count_of(text, "inf"), 0);
	expect_in(text, "2026-11-01 00:05 UTC");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_only_text),
		cmocka_unit_test(figures_have_units_and_the_exact_number),
		cmocka_unit_test(a_page_has_a_title_and_a_way_out),
		cmocka_unit_test(forms_keep_what_was_picked),
		cmocka_unit_test(the_line_says_from_when_to_when),
		cmocka_unit_test(a_curve_has_gaps_where_nobody_observed),
		cmocka_unit_test(what_nobody_can_know_is_a_gap),
		cmocka_unit_test(nothing_is_a_curve_too),
	};

	if (setenv("TZ", "UTC", 1) != 0)
		return 1;
	tzset();
	return cmocka_run_group_tests_name("web_html", tests, NULL, NULL);
}
