/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Single rtnetlink messages, whole, cut short and lying. Each lies in memory of exactly its own length, so
 * that a sanitizer or valgrind sees every byte that is read beyond it.
 */
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "net/message.h"
#include "tests/support/unit.h"

struct builder {
	unsigned char bytes[4096];
	size_t len;
};

static void begin(struct builder *b, uint16_t type, const void *head, size_t head_len)
{
	*b = (struct builder){.len = NLMSG_HDRLEN};
	((struct nlmsghdr *)(void *)b->bytes)->nlmsg_type = type;
	memcpy(b->bytes + b->len, head, head_len);
	b->len += NLMSG_ALIGN(head_len);
}

/* An attribute that claims to be `claim` bytes long and has `len`. */
static void lie(struct builder *b, uint16_t type, const void *data, size_t len, size_t claim)
{
	struct nlattr a = {.nla_len = (uint16_t)(NLA_HDRLEN + claim), .nla_type = type};

	memcpy(b->bytes + b->len, &a, sizeof(a));
	if (len)
		memcpy(b->bytes + b->len + NLA_HDRLEN, data, len);
	b->len += NLA_ALIGN(NLA_HDRLEN + len);
}

static void put(struct builder *b, uint16_t type, const void *data, size_t len)
{
	lie(b, type, data, len, len);
}

/* The first len bytes as a message of their own; free it. */
static struct nlmsghdr *message(const struct builder *b, size_t len)
{
	struct nlmsghdr *h = malloc(len);

	assert_non_null(h);
	memcpy(h, b->bytes, len);
	h->nlmsg_len = (uint32_t)len;
	return h;
}

static bool link_of(const struct builder *b, struct link_message *m)
{
	struct nlmsghdr *h = message(b, b->len);
	bool ok = message_link(h, m);

	free(h);
	return ok;
}

static bool stats_of(const struct builder *b, unsigned *ifindex, struct counters *c)
{
	struct nlmsghdr *h = message(b, b->len);
	bool ok = message_stats(h, ifindex, c);

	free(h);
	return ok;
}

static void begin_link(struct builder *b, uint16_t type, int ifindex)
{
	struct ifinfomsg head = {.ifi_index = ifindex};

	begin(b, type, &head, sizeof(head));
}

static void begin_stats(struct builder *b, unsigned ifindex)
{
	struct if_stats_msg head = {.ifindex = ifindex};

	begin(b, RTM_NEWSTATS, &head, sizeof(head));
}

static const struct rtnl_link_stats64 numbers = {.rx_bytes = UINT64_C(0xfedcba9876543210),
						 .rx_packets = 11,
						 .tx_bytes = 22,
						 .tx_packets = 33,
						 .rx_errors = 99};

static void expect_numbers(const struct counters *c)
{
	assert_true(c->rx_bytes == numbers.rx_bytes);
	assert_int_equal(c->rx_packets, 11);
	assert_int_equal(c->tx_bytes, 22);
	assert_int_equal(c->tx_packets, 33);
}

static void full_link(struct builder *b, uint16_t type)
{
	const uint32_t master = 7, down = 3, lower = 5;
	const uint8_t carrier = 1;

	begin_link(b, type, 42);
	put(b, IFLA_IFNAME, "vif5.0", 7);
	put(b, IFLA_MASTER, &master, 4);
	put(b, IFLA_LINK, &lower, 4);
	put(b, IFLA_CARRIER, &carrier, 1);
	put(b, IFLA_CARRIER_DOWN_COUNT, &down, 4);
	put(b, IFLA_ADDRESS, "\x00\x16\x3e\x01\x02\x03", 6);
	put(b, IFLA_STATS64, &numbers, sizeof(numbers));
}

