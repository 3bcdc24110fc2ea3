/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The real xenbw-capture, started by the real xenbw-guard: this test is their xenbwd, and sends
 * frames made by hand both ways over a veth in a namespace of its own.
 *
 * The worker captures on ve0. What is sent on ve0 is output, what is sent on ve1 comes in at ve0.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "capture/sandbox.h"
#include "config/network.h"
#include "ipc/capture.h"
#include "ipc/guard.h"
#include "ipc/packet.h"
#include "tests/support/netns.h"
#include "tests/support/unit.h"

#define PATIENCE 1000 /* looks, 10 ms apart */

#define GUEST "00:16:3e:00:00:01"
#define OUTSIDE "00:16:3e:fe:fe:fe"
#define NET_RAW 0x2000 /* the bit of CAP_NET_RAW */
#define USER "daemon"  /* every Debian has this one, with uid and gid 1 */
#define ID 1

struct bed {
	char *folder, *log;
	pid_t guard;
	int orders, worker; /* our ends; -1 */
	uint32_t serial;
	struct capture_answer answer;
	struct capture_seen *seen;
};

static int make_devices(void **state)
{
	(void)state;
	netns_enter();
	netns_bind_programs();
	netns_run("ip link add ve0 type veth peer name ve1");
	netns_run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
	netns_run("ip link set ve0 up");
	netns_run("ip link set ve1 up");
	return 0;
}

static int set_up(void **state)
{
	struct bed *b = mem_alloc(sizeof(*b));

	b->folder = scratch_new();
	b->log = mem_printf("%s/log", b->folder);
	b->orders = b->worker = -1;
	scratch_write(b->log, "", 0);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	if (b->guard) {
		kill(b->guard, SIGKILL);
		waitpid(b->guard, NULL, 0);
	}
	if (b->orders >= 0)
		close(b->orders);
	if (b->worker >= 0)
		close(b->worker);
	scratch_free(b->folder);
	free(b->seen);
	free(b->log);
	free(b);
	return 0;
}

/* ---- xenbwd's side ---- */

/* Runs it with these arguments and `fd` as descriptor 3 (-1: none); its output goes to the log. */
static void start_with(struct bed *b, char *const *argv, int fd)
{
	char *path = mem_printf(NETNS_PROGRAMS "/%s", argv[0]);

	b->guard = fork();
	assert_true(b->guard >= 0);
	if (b->guard == 0) {
		int out = open(b->log, O_WRONLY | O_CREAT | O_APPEND, 0600);

		unsetenv("JOURNAL_STREAM");
		if (out < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
			_exit(99);
		if (fd == CAPTURE_FD)
			fcntl(fd, F_SETFD, 0);
		else if (fd >= 0)
			dup2(fd, CAPTURE_FD);
		else
			close(CAPTURE_FD);
		execv(path, argv);
		_exit(99);
	}
	free(path);
}

static void start_guard(struct bed *b)
{
	char *argv[] = {(char[]){"xenbw-guard"}, (char[]){"--user"}, (char[]){USER}, NULL};
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	start_with(b, argv, pair[1]);
	close(pair[1]);
	b->orders = pair[0];
}

static void order_start(struct bed *b, const char *settings, uint32_t flags)
{
	struct guard_order o = {
		.magic = GUARD_MAGIC, .kind = GUARD_START, .helper = GUARD_CAPTURE, .flags = flags};
	int pair[2], fds[2] = {-1, memfd_create("settings", MFD_CLOEXEC)};

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(write(fds[1], settings, strlen(settings)), strlen(settings));
	assert_int_equal(lseek(fds[1], 0, SEEK_SET), 0);
	fds[0] = pair[1];
	assert_int_equal(packet_send(b->orders, &o, sizeof(o), fds, 2, NULL), 0);
	close(fds[0]);
	close(fds[1]);
	if (b->worker >= 0)
		close(b->worker);
	b->worker = pair[0];
}

static void mac_of(uint8_t mac[6], const char *text)
{
	unsigned m[6];

	assert_int_equal(sscanf(text, "%x:%x:%x:%x:%x:%x", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]), 6);
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)m[i];
}

