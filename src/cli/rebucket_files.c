/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/rebucket_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/period.h"
#include "cli/rebucket_map.h"
#include "config/lines.h"
#include "config/network.h"
#include "db/rrd.h"

/* ---- reading ---- */

static int read_line(struct rebucket_files *f, size_t number, char *text, char **err)
{
	char *label = lines_cut_word(text);
	struct rebucket_file *l;

	if ((f->count & (f->count - 1)) == 0)
		f->list = mem_resize(f->list, f->count ? f->count * 2 : 1, sizeof(*f->list));
	l = &f->list[f->count++];
	*l = (struct rebucket_file){.number = number};
	if (rebucket_read_address(text, &l->address, err) < 0 ||
	    rebucket_read_label(label, &l->label, err) < 0)
		return -1;
	return 0;
}

static int by_address(const void *a, const void *b)
{
	const struct rebucket_file *const *x = a, *const *y = b;

	return strcmp((*x)->address, (*y)->address);
}

static int by_label(const void *a, const void *b)
{
	const struct rebucket_file *const *x = a, *const *y = b;

	return strcmp((*x)->label, (*y)->label);
}

static int find_address(const void *key, const void *element)
{
	const struct rebucket_file *const *f = element;

	return strcmp(key, (*f)->address);
}

static int check_all(const struct rebucket_files *f, const char *path, char **err)
{
	const struct rebucket_file **sorted = mem_array(f->count, sizeof(*sorted)), *a, *b;
	int rc = f->count ? 0 : err_set(err, "%s has no line but comments: nothing would be renamed", path);

	for (size_t i = 0; i < f->count; i++)
		sorted[i] = &f->list[i];
	if (f->count)
		qsort(sorted, f->count, sizeof(*sorted), by_label);
	for (size_t i = 1; rc == 0 && i < f->count; i++) {
		a = sorted[i - 1], b = sorted[i];
		if (strcmp(a->label, b->label) == 0)
			rc = err_set(err,
				     "%s: lines %zu and %zu give two files to %s; their sum is no rename: "
				     "choose one, the "
				     "other one stays under its address (rrdtool can draw both, or add them, "
				     "in one graph)",
				     path, a->number, b->number, a->label);
	}
	if (f->count)
		qsort(sorted, f->count, sizeof(*sorted), by_address);
	for (size_t i = 1; rc == 0 && i < f->count; i++) {
		a = sorted[i - 1], b = sorted[i];
		if (strcmp(a->address, b->address) == 0)
			rc = err_set(err,
				     "%s: lines %zu and %zu give the file of %s to two domains; it cannot be "
				     "divided: choose "
				     "one, or leave it as it is",
				     path, a->number, b->number, a->address);
	}
	for (size_t i = 0; rc == 0 && i < f->count; i++)
		if (bsearch(f->list[i].label, sorted, f->count, sizeof(*sorted), find_address))
			rc = err_set(err, "%s:%zu: the domain `%s` is itself an address of the file", path,
				     f->list[i].number, f->list[i].label);
	free(sorted);
	return rc;
}

int rebucket_files_read(struct rebucket_files *f, const char *path, char **err)
{
	size_t length, number = 0;
	struct stat st;
	char *text;
	int rc = lines_read_file(path, &text, &length, &st, err);

	*f = (struct rebucket_files){0};
	if (rc == 1)
		return err_set(err, "there is no file %s; `xenbw rebucket --rrd --plan %s` makes one", path,
			       path);
	if (rc < 0)
		return -1;
	for (char *line = text, *end; rc == 0 && line < text + length; line = end + 1) {
		char *bare = NULL;

		number++;
		end = memchr(line, '\n', (size_t)(text + length - line)); /* the last byte is one */
		*end = '\0';
		if (strlen(line) != (size_t)(end - line))
			rc = err_set(err, "the line holds a NUL byte; this is not a text file");
		else if ((bare = lines_bare(line)))
			rc = read_line(f, number, bare, err);
		if (rc < 0)
			err_add(err, "%s:%zu", path, number);
	}
	free(text);
	return rc < 0 ? -1 : check_all(f, path, err);
}

void rebucket_files_free(struct rebucket_files *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free(f->list[i].address);
		free(f->list[i].label);
	}
	free(f->list);
	*f = (struct rebucket_files){0};
}

/* ---- planning ---- */

struct addresses {
	char **list;
	size_t count;
};

static void addresses_free(struct addresses *a)
{
	for (size_t i = 0; i < a->count; i++)
		free(a->list[i]);
	free(a->list);
}

