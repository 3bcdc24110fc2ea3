/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xenbw-capture on real devices: what it counts, and devices that come and go.
 */
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ipc/guard.h"
#include "tests/support/capture_bed.h"
#include "tests/support/netns.h"
#include "tests/support/unit.h"

/* ---- tests ---- */

static void frames_are_counted_to_the_byte_both_ways(void **state)
{
	struct capture_bed *b = *state;

	capture_bed_start_both(b, "device ve0\nournet 10.0.0.0/8\n");
	for (int round = 0; round < 3; round++) {
		capture_bed_send_frames("ve0", "eth " GUEST " " OUTSIDE
					       " ip4 10.0.0.1 192.0.2.1 payload 100 count 1000");
		capture_bed_send_frames("ve1", "eth " OUTSIDE " " GUEST
					       " ip4 192.0.2.1 10.0.0.1 payload 1480 count 777");
		capture_bed_ask(b);
		capture_bed_expect(b, DIR_OUTPUT, CLASS_EXTERNAL, 1000 * 120, 1000);
		capture_bed_expect(b, DIR_INPUT, CLASS_EXTERNAL, 777 * 1500, 777);
		capture_bed_expect_no_loss(b);
	}
	capture_bed_send_frames("ve0", "eth " GUEST " " OUTSIDE " ip4 10.0.0.1 10.0.0.2 payload 0 pad 60");
	capture_bed_send_frames("ve1", "eth " OUTSIDE " " GUEST " ip6 2001:db8::1 2001:db8::2 payload 60");
	capture_bed_ask(b);
	capture_bed_expect(b, DIR_OUTPUT, CLASS_LOCAL, 20, 1);
	capture_bed_expect(b, DIR_INPUT, CLASS_EXTERNAL, 100, 1);
	capture_bed_ask(b);
	assert_int_equal(b->answer.count, 0);
}

static void what_crossed_before_the_order_is_in_the_answer(void **state)
{
	struct capture_bed *b = *state;

	capture_bed_start_both(b, "device ve0\n");
	for (int i = 1; i <= 30; i++) { /* at any point of the worker's nap */
		char *words = mem_printf(
			"eth " GUEST " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 payload 100 count %d", i);

		capture_bed_send_frames("ve0", words);
		capture_bed_ask(b);
		capture_bed_expect(b, DIR_OUTPUT, CLASS_EXTERNAL, (uint64_t)i * 120, (uint64_t)i);
		free(words);
		assert_int_equal(usleep((useconds_t)i * 1000), 0);
	}
}

static void output_after_the_reading_is_told_apart(void **state)
{
	struct capture_bed *b = *state;
	int64_t between;

	capture_bed_start_both(b, "device ve0\n");
	capture_bed_send_frames("ve0",
				"eth " GUEST " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 payload 80 count 10");
	between = clock_mono().ns;
	capture_bed_send_frames("ve0", "eth " GUEST " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 payload 80 count 7");
	capture_bed_send_frames("ve0",
				"eth " OUTSIDE " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 payload 80 count 5");
	capture_bed_ask_since(b, between);
	capture_bed_expect(b, DIR_OUTPUT, CLASS_EXTERNAL, 1700, 17);
	assert_int_equal(b->seen->late[DIR_OUTPUT], 700);
	assert_int_equal(b->answer.stray_bytes[DIR_OUTPUT], 500);
	assert_int_equal(b->answer.stray_late, 500);
	capture_bed_send_frames("ve0", "eth " GUEST " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 payload 80 count 3");
	capture_bed_ask(b);
	capture_bed_expect(b, DIR_OUTPUT, CLASS_EXTERNAL, 300, 3);
	assert_int_equal(b->seen->late[DIR_OUTPUT], 0);
}