static struct capture_vif vif_of(int64_t id, const char *mac, const char *address)
{
	struct capture_vif v = {.vif = id, .flags = CAPTURE_HAS_MAC};
	struct network n;

	mac_of(v.mac, mac);
	if (address) {
		v.flags |= CAPTURE_HAS_ADDRESS;
		assert_true(network_address(address, &n));
		memcpy(v.address, n.address, sizeof(v.address));
	}
	return v;
}

static void order_vifs(const struct bed *b, const struct capture_vif *vifs, uint32_t count)
{
	struct capture_order o = {.magic = CAPTURE_MAGIC, .kind = CAPTURE_VIFS, .count = count};
	int table = capture_table_pack(vifs, count, sizeof(*vifs), NULL);

	assert_true(table >= 0);
	assert_int_equal(packet_send(b->worker, &o, sizeof(o), &table, 1, NULL), 0);
	close(table);
}

static void order_guest(const struct bed *b)
{
	struct capture_vif v = vif_of(7, GUEST, NULL);

	order_vifs(b, &v, 1);
}

/* Asks, and takes the answer to that. */
static void ask_since(struct bed *b, int64_t counted_ns)
{
	struct capture_order o = {.magic = CAPTURE_MAGIC,
				  .kind = CAPTURE_READ,
				  .serial = ++b->serial,
				  .counted_ns = counted_ns};
	struct pollfd p = {.fd = b->worker, .events = POLLIN};
	int fds[PACKET_FDS];
	char *err = NULL;

	assert_int_equal(packet_send(b->worker, &o, sizeof(o), NULL, 0, NULL), 0);
	assert_int_equal(poll(&p, 1, 10000), 1);
	if (packet_receive(b->worker, &b->answer, sizeof(b->answer), fds, &err) != 1) {
		size_t size;

		fail_msg("no answer: %s, log: %s", err ? err : "end of file", scratch_read(b->log, &size));
	}
	assert_int_equal(b->answer.magic, CAPTURE_MAGIC);
	assert_int_equal(b->answer.kind, CAPTURE_SEEN);
	assert_int_equal(b->answer.serial, b->serial);
	free(b->seen);
	b->seen = capture_table_unpack(fds[0], b->answer.count, sizeof(*b->seen), &err);
	assert_non_null(b->seen);
	packet_close(fds);
}

static void ask(struct bed *b)
{
	ask_since(b, clock_mono().ns);
}

/* A worker that answers has opened its devices. */
static void start_both(struct bed *b, const char *settings)
{
	start_guard(b);
	order_start(b, settings, 0);
	order_guest(b);
	ask(b);
}

static void send_frames(const char *device, const char *words)
{
	netns_run(NETNS_PROGRAMS "/bwframe send %s %s", device, words);
}

/* `dir` as vif 7 sees it; bytes and packets of the whole answer, all of one class. */
static void expect(const struct bed *b, enum direction dir, enum byte_class class, uint64_t bytes,
		   uint64_t packets)
{
	static const struct capture_seen nothing;
	const struct capture_seen *s = b->answer.count ? b->seen : &nothing;

	assert_true(b->answer.count <= 1);
	assert_true(b->answer.count == 0 || s->vif == 7);
	assert_int_equal(s->bytes.bytes[dir][class], bytes);
	assert_int_equal(s->packets.bytes[dir][class], packets);
	assert_int_equal(class_bytes_total(&s->bytes, dir), bytes);
}

static void expect_no_loss(const struct bed *b)
{
	assert_int_equal(b->answer.dropped[DIR_INPUT], 0);
	assert_int_equal(b->answer.dropped[DIR_OUTPUT], 0);
	assert_int_equal(b->answer.stray_packets[DIR_INPUT], 0);
	assert_int_equal(b->answer.stray_packets[DIR_OUTPUT], 0);
}

/* ---- looking at the two processes ---- */

/* All of a file in /proc, which has no size. */
static void read_proc(const char *path, char text[4096])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, 4095);

	assert_true(n >= 0);
	text[n] = '\0';
	close(fd);
}

static pid_t worker_of(const struct bed *b)
{
	char *path = mem_printf("/proc/%d/task/%d/children", b->guard, b->guard), text[4096];

	read_proc(path, text);
	free(path);
	return (pid_t)strtol(text, NULL, 10);
}

