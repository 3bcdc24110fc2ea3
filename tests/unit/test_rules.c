/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The class of what crossed an uplink: netacct's rules in netacct's order, one by one, then each against
 * each.
 */
#include "net/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"

static struct conf settings(enum conf_kind kind, const char *text)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	char *err = NULL;
	struct conf c;

	assert_non_null(in);
	conf_init(&c);
	c.kind = kind;
	if (conf_parse(&c, in, "file", &err) < 0)
		fail_msg("`%s`: %s", text, err);
	fclose(in);
	return c;
}

static struct rules *rules_of(enum conf_kind kind, const char *text)
{
	struct conf c = settings(kind, text);
	struct rules *r = rules_new(&c);

	conf_free(&c); /* the rules have their own copy */
	return r;
}

static const char *const names[CLASS_COUNT] = {"external", "peer", "direct", "local", "ignored"};

static enum byte_class class_of(const struct rules *r, const char *own, const char *remote)
{
	struct network a, b;

	assert_true(network_address(own, &a));
	assert_true(network_address(remote, &b));
	return rules_class(r, a.address, b.address);
}

static void is(const struct rules *r, const char *own, const char *remote, enum byte_class expected)
{
	enum byte_class found = class_of(r, own, remote);

	if (found != expected)
		fail_msg("%s with %s is %s, not %s", own, remote, names[found], names[expected]);
}

/* The same whichever end is the own one. */
static void is_both_ways(const struct rules *r, const char *a, const char *b, enum byte_class expected)
{
	is(r, a, b, expected);
	is(r, b, a, expected);
}

#define ALL_LISTS                                                    \
	"ournet 192.0.2.0/24\nournet 2001:db8::/48\n"                \
	"direct_peer 198.51.100.0/24\ndirect_peer 2001:db8:d::/48\n" \
	"peer 203.0.113.0/24\npeer 2001:db8:e::/48\n"                \
	"ignorenet 10.0.0.0/8\nignorenet fd00::/8\n"                 \
	"dontignore 10.1.0.0/16\ndontignore fd01::/16\n"

static void without_settings_all_is_external(void **state)
{
	struct rules *tab = rules_of(CONF_NACCTTAB, "\n"), *conf = rules_of(CONF_XENBW, "\n");

	(void)state;
	is(tab, "192.0.2.1", "198.51.100.1", CLASS_EXTERNAL);
	is(conf, "192.0.2.1", "198.51.100.1", CLASS_EXTERNAL);
	is(conf, "192.0.2.1", "255.255.255.255", CLASS_EXTERNAL); /* broadcast, multicast */
	is(conf, "192.0.2.1", "224.0.0.251", CLASS_EXTERNAL);
	is(conf, "2001:db8::1", "2a00::1", CLASS_EXTERNAL);
	is(conf, "2001:db8::1", "ff02::fb", CLASS_EXTERNAL);
	rules_free(tab);
	rules_free(conf);
	rules_free(NULL);
}

/* ---- 2.1: the class by the remote end ---- */

static void the_remote_end_gives_the_class(void **state)
{
	(void)state;
	for (int kind = CONF_XENBW; kind <= CONF_NACCTTAB; kind++) {
		struct rules *r = rules_of((enum conf_kind)kind, ALL_LISTS);

		is(r, "192.0.2.1", "192.0.2.2", CLASS_LOCAL);
		is(r, "192.0.2.1", "198.51.100.1", CLASS_DIRECT);
		is(r, "192.0.2.1", "203.0.113.1", CLASS_PEER);
		is(r, "192.0.2.1", "8.8.8.8", CLASS_EXTERNAL);
		is(r, "2001:db8::1", "2001:db8::2", CLASS_LOCAL);
		is(r, "2001:db8::1", "2001:db8:d::1", CLASS_DIRECT);
		is(r, "2001:db8::1", "2001:db8:e::1", CLASS_PEER);
		is(r, "2001:db8::1", "2a00::1", CLASS_EXTERNAL);
		rules_free(r);
	}
}

