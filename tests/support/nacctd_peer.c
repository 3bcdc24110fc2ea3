/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * nacctd_peer DEVICE ADDRESS…: counts the packets that cross a device as netacct-mysql's daemon does, and
 * writes as it does, when it is told to.
 *
 * IPv4 without a VLAN tag alone; bytes are the header's total length; a packet is the source's output where
 * that is one of the addresses, else the destination's input; what is between two of them is local. A line on
 * standard input is an order: `begin` prints a write as SQL, into the hour that the clock says, and a line
 * `-- done`; `end` is the end of that write, which forgets all that was counted, also what came since
 * `begin`. Answers `-- done`, too.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SNAPLEN 128
#define RING (16 << 20)
#define MOST 16 /* addresses */

struct own {
	const char *text;
	in_addr_t address;
	uint64_t input, output, local_output;
};

struct peer {
	struct own own[MOST];
	size_t count;
};

static struct own *own_of(struct peer *p, in_addr_t address)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->own[i].address == address)
			return &p->own[i];
	return NULL;
}

static void add(u_char *arg, const struct pcap_pkthdr *h, const u_char *frame)
{
	struct peer *p = (struct peer *)(void *)arg;
	struct ether_header ether;
	struct own *from, *to;
	struct iphdr ip;

	if (h->caplen < sizeof(ether) + sizeof(ip))
		return;
	memcpy(&ether, frame, sizeof(ether));
	memcpy(&ip, frame + sizeof(ether), sizeof(ip));
	if (ether.ether_type != htons(ETHERTYPE_IP))
		return;
	from = own_of(p, ip.saddr);
	to = own_of(p, ip.daddr);
	if (from && to)
		from->local_output += ntohs(ip.tot_len);
	else if (from)
		from->output += ntohs(ip.tot_len);
	else if (to)
		to->input += ntohs(ip.tot_len);
}

static void write_out(const struct peer *p)
{
	time_t now = time(NULL);
	char hour[32] = "";
	struct tm tm;

	if (localtime_r(&now, &tm))
		(void)strftime(hour, sizeof(hour), "%Y-%m-%d %H:00:00", &tm);
	for (size_t i = 0; i < p->count; i++) {
		const struct own *o = &p->own[i];

		if (!o->input && !o->output && !o->local_output)
			continue;
		printf("INSERT INTO traffic (ip, time) SELECT '%s', '%s' FROM DUAL WHERE NOT EXISTS (SELECT "
		       "1 FROM "
		       "traffic WHERE ip = '%s' AND time = '%s');\n",
		       o->text, hour, o->text, hour);
		printf("UPDATE traffic SET input = input + %" PRIu64 ", output = output + %" PRIu64
		       ", local_output = local_output + %" PRIu64 " WHERE ip = '%s' AND time = '%s';\n",
		       o->input, o->output, o->local_output, o->text, hour);
	}
}

static void forget(struct peer *p)
{
	for (size_t i = 0; i < p->count; i++)
		p->own[i].input = p->own[i].output = p->own[i].local_output = 0;
}

static void answer(void)
{
	puts("-- done");
	(void)fflush(stdout);
}

static int serve(pcap_t *capture, struct peer *p)
{
	char order[32];

	while (fgets(order, sizeof(order), stdin)) {
		int n;

		while ((n = pcap_dispatch(capture, -1, add, (u_char *)p)) > 0)
			;
		if (n < 0)
			return -1;
		if (strcmp(order, "begin\n") == 0)
			write_out(p);
		else
			forget(p);
		answer();
	}
	return 0;
}

static pcap_t *open_device(const char *device, char *why)
{
	pcap_t *capture = pcap_create(device, why);

	if (!capture)
		return NULL;
	if (pcap_set_snaplen(capture, SNAPLEN) == 0 && pcap_set_promisc(capture, 1) == 0 &&
	    pcap_set_immediate_mode(capture, 1) == 0 && pcap_set_buffer_size(capture, RING) == 0 &&
	    pcap_activate(capture) >= 0 && pcap_setnonblock(capture, 1, why) == 0)
		return capture;
	(void)snprintf(why, PCAP_ERRBUF_SIZE, "%s", pcap_geterr(capture));
	pcap_close(capture);
	return NULL;
}

int main(int argc, char **argv)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	struct peer p = {0};
	pcap_t *capture;
	int rc;

	if (argc < 3 || argc > 2 + MOST) {
		fputs("usage: nacctd_peer DEVICE ADDRESS...\n", stderr);
		return 2;
	}
	for (int i = 2; i < argc; i++)
		p.own[p.count++] = (struct own){.text = argv[i], .address = inet_addr(argv[i])};
	capture = open_device(argv[1], why);
	if (!capture) {
		fprintf(stderr, "nacctd_peer: %s\n", why);
		return 1;
	}
	answer();
	rc = serve(capture, &p);
	if (rc < 0)
		fprintf(stderr, "nacctd_peer: %s\n", pcap_geterr(capture));
	pcap_close(capture);
	return rc < 0;
}