static pid_t wait_for_worker(const struct bed *b, pid_t other_than)
{
	for (int i = 0; i < PATIENCE; i++) {
		pid_t pid = worker_of(b);

		if (pid && pid != other_than)
			return pid;
		assert_int_equal(usleep(10000), 0);
	}
	fail_msg("no worker is started");
	return 0;
}

static uint64_t status_of(pid_t pid, const char *word)
{
	char *path = mem_printf("/proc/%d/status", pid), text[4096], *at;

	read_proc(path, text);
	free(path);
	at = strstr(text, word);
	assert_non_null(at);
	return strtoull(at + strlen(word), NULL, 16);
}

static int end_of_guard(struct bed *b)
{
	int status;

	for (int i = 0; i < PATIENCE; i++) {
		pid_t done = waitpid(b->guard, &status, WNOHANG);

		assert_true(done >= 0);
		if (done == b->guard) {
			b->guard = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
		}
		assert_int_equal(usleep(10000), 0);
	}
	fail_msg("xenbw-guard does not end");
	return -1;
}

static void expect_log(const struct bed *b, const char *words)
{
	char *log = NULL;
	size_t size;

	for (int i = 0; i < PATIENCE; i++) {
		free(log);
		log = scratch_read(b->log, &size);
		if (strstr(log, words)) {
			free(log);
			return;
		}
		assert_int_equal(usleep(10000), 0);
	}
	fail_msg("expected `%s` in: %s", words, log);
}

static void expect_worker_gone(const struct bed *b)
{
	struct pollfd p = {.fd = b->worker, .events = POLLIN};
	char c;

	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_int_equal(recv(b->worker, &c, 1, MSG_DONTWAIT), 0);
}

/* ---- tests ---- */

static void frames_are_counted_to_the_byte_both_ways(void **state)
{
	struct bed *b = *state;

	start_both(b, "device ve0\nournet 10.0.0.0/8\n");
	for (int round = 0; round < 3; round++) {
		send_frames("ve0", "eth " GUEST " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 payload 100 count 1000");
		send_frames("ve1", "eth " OUTSIDE " " GUEST " ip4 192.0.2.1 10.0.0.1 payload 1480 count 777");
		ask(b);
		expect(b, DIR_OUTPUT, CLASS_EXTERNAL, 1000 * 120, 1000);
		expect(b, DIR_INPUT, CLASS_EXTERNAL, 777 * 1500, 777);
		expect_no_loss(b);
	}
	send_frames("ve0", "eth " GUEST " " OUTSIDE " ip4 10.0.0.1 10.0.0.2 payload 0 pad 60");
	send_frames("ve1", "eth " OUTSIDE " " GUEST " ip6 2001:db8::1 2001:db8::2 payload 60");
	ask(b);
	expect(b, DIR_OUTPUT, CLASS_LOCAL, 20, 1);
	expect(b, DIR_INPUT, CLASS_EXTERNAL, 100, 1);
	ask(b);
	assert_int_equal(b->answer.count, 0);
}

static void what_crossed_before_the_order_is_in_the_answer(void **state)
{
	struct bed *b = *state;

	start_both(b, "device ve0\n");
	for (int i = 1; i <= 30; i++) { /* at any point of the worker's nap */
		char *words = mem_printf(
			"eth " GUEST " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 payload 100 count %d", i);

		send_frames("ve0", words);
		ask(b);
		expect(b, DIR_OUTPUT, CLASS_EXTERNAL, (uint64_t)i * 120, (uint64_t)i);
		free(words);
		assert_int_equal(usleep((useconds_t)i * 1000), 0);
	}
}

static void output_after_the_reading_is_told_apart(void **state)
{
	struct bed *b = *state;
	int64_t between;

	start_both(b, "device ve0\n");
	send_frames("ve0", "eth " GUEST " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 payload 80 count 10");
	between = clock_mono().ns;
	send_frames("ve0", "eth " GUEST " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 payload 80 count 7");
	send_frames("ve0", "eth " OUTSIDE " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 payload 80 count 5");
	ask_since(b, between);
	expect(b, DIR_OUTPUT, CLASS_EXTERNAL, 1700, 17);
	assert_int_equal(b->seen->late[DIR_OUTPUT], 700);
	assert_int_equal(b->answer.stray_bytes[DIR_OUTPUT], 500);
	assert_int_equal(b->answer.stray_late, 500);
	send_frames("ve0", "eth " GUEST " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 payload 80 count 3");
	ask(b);
	expect(b, DIR_OUTPUT, CLASS_EXTERNAL, 300, 3);
	assert_int_equal(b->seen->late[DIR_OUTPUT], 0);
}