static void of_the_lists_ournet_wins_then_direct_then_peer(void **state)
{
	struct rules *r = rules_of(CONF_XENBW, "ournet 192.0.2.1\nournet 2001:db8::1\n"
					       "direct_peer 192.0.2.0/31\ndirect_peer 2001:db8::/127\n"
					       "peer 192.0.2.0/30\npeer 2001:db8::/126\n");

	(void)state;
	is(r, "8.8.8.8", "192.0.2.1", CLASS_LOCAL);
	is(r, "8.8.8.8", "192.0.2.0", CLASS_DIRECT);
	is(r, "8.8.8.8", "192.0.2.2", CLASS_PEER);
	is(r, "8.8.8.8", "192.0.2.4", CLASS_EXTERNAL);
	is(r, "2a00::1", "2001:db8::1", CLASS_LOCAL);
	is(r, "2a00::1", "2001:db8::", CLASS_DIRECT);
	is(r, "2a00::1", "2001:db8::2", CLASS_PEER);
	is(r, "2a00::1", "2001:db8::4", CLASS_EXTERNAL);
	rules_free(r);
	/* the narrower network does not win over the list */
	r = rules_of(CONF_XENBW, "ournet 192.0.0.0/16\ndirect_peer 192.0.2.0/24\npeer 192.0.2.1\n");
	is(r, "8.8.8.8", "192.0.2.1", CLASS_LOCAL);
	rules_free(r);
}

