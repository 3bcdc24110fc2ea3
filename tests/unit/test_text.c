/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Strict readings of outside strings: every rule, and that no two inputs end as the same text.
 */
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "tests/support/netns.h"
#include "tests/support/unit.h"

#define ROUNDS 200000

/* ---- printable ---- */

static void expect_printable(const char *bytes, size_t len, const char *text)
{
	char *got = text_printable(bytes, len);

	assert_string_equal(got, text);
	free(got);
}

#define PRINTABLE(in, out) expect_printable(in, sizeof(in) - 1, out)

static void valid_utf8_stays_as_it_is(void **state)
{
	(void)state;
	PRINTABLE("", "");
	PRINTABLE("web1.example ~!", "web1.example ~!");
	PRINTABLE("Gr\xc3\xbc\xc3\x9f"
		  "e",
		  "Gr\xc3\xbc\xc3\x9f"
		  "e");
	PRINTABLE("\xe0\xa0\x80", "\xe0\xa0\x80");         /* U+0800, the smallest of three bytes */
	PRINTABLE("\xed\x9f\xbf", "\xed\x9f\xbf");         /* U+D7FF, below the surrogates */
	PRINTABLE("\xee\x80\x80", "\xee\x80\x80");         /* U+E000, above them */
	PRINTABLE("\xf0\x90\x80\x80", "\xf0\x90\x80\x80"); /* U+10000 */
	PRINTABLE("\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"); /* U+10FFFF, the last one */
	PRINTABLE("\xc2\xa0", "\xc2\xa0");                 /* U+00A0, the first after C1 */
}

static void control_characters_and_the_backslash_are_escaped(void **state)
{
	(void)state;
	PRINTABLE("a\nb\tc\rd", "a\\x0ab\\x09c\\x0dd");
	PRINTABLE("\x1b[31m", "\\x1b[31m");
	PRINTABLE("\x7f", "\\x7f");
	PRINTABLE("a\0b", "a\\x00b");
	PRINTABLE("\\x41", "\\x5cx41");
	PRINTABLE("\xc2\x80\xc2\x9f", "\\xc2\\x80\\xc2\\x9f"); /* C1 */
}

static void direction_overrides_and_line_separators_are_escaped(void **state)
{
	(void)state;
	PRINTABLE("\xe2\x80\xae", "\\xe2\\x80\\xae"); /* U+202E */
	PRINTABLE("\xe2\x80\xaa", "\\xe2\\x80\\xaa");
	PRINTABLE("\xe2\x81\xa6", "\\xe2\\x81\\xa6"); /* U+2066 */
	PRINTABLE("\xe2\x81\xa9", "\\xe2\\x81\\xa9");
	PRINTABLE("\xe2\x80\x8e\xe2\x80\x8f", "\\xe2\\x80\\x8e\\xe2\\x80\\x8f");
	PRINTABLE("\xd8\x9c", "\\xd8\\x9c");          /* U+061C */
	PRINTABLE("\xe2\x80\xa8", "\\xe2\\x80\\xa8"); /* U+2028 */
}

