/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xenbw-guard and xenbw-capture as processes: rights, lives and ends, messages, command lines.
 */
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "capture/sandbox.h"
#include "ipc/guard.h"
#include "ipc/packet.h"
#include "tests/support/capture_bed.h"
#include "tests/support/netns.h"
#include "tests/support/unit.h"

static void each_process_has_only_the_rights_it_needs(void **state)
{
	static const char *const none[] = {"CapInh:", "CapPrm:", "CapEff:", "CapAmb:", "CapBnd:"};
	struct capture_bed *b = *state;
	pid_t worker;

	capture_bed_start_both(b, "device ve0\n");
	worker = capture_bed_worker_of(b);
	assert_int_equal(capture_bed_status_of(b->guard, "CapPrm:"), NET_RAW);
	assert_int_equal(capture_bed_status_of(b->guard, "CapEff:"), NET_RAW);
	assert_int_equal(capture_bed_status_of(b->guard, "CapInh:"), NET_RAW);
	assert_int_equal(capture_bed_status_of(b->guard, "CapBnd:"), 0);
	assert_int_equal(capture_bed_status_of(b->guard, "CapAmb:"), 0);
	assert_int_equal(capture_bed_status_of(b->guard, "Uid:"), ID);
	assert_int_equal(capture_bed_status_of(b->guard, "Gid:"), ID);
	assert_int_equal(capture_bed_status_of(b->guard, "NoNewPrivs:"), 1);
	assert_int_equal(capture_bed_status_of(b->guard, "Threads:"), 1);
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_int_equal(capture_bed_status_of(worker, none[i]), 0);
	assert_int_equal(capture_bed_status_of(worker, "Uid:"), ID);
	assert_int_equal(capture_bed_status_of(worker, "Gid:"), ID);
	assert_int_equal(capture_bed_status_of(worker, "NoNewPrivs:"), 1);
	assert_int_equal(capture_bed_status_of(worker, "Threads:"), 1);
	/* 2: its system calls are filtered */
	assert_int_equal(capture_bed_status_of(worker, "Seccomp:"),
			 SANDBOX_LEFT_OUT ? capture_bed_status_of(b->guard, "Seccomp:") : 2);
}

/* Its packet sockets; each has its filter for good, whatever becomes of who reads them. */
static void no_filter_of_a_worker_can_be_taken_off(void **state)
{
	struct capture_bed *b = *state;
	int worker, sockets = 0;

	capture_bed_start_both(b, "device ve0\n");
	worker = (int)syscall(SYS_pidfd_open, capture_bed_worker_of(b), 0);
	assert_true(worker >= 0);
	for (int fd = 0; fd < 64; fd++) {
		int copy = (int)syscall(SYS_pidfd_getfd, worker, fd, 0), domain = 0, locked = 0;
		socklen_t size = sizeof(int);

		if (copy >= 0 && getsockopt(copy, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
		    domain == AF_PACKET) {
			sockets++;
			assert_int_equal(getsockopt(copy, SOL_SOCKET, SO_LOCK_FILTER, &locked, &size), 0);
			assert_int_equal(locked, 1);
			assert_int_equal(
				setsockopt(copy, SOL_SOCKET, SO_DETACH_FILTER, &(int){0}, sizeof(int)), -1);
			assert_int_equal(errno, EPERM);
		}
		if (copy >= 0)
			close(copy);
	}
	assert_int_equal(sockets, DIR_COUNT);
	close(worker);
}

static void a_worker_that_was_killed_is_named_and_the_next_one_works(void **state)
{
	struct capture_bed *b = *state;
	pid_t first;

	capture_bed_start_both(b, "device ve0\n");
	first = capture_bed_worker_of(b);
	assert_int_equal(kill(first, SIGKILL), 0);
	capture_bed_expect_worker_gone(b);
	capture_bed_expect_log(
		b, "xenbw-capture was ended by signal 9; nobody looks at the uplinks until xenbwd has it "
		   "started again");
	capture_bed_order_start(b, "device ve0\n", 0);
	assert_int_not_equal(capture_bed_wait_for_worker(b, first), first);
	capture_bed_order_guest(b);
	capture_bed_ask(b);
	capture_bed_send_frames("ve0", "eth " GUEST " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 payload 80");
	capture_bed_ask(b);
	capture_bed_expect(b, DIR_OUTPUT, CLASS_EXTERNAL, 100, 1);
}

static void a_new_start_ends_the_worker_that_there_is(void **state)
{
	struct capture_bed *b = *state;
	pid_t first;
	int old;

	capture_bed_start_both(b, "device ve0\n");
	first = capture_bed_worker_of(b);
	old = b->worker;
	b->worker = -1;
	capture_bed_order_start(b, "device ve0\n", 0);
	capture_bed_order_guest(b);
	capture_bed_ask(b);
	assert_int_not_equal(capture_bed_worker_of(b), first);
	assert_int_equal(kill(first, 0), -1);
	close(old);
}

static void both_end_with_xenbwd_and_not_by_a_signal_to_the_group(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
	struct capture_bed *b = *state;
	pid_t worker;

	capture_bed_start_both(b, "device ve0\n");
	worker = capture_bed_worker_of(b);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		assert_int_equal(kill(b->guard, signals[i]), 0);
		assert_int_equal(kill(worker, signals[i]), 0);
	}
	capture_bed_ask(b);
	assert_int_equal(capture_bed_worker_of(b), worker);
	close(b->orders);
	b->orders = -1;
	assert_int_equal(capture_bed_end_of_guard(b), 0);
	capture_bed_expect_worker_gone(b);
	assert_int_equal(kill(worker, 0), -1);
}

