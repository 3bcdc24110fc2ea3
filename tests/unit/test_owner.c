/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whose address it is: the admin's word, the toolstack's, and what is done where neither says which.
 */
#include <stdlib.h>
#include <string.h>

#include "account/owner.h"
#include "base/mem.h"
#include "tests/support/unit.h"

struct bed {
	struct conf_addresses lines;
	struct networks compactnet;
	struct owner_rules rules;
};

static const struct owner_names web = {
	.domain = "web", .netdev = "vif3.1", .mac = "00:16:3e:00:00:01", .domid = 3, .devid = 1};

static void line(struct bed *b, const char *address, const char *owner)
{
	struct conf_address a = {.owner = mem_strdup(owner)};

	assert_true(network_address(address, &a.network));
	b->lines.list = mem_resize(b->lines.list, b->lines.count + 1, sizeof(a));
	b->lines.list[b->lines.count++] = a;
	b->rules.lines = &b->lines;
}

static void compactnet(struct bed *b, const char *text)
{
	char *note, *err = NULL;
	struct network n;

	assert_int_equal(network_parse(text, &n, &note, &err), 0);
	free(note);
	networks_add(&b->compactnet, &n);
	b->rules.compactnet = &b->compactnet;
}

static void clear(struct bed *b)
{
	for (size_t i = 0; i < b->lines.count; i++)
		free(b->lines.list[i].owner);
	free(b->lines.list);
	networks_free(&b->compactnet);
}

/* The choice as text: "ADDRESS", with " sole" or " guess". */
static void chosen(const struct bed *b, const struct owner_names *names, const char *toolstack,
		   const char *expected)
{
	struct owners *owners = owners_new(&b->rules);
	struct owner_address own = owner_choose(owners, names, toolstack);
	char *text = mem_printf("%s%s%s", own.text ? own.text : "-", own.sole ? " sole" : "",
				own.ambiguous ? " guess" : "");

	assert_string_equal(text, expected);
	free(text);
	free(own.text);
	networks_free(&own.all);
	owners_free(owners);
}

static void the_toolstack_alone(void **state)
{
	struct bed b = {0};

	(void)state;
	chosen(&b, &web, NULL, "-");
	chosen(&b, &web, "", "-");
	chosen(&b, &web, "10.0.0.1", "10.0.0.1 sole");
	chosen(&b, &web, "2001:db8::1", "2001:db8::1 sole");
	chosen(&b, &web, "10.0.0.2 10.0.0.1", "10.0.0.2 guess");
	chosen(&b, &web, "10.0.0.2 2001:db8::1", "10.0.0.2 guess");
}

static void text_is_canonical(void **state)
{
	struct bed b = {0};

	(void)state;
	chosen(&b, &web, "2001:DB8:0:0:0:0:0:A", "2001:db8::a sole");
	line(&b, "2001:0db8:0000::000a", "web");
	chosen(&b, &web, "2001:db8::a", "2001:db8::a sole"); /* the same, once */
	clear(&b);
}

static void a_line_names_a_domain_a_device_or_a_mac(void **state)
{
	static const char *const owners[] = {"web", "vif3.1", "00:16:3e:00:00:01"};
	static const char *const others[] = {"web2", "we", "vif3.10", "vif3.0", "00:16:3e:00:00:02", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
		struct bed b = {0};

		line(&b, "10.9.9.9", owners[i]);
		chosen(&b, &web, NULL, "10.9.9.9 sole");
		clear(&b);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct bed b = {0};

		line(&b, "10.9.9.9", others[i]);
		chosen(&b, &web, NULL, "-");
		clear(&b);
	}
}

