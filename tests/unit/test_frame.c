/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Captured frames: what is read from whole ones, from tagged, padded, cut and lying ones.
 */
#include "net/frame.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/support/unit.h"

#define ETHER 14

/* A frame being written; what was not written is 0. */
struct bytes {
	uint8_t at[256];
	size_t len;
};

static void put(struct bytes *b, const void *bytes, size_t len)
{
	memcpy(b->at + b->len, bytes, len);
	b->len += len;
}

static void put16(struct bytes *b, unsigned value)
{
	uint8_t two[2] = {(uint8_t)(value >> 8), (uint8_t)value};

	put(b, two, sizeof(two));
}

static struct bytes macs(void)
{
	struct bytes b = {0};

	put(&b, "\x00\x16\x3e\x00\x00\x01", 6);
	put(&b, "\x00\x16\x3e\x00\x00\x02", 6);
	return b;
}

static void tag(struct bytes *b, unsigned type)
{
	put16(b, type);
	put16(b, 100);
}

/* 192.0.2.1 to 198.51.100.2, `words` of four bytes, with `said` as total length. */
static void ipv4(struct bytes *b, unsigned words, unsigned said)
{
	uint8_t first = (uint8_t)(0x40 | words);

	put(b, &first, 1);
	b->len++;
	put16(b, said);
	b->len += 8;
	put(b, "\xc0\x00\x02\x01\xc6\x33\x64\x02", 8);
}

/* 2001:db8::1 to 2001:db8::2 with `said` as payload length. */
static void ipv6(struct bytes *b, unsigned said)
{
	put(b, "\x60\0\0\0", 4);
	put16(b, said);
	put(b, "\x3b\x40", 2);
	put(b, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	put(b, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2", 16);
}

static struct bytes ipv4_frame(unsigned said)
{
	struct bytes b = macs();

	put16(&b, 0x0800);
	ipv4(&b, 5, said);
	return b;
}

static struct bytes ipv6_frame(unsigned said)
{
	struct bytes b = macs();

	put16(&b, 0x86dd);
	ipv6(&b, said);
	return b;
}

/* Parses from memory of exactly `captured` bytes, so that a sanitizer sees a read behind them. */
static struct frame parse_cut(enum frame_link link, const struct bytes *b, size_t captured, size_t length)
{
	uint8_t *exact = captured ? mem_alloc(captured) : NULL;
	struct frame f;
	bool is_ip;

	if (captured)
		memcpy(exact, b->at, captured);
	memset(&f, 0xa5, sizeof(f));
	is_ip = frame_parse(link, exact, captured, length, &f);
	assert_int_equal(is_ip, f.is_ip);
	free(exact);
	return f;
}

static struct frame parse(const struct bytes *b, size_t length)
{
	return parse_cut(FRAME_ETHERNET, b, b->len, length);
}

/* It is IP of so many bytes, between the addresses above. */
static void counts(struct frame f, uint32_t ip_bytes)
{
	static const uint8_t source4[16] = {[10] = 0xff, 0xff, 192, 0, 2, 1},
			     target4[16] = {[10] = 0xff, 0xff, 198, 51, 100, 2},
			     source6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1},
			     target6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 2};

	assert_true(f.is_ip);
	assert_int_equal(f.ip_bytes, ip_bytes);
	assert_memory_equal(f.source, f.is_ipv4 ? source4 : source6, 16);
	assert_memory_equal(f.target, f.is_ipv4 ? target4 : target6, 16);
}

static void no_ip(struct frame f)
{
	static const uint8_t none[16];

	assert_false(f.is_ip);
	assert_false(f.is_ipv4);
	assert_int_equal(f.ip_bytes, 0);
	assert_memory_equal(f.source, none, 16);
	assert_memory_equal(f.target, none, 16);
}

static void a_frame_names_its_ends(void **state)
{
	struct bytes four = ipv4_frame(1000), six = ipv6_frame(1000);
	struct frame f = parse(&four, 1014);

	(void)state;
	counts(f, 1000);
	assert_true(f.is_ipv4);
	assert_true(f.has_mac);
	assert_memory_equal(f.target_mac, "\x00\x16\x3e\x00\x00\x01", 6);
	assert_memory_equal(f.source_mac, "\x00\x16\x3e\x00\x00\x02", 6);
	f = parse(&six, 1054);
	counts(f, 1040);
	assert_false(f.is_ipv4);
	assert_true(f.has_mac);
}

