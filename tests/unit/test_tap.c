/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A tap on a real device: frames that have come and are not shown yet, those that are given up, and stamps.
 */
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "capture/tap.h"
#include "tests/support/netns.h"
#include "tests/support/unit.h"

#define DEVICE "ve0"
#define SHOWN_MS 200 /* the kernel shows all that has come long before */

struct bed {
	struct tap *tap;
	uint64_t frames, bytes;
	int64_t first, last; /* stamps */
};

static int make_device(void **state)
{
	(void)state;
	netns_enter();
	netns_bind_programs();
	netns_run("ip link add " DEVICE " type veth peer name ve1");
	netns_run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
	netns_run("ip link set " DEVICE " up");
	netns_run("ip link set ve1 up");
	return 0;
}

static int set_up(void **state)
{
	static struct bed b;
	char *err = NULL;

	b = (struct bed){0};
	assert_int_equal(tap_open(&b.tap, DEVICE, DIR_OUTPUT, &err), 0);
	*state = &b;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	tap_close(b->tap);
	return 0;
}

static void send_frames(unsigned count, unsigned payload)
{
	netns_run(NETNS_PROGRAMS "/bwframe send " DEVICE " eth 00:16:3e:00:00:01 00:16:3e:fe:fe:fe "
				 "ip4 10.0.0.1 192.0.2.1 payload %u count %u",
		  payload, count);
}

static void on_frame(void *ctx, const struct frame *f, int64_t stamp)
{
	struct bed *b = ctx;

	if (!b->frames++)
		b->first = stamp;
	b->last = stamp;
	b->bytes += f->ip_bytes;
}

static void mark(struct bed *b)
{
	uint64_t dropped = 0;
	char *err = NULL;

	assert_int_equal(tap_mark(b->tap, &dropped, &err), 0);
	assert_int_equal(dropped, 0);
}

static void drain_for(struct bed *b, int ms, int (*drain)(struct tap *, tap_fn, void *, char **))
{
	char *err = NULL;

	for (; ms > 0; ms -= 2) {
		(void)poll(NULL, 0, 2);
		assert_int_equal(drain(b->tap, on_frame, b, &err), 0);
	}
}

static int64_t wall_ns(void)
{
	struct timespec t;

	assert_int_equal(clock_gettime(CLOCK_REALTIME, &t), 0);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void what_has_come_is_known_before_it_is_shown(void **state)
{
	struct bed *b = *state;

	mark(b);
	assert_int_equal(tap_behind(b->tap), 0);
	send_frames(5000, 100); /* more than a block, and a part of one */
	mark(b);
	assert_int_equal(tap_behind(b->tap), 5000);
	send_frames(7, 200); /* after the mark */
	drain_for(b, SHOWN_MS, tap_drain_marked);
	assert_int_equal(tap_behind(b->tap), 0);
	assert_int_equal(b->frames, 5000);
	assert_int_equal(b->bytes, 5000 * 120);
	drain_for(b, SHOWN_MS, tap_drain);
	assert_int_equal(b->frames, 5007);
	assert_int_equal(b->bytes, 5000 * 120 + 7 * 220);
}

static void what_was_given_up_does_not_come_later(void **state)
{
	struct bed *b = *state;

	for (unsigned round = 1; round <= 3; round++) {
		send_frames(10 * round, 100);
		mark(b);
		assert_int_equal(tap_give_up(b->tap), 10 * round);
		send_frames(3, 200);
		mark(b);
		assert_int_equal(tap_behind(b->tap), 10 * round + 3);
		drain_for(b, SHOWN_MS, tap_drain);
		assert_int_equal(b->frames, 3 * round);
		assert_int_equal(b->bytes, 3 * 220 * round);
		assert_int_equal(tap_give_up(b->tap), 0);
	}
}

/* A second time before any of it is shown: the first ones are among the second ones. */
static void what_is_given_up_twice_is_left_out_once(void **state)
{
	struct bed *b = *state;

	send_frames(10, 100);
	mark(b);
	assert_int_equal(tap_give_up(b->tap), 10);
	send_frames(5, 100);
	mark(b);
	assert_int_equal(tap_behind(b->tap), 15);
	assert_int_equal(tap_give_up(b->tap), 5);
	send_frames(3, 200);
	drain_for(b, SHOWN_MS, tap_drain);
	assert_int_equal(b->frames, 3);
	assert_int_equal(b->bytes, 3 * 220);
}

static void a_stamp_is_when_a_frame_crossed(void **state)
{
	struct bed *b = *state;
	int64_t before = wall_ns(), between, after;

	send_frames(1, 100);
	between = wall_ns();
	drain_for(b, SHOWN_MS, tap_drain);
	assert_int_equal(b->frames, 1);
	assert_in_range(b->first, before, between + 999);
	send_frames(1, 100);
	after = wall_ns();
	drain_for(b, SHOWN_MS, tap_drain);
	assert_int_equal(b->frames, 2);
	assert_in_range(b->last, between, after + 999);
}

/* With these the kernel reads its clock for each packet of each device. */
static void no_other_packets_are_stamped_for_it(void **state)
{
	static const int options[] = {SO_TIMESTAMP, SO_TIMESTAMPNS, SO_TIMESTAMPING};
	const struct bed *b = *state;

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		int value = 1;
		socklen_t size = sizeof(value);

		assert_int_equal(getsockopt(tap_fd(b->tap), SOL_SOCKET, options[i], &value, &size), 0);
		assert_int_equal(value, 0);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_has_come_is_known_before_it_is_shown), TEST(what_was_given_up_does_not_come_later),
		TEST(what_is_given_up_twice_is_left_out_once),   TEST(a_stamp_is_when_a_frame_crossed),
		TEST(no_other_packets_are_stamped_for_it),
	};

	return cmocka_run_group_tests(tests, make_device, NULL);
}