/* What waits in the rings crossed before the order was given: those who were there then have it. */
static void what_crossed_before_its_sender_went_is_still_its(void **state)
{
	struct bed *b = *state;
	pid_t worker;

	start_both(b, "device ve0\n");
	worker = worker_of(b);
	assert_int_equal(kill(worker, SIGSTOP), 0);
	send_frames("ve0", "eth " GUEST " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 payload 80 count 10");
	send_frames("ve1", "eth " OUTSIDE " " GUEST " ip4 192.0.2.1 10.0.0.1 payload 180 count 5");
	order_vifs(b, NULL, 0);
	assert_int_equal(kill(worker, SIGCONT), 0);
	ask(b);
	expect(b, DIR_OUTPUT, CLASS_EXTERNAL, 1000, 10);
	expect(b, DIR_INPUT, CLASS_EXTERNAL, 1000, 5);
	expect_no_loss(b);
}

static void tags_of_any_kind_are_looked_behind(void **state)
{
	struct bed *b = *state;

	start_both(b, "device ve0\n");
	send_frames("ve0", "eth " GUEST " " OUTSIDE " vlan 5 ip4 10.0.0.1 192.0.2.1 payload 80 count 2");
	send_frames("ve0",
		    "eth " GUEST " " OUTSIDE " qinq 5 vlan 6 ip4 10.0.0.1 192.0.2.1 payload 80 count 3");
	send_frames("ve0", "eth " GUEST " " OUTSIDE " vlan 5 vlan 6 ip6 ::1 ::2 payload 60 count 5");
	send_frames("ve0",
		    "eth " GUEST " " OUTSIDE " qinq 1 qinq 2 vlan 3 ip4 10.0.0.1 192.0.2.1 payload 80");
	ask(b);
	expect(b, DIR_OUTPUT, CLASS_EXTERNAL, 1100, 11);
	/* the receiver's kernel takes the outermost tag off, and libpcap puts it back */
	send_frames("ve1", "eth " OUTSIDE " " GUEST " vlan 5 ip4 192.0.2.1 10.0.0.1 payload 80 count 2");
	send_frames("ve1",
		    "eth " OUTSIDE " " GUEST " qinq 5 vlan 6 ip4 192.0.2.1 10.0.0.1 payload 80 count 3");
	send_frames("ve1", "eth " OUTSIDE " " GUEST " vlan 5 vlan 6 ip6 ::2 ::1 payload 60 count 5");
	ask(b);
	expect(b, DIR_INPUT, CLASS_EXTERNAL, 1000, 10);
	expect_no_loss(b);
}

static void what_is_no_ip_or_for_a_group_is_not_counted(void **state)
{
	struct bed *b = *state;

	start_both(b, "device ve0\n");
	send_frames("ve0", "eth " GUEST " " OUTSIDE " type 0806 payload 28");
	send_frames("ve0", "eth " GUEST " " OUTSIDE " vlan 3 type 0806 payload 28");
	send_frames("ve0", "eth " GUEST " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 version 6 payload 28");
	send_frames("ve1", "eth " OUTSIDE " ff:ff:ff:ff:ff:ff ip4 192.0.2.1 10.0.0.1 payload 80");
	send_frames("ve1", "eth " OUTSIDE " 01:00:5e:00:00:01 ip4 192.0.2.1 224.0.0.1 payload 80");
	send_frames("ve1", "eth " OUTSIDE " " OUTSIDE " ip4 192.0.2.1 10.0.0.1 payload 80");
	ask(b);
	assert_int_equal(b->answer.count, 0);
	expect_no_loss(b);
	/* what a guest sends to all leaves through the uplink as everything else */
	send_frames("ve0", "eth " GUEST " ff:ff:ff:ff:ff:ff ip4 0.0.0.0 255.255.255.255 payload 80");
	ask(b);
	expect(b, DIR_OUTPUT, CLASS_EXTERNAL, 100, 1);
}

