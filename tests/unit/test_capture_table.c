/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whose each frame on an uplink is, to the byte: MACs, routed addresses, dom0, strays, spoofed sources, late
 * output, and vifs that are told after their first frames.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "capture/table.h"
#include "config/conf.h"
#include "config/network.h"
#include "tests/support/unit.h"

#define MOST_VIFS 64

struct bed {
	struct conf conf;
	struct rules *rules;
	struct table *table;
	struct capture_vif vifs[MOST_VIFS];
	size_t count;
	struct capture_seen *seen; /* of the last answer */
	struct capture_answer answer;
};

static int set_up(void **state)
{
	static const char text[] = "ournet 10.0.0.0/8\ndirect_peer 172.16.0.0/12\nignorenet 127.0.0.0/8\n"
				   "ournet 2001:db8::/32\n";
	struct bed *b = mem_alloc(sizeof(*b));
	FILE *in = fmemopen((char *)text, sizeof(text) - 1, "r");

	conf_init(&b->conf);
	assert_non_null(in);
	assert_int_equal(conf_parse(&b->conf, in, "test", NULL), 0);
	fclose(in);
	b->rules = rules_new(&b->conf);
	b->table = table_new(b->rules);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	table_free(b->table);
	rules_free(b->rules);
	conf_free(&b->conf);
	free(b->seen);
	free(b);
	return 0;
}

static void mac_of(uint8_t mac[6], unsigned n)
{
	const uint8_t m[6] = {0x00, 0x16, 0x3e, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};

	memcpy(mac, m, sizeof(m));
}

static void address_of(uint8_t address[16], const char *text)
{
	struct network n;

	assert_true(network_address(text, &n));
	memcpy(address, n.address, sizeof(n.address));
}

/* mac 0: none. address NULL: none. */
static void tell(struct bed *b, int64_t vif, unsigned mac, const char *address, unsigned flags)
{
	struct capture_vif *v = &b->vifs[b->count++];

	assert_true(b->count <= MOST_VIFS);
	*v = (struct capture_vif){.vif = vif, .flags = (uint16_t)flags};
	if (mac) {
		v->flags |= CAPTURE_HAS_MAC;
		mac_of(v->mac, mac);
	}
	if (address) {
		v->flags |= CAPTURE_HAS_ADDRESS;
		address_of(v->address, address);
	}
}

static void told(struct bed *b)
{
	table_vifs(b->table, b->vifs, b->count);
	b->count = 0;
}

static void frame_at(struct bed *b, enum direction dir, unsigned mac, const char *own, const char *remote,
		     uint32_t bytes, int64_t tick)
{
	struct frame f = {.has_mac = mac != 0, .is_ip = true, .ip_bytes = bytes};
	bool out = dir == DIR_OUTPUT;

	mac_of(out ? f.source_mac : f.target_mac, mac);
	mac_of(out ? f.target_mac : f.source_mac, 0xfefefe);
	address_of(out ? f.source : f.target, own);
	address_of(out ? f.target : f.source, remote);
	table_frame(b->table, dir, &f, tick * TABLE_TICK);
}

static void late_after(struct bed *b, int64_t tick)
{
	table_late_after(b->table, (tick + 1) * TABLE_TICK - 1);
}

static void out(struct bed *b, unsigned mac, const char *own, const char *remote, uint32_t bytes)
{
	frame_at(b, DIR_OUTPUT, mac, own, remote, bytes, 0);
}

static void in(struct bed *b, unsigned mac, const char *own, const char *remote, uint32_t bytes)
{
	frame_at(b, DIR_INPUT, mac, own, remote, bytes, 0);
}

static void ask(struct bed *b)
{
	free(b->seen);
	b->answer = (struct capture_answer){0};
	b->seen = table_answer(b->table, &b->answer);
}

static const struct capture_seen *seen_of(const struct bed *b, int64_t vif, const char *address)
{
	static const struct capture_seen nothing;
	uint8_t wanted[16] = {0};

	if (address)
		address_of(wanted, address);
	for (size_t i = 0; i < b->answer.count; i++)
		if (b->seen[i].vif == vif && b->seen[i].has_address == (address != NULL) &&
		    memcmp(b->seen[i].address, wanted, sizeof(wanted)) == 0)
			return &b->seen[i];
	return &nothing;
}

static void expect(const struct bed *b, int64_t vif, const char *address, enum direction dir,
		   enum byte_class class, uint64_t bytes, uint64_t packets)
{
	const struct capture_seen *s = seen_of(b, vif, address);

	assert_int_equal(s->bytes.bytes[dir][class], bytes);
	assert_int_equal(s->packets.bytes[dir][class], packets);
}

static void expect_spoofed(const struct bed *b, int64_t vif, uint64_t bytes, uint64_t packets)
{
	for (size_t i = 0; i < b->answer.count; i++) {
		if (b->seen[i].vif != vif)
			continue;
		assert_int_equal(b->seen[i].spoofed_bytes, b->seen[i].has_address ? 0 : bytes);
		assert_int_equal(b->seen[i].spoofed_packets, b->seen[i].has_address ? 0 : packets);
	}
}