static void a_vif_with_a_name_of_its_own_has_no_other(void **state)
{
	struct owner_names named = {.domain = "web", .vifname = "webnet", .domid = 3, .devid = 1};
	struct owner_names early = {.domain = "web", .domid = 3, .devid = 1};
	struct bed b = {0};

	(void)state;
	line(&b, "10.0.0.8", "vif3.1");
	line(&b, "10.0.0.9", "webnet");
	chosen(&b, &named, NULL, "10.0.0.9 sole");
	chosen(&b, &early, NULL, "10.0.0.8 sole"); /* before its device is there */
	clear(&b);
}

static void a_migration_does_not_change_whose_it_is(void **state)
{
	struct owner_names incoming = {.domain = "web--incoming"}, other = {.domain = "web--other"};
	struct bed b = {0};

	(void)state;
	line(&b, "10.0.0.9", "web");
	chosen(&b, &incoming, "10.0.0.1", "10.0.0.9");
	chosen(&b, &other, "10.0.0.1", "10.0.0.1 sole");
	clear(&b);
}

static void a_line_wins_over_the_toolstack(void **state)
{
	struct owner_names db = {.domain = "db", .domid = 4};
	struct bed b = {0};

	(void)state;
	line(&b, "10.0.0.1", "db");
	chosen(&b, &web, "10.0.0.1", "-");
	chosen(&b, &web, "10.0.0.1 10.0.0.2", "10.0.0.2 sole");
	chosen(&b, &db, NULL, "10.0.0.1 sole");
	chosen(&b, &db, "10.0.0.1", "10.0.0.1 sole");
	clear(&b);
}

static void lines_come_first_and_one_of_them_is_a_choice(void **state)
{
	struct bed b = {0};

	(void)state;
	line(&b, "10.0.0.2", "web");
	chosen(&b, &web, "10.0.0.1 10.0.0.2", "10.0.0.2");
	line(&b, "10.0.0.1", "00:16:3e:00:00:01");
	chosen(&b, &web, "10.0.0.1 10.0.0.2", "10.0.0.2 guess");
	clear(&b);
}

static void what_a_compactnet_covers_is_preferred(void **state)
{
	struct bed b = {0};

	(void)state;
	compactnet(&b, "10.1.0.0/16");
	compactnet(&b, "2001:db8::/32");
	chosen(&b, &web, "10.0.0.1 10.1.0.1", "10.1.0.1");
	chosen(&b, &web, "10.0.0.1 10.2.0.1", "10.0.0.1 guess"); /* none is covered */
	chosen(&b, &web, "10.0.0.1", "10.0.0.1 sole");
	chosen(&b, &web, "10.0.0.1 2001:db8::7 10.1.0.2", "2001:db8::7 guess");
	line(&b, "10.0.0.1", "web");
	chosen(&b, &web, "10.1.0.1", "10.1.0.1"); /* also over a line */
	clear(&b);
}

static void expect_all(const struct owner_address *own, const char *expected)
{
	char *all = mem_strdup("");

	for (size_t i = 0; i < own->all.count; i++) {
		char *one = network_text(&own->all.list[i]), *longer = mem_printf("%s%s ", all, one);

		free(one);
		free(all);
		all = longer;
	}
	assert_string_equal(all, expected);
	free(all);
}

/* A compactnet chooses among them; they are its own all the same. */
static void all_addresses_are_the_vifs_but_those_that_a_line_gives_away(void **state)
{
	struct bed b = {0};
	struct owners *owners;
	struct owner_address own;

	(void)state;
	line(&b, "10.0.0.3", "vif3.1");
	line(&b, "10.0.0.2", "db");
	compactnet(&b, "10.0.0.1");
	owners = owners_new(&b.rules);
	own = owner_choose(owners, &web, "10.0.0.1 10.0.0.2 2001:db8::1 10.0.0.3");
	expect_all(&own, "10.0.0.3 10.0.0.1 2001:db8::1 ");
	assert_string_equal(own.text, "10.0.0.1");
	free(own.text);
	networks_free(&own.all);
	owners_free(owners);
	clear(&b);
}

/* ---- the same as by one look at each line ---- */

