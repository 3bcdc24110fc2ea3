/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * count: the kernel's programs, which count by class what crosses the uplinks (sections named `tc`).
 *
 * `leave` sits at an uplink's egress: whoever a packet came from (skb->ingress_ifindex; 0: dom0 itself) has
 * it as output. `deliver` sits at a vif's egress: what came from an uplink is the vif's input. `arrive` sits
 * at an uplink's ingress, for dom0's own input and that of routed vifs, whose packets lose the uplink's
 * number on their way through a bridge. `enter` sits at a vif's ingress and counts all that the guest sends,
 * as netback's own counter does, which is thrown away with the guest. Each hands every packet on to whoever
 * else looks, unchanged.
 */
#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#include "kernel/layout.h"
#include "kernel/packet.h"
#include "net/rule_flags.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KERNEL_SLOTS * 2);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, uint32_t);
	__type(value, struct kernel_device);
} devices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KERNEL_SLOTS * 2);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct kernel_address_key);
	__type(value, struct kernel_address);
} addresses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KERNEL_SLOTS);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct kernel_host_key);
	__type(value, struct kernel_address);
} hosts SEC(".maps");

struct networks {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, sizeof(struct kernel_network)); /* by type, clang 14 leaves its BTF out */
	__uint(value_size, sizeof(uint32_t));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, uint32_t);
	__array(values, struct networks);
} lists SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, uint32_t);
	__type(value, struct kernel_rules);
} rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE); /* so that it is written at once, and after what it is about */
	__uint(max_entries, 1);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, uint32_t);
	__type(value, uint32_t);
} current SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, KERNEL_SLOTS);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, uint32_t);
	__type(value, struct kernel_counts);
} counts SEC(".maps");

/* Not the programs': what xenbw-tc has to find again. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, KERNEL_SLOTS);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, uint32_t);
	__type(value, struct kernel_page);
} pages SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, uint32_t);
	__type(value, struct kernel_head);
} head SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KERNEL_SLOTS * 2);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, uint32_t);
	__type(value, uint32_t);
} hooks SEC(".maps");

/* Whose a packet is, by its own end: the slot (0: nobody's), whether that end is an address of its own, or
 * one that is somebody else's (of output), and the lists that the address is in. */
struct owner {
	uint32_t slot;
	uint32_t lists;
	bool told, spoofed;
};

/* What a packet is booked as. */
struct verdict {
	uint32_t slot;
	enum byte_class class;
	bool spoofed;
};

/* Most packets are like one shortly before them, or have at least their own end like it: what that one was
 * booked as, and whose it was, is kept for each processor. Two that land on one place take it from each
 * other. All of it holds for one state of the other maps. */
#define MEMOS 256

struct memo_key {
	uint64_t source[2], target[2]; /* of an owner: zeros where its other end is */
	uint64_t devices;
	uint64_t rest; /* the MAC that the program looks at, the program, a tag */
};

struct memo {
	struct memo_key key;
	uint32_t state; /* of `current` */
	uint32_t slot;
	uint32_t class;
	uint32_t spoofed;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MEMOS);
	__type(key, uint32_t);
	__type(value, struct memo);
} memos SEC(".maps");

struct owner_memo {
	struct memo_key key;
	uint32_t state;
	struct owner owner;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MEMOS);
	__type(key, uint32_t);
	__type(value, struct owner_memo);
} owner_memos SEC(".maps");

/* The same for what a vif's packets come in under. */
struct device_memo {
	uint32_t ifindex, state, slot;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MEMOS);
	__type(key, uint32_t);
	__type(value, struct device_memo);
} device_memos SEC(".maps");

/* ---- addresses ---- */

static __always_inline bool is_equal(const uint8_t *a, const uint8_t *b, int size)
{
	uint8_t differ = 0;

	for (int i = 0; i < size; i++)
		differ |= a[i] ^ b[i];
	return differ == 0;
}

static __always_inline bool is_ipv4(const uint8_t a[16])
{
	uint8_t zero = 0;

	for (int i = 0; i < 10; i++)
		zero |= a[i];
	return !zero && a[10] == 0xff && a[11] == 0xff;
}

static __always_inline bool is_unspecified(const uint8_t a[16])
{
	uint8_t front = 0;

	for (int i = 0; i < 12; i++)
		front |= a[i];
	return !(a[12] | a[13] | a[14] | a[15]) && (!front || is_ipv4(a));
}