static void expect_strays(const struct bed *b, uint64_t out_bytes, uint64_t out_packets, uint64_t in_bytes,
			  uint64_t in_packets)
{
	assert_int_equal(b->answer.stray_bytes[DIR_OUTPUT], out_bytes);
	assert_int_equal(b->answer.stray_packets[DIR_OUTPUT], out_packets);
	assert_int_equal(b->answer.stray_bytes[DIR_INPUT], in_bytes);
	assert_int_equal(b->answer.stray_packets[DIR_INPUT], in_packets);
}

/* Nothing but the records that were expected by now. */
static void expect_records(const struct bed *b, unsigned count)
{
	assert_int_equal(b->answer.count, count);
}

static void expect_stray_mac(const struct bed *b, unsigned mac)
{
	uint8_t wanted[6] = {0};

	if (mac)
		mac_of(wanted, mac);
	assert_memory_equal(b->answer.stray_mac, wanted, sizeof(wanted));
}

static void a_mac_names_the_vif_and_the_remote_end_the_class(void **state)
{
	struct bed *b = *state;

	tell(b, 7, 1, "10.0.0.1", 0);
	tell(b, 8, 2, NULL, 0);
	told(b);
	out(b, 1, "10.0.0.1", "192.0.2.1", 100);
	out(b, 1, "10.0.0.1", "192.0.2.1", 23);
	out(b, 1, "10.0.0.1", "172.16.5.5", 200);
	out(b, 1, "10.0.0.1", "10.9.9.9", 400);
	out(b, 1, "10.0.0.1", "127.0.0.1", 800);
	in(b, 1, "10.0.0.1", "192.0.2.1", 1600);
	in(b, 2, "10.0.0.2", "172.16.0.1", 3200);
	ask(b);
	expect_records(b, 2);
	expect(b, 7, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 123, 2);
	expect(b, 7, NULL, DIR_OUTPUT, CLASS_DIRECT, 200, 1);
	expect(b, 7, NULL, DIR_OUTPUT, CLASS_LOCAL, 400, 1);
	expect(b, 7, NULL, DIR_OUTPUT, CLASS_IGNORED, 800, 1);
	expect(b, 7, NULL, DIR_INPUT, CLASS_EXTERNAL, 1600, 1);
	expect(b, 8, NULL, DIR_INPUT, CLASS_DIRECT, 3200, 1);
	expect_strays(b, 0, 0, 0, 0);
	expect_stray_mac(b, 0);
}

static void what_is_no_ip_is_not_counted(void **state)
{
	struct bed *b = *state;
	struct frame f = {.has_mac = true, .ip_bytes = 100};

	tell(b, 7, 1, NULL, 0);
	told(b);
	mac_of(f.source_mac, 1);
	table_frame(b->table, DIR_OUTPUT, &f, 0);
	ask(b);
	expect_records(b, 0);
	expect_strays(b, 0, 0, 0, 0);
}

static void every_answer_begins_at_zero(void **state)
{
	struct bed *b = *state;

	tell(b, 7, 1, NULL, 0);
	told(b);
	out(b, 1, "10.0.0.1", "192.0.2.1", 100);
	out(b, 99, "10.0.0.1", "192.0.2.1", 50);
	ask(b);
	expect(b, 7, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 100, 1);
	expect_strays(b, 50, 1, 0, 0);
	ask(b);
	expect_records(b, 0);
	expect_strays(b, 0, 0, 0, 0);
	expect_stray_mac(b, 0);
	out(b, 1, "10.0.0.1", "192.0.2.1", 1);
	ask(b);
	expect(b, 7, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 1, 1);
}

static void several_addresses_have_a_record_each(void **state)
{
	struct bed *b = *state;

	tell(b, 7, 1, "10.0.0.1", 0);
	tell(b, 7, 1, "10.0.0.2", 0);
	tell(b, 7, 1, "2001:db8::7", 0);
	told(b);
	out(b, 1, "10.0.0.1", "192.0.2.1", 100);
	in(b, 1, "10.0.0.2", "192.0.2.1", 200);
	out(b, 1, "2001:db8::7", "2001:db9::1", 400);
	in(b, 1, "10.0.0.3", "192.0.2.1", 800);
	ask(b);
	expect_records(b, 4);
	expect(b, 7, "10.0.0.1", DIR_OUTPUT, CLASS_EXTERNAL, 100, 1);
	expect(b, 7, "10.0.0.2", DIR_INPUT, CLASS_EXTERNAL, 200, 1);
	expect(b, 7, "2001:db8::7", DIR_OUTPUT, CLASS_EXTERNAL, 400, 1);
	expect(b, 7, NULL, DIR_INPUT, CLASS_EXTERNAL, 800, 1);
	expect_spoofed(b, 7, 0, 0);
	for (unsigned i = 1; i < b->answer.count; i++) /* by address, the one without first */
		assert_true(memcmp(b->seen[i - 1].address, b->seen[i].address, 16) < 0);
}

static void a_sole_address_has_no_record_of_its_own(void **state)
{
	struct bed *b = *state;

	tell(b, 7, 1, "10.0.0.1", 0);
	tell(b, 7, 1, "10.0.0.1", 0);
	told(b);
	out(b, 1, "10.0.0.1", "192.0.2.1", 100);
	out(b, 1, "10.0.0.2", "192.0.2.1", 11);
	ask(b);
	expect_records(b, 1);
	expect(b, 7, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 111, 2);
	expect_spoofed(b, 7, 11, 1);
}