static void the_settings_of_a_naccttab_mean_what_they_mean_there(void **state)
{
	struct bed *b = *state;
	struct capture_vif guest;

	for (int naccttab = 0; naccttab < 2; naccttab++) {
		if (!naccttab)
			start_both(b, "device ve0\nournet 192.0.2.0/24\n");
		else
			order_start(b, "device ve0\nournet 192.0.2.0/24\n", GUARD_NACCTTAB);
		guest = vif_of(7, GUEST, "10.0.0.1"); /* an address that is told, outside ournet */
		order_vifs(b, &guest, 1);
		ask(b);
		send_frames("ve0", "eth " GUEST " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 payload 80");
		ask(b);
		expect(b, DIR_OUTPUT, naccttab ? CLASS_EXTERNAL : CLASS_LOCAL, 100, 1);
	}
}

static void several_uplinks_are_one_sum(void **state)
{
	struct bed *b = *state;

	/* between the two, each frame leaves through one and comes in at the other */
	start_both(b, "device ve0\ndevice ve1\ndevice ve0\n"); /* named twice: looked at once */
	send_frames("ve0", "eth " GUEST " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 payload 80 count 3");
	send_frames("ve1", "eth " GUEST " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 payload 80 count 4");
	ask(b);
	expect(b, DIR_OUTPUT, CLASS_EXTERNAL, 700, 7);
	expect_no_loss(b);
}

static void each_process_has_only_the_rights_it_needs(void **state)
{
	static const char *const none[] = {"CapInh:", "CapPrm:", "CapEff:", "CapAmb:", "CapBnd:"};
	struct bed *b = *state;
	pid_t worker;

	start_both(b, "device ve0\n");
	worker = worker_of(b);
	assert_int_equal(status_of(b->guard, "CapPrm:"), NET_RAW);
	assert_int_equal(status_of(b->guard, "CapEff:"), NET_RAW);
	assert_int_equal(status_of(b->guard, "CapInh:"), NET_RAW);
	assert_int_equal(status_of(b->guard, "CapBnd:"), 0);
	assert_int_equal(status_of(b->guard, "CapAmb:"), 0);
	assert_int_equal(status_of(b->guard, "Uid:"), ID);
	assert_int_equal(status_of(b->guard, "Gid:"), ID);
	assert_int_equal(status_of(b->guard, "NoNewPrivs:"), 1);
	assert_int_equal(status_of(b->guard, "Threads:"), 1);
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_int_equal(status_of(worker, none[i]), 0);
	assert_int_equal(status_of(worker, "Uid:"), ID);
	assert_int_equal(status_of(worker, "Gid:"), ID);
	assert_int_equal(status_of(worker, "NoNewPrivs:"), 1);
	assert_int_equal(status_of(worker, "Threads:"), 1);
	/* 2: its system calls are filtered */
	assert_int_equal(status_of(worker, "Seccomp:"),
			 SANDBOX_LEFT_OUT ? status_of(b->guard, "Seccomp:") : 2);
}

static void a_worker_that_was_killed_is_named_and_the_next_one_works(void **state)
{
	struct bed *b = *state;
	pid_t first;

	start_both(b, "device ve0\n");
	first = worker_of(b);
	assert_int_equal(kill(first, SIGKILL), 0);
	expect_worker_gone(b);
	expect_log(b, "xenbw-capture was ended by signal 9; nobody looks at the uplinks until xenbwd has it "
		      "started again");
	order_start(b, "device ve0\n", 0);
	assert_int_not_equal(wait_for_worker(b, first), first);
	order_guest(b);
	ask(b);
	send_frames("ve0", "eth " GUEST " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 payload 80");
	ask(b);
	expect(b, DIR_OUTPUT, CLASS_EXTERNAL, 100, 1);
}

