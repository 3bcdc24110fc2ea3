/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/rebucket_map.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/lines.h"
#include "config/network.h"
#include "db/traffic_table.h"

/* "2026-11-26T04:00", with or without seconds, as the table writes it. */
static int read_hour(const char *text, char out[static REBUCKET_HOUR_SIZE], char **err)
{
	struct tm tm = {0}, copy;
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M", &tm);
	char *shown;

	if (rest && strcmp(rest, ":00") == 0)
		rest += 3;
	copy = tm;
	if (rest && !*rest && tm.tm_min == 0 && timegm(&copy) != -1 && copy.tm_mday == tm.tm_mday &&
	    strftime(out, REBUCKET_HOUR_SIZE, "%Y-%m-%d %H:00:00", &tm) == REBUCKET_HOUR_SIZE - 1)
		return 0;
	shown = text_printable(text, strlen(text));
	err_set(err, "`%s` is no full hour; write one as 2026-11-26T04:00, for a row of the table is an hour",
		shown);
	free(shown);
	return -1;
}

int rebucket_read_address(const char *text, char **out, char **err)
{
	struct network n;
	char *shown;

	if (network_address(text, &n)) {
		*out = network_text(&n);
		return 0;
	}
	shown = text_printable(text, strlen(text));
	err_set(err, "`%s` is no address; after the two hours comes one, as the table has it", shown);
	free(shown);
	return -1;
}

int rebucket_read_label(const char *text, char **out, char **err)
{
	char *shown = text_printable(text, strlen(text));
	int rc = 0;

	if (!*text)
		rc = err_set(err, "behind the address stands the domain's name, and there is none");
	else if (strlen(text) > TRAFFIC_LABEL_MAX)
		rc = err_set(err, "the name is too long (%zu bytes, at most %d)", strlen(text),
			     TRAFFIC_LABEL_MAX);
	else if (strcmp(text, shown) != 0)
		rc = err_set(err, "`%s` is no name: it holds bytes that are no text in UTF-8", shown);
	else
		*out = mem_strdup(text);
	free(shown);
	return rc;
}

static int read_line(struct rebucket_map *map, size_t number, char *text, char **err)
{
	char *to = lines_cut_word(text), *address = lines_cut_word(to), *label = lines_cut_word(address);
	struct rebucket_line *l;

	if ((map->count & (map->count - 1)) == 0)
		map->lines = mem_resize(map->lines, map->count ? map->count * 2 : 1, sizeof(*map->lines));
	l = &map->lines[map->count++];
	*l = (struct rebucket_line){.number = number};
	if (read_hour(text, l->from, err) < 0 || read_hour(to, l->to, err) < 0 ||
	    rebucket_read_address(address, &l->address, err) < 0 ||
	    rebucket_read_label(label, &l->label, err) < 0)
		return -1;
	return strcmp(l->from, l->to) < 0 ? 0
					  : err_set(err, "it ends before it begins: TO must be after FROM");
}

static int by_address(const void *a, const void *b)
{
	const struct rebucket_line *x = a, *y = b;
	int order = strcmp(x->address, y->address);

	return order ? order : strcmp(x->from, y->from);
}

static int find_address(const void *key, const void *element)
{
	return strcmp(key, ((const struct rebucket_line *)element)->address);
}

/* Sorts the lines. */
static int check_all(struct rebucket_map *map, const char *path, char **err)
{
	if (!map->count)
		return err_set(err, "%s has no line but comments: nothing would be moved", path);
	qsort(map->lines, map->count, sizeof(*map->lines), by_address);
	for (size_t i = 0; i < map->count; i++) {
		const struct rebucket_line *l = &map->lines[i], *next = l + 1;

		if (i + 1 < map->count && strcmp(l->address, next->address) == 0 &&
		    strcmp(next->from, l->to) < 0)
			return err_set(err,
				       "%s:%zu: %s has an owner already in these hours, by line %zu; no hour "
				       "may have two",
				       path, next->number, l->address, l->number);
		if (bsearch(l->label, map->lines, map->count, sizeof(*map->lines), find_address))
			return err_set(err, "%s:%zu: the owner `%s` is itself an address of the map", path,
				       l->number, l->label);
	}
	return 0;
}

int rebucket_map_read(struct rebucket_map *map, const char *path, char **err)
{
	size_t length, number = 0;
	struct stat st;
	char *text;
	int rc = lines_read_file(path, &text, &length, &st, err);

	*map = (struct rebucket_map){0};
	if (rc == 1)
		return err_set(err, "there is no map %s; `xenbw rebucket --plan %s` makes one", path, path);
	if (rc < 0)
		return -1;
	for (char *line = text, *end; rc == 0 && line < text + length; line = end + 1) {
		char *bare;

		number++;
		end = memchr(line, '\n', (size_t)(text + length - line)); /* the last byte is one */
		*end = '\0';
		bare = NULL;
		if (strlen(line) != (size_t)(end - line))
			rc = err_set(err, "the line holds a NUL byte; this is not a text file");
		else if ((bare = lines_bare(line)))
			rc = read_line(map, number, bare, err);
		if (rc < 0)
			err_add(err, "%s:%zu", path, number);
	}
	free(text);
	return rc < 0 ? -1 : check_all(map, path, err);
}

void rebucket_map_free(struct rebucket_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		free(map->lines[i].address);
		free(map->lines[i].label);
	}
	free(map->lines);
	*map = (struct rebucket_map){0};
}