static void what_is_no_ip_has_its_macs_all_the_same(void **state)
{
	static const unsigned types[] = {0x0806, 0x0027, 0x8864, 0x88cc, 0x86de, 0, 0xffff};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct bytes b = macs();
		struct frame f;

		put16(&b, types[i]);
		ipv4(&b, 5, 28);
		f = parse(&b, 60);
		no_ip(f);
		assert_true(f.has_mac);
		assert_memory_equal(f.source_mac, "\x00\x16\x3e\x00\x00\x02", 6);
	}
}

static void each_kind_of_tag_is_stepped_over(void **state)
{
	static const unsigned types[] = {0x8100, 0x88a8, 0x9100, 0x9200};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct bytes b = macs();

		tag(&b, types[i]);
		put16(&b, 0x0800);
		ipv4(&b, 5, 1000);
		counts(parse(&b, 1018), 1000);
		counts(parse(&b, 1017), 999); /* the frame cannot hold more */
		assert_true(parse(&b, 1018).tagged);
	}
}

/* Fifteen tags and an IPv6 header are captured whole. */
static void any_number_of_tags_is_stepped_over(void **state)
{
	struct bytes b = macs();

	(void)state;
	for (unsigned n = 0; n <= 15; n++) {
		struct bytes four = b, six = b;

		put16(&four, 0x0800);
		ipv4(&four, 5, 28);
		counts(parse(&four, 60 + 4 * n), 28);
		put16(&six, 0x86dd);
		ipv6(&six, 0);
		assert_true(six.len <= FRAME_SNAPLEN);
		counts(parse(&six, 1014 + 4 * n), 1000);
		tag(&b, n % 2 ? 0x88a8 : 0x8100);
	}
}

static void tags_up_to_the_end_lead_nowhere(void **state)
{
	struct bytes b = macs();

	(void)state;
	while (b.len + 4 <= FRAME_SNAPLEN)
		tag(&b, 0x8100);
	for (size_t captured = 0; captured <= b.len; captured++)
		no_ip(parse_cut(FRAME_ETHERNET, &b, captured, 1514));
}

static void padding_is_not_counted(void **state)
{
	struct bytes four = ipv4_frame(28), six = ipv6_frame(4);

	(void)state;
	counts(parse(&four, 60), 28);
	counts(parse(&six, 60), 44);
}

static void no_more_is_counted_than_the_frame_has(void **state)
{
	struct bytes four = ipv4_frame(65535), six = ipv6_frame(65535);

	(void)state;
	counts(parse(&four, 1514), 1500);
	counts(parse(&six, 1514), 1500);
	counts(parse(&six, ETHER + 65575), 65575);
	counts(parse(&six, ETHER + 65576), 65575);
}

static void less_is_counted_where_the_header_says_less(void **state)
{
	struct bytes four = ipv4_frame(1), six = ipv6_frame(1);

	(void)state;
	counts(parse(&four, 1514), 1);
	counts(parse(&six, 1514), 41);
}

/* Large segments (BIG TCP, some offloads) have 0 there. */
static void a_length_of_zero_is_all_that_the_frame_has(void **state)
{
	struct bytes four = ipv4_frame(0), six = ipv6_frame(0);

	(void)state;
	counts(parse(&four, ETHER + 65600), 65600);
	counts(parse(&six, ETHER + 185000), 185000);
	counts(parse(&four, ETHER + (size_t)UINT32_MAX), UINT32_MAX);
	if (SIZE_MAX > UINT32_MAX)
		counts(parse(&four, SIZE_MAX), UINT32_MAX);
}

static void options_belong_to_the_length(void **state)
{
	struct bytes b = macs();

	(void)state;
	put16(&b, 0x0800);
	ipv4(&b, 15, 1000);
	counts(parse(&b, 1014), 1000); /* they were not captured */
	b.len += 40;
	counts(parse(&b, 1014), 1000);
}

static void a_fragment_counts_by_its_own_length(void **state)
{
	struct bytes first = ipv4_frame(1500), last = ipv4_frame(28);

	(void)state;
	memcpy(first.at + ETHER + 6, "\x20\x00", 2); /* more follow */
	memcpy(last.at + ETHER + 6, "\x00\xb9", 2);  /* at 1480 */
	counts(parse(&first, 1514), 1500);
	counts(parse(&last, 60), 28);
}

static void the_version_must_be_what_the_type_says(void **state)
{
	struct bytes four = ipv4_frame(28), six = ipv6_frame(4);

	(void)state;
	for (unsigned version = 0; version < 16; version++) {
		four.at[ETHER] = (uint8_t)(version << 4 | 5);
		six.at[ETHER] = (uint8_t)(version << 4);
		assert_int_equal(parse(&four, 60).is_ip, version == 4);
		assert_int_equal(parse(&six, 60).is_ip, version == 6);
	}
}

