/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fuzz_capture_table: any bytes as a script for the table of a classifier (libFuzzer): frames, tables of
 * vifs, instants and answers, made of a few MACs and addresses.
 *
 * Beside it goes the plainest account there is: a list of all frames since the last answer, each looked at
 * anew whenever vifs are told. Each answer must be what that list adds up to, to the byte: so every byte is a
 * vif's, a stray or dom0's, once; and what is late or spoofed is a part of it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "capture/owners.h"
#include "capture/table.h"

#define MOST_FRAMES 4096
#define MOST_VIFS 8
#define NO_MAC 7

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct script {
	const uint8_t *at, *end;
};

/* A frame, and what became of it. */
struct crossed {
	enum direction dir;
	uint8_t mac[6], own[16], remote[16];
	bool has_mac, tagged;
	uint32_t bytes;
	int64_t stamp;
	enum owners_place place;
	struct owners_name name; /* OWNERS_VIF: as of when it was known */
	enum owners_address address;
};

struct bed {
	const struct rules *rules;
	struct table *table;
	struct owners *owners;
	struct crossed *frames; /* MOST_FRAMES, since the last answer */
	size_t count;
	bool has_instant;
	int64_t instant;
};

static unsigned next(struct script *s)
{
	return s->at < s->end ? *s->at++ : 0;
}

static const uint8_t *address_of(unsigned n)
{
	static const uint8_t addresses[8][16] = {
		{[10] = 0xff, 0xff, 10, 0, 0, 1},   {[10] = 0xff, 0xff, 10, 0, 0, 2},
		{[10] = 0xff, 0xff, 172, 16, 0, 1}, {[10] = 0xff, 0xff, 127, 0, 0, 1},
		{[10] = 0xff, 0xff, 192, 0, 2, 1},  {[10] = 0xff, 0xff, 0, 0, 0, 0},
		{0x20, 0x01, 0x0d, 0xb8, [15] = 1}, {0xfe, 0x80, [15] = 1},
	};

	return addresses[n % 8];
}

static void mac_of(uint8_t mac[6], unsigned n)
{
	const uint8_t m[6] = {0x00, 0x16, 0x3e, 0, 0, (uint8_t)(n % 8)};

	memcpy(mac, m, sizeof(m));
}

/* ---- the plain account ---- */

static void look_up(const struct bed *b, struct crossed *c)
{
	struct owners_name *name;

	c->place = owners_of(b->owners, c->has_mac ? c->mac : NULL, c->tagged, c->own, &name, &c->address);
	if (c->place == OWNERS_VIF)
		c->name = *name;
}

static bool is_late(const struct bed *b, const struct crossed *c)
{
	return b->has_instant && (c->stamp / TABLE_TICK + 1) * TABLE_TICK > b->instant + 1;
}

static struct capture_seen *expected_of(struct capture_seen *list, uint32_t *count,
					const struct owners_name *n)
{
	for (uint32_t i = 0; i < *count; i++)
		if (list[i].vif == n->vif && list[i].has_address == n->has_address &&
		    memcmp(list[i].address, n->address, 16) == 0)
			return &list[i];
	list[*count] = (struct capture_seen){.vif = n->vif, .has_address = n->has_address};
	memcpy(list[*count].address, n->address, 16);
	return &list[(*count)++];
}

static void expect_for_vif(const struct bed *b, const struct crossed *c, struct capture_seen *s)
{
	enum byte_class class = rules_class(b->rules, c->address == OWNERS_TOLD ? c->own : NULL, c->remote);

	s->bytes.bytes[c->dir][class] += c->bytes;
	s->packets.bytes[c->dir][class]++;
	if (is_late(b, c))
		s->late[c->dir] += c->bytes;
	if (c->dir == DIR_OUTPUT && c->address == OWNERS_FOREIGN) {
		s->spoofed_bytes += c->bytes;
		s->spoofed_packets++;
	}
}

/* Input to a MAC that stayed unknown, or to a dom0 that does not have the address, is the network's own
 * flood, and no stray. */
static void expect_stray(const struct bed *b, const struct crossed *c, struct capture_answer *a)
{
	if (c->dir == DIR_INPUT && (c->place == OWNERS_UNKNOWN || c->place == OWNERS_FORGED))
		return;
	if (c->dir == DIR_OUTPUT && !a->stray_packets[DIR_OUTPUT])
		memcpy(a->stray_mac, c->mac, sizeof(a->stray_mac));
	a->stray_bytes[c->dir] += c->bytes;
	a->stray_packets[c->dir]++;
	if (c->dir == DIR_OUTPUT && is_late(b, c))
		a->stray_late += c->bytes;
}