static void spoofed_is_a_source_that_no_address_of_its_family_allows(void **state)
{
	struct bed *b = *state;

	tell(b, 7, 1, "10.0.0.1", 0);
	tell(b, 7, 1, "10.0.0.2", 0);
	tell(b, 8, 2, "2001:db8::8", 0);
	tell(b, 9, 3, NULL, 0);
	told(b);
	out(b, 1, "10.0.0.3", "192.0.2.1", 1);       /* spoofed */
	out(b, 1, "0.0.0.0", "255.255.255.255", 2);  /* asks for an address */
	out(b, 1, "2001:db8::1", "2001:db9::1", 4);  /* no IPv6 address was told */
	in(b, 1, "10.0.0.3", "192.0.2.1", 8);        /* not its doing */
	out(b, 2, "2001:db8::9", "2001:db9::1", 16); /* spoofed */
	out(b, 2, "::", "ff02::1", 32);
	out(b, 2, "fe80::1", "fe80::2", 64);
	out(b, 2, "febf::1", "fe80::2", 128);
	out(b, 2, "fec0::1", "fe80::2", 256); /* spoofed */
	out(b, 2, "10.0.0.3", "192.0.2.1", 512);
	out(b, 3, "10.0.0.3", "192.0.2.1", 1024);
	ask(b);
	expect_records(b, 3);
	expect_spoofed(b, 7, 1, 1);
	expect_spoofed(b, 8, 16 + 256, 2);
	expect_spoofed(b, 9, 0, 0);
	expect(b, 7, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 1 + 2 + 4, 3);
	expect(b, 8, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 16 + 32 + 64 + 128 + 256 + 512, 6);
}

static void a_source_that_was_not_told_makes_nothing_free(void **state)
{
	struct bed *b = *state;

	tell(b, 1, 1, "198.51.100.1", 0);
	tell(b, 2, 2, NULL, 0);
	tell(b, 3, 3, "127.0.0.9", 0); /* the admin's word */
	told(b);
	out(b, 1, "127.0.0.1", "192.0.2.1", 100);
	in(b, 1, "127.0.0.1", "192.0.2.1", 200);
	out(b, 2, "127.0.0.1", "192.0.2.1", 300);
	out(b, 3, "127.0.0.9", "192.0.2.1", 400);
	out(b, 4, "127.0.0.1", "192.0.2.1", 500); /* told below */
	out(b, 4, "127.0.0.8", "192.0.2.1", 600);
	tell(b, 1, 1, "198.51.100.1", 0);
	tell(b, 2, 2, NULL, 0);
	tell(b, 3, 3, "127.0.0.9", 0);
	tell(b, 4, 4, "127.0.0.8", 0);
	told(b);
	ask(b);
	expect(b, 1, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 100, 1);
	expect_spoofed(b, 1, 100, 1);
	expect(b, 1, NULL, DIR_INPUT, CLASS_EXTERNAL, 200, 1);
	expect(b, 2, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 300, 1);
	expect_spoofed(b, 2, 0, 0);
	expect(b, 3, NULL, DIR_OUTPUT, CLASS_IGNORED, 400, 1);
	expect(b, 4, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 500, 1);
	expect(b, 4, NULL, DIR_OUTPUT, CLASS_IGNORED, 600, 1);
	expect_spoofed(b, 4, 500, 1);
}

static void a_mac_of_two_vifs_is_nobodys(void **state)
{
	struct bed *b = *state;

	tell(b, 7, 1, "10.0.0.1", 0);
	tell(b, 8, 1, "10.0.0.2", 0);
	tell(b, 9, 2, NULL, 0);
	tell(b, 0, 2, NULL, CAPTURE_HOST);
	told(b);
	out(b, 1, "10.0.0.1", "192.0.2.1", 100);
	in(b, 1, "10.0.0.1", "192.0.2.1", 200);
	out(b, 2, "10.0.0.1", "192.0.2.1", 400);
	ask(b);
	expect_records(b, 0);
	expect_strays(b, 500, 2, 200, 1);
	expect_stray_mac(b, 1);
}

static void an_unknown_mac_is_a_stray_when_it_sends(void **state)
{
	struct bed *b = *state;

	tell(b, 7, 1, NULL, 0);
	told(b);
	in(b, 98, "10.0.0.1", "192.0.2.1", 7);
	out(b, 99, "10.0.0.1", "192.0.2.1", 100);
	out(b, 97, "10.0.0.1", "192.0.2.1", 100);
	out(b, 99, "10.0.0.2", "192.0.2.1", 50);
	ask(b);
	expect_records(b, 0);
	expect_strays(b, 250, 3, 0, 0);
	expect_stray_mac(b, 99);
}

