/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bwload: traffic of exactly known size for the test bed.
 *
 *   bwload sink PORT COUNTS                             receives UDP and TCP until it is killed
 *   bwload udp ADDRESS PORT COUNTS PACKETS PAYLOAD [SECONDS [FROM]]  sends datagrams, spread over SECONDS if
 *                                                       not 0, from the address FROM
 *   bwload spray ADDRESS PORT ENDS PACKETS PAYLOAD      sends datagrams to ENDS addresses from ADDRESS on,
 *                                                       drawn at random
 *   bwload tcp ADDRESS PORT BYTES [FROM]                sends bytes over one connection
 *   bwload counts COUNTS                                prints datagrams, their IP bytes, TCP payload bytes
 *   bwload tso DEVICE 0|1                               whether the device takes large TCP packets whole
 *   bwload gro DEVICE 0|1                               whether it merges TCP packets that come in
 *   bwload unplug                                       takes its emulated cards out of an HVM guest
 *
 * COUNTS is the sink's file (bwcounts.h). `udp` never has more on its way than a socket can hold, sends again
 * what the kernel refused with ENOBUFS, and ends well only when the sink has counted every datagram; it
 * prints packets and IP bytes (payload + 28 each). `spray` needs nobody who receives: it ends when the kernel
 * has taken the last datagram. `tcp` ends when both ends have closed. Says why and exits 1 when five seconds
 * bring no progress.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "tests/support/bwcounts.h"

#define PATIENCE_NS 5000000000LL
#define NAP_NS 50000L
#define SECOND_NS 1000000000.0
#define TCP_CHUNK 65536
#define SINK_ROOM (16 << 20) /* holds the windows of many senders at once */
#define UNPLUG_PORT 0x10     /* of Xen's platform device, as is what to write to it */
#define UNPLUG_CARDS 2

struct pace {
	struct mono start;
	double seconds; /* 0 = as fast as the window allows */
	uint64_t packets;
};

static int64_t ns_since(struct mono then)
{
	return clock_mono().ns - then.ns;
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
}

static int parse_end(const char *address, const char *port, struct sockaddr_in *sa, char **err)
{
	uint64_t number;

	*sa = (struct sockaddr_in){.sin_family = AF_INET};
	if (inet_pton(AF_INET, address, &sa->sin_addr) != 1)
		return err_set(err, "'%s' is not an IPv4 address", address);
	if (!text_u64(port, 1, 65535, &number))
		return err_set(err, "'%s' is not a port", port);
	sa->sin_port = htons((uint16_t)number);
	return 0;
}

static int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *out, char **err)
{
	if (text_u64(text, min, max, out))
		return 0;
	return err_set(err, "'%s' is not a number from %" PRIu64 " to %" PRIu64, text, min, max);
}

/* How many datagrams may have been sent by now. */
static uint64_t pace_allows(const struct pace *p)
{
	double part = p->seconds > 0 ? (double)ns_since(p->start) / (p->seconds * SECOND_NS) : 1;

	return part >= 1 ? p->packets : (uint64_t)(part * (double)p->packets) + 1;
}

/* Sends the flow and waits until the sink has all of it. */
static int send_flow(int fd, const struct bwflow *arrived, const struct pace *pace, const void *payload,
		     size_t len, char **err)
{
	struct mono last_progress = clock_mono();
	uint64_t sent = 0, seen = 0;

	while (seen < pace->packets) {
		uint64_t now = atomic_load(&arrived->packets);

		if (now != seen || (sent == seen && sent >= pace_allows(pace)))
			last_progress = clock_mono();
		seen = now;
		if (sent < pace_allows(pace) && sent - seen < BWCOUNTS_WINDOW) {
			if (send(fd, payload, len, 0) == (ssize_t)len) {
				sent++;
				continue;
			}
			if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
				return err_sys(err, "sending stopped after %" PRIu64 " datagrams", sent);
		}
		if (ns_since(last_progress) > PATIENCE_NS)
			return err_set(err, "%" PRIu64 " datagrams sent, but only %" PRIu64 " arrived", sent,
				       seen);
		nap();
	}
	return 0;
}