static void invalid_bytes_are_escaped_one_by_one(void **state)
{
	(void)state;
	PRINTABLE("\x80", "\\x80");
	PRINTABLE("\xbf\xfe\xff", "\\xbf\\xfe\\xff");
	PRINTABLE("\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80");
	PRINTABLE("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* above U+10FFFF */
}

static void overlong_forms_are_escaped(void **state)
{
	(void)state;
	PRINTABLE("\xc0\x80", "\\xc0\\x80");
	PRINTABLE("\xc1\xbf", "\\xc1\\xbf");
	PRINTABLE("\xe0\x9f\xbf", "\\xe0\\x9f\\xbf");
	PRINTABLE("\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf");
	PRINTABLE("\xe0\x80\xaf", "\\xe0\\x80\\xaf"); /* a '/' in disguise */
}

static void surrogates_are_escaped(void **state)
{
	(void)state;
	PRINTABLE("\xed\xa0\x80", "\\xed\\xa0\\x80");
	PRINTABLE("\xed\xbf\xbf", "\\xed\\xbf\\xbf");
	PRINTABLE("\xed\xa0\xbd\xed\xb8\x80", "\\xed\\xa0\\xbd\\xed\\xb8\\x80");
}

static void truncated_sequences_are_escaped_and_what_follows_is_read_again(void **state)
{
	(void)state;
	PRINTABLE("\xc3", "\\xc3");
	PRINTABLE("\xe2\x82", "\\xe2\\x82");
	PRINTABLE("\xf0\x9f\x98", "\\xf0\\x9f\\x98");
	PRINTABLE("\xe2\x82"
		  "A",
		  "\\xe2\\x82"
		  "A");
	PRINTABLE("\xe2\xc3\xbc", "\\xe2\xc3\xbc");
	/* the byte behind the given length is not looked at */
	expect_printable("\xc3\xbc", 1, "\\xc3");
}

/* What text_printable promises to be able to be turned back into. */
static size_t unprint(const char *text, unsigned char *bytes)
{
	size_t n = 0;

	while (*text) {
		if (text[0] == '\\') {
			char hex[3] = {0};

			assert_int_equal(text[1], 'x');
			memcpy(hex, text + 2, 2);
			assert_int_equal(strspn(hex, "0123456789abcdef"), 2);
			bytes[n++] = (unsigned char)strtoul(hex, NULL, 16);
			text += 4;
		} else {
			bytes[n++] = (unsigned char)*text++;
		}
	}
	return n;
}

/* Bytes that are likely to meet a rule. */
static size_t nasty_bytes(struct random *r, unsigned char *bytes, size_t most)
{
	static const unsigned char alphabet[] =
		"\\\\xx0159acdf/:%..\x7f\n\xc2\xc3\xe0\xe2\xed\xf0\xf4\x80\x81\x8f\x90\xa0"
		"\xae\xbf\xc0\xff\xf5";
	size_t n = random_below(r, most + 1);

	for (size_t i = 0; i < n; i++)
		bytes[i] = random_below(r, 8) ? alphabet[random_below(r, sizeof(alphabet) - 1)]
					      : (unsigned char)random_next(r);
	return n;
}

static void printable_text_leads_back_to_its_bytes_so_no_two_inputs_share_it(void **state)
{
	struct random r = random_new();

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		unsigned char in[24], back[24 * 4];
		size_t n = nasty_bytes(&r, in, sizeof(in)), m;
		char *text = text_printable(in, n), *again;

		m = unprint(text, back);
		assert_int_equal(m, n);
		assert_memory_equal(back, in, n);
		/* what is printable holds nothing that would have to be escaped, but its own backslashes */
		for (const char *c = text; *c; c++)
			assert_true((unsigned char)*c >= 0x20 && *c != 0x7f);
		again = text_printable(text, strlen(text));
		if (!strchr(text, '\\'))
			assert_string_equal(again, text);
		free(again);
		free(text);
	}
}

/* ---- file names ---- */

static void expect_filename(const char *label, const char *name)
{
	char *got = text_filename(label, 4);

	assert_string_equal(got, name);
	free(got);
}

static void a_label_becomes_a_harmless_file_name(void **state)
{
	(void)state;
	expect_filename("web1.example", "web1.example");
	expect_filename("Gr\xc3\xbc\xc3\x9f"
			"e",
			"Gr\xc3\xbc\xc3\x9f"
			"e");
	expect_filename("", "%");
	expect_filename("%", "%25");
	expect_filename("a/b", "a%2Fb");
	expect_filename("2001:db8::1", "2001%3Adb8%3A%3A1");
	expect_filename(".", "%2E");
	expect_filename("..", "%2E.");
	expect_filename(".hidden", "%2Ehidden");
	expect_filename("a\nb\x7f", "a%0Ab%7F");
	expect_filename("10.0.0.1", "10.0.0.1");
}

static void file_names_within_the_limit_lead_back_to_their_labels(void **state)
{
	struct random r = random_new();

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		unsigned char in[41];
		char back[41 * 3 + 1], *name;
		size_t n = nasty_bytes(&r, in, sizeof(in) - 1), m = 0;

		in[n] = '\0';
		n = strlen((char *)in);
		name = text_filename((char *)in, 4);
		for (const char *c = name; *c; c++) {
			assert_true(*c != '/' && *c != ':' && (unsigned char)*c >= 0x20);
			if (*c == '%' && c[1]) {
				char hex[3] = {c[1], c[2], '\0'};

				assert_int_equal(strspn(hex, "0123456789ABCDEF"), 2);
				back[m++] = (char)strtoul(hex, NULL, 16);
				c += 2;
			} else if (*c != '%') {
				back[m++] = *c;
			}
		}
		assert_int_not_equal(name[0], '.');
		assert_int_equal(m, n);
		assert_memory_equal(back, in, n);
		free(name);
	}
}

