/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The kernel's programs count each frame as xenbw-capture counts it: the same frames go through both, in a
 * network namespace, and the tables must be equal. What only the kernel knows (by which device a packet came)
 * is tried by itself.
 */
#include "kernel/maps.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "capture/table.h"
#include "config/conf.h"
#include "kernel/book.h"
#include "net/frame.h"
#include "net/rules.h"
#include "tests/support/netns.h"

#define FOLDER "/sys/fs/bpf/xenbw-test"
#define FRAMES 20000

enum { WEB = 1, DB = 2, ROUTED = 3, DOM0 = 9 }; /* ids of vifs, and the MACs of the first two */
enum { WEB_SLOT = 1, DB_SLOT, DB_4, DB_6, DB_LAST, ROUTED_SLOT, DOM0_SLOT, SLOTS };
enum { WEB_PORT = 101, DB_PORT, ROUTED_BRIDGE, STRANGER }; /* ifindexes of where output comes from */

static const char *const lists =
	"ournet 10.0.0.0/8\nournet 2001:db8::/32\ndirect_peer 10.64.0.0/10\ndirect_peer 172.16.0.0/12\n"
	"peer 203.0.113.0/24\npeer 2a00::/16\npeer ::/0\nignorenet 10.1.0.0/16\nignorenet 203.0.113.128/25\n"
	"ignorenet 2001:db8:1::/48\ndontignore 10.1.9.0/24\ndontignore 2001:db8:1::/64\nignoremask "
	"255.255.255.0\n";

/* As many as are compared one after the other: 0.0.0.0/0 is always among them. */
static const char *const few_lists =
	"ournet 10.0.0.0/8\nournet 2001:db8::/32\npeer ::/0\nignorenet 10.1.0.0/16\n"
	"ignorenet 2001:db8:1::/48\ndontignore 10.1.9.0/24\npeer 203.0.113.0/24\n";

struct bed {
	struct conf conf;
	struct rules *rules;
	struct table *table;
	struct maps *maps;
	unsigned uplink, vif; /* devices of this namespace */
	struct kernel_counts before[SLOTS];
};

static void address_of(uint8_t address[16], const char *text)
{
	struct network n;

	assert_true(network_address(text, &n));
	memcpy(address, n.address, sizeof(n.address));
}

static void mac_of(uint8_t mac[6], unsigned n)
{
	const uint8_t m[6] = {0x00, 0x16, 0x3e, 0, 0, (uint8_t)n};

	memcpy(mac, m, sizeof(m));
}

static struct conf settings(enum conf_kind kind, const char *text)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct conf c;

	assert_non_null(in);
	conf_init(&c);
	c.kind = kind;
	assert_int_equal(conf_parse(&c, in, "test", NULL), 0);
	fclose(in);
	return c;
}

/* ---- the same vifs for both ---- */

static void tell_capture(struct bed *b)
{
	struct capture_vif v[8] = {{.vif = WEB, .flags = CAPTURE_HAS_MAC},
				   {.vif = DB, .flags = CAPTURE_HAS_MAC | CAPTURE_HAS_ADDRESS},
				   {.vif = DB, .flags = CAPTURE_HAS_MAC | CAPTURE_HAS_ADDRESS},
				   {.vif = DB, .flags = CAPTURE_HAS_MAC | CAPTURE_HAS_ADDRESS},
				   {.vif = ROUTED, .flags = CAPTURE_ROUTED | CAPTURE_HAS_ADDRESS},
				   {.vif = DOM0, .flags = CAPTURE_HOST | CAPTURE_HAS_MAC | CAPTURE_VLANS},
				   {.flags = CAPTURE_HOST | CAPTURE_HAS_ADDRESS}};

	mac_of(v[0].mac, WEB);
	for (int i = 1; i < 4; i++)
		mac_of(v[i].mac, DB);
	address_of(v[1].address, "10.0.0.2");
	address_of(v[2].address, "2001:db8::2");
	address_of(v[3].address, "10.1.0.2");
	address_of(v[4].address, "10.0.9.9");
	mac_of(v[5].mac, DOM0);
	address_of(v[6].address, "10.0.0.1");
	table_vifs(b->table, v, 7);
}

