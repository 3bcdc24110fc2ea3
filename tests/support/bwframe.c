/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bwframe: frames made by hand, lies included, sent on a device or written to a savefile.
 *
 *   bwframe send DEVICE [WORD…]    sends them as they are (a packet socket; root)
 *   bwframe save FILE [WORD…]      writes a savefile (pcap); its link type is Ethernet, or plain IP where no
 *                                  line has `eth`
 *
 * One line of standard input is one frame; or the WORDs are the one line. '#' begins a comment. Prints how
 * many frames and how many bytes (whole frames, as they are on the wire) it sent. A line is a list of:
 *
 *   eth FROM TO       MACs of source and target; left out: no link header (for a tun)
 *   vlan ID           an 802.1Q tag (8100); may be repeated, outermost first
 *   qinq ID           an 802.1ad tag (88a8)
 *   tag HEX ID        a tag with another protocol number
 *   type HEX          the EtherType, else as what follows wants it (no ip4 and no ip6: 88b5)
 *   ip4 FROM TO       an IPv4 header: no options, protocol 17, TTL 64, right lengths and checksum
 *   ip6 FROM TO       an IPv6 header: next header 17, hop limit 64, right length
 *   payload N         N bytes behind the header, 0 if left out; a UDP header where there is room
 *   port N            its target port, 9 if left out; its source port is 9
 *   hex DIGITS        these bytes behind all others
 *   count N           so many of this frame
 *   gap N             send: waits N microseconds after each frame
 *
 * and what is rare, or not true:
 *
 *   options N         N bytes of IPv4 options (NOPs; a multiple of 4, up to 40)
 *   protocol N        another protocol than 17
 *   fragment N        IPv4: this is the part at offset N (a multiple of 8), and more follow
 *   last N            IPv4: the same, and it is the last one
 *   length N          the length field says N (IPv4: total, IPv6: payload)
 *   version N         the version field says N
 *   ihl N             IPv4: the header length field says N words
 *   cut N             the frame ends after N bytes
 *   pad N             zeros are added up to N bytes
 *   captured N        save: the file has only the first N bytes of it
 *
 * Exits 1 and names line and word when something is wrong; what stands before that line was sent.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

#define MOST_BYTES 65600 /* of a frame */
#define MOST_TAGS 32
#define MOST_WORDS 256
#define UDP_HEADER 8
#define LINKTYPE_ETHERNET 1
#define LINKTYPE_RAW 101
#define UNTYPED 0x88b5 /* "local experimental" */

struct tag {
	unsigned protocol, id;
};

/* A number that may be left out. */
struct maybe {
	bool set;
	uint64_t value;
};

struct line {
	bool has_eth;
	uint8_t source_mac[6], target_mac[6];
	struct tag tags[MOST_TAGS];
	size_t tag_count;
	int family; /* AF_INET, AF_INET6, 0: neither */
	uint8_t source[16], target[16];
	uint8_t hex[MOST_BYTES];
	size_t hex_size;
	struct maybe type, payload, port, count, gap, options, protocol, fragment, last, length, version, ihl,
		cut, pad, captured;
};

struct frame {
	uint8_t bytes[2 * MOST_BYTES];
	size_t size, captured;
};

/* ---- a line ---- */

static const struct {
	const char *word;
	size_t at;
	uint64_t most;
} numbers[] = {
#define NUMBER(name, most)                               \
	{                                                \
#name, offsetof(struct line, name), most \
	}
	NUMBER(payload, 65535),    NUMBER(port, 65535),
	NUMBER(count, 1000000000), NUMBER(gap, 999999),
	NUMBER(options, 40),       NUMBER(protocol, 255),
	NUMBER(fragment, 65528),   NUMBER(last, 65528),
	NUMBER(length, 65535),     NUMBER(version, 15),
	NUMBER(ihl, 15),           NUMBER(cut, MOST_BYTES),
	NUMBER(pad, MOST_BYTES),   NUMBER(captured, MOST_BYTES),
#undef NUMBER
};

struct words {
	char *word[MOST_WORDS];
	size_t count, at;
};

static const char *next_word(struct words *w)
{
	return w->at < w->count ? w->word[w->at++] : "";
}