static void assert_valid_utf8(const char *text)
{
	char *printable = text_printable(text, strlen(text));

	assert_string_equal(printable, text);
	free(printable);
}

static void long_labels_are_cut_to_the_limit_and_stay_valid_utf8(void **state)
{
	static const char *const units[] = {"a", "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
					    "/", "x/",       "xx:"};

	(void)state;
	for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++)
		for (size_t shift = 0; shift < 5; shift++)
			for (size_t reserve = 0; reserve < 20; reserve++) {
				char label[4097] = {0}, *name;
				size_t n = shift;

				memset(label, 's', shift);
				for (; n + strlen(units[u]) < sizeof(label); n += strlen(units[u]))
					memcpy(label + n, units[u], strlen(units[u]));
				name = text_filename(label, reserve);
				assert_true(strlen(name) <= 255 - reserve);
				assert_true(strlen(name) >=
					    255 - reserve - 20); /* nor cut more than needed */
				assert_valid_utf8(name);
				free(name);
			}
}

static void a_label_that_just_fits_is_not_cut(void **state)
{
	char label[258] = {0}, *name;

	(void)state;
	memset(label, 'a', 251);
	name = text_filename(label, 4);
	assert_string_equal(name, label);
	free(name);
	label[251] = 'a';
	name = text_filename(label, 4);
	assert_int_not_equal(strcmp(name, label), 0);
	assert_int_equal(strlen(name), 251);
	free(name);
}

static void long_labels_that_differ_anywhere_get_different_names(void **state)
{
	char label[4097], *plain, *other;

	(void)state;
	memset(label, 'x', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	plain = text_filename(label, 4);
	for (size_t i = 0; i < sizeof(label) - 1; i += 13) {
		label[i] = 'y';
		other = text_filename(label, 4);
		assert_string_not_equal(plain, other);
		free(other);
		label[i] = 'x';
	}
	label[sizeof(label) - 2] = '\0';
	other = text_filename(label, 4);
	assert_string_not_equal(plain, other);
	free(other);
	free(plain);
}

/* Somebody who may choose both labels looks for a short one whose name is a long one's cut name. */
static void no_short_label_has_the_name_of_a_cut_long_one(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		char longer[401], shorter[260] = {0}, *cut, *percent, *name;
		char *end = NULL, hex[3] = {0};

		memset(longer, 'x', sizeof(longer) - 1);
		longer[sizeof(longer) - 1] = '\0';
		for (unsigned k = 0, v = i; k < 12; k++, v >>= 1)
			longer[399 - k] = v & 1 ? 'y' : 'x';
		cut = text_filename(longer, 4);
		percent = strchr(cut, '%');
		assert_non_null(percent);
		memcpy(hex, percent + 1, 2);
		memcpy(shorter, cut, (size_t)(percent - cut));
		shorter[percent - cut] = (char)strtoul(hex, &end, 16);
		if (!*end && shorter[percent - cut]) {
			memcpy(shorter + (percent - cut) + 1, percent + 3, strlen(percent + 3));
			name = text_filename(shorter, 4);
			assert_string_not_equal(name, cut);
			free(name);
		}
		free(cut);
	}
}

/* ---- numbers ---- */