static void dom0_is_no_stranger(void **state)
{
	struct bed *b = *state;

	tell(b, 0, 5, NULL, CAPTURE_HOST);
	told(b);
	out(b, 5, "10.0.0.1", "192.0.2.1", 100);
	in(b, 5, "10.0.0.1", "192.0.2.1", 100);
	out(b, 0, "10.0.0.1", "192.0.2.1", 100); /* a link without a MAC */
	ask(b);
	expect_records(b, 0);
	expect_strays(b, 0, 0, 0, 0);
	tell(b, 0, 5, NULL, CAPTURE_HOST);
	tell(b, 3, 5, "10.0.0.1", CAPTURE_HOST);
	tell(b, 3, 6, NULL, CAPTURE_HOST);
	told(b);
	out(b, 5, "10.0.0.1", "192.0.2.1", 1);
	in(b, 6, "10.0.0.1", "192.0.2.1", 2);
	out(b, 0, "10.0.0.1", "192.0.2.1", 4);
	in(b, 0, "10.0.0.1", "192.0.2.1", 8);
	ask(b);
	expect_records(b, 1);
	expect(b, 3, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 5, 2);
	expect(b, 3, NULL, DIR_INPUT, CLASS_EXTERNAL, 10, 2);
	expect_strays(b, 0, 0, 0, 0);
}

static void two_vifs_of_dom0_with_one_mac_are_nobodys(void **state)
{
	struct bed *b = *state;

	tell(b, 3, 5, NULL, CAPTURE_HOST);
	tell(b, 4, 5, NULL, CAPTURE_HOST);
	told(b);
	out(b, 5, "10.0.0.1", "192.0.2.1", 1);
	in(b, 0, "10.0.0.1", "192.0.2.1", 2);
	ask(b);
	expect_records(b, 0);
	expect_strays(b, 0, 0, 0, 0);
}

/* A VLAN of dom0's on the uplink: what it sends is in no bridge's counters. */
static void tagged_frames_of_dom0_are_past_its_vif(void **state)
{
	struct bed *b = *state;
	struct frame f = {.has_mac = true, .is_ip = true, .tagged = true, .ip_bytes = 100};

	tell(b, 3, 5, NULL, CAPTURE_HOST | CAPTURE_VLANS);
	tell(b, 3, 6, NULL, CAPTURE_HOST);
	tell(b, 0, 0, "192.0.2.50", CAPTURE_HOST);
	told(b);
	out(b, 5, "192.0.2.50", "192.0.2.1", 1);
	mac_of(f.source_mac, 5);
	address_of(f.source, "192.0.2.50");
	address_of(f.target, "192.0.2.1");
	table_frame(b->table, DIR_OUTPUT, &f, 0); /* dom0's storage, say */
	address_of(f.source, "10.0.0.7");
	table_frame(b->table, DIR_OUTPUT, &f, 0); /* a guest under dom0's MAC */
	mac_of(f.source_mac, 6);
	table_frame(b->table, DIR_OUTPUT, &f, 0); /* a card without VLANs: its own */
	ask(b);
	expect_records(b, 1);
	expect(b, 3, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 1 + 100, 2);
	expect_strays(b, 100, 1, 0, 0);
}

static void routed_vifs_are_known_by_their_address(void **state)
{
	struct bed *b = *state;

	tell(b, 7, 1, "10.0.0.1", CAPTURE_ROUTED);
	tell(b, 8, 0, "10.0.0.2", CAPTURE_ROUTED);
	tell(b, 8, 0, "2001:db8::8", CAPTURE_ROUTED);
	tell(b, 9, 2, "10.0.0.9", 0); /* bridged beside them */
	tell(b, 0, 5, "10.0.0.254", CAPTURE_HOST);
	told(b);
	out(b, 5, "10.0.0.1", "192.0.2.1", 1);
	in(b, 5, "10.0.0.1", "192.0.2.1", 2);
	out(b, 5, "10.0.0.2", "192.0.2.1", 4);
	in(b, 5, "2001:db8::8", "2001:db9::1", 8);
	out(b, 5, "10.0.0.254", "192.0.2.1", 16); /* dom0's own */
	out(b, 0, "10.0.0.1", "192.0.2.1", 32);   /* without a link header */
	out(b, 5, "10.0.0.3", "192.0.2.1", 64);   /* nobody's */
	in(b, 5, "10.0.0.3", "192.0.2.1", 128);
	in(b, 0, "10.0.0.4", "192.0.2.1", 256);
	out(b, 5, "10.0.0.9", "192.0.2.1", 512);  /* bridged: its frames do not bear dom0's MAC */
	out(b, 2, "10.0.0.1", "192.0.2.1", 1024); /* bridged: the MAC says whose it is */
	ask(b);
	expect(b, 7, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 33, 2);
	expect(b, 7, NULL, DIR_INPUT, CLASS_EXTERNAL, 2, 1);
	expect(b, 8, "10.0.0.2", DIR_OUTPUT, CLASS_EXTERNAL, 4, 1);
	expect(b, 8, "2001:db8::8", DIR_INPUT, CLASS_EXTERNAL, 8, 1);
	expect(b, 9, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 1024, 1);
	expect_spoofed(b, 9, 1024, 1);
	expect_records(b, 4);
	expect_strays(b, 64 + 512, 2, 128 + 256, 2);
	expect_stray_mac(b, 5);
}