static __always_inline bool is_foreign(uint32_t flags, const uint8_t own[16])
{
	if (is_unspecified(own))
		return false;
	if (is_ipv4(own))
		return flags & KERNEL_IPV4_TOLD;
	return flags & KERNEL_IPV6_TOLD && !(own[0] == 0xfe && (own[1] & 0xc0) == 0x80);
}

static __always_inline struct kernel_address *told(uint32_t slot, const uint8_t address[16])
{
	struct kernel_address_key key = {.slot = slot};

	__builtin_memcpy(key.address, address, 16);
	return bpf_map_lookup_elem(&addresses, &key);
}

/* ---- classes: what net/rules.c says ---- */

static __always_inline unsigned lists_of(uint32_t set, const struct kernel_rules *r,
					 const uint64_t address[2])
{
	struct kernel_network key = {.bits = 128};
	uint32_t *flags;
	void *networks;

	for (uint32_t i = 0; i < KERNEL_FEW && i < r->few_count; i++) {
		const struct kernel_few *f = &r->few[i];

		if (!((address[0] ^ f->address[0]) & f->mask[0]) &&
		    !((address[1] ^ f->address[1]) & f->mask[1]))
			return (unsigned)f->lists;
	}
	networks = r->few_count ? NULL : bpf_map_lookup_elem(&lists, &set);
	if (!networks)
		return 0;
	__builtin_memcpy(key.address, address, 16);
	flags = bpf_map_lookup_elem(networks, &key);
	return flags ? *flags : 0;
}

static __always_inline bool same_end(uint32_t mask, const uint8_t a[16], const uint8_t b[16])
{
	uint32_t x, y;

	if (!is_equal(a, b, 12))
		return false;
	__builtin_memcpy(&x, a + 12, 4);
	__builtin_memcpy(&y, b + 12, 4);
	return is_ipv4(a) ? !((x ^ y) & mask) : x == y;
}

static __always_inline uint32_t set_of(uint32_t state)
{
	return state & 1;
}

static __always_inline const struct kernel_rules *rules_of(uint32_t set)
{
	return bpf_map_lookup_elem(&rules, &set);
}

static __always_inline const uint8_t *bytes_of(const uint64_t address[2])
{
	return (const uint8_t *)address;
}

static __always_inline enum byte_class class_of(const struct owner *o, uint32_t state, const uint64_t own[2],
						const uint64_t remote[2])
{
	uint32_t set = set_of(state);
	const struct kernel_rules *r = rules_of(set);

	if (!r)
		return CLASS_EXTERNAL;
	if (o->told && same_end(r->ignoremask, bytes_of(own), bytes_of(remote)))
		return CLASS_IGNORED;
	return rule_flags_class(o->lists, lists_of(set, r, remote), o->told && r->own_in_ournet);
}

/* ---- whose a packet is ---- */

static __always_inline const uint64_t *own_end(enum direction dir, const uint64_t source[2],
					       const uint64_t target[2])
{
	return dir == DIR_OUTPUT ? source : target;
}

static __always_inline const uint64_t *remote_end(enum direction dir, const uint64_t source[2],
						  const uint64_t target[2])
{
	return dir == DIR_OUTPUT ? target : source;
}

static __always_inline struct owner own_of(enum direction dir, uint32_t slot, uint32_t flags, uint32_t state,
					   const struct packet *p)
{
	const uint64_t *own = own_end(dir, p->source, p->target);
	const struct kernel_rules *r = rules_of(set_of(state));
	const struct kernel_address *a;

	if (!slot)
		return (struct owner){0};
	a = told(slot, bytes_of(own));
	return (struct owner){.slot = a ? a->slot : slot,
			      .lists = a && r ? lists_of(set_of(state), r, own) : 0,
			      .told = a,
			      .spoofed = dir == DIR_OUTPUT && !a && is_foreign(flags, bytes_of(own))};
}

static __always_inline struct kernel_device *device(uint32_t ifindex)
{
	return bpf_map_lookup_elem(&devices, &ifindex);
}

/* By its address: a vif whose packets say no more than which bridge they came through. */
static __always_inline struct owner routed_owner(enum direction dir, uint32_t state, const struct packet *p)
{
	const struct kernel_address *a =
		told(KERNEL_ANY_ROUTED, bytes_of(own_end(dir, p->source, p->target)));

	return a ? own_of(dir, a->slot, a->flags, state, p) : (struct owner){0};
}

