/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The table of real devices in a network namespace of their own, and what is told of their changes.
 */
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/links.h"
#include "tests/support/netns.h"

#define MOST 65536

/* Every event of a drain, in order. */
struct event {
	enum link_event what;
	struct link link;
	bool has_counters;
	struct counters counters;
};

struct events {
	size_t count;
	struct event list[MOST];
};

static struct events seen;

static void note(void *ctx, enum link_event what, const struct link *link, const struct counters *counters)
{
	struct events *e = ctx;
	struct event *now = &e->list[e->count++];

	assert_true(e->count < MOST);
	*now = (struct event){.what = what, .link = *link, .has_counters = counters != NULL};
	if (counters)
		now->counters = *counters;
}

static struct events *drain(struct links *l)
{
	char *err = NULL;

	seen.count = 0;
	if (links_drain(l, note, &seen, &err) < 0)
		fail_msg("%s", err);
	return &seen;
}

static struct links *opened(void)
{
	struct links *l;
	char *err = NULL;

	if (links_open(&l, &err) < 0)
		fail_msg("%s", err);
	return l;
}

/* The first event of this kind for this device; NULL when there was none. */
static const struct event *event(const struct events *e, enum link_event what, unsigned ifindex)
{
	for (size_t i = 0; i < e->count; i++)
		if (e->list[i].what == what && e->list[i].link.ifindex == ifindex)
			return &e->list[i];
	return NULL;
}

static size_t table_size(const struct links *l)
{
	size_t n = 0;

	for (const struct link *k = NULL; (k = links_next(l, k));)
		n++;
	return n;
}

static int enter(void **state)
{
	(void)state;
	netns_enter();
	netns_run("sysctl -q net.ipv6.conf.default.disable_ipv6=1");
	return 0;
}

static void the_table_holds_what_was_there_at_the_start(void **state)
{
	struct links *l;

	(void)state;
	netns_run("ip link add name br type bridge");
	netns_run("ip link add name a type veth peer name b");
	netns_run("ip link set dev a master br");
	l = opened();
	assert_int_equal(table_size(l), 4);
	assert_int_equal(links_named(l, "a")->ifindex, if_nametoindex("a"));
	assert_string_equal(links_find(l, if_nametoindex("b"))->name, "b");
	assert_int_equal(links_named(l, "a")->master, if_nametoindex("br"));
	assert_int_equal(links_named(l, "b")->master, 0);
	assert_int_equal(links_named(l, "a")->kind, DEVICE_OTHER); /* a port is no bridge */
	assert_int_equal(links_named(l, "br")->kind, DEVICE_BRIDGE);
	assert_null(links_named(l, "a")->nodename);
	assert_null(links_named(l, "nothing"));
	assert_null(links_find(l, 99999));
	assert_null(links_of_node(l, "backend/vif/1/0"));
	assert_int_equal(drain(l)->count, 0); /* and is no news */
	links_close(l);
	netns_run("ip link del dev a");
	netns_run("ip link del dev br");
}

static void a_device_that_appears_is_told_and_found(void **state)
{
	struct links *l = opened();
	const struct event *e;
	unsigned a;

	(void)state;
	netns_run("ip link add name a type veth peer name b");
	a = if_nametoindex("a");
	e = event(drain(l), LINK_APPEARED, a);
	assert_non_null(e);
	assert_string_equal(e->link.name, "a");
	assert_non_null(event(&seen, LINK_APPEARED, if_nametoindex("b")));
	assert_non_null(links_find(l, a));
	assert_non_null(links_named(l, "b"));
	assert_int_equal(drain(l)->count, 0);
	links_close(l);
	netns_run("ip link del dev a");
}

static void the_descriptor_is_readable_when_there_is_news(void **state)
{
	struct links *l = opened();
	struct pollfd p = {.fd = links_fd(l), .events = POLLIN};

	(void)state;
	assert_int_equal(poll(&p, 1, 0), 0);
	netns_run("ip link add name a type veth peer name b");
	assert_int_equal(poll(&p, 1, 1000), 1);
	drain(l);
	assert_int_equal(poll(&p, 1, 0), 0);
	netns_run("ip link del dev a");
	links_close(l);
}