static void without_addresses_of_dom0_what_no_routed_vif_has_is_dom0s(void **state)
{
	struct bed *b = *state;

	tell(b, 7, 0, "10.0.0.1", CAPTURE_ROUTED);
	tell(b, 3, 5, NULL, CAPTURE_HOST);
	told(b);
	out(b, 5, "10.0.0.3", "192.0.2.1", 64);
	ask(b);
	expect(b, 3, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 64, 1);
	expect_strays(b, 0, 0, 0, 0);
}

static void a_routed_address_of_two_vifs_is_nobodys(void **state)
{
	struct bed *b = *state;

	tell(b, 7, 0, "10.0.0.1", CAPTURE_ROUTED);
	tell(b, 8, 0, "10.0.0.1", CAPTURE_ROUTED);
	tell(b, 0, 5, NULL, CAPTURE_HOST);
	told(b);
	out(b, 5, "10.0.0.1", "192.0.2.1", 64);
	in(b, 5, "10.0.0.1", "192.0.2.1", 32);
	ask(b);
	expect_records(b, 0);
	expect_strays(b, 64, 1, 32, 1);
}

static void a_vif_gets_what_was_seen_before_it_was_told(void **state)
{
	struct bed *b = *state;

	told(b);
	frame_at(b, DIR_OUTPUT, 1, "10.0.0.1", "192.0.2.1", 1, 50);
	frame_at(b, DIR_OUTPUT, 1, "10.0.0.1", "10.9.9.9", 2, 150);
	out(b, 1, "10.0.0.9", "192.0.2.1", 4);
	in(b, 1, "10.0.0.2", "192.0.2.1", 8);
	out(b, 99, "10.0.0.9", "192.0.2.1", 16);
	tell(b, 7, 1, "10.0.0.1", 0);
	tell(b, 7, 1, "10.0.0.2", 0);
	told(b);
	frame_at(b, DIR_OUTPUT, 1, "10.0.0.1", "192.0.2.1", 32, 250);
	late_after(b, 100);
	frame_at(b, DIR_OUTPUT, 1, "10.0.0.1", "192.0.2.1", 64, 350);
	ask(b);
	expect_records(b, 3);
	expect(b, 7, "10.0.0.1", DIR_OUTPUT, CLASS_EXTERNAL, 1 + 32 + 64, 3);
	expect(b, 7, "10.0.0.1", DIR_OUTPUT, CLASS_LOCAL, 2, 1);
	expect(b, 7, "10.0.0.2", DIR_INPUT, CLASS_EXTERNAL, 8, 1);
	expect(b, 7, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 4, 1);
	expect_spoofed(b, 7, 4, 1);
	expect_strays(b, 16, 1, 0, 0);
	expect_stray_mac(b, 99);
	assert_int_equal(seen_of(b, 7, "10.0.0.1")->late[DIR_OUTPUT], 2 + 32 + 64);
}

static void what_turns_out_to_be_two_vifs_is_a_stray_and_what_is_dom0s_is_none(void **state)
{
	struct bed *b = *state;

	frame_at(b, DIR_OUTPUT, 1, "10.0.0.1", "192.0.2.1", 1, 50);
	in(b, 1, "10.0.0.1", "192.0.2.1", 2);
	frame_at(b, DIR_OUTPUT, 5, "10.0.0.5", "192.0.2.1", 4, 50);
	tell(b, 7, 1, NULL, 0);
	tell(b, 8, 1, NULL, 0);
	tell(b, 0, 5, NULL, CAPTURE_HOST);
	told(b);
	late_after(b, 40);
	ask(b);
	expect_records(b, 0);
	expect_strays(b, 1, 1, 2, 1);
	expect_stray_mac(b, 1);
	assert_int_equal(b->answer.stray_late, 1);
}

static void an_answer_ends_the_time_in_which_it_is_credited(void **state)
{
	struct bed *b = *state;

	out(b, 1, "10.0.0.1", "192.0.2.1", 1);
	in(b, 1, "10.0.0.1", "192.0.2.1", 2);
	ask(b);
	expect_strays(b, 1, 1, 0, 0);
	tell(b, 7, 1, NULL, 0);
	told(b);
	ask(b);
	expect_records(b, 0);
}

static void strangers_without_number_are_counted_in_bounded_memory(void **state)
{
	struct bed *b = *state;

	for (unsigned n = 0; n < 3 * TABLE_UNKNOWN; n++) {
		out(b, 1000 + n, "10.0.0.1", "192.0.2.1", 10);
		in(b, 1000 + n, "10.0.0.1", "192.0.2.1", 10);
	}
	tell(b, 7, 1000, NULL, 0);
	tell(b, 8, 1000 + TABLE_UNKNOWN - 1, NULL, 0);
	tell(b, 9, 1000 + TABLE_UNKNOWN, NULL, 0);
	told(b);
	ask(b);
	expect(b, 7, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 10, 1);
	expect(b, 8, NULL, DIR_INPUT, CLASS_EXTERNAL, 10, 1);
	expect_records(b, 2);
	expect_strays(b, 10 * (3 * TABLE_UNKNOWN - 2), 3 * TABLE_UNKNOWN - 2, 0, 0);
}