static void a_new_start_ends_the_worker_that_there_is(void **state)
{
	struct bed *b = *state;
	pid_t first;
	int old;

	start_both(b, "device ve0\n");
	first = worker_of(b);
	old = b->worker;
	b->worker = -1;
	order_start(b, "device ve0\n", 0);
	order_guest(b);
	ask(b);
	assert_int_not_equal(worker_of(b), first);
	assert_int_equal(kill(first, 0), -1);
	close(old);
}

static void both_end_with_xenbwd_and_not_by_a_signal_to_the_group(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
	struct bed *b = *state;
	pid_t worker;

	start_both(b, "device ve0\n");
	worker = worker_of(b);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		assert_int_equal(kill(b->guard, signals[i]), 0);
		assert_int_equal(kill(worker, signals[i]), 0);
	}
	ask(b);
	assert_int_equal(worker_of(b), worker);
	close(b->orders);
	b->orders = -1;
	assert_int_equal(end_of_guard(b), 0);
	expect_worker_gone(b);
	assert_int_equal(kill(worker, 0), -1);
}

static void a_helper_is_ended_on_order(void **state)
{
	struct guard_order o = {.magic = GUARD_MAGIC, .kind = GUARD_END, .helper = GUARD_CAPTURE};
	struct bed *b = *state;
	pid_t worker;

	start_both(b, "device ve0\n");
	worker = worker_of(b);
	assert_int_equal(kill(worker, SIGSTOP), 0); /* it cannot do anything about it */
	assert_int_equal(packet_send(b->orders, &o, sizeof(o), NULL, 0, NULL), 0);
	expect_worker_gone(b);
	assert_int_equal(packet_send(b->orders, &o, sizeof(o), NULL, 0, NULL), 0);
	order_start(b, "device ve0\n", 0);
	ask(b);
	assert_int_not_equal(worker_of(b), worker);
	o.helper = GUARD_HELPERS;
	assert_int_equal(packet_send(b->orders, &o, sizeof(o), NULL, 0, NULL), 0);
	assert_int_equal(end_of_guard(b), 1);
	expect_log(b, "xenbw-guard: xenbwd sent a message that is none");
}

static void a_worker_ends_well_when_its_own_socket_is_closed(void **state)
{
	struct bed *b = *state;

	start_both(b, "device ve0\n");
	close(b->worker);
	b->worker = -1;
	order_start(b, "device ve0\n", 0);
	ask(b);
}

static void a_start_without_descriptors_is_passed_over(void **state)
{
	struct guard_order o = {.magic = GUARD_MAGIC, .kind = GUARD_START, .helper = GUARD_CAPTURE};
	struct bed *b = *state;

	start_guard(b);
	assert_int_equal(packet_send(b->orders, &o, sizeof(o), NULL, 0, NULL), 0);
	assert_int_equal(packet_send(b->orders, &o, sizeof(o), &b->orders, 1, NULL), 0);
	expect_log(b, "without its two descriptors; it is passed over");
	order_start(b, "device ve0\n", 0);
	ask(b);
}

static void messages_of_another_version_are_refused(void **state)
{
	struct capture_order o = {.magic = CAPTURE_MAGIC + 1, .kind = CAPTURE_READ};
	struct bed *b = *state;

	start_both(b, "device ve0\n");
	assert_int_equal(packet_send(b->worker, &o, sizeof(o), NULL, 0, NULL), 0);
	expect_log(b, "xenbwd sent a message that is none; it is of another version: reinstall xenbw");
	expect_log(b, "xenbw-capture exited with status 1");
	order_start(b, "device ve0\n", 0);
	o = (struct capture_order){.magic = CAPTURE_MAGIC, .kind = CAPTURE_VIFS, .count = 5};
	assert_int_equal(packet_send(b->worker, &o, sizeof(o), NULL, 0, NULL), 0);
	expect_log(b, "a table of 5 records is missing or of another size");
	assert_int_equal(packet_send(b->orders, &o, 4, NULL, 0, NULL), 0);
	expect_log(b, "from xenbwd: a message has 4 bytes instead of");
	assert_int_equal(end_of_guard(b), 1);
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
	struct bed *b = *state;

	start_guard(b);
	for (size_t i = 0; i < sizeof(tries) / sizeof(*tries); i++) {
		order_start(b, tries[i].settings, 0);
		expect_log(b, tries[i].words);
		expect_worker_gone(b);
	}
	expect_log(b, "xenbw-capture exited with status 1; nobody looks at the uplinks");
}