/* What the file of this name is the file of, where that is an address; NULL. A file name's %3A is a colon. */
static char *address_of(const char *name)
{
	size_t length = strlen(name), n = 0;
	struct network address;
	char *text, *made;
	bool same;

	if (length < 5 || strcmp(name + length - 4, ".rrd") != 0)
		return NULL;
	text = mem_alloc(length);
	for (size_t i = 0; i < length - 4; i++) {
		bool colon = strncasecmp(name + i, "%3A", 3) == 0;

		text[n++] = colon ? ':' : name[i];
		i += colon ? 2 : 0;
	}
	made = rrd_file_name(text);
	same = strcmp(made, name) == 0 && network_address(text, &address);
	free(made);
	if (same)
		return text;
	free(text);
	return NULL;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_addresses(const char *rrd_dir, struct addresses *a, char **err)
{
	DIR *folder = opendir(rrd_dir);
	const struct dirent *entry;

	if (!folder)
		return err_sys(err, "cannot open RRD directory %s", rrd_dir);
	while ((entry = readdir(folder))) {
		char *address = address_of(entry->d_name);

		if (!address)
			continue;
		a->list = mem_resize(a->list, a->count + 1, sizeof(*a->list));
		a->list[a->count++] = address;
	}
	closedir(folder);
	if (a->count)
		qsort(a->list, a->count, sizeof(*a->list), by_text);
	return 0;
}

struct plan {
	const struct rebucket_spans *spans;
	const struct addresses *addresses;
	FILE *out;
	struct rebucket_files_planned *done;
};

static bool has_file(const struct plan *p, const char *address)
{
	return bsearch(&address, p->addresses->list, p->addresses->count, sizeof(*p->addresses->list),
		       by_text) != NULL;
}

/* Has the domain another address that has a file? */
static bool has_another(const struct plan *p, const struct rebucket_span *of)
{
	for (size_t i = 0; i < p->spans->count; i++) {
		const struct rebucket_span *s = &p->spans->list[i];

		if (strcmp(s->domain, of->domain) == 0 && strcmp(s->address, of->address) != 0 &&
		    has_file(p, s->address))
			return true;
	}
	return false;
}

/* As in the map of rows: the file cannot hold such a name. */
static bool is_sayable(const char *domain)
{
	char *copy = NULL, *err = NULL;
	bool fine = !strchr(domain, '#') && rebucket_read_label(domain, &copy, &err) == 0;

	free(err);
	free(copy);
	return fine;
}

static void put(const struct plan *p, bool sure, const char *address, const char *domain, const char *why)
{
	fprintf(p->out, "%s%-15s  %s  # %s\n", sure ? " " : "#", address, domain, why);
	p->done->lines += sure;
	p->done->undecided += !sure;
}

static void put_span(const struct plan *p, const struct rebucket_span *s, size_t owners)
{
	char *from = period_local(s->from), *to = period_local(s->to), *why;
	char *shown = text_printable(s->domain, strlen(s->domain));
	bool sayable = is_sayable(s->domain), another = has_another(p, s);

	if (!sayable)
		why = mem_strdup("a name that this file cannot hold");
	else if (!s->sure)
		why = mem_strdup("two domains had its name or uuid at the same time: whose was it?");
	else if (owners > 1)
		why = mem_printf(
			"one of %zu owners, from %s to %s: the file has all of them and cannot be divided",
			owners, from, to);
	else if (another)
		why = mem_strdup("one of several files of this domain: their sum is no rename; choose one");
	else
		why = mem_printf("the ledger saw it since %s; what the file has from before comes along",
				 from);
	put(p, sayable && s->sure && owners == 1 && !another, s->address, sayable ? s->domain : shown, why);
	free(why);
	free(shown);
	free(to);
	free(from);
}

static void put_address(const struct plan *p, const char *address)
{
	size_t owners = 0;

	for (size_t i = 0; i < p->spans->count; i++)
		owners += strcmp(p->spans->list[i].address, address) == 0;
	for (size_t i = 0; i < p->spans->count; i++)
		if (strcmp(p->spans->list[i].address, address) == 0)
			put_span(p, &p->spans->list[i], owners);
	if (!owners)
		put(p, false, address, "?", "the ledger never saw it");
}

int rebucket_files_plan(const struct rebucket_spans *spans, const char *rrd_dir, const char *path,
			struct rebucket_files_planned *out, char **err)
{
	struct addresses addresses = {0};
	struct plan p = {.spans = spans, .addresses = &addresses, .done = out};
	int rc = list_addresses(rrd_dir, &addresses, err);

	*out = (struct rebucket_files_planned){0};
	if (rc == 0 && !addresses.count)
		rc = err_set(err, "RRD directory %s has no file that is named after an address", rrd_dir);
	p.out = rc == 0 ? fopen(path, "wxe") : NULL;
	if (rc == 0 && !p.out)
		rc = errno == EEXIST
			     ? err_set(err, "%s is there already, and stays as it is; name another file",
				       path)
			     : err_sys(err, "cannot make the file %s", path);
	if (p.out) {
		fprintf(p.out,
			"# Whose the RRD files of %s are; made by `xenbw rebucket --rrd --plan`.\n"
			"# ADDRESS DOMAIN: the address's file becomes the domain's, with all that is in it.\n"
			"# Lines with # in front rename nothing: decide, and take the # away.\n\n",
			rrd_dir);
		for (size_t i = 0; i < addresses.count; i++)
			put_address(&p, addresses.list[i]);
		if (fclose(p.out) != 0) {
			rc = err_sys(err, "cannot write the file %s", path);
			(void)unlink(path); /* half of it would be worse */
		}
	}
	addresses_free(&addresses);
	return rc;
}