/* What waits in the rings crossed before the order was given: those who were there then have it. */
static void what_crossed_before_its_sender_went_is_still_its(void **state)
{
	struct capture_bed *b = *state;
	pid_t worker;

	capture_bed_start_both(b, "device ve0\n");
	worker = capture_bed_worker_of(b);
	assert_int_equal(kill(worker, SIGSTOP), 0);
	capture_bed_send_frames("ve0",
				"eth " GUEST " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 payload 80 count 10");
	capture_bed_send_frames("ve1",
				"eth " OUTSIDE " " GUEST " ip4 192.0.2.1 10.0.0.1 payload 180 count 5");
	capture_bed_order_vifs(b, NULL, 0);
	assert_int_equal(kill(worker, SIGCONT), 0);
	capture_bed_ask(b);
	capture_bed_expect(b, DIR_OUTPUT, CLASS_EXTERNAL, 1000, 10);
	capture_bed_expect(b, DIR_INPUT, CLASS_EXTERNAL, 1000, 5);
	capture_bed_expect_no_loss(b);
}

static uint64_t output_of(const struct capture_bed *b, int64_t vif)
{
	for (uint32_t i = 0; i < b->answer.count; i++)
		if (b->seen[i].vif == vif)
			return b->seen[i].bytes.bytes[DIR_OUTPUT][CLASS_EXTERNAL];
	return 0;
}

/* One MAC is now a vif's, now another's: each has what crossed in its time, whether the kernel showed it by
 * then or not. */
static void each_frame_is_whose_it_was_when_it_crossed(void **state)
{
	struct capture_bed *b = *state;

	capture_bed_start_both(b, "device ve0\n");
	for (int round = 1; round <= 2; round++) {
		for (int i = 0; i < 10; i++) {
			struct capture_vif v = capture_bed_vif_of(7 + i % 2, GUEST, NULL);

			capture_bed_order_vifs(b, &v, 1);
			assert_int_equal(usleep(150000), 0); /* it is taken by then */
			capture_bed_send_frames("ve0", i % 2 ? "eth " GUEST " " OUTSIDE
							       " ip4 10.0.0.1 192.0.2.1 payload 80 count 3"
							     : "eth " GUEST " " OUTSIDE
							       " ip4 10.0.0.1 192.0.2.1 payload 80 count 10");
		}
		capture_bed_ask(b);
		assert_int_equal(b->answer.count, 2);
		assert_int_equal(output_of(b, 7), 5000);
		assert_int_equal(output_of(b, 8), 1500);
		capture_bed_expect_no_loss(b);
	}
}

/* Orders come without a pause, and an answer is not asked for: the ring is read all the same. */
static void orders_without_end_do_not_stop_the_reading(void **state)
{
	struct capture_bed *b = *state;
	unsigned sent = 0;

	capture_bed_start_both(b, "device ve0\n");
	for (int i = 0; i < 400; i++) {
		struct capture_vif v = capture_bed_vif_of(7, GUEST, i % 2 ? "10.0.0.1" : NULL);

		capture_bed_order_vifs(b, &v, 1);
		if (i % 8 == 0) {
			capture_bed_send_frames("ve0", "eth " GUEST " " OUTSIDE
						       " ip4 10.0.0.1 192.0.2.1 payload 80 count 2500");
			sent += 2500;
		}
		assert_int_equal(usleep(2000), 0);
	}
	capture_bed_ask(b);
	capture_bed_expect(b, DIR_OUTPUT, CLASS_EXTERNAL, (uint64_t)sent * 100, sent);
	capture_bed_expect_no_loss(b);
}