static int run_udp(char **arg, int n, char **err)
{
	unsigned char payload[BWCOUNTS_PAYLOAD_MAX] = {0};
	struct sockaddr_in to, from = {.sin_family = AF_INET};
	struct bwcounts *counts;
	struct pace pace = {.start = clock_mono()};
	uint64_t len, seconds = 0;
	uint32_t flow;
	int fd, rc = -1, on = 1;

	if (parse_end(arg[0], arg[1], &to, err) < 0 || !(counts = bwcounts_open(arg[2], err)) ||
	    parse_number(arg[3], 0, UINT64_MAX, &pace.packets, err) < 0 ||
	    parse_number(arg[4], BWCOUNTS_HEAD, BWCOUNTS_PAYLOAD_MAX, &len, err) < 0 ||
	    (n > 5 && parse_number(arg[5], 0, 86400, &seconds, err) < 0) ||
	    (n > 6 && parse_end(arg[6], arg[1], &from, err) < 0) ||
	    bwcounts_take_flow(counts, &flow, err) < 0)
		return -1;
	pace.seconds = (double)seconds;
	bwcounts_write_head(payload, flow);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* Without IP_RECVERR the kernel hides from a UDP sender that a queue was full. */
	from.sin_port = 0;
	if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&from, sizeof(from)) < 0 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		err_sys(err, "cannot send to %s", arg[0]);
	else
		rc = send_flow(fd, &counts->flow[flow], &pace, payload, len, err);
	if (rc == 0)
		printf("%" PRIu64 " %" PRIu64 "\n", pace.packets,
		       pace.packets * (len + BWCOUNTS_UDP_OVERHEAD));
	if (fd >= 0)
		close(fd);
	return rc;
}

/* A step of the generator of Knuth and Lewis, of which the upper bits are drawn. */
static uint32_t draw(uint32_t *state, uint32_t ends)
{
	*state = *state * 1664525U + 1013904223U;
	return (uint32_t)((uint64_t)*state * ends >> 32);
}

static int run_spray(char **arg, int n, char **err)
{
	const unsigned char payload[BWCOUNTS_PAYLOAD_MAX] = {0};
	struct sockaddr_in first, to;
	uint64_t ends, packets, len;
	uint32_t state = 1;
	int fd, rc = 0;

	(void)n;
	if (parse_end(arg[0], arg[1], &first, err) < 0 ||
	    parse_number(arg[2], 1, UINT32_MAX - ntohl(first.sin_addr.s_addr), &ends, err) < 0 ||
	    parse_number(arg[3], 0, UINT64_MAX, &packets, err) < 0 ||
	    parse_number(arg[4], 0, BWCOUNTS_PAYLOAD_MAX, &len, err) < 0)
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, "cannot make a socket");
	to = first;
	for (uint64_t i = 0; i < packets && rc == 0; i++) {
		to.sin_addr.s_addr = htonl(ntohl(first.sin_addr.s_addr) + draw(&state, (uint32_t)ends));
		if (sendto(fd, payload, len, 0, (struct sockaddr *)&to, sizeof(to)) != (ssize_t)len)
			rc = err_sys(err, "sending stopped after %" PRIu64 " datagrams", i);
	}
	close(fd);
	return rc;
}

static int write_all(int fd, uint64_t bytes, char **err)
{
	char *chunk = mem_alloc(TCP_CHUNK);
	int rc = 0;

	while (bytes > 0 && rc == 0) {
		ssize_t n = send(fd, chunk, bytes < TCP_CHUNK ? bytes : TCP_CHUNK, MSG_NOSIGNAL);

		if (n > 0)
			bytes -= (uint64_t)n;
		else if (errno != EINTR)
			rc = err_sys(err, "sending stopped with %" PRIu64 " bytes left", bytes);
	}
	free(chunk);
	return rc;
}

static int run_tcp(char **arg, int n, char **err)
{
	struct timeval patience = {.tv_sec = PATIENCE_NS / 1000000000};
	struct sockaddr_in to, from = {.sin_family = AF_INET};
	uint64_t bytes;
	char end;
	int fd, rc = -1;

	if (parse_end(arg[0], arg[1], &to, err) < 0 || parse_number(arg[2], 0, UINT64_MAX, &bytes, err) < 0 ||
	    (n > 3 && parse_end(arg[3], arg[1], &from, err) < 0))
		return -1;
	from.sin_port = 0;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
	    bind(fd, (struct sockaddr *)&from, sizeof(from)) < 0 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		err_sys(err, "cannot connect to %s", arg[0]);
	else if (write_all(fd, bytes, err) == 0 && (shutdown(fd, SHUT_WR) < 0 || read(fd, &end, 1) != 0))
		err_sys(err, "%s did not close the connection", arg[0]);
	else
		rc = *err ? -1 : 0;
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Sockets of the sink; both listen on any address of the namespace. */
static int sink_socket(int type, uint16_t port, char **err)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
	int on = 1, room = SINK_ROOM, fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (type == SOCK_DGRAM && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0) ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 || (type == SOCK_STREAM && listen(fd, 64) < 0))
		return err_sys(err, "cannot listen on port %u", port);
	return fd;
}

static int watch(int epoll, int fd, char **err)
{
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? err_sys(err, "cannot watch a socket") : 0;
}

static void sink_datagrams(int fd, struct bwcounts *counts)
{
	unsigned char payload[BWCOUNTS_PAYLOAD_MAX];
	ssize_t n;

	while ((n = recv(fd, payload, sizeof(payload), 0)) >= 0)
		bwcounts_receive(counts, payload, (size_t)n);
}