/* nacctd left the class to chance there; its manual says international. */
static void in_a_naccttab_what_is_outside_ournet_is_external(void **state)
{
	struct rules *tab = rules_of(CONF_NACCTTAB, ALL_LISTS), *conf = rules_of(CONF_XENBW, ALL_LISTS);
	static const struct {
		const char *own, *remote;
		enum byte_class conf;
	} cases[] = {
		{"8.8.8.8", "192.0.2.1", CLASS_LOCAL},      {"8.8.8.8", "198.51.100.1", CLASS_DIRECT},
		{"8.8.8.8", "203.0.113.1", CLASS_PEER},     {"8.8.8.8", "9.9.9.9", CLASS_EXTERNAL},
		{"2a00::1", "2001:db8::1", CLASS_LOCAL},    {"2a00::1", "2001:db8:d::1", CLASS_DIRECT},
		{"2a00::1", "2001:db8:e::1", CLASS_PEER},   {"2a00::1", "2a00::2", CLASS_EXTERNAL},
		{"198.51.100.1", "192.0.2.1", CLASS_LOCAL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		is(tab, cases[i].own, cases[i].remote, CLASS_EXTERNAL);
		is(conf, cases[i].own, cases[i].remote, cases[i].conf);
	}
	rules_free(tab);
	rules_free(conf);
}

static void in_a_naccttab_without_ournet_nothing_is_local_direct_or_peer(void **state)
{
	struct rules *r = rules_of(CONF_NACCTTAB, "direct_peer 198.51.100.0/24\npeer 203.0.113.0/24\n");

	(void)state;
	is(r, "192.0.2.1", "198.51.100.1", CLASS_EXTERNAL);
	is(r, "192.0.2.1", "203.0.113.1", CLASS_EXTERNAL);
	rules_free(r);
	r = rules_of(CONF_NACCTTAB, "ournet 0.0.0.0 0.0.0.0\ndirect_peer 198.51.100.0/24\n");
	is(r, "192.0.2.1", "198.51.100.1", CLASS_LOCAL);
	is(r, "2001:db8::1", "2001:db8::2", CLASS_EXTERNAL); /* all of IPv4 is no IPv6 */
	rules_free(r);
}

/* Of one's own end only ournet is asked. */
static void lists_at_the_own_end_give_no_class(void **state)
{
	struct rules *r = rules_of(CONF_XENBW, ALL_LISTS);

	(void)state;
	is(r, "198.51.100.1", "8.8.8.8", CLASS_EXTERNAL);
	is(r, "203.0.113.1", "8.8.8.8", CLASS_EXTERNAL);
	is(r, "192.0.2.1", "8.8.8.8", CLASS_EXTERNAL);
	is(r, "2001:db8:d::1", "2a00::1", CLASS_EXTERNAL);
	is(r, "10.1.0.1", "8.8.8.8", CLASS_EXTERNAL); /* dontignore */
	rules_free(r);
}

/* ---- 2.2: what is ignored ---- */

static void equal_ends_are_ignored(void **state)
{
	(void)state;
	for (int kind = CONF_XENBW; kind <= CONF_NACCTTAB; kind++) {
		struct rules *r = rules_of((enum conf_kind)kind, ALL_LISTS);

		is(r, "8.8.8.8", "8.8.8.8", CLASS_IGNORED);
		is(r, "192.0.2.1", "192.0.2.1", CLASS_IGNORED);
		is(r, "2a00::1", "2a00::1", CLASS_IGNORED);
		is_both_ways(r, "8.8.8.8", "8.8.8.9", CLASS_EXTERNAL);
		is_both_ways(r, "2a00::1", "2a00::2", CLASS_EXTERNAL);
		is_both_ways(r, "2a00::1", "2b00::1", CLASS_EXTERNAL);
		rules_free(r);
	}
}

static void ignoremask_compares_its_bits_only(void **state)
{
	struct rules *r = rules_of(CONF_XENBW, "ignoremask 255.255.255.0\n");

	(void)state;
	is_both_ways(r, "192.0.2.1", "192.0.2.200", CLASS_IGNORED);
	is_both_ways(r, "192.0.2.1", "192.0.3.1", CLASS_EXTERNAL);
	is_both_ways(r, "192.0.2.1", "193.0.2.1", CLASS_EXTERNAL);
	rules_free(r);
	r = rules_of(CONF_XENBW, "ignoremask 255.0.0.255\n"); /* holes are as good as in nacctd */
	is_both_ways(r, "192.0.2.1", "192.99.98.1", CLASS_IGNORED);
	is_both_ways(r, "192.0.2.1", "192.0.2.2", CLASS_EXTERNAL);
	rules_free(r);
	r = rules_of(CONF_XENBW, "ignoremask 0.0.0.0\n");
	is_both_ways(r, "192.0.2.1", "8.8.8.8", CLASS_IGNORED);
	rules_free(r);
}

static void of_ipv6_ignoremask_takes_equal_addresses_only(void **state)
{
	struct rules *r = rules_of(CONF_XENBW, "ignoremask 0.0.0.0\n");

	(void)state;
	is(r, "2001:db8::1", "2001:db8::1", CLASS_IGNORED);
	is_both_ways(r, "2001:db8::1", "2001:db8::2", CLASS_EXTERNAL);
	is_both_ways(r, "2001:db8::1", "2001:db9::1", CLASS_EXTERNAL);
	is_both_ways(r, "::192.0.2.1", "192.0.2.1", CLASS_EXTERNAL); /* of two families */
	rules_free(r);
}

static void ignorenet_takes_either_end(void **state)
{
	(void)state;
	for (int kind = CONF_XENBW; kind <= CONF_NACCTTAB; kind++) {
		struct rules *r = rules_of((enum conf_kind)kind, ALL_LISTS);

		is_both_ways(r, "10.0.0.1", "8.8.8.8", CLASS_IGNORED);
		is_both_ways(r, "10.0.0.1", "10.0.0.2", CLASS_IGNORED);
		is_both_ways(r, "fd00::1", "2a00::1", CLASS_IGNORED);
		is_both_ways(r, "fd00::1", "fd00::2", CLASS_IGNORED);
		is_both_ways(r, "11.0.0.1", "8.8.8.8", CLASS_EXTERNAL);
		rules_free(r);
	}
}

static void ignorenet_wins_over_every_class(void **state)
{
	struct rules *r = rules_of(CONF_XENBW, ALL_LISTS "ignorenet 0.0.0.0/0\nignorenet ::/0\n");

	(void)state;
	is(r, "192.0.2.1", "192.0.2.2", CLASS_IGNORED);
	is(r, "192.0.2.1", "198.51.100.1", CLASS_IGNORED);
	is(r, "192.0.2.1", "203.0.113.1", CLASS_IGNORED);
	is(r, "192.0.2.1", "8.8.8.8", CLASS_IGNORED);
	is(r, "2001:db8::1", "2001:db8::2", CLASS_IGNORED);
	is(r, "2001:db8::1", "2001:db8:d::1", CLASS_IGNORED);
	is(r, "2001:db8::1", "2001:db8:e::1", CLASS_IGNORED);
	rules_free(r);
	r = rules_of(CONF_NACCTTAB, ALL_LISTS); /* over an own end outside ournet as well */
	is(r, "8.8.8.8", "10.0.0.1", CLASS_IGNORED);
	is(r, "10.0.0.1", "192.0.2.1", CLASS_IGNORED);
	rules_free(r);
}

static void either_end_in_dontignore_rescues(void **state)
{
	struct rules *r = rules_of(CONF_XENBW, ALL_LISTS "dontignore 8.8.8.8\ndontignore 2a00::8\n");

	(void)state;
	is_both_ways(r, "10.1.0.1", "9.9.9.9", CLASS_EXTERNAL); /* the ignored end itself */
	is_both_ways(r, "10.0.0.1", "8.8.8.8", CLASS_EXTERNAL); /* the other one */
	is_both_ways(r, "10.0.0.1", "10.1.0.1", CLASS_EXTERNAL);
	is_both_ways(r, "10.0.0.1", "9.9.9.9", CLASS_IGNORED);
	is_both_ways(r, "fd01::1", "2a00::1", CLASS_EXTERNAL);
	is_both_ways(r, "fd00::1", "2a00::8", CLASS_EXTERNAL);
	is_both_ways(r, "fd00::1", "2a00::1", CLASS_IGNORED);
	rules_free(r);
}

/* What is rescued goes through the rules behind. */
static void the_rescued_has_the_class_that_it_would_have(void **state)
{
	struct rules *tab = rules_of(CONF_NACCTTAB, ALL_LISTS "ournet 10.1.1.0/24\ndirect_peer 10.1.2.0/24\n"
							      "peer 10.1.3.0/24\n");

	(void)state;
	is(tab, "192.0.2.1", "10.1.1.1", CLASS_LOCAL);
	is(tab, "192.0.2.1", "10.1.2.1", CLASS_DIRECT);
	is(tab, "192.0.2.1", "10.1.3.1", CLASS_PEER);
	is(tab, "192.0.2.1", "10.1.4.1", CLASS_EXTERNAL);
	is(tab, "10.1.1.1", "192.0.2.1", CLASS_LOCAL);
	is(tab, "10.1.4.1", "192.0.2.1", CLASS_EXTERNAL); /* outside ournet */
	rules_free(tab);
}

static void dontignore_does_not_rescue_from_ignoremask(void **state)
{
	struct rules *r = rules_of(CONF_XENBW, "ignoremask 255.255.255.0\n"
					       "dontignore 0.0.0.0/0\ndontignore ::/0\n"
					       "ignorenet 0.0.0.0/0\nournet 192.0.2.0/24\n");

	(void)state;
	is(r, "192.0.2.1", "192.0.2.2", CLASS_IGNORED);
	is(r, "2001:db8::1", "2001:db8::1", CLASS_IGNORED);
	is(r, "8.8.8.8", "192.0.2.2", CLASS_LOCAL);
	rules_free(r);
}

/* dontignore alone is no class and makes none. */
static void dontignore_means_nothing_without_ignorenet(void **state)
{
	struct rules *r = rules_of(CONF_XENBW, "dontignore 192.0.2.0/24\ndirect_peer 192.0.2.0/25\n");

	(void)state;
	is(r, "8.8.8.8", "192.0.2.1", CLASS_DIRECT);
	is(r, "8.8.8.8", "192.0.2.200", CLASS_EXTERNAL);
	rules_free(r);
}

/* ---- each against each ---- */

/* The rules behind ignoremask, as they are told; `own` and `remote` say which lists an end is in. */
enum { IN_IGNORE = 1, IN_DONTIGNORE = 2, IN_OURNET = 4, IN_DIRECT = 8, IN_PEER = 16, IN_ALL = 31 };

static enum byte_class told(enum conf_kind kind, unsigned own, unsigned remote)
{
	bool either_ignored = own & IN_IGNORE || remote & IN_IGNORE;
	bool either_rescued = own & IN_DONTIGNORE || remote & IN_DONTIGNORE;

	if (either_ignored && !either_rescued)
		return CLASS_IGNORED;
	if (kind == CONF_NACCTTAB && !(own & IN_OURNET))
		return CLASS_EXTERNAL;
	if (remote & IN_OURNET)
		return CLASS_LOCAL;
	if (remote & IN_DIRECT)
		return CLASS_DIRECT;
	return remote & IN_PEER ? CLASS_PEER : CLASS_EXTERNAL;
}

/* 192.0.2.N and 2001:db8::N are in the lists that N's bits say; so are their namesakes at +128 for the other
 * end. */
static void every_pair_of_lists_has_the_class_that_is_told(void **state)
{
	static const char *const words[] = {"ignorenet", "dontignore", "ournet", "direct_peer", "peer"};

	(void)state;
	for (int kind = CONF_XENBW; kind <= CONF_NACCTTAB; kind++) {
		char *text = NULL;
		size_t len;
		FILE *out = open_memstream(&text, &len);
		struct rules *r;

		assert_non_null(out);
		for (unsigned n = 0; n <= IN_ALL; n++)
			for (unsigned l = 0; l < 5; l++)
				if (n >> l & 1)
					fprintf(out,
						"%s 192.0.2.%u\n%s 192.0.2.%u\n%s 2001:db8::%x\n%s "
						"2001:db8::%x\n",
						words[l], n, words[l], n + 128, words[l], n, words[l],
						n + 128);
		fclose(out);
		r = rules_of((enum conf_kind)kind, text);
		for (unsigned own = 0; own <= IN_ALL; own++)
			for (unsigned remote = 0; remote <= IN_ALL; remote++) {
				enum byte_class expected = told((enum conf_kind)kind, own, remote);
				char a[40], b[40];

				snprintf(a, sizeof(a), "192.0.2.%u", own);
				snprintf(b, sizeof(b), "192.0.2.%u", remote + 128);
				is(r, a, b, expected);
				snprintf(a, sizeof(a), "2001:db8::%x", own);
				snprintf(b, sizeof(b), "2001:db8::%x", remote + 128);
				is(r, a, b, expected);
			}
		rules_free(r);
		free(text);
	}
}

/* A guest may write any source address: an ignored one makes nothing free, ournet nothing local. */
static void an_own_end_that_nobody_knows_does_not_count(void **state)
{
	struct rules *r =
		rules_of(CONF_NACCTTAB, "ournet 10.0.0.0/8\nignorenet 127.0.0.0/8\nignoremask 255.0.0.0\n"
					"peer 192.0.2.0/24\ndontignore 127.0.0.1\n");
	struct network n;

	(void)state;
	assert_true(network_address("198.51.100.1", &n));
	assert_int_equal(rules_class(r, NULL, n.address), CLASS_EXTERNAL);
	assert_true(network_address("192.0.2.1", &n));
	assert_int_equal(rules_class(r, NULL, n.address), CLASS_PEER);
	assert_true(network_address("10.1.2.3", &n));
	assert_int_equal(rules_class(r, NULL, n.address), CLASS_LOCAL);
	assert_true(network_address("127.0.0.2", &n));
	assert_int_equal(rules_class(r, NULL, n.address), CLASS_IGNORED);
	assert_true(network_address("127.0.0.1", &n));
	assert_int_equal(rules_class(r, NULL, n.address), CLASS_EXTERNAL);
	rules_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_settings_all_is_external),
		cmocka_unit_test(the_remote_end_gives_the_class),
		cmocka_unit_test(of_the_lists_ournet_wins_then_direct_then_peer),
		cmocka_unit_test(in_a_naccttab_what_is_outside_ournet_is_external),
		cmocka_unit_test(in_a_naccttab_without_ournet_nothing_is_local_direct_or_peer),
		cmocka_unit_test(lists_at_the_own_end_give_no_class),
		cmocka_unit_test(equal_ends_are_ignored),
		cmocka_unit_test(ignoremask_compares_its_bits_only),
		cmocka_unit_test(of_ipv6_ignoremask_takes_equal_addresses_only),
		cmocka_unit_test(ignorenet_takes_either_end),
		cmocka_unit_test(ignorenet_wins_over_every_class),
		cmocka_unit_test(either_end_in_dontignore_rescues),
		cmocka_unit_test(the_rescued_has_the_class_that_it_would_have),
		cmocka_unit_test(dontignore_does_not_rescue_from_ignoremask),
		cmocka_unit_test(dontignore_means_nothing_without_ignorenet),
		cmocka_unit_test(every_pair_of_lists_has_the_class_that_is_told),
		cmocka_unit_test(an_own_end_that_nobody_knows_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