static struct maps_address told(uint32_t owner, const char *text, uint32_t slot, uint32_t flags)
{
	struct maps_address a = {.key.slot = owner, .address = {slot, flags}};

	address_of(a.key.address, text);
	return a;
}

static void tell_kernel(struct bed *b)
{
	const uint32_t both = KERNEL_IPV4_TOLD | KERNEL_IPV6_TOLD;
	struct maps_device devices[] = {
		{b->uplink, {.flags = KERNEL_UPLINK | KERNEL_VLANS, .host = DOM0_SLOT}},
		{b->vif, {.flags = KERNEL_VIF | KERNEL_HAS_MAC | both, .slot = DB_SLOT}},
		{WEB_PORT, {.flags = KERNEL_VIF, .slot = WEB_SLOT}},
		{DB_PORT, {.flags = KERNEL_VIF | both, .slot = DB_SLOT}},
		{ROUTED_BRIDGE, {.flags = KERNEL_ROUTED}}};
	struct maps_address addresses[] = {told(DB_SLOT, "10.0.0.2", DB_4, 0),
					   told(DB_SLOT, "2001:db8::2", DB_6, 0),
					   told(DB_SLOT, "10.1.0.2", DB_LAST, 0),
					   told(KERNEL_ANY_ROUTED, "10.0.9.9", ROUTED_SLOT, KERNEL_IPV4_TOLD),
					   told(ROUTED_SLOT, "10.0.9.9", ROUTED_SLOT, 0),
					   told(KERNEL_ANY_HOST, "10.0.0.1", DOM0_SLOT, 0)};
	struct maps_host host = {.address = {DOM0_SLOT, KERNEL_VLANS | KERNEL_ROUTED}};
	struct maps_who who = {devices, addresses, &host, 5, 6, 1};

	mac_of(devices[1].device.mac, DB);
	mac_of(host.key.mac, DOM0);
	assert_int_equal(maps_set_who(b->maps, &who, NULL), 0);
}

static void open_maps(struct bed *b)
{
	char *err = NULL;

	if (maps_open(&b->maps, FOLDER, &err) < 0)
		fail_msg("%s", err);
}

static void use(struct bed *b, enum conf_kind kind, const char *text)
{
	table_free(b->table);
	rules_free(b->rules);
	conf_free(&b->conf);
	b->conf = settings(kind, text);
	b->rules = rules_new(&b->conf);
	b->table = table_new(b->rules);
	tell_capture(b);
	assert_int_equal(maps_set_rules(b->maps, &b->conf, NULL), 0);
}

static int set_up(void **state)
{
	struct bed *b = mem_alloc(sizeof(*b));

	netns_enter();
	assert_int_equal(mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL), 0);
	netns_run("ip link add up0 type veth peer name down0");
	b->uplink = if_nametoindex("up0");
	b->vif = if_nametoindex("down0");
	open_maps(b);
	conf_init(&b->conf);
	use(b, CONF_XENBW, lists);
	tell_kernel(b);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	maps_close(b->maps);
	table_free(b->table);
	rules_free(b->rules);
	conf_free(&b->conf);
	free(b);
	return umount("/sys/fs/bpf");
}

/* ---- frames ---- */

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
	const uint8_t two[2] = {(uint8_t)(value >> 8), (uint8_t)value};

	put(b, two, sizeof(two));
}

