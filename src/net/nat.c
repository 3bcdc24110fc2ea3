/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "net/nat.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "config/network.h"

/* A connection as it began, and as its answers look. */
enum { SOURCE, TARGET, ANSWER_SOURCE, ANSWER_TARGET, ENDS };

/* The addresses of a line, in their order; returns how many. Changes the line. */
static int read_ends(char *line, struct network ends[ENDS])
{
	char *rest = NULL;
	int n = 0;

	for (char *word = strtok_r(line, " \n", &rest); word && n < ENDS;
	     word = strtok_r(NULL, " \n", &rest)) {
		const char *expected = n % 2 ? "dst=" : "src=";

		if (strncmp(word, expected, 4) != 0)
			continue;
		if (!network_address(word + 4, &ends[n]))
			return 0;
		n++;
	}
	return n;
}

static bool same(const struct network *a, const struct network *b)
{
	return memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

bool nat_scan(FILE *in, size_t lines, nat_fn *fn, void *ctx)
{
	struct network ends[ENDS];
	char *line = NULL;
	size_t room = 0;

	for (; lines && getline(&line, &room, in) >= 0; lines--) {
		if (read_ends(line, ends) != ENDS)
			continue;
		if (!same(&ends[SOURCE], &ends[ANSWER_TARGET]))
			fn(ctx, ends[SOURCE].address);
		if (!same(&ends[TARGET], &ends[ANSWER_SOURCE]))
			fn(ctx, ends[ANSWER_SOURCE].address);
	}
	free(line);
	return lines == 0;
}
