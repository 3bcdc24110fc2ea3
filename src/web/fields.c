/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/fields.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

static int hex_of(unsigned char c)
{
	if (!isxdigit(c))
		return -1;
	return isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
}

/* One name or value; NULL where it is not well formed. */
static char *decoded(const char *text, size_t length)
{
	char *out = mem_alloc(length + 1), *o = out;

	for (size_t i = 0; i < length; i++) {
		int high, low;

		if (text[i] != '%') {
			*o++ = text[i];
			if (text[i] == '+')
				o[-1] = ' ';
			continue;
		}
		high = i + 2 < length ? hex_of((unsigned char)text[i + 1]) : -1;
		low = i + 2 < length ? hex_of((unsigned char)text[i + 2]) : -1;
		if (high < 0 || low < 0) {
			free(out);
			return NULL;
		}
		*o++ = (char)(high << 4 | low);
		i += 2;
	}
	for (const char *c = out; c < o; c++)
		if (iscntrl((unsigned char)*c)) {
			free(out);
			return NULL;
		}
	return out;
}

/* Text that is shown as it is: UTF-8. A backslash, which text_printable would double, is none of its
 * business. */
static bool is_text(const char *s)
{
	size_t length = strlen(s);
	char *copy = mem_strdup(s), *printable;
	bool same;

	for (char *c = copy; *c; c++)
		if (*c == '\\')
			*c = '/';
	printable = text_printable(copy, length);
	same = strcmp(printable, copy) == 0;
	free(printable);
	free(copy);
	return same;
}

static bool has(const struct fields *f, const char *name)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->list[i].name, name) == 0)
			return true;
	return false;
}

static int take_pair(struct fields *f, const char *pair, size_t length, char **err)
{
	const char *equals = memchr(pair, '=', length);
	size_t name_length = equals ? (size_t)(equals - pair) : length;
	char *name, *value;
	int rc = 0;

	if (f->count == FIELDS_MOST)
		return err_set(err, "there are more than %d parameters", FIELDS_MOST);
	name = decoded(pair, name_length);
	value = equals ? decoded(equals + 1, length - name_length - 1) : mem_strdup("");
	if (!name || !value || !*name || !is_text(name) || !is_text(value))
		rc = err_set(err, "a parameter is not well formed");
	else if (has(f, name))
		rc = err_set(err, "a parameter is there twice");
	if (rc < 0) {
		free(name);
		free(value);
		return -1;
	}
	f->list[f->count].name = name;
	f->list[f->count++].value = value;
	return 0;
}

int fields_parse(struct fields *f, const char *text, size_t length, char **err)
{
	*f = (struct fields){0};
	while (length) {
		const char *end = memchr(text, '&', length);
		size_t pair = end ? (size_t)(end - text) : length;

		if (pair && take_pair(f, text, pair, err) < 0)
			return -1;
		text += pair + (end != NULL);
		length -= pair + (end != NULL);
	}
	return 0;
}

void fields_free(struct fields *f)
{
	for (size_t i = 0; i < f->count; i++) {
		explicit_bzero(f->list[i].value, strlen(f->list[i].value)); /* it may be a password */
		free(f->list[i].name);
		free(f->list[i].value);
	}
	f->count = 0;
}

const char *fields_get(const struct fields *f, const char *name)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->list[i].name, name) == 0)
			return *f->list[i].value ? f->list[i].value : NULL;
	return NULL;
}

int fields_check(const struct fields *f, const char *const *names, char **err)
{
	for (size_t i = 0; i < f->count; i++) {
		size_t n = 0;

		while (names[n] && strcmp(names[n], f->list[i].name) != 0)
			n++;
		if (!names[n])
			return err_set(err, "unknown parameter `%s`", f->list[i].name);
	}
	return 0;
}

char *fields_cookie(const char *header, const char *name)
{
	size_t length = strlen(name);
	char *found = NULL;

	while (header && *header) {
		size_t pair;

		header += strspn(header, " \t;");
		pair = strcspn(header, ";");
		if (pair > length && strncmp(header, name, length) == 0 && header[length] == '=') {
			if (found) {
				free(found);
				return NULL;
			}
			found = mem_strndup(header + length + 1, pair - length - 1);
		}
		header += pair;
	}
	return found;
}