static void tags_of_any_kind_are_looked_behind(void **state)
{
	struct capture_bed *b = *state;

	capture_bed_start_both(b, "device ve0\n");
	capture_bed_send_frames("ve0",
				"eth " GUEST " " OUTSIDE " vlan 5 ip4 10.0.0.1 192.0.2.1 payload 80 count 2");
	capture_bed_send_frames("ve0", "eth " GUEST " " OUTSIDE
				       " qinq 5 vlan 6 ip4 10.0.0.1 192.0.2.1 payload 80 count 3");
	capture_bed_send_frames("ve0",
				"eth " GUEST " " OUTSIDE " vlan 5 vlan 6 ip6 ::1 ::2 payload 60 count 5");
	capture_bed_send_frames("ve0", "eth " GUEST " " OUTSIDE
				       " qinq 1 qinq 2 vlan 3 ip4 10.0.0.1 192.0.2.1 payload 80");
	capture_bed_ask(b);
	capture_bed_expect(b, DIR_OUTPUT, CLASS_EXTERNAL, 1100, 11);
	/* the receiver's kernel takes the outermost tag off, and libpcap puts it back */
	capture_bed_send_frames("ve1",
				"eth " OUTSIDE " " GUEST " vlan 5 ip4 192.0.2.1 10.0.0.1 payload 80 count 2");
	capture_bed_send_frames("ve1", "eth " OUTSIDE " " GUEST
				       " qinq 5 vlan 6 ip4 192.0.2.1 10.0.0.1 payload 80 count 3");
	capture_bed_send_frames("ve1",
				"eth " OUTSIDE " " GUEST " vlan 5 vlan 6 ip6 ::2 ::1 payload 60 count 5");
	capture_bed_ask(b);
	capture_bed_expect(b, DIR_INPUT, CLASS_EXTERNAL, 1000, 10);
	capture_bed_expect_no_loss(b);
}

static void what_is_no_ip_or_for_a_group_is_not_counted(void **state)
{
	struct capture_bed *b = *state;

	capture_bed_start_both(b, "device ve0\n");
	capture_bed_send_frames("ve0", "eth " GUEST " " OUTSIDE " type 0806 payload 28");
	capture_bed_send_frames("ve0", "eth " GUEST " " OUTSIDE " vlan 3 type 0806 payload 28");
	capture_bed_send_frames("ve0",
				"eth " GUEST " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 version 6 payload 28");
	capture_bed_send_frames("ve1", "eth " OUTSIDE " ff:ff:ff:ff:ff:ff ip4 192.0.2.1 10.0.0.1 payload 80");
	capture_bed_send_frames("ve1",
				"eth " OUTSIDE " 01:00:5e:00:00:01 ip4 192.0.2.1 224.0.0.1 payload 80");
	capture_bed_send_frames("ve1", "eth " OUTSIDE " " OUTSIDE " ip4 192.0.2.1 10.0.0.1 payload 80");
	capture_bed_ask(b);
	assert_int_equal(b->answer.count, 0);
	capture_bed_expect_no_loss(b);
	/* what a guest sends to all leaves through the uplink as everything else */
	capture_bed_send_frames("ve0",
				"eth " GUEST " ff:ff:ff:ff:ff:ff ip4 0.0.0.0 255.255.255.255 payload 80");
	capture_bed_ask(b);
	capture_bed_expect(b, DIR_OUTPUT, CLASS_EXTERNAL, 100, 1);
}

static void the_settings_of_a_naccttab_mean_what_they_mean_there(void **state)
{
	struct capture_bed *b = *state;
	struct capture_vif guest;

	for (int naccttab = 0; naccttab < 2; naccttab++) {
		if (!naccttab)
			capture_bed_start_both(b, "device ve0\nournet 192.0.2.0/24\n");
		else
			capture_bed_order_start(b, "device ve0\nournet 192.0.2.0/24\n", GUARD_NACCTTAB);
		guest = capture_bed_vif_of(7, GUEST,
					   "10.0.0.1"); /* an address that is told, outside ournet */
		capture_bed_order_vifs(b, &guest, 1);
		capture_bed_ask(b);
		capture_bed_send_frames("ve0", "eth " GUEST " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 payload 80");
		capture_bed_ask(b);
		capture_bed_expect(b, DIR_OUTPUT, naccttab ? CLASS_EXTERNAL : CLASS_LOCAL, 100, 1);
	}
}

static void several_uplinks_are_one_sum(void **state)
{
	struct capture_bed *b = *state;

	/* between the two, each frame leaves through one and comes in at the other */
	capture_bed_start_both(b, "device ve0\ndevice ve1\ndevice ve0\n"); /* named twice: looked at once */
	capture_bed_send_frames("ve0", "eth " GUEST " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 payload 80 count 3");
	capture_bed_send_frames("ve1", "eth " GUEST " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 payload 80 count 4");
	capture_bed_ask(b);
	capture_bed_expect(b, DIR_OUTPUT, CLASS_EXTERNAL, 700, 7);
	capture_bed_expect_no_loss(b);
}

