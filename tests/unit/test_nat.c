/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Which addresses a table of connections shows to be translated.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/network.h"
#include "net/nat.h"
#include "tests/support/unit.h"

static void note(void *ctx, const uint8_t address[16])
{
	struct network n = {.bits = 128};
	char **all = ctx, *text, *more;

	memcpy(n.address, address, sizeof(n.address));
	text = network_text(&n);
	more = mem_printf("%s%s%s", *all, **all ? " " : "", text);
	free(text);
	free(*all);
	*all = more;
}

static void expect(const char *table, const char *addresses)
{
	FILE *in = fmemopen((void *)(uintptr_t)table, strlen(table), "r");
	char *all = mem_strdup("");

	assert_non_null(in);
	assert_false(nat_scan(in, 100, note, &all));
	fclose(in);
	assert_string_equal(all, addresses);
	free(all);
}

static void what_leaves_as_it_is_is_not_translated(void **state)
{
	(void)state;
	expect("ipv4     2 tcp      6 431999 ESTABLISHED src=10.0.0.2 dst=192.0.2.7 sport=4000 dport=80 "
	       "src=192.0.2.7 "
	       "dst=10.0.0.2 sport=80 dport=4000 [ASSURED] mark=0 zone=0 use=2\n",
	       "");
}

static void a_masqueraded_source_is(void **state)
{
	(void)state;
	expect("ipv4     2 udp      17 29 src=10.0.0.2 dst=192.0.2.7 sport=4000 dport=53 [UNREPLIED] "
	       "src=192.0.2.7 "
	       "dst=198.51.100.1 sport=53 dport=4000 mark=0 zone=0 use=2\n"
	       "ipv6     10 udp      17 29 src=fd00::2 dst=2001:db8::7 sport=4000 dport=53 src=2001:db8::7 "
	       "dst=2001:db8::1 sport=53 dport=4000 mark=0 zone=0 use=2\n",
	       "10.0.0.2 fd00::2");
}

static void a_forwarded_port_is(void **state)
{
	(void)state;
	expect("ipv4     2 tcp      6 9 SYN_SENT src=192.0.2.7 dst=198.51.100.1 sport=4000 dport=80 "
	       "src=10.0.0.3 "
	       "dst=192.0.2.7 sport=8080 dport=4000 mark=0 zone=0 use=2\n",
	       "10.0.0.3");
}

static void what_is_no_connection_is_passed_over(void **state)
{
	(void)state;
	expect("\n", "");
	expect("src= dst= src= dst=\n", "");
	expect("src=10.0.0.2 dst=192.0.2.7\n", "");
	expect("src=10.0.0.2 dst=192.0.2.7 dst=1.1.1.1 src=2.2.2.2\n", "");
	expect("src=10.0.0.2 src=10.0.0.3 dst=192.0.2.7 src=192.0.2.7 dst=10.0.0.2", "");
	expect("src=no dst=192.0.2.7 src=192.0.2.7 dst=198.51.100.1\n"
	       "src=10.0.0.9 dst=192.0.2.7 src=192.0.2.7 dst=198.51.100.1\n",
	       "10.0.0.9");
}

#define TRANSLATED(source) "src=" source " dst=192.0.2.7 src=192.0.2.7 dst=198.51.100.1\n"

static void a_long_table_is_read_in_pieces(void **state)
{
	char table[] = TRANSLATED("10.0.0.1") TRANSLATED("10.0.0.2") TRANSLATED("10.0.0.3");
	FILE *in = fmemopen(table, strlen(table), "r");
	char *all = mem_strdup("");

	(void)state;
	assert_non_null(in);
	assert_true(nat_scan(in, 2, note, &all));
	assert_string_equal(all, "10.0.0.1 10.0.0.2");
	assert_false(nat_scan(in, 2, note, &all));
	assert_string_equal(all, "10.0.0.1 10.0.0.2 10.0.0.3");
	fclose(in);
	free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_leaves_as_it_is_is_not_translated),
		cmocka_unit_test(a_masqueraded_source_is),
		cmocka_unit_test(a_forwarded_port_is),
		cmocka_unit_test(what_is_no_connection_is_passed_over),
		cmocka_unit_test(a_long_table_is_read_in_pieces),
	};

	return cmocka_run_group_tests_name("nat", tests, NULL, NULL);
}