static void a_vif_that_is_gone_is_answered_once_more(void **state)
{
	struct bed *b = *state;

	tell(b, 7, 1, "10.0.0.1", 0);
	tell(b, 7, 1, "10.0.0.2", 0);
	told(b);
	out(b, 1, "10.0.0.1", "192.0.2.1", 100);
	out(b, 1, "10.0.0.3", "192.0.2.1", 50);
	told(b);
	out(b, 1, "10.0.0.1", "192.0.2.1", 1);
	ask(b);
	expect(b, 7, "10.0.0.1", DIR_OUTPUT, CLASS_EXTERNAL, 100, 1);
	expect(b, 7, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 50, 1);
	expect_strays(b, 1, 1, 0, 0);
	ask(b);
	expect_records(b, 0);
}

static void a_new_table_takes_effect_at_once_and_loses_no_count(void **state)
{
	struct bed *b = *state;

	tell(b, 7, 1, NULL, 0);
	told(b);
	out(b, 1, "10.0.0.1", "192.0.2.1", 1);
	tell(b, 8, 1, NULL, 0);
	told(b);
	out(b, 1, "10.0.0.1", "192.0.2.1", 2);
	tell(b, 7, 1, "10.0.0.1", 0);
	tell(b, 7, 1, "10.0.0.2", 0);
	told(b);
	out(b, 1, "10.0.0.1", "192.0.2.1", 4);
	ask(b);
	expect_records(b, 3);
	expect(b, 7, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 1, 1);
	expect(b, 8, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 2, 1);
	expect(b, 7, "10.0.0.1", DIR_OUTPUT, CLASS_EXTERNAL, 4, 1);
}

static void late_is_what_crossed_after_the_reading_began(void **state)
{
	struct bed *b = *state;

	tell(b, 7, 1, NULL, 0);
	told(b);
	frame_at(b, DIR_OUTPUT, 1, "10.0.0.1", "192.0.2.1", 1, 100);
	frame_at(b, DIR_OUTPUT, 1, "10.0.0.1", "192.0.2.1", 2, 101);
	frame_at(b, DIR_INPUT, 1, "10.0.0.1", "192.0.2.1", 4, 101);
	frame_at(b, DIR_OUTPUT, 9, "10.0.0.9", "192.0.2.1", 8, 101);
	frame_at(b, DIR_OUTPUT, 9, "10.0.0.9", "192.0.2.1", 16, 100);
	late_after(b, 100);
	frame_at(b, DIR_OUTPUT, 1, "10.0.0.1", "192.0.2.1", 32, 100);
	frame_at(b, DIR_OUTPUT, 1, "10.0.0.1", "192.0.2.1", 64, 102);
	ask(b);
	expect(b, 7, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 1 + 2 + 32 + 64, 4);
	assert_int_equal(seen_of(b, 7, NULL)->late[DIR_OUTPUT], 2 + 64);
	assert_int_equal(seen_of(b, 7, NULL)->late[DIR_INPUT], 4);
	assert_int_equal(b->answer.stray_late, 8);
	expect_strays(b, 24, 2, 0, 0);
	frame_at(b, DIR_OUTPUT, 1, "10.0.0.1", "192.0.2.1", 128, 300);
	late_after(b, 300);
	ask(b);
	assert_int_equal(seen_of(b, 7, NULL)->late[DIR_OUTPUT], 0);
}

/* What crossed before the reading began, but in its tick, is called late with it. */
static void a_tick_is_late_as_a_whole(void **state)
{
	struct bed *b = *state;
	struct frame f = {.has_mac = true, .is_ip = true};

	tell(b, 7, 1, NULL, 0);
	tell(b, 8, 2, NULL, 0);
	told(b);
	address_of(f.target, "192.0.2.1");
	for (unsigned i = 0; i < 6000; i++) { /* six ticks of 1,000 each; two guests in turn */
		mac_of(f.source_mac, 1 + i % 2);
		f.ip_bytes = 1 + i / 1000;
		table_frame(b->table, DIR_OUTPUT, &f, (TABLE_TICK * i) / 1000);
	}
	table_late_after(b->table, 4 * TABLE_TICK + TABLE_TICK / 2);
	mac_of(f.source_mac, 1);
	f.ip_bytes = 100000;
	table_frame(b->table, DIR_OUTPUT, &f, 4 * TABLE_TICK);
	f.ip_bytes = 10000000;
	table_frame(b->table, DIR_OUTPUT, &f, 4 * TABLE_TICK - 1);
	ask(b);
	for (int64_t vif = 7; vif <= 8; vif++) {
		uint64_t more = vif == 7 ? 100000 : 0;

		assert_int_equal(seen_of(b, vif, NULL)->late[DIR_OUTPUT], 500 * (5 + 6) + more);
		expect(b, vif, NULL, DIR_OUTPUT, CLASS_EXTERNAL,
		       500 * (1 + 2 + 3 + 4 + 5 + 6) + more + (vif == 7 ? 10000000 : 0),
		       vif == 7 ? 3002 : 3000);
	}
}