static __always_inline struct owner leaving_owner(const struct __sk_buff *skb,
						  const struct kernel_device *uplink, uint32_t state,
						  const struct packet *p)
{
	const struct kernel_device *from;

	if (!skb->ingress_ifindex)
		return p->tagged && uplink->flags & KERNEL_VLANS
			       ? (struct owner){0}
			       : own_of(DIR_OUTPUT, uplink->host, 0, state, p);
	from = device(skb->ingress_ifindex);
	if (!from)
		return (struct owner){0};
	return from->flags & KERNEL_ROUTED && !(from->flags & KERNEL_VIF)
		       ? routed_owner(DIR_OUTPUT, state, p)
		       : own_of(DIR_OUTPUT, from->slot, from->flags, state, p);
}

static __always_inline struct owner arriving_owner(const struct kernel_device *uplink, uint32_t state,
						   const struct packet *p)
{
	const struct kernel_address *host = NULL, *routed;
	struct kernel_host_key key = {};

	if (!(uplink->flags & KERNEL_RAW)) {
		__builtin_memcpy(key.mac, p->ether, 6);
		host = bpf_map_lookup_elem(&hosts, &key);
		if (!host)
			return (struct owner){0};
	}
	routed = told(KERNEL_ANY_ROUTED, bytes_of(p->target));
	if (routed)
		return own_of(DIR_INPUT, routed->slot, routed->flags, state, p);
	if (!host || (p->tagged && host->flags & KERNEL_VLANS) ||
	    (host->flags & KERNEL_ROUTED && !is_unspecified(bytes_of(p->target)) &&
	     !told(KERNEL_ANY_HOST, bytes_of(p->target))))
		return (struct owner){0};
	return own_of(DIR_INPUT, host->slot, 0, state, p);
}

/* ---- what one like it was booked as ---- */

enum program { LEAVE, DELIVER, ARRIVE };

/* A frame's target MAC, in the place of six bytes of the word. */
static __always_inline uint64_t target_mac(const struct __sk_buff *skb)
{
	const uint16_t *mac = (const uint16_t *)(long)skb->data, *end = (const uint16_t *)(long)skb->data_end;

	return mac + 3 > end ? 0 : (uint64_t)mac[0] << 32 | (uint64_t)mac[1] << 16 | mac[2];
}

static __always_inline struct memo_key memo_key(const struct __sk_buff *skb, enum program program,
						const struct packet *p)
{
	return (struct memo_key){.source = {p->source[0], p->source[1]},
				 .target = {p->target[0], p->target[1]},
				 .devices = (uint64_t)skb->ifindex << 32 | skb->ingress_ifindex,
				 .rest = (uint64_t)program << 56 | (uint64_t)p->tagged << 48 |
					 (program == LEAVE ? 0 : target_mac(skb))};
}

static __always_inline uint32_t place_of(const struct memo_key *k)
{
	uint64_t mixed =
		(k->source[1] ^ (k->target[1] >> 7 | k->target[1] << 57) ^ k->devices) * 0x9e3779b97f4a7c15U;

	return mixed >> 56;
}

static __always_inline bool is_same(const struct memo_key *a, const struct memo_key *b)
{
	return a->source[0] == b->source[0] && a->source[1] == b->source[1] && a->target[0] == b->target[0] &&
	       a->target[1] == b->target[1] && a->devices == b->devices && a->rest == b->rest;
}

static __always_inline uint32_t state(void)
{
	uint32_t zero = 0, *now = bpf_map_lookup_elem(&current, &zero);

	return now ? *(volatile uint32_t *)now : 0;
}

/* ---- counting ---- */

static __always_inline void count(const struct __sk_buff *skb, enum direction dir, const struct verdict *v,
				  uint32_t bytes)
{
	struct kernel_counts *c = v->slot ? bpf_map_lookup_elem(&counts, &v->slot) : NULL;
	uint32_t class = v->class;

	if (!c || class >= KERNEL_CLASSES)
		return;
	c->crossed[dir][class].bytes += bytes;
	c->crossed[dir][class].packets++;
	c->crossed[dir][class].segments += skb->gso_segs > 1 ? skb->gso_segs : 1;
	if (v->spoofed) {
		c->spoofed_bytes += bytes;
		c->spoofed_packets++;
	}
}

/* What peek has read needs no more than the MAC. *raw: a memory of it would be of another kind of packet. */
static __always_inline bool read_rest(struct __sk_buff *skb, enum program program, bool peeked, bool raw,
				      struct packet *p)
{
	if (peeked && !raw)
		return program == LEAVE || bpf_skb_load_bytes(skb, 0, p->ether, ETHER) == 0;
	*p = (struct packet){};
	return read_packet(skb, raw, p);
}