static void a_link_message_is_read_whole(void **state)
{
	const uint16_t types[] = {RTM_NEWLINK, RTM_DELLINK};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct link_message m;
		struct builder b;

		full_link(&b, types[i]);
		assert_true(link_of(&b, &m));
		assert_int_equal(m.ifindex, 42);
		assert_string_equal(m.name, "vif5.0");
		assert_int_equal(m.master, 7);
		assert_int_equal(m.lower, 5);
		assert_true(m.has_carrier && m.carrier);
		assert_true(m.has_carrier_down);
		assert_int_equal(m.carrier_down, 3);
		assert_true(m.has_mac);
		assert_memory_equal(m.mac, "\x00\x16\x3e\x01\x02\x03", 6);
		assert_string_equal(m.type, "");
		assert_true(m.has_counters);
		expect_numbers(&m.counters);
	}
}

static void what_a_link_message_lacks_is_said_to_be_lacking(void **state)
{
	struct link_message m;
	struct builder b;

	(void)state;
	begin_link(&b, RTM_NEWLINK, 42);
	put(&b, IFLA_IFNAME, "eth0", 5);
	memset(&m, 0xff, sizeof(m));
	assert_true(link_of(&b, &m));
	assert_int_equal(m.master, 0);
	assert_false(m.has_carrier);
	assert_false(m.has_carrier_down);
	assert_false(m.has_mac);
	assert_false(m.has_counters);
}

static void other_messages_are_not_read(void **state)
{
	const struct ifinfomsg bridge = {.ifi_family = AF_BRIDGE, .ifi_index = 42};
	struct link_message m;
	struct counters c;
	unsigned ifindex;
	struct builder b;

	(void)state;
	full_link(&b, RTM_NEWADDR);
	assert_false(link_of(&b, &m));
	assert_false(stats_of(&b, &ifindex, &c));
	begin(&b, RTM_DELLINK, &bridge, sizeof(bridge)); /* a port leaves a bridge: the device stays */
	put(&b, IFLA_IFNAME, "eth0", 5);
	assert_false(link_of(&b, &m));
	begin_link(&b, RTM_NEWLINK, 0);
	put(&b, IFLA_IFNAME, "eth0", 5);
	assert_false(link_of(&b, &m));
	begin_link(&b, RTM_NEWLINK, -1);
	put(&b, IFLA_IFNAME, "eth0", 5);
	assert_false(link_of(&b, &m));
	begin_link(&b, RTM_NEWLINK, 42); /* no name */
	assert_false(link_of(&b, &m));
}

static void a_name_may_lack_its_nul_but_must_fit(void **state)
{
	struct link_message m;
	struct builder b;

	(void)state;
	begin_link(&b, RTM_NEWLINK, 42);
	put(&b, IFLA_IFNAME, "eth0", 4);
	assert_true(link_of(&b, &m));
	assert_string_equal(m.name, "eth0");
	begin_link(&b, RTM_NEWLINK, 42);
	put(&b, IFLA_IFNAME, "abcdefghijklmno", 15);
	assert_true(link_of(&b, &m));
	assert_string_equal(m.name, "abcdefghijklmno");
	begin_link(&b, RTM_NEWLINK, 42);
	put(&b, IFLA_IFNAME, "abcdefghijklmnop", 16);
	assert_false(link_of(&b, &m));
	begin_link(&b, RTM_NEWLINK, 42);
	put(&b, IFLA_IFNAME, "abcdefghijklmnopqrstuvwxyz", 27);
	assert_false(link_of(&b, &m));
	begin_link(&b, RTM_NEWLINK, 42);
	put(&b, IFLA_IFNAME, "", 0);
	assert_false(link_of(&b, &m));
	begin_link(&b, RTM_NEWLINK, 42);
	put(&b, IFLA_IFNAME, "", 1);
	assert_false(link_of(&b, &m));
}

