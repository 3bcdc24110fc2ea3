/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fuzz_live: any bytes as what the command line tool hears (libFuzzer): `s`, then what xenbw-xl prints; else
 * the messages of xenbwd's answer on the control socket.
 *
 * Such a message is a byte that says what is wrong with it (1: its size, from the next two bytes; 2: it has
 * no magic), and the fixed part; its records are numbered. What is taken must be whole, and in order.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/live.h"
#include "ipc/control.h"

#define FIXED offsetof(struct control_reply, vifs)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool ok)
{
	if (!ok)
		abort();
}

static void states(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size);

	for (unsigned domid = 0; domid < 12; domid++) {
		char *state = live_state_of(text, domid);

		expect(!state || (!strpbrk(state, "\t\n") && strstr(text, state)));
		free(state);
	}
	free(text);
}

static size_t cut_message(const uint8_t *data, size_t size, struct control_reply *r, int64_t first,
			  size_t *length)
{
	uint8_t flags = data[0];
	size_t used = 1, n;

	*length = sizeof(*r);
	if (flags & 1 && size >= 3) {
		*length = (size_t)(data[1] << 8 | data[2]) % (sizeof(*r) + 1);
		used = 3;
	}
	n = size - used < FIXED ? size - used : FIXED;
	memcpy(r, data + used, n);
	if (!(flags & 2)) {
		r->magic = CONTROL_MAGIC;
		r->kind = CONTROL_STATUS;
	}
	for (unsigned i = 0; i < CONTROL_VIFS; i++)
		r->vifs[i].vif = first + i;
	return used + n;
}

static void check(const struct control_status *s)
{
	for (size_t i = 0; i < s->count; i++)
		expect(s->vifs[i].vif == (int64_t)i);
	expect(memchr(s->uplinks, '\0', sizeof(s->uplinks)) != NULL);
	for (const char *c = s->uplinks; *c; c++)
		expect(*c >= ' ' && *c <= '~');
	expect(s->split <= CONTROL_SPLIT_FAILING);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct control_status status = {0};
	int rc = 1;

	if (size && data[0] == 's') {
		states(data + 1, size - 1);
		return 0;
	}
	while (size && rc == 1) {
		struct control_reply *r = mem_alloc(sizeof(*r));
		size_t length, used = cut_message(data, size, r, (int64_t)status.count, &length);
		char *err = NULL;

		rc = control_take(&status, r, length, &err);
		expect((rc < 0) == (err != NULL));
		check(&status);
		free(err);
		free(r);
		data += used;
		size -= used;
	}
	free(status.vifs);
	return 0;
}