/* More frames than stamps are kept, but of few ticks: none is forgotten. */
static void frames_of_a_tick_take_one_place(void **state)
{
	struct bed *b = *state;

	tell(b, 7, 1, NULL, 0);
	tell(b, 8, 2, NULL, 0);
	told(b);
	for (int i = 0; i < 3 * TABLE_RECENT; i++) {
		frame_at(b, DIR_OUTPUT, 1 + i % 2, i % 2 ? "10.0.0.2" : "10.0.0.1", "192.0.2.1", 1,
			 100 + i / TABLE_RECENT);
		frame_at(b, DIR_INPUT, 1, "10.0.0.1", "192.0.2.1", 1, 100 + i / TABLE_RECENT);
	}
	late_after(b, 0);
	ask(b);
	assert_int_equal(seen_of(b, 7, NULL)->late[DIR_OUTPUT], 3 * TABLE_RECENT / 2);
	assert_int_equal(seen_of(b, 8, NULL)->late[DIR_OUTPUT], 3 * TABLE_RECENT / 2);
	assert_int_equal(seen_of(b, 7, NULL)->late[DIR_INPUT], 3 * TABLE_RECENT);
}

static void the_newest_frames_are_what_can_still_be_called_late(void **state)
{
	struct bed *b = *state;

	tell(b, 7, 1, NULL, 0);
	told(b);
	for (int i = 0; i < TABLE_RECENT + 10; i++)
		frame_at(b, DIR_OUTPUT, 1, "10.0.0.1", "192.0.2.1", 1, 100 + i);
	late_after(b, 0);
	ask(b);
	assert_int_equal(seen_of(b, 7, NULL)->late[DIR_OUTPUT], TABLE_RECENT);
}

/* Whatever is told in whatever order: every byte that was sent is in the answers, once. */
static void no_byte_is_lost_or_doubled(void **state)
{
	static const char *const addresses[] = {"10.0.0.1", "10.0.0.2", "192.0.2.7", "2001:db8::1"};
	struct random r = random_new();
	uint64_t sent = 0, answered = 0;
	struct bed *b = *state;

	for (int round = 0; round < 3000; round++) {
		unsigned tells = (unsigned)random_below(&r, 8), frames = (unsigned)random_below(&r, 50);

		while (tells--) { /* dom0 as well, but with one vif, so that everything is counted */
			unsigned flags = random_below(&r, 3)   ? 0
					 : random_below(&r, 2) ? CAPTURE_ROUTED
							       : CAPTURE_HOST;

			tell(b, flags == CAPTURE_HOST ? 9 : 1 + (int64_t)random_below(&r, 5),
			     (unsigned)random_below(&r, 5),
			     random_below(&r, 2) ? addresses[random_below(&r, 4)] : NULL, flags);
		}
		if (random_below(&r, 3) == 0)
			told(b);
		else
			b->count = 0;
		while (frames--) {
			uint32_t bytes = 1 + (uint32_t)random_below(&r, 1500);

			out(b, 1 + (unsigned)random_below(&r, 6), addresses[random_below(&r, 4)], "192.0.2.1",
			    bytes);
			sent += bytes;
		}
		if (random_below(&r, 4))
			continue;
		table_late_after(b->table, -1);
		ask(b);
		uint64_t late = b->answer.stray_late, all = b->answer.stray_bytes[DIR_OUTPUT];

		for (size_t i = 0; i < b->answer.count; i++) {
			all += class_bytes_total(&b->seen[i].bytes, DIR_OUTPUT);
			late += b->seen[i].late[DIR_OUTPUT];
		}
		assert_int_equal(late, all);
		answered += all;
	}
	ask(b);
	answered += b->answer.stray_bytes[DIR_OUTPUT];
	for (size_t i = 0; i < b->answer.count; i++)
		answered += class_bytes_total(&b->seen[i].bytes, DIR_OUTPUT);
	assert_int_equal(answered, sent);
}

/* It is looked up once only; then who is there changes, or an answer takes the counts away. */
static void a_flow_that_goes_on_is_whose_it_is_now(void **state)
{
	struct bed *b = *state;

	tell(b, 7, 1, "10.0.0.1", 0);
	told(b);
	for (int i = 0; i < 3; i++)
		out(b, 1, "10.0.0.1", "192.0.2.1", 100);
	in(b, 1, "10.0.0.1", "192.0.2.1", 40);
	out(b, 1, "10.0.0.9", "192.0.2.1", 7);
	out(b, 1, "10.0.0.9", "192.0.2.1", 7);
	tell(b, 8, 1, "10.0.0.9", 0);
	told(b);
	out(b, 1, "10.0.0.1", "192.0.2.1", 1000);
	out(b, 1, "10.0.0.9", "192.0.2.1", 3);
	ask(b);
	expect(b, 7, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 314, 5);
	expect(b, 7, NULL, DIR_INPUT, CLASS_EXTERNAL, 40, 1);
	expect(b, 8, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 1003, 2);
	expect_spoofed(b, 7, 14, 2);
	expect_spoofed(b, 8, 1000, 1);
	out(b, 1, "10.0.0.9", "192.0.2.1", 5);
	ask(b);
	expect(b, 8, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 5, 1);
	told(b);
	out(b, 1, "10.0.0.9", "192.0.2.1", 6);
	ask(b);
	expect_records(b, 0);
	expect_strays(b, 6, 1, 0, 0);
}

