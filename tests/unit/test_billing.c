/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Unit tests of config/billing: owners of domains, and the days on which their months begin.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/support/conf_bed.h"
#include "tests/support/unit.h"

static void owners_add_up(void **state)
{
	struct conf c = conf_bed_good("owner acme web  mail\tglobex db\n");

	(void)state;
	assert_string_equal(billing_owner_of(&c.owners, "globex"), "acme"); /* one line, one owner */
	conf_free(&c);
	c = conf_bed_good("owner acme web mail\nOWNER globex db\nowner acme web shop\n");
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
	conf_bed_bad("owner acme web\nowner globex db web\n",
		     "xenbw.conf:2: `owner`: web has an owner already, `acme`");
	conf_bed_bad("owner acme\n", "then the names of the domains");
	conf_bed_bad("owner ac\x01me web\n", "control character");
	conf_bed_bad("owner acme we\x02\n", "control character");
	conf_bed_bad("owner\n", "no value");
}

static void months_begin_on_the_first_or_as_it_stands_there(void **state)
{
	struct conf c = conf_bed_good("");

	(void)state;
	assert_int_equal(billing_day_of(&c.billing, "web"), 1);
	conf_free(&c);
	c = conf_bed_good("billing_day 15\nbilling_day 3 web mail\nbilling_day 28 web\n");
	assert_int_equal(billing_day_of(&c.billing, "web"), 28);
	assert_int_equal(billing_day_of(&c.billing, "mail"), 3);
	assert_int_equal(billing_day_of(&c.billing, "db"), 15);
	conf_free(&c);
	conf_bed_bad("billing_day 29\n", "`29` is not a day from 1 to 28");
	conf_bed_bad("billing_day web 3\n", "`web` is not a day");
	conf_bed_bad("billing_day 0 web\n", "`0` is not a day");
	conf_bed_bad("billing_day 3 w\x03\n", "control character");
}

/* Else the last month of such a domain would leave the ledger days after its end. */
static void a_month_that_begins_late_is_kept_for_one_more(void **state)
{
	static const struct {
		const char *text;
		unsigned months;
	} all[] = {{"retain 1 months\n", 1},
		   {"retain 1 months\nbilling_day 1\nbilling_day 1 web\n", 1},
		   {"retain 1 months\nbilling_day 2\n", 2},
		   {"retain 3 months\nbilling_day 1 mail\nbilling_day 28 web\n", 4},
		   {"billing_day 15\n", 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct conf c = conf_bed_good(all[i].text);

		assert_int_equal(conf_kept_months(&c), all[i].months);
		conf_free(&c);
	}
}

static void what_is_printed_is_read_again(void **state)
{
	struct conf c = conf_bed_good("owner acme web mail\nbilling_day 15\nbilling_day 3 web mail\n"), again;
	char *text[2] = {NULL};
	size_t size;
	FILE *out;

	(void)state;
	assert_non_null((out = open_memstream(&text[0], &size)));
	conf_print(&c, out, true);
	fclose(out);
	again = conf_bed_good(text[0]);
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
		cmocka_unit_test(a_month_that_begins_late_is_kept_for_one_more),
		cmocka_unit_test(what_is_printed_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
