/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Sets of networks: by hand where it is narrow, and at random against a linear look through the lists.
 */
#include "net/netset.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/support/unit.h"

#define LISTS 8

static struct network net(const char *text)
{
	char *note, *err = NULL;
	struct network n;

	if (network_parse(text, &n, &note, &err) < 0)
		fail_msg("`%s`: %s", text, err);
	free(note);
	return n;
}

/* A set of one list for each flag, from 1 on; each is a text of networks with blanks between. */
static struct netset *set_of(const char *const *lists, size_t count)
{
	struct netset *s = netset_new();

	for (size_t i = 0; i < count; i++) {
		struct networks list = {0};
		char *copy = strdup(lists[i]), *rest = copy, *word;

		assert_non_null(copy);
		while ((word = strsep(&rest, " ")) != NULL) {
			struct network n = net(word);

			networks_add(&list, &n);
		}
		netset_add(s, &list, (uint8_t)(1u << i));
		networks_free(&list); /* the set has its own copy */
		free(copy);
	}
	netset_build(s);
	return s;
}

#define SET(...)                                   \
	set_of((const char *const[]){__VA_ARGS__}, \
	       sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void has(const struct netset *s, const char *address, unsigned flags)
{
	struct network host;
	unsigned found;

	assert_true(network_address(address, &host));
	found = netset_flags(s, host.address);
	if (found != flags)
		fail_msg("%s has flags %#x, not %#x", address, found, flags);
}

static void an_empty_set_holds_nothing(void **state)
{
	struct netset *s = netset_new();
	struct networks none = {0};

	(void)state;
	netset_add(s, &none, 1);
	netset_build(s);
	has(s, "0.0.0.0", 0);
	has(s, "192.0.2.1", 0);
	has(s, "255.255.255.255", 0);
	has(s, "::", 0);
	has(s, "2001:db8::1", 0);
	has(s, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0);
	netset_free(s);
}

static void nothing_is_freed_twice_or_left(void **state)
{
	struct network n = net("10.0.0.0/8"), six = net("2001:db8::/32");
	struct networks list = {0};
	struct netset *s = netset_new();

	(void)state;
	netset_free(NULL);
	netset_free(s);
	networks_add(&list, &n);
	networks_add(&list, &six);
	s = netset_new();
	netset_add(s, &list, 1);
	netset_free(s); /* never built */
	networks_free(&list);
}

static void a_network_ends_where_it_ends(void **state)
{
	struct netset *s = SET("192.0.2.128/25 198.51.100.7", "2001:db8:0:4::/62 2001:db8::8000:0:0:0/65");

	(void)state;
	has(s, "192.0.2.127", 0);
	has(s, "192.0.2.128", 1);
	has(s, "192.0.2.255", 1);
	has(s, "192.0.3.0", 0);
	has(s, "198.51.100.6", 0);
	has(s, "198.51.100.7", 1);
	has(s, "198.51.100.8", 0);
	has(s, "2001:db8:0:3:ffff:ffff:ffff:ffff", 0);
	has(s, "2001:db8:0:4::", 2);
	has(s, "2001:db8:0:7:ffff:ffff:ffff:ffff", 2);
	has(s, "2001:db8:0:8::", 0);
	has(s, "2001:db8::7fff:ffff:ffff:ffff", 0);
	has(s, "2001:db8::8000:0:0:0", 2);
	has(s, "2001:db8::ffff:ffff:ffff:ffff", 2);
	has(s, "2001:db8:0:1::", 0);
	netset_free(s);
}

static void the_first_and_the_last_address_are_like_others(void **state)
{
	struct netset *s = SET("0.0.0.0 ::", "255.255.255.255 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
			       "255.0.0.0/8 ff00::/8", "0.0.0.0/31 ::/127");

	(void)state;
	has(s, "0.0.0.0", 1 | 8);
	has(s, "0.0.0.1", 8);
	has(s, "0.0.0.2", 0);
	has(s, "254.255.255.255", 0);
	has(s, "255.255.255.254", 4);
	has(s, "255.255.255.255", 2 | 4);
	has(s, "::", 1 | 8);
	has(s, "::1", 8);
	has(s, "::2", 0);
	has(s, "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0);
	has(s, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", 4);
	has(s, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 2 | 4);
	netset_free(s);
}

static void a_whole_family_is_that_family_only(void **state)
{
	struct netset *s = SET("0.0.0.0/0", "::/0", "::fffe:0:0/95");

	(void)state;
	has(s, "0.0.0.0", 1);
	has(s, "192.0.2.1", 1);
	has(s, "255.255.255.255", 1);
	has(s, "::", 2);
	has(s, "2001:db8::1", 2);
	has(s, "::fffe:192.0.2.1", 2 | 4);
	has(s, "::1:0:0:0", 2);
	has(s, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 2);
	netset_free(s);
}

static void nested_networks_add_up(void **state)
{
	struct netset *s = SET("10.0.0.0/8 2001:db8::/32", "10.1.0.0/16 2001:db8:1::/48", "10.1.2.0/24",
			       "10.1.2.3 2001:db8:1::3", "10.1.3.0/24", "0.0.0.0/0");

	(void)state;
	has(s, "9.255.255.255", 32);
	has(s, "10.0.0.0", 32 | 1);
	has(s, "10.1.0.0", 32 | 1 | 2);
	has(s, "10.1.2.2", 32 | 1 | 2 | 4);
	has(s, "10.1.2.3", 32 | 1 | 2 | 4 | 8);
	has(s, "10.1.2.4", 32 | 1 | 2 | 4);
	has(s, "10.1.2.255", 32 | 1 | 2 | 4);
	has(s, "10.1.3.0", 32 | 1 | 2 | 16);
	has(s, "10.1.4.0", 32 | 1 | 2);
	has(s, "10.2.0.0", 32 | 1);
	has(s, "11.0.0.0", 32);
	has(s, "2001:db8:1::2", 1 | 2);
	has(s, "2001:db8:1::3", 1 | 2 | 8);
	has(s, "2001:db8:1::4", 1 | 2);
	has(s, "2001:db8:2::", 1);
	netset_free(s);
}

/* Inner networks that end with the outer one, and one list twice. */
static void networks_may_end_together_and_repeat(void **state)
{
	struct netset *s = SET("10.0.0.0/8 10.0.0.0/8 10.255.255.255", "10.128.0.0/9 10.0.0.0/8",
			       "10.255.255.255 10.255.255.255", "11.0.0.0/8");

	(void)state;
	has(s, "9.255.255.255", 0);
	has(s, "10.0.0.0", 1 | 2);
	has(s, "10.127.255.255", 1 | 2);
	has(s, "10.128.0.0", 1 | 2);
	has(s, "10.255.255.254", 1 | 2);
	has(s, "10.255.255.255", 1 | 2 | 4);
	has(s, "11.0.0.0", 8);
	has(s, "12.0.0.0", 0);
	netset_free(s);
}

/* A network of every length around one address. */
static void every_prefix_length_counts(void **state)
{
	struct network host4 = net("170.85.170.85"), host6 = net("aaaa:5555:aaaa:5555:aaaa:5555:aaaa:5555");

	(void)state;
	for (unsigned bits = 0; bits <= 128; bits++) {
		struct network n = bits < 96 ? host6 : host4, beside;
		struct networks list = {0};
		struct netset *s = netset_new();

		for (unsigned pass = 0; pass < 2; pass++, n = host6) {
			n.bits = bits;
			for (unsigned bit = bits; bit < 128; bit++)
				n.address[bit / 8] &= (uint8_t) ~(0x80u >> (bit % 8));
			networks_add(&list, &n);
		}
		netset_add(s, &list, 0x80);
		netset_build(s);
		assert_int_equal(netset_flags(s, host6.address), 0x80);
		assert_int_equal(netset_flags(s, host4.address), bits < 96 ? 0 : 0x80);
		for (unsigned bit = 0; bit < 128; bit++) {
			beside = host6;
			beside.address[bit / 8] ^= (uint8_t)(0x80u >> (bit % 8));
			assert_int_equal(netset_flags(s, beside.address), bit < bits ? 0 : 0x80);
		}
		for (unsigned bit = 96; bit < 128; bit++) {
			beside = host4;
			beside.address[bit / 8] ^= (uint8_t)(0x80u >> (bit % 8));
			assert_int_equal(netset_flags(s, beside.address), bits < 96 || bit < bits ? 0 : 0x80);
		}
		netset_free(s);
		networks_free(&list);
	}
}

/* ---- at random ---- */

static void cut(struct network *n)
{
	for (unsigned bit = n->bits; bit < 128; bit++)
		n->address[bit / 8] &= (uint8_t) ~(0x80u >> (bit % 8));
}

/* An address; of few different ones when `narrow`, so that networks meet. */
static struct network random_host(struct random *r, bool narrow)
{
	struct network n = {.bits = 128};
	bool ipv4 = random_next(r) & 1;

	for (int i = 0; i < 16; i++)
		n.address[i] = (uint8_t)random_next(r) & (narrow ? 0x81 : 0xff);
	if (narrow && random_below(r, 4) == 0)
		memset(n.address, random_next(r) & 1 ? 0xff : 0, 16);
	if (ipv4) {
		memset(n.address, 0, 10);
		memset(n.address + 10, 0xff, 2);
	}
	return n;
}

static struct network random_network(struct random *r, bool narrow)
{
	struct network n = random_host(r, narrow);

	n.bits = network_is_ipv4(&n) ? 96 + (unsigned)random_below(r, 33) : (unsigned)random_below(r, 129);
	cut(&n);
	return n;
}

static unsigned linear_flags(const struct networks *lists, const struct network *host)
{
	unsigned flags = 0;

	for (unsigned l = 0; l < LISTS; l++)
		if (networks_contain(&lists[l], host))
			flags |= 1u << l;
	return flags;
}

static void agree(const struct netset *s, const struct networks *lists, const struct network *host)
{
	unsigned found = netset_flags(s, host->address), flags = linear_flags(lists, host);

	if (found != flags) {
		char *text = network_text(host);

		fail_msg("%s has flags %#x, not %#x", text, found, flags);
	}
}

/* The first and last address of a network, and those beside them. */
static void agree_at_ends(const struct netset *s, const struct networks *lists, const struct network *n)
{
	struct network first = *n, last = *n, before, behind;

	first.bits = last.bits = 128;
	for (unsigned bit = n->bits; bit < 128; bit++)
		last.address[bit / 8] |= (uint8_t)(0x80u >> (bit % 8));
	before = first;
	behind = last;
	for (int i = 15; i >= 0 && before.address[i]-- == 0; i--)
		;
	for (int i = 15; i >= 0 && ++behind.address[i] == 0; i--)
		;
	agree(s, lists, &first);
	agree(s, lists, &last);
	agree(s, lists, &before);
	agree(s, lists, &behind);
}

static void random_sets_agree_with_a_linear_look(void **state)
{
	struct random r = random_new();

	(void)state;
	for (int round = 0; round < 400; round++) {
		struct networks lists[LISTS] = {0};
		bool narrow = random_next(&r) & 1;
		uint64_t count = random_below(&r, round % 40 == 0 ? 600 : 40);
		struct netset *s = netset_new();

		for (uint64_t i = 0; i < count; i++) {
			struct network n = random_network(&r, narrow);

			networks_add(&lists[random_below(&r, LISTS)], &n);
		}
		for (unsigned l = 0; l < LISTS; l++)
			netset_add(s, &lists[l], (uint8_t)(1u << l));
		netset_build(s);
		for (int i = 0; i < 100; i++) {
			struct network host = random_host(&r, narrow);

			agree(s, lists, &host);
		}
		for (unsigned l = 0; l < LISTS; l++)
			for (size_t i = 0; i < lists[l].count; i++)
				agree_at_ends(s, lists, &lists[l].list[i]);
		for (unsigned l = 0; l < LISTS; l++)
			networks_free(&lists[l]);
		netset_free(s);
	}
}

/* 10.0.0.0 + at */
static struct network host_at(unsigned at)
{
	struct network n = {.address = {[10] = 0xff, [11] = 0xff, [12] = 10}, .bits = 128};

	n.address[13] = (uint8_t)(at >> 16);
	n.address[14] = (uint8_t)(at >> 8);
	n.address[15] = (uint8_t)at;
	return n;
}

/* More ranges than the index of IPv4 has places, all of them in a few of these. */
static void a_large_set_agrees_with_what_was_put_in(void **state)
{
	enum { HOSTS = 1 << 18, LISTED = 100000 };
	struct networks lists[2] = {{mem_array(LISTED, sizeof(struct network)), 0},
				    {mem_array(LISTED, sizeof(struct network)), 0}};
	uint8_t *flags = mem_alloc(HOSTS);
	struct netset *s = netset_new();

	(void)state;
	for (unsigned i = 0; i < LISTED; i++) {
		unsigned at = i * 40503u % HOSTS; /* each once, in no order */

		flags[at] = i & 3; /* in none, in either, in both */
		for (unsigned l = 0; l < 2; l++)
			if (flags[at] >> l & 1)
				lists[l].list[lists[l].count++] = host_at(at);
	}
	for (unsigned l = 0; l < 2; l++)
		netset_add(s, &lists[l], (uint8_t)(1u << l));
	netset_build(s);
	for (unsigned at = 0; at < HOSTS; at++) {
		struct network n = host_at(at);

		assert_int_equal(netset_flags(s, n.address), flags[at]);
	}
	has(s, "9.255.255.255", 0);
	has(s, "11.0.0.0", 0);
	for (unsigned l = 0; l < 2; l++)
		networks_free(&lists[l]);
	free(flags);
	netset_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_set_holds_nothing),
		cmocka_unit_test(nothing_is_freed_twice_or_left),
		cmocka_unit_test(a_network_ends_where_it_ends),
		cmocka_unit_test(the_first_and_the_last_address_are_like_others),
		cmocka_unit_test(a_whole_family_is_that_family_only),
		cmocka_unit_test(nested_networks_add_up),
		cmocka_unit_test(networks_may_end_together_and_repeat),
		cmocka_unit_test(every_prefix_length_counts),
		cmocka_unit_test(random_sets_agree_with_a_linear_look),
		cmocka_unit_test(a_large_set_agrees_with_what_was_put_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