static void a_helper_is_ended_on_order(void **state)
{
	struct guard_order o = {.magic = GUARD_MAGIC, .kind = GUARD_END, .helper = GUARD_CAPTURE};
	struct capture_bed *b = *state;
	pid_t worker;

	capture_bed_start_both(b, "device ve0\n");
	worker = capture_bed_worker_of(b);
	assert_int_equal(kill(worker, SIGSTOP), 0); /* it cannot do anything about it */
	assert_int_equal(packet_send(b->orders, &o, sizeof(o), NULL, 0, NULL), 0);
	capture_bed_expect_worker_gone(b);
	assert_int_equal(packet_send(b->orders, &o, sizeof(o), NULL, 0, NULL), 0);
	capture_bed_order_start(b, "device ve0\n", 0);
	capture_bed_ask(b);
	assert_int_not_equal(capture_bed_worker_of(b), worker);
	o.helper = GUARD_HELPERS;
	assert_int_equal(packet_send(b->orders, &o, sizeof(o), NULL, 0, NULL), 0);
	assert_int_equal(capture_bed_end_of_guard(b), 1);
	capture_bed_expect_log(b, "xenbw-guard: xenbwd sent a message that is none");
}

static void a_worker_ends_well_when_its_own_socket_is_closed(void **state)
{
	struct capture_bed *b = *state;

	capture_bed_start_both(b, "device ve0\n");
	close(b->worker);
	b->worker = -1;
	capture_bed_order_start(b, "device ve0\n", 0);
	capture_bed_ask(b);
}

static void a_start_without_descriptors_is_passed_over(void **state)
{
	struct guard_order o = {.magic = GUARD_MAGIC, .kind = GUARD_START, .helper = GUARD_CAPTURE};
	struct capture_bed *b = *state;

	capture_bed_start_guard(b);
	assert_int_equal(packet_send(b->orders, &o, sizeof(o), NULL, 0, NULL), 0);
	assert_int_equal(packet_send(b->orders, &o, sizeof(o), &b->orders, 1, NULL), 0);
	capture_bed_expect_log(b, "without its two descriptors; it is passed over");
	capture_bed_order_start(b, "device ve0\n", 0);
	capture_bed_ask(b);
}

static void messages_of_another_version_are_refused(void **state)
{
	struct capture_order o = {.magic = CAPTURE_MAGIC + 1, .kind = CAPTURE_READ};
	struct capture_bed *b = *state;

	capture_bed_start_both(b, "device ve0\n");
	assert_int_equal(packet_send(b->worker, &o, sizeof(o), NULL, 0, NULL), 0);
	capture_bed_expect_log(
		b, "xenbwd sent a message that is none; it is of another version: reinstall xenbw");
	capture_bed_expect_log(b, "xenbw-capture exited with status 1");
	capture_bed_order_start(b, "device ve0\n", 0);
	o = (struct capture_order){.magic = CAPTURE_MAGIC, .kind = CAPTURE_VIFS, .count = 5};
	assert_int_equal(packet_send(b->worker, &o, sizeof(o), NULL, 0, NULL), 0);
	capture_bed_expect_log(b, "a table of 5 records is missing or of another size");
	assert_int_equal(packet_send(b->orders, &o, 4, NULL, 0, NULL), 0);
	capture_bed_expect_log(b, "from xenbwd: a message has 4 bytes instead of");
	assert_int_equal(capture_bed_end_of_guard(b), 1);
}

