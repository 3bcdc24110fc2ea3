/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/sessions.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/passwords.h"

static int random_bytes(unsigned char *bytes, char **err)
{
	return getrandom(bytes, SESSIONS_TOKEN, 0) == SESSIONS_TOKEN
		       ? 0
		       : err_sys(err, "the kernel gives no random bytes");
}

static void write_hex(char *out, const unsigned char *bytes)
{
	for (size_t i = 0; i < SESSIONS_TOKEN; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static int digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : c - 'a' + 10;
}

static bool read_hex(const char *text, unsigned char *bytes)
{
	if (strspn(text, "0123456789abcdef") != (size_t)2 * SESSIONS_TOKEN ||
	    strlen(text) != (size_t)2 * SESSIONS_TOKEN)
		return false;
	for (size_t i = 0; i < SESSIONS_TOKEN; i++)
		bytes[i] = (unsigned char)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
	return true;
}

char *sessions_random(char **err)
{
	unsigned char bytes[SESSIONS_TOKEN];
	char *text;

	if (random_bytes(bytes, err) < 0)
		return NULL;
	text = mem_alloc(2 * SESSIONS_TOKEN + 1);
	write_hex(text, bytes);
	return text;
}

static bool is_over(const struct session *session, int64_t now)
{
	return now - session->used >= SESSIONS_IDLE || now - session->began >= SESSIONS_LONGEST;
}

void sessions_end(struct session *session)
{
	free(session->user);
	free(session->hash);
	explicit_bzero(session, sizeof(*session));
}

/* A free place, or that of the one which was used least lately. */
static struct session *place(struct sessions *s, int64_t now)
{
	struct session *oldest = &s->list[0];

	for (size_t i = 0; i < SESSIONS_MOST; i++) {
		struct session *one = &s->list[i];

		if (one->user && is_over(one, now))
			sessions_end(one);
		if (!one->user)
			return one;
		if (one->used < oldest->used)
			oldest = one;
	}
	sessions_end(oldest);
	return oldest;
}

char *sessions_begin(struct sessions *s, const char *user, const char *hash, int64_t now, char **err)
{
	struct session fresh = {.began = now, .used = now}, *session;
	unsigned char token[SESSIONS_TOKEN];
	char *cookie;

	if (random_bytes(fresh.id, err) < 0 || random_bytes(token, err) < 0)
		return NULL;
	write_hex(fresh.token, token);
	session = place(s, now);
	*session = fresh;
	session->user = mem_strdup(user);
	session->hash = mem_strdup(hash);
	cookie = mem_alloc(2 * SESSIONS_TOKEN + 1);
	write_hex(cookie, session->id);
	return cookie;
}

struct session *sessions_find(struct sessions *s, const char *cookie, int64_t now)
{
	unsigned char id[SESSIONS_TOKEN];
	struct session *found = NULL;

	if (!cookie || !read_hex(cookie, id))
		return NULL;
	for (size_t i = 0; i < SESSIONS_MOST; i++) /* all of them: where it was found does not tell */
		if (s->list[i].user && passwords_same(s->list[i].id, id, sizeof(id)))
			found = &s->list[i];
	if (found && is_over(found, now)) {
		sessions_end(found);
		return NULL;
	}
	if (found)
		found->used = now;
	return found;
}

void sessions_free(struct sessions *s)
{
	for (size_t i = 0; i < SESSIONS_MOST; i++)
		if (s->list[i].user)
			sessions_end(&s->list[i]);
}
