/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xen/complaints.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/mem.h"
#include "base/text.h"

enum { SHOWN_CHARACTERS = 64 };

struct bad_value {
	char *path;
	void *bytes;
	size_t len;
	UT_hash_handle hh;
};

/* The value as text that is fit for one line, cut where it is long. */
static char *shown(const void *bytes, size_t len)
{
	char *text = text_printable(bytes, len), *p = text;

	for (size_t n = 0; *p; n++) {
		if (n == SHOWN_CHARACTERS) {
			char *cut = mem_printf("%.*s…", (int)(p - text), text);

			free(text);
			return cut;
		}
		do
			p++;
		while (((unsigned char)*p & 0xc0) == 0x80);
	}
	return text;
}

/* backend/vif/DOMID/… of whatever backend, or /local/domain/DOMID/… */
static char *guest_of(const char *path)
{
	static const char *const before[] = {"/backend/vif/", "/local/domain/"};
	const char *at = NULL;

	for (size_t i = 0; !at && i < sizeof(before) / sizeof(*before); i++)
		if ((at = strstr(path, before[i])))
			at += strlen(before[i]);
	return at ? mem_strndup(at, strspn(at, "0123456789")) : mem_strdup("");
}

static void enqueue(struct complaints *c, const char *path, char *line)
{
	if (c->count == COMPLAINTS_QUEUED_MAX) {
		c->dropped++;
		free(line);
		return;
	}
	c->queue[(c->first + c->count++) % COMPLAINTS_QUEUED_MAX] = (struct complaint){line, guest_of(path)};
}

void complaints_bad(struct complaints *c, const char *path, const void *bytes, size_t len, const char *why)
{
	struct bad_value *v;
	char *value;

	HASH_FIND_STR(c->known, path, v);
	if (v && v->len == len && memcmp(v->bytes, bytes, len) == 0)
		return;
	complaints_good(c, path);
	v = mem_alloc(sizeof(*v));
	v->path = mem_strdup(path);
	v->bytes = mem_alloc(len + 1);
	memcpy(v->bytes, bytes, len);
	v->len = len;
	HASH_ADD_KEYPTR(hh, c->known, v->path, strlen(v->path), v);
	value = shown(bytes, len);
	enqueue(c, path, mem_printf("xenstore %s: left out: \"%s\": %s", path, value, why));
	free(value);
}

void complaints_good(struct complaints *c, const char *path)
{
	struct bad_value *v;

	HASH_FIND_STR(c->known, path, v);
	if (!v)
		return;
	HASH_DEL(c->known, v);
	free(v->path);
	free(v->bytes);
	free(v);
}

bool complaints_next(struct complaints *c, struct complaint *next)
{
	if (c->count == 0 && c->dropped) {
		next->line = mem_printf(
			"xenstore: %zu more values were left out that had no place in this list", c->dropped);
		next->guest = mem_strdup("");
		c->dropped = 0;
		return true;
	}
	if (c->count == 0)
		return false;
	*next = c->queue[c->first];
	c->first = (c->first + 1) % COMPLAINTS_QUEUED_MAX;
	c->count--;
	return true;
}

void complaints_free(struct complaints *c)
{
	struct bad_value *v, *next;

	HASH_ITER (hh, c->known, v, next)
		complaints_good(c, v->path);
	c->dropped = 0;
	for (struct complaint left; complaints_next(c, &left);) {
		free(left.line);
		free(left.guest);
	}
}
