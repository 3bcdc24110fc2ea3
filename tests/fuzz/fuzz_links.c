/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fuzz_links: any bytes as a kernel's netlink sockets (libFuzzer): the table of devices, its events, the
 * choice of uplinks, and the counters.
 *
 * Stands in for what libnl does with a socket: each reading gives messages that the input describes, or fails
 * as sockets do. What was told by events must be what is in the table.
 */
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf.h"
#include "net/links.h"
#include "net/stats.h"
#include "net/uplinks.h"

#define INDEXES 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool ok)
{
	if (!ok)
		abort();
}

/* ---- the kernel ---- */

static struct kernel {
	const uint8_t *at, *end;
	nl_recvmsg_msg_cb_t handler;
	void *arg;
} kernel;

static unsigned next(void)
{
	return kernel.at < kernel.end ? *kernel.at++ : 0;
}

static size_t take(uint8_t *to, size_t most)
{
	size_t n = next() % (most + 1);

	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)next();
	return n;
}

/* A name of a few; seldom, any. */
static void put_name(struct nl_msg *msg)
{
	static const char *const names[] = {"a",  "b", "vif1.0", "xenbr0", "peth0", "0123456789abcde",
					    "lo", ""};
	uint8_t bytes[20];
	unsigned which = next();

	if (which < 0xf0)
		nla_put_string(msg, IFLA_IFNAME, names[which % 8]);
	else
		nla_put(msg, IFLA_IFNAME, (int)take(bytes, sizeof(bytes)), bytes);
}

static void put_kind(struct nl_msg *msg)
{
	static const char *const kinds[] = {"bridge", "veth", "tun", "dummy", "bond", "0123456789abcdefg"};
	struct nlattr *info = nla_nest_start(msg, IFLA_LINKINFO);

	nla_put_string(msg, IFLA_INFO_KIND, kinds[next() % 6]);
	nla_nest_end(msg, info);
}

static void put_attribute(struct nl_msg *msg)
{
	static const uint16_t types[] = {IFLA_ADDRESS,  IFLA_STATS64,           IFLA_STATS_LINK_64,
					 IFLA_LINKINFO, IFLA_CARRIER,           IFLA_MASTER,
					 IFLA_LINK,     IFLA_CARRIER_DOWN_COUNT};
	uint8_t bytes[64];

	switch (next() % 8) {
	case 0:
		put_kind(msg);
		break;
	case 1:
		nla_put_u32(msg, IFLA_MASTER, next() % INDEXES);
		break;
	case 2:
		nla_put_u32(msg, IFLA_CARRIER_DOWN_COUNT, next());
		break;
	case 3:
		nla_put_u8(msg, IFLA_CARRIER, (uint8_t)next());
		break;
	case 4:
		put_name(msg);
		break;
	default:
		nla_put(msg, types[next() % 8], (int)take(bytes, sizeof(bytes)), bytes);
	}
}

static struct nl_msg *make_message(void)
{
	static const uint16_t types[] = {RTM_NEWLINK, RTM_NEWLINK, RTM_NEWLINK,  RTM_DELLINK,
					 RTM_NEWADDR, RTM_DELADDR, RTM_NEWSTATS, RTM_NEWROUTE};
	struct ifinfomsg link = {0};
	struct ifaddrmsg address = {0};
	struct if_stats_msg stats = {0};
	uint16_t type = types[next() % 8];
	struct nl_msg *msg = nlmsg_alloc_simple(type, 0);
	unsigned n = next(), ifindex = n % INDEXES;

	expect(msg != NULL);
	link.ifi_index = (int)ifindex;
	link.ifi_family = n & 0x80 ? AF_BRIDGE : AF_UNSPEC;
	address.ifa_index = stats.ifindex = ifindex;
	if (type == RTM_NEWSTATS)
		nlmsg_append(msg, &stats, sizeof(stats), NLMSG_ALIGNTO);
	else if (type == RTM_NEWADDR || type == RTM_DELADDR)
		nlmsg_append(msg, &address, sizeof(address), NLMSG_ALIGNTO);
	else
		nlmsg_append(msg, &link, sizeof(link), NLMSG_ALIGNTO);
	if (!(n & 0x40))
		put_name(msg);
	for (unsigned i = next() % 4; i; i--)
		put_attribute(msg);
	if (n & 0x20) /* cut short, or with a tail that is no attribute */
		nlmsg_hdr(msg)->nlmsg_len -= next() % 8;
	return msg;
}

int nl_recvmsgs_default(struct nl_sock *sock)
{
	unsigned what = kernel.at < kernel.end ? next() % 8 : 7;

	(void)sock;
	if (what == 5)
		return -NLE_DUMP_INTR;
	if (what == 6)
		return -NLE_NOMEM;
	if (what == 7)
		return -NLE_AGAIN;
	for (unsigned i = what; i; i--) {
		struct nl_msg *made = make_message(), *msg = nlmsg_convert(nlmsg_hdr(made));

		expect(msg != NULL);
		kernel.handler(msg, kernel.arg);
		nlmsg_free(msg);
		nlmsg_free(made);
	}
	return 0;
}