static void a_number_is_digits_and_nothing_else(void **state)
{
	static const char *const bad[] = {"",
					  " 1",
					  "1 ",
					  "+1",
					  "-1",
					  "-0",
					  "0x10",
					  "1.0",
					  "1e3",
					  "one",
					  "1k",
					  "1\n",
					  "\t1",
					  "1,000",
					  "18446744073709551616",
					  "99999999999999999999999999"};
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_u64(bad[i], 0, UINT64_MAX, &v));
	assert_false(text_u64(NULL, 0, UINT64_MAX, &v));
	assert_true(text_u64("0", 0, UINT64_MAX, &v));
	assert_int_equal(v, 0);
	assert_true(text_u64("18446744073709551615", 0, UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
}

static void a_number_outside_its_bounds_is_refused(void **state)
{
	uint64_t v;

	(void)state;
	assert_false(text_u64("4", 5, 10, &v));
	assert_true(text_u64("5", 5, 10, &v));
	assert_int_equal(v, 5);
	assert_true(text_u64("10", 5, 10, &v));
	assert_int_equal(v, 10);
	assert_false(text_u64("11", 5, 10, &v));
}

/* ---- interface names ---- */

static bool kernel_takes(int fd, const char *present, const char *name)
{
	struct ifreq r = {0};

	strncpy(r.ifr_name, present, IFNAMSIZ - 1);
	strncpy(r.ifr_newname, name, IFNAMSIZ - 1);
	if (ioctl(fd, SIOCSIFNAME, &r) < 0)
		return false;
	memset(&r, 0, sizeof(r));
	strncpy(r.ifr_name, name, IFNAMSIZ - 1);
	strncpy(r.ifr_newname, present, IFNAMSIZ - 1);
	assert_int_equal(ioctl(fd, SIOCSIFNAME, &r), 0);
	return true;
}

static void an_interface_name_is_what_the_kernel_takes(void **state)
{
	int fd;

	(void)state;
	netns_enter();
	netns_run("ip link add name probe type veth peer name other");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	for (int c = 1; c < 256; c++) {
		const char inside[] = {'a', (char)c, 'b', '\0'}, alone[] = {(char)c, '\0'};

		if (c == '%') /* a pattern to the kernel */
			continue;
		if (text_is_ifname(inside) != kernel_takes(fd, "probe", inside))
			fail_msg("byte 0x%02x inside a name: %d here, not so for the kernel", (unsigned)c,
				 text_is_ifname(inside));
		assert_int_equal(text_is_ifname(alone), kernel_takes(fd, "probe", alone));
	}
	assert_int_equal(text_is_ifname(".."), kernel_takes(fd, "probe", ".."));
	assert_int_equal(text_is_ifname("..."), kernel_takes(fd, "probe", "..."));
	close(fd);
}

static void an_interface_name_has_1_to_15_bytes(void **state)
{
	(void)state;
	assert_false(text_is_ifname(NULL));
	assert_false(text_is_ifname(""));
	assert_true(text_is_ifname("a"));
	assert_true(text_is_ifname("vif32751.10-emu"));
	assert_false(text_is_ifname("vif32751.100-emu"));
}

/* ---- distance ---- */

static void distance_counts_letters_put_in_taken_out_and_changed(void **state)
{
	(void)state;
	assert_int_equal(text_distance("", ""), 0);
	assert_int_equal(text_distance("poll", ""), 4);
	assert_int_equal(text_distance("", "poll"), 4);
	assert_int_equal(text_distance("poll", "pol"), 1);
	assert_int_equal(text_distance("poll", "polll"), 1);
	assert_int_equal(text_distance("poll", "pall"), 1);
	assert_int_equal(text_distance("POLL", "poll"), 0);
	assert_int_equal(text_distance("kitten", "sitting"), 3);
	assert_int_equal(text_distance("flush", "hsulf"), text_distance("hsulf", "flush"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_utf8_stays_as_it_is),
		cmocka_unit_test(control_characters_and_the_backslash_are_escaped),
		cmocka_unit_test(direction_overrides_and_line_separators_are_escaped),
		cmocka_unit_test(invalid_bytes_are_escaped_one_by_one),
		cmocka_unit_test(overlong_forms_are_escaped),
		cmocka_unit_test(surrogates_are_escaped),
		cmocka_unit_test(truncated_sequences_are_escaped_and_what_follows_is_read_again),
		cmocka_unit_test(printable_text_leads_back_to_its_bytes_so_no_two_inputs_share_it),
		cmocka_unit_test(a_label_becomes_a_harmless_file_name),
		cmocka_unit_test(file_names_within_the_limit_lead_back_to_their_labels),
		cmocka_unit_test(long_labels_are_cut_to_the_limit_and_stay_valid_utf8),
		cmocka_unit_test(a_label_that_just_fits_is_not_cut),
		cmocka_unit_test(long_labels_that_differ_anywhere_get_different_names),
		cmocka_unit_test(no_short_label_has_the_name_of_a_cut_long_one),
		cmocka_unit_test(a_number_is_digits_and_nothing_else),
		cmocka_unit_test(a_number_outside_its_bounds_is_refused),
		cmocka_unit_test(an_interface_name_is_what_the_kernel_takes),
		cmocka_unit_test(an_interface_name_has_1_to_15_bytes),
		cmocka_unit_test(distance_counts_letters_put_in_taken_out_and_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