static bool is_ipv4(const uint8_t a[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(a, mapped, sizeof(mapped)) == 0;
}

/* What a frame is made of. said: the length field, -1: the right one. */
struct made {
	unsigned source_mac, target_mac, tags, type, said_by;
	const uint8_t *source, *target;
	unsigned payload, padding;
	int said;
};

static struct bytes make(const struct made *m)
{
	static const unsigned tag_types[] = {0x8100, 0x88a8, 0x9100, 0x9200};
	bool ipv4 = is_ipv4(m->source);
	struct bytes b = {0};

	mac_of(b.at, m->target_mac);
	mac_of(b.at + 6, m->source_mac);
	b.len = 12;
	for (unsigned i = 0; i < m->tags; i++) {
		put16(&b, tag_types[i % 4]);
		put16(&b, 100 + i);
	}
	put16(&b, m->type ? m->type : ipv4 ? 0x0800 : 0x86dd);
	if (ipv4) {
		put(&b, "\x45\0", 2);
		put16(&b, m->said < 0 ? 20 + m->payload : (unsigned)m->said);
		b.len += 8;
		put(&b, m->source + 12, 4);
		put(&b, m->target + 12, 4);
	} else {
		put(&b, "\x60\0\0\0", 4);
		put16(&b, m->said < 0 ? m->payload : (unsigned)m->said);
		b.len += 2;
		put(&b, m->source, 16);
		put(&b, m->target, 16);
	}
	b.len += m->payload + m->padding;
	return b;
}

/* The program sees the frame on `device`, come from `from`; it must hand it on. */
static void run(struct bed *b, enum maps_program which, unsigned device, unsigned from, unsigned segments,
		const struct bytes *frame)
{
	struct __sk_buff skb = {.ifindex = device, .ingress_ifindex = from, .gso_segs = segments};
	LIBBPF_OPTS(bpf_test_run_opts, how, .data_in = frame->at, .data_size_in = (uint32_t)frame->len,
		    .ctx_in = &skb, .ctx_size_in = sizeof(skb), .repeat = 1);

	if (bpf_prog_test_run_opts(maps_program(b->maps, which), &how) < 0)
		fail_msg("the program was not run: %s", strerror(errno));
	assert_int_equal((int)how.retval, -1); /* TC_ACT_UNSPEC: the next filter's turn */
}

static struct kernel_counts grown(struct bed *b, unsigned slot)
{
	struct kernel_counts now, growth;

	assert_int_equal(maps_counts(b->maps, slot, &now, NULL), 0);
	for (size_t i = 0; i < sizeof(now) / sizeof(uint64_t); i++)
		((uint64_t *)&growth)[i] = ((uint64_t *)&now)[i] - ((uint64_t *)&b->before[slot])[i];
	b->before[slot] = now;
	return growth;
}

/* ---- both see the same ---- */

static unsigned draw(unsigned below)
{
	static uint64_t x = 88172645463325252;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (unsigned)(x % below);
}

static const uint8_t *draw_address(bool ipv4)
{
	static const char *const texts[2][14] = {
		{"2001:db8::2", "2001:db8::3", "2001:db8:1::1", "2001:db8:1:1::1", "2a00::1", "fe80::1",
		 "::", "ff02::1", "2001:db9::1", "::1", "2a01::1", "2001:db8::9", "::fffe:0:1", "2001::1"},
		{"10.0.0.2", "10.0.0.3", "10.1.0.2", "10.1.9.1", "10.64.0.1", "172.16.0.1", "203.0.113.1",
		 "203.0.113.200", "0.0.0.0", "255.255.255.255", "192.0.2.1", "10.0.9.9", "10.0.0.1",
		 "10.127.255.255"}};
	static uint8_t made[2][16];
	static int turn;
	uint8_t *a = made[turn ^= 1];

	address_of(a, texts[ipv4][draw(14)]);
	return a;
}

static void through_both(struct bed *b, enum direction dir, unsigned who, const struct made *m)
{
	static const unsigned from[] = {
		[WEB] = WEB_PORT, [DB] = DB_PORT, [ROUTED] = ROUTED_BRIDGE, [DOM0] = 0};
	struct bytes bytes = make(m);
	struct frame f;

	frame_parse(FRAME_ETHERNET, bytes.at, bytes.len, bytes.len, &f);
	table_frame(b->table, dir, &f, 0);
	if (dir == DIR_OUTPUT)
		run(b, MAPS_LEAVE, b->uplink, from[who], 0, &bytes);
	else if (who == DB)
		run(b, MAPS_DELIVER, b->vif, b->uplink, 0, &bytes);
	else
		run(b, MAPS_ARRIVE, b->uplink, 0, 0, &bytes);
}

static void draw_frame(struct bed *b)
{
	static const unsigned who_sends[] = {WEB, DB, DB, ROUTED, DOM0}, who_gets[] = {DB, DB, ROUTED, DOM0};
	enum direction dir = draw(2) ? DIR_OUTPUT : DIR_INPUT;
	unsigned who = dir == DIR_OUTPUT ? who_sends[draw(5)] : who_gets[draw(4)];
	unsigned mac = who == ROUTED ? DOM0 : who;
	bool ipv4 = draw(2);
	struct made m = {.source_mac = dir == DIR_OUTPUT ? mac : 77,
			 .target_mac = dir == DIR_OUTPUT ? 77 : mac,
			 .tags = draw(4) ? 0 : draw(4),
			 .source = draw_address(ipv4),
			 .target = draw_address(ipv4),
			 .payload = draw(100),
			 .padding = draw(3) ? 0 : draw(40),
			 .said = draw(4) ? -1 : (int)draw(300)};
	uint8_t routed[16], host[16];

	address_of(routed, "10.0.9.9");
	address_of(host, "10.0.0.1");
	/* what comes through the routed bridge and is not the vif's is nobody's; what is dom0's is dom0's */
	if (who == ROUTED || who == DOM0) {
		const uint8_t **own = dir == DIR_OUTPUT ? &m.source : &m.target;

		*own = who == ROUTED ? routed : host;
		if (!is_ipv4(dir == DIR_OUTPUT ? m.target : m.source))
			return;
	}
	through_both(b, dir, who, &m);
}

static unsigned slot_of(const struct capture_seen *s)
{
	uint8_t four[16], six[16];

	address_of(four, "10.0.0.2");
	address_of(six, "2001:db8::2");
	if (s->vif == DB && s->has_address)
		return memcmp(s->address, four, 16) == 0  ? DB_4
		       : memcmp(s->address, six, 16) == 0 ? DB_6
							  : DB_LAST;
	return s->vif == WEB ? WEB_SLOT : s->vif == DB ? DB_SLOT : s->vif == ROUTED ? ROUTED_SLOT : DOM0_SLOT;
}

static void compare(struct bed *b, unsigned expected)
{
	struct capture_answer answer = {0};
	struct capture_seen *seen = table_answer(b->table, &answer);

	assert_int_equal(answer.count, expected);
	assert_int_equal(answer.stray_packets[DIR_OUTPUT], 0);
	for (unsigned i = 0; i < answer.count; i++) {
		struct kernel_counts c = grown(b, slot_of(&seen[i]));

		for (int d = 0; d < DIR_COUNT; d++)
			for (int k = 0; k < KERNEL_CLASSES; k++) {
				assert_int_equal(c.crossed[d][k].bytes, seen[i].bytes.bytes[d][k]);
				assert_int_equal(c.crossed[d][k].packets, seen[i].packets.bytes[d][k]);
				assert_int_equal(c.crossed[d][k].segments, c.crossed[d][k].packets);
			}
		assert_int_equal(c.spoofed_bytes, seen[i].spoofed_bytes);
		assert_int_equal(c.spoofed_packets, seen[i].spoofed_packets);
	}
	free(seen);
}

static size_t count_of_prefixes(const struct bed *b)
{
	struct prefixes p = rules_prefixes(&b->conf);
	size_t count = p.count;

	prefixes_free(&p);
	return count;
}

static void each_frame_is_counted_as_it_is_captured(void **state)
{
	struct bed *b = *state;

	for (int i = 0; i < FRAMES; i++)
		draw_frame(b);
	compare(b, 7);
	use(b, CONF_NACCTTAB, lists);
	for (int i = 0; i < FRAMES; i++)
		draw_frame(b);
	compare(b, 7);
	for (int i = 0; i < 2; i++) { /* then one more, which is never met */
		char *text = mem_printf("%s%s", few_lists, i ? "direct_peer 192.0.2.99\n" : "");

		use(b, CONF_XENBW, text);
		free(text);
		assert_int_equal(count_of_prefixes(b), KERNEL_FEW + i);
		for (int k = 0; k < FRAMES; k++)
			draw_frame(b);
		compare(b, 7);
	}
	use(b, CONF_XENBW, "\n");
	for (int i = 0; i < 1000; i++)
		draw_frame(b);
	compare(b, 7);
}

/* ---- what only the kernel knows ---- */

static struct made plain(const char *source, const char *target)
{
	static uint8_t from[16], to[16];

	address_of(from, source);
	address_of(to, target);
	return (struct made){
		.source_mac = 77, .target_mac = 78, .source = from, .target = to, .payload = 100, .said = -1};
}

static struct bytes frame_of(const char *source, const char *target)
{
	struct made m = plain(source, target);

	m.target_mac = DB;
	return make(&m);
}

static void output_belongs_to_the_device_that_it_came_from(void **state)
{
	struct bed *b = *state;
	struct made m = plain("192.0.2.7", "198.51.100.1");
	struct bytes frame = make(&m);
	struct kernel_counts c;

	use(b, CONF_XENBW, lists);
	run(b, MAPS_LEAVE, b->uplink, DB_PORT, 0, &frame); /* neither MAC nor address is its own */
	c = grown(b, DB_SLOT);
	assert_int_equal(c.crossed[DIR_OUTPUT][CLASS_EXTERNAL].bytes, 120);
	assert_int_equal(c.spoofed_bytes, 120);
	run(b, MAPS_LEAVE, b->uplink, STRANGER, 0, &frame);
	run(b, MAPS_LEAVE, b->vif, WEB_PORT, 0, &frame); /* a vif is told to the map, but is no way out */
	for (unsigned slot = 0; slot < SLOTS; slot++)
		assert_int_equal(grown(b, slot).crossed[DIR_OUTPUT][CLASS_EXTERNAL].packets, 0);
	/* the same packet from elsewhere is another's: what was found out of one does not hold for it */
	run(b, MAPS_LEAVE, b->uplink, WEB_PORT, 0, &frame);
	assert_int_equal(grown(b, WEB_SLOT).crossed[DIR_OUTPUT][CLASS_EXTERNAL].packets, 1);
	run(b, MAPS_LEAVE, b->uplink, 0, 0, &frame);
	assert_int_equal(grown(b, DOM0_SLOT).crossed[DIR_OUTPUT][CLASS_EXTERNAL].packets, 1);
	run(b, MAPS_LEAVE, b->uplink, DB_PORT, 0, &frame);
	assert_int_equal(grown(b, DB_SLOT).spoofed_packets, 1);
	assert_int_equal(grown(b, WEB_SLOT).crossed[DIR_OUTPUT][CLASS_EXTERNAL].packets, 0);
}

static void only_what_came_from_an_uplink_for_the_vif_is_input(void **state)
{
	struct bed *b = *state;
	struct made m = plain("192.0.2.7", "10.0.0.2");
	struct bytes frame;

	m.target_mac = DB;
	frame = make(&m);
	run(b, MAPS_DELIVER, b->vif, WEB_PORT, 0, &frame); /* from another guest */
	run(b, MAPS_DELIVER, b->vif, 0, 0, &frame);        /* from dom0 */
	m.target_mac = WEB;                                /* flooded by the bridge */
	frame = make(&m);
	run(b, MAPS_DELIVER, b->vif, b->uplink, 0, &frame);
	m.target_mac = DB;
	m.type = 0x0806; /* no IP */
	frame = make(&m);
	run(b, MAPS_DELIVER, b->vif, b->uplink, 0, &frame);
	assert_int_equal(grown(b, DB_4).crossed[DIR_INPUT][CLASS_EXTERNAL].packets, 0);
	m.type = 0;
	frame = make(&m);
	run(b, MAPS_DELIVER, b->vif, b->uplink, 0, &frame);
	assert_int_equal(grown(b, DB_4).crossed[DIR_INPUT][CLASS_EXTERNAL].bytes, 120);
	/* and what differs from it in one thing only is not taken for it */
	run(b, MAPS_DELIVER, b->vif, WEB_PORT, 0, &frame);
	run(b, MAPS_DELIVER, b->vif, 0, 0, &frame);
	run(b, MAPS_ARRIVE, b->uplink, b->uplink, 0, &frame);
	m.target_mac = WEB;
	frame = make(&m);
	run(b, MAPS_DELIVER, b->vif, b->uplink, 0, &frame);
	for (unsigned slot = 0; slot < SLOTS; slot++)
		assert_int_equal(grown(b, slot).crossed[DIR_INPUT][CLASS_EXTERNAL].packets, 0);
}

/* Behind the back of maps_set_who: the pinned map of devices. The processor is one, for each has its own
 * memory. */
static void a_packet_like_one_before_needs_no_lookup(void **state)
{
	struct bed *b = *state;
	struct bytes frame = frame_of("192.0.2.99", "198.51.100.99");
	struct kernel_device other = {.flags = KERNEL_VIF, .slot = DB_SLOT};
	uint32_t port = WEB_PORT;
	int devices = bpf_obj_get(FOLDER "/devices");
	cpu_set_t before, first;

	assert_true(devices >= 0);
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	CPU_ZERO(&first);
	CPU_SET(sched_getcpu(), &first);
	assert_int_equal(sched_setaffinity(0, sizeof(first), &first), 0);
	run(b, MAPS_LEAVE, b->uplink, WEB_PORT, 0, &frame);
	run(b, MAPS_ENTER, b->vif, 0, 0, &frame);
	assert_int_equal(bpf_map_update_elem(devices, &port, &other, BPF_ANY), 0);
	run(b, MAPS_LEAVE, b->uplink, WEB_PORT, 0, &frame);
	assert_int_equal(grown(b, WEB_SLOT).crossed[DIR_OUTPUT][CLASS_EXTERNAL].packets, 2);
	port = b->vif;
	other.slot = WEB_SLOT;
	assert_int_equal(bpf_map_update_elem(devices, &port, &other, BPF_ANY), 0);
	run(b, MAPS_ENTER, b->vif, 0, 0, &frame);
	assert_int_equal(grown(b, DB_SLOT).sent_packets, 2);
	tell_kernel(b);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
	close(devices);
}

static void all_that_a_vif_sends_is_counted_whatever_it_is(void **state)
{
	struct bed *b = *state;
	struct made m = plain("10.0.0.2", "192.0.2.7");
	struct bytes frame = make(&m);
	struct kernel_counts c;

	run(b, MAPS_ENTER, b->vif, 0, 0, &frame);
	m.type = 0x0806; /* no IP, and under a MAC that is not its own */
	m.source_mac = WEB;
	frame = make(&m);
	run(b, MAPS_ENTER, b->vif, 0, 0, &frame);
	c = grown(b, DB_SLOT);
	assert_int_equal(c.sent_packets, 2);
	assert_int_equal(c.sent_bytes, 240);
	assert_int_equal(c.crossed[DIR_OUTPUT][CLASS_EXTERNAL].packets, 0);
	assert_int_equal(grown(b, DB_4).sent_packets, 0);
}

/* Each packet is like the last one; what that one was booked as must not outlive what it was told by. */
static void what_is_told_holds_from_the_next_packet_on(void **state)
{
	struct bed *b = *state;
	struct bytes out = frame_of("10.0.0.2", "192.0.2.7"), in = frame_of("192.0.2.7", "10.0.0.2");
	struct maps_device devices[] = {{b->uplink, {.flags = KERNEL_UPLINK}},
					{b->vif, {.flags = KERNEL_VIF, .slot = WEB_SLOT}},
					{DB_PORT, {.flags = KERNEL_VIF, .slot = WEB_SLOT}}};
	struct maps_address address = told(WEB_SLOT, "10.0.0.2", DB_LAST, 0);
	const struct {
		struct maps_who next;         /* told after it */
		uint32_t by_class, by_device; /* slots; 0: nowhere */
	} turns[] = {{{devices, NULL, NULL, 3, 0, 0}, DB_4, DB_SLOT},
		     {{devices, &address, NULL, 3, 1, 0}, WEB_SLOT, WEB_SLOT},
		     {{0}, DB_LAST, WEB_SLOT},
		     {{0}, 0, 0}};

	for (size_t turn = 0; turn < sizeof(turns) / sizeof(*turns); turn++) {
		for (int i = 0; i < 3; i++) {
			run(b, MAPS_LEAVE, b->uplink, DB_PORT, 0, &out);
			run(b, MAPS_DELIVER, b->vif, b->uplink, 0, &in);
			run(b, MAPS_ENTER, b->vif, 0, 0, &out);
		}
		for (uint32_t slot = 1; slot < SLOTS; slot++) {
			struct kernel_counts c = grown(b, slot);
			unsigned crossed = slot == turns[turn].by_class ? 3 : 0;

			assert_int_equal(c.crossed[DIR_OUTPUT][CLASS_EXTERNAL].packets, crossed);
			assert_int_equal(c.crossed[DIR_INPUT][CLASS_EXTERNAL].packets, crossed);
			assert_int_equal(c.sent_packets, slot == turns[turn].by_device ? 3 : 0);
		}
		assert_int_equal(maps_set_who(b->maps, &turns[turn].next, NULL), 0);
	}
	tell_kernel(b);
}

static void large_packets_tell_their_segments(void **state)
{
	struct bed *b = *state;
	struct made m = plain("192.0.2.7", "198.51.100.1");
	struct bytes frame = make(&m);
	struct kernel_counts c;

	run(b, MAPS_LEAVE, b->uplink, WEB_PORT, 3, &frame);
	c = grown(b, WEB_SLOT);
	assert_int_equal(c.crossed[DIR_OUTPUT][CLASS_EXTERNAL].packets, 1);
	assert_int_equal(c.crossed[DIR_OUTPUT][CLASS_EXTERNAL].segments, 3);
}

static void who_opens_the_maps_again_finds_what_was_counted(void **state)
{
	struct bed *b = *state;
	struct made m = plain("192.0.2.7", "203.0.113.1");
	struct bytes frame = make(&m);

	run(b, MAPS_LEAVE, b->uplink, WEB_PORT, 0, &frame);
	maps_close(b->maps);
	open_maps(b);
	assert_int_equal(grown(b, WEB_SLOT).crossed[DIR_OUTPUT][CLASS_PEER].bytes, 120);
}

/* ---- the book ---- */

static void leaves(struct bed *b, unsigned from)
{
	struct made m = plain("192.0.2.7", "203.0.113.1");
	struct bytes frame = make(&m);

	run(b, MAPS_LEAVE, b->uplink, from, 0, &frame);
}

/* One vif that sends, with the slot that the book gives it. */
static void enter(struct bed *b, struct book *book, int64_t vif)
{
	struct maps_device devices[] = {{b->uplink, {.flags = KERNEL_UPLINK}},
					{WEB_PORT, {.flags = KERNEL_VIF}}};
	struct maps_who who = {devices, NULL, NULL, 2, 0, 0};

	book_begin(book);
	if (vif)
		assert_int_equal(book_slot(book, WEB_PORT, NULL, vif, &devices[1].device.slot, NULL), 0);
	book_settled(book);
	who.device_count = vif ? 2 : 1;
	assert_int_equal(maps_set_who(b->maps, &who, NULL), 0);
}

/* A reading; gives the output that it tells of a vif. */
static uint64_t reads(struct book *book, uint64_t base, uint64_t committed, int64_t vif, uint64_t *position)
{
	size_t count;
	struct capture_seen *seen = book_read(book, base, committed, &count, position, NULL);
	uint64_t bytes = 0;

	assert_non_null(seen);
	for (size_t i = 0; i < count; i++)
		if (seen[i].vif == vif)
			bytes += class_bytes_total(&seen[i].bytes, DIR_OUTPUT);
	free(seen);
	return bytes;
}

static void growth_is_told_from_the_position_that_the_ledger_has(void **state)
{
	struct bed *b = *state;
	struct book *book = book_new(b->maps);
	uint64_t one, two, three, four;

	assert_false(book_has(book, 0));
	enter(b, book, 5);
	assert_int_equal(reads(book, 0, 0, 5, &one), 0);
	leaves(b, WEB_PORT);
	assert_int_equal(reads(book, one, one, 5, &two), 120);
	leaves(b, WEB_PORT);
	assert_int_equal(reads(book, two, one, 5, &three), 120);
	book_free(book); /* killed; the ledger has `one` or, if it was just committed, `three` */
	book = book_new(b->maps);
	assert_true(book_has(book, one) && book_has(book, three));
	assert_int_equal(reads(book, one, one, 5, &four), 240);
	assert_true(four > three);
	assert_false(book_has(book, two)); /* its place was needed */
	assert_int_equal(reads(book, three, three, 5, &four), 0);
	book_free(book);
}

static void a_vif_that_is_gone_is_told_once_more_and_then_forgotten(void **state)
{
	struct bed *b = *state;
	struct book *book = book_new(b->maps);
	uint64_t at, next;

	enter(b, book, 5);
	(void)reads(book, 0, 0, 5, &at);
	leaves(b, WEB_PORT);
	enter(b, book, 0);
	assert_int_equal(reads(book, at, at, 5, &next), 120);
	assert_int_equal(reads(book, at, at, 5, &next), 120); /* as long as the ledger lacks it */
	assert_int_equal(reads(book, next, next, 5, &at), 0);
	assert_int_equal(reads(book, at, at, 5, &next), 0);
	enter(b, book, 6); /* in the same slot: what its predecessor moved is not its own */
	leaves(b, WEB_PORT);
	assert_int_equal(reads(book, next, next, 6, &at), 120);
	book_free(book);
}

static void what_a_vif_sent_is_told_with_its_device(void **state)
{
	struct bed *b = *state;
	struct book *book = book_new(b->maps);
	struct made m = plain("10.0.0.2", "10.0.0.3");
	struct bytes frame = make(&m);
	struct maps_device device = {b->vif, {.flags = KERNEL_VIF}};
	struct maps_who who = {&device, NULL, NULL, 1, 0, 0};
	struct capture_seen *seen;
	uint64_t at, next;
	size_t count;

	book_begin(book);
	assert_int_equal(book_slot(book, b->vif, NULL, 9, &device.device.slot, NULL), 0);
	book_settled(book);
	assert_int_equal(maps_set_who(b->maps, &who, NULL), 0);
	(void)reads(book, 0, 0, 9, &at);
	(void)reads(book, at, at, 9, &next);
	run(b, MAPS_ENTER, b->vif, 0, 0, &frame);
	seen = book_read(book, next, next, &count, &at, NULL);
	assert_int_equal(count, 1);
	assert_int_equal(seen->vif, 9);
	assert_int_equal(seen->ifindex, b->vif);
	assert_int_equal(seen->sent_bytes, 120);
	assert_int_equal(seen->sent_packets, 1);
	assert_int_equal(class_bytes_total(&seen->bytes, DIR_OUTPUT), 0);
	free(seen);
	book_free(book);
}

static void who_is_in_no_ledger_yet_is_known_by_the_device_alone(void **state)
{
	struct bed *b = *state;
	struct book *book = book_new(b->maps);
	uint64_t at, next;

	enter(b, book, 0);
	(void)reads(book, 0, 0, 5, &next);
	(void)reads(book, next, next, 5, &at);
	(void)reads(book, at, at, 5, &next); /* the slot of the test before is free */
	(void)reads(book, next, at, 5, &next);
	enter(b, book, 7); /* since `next`; the ledger is at `at` when all are killed */
	leaves(b, WEB_PORT);
	book_back_to(book, at);
	assert_int_equal(reads(book, at, at, 7, &next), 0);
	enter(b, book, 8); /* as the next daemon calls it */
	assert_int_equal(reads(book, at, at, 8, &next), 120);
	book_free(book);
}

static void a_folder_elsewhere_is_refused(void **state)
{
	struct maps *m;
	char *err = NULL;

	(void)state;
	assert_int_equal(maps_open(&m, "/sys/fs/bpf/nowhere/xenbw", &err), -1);
	assert_non_null(strstr(err, "cannot look at the folder"));
	err_clear(&err);
	assert_int_equal(maps_open(&m, "/run/xenbw", &err), -1);
	assert_non_null(strstr(err, "/run is no bpffs"));
	free(err);
	assert_null(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_frame_is_counted_as_it_is_captured),
		cmocka_unit_test(output_belongs_to_the_device_that_it_came_from),
		cmocka_unit_test(only_what_came_from_an_uplink_for_the_vif_is_input),
		cmocka_unit_test(all_that_a_vif_sends_is_counted_whatever_it_is),
		cmocka_unit_test(a_packet_like_one_before_needs_no_lookup),
		cmocka_unit_test(what_is_told_holds_from_the_next_packet_on),
		cmocka_unit_test(large_packets_tell_their_segments),
		cmocka_unit_test(who_opens_the_maps_again_finds_what_was_counted),
		cmocka_unit_test(growth_is_told_from_the_position_that_the_ledger_has),
		cmocka_unit_test(a_vif_that_is_gone_is_told_once_more_and_then_forgotten),
		cmocka_unit_test(what_a_vif_sent_is_told_with_its_device),
		cmocka_unit_test(who_is_in_no_ledger_yet_is_known_by_the_device_alone),
		cmocka_unit_test(a_folder_elsewhere_is_refused)};

	return cmocka_run_group_tests_name("kernel", tests, set_up, tear_down);
}