static void an_ipv4_header_has_five_words_or_more(void **state)
{
	(void)state;
	for (unsigned words = 0; words < 16; words++) {
		struct bytes b = macs();

		put16(&b, 0x0800);
		ipv4(&b, words, 28);
		if (words < 5)
			no_ip(parse(&b, 60));
		else
			counts(parse(&b, 60), 28);
	}
}

static void a_link_without_header_begins_with_ip(void **state)
{
	struct bytes four = {0}, six = {0};

	(void)state;
	ipv4(&four, 5, 100);
	ipv6(&six, 60);
	counts(parse_cut(FRAME_RAW, &four, four.len, 100), 100);
	counts(parse_cut(FRAME_RAW, &four, four.len, 99), 99);
	counts(parse_cut(FRAME_RAW, &six, six.len, 100), 100);
	assert_false(parse_cut(FRAME_RAW, &four, four.len, 100).has_mac);
	assert_true(parse_cut(FRAME_RAW, &four, four.len, 100).is_ipv4);
	assert_false(parse_cut(FRAME_RAW, &six, six.len, 100).is_ipv4);
	for (unsigned version = 0; version < 16; version++) {
		four.at[0] = (uint8_t)(version << 4 | 5);
		assert_int_equal(parse_cut(FRAME_RAW, &four, four.len, 100).is_ip, version == 4);
	}
}

/* Every place to cut: IP from where its header is whole, MACs from where theirs is. */
static void cut_everywhere(enum frame_link link, struct bytes *b, size_t header, size_t whole)
{
	for (size_t captured = 0; captured <= b->len; captured++) {
		struct frame f = parse_cut(link, b, captured, 1000);

		if (captured < whole)
			no_ip(f);
		else
			counts(f, (uint32_t)(1000 - header));
		assert_int_equal(f.has_mac, link == FRAME_ETHERNET && captured >= ETHER);
	}
}

static void a_frame_cut_anywhere_is_read_as_far_as_it_goes(void **state)
{
	struct bytes four = macs(), six = macs(), raw4 = {0}, raw6 = {0};

	(void)state;
	tag(&four, 0x88a8);
	tag(&four, 0x8100);
	put16(&four, 0x0800);
	ipv4(&four, 5, 0);
	tag(&six, 0x88a8);
	tag(&six, 0x8100);
	put16(&six, 0x86dd);
	ipv6(&six, 0);
	ipv4(&raw4, 5, 0);
	ipv6(&raw6, 0);
	four.len = six.len = raw4.len = raw6.len = FRAME_SNAPLEN;
	cut_everywhere(FRAME_ETHERNET, &four, ETHER + 8, ETHER + 8 + 20);
	cut_everywhere(FRAME_ETHERNET, &six, ETHER + 8, ETHER + 8 + 40);
	cut_everywhere(FRAME_RAW, &raw4, 0, 20);
	cut_everywhere(FRAME_RAW, &raw6, 0, 40);
}

/* More captured than there was: only what there was is read. */
static void a_length_below_what_was_captured_is_believed(void **state)
{
	struct bytes four = ipv4_frame(28);

	(void)state;
	for (size_t length = 0; length < ETHER + 20; length++)
		no_ip(parse(&four, length));
	counts(parse(&four, ETHER + 20), 20);
	assert_false(parse(&four, 0).has_mac);
	assert_false(parse_cut(FRAME_ETHERNET, &four, 0, 0).has_mac);
	no_ip(parse_cut(FRAME_RAW, &four, 0, 0));
	no_ip(parse_cut(FRAME_RAW, &four, 0, 1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_names_its_ends),
		cmocka_unit_test(what_is_no_ip_has_its_macs_all_the_same),
		cmocka_unit_test(each_kind_of_tag_is_stepped_over),
		cmocka_unit_test(any_number_of_tags_is_stepped_over),
		cmocka_unit_test(tags_up_to_the_end_lead_nowhere),
		cmocka_unit_test(padding_is_not_counted),
		cmocka_unit_test(no_more_is_counted_than_the_frame_has),
		cmocka_unit_test(less_is_counted_where_the_header_says_less),
		cmocka_unit_test(a_length_of_zero_is_all_that_the_frame_has),
		cmocka_unit_test(options_belong_to_the_length),
		cmocka_unit_test(a_fragment_counts_by_its_own_length),
		cmocka_unit_test(the_version_must_be_what_the_type_says),
		cmocka_unit_test(an_ipv4_header_has_five_words_or_more),
		cmocka_unit_test(a_link_without_header_begins_with_ip),
		cmocka_unit_test(a_frame_cut_anywhere_is_read_as_far_as_it_goes),
		cmocka_unit_test(a_length_below_what_was_captured_is_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