static int open_tun(const char *name)
{
	struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	memcpy(r.ifr_name, name, strlen(name) + 1);
	assert_int_equal(ioctl(fd, TUNSETIFF, &r), 0);
	netns_run("ip link set %s up", name);
	return fd;
}

static void a_link_without_a_header_is_read(void **state)
{
	static const uint8_t packet[28] = {0x45, 0, 0, 28, [8] = 64, 17, [12] = 192, 0, 2, 1, 10, 0, 0, 1};
	struct capture_vif vifs[2] = {capture_bed_vif_of(7, GUEST, "10.0.0.1"),
				      capture_bed_vif_of(0, OUTSIDE, NULL)};
	struct capture_bed *b = *state;
	int tun = open_tun("tun0");

	vifs[0].flags |= CAPTURE_ROUTED;
	vifs[1].flags |= CAPTURE_HOST;
	capture_bed_start_both(b, "device tun0\n");
	capture_bed_order_vifs(b, vifs, 2);
	capture_bed_ask(b); /* it knows them from now on */
	capture_bed_send_frames("tun0", "ip4 10.0.0.1 192.0.2.1 payload 80 count 4");
	capture_bed_send_frames("tun0", "ip6 fe80::1 fe80::2 payload 80");
	for (int i = 0; i < 3; i++)
		assert_int_equal(write(tun, packet, sizeof(packet)), sizeof(packet));
	capture_bed_ask(b);
	capture_bed_expect(b, DIR_OUTPUT, CLASS_EXTERNAL, 400, 4);
	capture_bed_expect(b, DIR_INPUT, CLASS_EXTERNAL, 3 * sizeof(packet), 3);
	capture_bed_expect_no_loss(b);
	close(tun);
}

static void a_device_that_goes_down_and_up_goes_on(void **state)
{
	struct capture_bed *b = *state;
	pid_t worker;

	capture_bed_start_both(b, "device ve0\n");
	worker = capture_bed_worker_of(b);
	for (int i = 0; i < 3; i++) {
		netns_run("ip link set ve0 down");
		capture_bed_ask(b);
		netns_run("ip link set ve0 up");
		capture_bed_send_frames("ve0", "eth " GUEST " " OUTSIDE
					       " ip4 10.0.0.1 192.0.2.1 payload 80 count 10");
		capture_bed_send_frames("ve1", "eth " OUTSIDE " " GUEST
					       " ip4 192.0.2.1 10.0.0.1 payload 80 count 20");
		capture_bed_ask(b);
		capture_bed_expect(b, DIR_OUTPUT, CLASS_EXTERNAL, 1000, 10);
		capture_bed_expect(b, DIR_INPUT, CLASS_EXTERNAL, 2000, 20);
	}
	assert_int_equal(capture_bed_worker_of(b), worker);
}

static void a_device_that_goes_away_is_named(void **state)
{
	struct capture_bed *b = *state;

	netns_run("ip link add ve2 type veth peer name ve3");
	netns_run("ip link set ve2 up");
	capture_bed_start_both(b, "device ve0\ndevice ve2\n");
	netns_run("ip link del ve2");
	capture_bed_expect_worker_gone(b);
	capture_bed_expect_log(b, "the capture on ve2 has ended: The interface disappeared");
	capture_bed_expect_log(b, "xenbw-capture exited with status 1");
}

