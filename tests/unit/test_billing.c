/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Unit tests of config/billing: owners of domains, and the days on which their months begin.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "config/conf.h"
#include "tests/support/unit.h"

static int parse(struct conf *c, const char *text, char **err)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	int rc;

	assert_non_null(in);
	conf_init(c);
	rc = conf_parse(c, in, "xenbw.conf", err);
	fclose(in);
	return rc;
}

static struct conf good(const char *text)
{
	struct conf c;
	char *err = NULL;

	if (parse(&c, text, &err) < 0)
		fail_msg("%s", err);
	return c;
}

static void bad(const char *text, const char *why)
{
	struct conf c;
	char *err = NULL;

	assert_int_equal(parse(&c, text, &err), -1);
	if (!strstr(err, why))
		fail_msg("%s: not: %s", err, why);
	err_clear(&err);
	conf_free(&c);
}

static void owners_add_up(void **state)
{
	struct conf c = good("owner acme web  mail\tglobex db\n");

	(void)state;
	assert_string_equal(billing_owner_of(&c.owners, "globex"), "acme"); /* one line, one owner */
	conf_free(&c);
	c = good("owner acme web mail\nOWNER globex db\nowner acme web shop\n");
	assert_string_equal(billing_owner_of(&c.owners, "web"), "acme");
	assert_string_equal(billing_owner_of(&c.owners, "shop"), "acme");
	assert_string_equal(billing_owner_of(&c.owners, "db"), "globex");
	assert_null(billing_owner_of(&c.owners, "acme"));
	assert_int_equal(c.owners.count, 4);
	conf_free(&c);
}

static void a_domain_has_one_owner(void **state)
{
	(void)state;
	bad("owner acme web\nowner globex db web\n",
	    "xenbw.conf:2: `owner`: web has an owner already, `acme`");
	bad("owner acme\n", "then the names of the domains");
	bad("owner ac\x01me web\n", "control character");
	bad("owner acme we\x02\n", "control character");
	bad("owner\n", "no value");
}

static void months_begin_on_the_first_or_as_it_stands_there(void **state)
{
	struct conf c = good("");

	(void)state;
	assert_int_equal(billing_day_of(&c.billing, "web"), 1);
	conf_free(&c);
	c = good("billing_day 15\nbilling_day 3 web mail\nbilling_day 28 web\n");
	assert_int_equal(billing_day_of(&c.billing, "web"), 28);
	assert_int_equal(billing_day_of(&c.billing, "mail"), 3);
	assert_int_equal(billing_day_of(&c.billing, "db"), 15);
	conf_free(&c);
	bad("billing_day 29\n", "`29` is not a day from 1 to 28");
	bad("billing_day web 3\n", "`web` is not a day");
	bad("billing_day 0 web\n", "`0` is not a day");
	bad("billing_day 3 w\x03\n", "control character");
}

static void what_is_printed_is_read_again(void **state)
{
	struct conf c = good("owner acme web mail\nbilling_day 15\nbilling_day 3 web mail\n"), again;
	char *text[2] = {NULL};
	size_t size;
	FILE *out;

	(void)state;
	assert_non_null((out = open_memstream(&text[0], &size)));
	conf_print(&c, out, true);
	fclose(out);
	again = good(text[0]);
	assert_non_null((out = open_memstream(&text[1], &size)));
	conf_print(&again, out, true);
	fclose(out);
	assert_string_equal(text[0], text[1]);
	assert_int_equal(billing_day_of(&again.billing, "mail"), 3);
	assert_string_equal(billing_owner_of(&again.owners, "mail"), "acme");
	free(text[0]);
	free(text[1]);
	conf_free(&c);
	conf_free(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(owners_add_up),
		cmocka_unit_test(a_domain_has_one_owner),
		cmocka_unit_test(months_begin_on_the_first_or_as_it_stands_there),
		cmocka_unit_test(what_is_printed_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