static void a_rename_keeps_the_device_and_changes_how_it_is_found(void **state)
{
	struct links *l;
	unsigned a;

	(void)state;
	netns_run("ip link add name a type veth peer name b");
	l = opened();
	a = if_nametoindex("a");
	netns_run("ip link set dev a name other");
	assert_non_null(event(drain(l), LINK_RENAMED, a));
	assert_null(event(&seen, LINK_APPEARED, a));
	assert_null(event(&seen, LINK_GONE, a));
	assert_null(links_named(l, "a"));
	assert_int_equal(links_named(l, "other")->ifindex, a);
	assert_string_equal(links_find(l, a)->name, "other");
	links_close(l);
	netns_run("ip link del dev other");
}

static void names_that_change_hands_end_right(void **state)
{
	struct links *l;
	unsigned a, b;

	(void)state;
	netns_run("ip link add name a type veth peer name b");
	l = opened();
	a = if_nametoindex("a");
	b = if_nametoindex("b");
	netns_run("ip link set dev a name t");
	netns_run("ip link set dev b name a");
	netns_run("ip link set dev t name b");
	drain(l);
	assert_int_equal(links_named(l, "a")->ifindex, b);
	assert_int_equal(links_named(l, "b")->ifindex, a);
	assert_null(links_named(l, "t"));
	assert_int_equal(table_size(l), 3);
	/* a name is taken over by a new device in the same drain */
	netns_run("ip link del dev a");
	netns_run("ip link add name a type veth peer name c");
	drain(l);
	assert_int_equal(links_named(l, "a")->ifindex, if_nametoindex("a"));
	assert_int_not_equal(links_named(l, "a")->ifindex, b);
	assert_null(links_named(l, "b"));
	assert_int_equal(table_size(l), 3);
	netns_run("ip link del dev a");
	links_close(l);
}

/* Frames of a kind that nobody answers. */
static void send_frames(const char *device, size_t len, unsigned count)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(device), .sll_halen = ETH_ALEN};
	unsigned char frame[1514] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};

	assert_true(fd >= 0 && len <= sizeof(frame));
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(sendto(fd, frame, len, 0, (struct sockaddr *)&to, sizeof(to)), len);
	close(fd);
}

static void a_device_that_goes_says_its_final_counters(void **state)
{
	const struct event *e;
	struct links *l;
	unsigned a;

	(void)state;
	netns_run("ip link add name a type veth peer name b");
	netns_run("ip link set dev a up");
	netns_run("ip link set dev b up");
	l = opened();
	a = if_nametoindex("a");
	send_frames("b", 1000, 11);
	send_frames("a", 500, 2);
	netns_run("ip link del dev a");
	e = event(drain(l), LINK_GONE, a);
	assert_non_null(e);
	assert_true(e->has_counters);
	/* its rx is its peer's tx, and the peer was cut off before */
	assert_int_equal(e->counters.tx_bytes, 1000);
	assert_int_equal(e->counters.tx_packets, 2);
	assert_string_equal(e->link.name, "a");
	assert_null(links_find(l, a));
	assert_null(links_named(l, "a"));
	assert_int_equal(table_size(l), 1);
	links_close(l);
}

static void a_device_that_leaves_the_namespace_is_gone(void **state)
{
	struct links *l;
	unsigned a;
	pid_t pid;

	(void)state;
	netns_run("ip link add name a type veth peer name b");
	l = opened();
	a = if_nametoindex("a");
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		netns_enter();
		sleep(30);
		_exit(0);
	}
	for (int i = 0; i < 100 && if_nametoindex("a"); i++) { /* until the child is in its own */
		usleep(20000);
		netns_run("ip link set dev a netns %d", (int)pid);
	}
	drain(l);
	assert_non_null(event(&seen, LINK_GONE, a));
	assert_null(links_named(l, "a"));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	links_close(l);
}

/* The kernel tells of a carrier up to a second later. */
static void wait_for_carrier(struct links *l, const char *name, bool carrier)
{
	struct pollfd p = {.fd = links_fd(l), .events = POLLIN};

	while (links_named(l, name)->carrier != carrier) {
		assert_int_equal(poll(&p, 1, 5000), 1);
		drain(l);
	}
}