static void attributes_too_short_for_their_value_give_none(void **state)
{
	struct link_message m;
	struct builder b;

	(void)state;
	for (size_t len = 0; len < 32; len++) {
		begin_link(&b, RTM_NEWLINK, 42);
		put(&b, IFLA_IFNAME, "eth0", 5);
		put(&b, IFLA_STATS64, &numbers, len);
		if (link_of(&b, &m))
			assert_false(m.has_counters);
	}
	for (size_t len = 0; len < 4; len++) {
		begin_link(&b, RTM_NEWLINK, 42);
		put(&b, IFLA_IFNAME, "eth0", 5);
		put(&b, IFLA_MASTER, "\1\1\1", len);
		put(&b, IFLA_CARRIER_DOWN_COUNT, "\1\1\1", len);
		if (link_of(&b, &m)) {
			assert_int_equal(m.master, 0);
			assert_false(m.has_carrier_down);
		}
	}
	begin_link(&b, RTM_NEWLINK, 42);
	put(&b, IFLA_IFNAME, "eth0", 5);
	put(&b, IFLA_CARRIER, NULL, 0);
	if (link_of(&b, &m))
		assert_false(m.has_carrier);
}

static void counters_of_older_and_newer_kernels_are_read(void **state)
{
	unsigned char longer[sizeof(numbers) + 64] = {0};
	struct link_message m;
	struct builder b;

	(void)state;
	begin_link(&b, RTM_NEWLINK, 42);
	put(&b, IFLA_IFNAME, "eth0", 5);
	put(&b, IFLA_STATS64, &numbers, 32);
	assert_true(link_of(&b, &m));
	assert_true(m.has_counters);
	expect_numbers(&m.counters);
	memcpy(longer, &numbers, sizeof(numbers));
	begin_link(&b, RTM_NEWLINK, 42);
	put(&b, IFLA_IFNAME, "eth0", 5);
	put(&b, IFLA_STATS64, longer, sizeof(longer));
	assert_true(link_of(&b, &m));
	expect_numbers(&m.counters);
}

static void a_stats_message_is_read(void **state)
{
	struct counters c = {0};
	unsigned ifindex = 0;
	struct builder b;

	(void)state;
	begin_stats(&b, 42);
	put(&b, IFLA_STATS_LINK_64, &numbers, sizeof(numbers));
	assert_true(stats_of(&b, &ifindex, &c));
	assert_int_equal(ifindex, 42);
	expect_numbers(&c);
}

static void a_stats_message_without_device_or_counters_is_refused(void **state)
{
	struct counters c;
	unsigned ifindex;
	struct builder b;

	(void)state;
	begin_stats(&b, 42);
	assert_false(stats_of(&b, &ifindex, &c));
	begin_stats(&b, 0);
	put(&b, IFLA_STATS_LINK_64, &numbers, sizeof(numbers));
	assert_false(stats_of(&b, &ifindex, &c));
	for (size_t len = 0; len < 32; len++) {
		begin_stats(&b, 42);
		put(&b, IFLA_STATS_LINK_64, &numbers, len);
		assert_false(stats_of(&b, &ifindex, &c));
	}
	begin_stats(&b, 42);
	put(&b, IFLA_STATS_LINK_XSTATS, &numbers, sizeof(numbers));
	assert_false(stats_of(&b, &ifindex, &c));
}

/* Behind each whole attribute a shorter message ends soundly; anywhere else it is malformed. */
static void a_message_cut_anywhere_is_refused_or_reads_what_is_whole(void **state)
{
	struct builder b, s;
	size_t edge[8], edges = 0;

	(void)state;
	full_link(&b, RTM_NEWLINK);
	for (size_t at = NLMSG_HDRLEN + sizeof(struct ifinfomsg); at < b.len;) {
		struct nlattr a;

		edge[edges++] = at;
		memcpy(&a, b.bytes + at, sizeof(a));
		at += NLA_ALIGN(a.nla_len);
	}
	for (size_t len = NLMSG_HDRLEN; len < b.len; len++) {
		struct nlmsghdr *h = message(&b, len);
		bool sound = false;
		struct link_message m;

		for (size_t i = 2; i < edges; i++) { /* behind the name; padding may be missing */
			struct nlattr a;

			memcpy(&a, b.bytes + edge[i - 1], sizeof(a));
			sound |= len <= edge[i] && len >= edge[i - 1] + a.nla_len;
		}
		sound |= len <= edge[1] && len >= edge[0] + NLA_HDRLEN + 7;
		if (message_link(h, &m) != sound)
			fail_msg("cut to %zu of %zu bytes: %s", len, b.len, sound ? "refused" : "taken");
		if (sound)
			assert_false(m.has_counters);
		free(h);
	}
	begin_stats(&s, 42);
	put(&s, IFLA_STATS_LINK_64, &numbers, sizeof(numbers));
	for (size_t len = NLMSG_HDRLEN; len < s.len; len++) {
		struct nlmsghdr *h = message(&s, len);
		struct counters c;
		unsigned ifindex;

		assert_false(message_stats(h, &ifindex, &c));
		free(h);
	}
}