static void a_device_that_took_the_place_of_another_is_not_taken_for_it(void **state)
{
	struct capture_bed *b = *state;
	pid_t worker;

	netns_run("ip link add ve2 type veth peer name ve3");
	netns_run("ip link set ve2 up");
	capture_bed_start_both(b, "device ve2\n");
	worker = capture_bed_worker_of(b);
	assert_int_equal(kill(worker, SIGSTOP), 0);
	netns_run("ip link del ve2");
	netns_run("ip link add ve2 type veth peer name ve3");
	netns_run("ip link set ve2 up");
	assert_int_equal(kill(worker, SIGCONT), 0);
	capture_bed_expect_worker_gone(b);
	capture_bed_expect_log(b, "the capture on ve2 has ended: The interface disappeared");
	capture_bed_order_start(b, "device ve2\n", 0);
	capture_bed_ask(b);
	netns_run("ip link del ve2");
}

static void what_the_ring_has_no_room_for_is_counted(void **state)
{
	struct capture_bed *b = *state;
	uint64_t seen, sent = 200000;
	pid_t worker;

	capture_bed_start_both(b, "device ve0\n");
	worker = capture_bed_worker_of(b);
	assert_int_equal(kill(worker, SIGSTOP), 0);
	capture_bed_send_frames("ve0",
				"eth " GUEST " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 payload 80 count 200000");
	assert_int_equal(kill(worker, SIGCONT), 0);
	capture_bed_ask(b);
	seen = b->answer.count ? b->seen->packets.bytes[DIR_OUTPUT][CLASS_EXTERNAL] : 0;
	print_message("# the ring held %llu frames\n", (unsigned long long)seen);
	assert_true(seen > 20000); /* a block is closed each 40 ms, however slow the sender */
	assert_int_equal(seen + b->answer.dropped[DIR_OUTPUT], sent);
	assert_int_equal(b->seen->bytes.bytes[DIR_OUTPUT][CLASS_EXTERNAL], seen * 100);
	assert_int_equal(b->answer.dropped[DIR_INPUT], 0);
	capture_bed_ask(b);
	assert_int_equal(b->answer.dropped[DIR_OUTPUT], 0);
}

/* Each frame of a slow flow may have a block of the ring for itself: that is enough for two seconds. */
static void a_worker_that_is_held_up_loses_nothing_of_a_slow_flow(void **state)
{
	int64_t end = clock_mono().ns + INT64_C(2000000000);
	struct capture_bed *b = *state;
	unsigned sent = 0;
	pid_t worker;

	capture_bed_start_both(b, "device ve0\n");
	worker = capture_bed_worker_of(b);
	assert_int_equal(kill(worker, SIGSTOP), 0);
	for (; clock_mono().ns < end; sent += 3) {
		capture_bed_send_frames("ve0", "eth " GUEST " " OUTSIDE
					       " ip4 10.0.0.1 192.0.2.1 payload 80 count 3");
		assert_int_equal(usleep(10000), 0);
	}
	assert_int_equal(kill(worker, SIGCONT), 0);
	capture_bed_ask(b);
	capture_bed_expect(b, DIR_OUTPUT, CLASS_EXTERNAL, sent * 100, sent);
	capture_bed_expect_no_loss(b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, capture_bed_set_up, capture_bed_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frames_are_counted_to_the_byte_both_ways),
		TEST(what_crossed_before_the_order_is_in_the_answer),
		TEST(output_after_the_reading_is_told_apart),
		TEST(what_crossed_before_its_sender_went_is_still_its),
		TEST(each_frame_is_whose_it_was_when_it_crossed),
		TEST(orders_without_end_do_not_stop_the_reading),
		TEST(tags_of_any_kind_are_looked_behind),
		TEST(what_is_no_ip_or_for_a_group_is_not_counted),
		TEST(the_settings_of_a_naccttab_mean_what_they_mean_there),
		TEST(several_uplinks_are_one_sum),
		TEST(a_link_without_a_header_is_read),
		TEST(a_device_that_goes_down_and_up_goes_on),
		TEST(a_device_that_goes_away_is_named),
		TEST(a_device_that_took_the_place_of_another_is_not_taken_for_it),
		TEST(what_the_ring_has_no_room_for_is_counted),
		TEST(a_worker_that_is_held_up_loses_nothing_of_a_slow_flow),
	};

	return cmocka_run_group_tests(tests, capture_bed_make_devices, NULL);
}
