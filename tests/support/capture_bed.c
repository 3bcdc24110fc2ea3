/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/support/capture_bed.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config/network.h"
#include "ipc/guard.h"
#include "ipc/packet.h"
#include "tests/support/netns.h"
#include "tests/support/unit.h"

int capture_bed_make_devices(void **state)
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

int capture_bed_set_up(void **state)
{
	struct capture_bed *b = mem_alloc(sizeof(*b));

	b->folder = scratch_new();
	b->log = mem_printf("%s/log", b->folder);
	b->orders = b->worker = -1;
	scratch_write(b->log, "", 0);
	*state = b;
	return 0;
}

int capture_bed_tear_down(void **state)
{
	struct capture_bed *b = *state;

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

void capture_bed_start_with(struct capture_bed *b, char *const *argv, int fd)
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

void capture_bed_start_guard(struct capture_bed *b)
{
	char *argv[] = {(char[]){"xenbw-guard"}, (char[]){"--user"}, (char[]){USER}, NULL};
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	capture_bed_start_with(b, argv, pair[1]);
	close(pair[1]);
	b->orders = pair[0];
}

void capture_bed_order_start(struct capture_bed *b, const char *settings, uint32_t flags)
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

struct capture_vif capture_bed_vif_of(int64_t id, const char *mac, const char *address)
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

void capture_bed_order_vifs(const struct capture_bed *b, const struct capture_vif *vifs, uint32_t count)
{
	struct capture_order o = {.magic = CAPTURE_MAGIC, .kind = CAPTURE_VIFS, .count = count};
	int table = capture_table_pack(vifs, count, sizeof(*vifs), NULL);

	assert_true(table >= 0);
	assert_int_equal(packet_send(b->worker, &o, sizeof(o), &table, 1, NULL), 0);
	close(table);
}

void capture_bed_order_guest(const struct capture_bed *b)
{
	struct capture_vif v = capture_bed_vif_of(7, GUEST, NULL);

	capture_bed_order_vifs(b, &v, 1);
}

void capture_bed_ask_since(struct capture_bed *b, int64_t counted_ns)
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

void capture_bed_ask(struct capture_bed *b)
{
	capture_bed_ask_since(b, clock_mono().ns);
}

void capture_bed_start_both(struct capture_bed *b, const char *settings)
{
	capture_bed_start_guard(b);
	capture_bed_order_start(b, settings, 0);
	capture_bed_order_guest(b);
	capture_bed_ask(b);
}

void capture_bed_send_frames(const char *device, const char *words)
{
	netns_run(NETNS_PROGRAMS "/bwframe send %s %s", device, words);
}

void capture_bed_expect(const struct capture_bed *b, enum direction dir, enum byte_class class,
			uint64_t bytes, uint64_t packets)
{
	static const struct capture_seen nothing;
	const struct capture_seen *s = b->answer.count ? b->seen : &nothing;

	assert_true(b->answer.count <= 1);
	assert_true(b->answer.count == 0 || s->vif == 7);
	assert_int_equal(s->bytes.bytes[dir][class], bytes);
	assert_int_equal(s->packets.bytes[dir][class], packets);
	assert_int_equal(class_bytes_total(&s->bytes, dir), bytes);
}

void capture_bed_expect_no_loss(const struct capture_bed *b)
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

pid_t capture_bed_worker_of(const struct capture_bed *b)
{
	char *path = mem_printf("/proc/%d/task/%d/children", b->guard, b->guard), text[4096];

	read_proc(path, text);
	free(path);
	return (pid_t)strtol(text, NULL, 10);
}

pid_t capture_bed_wait_for_worker(const struct capture_bed *b, pid_t other_than)
{
	for (int i = 0; i < PATIENCE; i++) {
		pid_t pid = capture_bed_worker_of(b);

		if (pid && pid != other_than)
			return pid;
		assert_int_equal(usleep(10000), 0);
	}
	fail_msg("no worker is started");
	return 0;
}

uint64_t capture_bed_status_of(pid_t pid, const char *word)
{
	char *path = mem_printf("/proc/%d/status", pid), text[4096], *at;

	read_proc(path, text);
	free(path);
	at = strstr(text, word);
	assert_non_null(at);
	return strtoull(at + strlen(word), NULL, 16);
}

int capture_bed_end_of_guard(struct capture_bed *b)
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

void capture_bed_expect_log(const struct capture_bed *b, const char *words)
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

void capture_bed_expect_worker_gone(const struct capture_bed *b)
{
	struct pollfd p = {.fd = b->worker, .events = POLLIN};
	char c;

	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_int_equal(recv(b->worker, &c, 1, MSG_DONTWAIT), 0);
}