int nl_socket_modify_cb(struct nl_sock *sock, enum nl_cb_type type, enum nl_cb_kind kind,
			nl_recvmsg_msg_cb_t handler, void *arg)
{
	(void)sock;
	(void)type;
	(void)kind;
	kernel.handler = handler;
	kernel.arg = arg;
	return 0;
}

int nl_connect(struct nl_sock *sock, int protocol)
{
	(void)sock;
	(void)protocol;
	return 0;
}

int nl_send_simple(struct nl_sock *sock, int type, int flags, void *bytes, size_t size)
{
	(void)sock;
	(void)type;
	(void)flags;
	(void)bytes;
	(void)size;
	return 0;
}

int nl_socket_add_memberships(struct nl_sock *sock, int group, ...)
{
	(void)sock;
	(void)group;
	return 0;
}

int nl_socket_set_nonblocking(const struct nl_sock *sock)
{
	(void)sock;
	return 0;
}

int nl_socket_set_buffer_size(struct nl_sock *sock, int receive, int send)
{
	(void)sock;
	(void)receive;
	(void)send;
	return 0;
}

int nl_socket_set_msg_buf_size(struct nl_sock *sock, size_t size)
{
	(void)sock;
	(void)size;
	return 0;
}

/* ---- the table ---- */

struct told {
	bool there[INDEXES];
};

static void on_link(void *ctx, enum link_event event, const struct link *link, const struct counters *c)
{
	struct told *t = ctx;

	(void)c;
	expect(link->ifindex > 0 && link->ifindex < INDEXES);
	expect(t->there[link->ifindex] == (event != LINK_APPEARED));
	t->there[link->ifindex] = event != LINK_GONE;
}

static void list(const struct links *links, struct told *t)
{
	*t = (struct told){0};
	for (const struct link *l = NULL; (l = links_next(links, l));)
		t->there[l->ifindex] = true;
}

static void check_table(const struct links *links, const struct told *t)
{
	struct told now;

	list(links, &now);
	expect(memcmp(&now, t, sizeof(now)) == 0);
	for (const struct link *l = NULL; (l = links_next(links, l));) {
		const struct link *other = links_named(links, l->name);

		expect(links_find(links, l->ifindex) == l && *l->name);
		expect(memchr(l->name, '\0', sizeof(l->name)) && memchr(l->type, '\0', sizeof(l->type)));
		expect(!other || strcmp(other->name, l->name) == 0);
		other = l->nodename ? links_of_node(links, l->nodename) : NULL;
		expect(!other || strcmp(other->nodename, l->nodename) == 0);
	}
}

static bool is_vif(void *ctx, unsigned ifindex)
{
	return *(const unsigned *)ctx >> ifindex & 1;
}

static void choose(const struct links *links, unsigned vifs)
{
	char *lines[] = {(char[]){"peth0"}, (char[]){"a"}, (char[]){"a"}};
	struct uplinks before = {0};

	for (size_t count = 0; count <= 3; count++) {
		struct conf_texts devices = {.list = lines, .count = count};
		char *why;
		struct uplinks u = uplinks_choose(links, &devices, is_vif, &vifs, &before, &why);

		for (size_t i = 0; i < u.count; i++)
			expect(links_find(links, u.list[i]) != NULL);
		for (size_t i = 0; !count && i < u.count; i++)
			expect(!is_vif(&vifs, u.list[i]));
		expect(u.count || why);
		free(why);
		uplinks_free(&before);
		before = u;
	}
	uplinks_free(&before);
}

static void follow(void)
{
	struct links *links;
	struct told told;
	char *err = NULL;

	if (links_open(&links, &err) < 0) {
		expect(!links && err);
		free(err);
		return;
	}
	list(links, &told);
	while (kernel.at < kernel.end) {
		unsigned what = next();
		int rc = what & 1 ? links_refresh(links, what % INDEXES, &err)
				  : links_drain(links, on_link, &told, &err);

		if (what & 1) /* which tells nobody */
			list(links, &told);
		expect((rc < 0) == (err != NULL));
		free(err);
		err = NULL;
		check_table(links, &told);
		choose(links, what << 8 | next());
	}
	links_close(links);
}

/* ---- the counters ---- */

static void on_counters(void *ctx, unsigned ifindex, const struct counters *c)
{
	struct counters copy = *c;

	(void)ctx;
	(void)copy;
	expect(ifindex > 0 && ifindex < INDEXES);
}

static void count(void)
{
	struct stats *stats;
	char *err = NULL;

	expect(stats_open(&stats, &err) == 0);
	while (kernel.at < kernel.end) {
		int rc = stats_dump(stats, on_counters, NULL, &err);

		expect((rc < 0) == (err != NULL));
		free(err);
		err = NULL;
	}
	stats_close(stats);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	kernel = (struct kernel){.at = data + 1, .end = data + size};
	if (data[0] % 4)
		follow();
	else
		count();
	return 0;
}
