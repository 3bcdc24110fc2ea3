/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fuzz_capture_ipc: any bytes as messages between xenbwd and xenbw-capture, with tables beside them
 * (libFuzzer).
 *
 * A message is a byte that says what it is, two lengths, and that much of the message and of its table. It
 * goes over a socket; what arrives is taken in as xenbwd takes answers and as the worker takes orders.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "capture/table.h"
#include "config/conf.h"
#include "daemon/heard.h"
#include "ipc/packet.h"

#define IS_ORDER 1
#define NO_MAGIC 2
#define OWN_COUNT 4 /* what the message says; else what the table has */
#define OTHER_SIZE 8
#define DESCRIPTOR 0x30 /* a table; or none, a device, a pipe */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct message {
	uint8_t what;
	uint8_t bytes[sizeof(struct capture_answer) + 1];
	size_t size;
	const uint8_t *table;
	size_t table_size;
};

struct bed {
	int ours, theirs;
	const struct rules *rules;
	struct heard heard;
	struct table *table;
};

static void expect(bool ok)
{
	if (!ok)
		abort();
}

/* ---- messages ---- */

static size_t cut_message(const uint8_t *data, size_t size, struct message *m)
{
	size_t length, record, whole;
	uint32_t count;

	*m = (struct message){.what = data[0]};
	whole = m->what & IS_ORDER ? sizeof(struct capture_order) : sizeof(struct capture_answer);
	record = m->what & IS_ORDER ? sizeof(struct capture_vif) : sizeof(struct capture_seen);
	length = data[1] < whole ? data[1] : whole;
	length = length < size - 4 ? length : size - 4;
	memcpy(m->bytes, data + 4, length);
	m->table = data + 4 + length;
	m->table_size = (size_t)(data[2] << 8 | data[3]);
	if (m->table_size > size - 4 - length)
		m->table_size = size - 4 - length;
	m->size = m->what & OTHER_SIZE ? length : whole;
	count = (uint32_t)(m->table_size / record);
	if (!(m->what & NO_MAGIC))
		memcpy(m->bytes, &(uint32_t){CAPTURE_MAGIC}, sizeof(uint32_t));
	if (!(m->what & OWN_COUNT))
		memcpy(m->bytes + offsetof(struct capture_answer, count), &count, sizeof(count));
	if (!(m->what & OWN_COUNT))
		m->table_size = count * record;
	return 4 + length + m->table_size;
}

static int descriptor(const struct message *m)
{
	int pair[2], fd;

	switch (m->what & DESCRIPTOR) {
	case 0x00:
		return capture_table_pack(m->table, m->table_size, 1, NULL);
	case 0x10:
		return open("/dev/zero", O_RDONLY | O_CLOEXEC);
	case 0x20:
		expect(pipe2(pair, O_CLOEXEC) == 0);
		close(pair[1]);
		return pair[0];
	default:
		fd = -1;
	}
	return fd;
}

/* ---- xenbwd ---- */

static void check_heard(const struct heard *h)
{
	unsigned __int128 sum = 0;

	for (size_t i = 0; i < h->count; i++) {
		const struct capture_seen *s = &h->list[i];

		for (int d = 0; d < DIR_COUNT; d++) {
			for (int c = 0; c < CLASS_COUNT; c++)
				sum += s->bytes.bytes[d][c];
			sum += s->late[d];
			expect(s->bytes.bytes[d][CLASS_UNATTRIBUTED] == 0);
		}
		sum += s->spoofed_bytes;
	}
	expect(h->bytes == sum && sum < HEARD_BYTES && h->count <= HEARD_RECORDS);
}

static void hear(struct heard *h, const struct capture_answer *a, int table)
{
	struct heard before = *h;
	uint64_t missed[DIR_COUNT], next[DIR_COUNT];

	if (!heard_add(h, a, table)) {
		expect(memcmp(&before, h, sizeof(before)) == 0);
		return;
	}
	expect(h->count == before.count + a->count);
	check_heard(h);
	heard_missed(h, missed, next);
	for (int d = 0; d < DIR_COUNT; d++)
		expect(missed[d] >= h->stray_bytes[d] && missed[d] < UINT64_MAX / 2 &&
		       next[d] < UINT64_MAX / 2);
}

