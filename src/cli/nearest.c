/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/nearest.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define FAR SIZE_MAX

/* A name that holds the word is as near as one with a single wrong letter. */
static size_t distance(const char *word, const char *name)
{
	size_t d, allowed = strlen(word) / 3 + 1;

	if (*word && strcasestr(name, word))
		return 1;
	d = text_distance(word, name);
	return d <= allowed && d < strlen(name) ? d : FAR;
}

char *nearest_names(const char *word, const char *const *names, size_t count, size_t most)
{
	size_t *distances = mem_array(count, sizeof(*distances)), found = 0;
	char *text = NULL;

	for (size_t i = 0; i < count; i++)
		distances[i] = distance(word, names[i]);
	for (; found < most; found++) {
		size_t best = count;
		char *longer;

		for (size_t i = 0; i < count; i++)
			if (distances[i] != FAR && (best == count || distances[i] < distances[best]))
				best = i;
		if (best == count)
			break;
		longer = text ? mem_printf("%s, %s", text, names[best]) : mem_strdup(names[best]);
		free(text);
		text = longer;
		distances[best] = FAR;
	}
	free(distances);
	return text;
}
