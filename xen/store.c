/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xen/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore_lib.h>

#include "base/err.h"
#include "base/mem.h"

#define TOKEN "xenbw"

int store_open(struct store *s, char **err)
{
	/* libxenstore tries /dev/xen/xenbus where nobody answers on the socket, but not when a path was
	 * given. */
	if (setenv("XENSTORED_PATH", xs_daemon_socket(), 0) < 0)
		return err_sys(err, "cannot set XENSTORED_PATH");
	s->xs = xs_open(0);
	s->broken = false;
	if (!s->xs)
		return err_sys(err, "cannot connect to xenstored at %s", xs_daemon_socket());
	return 0;
}

void store_close(struct store *s)
{
	xs_close(s->xs);
	s->xs = NULL;
}

/* Answers with which the daemon says no; everything else may mean that it said nothing. */
static bool is_answer(int error)
{
	return error == ENOENT || error == EACCES || error == EEXIST;
}

bool store_alive(struct store *s)
{
	char *value;

	if (!s->xs || s->broken)
		return false;
	s->requests++;
	value = xs_read(s->xs, XBT_NULL, "/local/domain/0", NULL);
	s->broken = !value && !is_answer(errno);
	free(value);
	return !s->broken;
}

/* A request failed. A node that the daemon cannot give counts as missing, for as long as it gives others. */
static void failed(struct store *s, int error)
{
	if (!is_answer(error))
		store_alive(s);
}

char *store_read(struct store *s, const char *path, size_t *len)
{
	unsigned n = 0;
	char *value;

	if (!s->xs || s->broken)
		return NULL;
	s->requests++;
	value = xs_read(s->xs, XBT_NULL, path, &n);
	if (!value)
		failed(s, errno);
	*len = n;
	return value;
}

char **store_list(struct store *s, const char *path, unsigned *count)
{
	char **names;

	*count = 0;
	if (!s->xs || s->broken)
		return NULL;
	s->requests++;
	names = xs_directory(s->xs, XBT_NULL, path, count);
	if (!names) {
		*count = 0;
		failed(s, errno);
	}
	return names;
}

void store_watch(struct store *s, const char *path)
{
	if (!s->xs || s->broken)
		return;
	s->requests++;
	if (!xs_watch(s->xs, path, TOKEN) && errno != EEXIST)
		s->broken = true;
}

void store_unwatch(struct store *s, const char *path)
{
	if (!s->xs || s->broken)
		return;
	s->requests++;
	if (!xs_unwatch(s->xs, path, TOKEN))
		failed(s, errno);
}

char *store_event(struct store *s)
{
	char **event, *path;

	if (!s->xs)
		return NULL;
	event = xs_check_watch(s->xs);
	if (!event)
		return NULL;
	path = mem_strdup(event[XS_WATCH_PATH]);
	free(event);
	return path;
}
