/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/support/table_bed.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/network.h"
#include "tests/support/unit.h"

int table_bed_set_up(void **state)
{
	static const char text[] = "ournet 10.0.0.0/8\ndirect_peer 172.16.0.0/12\nignorenet 127.0.0.0/8\n"
				   "ournet 2001:db8::/32\n";
	struct table_bed *b = mem_alloc(sizeof(*b));
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

int table_bed_tear_down(void **state)
{
	struct table_bed *b = *state;

	table_free(b->table);
	rules_free(b->rules);
	conf_free(&b->conf);
	free(b->seen);
	free(b);
	return 0;
}

void table_bed_mac_of(uint8_t mac[6], unsigned n)
{
	const uint8_t m[6] = {0x00, 0x16, 0x3e, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};

	memcpy(mac, m, sizeof(m));
}

void table_bed_address_of(uint8_t address[16], const char *text)
{
	struct network n;

	assert_true(network_address(text, &n));
	memcpy(address, n.address, sizeof(n.address));
}

void table_bed_tell(struct table_bed *b, int64_t vif, unsigned mac, const char *address, unsigned flags)
{
	struct capture_vif *v = &b->vifs[b->count++];

	assert_true(b->count <= TABLE_BED_VIFS);
	*v = (struct capture_vif){.vif = vif, .flags = (uint16_t)flags};
	if (mac) {
		v->flags |= CAPTURE_HAS_MAC;
		table_bed_mac_of(v->mac, mac);
	}
	if (address) {
		v->flags |= CAPTURE_HAS_ADDRESS;
		table_bed_address_of(v->address, address);
	}
}

void table_bed_told(struct table_bed *b)
{
	table_vifs(b->table, b->vifs, b->count);
	b->count = 0;
}

void table_bed_frame_at(struct table_bed *b, enum direction dir, unsigned mac, const char *own,
			const char *remote, uint32_t bytes, int64_t tick)
{
	struct frame f = {.has_mac = mac != 0, .is_ip = true, .ip_bytes = bytes};
	bool out = dir == DIR_OUTPUT;

	if (mac) {
		table_bed_mac_of(out ? f.source_mac : f.target_mac, mac);
		table_bed_mac_of(out ? f.target_mac : f.source_mac, 0xfefefe);
	}
	table_bed_address_of(out ? f.source : f.target, own);
	table_bed_address_of(out ? f.target : f.source, remote);
	table_frame(b->table, dir, &f, tick * TABLE_TICK);
}

void table_bed_late_after(struct table_bed *b, int64_t tick)
{
	table_late_after(b->table, (tick + 1) * TABLE_TICK - 1);
}

void table_bed_out(struct table_bed *b, unsigned mac, const char *own, const char *remote, uint32_t bytes)
{
	table_bed_frame_at(b, DIR_OUTPUT, mac, own, remote, bytes, 0);
}

void table_bed_in(struct table_bed *b, unsigned mac, const char *own, const char *remote, uint32_t bytes)
{
	table_bed_frame_at(b, DIR_INPUT, mac, own, remote, bytes, 0);
}

void table_bed_ask(struct table_bed *b)
{
	free(b->seen);
	b->answer = (struct capture_answer){0};
	b->seen = table_answer(b->table, &b->answer);
}

const struct capture_seen *table_bed_seen_of(const struct table_bed *b, int64_t vif, const char *address)
{
	static const struct capture_seen nothing;
	uint8_t wanted[16] = {0};

	if (address)
		table_bed_address_of(wanted, address);
	for (size_t i = 0; i < b->answer.count; i++)
		if (b->seen[i].vif == vif && b->seen[i].has_address == (address != NULL) &&
		    memcmp(b->seen[i].address, wanted, sizeof(wanted)) == 0)
			return &b->seen[i];
	return &nothing;
}

void table_bed_expect(const struct table_bed *b, int64_t vif, const char *address, enum direction dir,
		      enum byte_class class, uint64_t bytes, uint64_t packets)
{
	const struct capture_seen *s = table_bed_seen_of(b, vif, address);

	assert_int_equal(s->bytes.bytes[dir][class], bytes);
	assert_int_equal(s->packets.bytes[dir][class], packets);
}

void table_bed_expect_spoofed(const struct table_bed *b, int64_t vif, uint64_t bytes, uint64_t packets)
{
	for (size_t i = 0; i < b->answer.count; i++) {
		if (b->seen[i].vif != vif)
			continue;
		assert_int_equal(b->seen[i].spoofed_bytes, b->seen[i].has_address ? 0 : bytes);
		assert_int_equal(b->seen[i].spoofed_packets, b->seen[i].has_address ? 0 : packets);
	}
}

void table_bed_expect_strays(const struct table_bed *b, uint64_t out_bytes, uint64_t out_packets,
			     uint64_t in_bytes, uint64_t in_packets)
{
	assert_int_equal(b->answer.stray_bytes[DIR_OUTPUT], out_bytes);
	assert_int_equal(b->answer.stray_packets[DIR_OUTPUT], out_packets);
	assert_int_equal(b->answer.stray_bytes[DIR_INPUT], in_bytes);
	assert_int_equal(b->answer.stray_packets[DIR_INPUT], in_packets);
}

void table_bed_expect_records(const struct table_bed *b, unsigned count)
{
	assert_int_equal(b->answer.count, count);
}

void table_bed_expect_stray_mac(const struct table_bed *b, unsigned mac)
{
	uint8_t wanted[6] = {0};

	if (mac)
		table_bed_mac_of(wanted, mac);
	assert_memory_equal(b->answer.stray_mac, wanted, sizeof(wanted));
}