/* More than are remembered, in turn, of two guests and both ways. */
static void many_flows_take_nothing_of_each_other(void **state)
{
	struct bed *b = *state;

	tell(b, 1, 1, NULL, 0);
	tell(b, 2, 2, NULL, 0);
	told(b);
	for (unsigned i = 0; i < 30000; i++) {
		unsigned flow = i % 1000;
		char *remote = mem_printf("192.0.%u.%u", flow / 250, flow % 250 + 1);

		out(b, 1, "10.0.0.1", remote, 100);
		out(b, 2, "10.0.0.1", remote, 1000);
		in(b, 2, "10.0.0.1", remote, 10);
		free(remote);
	}
	ask(b);
	expect(b, 1, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 3000000, 30000);
	expect(b, 2, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 30000000, 30000);
	expect(b, 2, NULL, DIR_INPUT, CLASS_EXTERNAL, 300000, 30000);
	expect_records(b, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

/* A guest in a bridge that is not the kernel's: nobody counts dom0 there, and what a guest sends under its
 * MAC would be neither the guest's nor missed. */
static void who_sends_under_the_mac_of_an_uncounted_dom0_is_told_by_the_address(void **state)
{
	struct bed *b = *state;

	tell(b, 1, 1, "10.0.0.1", 0);
	tell(b, 0, 5, NULL, CAPTURE_HOST);
	tell(b, 0, 0, "10.0.0.254", CAPTURE_HOST);
	tell(b, 0, 0, "fe80::1", CAPTURE_HOST);
	told(b);
	out(b, 5, "10.0.0.254", "192.0.2.1", 100); /* dom0 */
	out(b, 5, "fe80::1", "2001:db9::1", 100);
	out(b, 5, "0.0.0.0", "192.0.2.1", 100);
	out(b, 5, "::", "2001:db9::1", 100);
	in(b, 5, "10.0.0.254", "192.0.2.1", 100);
	in(b, 5, "10.0.0.77", "192.0.2.1", 100); /* outsiders can do that at will, and no guest gets it */
	ask(b);
	assert_int_equal(b->answer.count, 0);
	assert_int_equal(b->answer.stray_packets[DIR_OUTPUT], 0);
	assert_int_equal(b->answer.stray_packets[DIR_INPUT], 0);
	out(b, 5, "10.0.0.1", "192.0.2.1", 200); /* the guest, with an address of its own or another one */
	out(b, 5, "10.0.0.77", "192.0.2.1", 300);
	ask(b);
	assert_int_equal(b->answer.stray_packets[DIR_OUTPUT], 2);
	assert_int_equal(b->answer.stray_bytes[DIR_OUTPUT], 500);
	assert_int_equal(b->answer.count, 0);
	out(b, 6, "10.0.0.77", "192.0.2.1", 400); /* before that MAC was told to be dom0's */
	in(b, 6, "10.0.0.77", "192.0.2.1", 400);
	tell(b, 0, 6, "10.0.0.254", CAPTURE_HOST);
	told(b);
	ask(b);
	assert_int_equal(b->answer.stray_bytes[DIR_OUTPUT], 400);
	assert_int_equal(b->answer.stray_packets[DIR_INPUT], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_mac_names_the_vif_and_the_remote_end_the_class),
		TEST(what_is_no_ip_is_not_counted),
		TEST(every_answer_begins_at_zero),
		TEST(a_flow_that_goes_on_is_whose_it_is_now),
		TEST(many_flows_take_nothing_of_each_other),
		TEST(several_addresses_have_a_record_each),
		TEST(a_sole_address_has_no_record_of_its_own),
		TEST(spoofed_is_a_source_that_no_address_of_its_family_allows),
		TEST(a_source_that_was_not_told_makes_nothing_free),
		TEST(a_mac_of_two_vifs_is_nobodys),
		TEST(an_unknown_mac_is_a_stray_when_it_sends),
		TEST(dom0_is_no_stranger),
		TEST(who_sends_under_the_mac_of_an_uncounted_dom0_is_told_by_the_address),
		TEST(two_vifs_of_dom0_with_one_mac_are_nobodys),
		TEST(tagged_frames_of_dom0_are_past_its_vif),
		TEST(routed_vifs_are_known_by_their_address),
		TEST(without_addresses_of_dom0_what_no_routed_vif_has_is_dom0s),
		TEST(a_routed_address_of_two_vifs_is_nobodys),
		TEST(a_vif_gets_what_was_seen_before_it_was_told),
		TEST(what_turns_out_to_be_two_vifs_is_a_stray_and_what_is_dom0s_is_none),
		TEST(an_answer_ends_the_time_in_which_it_is_credited),
		TEST(strangers_without_number_are_counted_in_bounded_memory),
		TEST(a_vif_that_is_gone_is_answered_once_more),
		TEST(a_new_table_takes_effect_at_once_and_loses_no_count),
		TEST(late_is_what_crossed_after_the_reading_began),
		TEST(a_tick_is_late_as_a_whole),
		TEST(frames_of_a_tick_take_one_place),
		TEST(the_newest_frames_are_what_can_still_be_called_late),
		TEST(no_byte_is_lost_or_doubled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