static void the_carrier_and_how_often_it_went_down_is_known(void **state)
{
	struct links *l;
	uint32_t before;

	(void)state;
	netns_run("ip link add name c type veth peer name d");
	netns_run("ip link set dev c up");
	netns_run("ip link set dev d up");
	l = opened();
	wait_for_carrier(l, "c", true);
	before = links_named(l, "c")->carrier_down;
	assert_int_equal(before, netns_number("c", "carrier_down_count"));
	netns_run("ip link set dev d down");
	wait_for_carrier(l, "c", false);
	assert_non_null(event(&seen, LINK_CHANGED, if_nametoindex("c")));
	assert_int_equal(links_named(l, "c")->carrier_down, before + 1);
	netns_run("ip link set dev d up");
	wait_for_carrier(l, "c", true);
	assert_int_equal(links_named(l, "c")->carrier_down, before + 1);
	links_close(l);
	netns_run("ip link del dev c");
}

static void a_bridge_port_comes_and_goes_without_the_device_going(void **state)
{
	struct links *l;
	unsigned c;

	(void)state;
	netns_run("ip link add name br type bridge");
	netns_run("ip link add name c type veth peer name d");
	l = opened();
	c = if_nametoindex("c");
	netns_run("ip link set dev c master br");
	drain(l);
	assert_int_equal(links_find(l, c)->master, if_nametoindex("br"));
	netns_run("ip link set dev c nomaster");
	drain(l);
	assert_null(event(&seen, LINK_GONE, c));
	assert_int_equal(links_find(l, c)->master, 0);
	links_close(l);
	netns_run("ip link del dev c");
	netns_run("ip link del dev br");
}

static void a_refresh_reads_one_device_and_tells_nobody(void **state)
{
	struct links *l;
	char *err = NULL;
	unsigned c;

	(void)state;
	netns_run("ip link add name br type bridge");
	netns_run("ip link add name c type veth peer name d");
	l = opened();
	c = if_nametoindex("c");
	netns_run("ip link set dev c master br");
	assert_int_equal(links_find(l, c)->master, 0); /* not drained yet */
	assert_int_equal(links_refresh(l, c, &err), 0);
	assert_int_equal(links_find(l, c)->master, if_nametoindex("br"));
	assert_null(err);
	assert_int_equal(links_refresh(l, 99999, &err), 1);
	assert_null(err);
	netns_run("ip link del dev c");
	assert_int_equal(links_refresh(l, c, &err), 1);
	assert_null(err);
	assert_non_null(event(drain(l), LINK_GONE, c)); /* told where it belongs */
	assert_int_equal(links_refresh(l, if_nametoindex("lo"), &err), 0);
	links_close(l);
	netns_run("ip link del dev br");
}

/* ---- lost events ---- */

static void same_as_the_kernels(struct links *l)
{
	struct if_nameindex *all = if_nameindex();
	size_t n = 0;

	assert_non_null(all);
	for (; all[n].if_index; n++) {
		const struct link *k = links_find(l, all[n].if_index);

		if (!k)
			fail_msg("%s is missing", all[n].if_name);
		assert_string_equal(k->name, all[n].if_name);
		assert_ptr_equal(links_named(l, all[n].if_name), k);
	}
	assert_int_equal(table_size(l), n);
	if_freenameindex(all);
}

/* Appeared and gone, told in order, lead from what was known to what is known now. */
static void told_exactly_what_changed(const struct events *e, unsigned before, unsigned after)
{
	unsigned known = before;

	for (size_t i = 0; i < e->count; i++) {
		if (e->list[i].what == LINK_APPEARED)
			known++;
		else if (e->list[i].what == LINK_GONE)
			known--;
	}
	assert_int_equal(known, after);
}

static void shrink(const struct links *l)
{
	int least = 1;

	assert_int_equal(setsockopt(links_fd(l), SOL_SOCKET, SO_RCVBUFFORCE, &least, sizeof(least)), 0);
}