static void check_sorted(struct heard *h)
{
	heard_sort(h);
	for (size_t i = 0; i < h->count; i++) {
		size_t first = heard_first(h, h->list[i].vif);

		expect(first <= i && h->list[first].vif == h->list[i].vif);
		expect(first == 0 || h->list[first - 1].vif < h->list[i].vif);
	}
	check_heard(h);
}

/* ---- the worker ---- */

/* Frames of those who were told, and of others; the answer has no byte that was in none of them. */
static void count_frames(struct bed *b, const struct capture_vif *vifs, size_t count)
{
	struct capture_answer a = {0};
	struct capture_seen *seen;
	uint64_t sent = 0, got = 0;

	for (size_t i = 0; i < count && i < 8; i++)
		for (int d = 0; d < DIR_COUNT; d++) {
			struct frame f = {.is_ip = true, .has_mac = true, .ip_bytes = 100 + (uint32_t)i};

			memcpy(f.source_mac, vifs[i].mac, 6);
			memcpy(f.target_mac, vifs[i].mac, 6);
			memcpy(f.source, vifs[i].address, 16);
			memcpy(f.target, vifs[count - 1 - i].address, 16);
			f.tagged = i % 2;
			table_frame(b->table, d, &f, (int64_t)i);
			sent += f.ip_bytes;
		}
	seen = table_answer(b->table, &a);
	for (size_t i = 0; i < a.count; i++)
		for (int d = 0; d < DIR_COUNT; d++)
			got += class_bytes_total(&seen[i].bytes, d);
	expect(got + a.stray_bytes[DIR_INPUT] + a.stray_bytes[DIR_OUTPUT] <= sent);
	free(seen);
}

static void obey(struct bed *b, const struct capture_order *o, int table)
{
	struct capture_vif *vifs;
	char *err = NULL;

	if (o->magic != CAPTURE_MAGIC)
		return;
	vifs = capture_table_unpack(table, o->count, sizeof(*vifs), &err);
	expect(!vifs == !!err);
	if (vifs) {
		table_vifs(b->table, vifs, o->count);
		count_frames(b, vifs, o->count);
	}
	free(vifs);
	free(err);
}

/* ---- both ---- */

static void carry(struct bed *b, const struct message *m)
{
	size_t whole = m->what & IS_ORDER ? sizeof(struct capture_order) : sizeof(struct capture_answer);
	int fd = descriptor(m), fds[PACKET_FDS], rc;
	char *err = NULL;
	union {
		struct capture_order order;
		struct capture_answer answer;
	} got;

	expect(packet_send(b->ours, m->bytes, m->size, &fd, fd >= 0, &err) == 0);
	if (fd >= 0)
		close(fd);
	rc = packet_receive(b->theirs, &got, whole, fds, &err);
	expect((rc == 1) == (m->size == whole) && rc != 0);
	expect(rc == 1 || (fds[0] == -1 && !err == !m->size));
	if (rc == 1 && m->what & IS_ORDER)
		obey(b, &got.order, fds[0]);
	else if (rc == 1 && got.answer.magic == CAPTURE_MAGIC)
		hear(&b->heard, &got.answer, fds[0]);
	packet_close(fds);
	free(err);
}

static const struct rules *the_rules(void)
{
	static struct rules *rules;
	struct conf conf;

	if (!rules) {
		conf_init(&conf);
		rules = rules_new(&conf);
		conf_free(&conf);
	}
	return rules;
}

static int free_descriptor(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	close(fd);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int pair[2] = {-1, -1};
	struct bed b = {.rules = the_rules()};
	int unused;

	if (pair[0] < 0)
		expect(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	b.ours = pair[0];
	b.theirs = pair[1];
	b.table = table_new(b.rules);
	unused = free_descriptor();
	while (size > 4) {
		struct message m;
		size_t used = cut_message(data, size, &m);

		carry(&b, &m);
		data += used;
		size -= used;
	}
	check_sorted(&b.heard);
	expect(free_descriptor() == unused);
	heard_clear(&b.heard);
	table_free(b.table);
	return 0;
}