static void a_device_that_cannot_be_captured_on_is_named(void **state)
{
	static const struct {
		const char *settings, *words;
	} tries[] = {
		{"device ve7\n", "there is no network device ve7; `device` in the configuration names"},
		{"device ve0\ndevice lo\n", "the network device lo is down; set it up: `ip link set lo up`"},
		{"poll 5\n", "the settings name no device to capture on"},
		{"devise ve0\n", "settings from xenbwd:1: unknown keyword `devise`"},
	};
	struct capture_bed *b = *state;

	capture_bed_start_guard(b);
	for (size_t i = 0; i < sizeof(tries) / sizeof(*tries); i++) {
		capture_bed_order_start(b, tries[i].settings, 0);
		capture_bed_expect_log(b, tries[i].words);
		capture_bed_expect_worker_gone(b);
	}
	capture_bed_expect_log(b, "xenbw-capture exited with status 1; nobody looks at the uplinks");
}

/* libpcap shows nothing of what leaves through it. */
static void lo_is_no_uplink(void **state)
{
	struct capture_bed *b = *state;

	netns_run("ip link set lo up");
	capture_bed_start_guard(b);
	capture_bed_order_start(b, "device lo\n", 0);
	capture_bed_expect_log(
		b, "nothing of a guest crosses lo; `device` in the configuration names an uplink");
	capture_bed_expect_worker_gone(b);
	netns_run("ip link set lo down");
}

/* A tun is a link without a header; its other side is this test. */
static void it_says_how_it_is_started(void **state)
{
	char *guard[] = {(char[]){"xenbw-guard"}, NULL},
	     *worker[] = {(char[]){"xenbw-capture"}, (char[]){"--worker"}, NULL},
	     *nothing[] = {(char[]){"xenbw-capture"}, NULL},
	     *wrong[] = {(char[]){"xenbw-guard"}, (char[]){"more"}, NULL},
	     *nobody[] = {(char[]){"xenbw-guard"}, (char[]){"--user"}, (char[]){"no such user"}, NULL};
	int pair[2];
	struct capture_bed *b = *state;

	capture_bed_start_with(b, guard, -1);
	assert_int_equal(capture_bed_end_of_guard(b), 1);
	capture_bed_expect_log(b,
			       "xenbw-guard: descriptor 3 is no socket; this program is started by xenbwd");
	capture_bed_start_with(b, worker, -1);
	assert_int_equal(capture_bed_end_of_guard(b), 1);
	capture_bed_expect_log(b,
			       "xenbw-capture: descriptor 3 is no socket; this program is started by xenbwd");
	capture_bed_start_with(b, wrong, -1);
	assert_int_equal(capture_bed_end_of_guard(b), 2);
	capture_bed_expect_log(b, "usage: xenbw-guard [--user NAME] [--syslog]");
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	capture_bed_start_with(b, nobody, pair[1]);
	close(pair[0]);
	close(pair[1]);
	assert_int_equal(capture_bed_end_of_guard(b), 1);
	capture_bed_expect_log(b, "there is no user `no such user`");
	capture_bed_start_with(b, nothing, -1);
	assert_int_equal(capture_bed_end_of_guard(b), 2);
	capture_bed_expect_log(b, "usage: xenbw-capture");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, capture_bed_set_up, capture_bed_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_process_has_only_the_rights_it_needs),
		TEST(no_filter_of_a_worker_can_be_taken_off),
		TEST(a_worker_that_was_killed_is_named_and_the_next_one_works),
		TEST(a_new_start_ends_the_worker_that_there_is),
		TEST(both_end_with_xenbwd_and_not_by_a_signal_to_the_group),
		TEST(a_helper_is_ended_on_order),
		TEST(a_worker_ends_well_when_its_own_socket_is_closed),
		TEST(a_start_without_descriptors_is_passed_over),
		TEST(messages_of_another_version_are_refused),
		TEST(a_device_that_cannot_be_captured_on_is_named),
		TEST(lo_is_no_uplink),
		TEST(it_says_how_it_is_started),
	};

	return cmocka_run_group_tests(tests, capture_bed_make_devices, NULL);
}