/* A tun is a link without a header; its other side is this test. */
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
	struct capture_vif vifs[2] = {vif_of(7, GUEST, "10.0.0.1"), vif_of(0, OUTSIDE, NULL)};
	struct bed *b = *state;
	int tun = open_tun("tun0");

	vifs[0].flags |= CAPTURE_ROUTED;
	vifs[1].flags |= CAPTURE_HOST;
	start_both(b, "device tun0\n");
	order_vifs(b, vifs, 2);
	send_frames("tun0", "ip4 10.0.0.1 192.0.2.1 payload 80 count 4");
	send_frames("tun0", "ip6 fe80::1 fe80::2 payload 80");
	for (int i = 0; i < 3; i++)
		assert_int_equal(write(tun, packet, sizeof(packet)), sizeof(packet));
	ask(b);
	expect(b, DIR_OUTPUT, CLASS_EXTERNAL, 400, 4);
	expect(b, DIR_INPUT, CLASS_EXTERNAL, 3 * sizeof(packet), 3);
	expect_no_loss(b);
	close(tun);
}

static void a_device_that_goes_down_and_up_goes_on(void **state)
{
	struct bed *b = *state;
	pid_t worker;

	start_both(b, "device ve0\n");
	worker = worker_of(b);
	for (int i = 0; i < 3; i++) {
		netns_run("ip link set ve0 down");
		ask(b);
		netns_run("ip link set ve0 up");
		send_frames("ve0", "eth " GUEST " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 payload 80 count 10");
		send_frames("ve1", "eth " OUTSIDE " " GUEST " ip4 192.0.2.1 10.0.0.1 payload 80 count 20");
		ask(b);
		expect(b, DIR_OUTPUT, CLASS_EXTERNAL, 1000, 10);
		expect(b, DIR_INPUT, CLASS_EXTERNAL, 2000, 20);
	}
	assert_int_equal(worker_of(b), worker);
}

static void a_device_that_goes_away_is_named(void **state)
{
	struct bed *b = *state;

	netns_run("ip link add ve2 type veth peer name ve3");
	netns_run("ip link set ve2 up");
	start_both(b, "device ve0\ndevice ve2\n");
	netns_run("ip link del ve2");
	expect_worker_gone(b);
	expect_log(b, "the capture on ve2 has ended: The interface disappeared");
	expect_log(b, "xenbw-capture exited with status 1");
}

static void a_device_that_took_the_place_of_another_is_not_taken_for_it(void **state)
{
	struct bed *b = *state;
	pid_t worker;

	netns_run("ip link add ve2 type veth peer name ve3");
	netns_run("ip link set ve2 up");
	start_both(b, "device ve2\n");
	worker = worker_of(b);
	assert_int_equal(kill(worker, SIGSTOP), 0);
	netns_run("ip link del ve2");
	netns_run("ip link add ve2 type veth peer name ve3");
	netns_run("ip link set ve2 up");
	assert_int_equal(kill(worker, SIGCONT), 0);
	expect_worker_gone(b);
	expect_log(b, "the capture on ve2 has ended: The interface disappeared");
	order_start(b, "device ve2\n", 0);
	ask(b);
	netns_run("ip link del ve2");
}

static void what_the_ring_has_no_room_for_is_counted(void **state)
{
	struct bed *b = *state;
	uint64_t seen, sent = 200000;
	pid_t worker;

	start_both(b, "device ve0\n");
	worker = worker_of(b);
	assert_int_equal(kill(worker, SIGSTOP), 0);
	send_frames("ve0", "eth " GUEST " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 payload 80 count 200000");
	assert_int_equal(kill(worker, SIGCONT), 0);
	ask(b);
	seen = b->answer.count ? b->seen->packets.bytes[DIR_OUTPUT][CLASS_EXTERNAL] : 0;
	print_message("# the ring held %llu frames\n", (unsigned long long)seen);
	assert_true(seen > 50000);
	assert_int_equal(seen + b->answer.dropped[DIR_OUTPUT], sent);
	assert_int_equal(b->seen->bytes.bytes[DIR_OUTPUT][CLASS_EXTERNAL], seen * 100);
	assert_int_equal(b->answer.dropped[DIR_INPUT], 0);
	ask(b);
	assert_int_equal(b->answer.dropped[DIR_OUTPUT], 0);
}