static const char *const words[] = {
	"web",    "db",     "web--incoming", "db--migratedaway",  "vif1.0",
	"vif1.1", "vif2.0", "webnet",        "00:16:3e:00:00:01", "00:16:3e:00:00:02"};

static const char *any_word(struct random *random)
{
	size_t i = random_below(random, sizeof(words) / sizeof(words[0]) + 2);

	return i < sizeof(words) / sizeof(words[0]) ? words[i] : NULL;
}

static bool is(const char *name, const char *owner)
{
	return name && strcmp(name, owner) == 0;
}

static bool is_line_of(const struct owner_names *n, const char *owner)
{
	char *plain = mem_printf("vif%u.%u", n->domid, n->devid), *own = mem_strdup(n->domain);
	char *suffix = own ? strstr(own, "--") : NULL;
	bool yes;

	if (suffix)
		*suffix = '\0';
	yes = is(own, owner) || is(n->mac, owner) || is(n->vifname, owner) || is(n->netdev, owner) ||
	      (!n->vifname && is(plain, owner));
	free(own);
	free(plain);
	return yes;
}

/* The toolstack says 10.0.0.0, which some line may give away, and ::1. */
static void compare(const struct bed *b, const struct owners *owners, const struct owner_names *n)
{
	struct owner_address own = owner_choose(owners, n, "10.0.0.0 ::1 10.0.0.0");
	char *expected = mem_strdup(""), *longer;
	bool given = false;
	size_t mine = 0;

	for (size_t i = 0; i < b->lines.count; i++) {
		char *text = network_text(&b->lines.list[i].network);

		given |= strcmp(text, "10.0.0.0") == 0;
		if (is_line_of(n, b->lines.list[i].owner)) {
			longer = mem_printf("%s%s ", expected, text);
			free(expected);
			expected = longer;
			mine++;
		}
		free(text);
	}
	longer = mem_printf("%s%s::1 ", expected, given ? "" : "10.0.0.0 ");
	expect_all(&own, longer);
	assert_int_equal(own.sole, mine == 0 && given);
	assert_int_equal(own.ambiguous, !own.sole && mine != 1);
	free(longer);
	free(expected);
	free(own.text);
	networks_free(&own.all);
}

static void each_vif_has_its_lines_in_their_order(void **state)
{
	struct random random = random_new();

	(void)state;
	for (int round = 0; round < 300; round++) {
		size_t lines = random_below(&random, 12), first = random_below(&random, 12);
		struct owners *owners;
		struct bed b = {0};

		for (size_t i = 0; i < lines; i++) {
			const char *owner = any_word(&random);
			char *address = mem_printf("10.0.0.%zu", (first + i) % 12);

			line(&b, address, owner ? owner : "nobody");
			free(address);
		}
		owners = owners_new(&b.rules);
		for (int vif = 0; vif < 20; vif++) {
			struct owner_names n = {.domain = any_word(&random),
						.vifname = any_word(&random),
						.netdev = any_word(&random),
						.mac = any_word(&random),
						.domid = (unsigned)random_below(&random, 3),
						.devid = (unsigned)random_below(&random, 2)};

			compare(&b, owners, &n);
		}
		owners_free(owners);
		clear(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_toolstack_alone),
		cmocka_unit_test(text_is_canonical),
		cmocka_unit_test(a_line_names_a_domain_a_device_or_a_mac),
		cmocka_unit_test(a_vif_with_a_name_of_its_own_has_no_other),
		cmocka_unit_test(a_migration_does_not_change_whose_it_is),
		cmocka_unit_test(a_line_wins_over_the_toolstack),
		cmocka_unit_test(lines_come_first_and_one_of_them_is_a_choice),
		cmocka_unit_test(what_a_compactnet_covers_is_preferred),
		cmocka_unit_test(all_addresses_are_the_vifs_but_those_that_a_line_gives_away),
		cmocka_unit_test(each_vif_has_its_lines_in_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