static void after_lost_events_the_table_is_right_again(void **state)
{
	struct links *l;
	size_t before;

	(void)state;
	for (int i = 0; i < 10; i++)
		netns_run("ip link add name old%d type veth peer name dlo%d", i, i);
	l = opened();
	before = table_size(l);
	shrink(l);
	for (int i = 0; i < 10; i++) { /* only the first few of these events fit */
		netns_run("ip link add name new%d type veth peer name wen%d", i, i);
		if (i % 2)
			netns_run("ip link del dev new%d", i);
		netns_run("ip link del dev old%d", i);
	}
	netns_run("ip link set dev new0 name renamed");
	drain(l);
	same_as_the_kernels(l);
	told_exactly_what_changed(&seen, (unsigned)before, (unsigned)table_size(l));
	assert_int_equal(drain(l)->count, 0); /* no event of old is still waiting */
	same_as_the_kernels(l);
	for (int i = 0; i < 10; i += 2)
		netns_run("ip link del dev wen%d", i);
	drain(l);
	same_as_the_kernels(l);
	links_close(l);
}

/* The event that a device appeared is still in the queue, the one that it went is lost. */
static void a_device_whose_end_was_lost_does_not_come_back(void **state)
{
	struct links *l = opened();
	unsigned a;

	(void)state;
	shrink(l);
	netns_run("ip link add name a type veth peer name b");
	a = if_nametoindex("a");
	for (int i = 0; i < 20; i++) {
		netns_run("ip link set dev a txqueuelen %d", 100 + i);
		netns_run("ip link set dev b txqueuelen %d", 100 + i);
	}
	netns_run("ip link del dev a");
	drain(l);
	drain(l);
	assert_null(links_find(l, a));
	same_as_the_kernels(l);
	links_close(l);
}

static void devices_that_come_and_go_while_the_table_is_read_again_are_no_error(void **state)
{
	struct links *l;
	int status;
	pid_t pid;

	(void)state;
	for (int i = 0; i < 100; i++)
		netns_run("ip link add name many%d type veth peer name ynam%d", i, i);
	l = opened();
	shrink(l);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		for (int i = 0; i < 40; i++) {
			netns_run("ip link add name churn type veth peer name churned");
			netns_run("ip link set dev churn txqueuelen %d", i + 1);
			netns_run("ip link set dev churned txqueuelen %d", i + 1);
			netns_run("ip link del dev churn");
		}
		_exit(0);
	}
	while (waitpid(pid, &status, WNOHANG) == 0)
		drain(l);
	assert_int_equal(status, 0);
	drain(l);
	same_as_the_kernels(l);
	links_close(l);
}

static void another_address_of_a_device_is_told(void **state)
{
	struct links *l;
	unsigned lo = if_nametoindex("lo");

	(void)state;
	l = opened();
	netns_run("ip addr add 192.0.2.1/32 dev lo");
	assert_non_null(event(drain(l), LINK_ADDRESSES, lo));
	assert_int_equal(seen.count, 1);
	netns_run("ip addr del 192.0.2.1/32 dev lo");
	assert_non_null(event(drain(l), LINK_ADDRESSES, lo));
	assert_int_equal(drain(l)->count, 0);
	links_close(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_holds_what_was_there_at_the_start),
		cmocka_unit_test(a_device_that_appears_is_told_and_found),
		cmocka_unit_test(the_descriptor_is_readable_when_there_is_news),
		cmocka_unit_test(a_rename_keeps_the_device_and_changes_how_it_is_found),
		cmocka_unit_test(names_that_change_hands_end_right),
		cmocka_unit_test(a_device_that_goes_says_its_final_counters),
		cmocka_unit_test(a_device_that_leaves_the_namespace_is_gone),
		cmocka_unit_test(the_carrier_and_how_often_it_went_down_is_known),
		cmocka_unit_test(a_bridge_port_comes_and_goes_without_the_device_going),
		cmocka_unit_test(another_address_of_a_device_is_told),
		cmocka_unit_test(a_refresh_reads_one_device_and_tells_nobody),
		cmocka_unit_test(after_lost_events_the_table_is_right_again),
		cmocka_unit_test(a_device_whose_end_was_lost_does_not_come_back),
		cmocka_unit_test(devices_that_come_and_go_while_the_table_is_read_again_are_no_error),
	};

	return cmocka_run_group_tests(tests, enter, NULL);
}