/* However long it takes: a slow flow fills no ring. */
static void a_worker_that_is_held_up_loses_nothing_of_a_slow_flow(void **state)
{
	struct bed *b = *state;
	pid_t worker;

	start_both(b, "device ve0\n");
	worker = worker_of(b);
	assert_int_equal(kill(worker, SIGSTOP), 0);
	for (int i = 0; i < 150; i++) {
		send_frames("ve0", "eth " GUEST " " OUTSIDE " ip4 10.0.0.1 192.0.2.1 payload 80 count 3");
		assert_int_equal(usleep(10000), 0);
	}
	assert_int_equal(kill(worker, SIGCONT), 0);
	ask(b);
	expect(b, DIR_OUTPUT, CLASS_EXTERNAL, 45000, 450);
	expect_no_loss(b);
}

static void it_says_how_it_is_started(void **state)
{
	char *guard[] = {(char[]){"xenbw-guard"}, NULL},
	     *worker[] = {(char[]){"xenbw-capture"}, (char[]){"--worker"}, NULL},
	     *nothing[] = {(char[]){"xenbw-capture"}, NULL},
	     *wrong[] = {(char[]){"xenbw-guard"}, (char[]){"more"}, NULL},
	     *nobody[] = {(char[]){"xenbw-guard"}, (char[]){"--user"}, (char[]){"no such user"}, NULL};
	int pair[2];
	struct bed *b = *state;

	start_with(b, guard, -1);
	assert_int_equal(end_of_guard(b), 1);
	expect_log(b, "xenbw-guard: descriptor 3 is no socket; this program is started by xenbwd");
	start_with(b, worker, -1);
	assert_int_equal(end_of_guard(b), 1);
	expect_log(b, "xenbw-capture: descriptor 3 is no socket; this program is started by xenbwd");
	start_with(b, wrong, -1);
	assert_int_equal(end_of_guard(b), 2);
	expect_log(b, "usage: xenbw-guard [--user NAME] [--syslog]");
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	start_with(b, nobody, pair[1]);
	close(pair[0]);
	close(pair[1]);
	assert_int_equal(end_of_guard(b), 1);
	expect_log(b, "there is no user `no such user`");
	start_with(b, nothing, -1);
	assert_int_equal(end_of_guard(b), 2);
	expect_log(b, "usage: xenbw-capture");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frames_are_counted_to_the_byte_both_ways),
		TEST(what_crossed_before_the_order_is_in_the_answer),
		TEST(output_after_the_reading_is_told_apart),
		TEST(what_crossed_before_its_sender_went_is_still_its),
		TEST(tags_of_any_kind_are_looked_behind),
		TEST(what_is_no_ip_or_for_a_group_is_not_counted),
		TEST(the_settings_of_a_naccttab_mean_what_they_mean_there),
		TEST(several_uplinks_are_one_sum),
		TEST(each_process_has_only_the_rights_it_needs),
		TEST(a_worker_that_was_killed_is_named_and_the_next_one_works),
		TEST(a_new_start_ends_the_worker_that_there_is),
		TEST(both_end_with_xenbwd_and_not_by_a_signal_to_the_group),
		TEST(a_helper_is_ended_on_order),
		TEST(a_worker_ends_well_when_its_own_socket_is_closed),
		TEST(a_start_without_descriptors_is_passed_over),
		TEST(messages_of_another_version_are_refused),
		TEST(a_device_that_cannot_be_captured_on_is_named),
		TEST(a_link_without_a_header_is_read),
		TEST(a_device_that_goes_down_and_up_goes_on),
		TEST(a_device_that_goes_away_is_named),
		TEST(a_device_that_took_the_place_of_another_is_not_taken_for_it),
		TEST(what_the_ring_has_no_room_for_is_counted),
		TEST(a_worker_that_is_held_up_loses_nothing_of_a_slow_flow),
		TEST(it_says_how_it_is_started),
	};

	return cmocka_run_group_tests(tests, make_devices, NULL);
}