static __always_inline struct owner look_up(struct __sk_buff *skb, enum program program, uint32_t state,
					    bool peeked, struct packet *p, bool *raw)
{
	const struct kernel_device *d = device(skb->ifindex), *from;

	if (!d)
		return (struct owner){0};
	if (program == DELIVER) {
		from = device(skb->ingress_ifindex);
		if (d->flags & KERNEL_ROUTED || !from || !(from->flags & KERNEL_UPLINK) ||
		    !read_rest(skb, program, peeked, false, p) ||
		    (d->flags & KERNEL_HAS_MAC && !is_equal(p->ether, d->mac, 6)))
			return (struct owner){0};
		return own_of(DIR_INPUT, d->slot, d->flags, state, p);
	}
	*raw = d->flags & KERNEL_RAW;
	if (!(d->flags & KERNEL_UPLINK) || !read_rest(skb, program, peeked, *raw, p))
		return (struct owner){0};
	return program == LEAVE ? leaving_owner(skb, d, state, p) : arriving_owner(d, state, p);
}

static __always_inline struct verdict judge(enum direction dir, const struct owner *o, uint32_t state,
					    const struct packet *p)
{
	return o->slot ? (struct verdict){o->slot,
					  class_of(o, state, own_end(dir, p->source, p->target),
						   remote_end(dir, p->source, p->target)),
					  o->spoofed}
		       : (struct verdict){0};
}

/* Of a packet that peek has read: by who had its own end before. *raw as look_up says. */
static __always_inline struct owner remember_owner(struct __sk_buff *skb, enum program program,
						   uint32_t state, const struct memo_key *like,
						   struct packet *p, bool *raw)
{
	struct memo_key key = *like;
	struct owner_memo *m;
	struct owner o;
	uint32_t place;

	if (program == LEAVE)
		key.target[0] = key.target[1] = 0;
	else
		key.source[0] = key.source[1] = 0;
	place = place_of(&key);
	m = bpf_map_lookup_elem(&owner_memos, &place);
	if (m && m->state == state && is_same(&m->key, &key))
		return m->owner;
	o = look_up(skb, program, state, true, p, raw);
	if (m && !*raw)
		*m = (struct owner_memo){key, state, o};
	return o;
}

static __always_inline int look_at(struct __sk_buff *skb, enum program program)
{
	enum direction dir = program == LEAVE ? DIR_OUTPUT : DIR_INPUT;
	uint32_t now = state(), place;
	struct packet p = {};
	struct memo_key key;
	struct memo *m;
	struct verdict v;
	struct owner o;
	bool raw = false;

	if (!peek(skb, &p)) {
		o = look_up(skb, program, now, false, &p, &raw);
		v = judge(dir, &o, now, &p);
		count(skb, dir, &v, p.bytes);
		return TC_ACT_UNSPEC;
	}
	key = memo_key(skb, program, &p);
	place = place_of(&key);
	m = bpf_map_lookup_elem(&memos, &place);
	if (m && m->state == now && is_same(&m->key, &key)) {
		v = (struct verdict){m->slot, m->class, m->spoofed};
	} else {
		o = remember_owner(skb, program, now, &key, &p, &raw);
		v = judge(dir, &o, now, &p);
		if (m && !raw)
			*m = (struct memo){key, now, v.slot, v.class, v.spoofed};
	}
	count(skb, dir, &v, p.bytes);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int leave(struct __sk_buff *skb)
{
	return look_at(skb, LEAVE);
}

SEC("tc")
int deliver(struct __sk_buff *skb)
{
	return look_at(skb, DELIVER);
}

SEC("tc")
int arrive(struct __sk_buff *skb)
{
	return look_at(skb, ARRIVE);
}

static __always_inline uint32_t slot_of(uint32_t ifindex)
{
	uint32_t now = state(), place = ifindex % MEMOS;
	struct device_memo *m = bpf_map_lookup_elem(&device_memos, &place);
	const struct kernel_device *vif;

	if (m && m->ifindex == ifindex && m->state == now)
		return m->slot;
	vif = device(ifindex);
	if (m && vif && vif->slot)
		*m = (struct device_memo){ifindex, now, vif->slot};
	return vif ? vif->slot : 0;
}

/* Bytes without the Ethernet header, so that they are comparable with the device's counters. A tag that was
 * taken off was counted by the device. */
SEC("tc")
int enter(struct __sk_buff *skb)
{
	uint32_t slot = slot_of(skb->ifindex);
	struct kernel_counts *c = slot ? bpf_map_lookup_elem(&counts, &slot) : NULL;

	if (c && skb->len >= ETHER) {
		c->sent_bytes += skb->len - ETHER + (skb->vlan_present ? TAG : 0);
		c->sent_packets++;
	}
	return TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "GPL";
