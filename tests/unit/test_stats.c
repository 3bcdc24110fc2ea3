/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The counters of real devices in a network namespace of their own, read in one dump.
 */
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/stats.h"
#include "tests/support/netns.h"

#define MOST 4096

struct dump {
	size_t count;
	unsigned ifindex[MOST];
	struct counters counters[MOST];
};

static void note(void *ctx, unsigned ifindex, const struct counters *c)
{
	struct dump *d = ctx;

	assert_true(d->count < MOST);
	d->ifindex[d->count] = ifindex;
	d->counters[d->count++] = *c;
}

static void dump(struct stats *s, struct dump *d)
{
	char *err = NULL;

	d->count = 0;
	if (stats_dump(s, note, d, &err) < 0)
		fail_msg("%s", err);
}

static struct stats *opened(void)
{
	struct stats *s;
	char *err = NULL;

	if (stats_open(&s, &err) < 0)
		fail_msg("%s", err);
	return s;
}

static const struct counters *of(const struct dump *d, const char *name)
{
	unsigned ifindex = if_nametoindex(name);

	for (size_t i = 0; i < d->count; i++)
		if (d->ifindex[i] == ifindex)
			return &d->counters[i];
	fail_msg("%s is not in the dump", name);
	return NULL;
}

static bool equals_sysfs(const struct counters *c, const char *name)
{
	return c->rx_bytes == netns_number(name, "statistics/rx_bytes") &&
	       c->rx_packets == netns_number(name, "statistics/rx_packets") &&
	       c->tx_bytes == netns_number(name, "statistics/tx_bytes") &&
	       c->tx_packets == netns_number(name, "statistics/tx_packets");
}

static int enter(void **state)
{
	(void)state;
	netns_enter();
	netns_run("sysctl -q net.ipv6.conf.default.disable_ipv6=1"); /* nothing speaks unasked */
	return 0;
}

/* Frames of this length, of a kind that nobody answers. */
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

static void every_device_is_told_with_the_kernels_own_numbers(void **state)
{
	struct stats *s = opened();
	struct dump d;

	(void)state;
	netns_run("ip link add name vif1.0 type veth peer name guest1");
	netns_run("ip link set dev vif1.0 up");
	netns_run("ip link set dev guest1 up");
	dump(s, &d);
	assert_int_equal(d.count, 3); /* lo too */
	send_frames("guest1", 1000, 7);
	send_frames("vif1.0", 60, 3);
	dump(s, &d);
	assert_int_equal(of(&d, "vif1.0")->rx_packets, 7);
	assert_int_equal(of(&d, "vif1.0")->rx_bytes, 7000);
	assert_int_equal(of(&d, "vif1.0")->tx_packets, 3);
	assert_int_equal(of(&d, "vif1.0")->tx_bytes, 180);
	assert_true(equals_sysfs(of(&d, "vif1.0"), "vif1.0"));
	assert_true(equals_sysfs(of(&d, "guest1"), "guest1"));
	assert_true(equals_sysfs(of(&d, "lo"), "lo"));
	netns_run("ip link del dev vif1.0");
	dump(s, &d);
	assert_int_equal(d.count, 1);
	stats_close(s);
}

static void a_dump_of_many_devices_has_each_of_them_once(void **state)
{
	struct stats *s = opened();
	struct dump d;

	(void)state;
	for (int i = 0; i < 150; i++)
		netns_run("ip link add name a%d type veth peer name b%d", i, i);
	dump(s, &d);
	assert_int_equal(d.count, 301);
	for (size_t i = 0; i < d.count; i++)
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(d.ifindex[i], d.ifindex[k]);
	stats_close(s);
}

/* The dump of the test before has several parts: devices that come and go in between make it inconsistent. */
static void devices_that_come_and_go_during_a_dump_are_no_error(void **state)
{
	struct stats *s = opened();
	unsigned steady = if_nametoindex("a0");
	int status, dumps = 0;
	struct dump d;
	pid_t pid;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		for (int i = 0; i < 60; i++) {
			netns_run("ip link add name churn type veth peer name churned");
			netns_run("ip link del dev churn");
		}
		_exit(0);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		bool there = false;

		dump(s, &d);
		for (size_t i = 0; i < d.count; i++)
			there |= d.ifindex[i] == steady;
		assert_true(there && d.count >= 301);
		dumps++;
	}
	assert_int_equal(status, 0);
	assert_true(dumps > 10);
	stats_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_device_is_told_with_the_kernels_own_numbers),
		cmocka_unit_test(a_dump_of_many_devices_has_each_of_them_once),
		cmocka_unit_test(devices_that_come_and_go_during_a_dump_are_no_error),
	};

	return cmocka_run_group_tests(tests, enter, NULL);
}