static int read_number(struct words *w, uint64_t most, uint64_t *out, char **err)
{
	const char *text = next_word(w);

	return text_u64(text, 0, most, out) ? 0
					    : err_set(err, "`%s` is no number up to %" PRIu64, text, most);
}

static int read_hex(struct words *w, unsigned *out, char **err)
{
	const char *text = next_word(w);
	char *end;
	unsigned long n = strtoul(text, &end, 16);

	if (!*text || *end || n > 0xffff)
		return err_set(err, "`%s` is no hexadecimal number up to ffff", text);
	*out = (unsigned)n;
	return 0;
}

static int read_mac(struct words *w, uint8_t mac[6], char **err)
{
	const char *text = next_word(w);
	struct ether_addr a;

	if (!ether_aton_r(text, &a))
		return err_set(err, "`%s` is no MAC", text);
	memcpy(mac, a.ether_addr_octet, 6);
	return 0;
}

static int read_address(struct words *w, int family, uint8_t *address, char **err)
{
	const char *text = next_word(w);

	if (inet_pton(family, text, address) != 1)
		return err_set(err, "`%s` is no IPv%c address", text, family == AF_INET ? '4' : '6');
	return 0;
}

static int read_tag(struct words *w, struct line *l, unsigned protocol, char **err)
{
	struct tag *t = &l->tags[l->tag_count];
	uint64_t id;

	if (l->tag_count == MOST_TAGS)
		return err_set(err, "more than %d tags", MOST_TAGS);
	t->protocol = protocol;
	if ((!protocol && read_hex(w, &t->protocol, err) < 0) || read_number(w, 65535, &id, err) < 0)
		return -1;
	t->id = (unsigned)id;
	l->tag_count++;
	return 0;
}

static int read_bytes(struct words *w, struct line *l, char **err)
{
	const char *text = next_word(w);
	size_t length = strlen(text);

	if (length % 2 || length == 0 || strspn(text, "0123456789abcdefABCDEF") != length)
		return err_set(err, "`%s` are no bytes in hexadecimal", text);
	for (size_t i = 0; i < length; i += 2) {
		char two[3] = {text[i], text[i + 1], 0};

		if (l->hex_size == MOST_BYTES)
			return err_set(err, "too many bytes");
		l->hex[l->hex_size++] = (uint8_t)strtoul(two, NULL, 16);
	}
	return 0;
}

static int read_plain_number(struct words *w, struct line *l, const char *word, char **err)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		struct maybe *m = (struct maybe *)((char *)l + numbers[i].at);

		if (strcmp(word, numbers[i].word) != 0)
			continue;
		m->set = true;
		return read_number(w, numbers[i].most, &m->value, err);
	}
	return err_set(err, "no such word");
}

static int read_word(struct words *w, struct line *l, const char *word, char **err)
{
	unsigned type;

	if (strcmp(word, "eth") == 0) {
		l->has_eth = true;
		return read_mac(w, l->source_mac, err) < 0 ? -1 : read_mac(w, l->target_mac, err);
	}
	if (strcmp(word, "vlan") == 0)
		return read_tag(w, l, 0x8100, err);
	if (strcmp(word, "qinq") == 0)
		return read_tag(w, l, 0x88a8, err);
	if (strcmp(word, "tag") == 0)
		return read_tag(w, l, 0, err);
	if (strcmp(word, "hex") == 0)
		return read_bytes(w, l, err);
	if (strcmp(word, "ip4") == 0 || strcmp(word, "ip6") == 0) {
		l->family = word[2] == '4' ? AF_INET : AF_INET6;
		return read_address(w, l->family, l->source, err) < 0
			       ? -1
			       : read_address(w, l->family, l->target, err);
	}
	if (strcmp(word, "type") != 0)
		return read_plain_number(w, l, word, err);
	if (read_hex(w, &type, err) < 0)
		return -1;
	l->type = (struct maybe){true, type};
	return 0;
}

static int read_line(struct words *w, struct line *l, char **err)
{
	*l = (struct line){0};
	while (w->at < w->count) {
		const char *word = next_word(w);

		if (read_word(w, l, word, err) < 0)
			return err_add(err, "`%s`", word);
	}
	if (l->options.value % 4 || l->fragment.value % 8 || l->last.value % 8)
		return err_set(err, "options come in 4 bytes, fragments in 8");
	return 0;
}

/* ---- a frame ---- */