static void check_answer(struct bed *b)
{
	struct capture_seen *expected = mem_array(b->count + 1, sizeof(*expected)), *seen;
	struct capture_answer answer = {0}, strays = {0};

	for (size_t i = 0; i < b->count; i++) {
		const struct crossed *c = &b->frames[i];

		if (c->place == OWNERS_VIF)
			expect_for_vif(b, c, expected_of(expected, &strays.count, &c->name));
		else if (c->place != OWNERS_NOBODY)
			expect_stray(b, c, &strays);
	}
	seen = table_answer(b->table, &answer);
	if (memcmp(&answer, &strays, sizeof(answer)) != 0)
		abort();
	for (uint32_t i = 0; i < answer.count; i++) {
		struct owners_name name = {.vif = seen[i].vif, .has_address = seen[i].has_address};

		memcpy(name.address, seen[i].address, 16);
		if (memcmp(&seen[i], expected_of(expected, &strays.count, &name), sizeof(*seen)) != 0)
			abort();
		if (i && seen[i - 1].vif > seen[i].vif)
			abort();
	}
	if (strays.count != answer.count)
		abort();
	free(seen);
	free(expected);
	b->count = 0;
	b->has_instant = false;
}

/* ---- the script ---- */

static void cross(struct bed *b, struct script *s)
{
	unsigned who = next(s), ends = next(s);
	struct crossed *c = &b->frames[b->count];
	struct frame f = {.is_ip = true};

	if (b->count == MOST_FRAMES)
		return;
	*c = (struct crossed){.dir = who & 0x80 ? DIR_INPUT : DIR_OUTPUT,
			      .has_mac = who % 8 != NO_MAC,
			      .tagged = who & 0x40};
	c->bytes = next(s) + 1;
	c->stamp = next(s) * TABLE_TICK / 4;
	memcpy(c->own, address_of(ends), 16);
	memcpy(c->remote, address_of(ends >> 4), 16);
	if (c->has_mac)
		mac_of(c->mac, who);
	f.has_mac = c->has_mac;
	f.tagged = c->tagged;
	f.ip_bytes = c->bytes;
	memcpy(c->dir == DIR_OUTPUT ? f.source_mac : f.target_mac, c->mac, 6);
	memcpy(c->dir == DIR_OUTPUT ? f.source : f.target, c->own, 16);
	memcpy(c->dir == DIR_OUTPUT ? f.target : f.source, c->remote, 16);
	table_frame(b->table, c->dir, &f, c->stamp);
	look_up(b, c);
	b->count++;
}

static void tell(struct bed *b, struct script *s)
{
	struct capture_vif vifs[MOST_VIFS] = {0};
	size_t count = next(s) % (MOST_VIFS + 1);

	for (size_t i = 0; i < count; i++) {
		unsigned who = next(s), what = next(s);

		vifs[i].vif = who % 4;
		vifs[i].flags = (uint16_t)(who >> 4 | (who & 0x0c) << 2);
		mac_of(vifs[i].mac, what);
		memcpy(vifs[i].address, address_of(what >> 4), 16);
	}
	table_vifs(b->table, vifs, count);
	owners_set(b->owners, vifs, count);
	for (size_t i = 0; i < b->count; i++)
		if (b->frames[i].place == OWNERS_UNKNOWN)
			look_up(b, &b->frames[i]);
}

static void step(struct bed *b, struct script *s)
{
	switch (next(s) % 8) {
	case 0:
		check_answer(b);
		break;
	case 1:
	case 2:
		tell(b, s);
		break;
	case 3:
		if (!b->has_instant) { /* once for each answer */
			b->instant = next(s) * TABLE_TICK / 4 - (next(s) & 1);
			b->has_instant = true;
			table_late_after(b->table, b->instant);
		}
		break;
	default:
		cross(b, s);
	}
}

static const struct rules *the_rules(void)
{
	static char text[] = "ournet 10.0.0.0/8\ndirect_peer 172.16.0.0/12\nignorenet 127.0.0.0/8\n"
			     "peer 2001:db8::/32\n";
	static struct rules *rules;
	struct conf conf;
	FILE *in;

	if (rules)
		return rules;
	conf_init(&conf);
	in = fmemopen(text, sizeof(text) - 1, "r");
	if (!in || conf_parse(&conf, in, "rules", NULL) != 0)
		abort();
	fclose(in);
	rules = rules_new(&conf);
	conf_free(&conf);
	return rules;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script s = {data, data + size};
	struct bed b = {.rules = the_rules(), .owners = owners_new()};

	b.table = table_new(b.rules);
	b.frames = mem_array(MOST_FRAMES, sizeof(*b.frames));
	while (s.at < s.end)
		step(&b, &s);
	check_answer(&b);
	table_free(b.table);
	owners_free(b.owners);
	free(b.frames);
	return 0;
}
