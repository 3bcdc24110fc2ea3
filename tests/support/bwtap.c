/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bwtap: the guest behind the tap of an emulated network card.
 *
 *   bwtap NAME COUNTS
 *
 * Attaches to the existing tap NAME, counts the datagrams that dom0 sends into it (bwcounts.h), and sends for
 * each line on standard input
 *   SRC_MAC SRC_IP DST_MAC DST_IP PORT COUNTS_OF_RECEIVER PACKETS PAYLOAD
 * that many UDP frames; when the receiver has them all it prints packets and IP bytes. Ends at the end of its
 * input. Exits 1 and says why when something fails.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "tests/support/bwcounts.h"

#define PATIENCE_NS 5000000000LL

struct frame {
	struct ether_header ether;
	struct iphdr ip;
	struct udphdr udp;
	unsigned char payload[BWCOUNTS_PAYLOAD_MAX];
} __attribute__((packed));

#define FRAME_HEAD offsetof(struct frame, payload)

struct order {
	struct frame frame;
	size_t len; /* of the frame */
	struct bwflow *arrived;
	uint64_t packets, payload;
};

static int tap_open(const char *name, char **err)
{
	struct ifreq req = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (!text_is_ifname(name))
		return err_set(err, "'%s' is no name for an interface", name);
	memcpy(req.ifr_name, name, strlen(name) + 1);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &req) < 0)
		return err_sys(err, "cannot attach to the tap %s", name);
	return fd;
}

static void receive(int tap, struct bwcounts *counts)
{
	struct frame f;
	ssize_t n;

	while ((n = read(tap, &f, sizeof(f))) > 0)
		if ((size_t)n >= FRAME_HEAD && f.ether.ether_type == htons(ETHERTYPE_IP) &&
		    f.ip.protocol == IPPROTO_UDP)
			bwcounts_receive(counts, f.payload, ntohs(f.udp.len) - sizeof(f.udp));
}

static uint16_t header_sum(const struct iphdr *ip)
{
	uint16_t word[sizeof(*ip) / 2];
	uint32_t sum = 0;

	memcpy(word, ip, sizeof(*ip));
	for (size_t i = 0; i < sizeof(*ip) / 2; i++)
		sum += word[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

static int parse_mac(const char *text, uint8_t mac[ETHER_ADDR_LEN])
{
	struct ether_addr a;

	if (!text || !ether_aton_r(text, &a))
		return -1;
	memcpy(mac, a.ether_addr_octet, ETHER_ADDR_LEN);
	return 0;
}

static int parse_ip(const char *text, uint32_t *ip)
{
	struct in_addr a;

	if (!text || inet_pton(AF_INET, text, &a) != 1)
		return -1;
	*ip = a.s_addr;
	return 0;
}

static int parse_order(char *line, struct order *o, char **err)
{
	const char *word[8];
	struct frame *f = &o->frame;
	struct bwcounts *counts;
	struct iphdr ip;
	uint64_t port;
	uint32_t flow, from, to;

	for (size_t i = 0; i < 8; i++)
		word[i] = strtok(i ? NULL : line, " \n");
	*o = (struct order){0};
	if (parse_mac(word[0], f->ether.ether_shost) < 0 || parse_ip(word[1], &from) < 0 ||
	    parse_mac(word[2], f->ether.ether_dhost) < 0 || parse_ip(word[3], &to) < 0 || !word[7] ||
	    !text_u64(word[4], 1, 65535, &port) || !text_u64(word[6], 0, UINT64_MAX, &o->packets) ||
	    !text_u64(word[7], BWCOUNTS_HEAD, BWCOUNTS_PAYLOAD_MAX, &o->payload))
		return err_set(err,
			       "this is no order: SRC_MAC SRC_IP DST_MAC DST_IP PORT COUNTS PACKETS PAYLOAD");
	counts = bwcounts_open(word[5], err);
	if (!counts || bwcounts_take_flow(counts, &flow, err) < 0)
		return -1;
	o->arrived = &counts->flow[flow];
	o->len = FRAME_HEAD + o->payload;
	f->ether.ether_type = htons(ETHERTYPE_IP);
	ip = (struct iphdr){.version = 4,
			    .ihl = sizeof(ip) / 4,
			    .ttl = 64,
			    .protocol = IPPROTO_UDP,
			    .saddr = from,
			    .daddr = to,
			    .tot_len = htons((uint16_t)(o->len - sizeof(f->ether)))};
	ip.check = header_sum(&ip);
	f->ip = ip;
	/* No UDP checksum: IPv4 allows it. */
	f->udp = (struct udphdr){.source = htons((uint16_t)port),
				 .dest = htons((uint16_t)port),
				 .len = htons((uint16_t)(sizeof(f->udp) + o->payload))};
	bwcounts_write_head(f->payload, flow);
	return 0;
}

static int carry_out(int tap, struct bwcounts *own, const struct order *o, char **err)
{
	struct mono last_progress = clock_mono();
	uint64_t sent = 0, seen = 0;

	while (seen < o->packets) {
		uint64_t now = atomic_load(&o->arrived->packets);

		if (now != seen)
			last_progress = clock_mono();
		seen = now;
		if (sent < o->packets && sent - seen < BWCOUNTS_WINDOW) {
			if (write(tap, &o->frame, o->len) == (ssize_t)o->len) {
				sent++;
				continue;
			}
			if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
				return err_sys(err, "sending stopped after %" PRIu64 " frames", sent);
		}
		if (clock_mono().ns - last_progress.ns > PATIENCE_NS)
			return err_set(err, "%" PRIu64 " frames sent, but only %" PRIu64 " arrived", sent,
				       seen);
		receive(tap, own);
		usleep(50);
	}
	printf("%" PRIu64 " %" PRIu64 "\n", o->packets, o->packets * (o->payload + BWCOUNTS_UDP_OVERHEAD));
	fflush(stdout);
	return 0;
}

static int serve(const char *name, const char *path, char **err)
{
	struct bwcounts *own;
	struct order order;
	char *line = NULL;
	size_t size = 0;
	int rc = 0, tap = tap_open(name, err);

	if (tap < 0 || !(own = bwcounts_create(path, err)))
		return -1;
	setbuf(stdin, NULL); /* or poll would not see the lines that stdio has already read */
	while (rc == 0) {
		struct pollfd p[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = tap, .events = POLLIN}};

		if (poll(p, 2, -1) < 0 && errno != EINTR) {
			rc = err_sys(err, "cannot wait for the tap %s", name);
		} else if (p[0].revents) {
			if (getline(&line, &size, stdin) < 0)
				break;
			rc = parse_order(line, &order, err) < 0 ? -1 : carry_out(tap, own, &order, err);
		}
		receive(tap, own);
	}
	free(line);
	return rc;
}

int main(int argc, char **argv)
{
	char *err = NULL;

	if (argc != 3) {
		fputs("usage: bwtap NAME COUNTS\n", stderr);
		return 2;
	}
	if (serve(argv[1], argv[2], &err) == 0)
		return 0;
	fprintf(stderr, "bwtap: %s\n", err);
	free(err);
	return 1;
}