static void attributes_that_lie_about_their_length_are_not_followed(void **state)
{
	const size_t claims[] = {65531, 1000, sizeof(numbers) + 1, sizeof(numbers) + 5};
	struct counters c;
	unsigned ifindex;
	struct builder b;

	(void)state;
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		struct link_message m;

		begin_link(&b, RTM_NEWLINK, 42);
		put(&b, IFLA_IFNAME, "eth0", 5);
		lie(&b, IFLA_STATS64, &numbers, sizeof(numbers), claims[i]);
		assert_false(link_of(&b, &m));
		begin_link(&b, RTM_NEWLINK, 42);
		lie(&b, IFLA_IFNAME, "eth0", 5, claims[i]);
		assert_false(link_of(&b, &m));
		begin_stats(&b, 42);
		lie(&b, IFLA_STATS_LINK_64, &numbers, sizeof(numbers), claims[i]);
		assert_false(stats_of(&b, &ifindex, &c));
	}
	for (uint16_t len = 0; len < NLA_HDRLEN; len++) { /* shorter than its own head: no way forward */
		struct nlattr a = {.nla_len = len, .nla_type = IFLA_IFNAME};
		struct link_message m;

		begin_link(&b, RTM_NEWLINK, 42);
		memcpy(b.bytes + b.len, &a, sizeof(a));
		b.len += 64;
		assert_false(link_of(&b, &m));
	}
}

static void random_bytes_are_never_read_beyond_their_end(void **state)
{
	struct random r = random_new();

	(void)state;
	for (int i = 0; i < 100000; i++) {
		struct link_message m;
		struct nlmsghdr *h;
		struct builder b;
		struct counters c;
		unsigned ifindex;

		if (random_below(&r, 2)) {
			full_link(&b, RTM_NEWLINK);
		} else {
			begin_stats(&b, 42);
			put(&b, IFLA_STATS_LINK_64, &numbers, sizeof(numbers));
		}
		for (uint64_t k = random_below(&r, 6); k; k--)
			b.bytes[NLMSG_HDRLEN + random_below(&r, b.len - NLMSG_HDRLEN)] =
				(unsigned char)random_next(&r);
		h = message(&b, NLMSG_HDRLEN + random_below(&r, b.len - NLMSG_HDRLEN + 1));
		if (message_link(h, &m)) {
			assert_non_null(memchr(m.name, '\0', sizeof(m.name)));
			assert_true(m.name[0] && m.ifindex);
		}
		(void)message_stats(h, &ifindex, &c);
		free(h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_link_message_is_read_whole),
		cmocka_unit_test(what_a_link_message_lacks_is_said_to_be_lacking),
		cmocka_unit_test(other_messages_are_not_read),
		cmocka_unit_test(a_name_may_lack_its_nul_but_must_fit),
		cmocka_unit_test(attributes_too_short_for_their_value_give_none),
		cmocka_unit_test(counters_of_older_and_newer_kernels_are_read),
		cmocka_unit_test(a_stats_message_is_read),
		cmocka_unit_test(a_stats_message_without_device_or_counters_is_refused),
		cmocka_unit_test(a_message_cut_anywhere_is_refused_or_reads_what_is_whole),
		cmocka_unit_test(attributes_that_lie_about_their_length_are_not_followed),
		cmocka_unit_test(random_bytes_are_never_read_beyond_their_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