static uint64_t or_else(struct maybe m, uint64_t otherwise)
{
	return m.set ? m.value : otherwise;
}

static void put(struct frame *f, const void *bytes, size_t size)
{
	memcpy(f->bytes + f->size, bytes, size);
	f->size += size;
}

static void put8(struct frame *f, uint64_t n)
{
	f->bytes[f->size++] = (uint8_t)n;
}

static void put16(struct frame *f, uint64_t n)
{
	put8(f, n >> 8);
	put8(f, n);
}

static void put_link(struct frame *f, const struct line *l)
{
	if (!l->has_eth)
		return;
	put(f, l->target_mac, 6);
	put(f, l->source_mac, 6);
	for (size_t i = 0; i < l->tag_count; i++) {
		put16(f, l->tags[i].protocol);
		put16(f, l->tags[i].id);
	}
	put16(f, or_else(l->type, l->family == AF_INET    ? ETHERTYPE_IP
				  : l->family == AF_INET6 ? ETHERTYPE_IPV6
							  : UNTYPED));
}

static void set_checksum(uint8_t *header, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i += 2)
		sum += (uint32_t)header[i] << 8 | header[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16));
	header[10] = (uint8_t)(sum >> 8);
	header[11] = (uint8_t)sum;
}

static void put_ip4(struct frame *f, const struct line *l)
{
	size_t size = 20 + l->options.value, at = f->size;
	uint64_t offset = l->last.set ? l->last.value : l->fragment.value;

	put8(f, or_else(l->version, 4) << 4 | or_else(l->ihl, size / 4));
	put8(f, 0);
	put16(f, or_else(l->length, size + l->payload.value));
	put16(f, l->fragment.set || l->last.set ? 0x1234 : 0);
	put16(f, offset / 8 | (l->fragment.set ? 0x2000 : 0));
	put8(f, 64);
	put8(f, or_else(l->protocol, 17));
	put16(f, 0);
	put(f, l->source, 4);
	put(f, l->target, 4);
	for (uint64_t i = 0; i < l->options.value; i++)
		put8(f, 1);
	set_checksum(f->bytes + at, size);
}

static void put_ip6(struct frame *f, const struct line *l)
{
	put8(f, or_else(l->version, 6) << 4);
	put8(f, 0);
	put16(f, 0);
	put16(f, or_else(l->length, l->payload.value));
	put8(f, or_else(l->protocol, 17));
	put8(f, 64);
	put(f, l->source, 16);
	put(f, l->target, 16);
}

static void put_payload(struct frame *f, const struct line *l)
{
	uint64_t size = l->payload.value;

	if (size >= UDP_HEADER) {
		put16(f, 9);
		put16(f, or_else(l->port, 9));
		put16(f, size);
		put16(f, 0);
		size -= UDP_HEADER;
	}
	while (size--)
		put8(f, 'x');
}

static int make_frame(struct frame *f, const struct line *l, char **err)
{
	f->size = 0;
	put_link(f, l);
	if (l->family == AF_INET)
		put_ip4(f, l);
	if (l->family == AF_INET6)
		put_ip6(f, l);
	put_payload(f, l);
	put(f, l->hex, l->hex_size);
	if (l->cut.set && l->cut.value < f->size)
		f->size = l->cut.value;
	while (l->pad.set && f->size < l->pad.value)
		put8(f, 0);
	if (f->size > MOST_BYTES || f->size == 0)
		return err_set(err, "a frame has 1 to %d bytes, not %zu", MOST_BYTES, f->size);
	f->captured = l->captured.set && l->captured.value < f->size ? l->captured.value : f->size;
	return 0;
}

/* ---- where they go ---- */

struct target {
	int fd; /* send: the packet socket */
	struct sockaddr_ll to;
	FILE *file; /* save */
	const char *name;
	bool begun, raw; /* of the file */
	uint64_t frames, bytes;
};

static int send_frame(struct target *t, const struct line *l, const struct frame *f, char **err)
{
	t->to.sll_protocol = htons((uint16_t)(l->family == AF_INET6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP));
	while (sendto(t->fd, f->bytes, f->size, 0, (struct sockaddr *)&t->to, sizeof(t->to)) < 0) {
		if (errno != ENOBUFS && errno != EAGAIN)
			return err_sys(err, "cannot send on %s", t->name);
		nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
	}
	return 0;
}