static void sink_stream(int fd, struct bwcounts *counts, char *chunk)
{
	ssize_t n;

	while ((n = read(fd, chunk, TCP_CHUNK)) > 0)
		atomic_fetch_add(&counts->tcp_bytes, (uint64_t)n);
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		close(fd); /* which also takes it out of the epoll set */
}

static int run_sink(char **arg, int n, char **err)
{
	struct bwcounts *counts;
	struct epoll_event e;
	uint64_t port;
	char *chunk;
	int epoll, udp, tcp, fd;

	(void)n;
	if (parse_number(arg[0], 1, 65535, &port, err) < 0 ||
	    (udp = sink_socket(SOCK_DGRAM, (uint16_t)port, err)) < 0 ||
	    (tcp = sink_socket(SOCK_STREAM, (uint16_t)port, err)) < 0)
		return -1;
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		return err_sys(err, "cannot create an epoll set");
	if (watch(epoll, udp, err) < 0 || watch(epoll, tcp, err) < 0 ||
	    !(counts = bwcounts_create(arg[1], err)))
		return -1;
	chunk = mem_alloc(TCP_CHUNK);
	for (;;) {
		if (epoll_wait(epoll, &e, 1, -1) < 1)
			continue;
		if (e.data.fd == udp)
			sink_datagrams(udp, counts);
		else if (e.data.fd != tcp)
			sink_stream(e.data.fd, counts, chunk);
		else if ((fd = accept4(tcp, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0 &&
			 watch(epoll, fd, err) < 0)
			break;
	}
	free(chunk);
	return -1;
}

static int run_counts(char **arg, int n, char **err)
{
	struct bwcounts *counts = bwcounts_open(arg[0], err);
	uint64_t packets = 0, bytes = 0;

	(void)n;
	if (!counts)
		return -1;
	for (size_t i = 0; i < BWCOUNTS_FLOWS; i++) {
		packets += atomic_load(&counts->flow[i].packets);
		bytes += atomic_load(&counts->flow[i].bytes);
	}
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", packets, bytes + packets * BWCOUNTS_UDP_OVERHEAD,
	       atomic_load(&counts->tcp_bytes));
	return 0;
}

static int set_offload(uint32_t cmd, char **arg, char **err)
{
	struct ethtool_value value = {.cmd = cmd};
	struct ifreq req = {.ifr_data = (void *)&value};
	uint64_t on;
	int fd, rc;

	if (parse_number(arg[1], 0, 1, &on, err) < 0)
		return -1;
	value.data = (uint32_t)on;
	strncpy(req.ifr_name, arg[0], sizeof(req.ifr_name) - 1);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, "cannot make a socket");
	rc = ioctl(fd, SIOCETHTOOL, &req);
	if (rc < 0)
		err_sys(err, "cannot set the device %s", arg[0]);
	close(fd);
	return rc;
}

static int run_tso(char **arg, int n, char **err)
{
	(void)n;
	return set_offload(ETHTOOL_STSO, arg, err);
}

static int run_gro(char **arg, int n, char **err)
{
	(void)n;
	return set_offload(ETHTOOL_SGRO, arg, err);
}

static int run_unplug(char **arg, int n, char **err)
{
	(void)arg;
	(void)n;
	if (ioperm(UNPLUG_PORT, 2, 1) < 0)
		return err_sys(err, "cannot write to the port %d", UNPLUG_PORT);
	outw(UNPLUG_CARDS, UNPLUG_PORT);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int min, max;
		int (*run)(char **arg, int n, char **err);
	} commands[] = {
		{"sink", 2, 2, run_sink}, {"udp", 5, 7, run_udp},       {"spray", 5, 5, run_spray},
		{"tcp", 3, 4, run_tcp},   {"counts", 1, 1, run_counts}, {"tso", 2, 2, run_tso},
		{"gro", 2, 2, run_gro},   {"unplug", 0, 0, run_unplug},
	};
	char *err = NULL;

	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(argv[1], commands[i].name) != 0 || argc - 2 < commands[i].min ||
		    argc - 2 > commands[i].max)
			continue;
		if (commands[i].run(argv + 2, argc - 2, &err) == 0)
			return 0;
		fprintf(stderr, "bwload %s: %s\n", argv[1], err);
		free(err);
		return 1;
	}
	fputs("usage: bwload sink PORT COUNTS | udp ADDRESS PORT COUNTS PACKETS PAYLOAD [SECONDS [FROM]] |\n"
	      "       spray ADDRESS PORT ENDS PACKETS PAYLOAD | tcp ADDRESS PORT BYTES [FROM] |\n"
	      "       counts COUNTS | tso DEVICE 0|1 | gro DEVICE 0|1 | unplug\n",
	      stderr);
	return 2;
}
