/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * pcap_loop DEVICE: the least that a program can do with libpcap: adds up the bytes of the frames that cross
 * a device, until SIGTERM. Then prints how many it saw and how many the kernel dropped.
 */
#include <inttypes.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define SNAPLEN 128
#define WAIT_MS 100
#define RING (16 << 20) /* as much as xenbw-capture has */

struct sums {
	uint64_t frames, bytes;
};

static pcap_t *capture; /* for the signal */

static void end(int signal)
{
	(void)signal;
	pcap_breakloop(capture);
}

static void add(u_char *sums, const struct pcap_pkthdr *h, const u_char *frame)
{
	struct sums *s = (struct sums *)(void *)sums;

	(void)frame;
	s->frames++;
	s->bytes += h->len;
}

int main(int argc, char **argv)
{
	char why[PCAP_ERRBUF_SIZE];
	struct sums sums = {0};
	struct pcap_stat stat;

	if (argc != 2) {
		fputs("usage: pcap_loop DEVICE\n", stderr);
		return 2;
	}
	capture = pcap_create(argv[1], why);
	if (!capture) {
		fprintf(stderr, "pcap_loop: %s\n", why);
		return 1;
	}
	if (pcap_set_snaplen(capture, SNAPLEN) < 0 || pcap_set_timeout(capture, WAIT_MS) < 0 ||
	    pcap_set_buffer_size(capture, RING) < 0 || pcap_activate(capture) < 0) {
		fprintf(stderr, "pcap_loop: %s\n", pcap_geterr(capture));
		pcap_close(capture);
		return 1;
	}
	(void)signal(SIGTERM, end);
	puts("ready");
	fflush(stdout);
	if (pcap_loop(capture, -1, add, (u_char *)&sums) != PCAP_ERROR_BREAK ||
	    pcap_stats(capture, &stat) < 0) {
		fprintf(stderr, "pcap_loop: %s\n", pcap_geterr(capture));
		pcap_close(capture);
		return 1;
	}
	printf("%" PRIu64 " frames, %" PRIu64 " bytes, %u dropped\n", sums.frames, sums.bytes, stat.ps_drop);
	pcap_close(capture);
	return 0;
}