static void write32(FILE *out, uint64_t n)
{
	uint32_t word = (uint32_t)n;

	fwrite(&word, sizeof(word), 1, out);
}

/* Errors of the file show when it is closed. */
static int save_frame(struct target *t, const struct line *l, const struct frame *f, char **err)
{
	if (!t->begun) {
		t->raw = !l->has_eth;
		write32(t->file, 0xa1b2c3d4);
		write32(t->file, 2 | 4 << 16);
		write32(t->file, 0);
		write32(t->file, 0);
		write32(t->file, MOST_BYTES);
		write32(t->file, t->raw ? LINKTYPE_RAW : LINKTYPE_ETHERNET);
		t->begun = true;
	}
	if (t->raw != !l->has_eth)
		return err_set(err, "frames with and without `eth` do not go into one file");
	write32(t->file, 1700000000 + t->frames / 1000000);
	write32(t->file, t->frames % 1000000);
	write32(t->file, f->captured);
	write32(t->file, f->size);
	fwrite(f->bytes, 1, f->captured, t->file);
	return 0;
}

static int put_line(struct target *t, struct words *w, struct line *l, struct frame *f, char **err)
{
	if (w->count == 0)
		return 0;
	if (read_line(w, l, err) < 0 || make_frame(f, l, err) < 0)
		return -1;
	for (uint64_t n = or_else(l->count, 1); n; n--) {
		if ((t->file ? save_frame : send_frame)(t, l, f, err) < 0)
			return -1;
		if (!t->file && l->gap.set)
			nanosleep(&(struct timespec){.tv_nsec = (long)l->gap.value * 1000}, NULL);
		t->frames++;
		t->bytes += f->size;
	}
	return 0;
}

static void split_line(char *line, struct words *w)
{
	char *rest = NULL;

	*w = (struct words){0};
	line[strcspn(line, "#\n")] = '\0';
	for (char *word = strtok_r(line, " \t", &rest); word && w->count < MOST_WORDS;
	     word = strtok_r(NULL, " \t", &rest))
		w->word[w->count++] = word;
}

static int put_lines(struct target *t, struct line *l, struct frame *f, char **err)
{
	char *text = NULL;
	size_t room = 0;
	int rc = 0;

	for (size_t number = 1; rc == 0 && getline(&text, &room, stdin) >= 0; number++) {
		struct words w;

		split_line(text, &w);
		rc = put_line(t, &w, l, f, err);
		if (rc < 0)
			err_add(err, "line %zu", number);
	}
	free(text);
	return rc;
}

static int target_open(struct target *t, const char *how, const char *name, char **err)
{
	t->name = name;
	if (strcmp(how, "save") == 0) {
		t->file = fopen(name, "we");
		return t->file ? 0 : err_sys(err, "cannot write %s", name);
	}
	t->to = (struct sockaddr_ll){.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(name)};
	t->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	return t->to.sll_ifindex && t->fd >= 0 ? 0 : err_sys(err, "cannot send on %s", name);
}

static int run(int argc, char **argv, struct target *t, char **err)
{
	struct line *l = mem_alloc(sizeof(*l));
	struct frame *f = mem_alloc(sizeof(*f));
	struct words w = {0};
	int rc = target_open(t, argv[1], argv[2], err);

	for (int i = 3; i < argc && w.count < MOST_WORDS; i++)
		w.word[w.count++] = argv[i];
	if (rc == 0)
		rc = w.count ? put_line(t, &w, l, f, err) : put_lines(t, l, f, err);
	if (t->file && fclose(t->file) != 0 && rc == 0)
		rc = err_sys(err, "cannot write %s", t->name);
	free(l);
	free(f);
	return rc;
}

int main(int argc, char **argv)
{
	struct target t = {.fd = -1};
	char *err = NULL;

	if (argc < 3 || (strcmp(argv[1], "send") != 0 && strcmp(argv[1], "save") != 0)) {
		fputs("usage: bwframe send DEVICE [WORD...] | bwframe save FILE [WORD...]\n", stderr);
		return 2;
	}
	if (run(argc, argv, &t, &err) < 0) {
		fprintf(stderr, "bwframe: %s\n", err);
		free(err);
		return 1;
	}
	printf("%" PRIu64 " %" PRIu64 "\n", t.frames, t.bytes);
	return 0;
}
