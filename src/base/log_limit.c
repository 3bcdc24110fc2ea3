/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log_limit.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static bool is_over(const struct log_kind *k, int64_t now_ms)
{
	return now_ms - k->since_ms >= LOG_LIMIT_MS;
}

/* The kind of this place and object, or room for it; NULL where there is neither. */
static struct log_kind *kind_of(struct log_limit *l, const void *place, const char *about)
{
	struct log_kind *room = NULL;

	for (size_t i = 0; i < LOG_LIMIT_KINDS; i++) {
		struct log_kind *k = &l->kinds[i];

		if (k->place == place && strcmp(k->about, about) == 0)
			return k;
		if (k->held.lines > 0)
			continue;
		if (!room || (room->place && (!k->place || k->since_ms < room->since_ms)))
			room = k;
	}
	if (!room)
		return NULL;
	free(room->about);
	*room = (struct log_kind){.place = place, .about = mem_strdup(about)};
	return room;
}

bool log_limit_admits(struct log_limit *l, const void *place, const char *about, int priority,
		      const char *line, int64_t now_ms)
{
	struct log_kind *k = kind_of(l, place, about);

	if (!k)
		return true;
	if (k->lines == 0 || (is_over(k, now_ms) && k->held.lines == 0)) {
		k->since_ms = now_ms;
		k->lines = 0;
	}
	if (k->lines < LOG_LIMIT_LINES) {
		k->lines++;
		return true;
	}
	k->held.lines++;
	k->held.priority = priority;
	mem_replace(&k->held.last, line);
	return false;
}

bool log_limit_next(struct log_limit *l, int64_t now_ms, bool all, struct log_held *held)
{
	for (size_t i = 0; i < LOG_LIMIT_KINDS; i++) {
		struct log_kind *k = &l->kinds[i];

		if (k->held.lines == 0 || (!all && !is_over(k, now_ms)))
			continue;
		*held = k->held;
		*k = (struct log_kind){.place = k->place, .about = k->about};
		return true;
	}
	return false;
}
