/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xenstore_tool: does to xenstore what a toolstack does and the packaged tools cannot.
 *
 * Reads operations from standard input, one a line, and does those that stand between two `commit` lines (or
 * before the end) in one transaction, again from its start when the daemon answers EAGAIN:
 *
 *   write PATH VALUE      VALUE is the rest of the line; \xNN stands for any byte, NUL too
 *   mkdir PATH
 *   perm PATH n0 r5 …     the first names the owner and the right of everybody else (n, r, w, b)
 *   rm PATH               with all below; no error where there is nothing
 *   prune PATH            removes the node while it has no children, then its parent likewise, and so on
 *   commit
 *
 * and, outside of any transaction, after a commit of what stands before:
 *
 *   introduce DOMID       tells the daemon that the domain is there; @introduceDomain fires
 *   release DOMID         tells it that the domain is gone; @releaseDomain fires
 *   sync                  one round trip: what the daemon had to do before is done
 *
 * Stops at the first failure with one line and exit status 1; the open transaction is dropped.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#include "base/mem.h"
#include "base/text.h"

enum { PERMS_MAX = 8 };

struct batch {
	char **lines;
	size_t count;
};

/* Turns \xNN into bytes, in place; returns the length. */
static size_t unescape(char *s)
{
	char *out = s, *start = s;

	while (*s) {
		if (s[0] == '\\' && s[1] == 'x' && isxdigit((unsigned char)s[2]) &&
		    isxdigit((unsigned char)s[3])) {
			char hex[3] = {s[2], s[3], '\0'};

			*out++ = (char)strtoul(hex, NULL, 16);
			s += 4;
		} else {
			*out++ = *s++;
		}
	}
	return (size_t)(out - start);
}

static bool do_write(struct xs_handle *xs, xs_transaction_t t, const char *path, const char *text)
{
	char *value = mem_strdup(text ? text : "");
	size_t len = unescape(value);
	bool ok = xs_write(xs, t, path, value, (unsigned)len);
	int saved = errno;

	free(value);
	errno = saved;
	return ok;
}

static bool do_perm(struct xs_handle *xs, xs_transaction_t t, const char *path, char *rest)
{
	struct xs_permissions perms[PERMS_MAX];
	unsigned n = 0;

	for (char *save = NULL, *w = strtok_r(rest, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		uint64_t id;

		if (n == PERMS_MAX || !strchr("nrwb", *w) || !text_u64(w + 1, 0, 0xffff, &id)) {
			errno = EINVAL;
			return false;
		}
		perms[n].id = (unsigned)id;
		perms[n].perms = *w == 'r'   ? XS_PERM_READ
				 : *w == 'w' ? XS_PERM_WRITE
				 : *w == 'b' ? XS_PERM_READ | XS_PERM_WRITE
					     : XS_PERM_NONE;
		n++;
	}
	return xs_set_permissions(xs, t, path, perms, n);
}

static bool do_rm(struct xs_handle *xs, xs_transaction_t t, const char *path)
{
	return xs_rm(xs, t, path) || errno == ENOENT;
}

static bool do_prune(struct xs_handle *xs, xs_transaction_t t, char *path)
{
	while (*path) {
		unsigned n = 0;
		char **children = xs_directory(xs, t, path, &n);

		if (!children && errno != ENOENT)
			return false;
		free(children);
		if (n)
			return true;
		if (!do_rm(xs, t, path))
			return false;
		*strrchr(path, '/') = '\0';
	}
	return true;
}

/* One operation inside the transaction. `line` is consumed. */
static bool operate(struct xs_handle *xs, xs_transaction_t t, char *line)
{
	char *rest = line, *verb = strsep(&rest, " "), *path = rest ? strsep(&rest, " ") : NULL;

	if (!path || *path != '/') {
		errno = EINVAL;
		return false;
	}
	if (strcmp(verb, "write") == 0)
		return do_write(xs, t, path, rest);
	if (strcmp(verb, "mkdir") == 0)
		return xs_mkdir(xs, t, path);
	if (strcmp(verb, "perm") == 0 && rest)
		return do_perm(xs, t, path, rest);
	if (strcmp(verb, "rm") == 0)
		return do_rm(xs, t, path);
	if (strcmp(verb, "prune") == 0)
		return do_prune(xs, t, path);
	errno = EINVAL;
	return false;
}

static void batch_clear(struct batch *b)
{
	for (size_t i = 0; i < b->count; i++)
		free(b->lines[i]);
	b->count = 0;
}

static bool commit(struct xs_handle *xs, struct batch *b)
{
	bool ok = true, done = b->count == 0;

	while (ok && !done) {
		xs_transaction_t t = xs_transaction_start(xs);

		if (t == XBT_NULL) {
			perror("xenstore_tool: transaction");
			return false;
		}
		for (size_t i = 0; ok && i < b->count; i++) {
			char *line = mem_strdup(b->lines[i]);

			ok = operate(xs, t, line);
			if (!ok)
				fprintf(stderr, "xenstore_tool: %.200s: %s\n", b->lines[i], strerror(errno));
			free(line);
		}
		done = xs_transaction_end(xs, t, !ok);
		if (ok && !done && errno != EAGAIN) {
			perror("xenstore_tool: commit");
			ok = false;
		}
	}
	batch_clear(b);
	return ok;
}

/* Operations that know no transaction. */
static bool is_outside(const char *line)
{
	return strncmp(line, "introduce ", 10) == 0 || strncmp(line, "release ", 8) == 0 ||
	       strcmp(line, "sync") == 0;
}

static bool operate_outside(struct xs_handle *xs, const char *line)
{
	const char *number = strchr(line, ' ');
	uint64_t domid;
	bool ok;

	if (!number) {
		char *path = xs_get_domain_path(xs, 0);

		ok = path != NULL;
		free(path);
	} else if (!text_u64(number + 1, 1, 0x7fef, &domid)) {
		errno = EINVAL;
		ok = false;
	} else {
		ok = *line == 'i' ? xs_introduce_domain(xs, (unsigned)domid, 1, 1)
				  : xs_release_domain(xs, (unsigned)domid);
	}
	if (!ok)
		fprintf(stderr, "xenstore_tool: %s: %s\n", line, strerror(errno));
	return ok;
}

static bool run(struct xs_handle *xs, FILE *in)
{
	struct batch b = {0};
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	bool ok = true;

	while (ok && (len = getline(&line, &room, in)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (strcmp(line, "commit") == 0) {
			ok = commit(xs, &b);
		} else if (is_outside(line)) {
			ok = commit(xs, &b) && operate_outside(xs, line);
		} else {
			b.lines = mem_resize(b.lines, b.count + 1, sizeof(*b.lines));
			b.lines[b.count++] = mem_strdup(line);
		}
	}
	ok = ok && !ferror(in) && commit(xs, &b);
	free(line);
	batch_clear(&b);
	free(b.lines);
	return ok;
}

int main(void)
{
	struct xs_handle *xs = xs_open(0);
	bool ok;

	if (!xs) {
		perror("xenstore_tool: xenstored");
		return 1;
	}
	ok = run(xs, stdin);
	xs_close(xs);
	return ok ? 0 : 1;
}
