/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/throttle.h"

#include <sys/random.h>

#include "base/err.h"

int throttle_init(struct throttle *t, char **err)
{
	*t = (struct throttle){0};
	if (getrandom(&t->seed, sizeof(t->seed), 0) != sizeof(t->seed))
		return err_sys(err, "the kernel gives no random bytes");
	return 0;
}

/* FNV-1a from a start that nobody knows. */
static struct throttle_place *place_of(struct throttle *t, const char *name)
{
	uint64_t hash = t->seed ^ 0xcbf29ce484222325U;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3U;
	return &t->places[(hash ^ hash >> 32) % THROTTLE_PLACES];
}

/* Seconds until there is a try. Each one that was taken puts off by `seconds` when all are there again. */
static unsigned wait_of(const struct throttle_place *p, int tries, int seconds, int64_t now)
{
	int64_t behind = p->free_at - now, room = (int64_t)(tries - 1) * seconds;

	return behind > room ? (unsigned)(behind - room) : 0;
}

static void take(struct throttle_place *p, int seconds, int64_t now)
{
	p->free_at = (p->free_at > now ? p->free_at : now) + seconds;
}

unsigned throttle_take(struct throttle *t, const char *name, int64_t now)
{
	struct throttle_place *p = place_of(t, name);
	unsigned wait = wait_of(p, THROTTLE_NAME_TRIES, THROTTLE_NAME_SECONDS, now);

	if (!wait)
		wait = wait_of(&t->all, THROTTLE_ALL_TRIES, THROTTLE_ALL_SECONDS, now);
	if (wait)
		return wait;
	take(p, THROTTLE_NAME_SECONDS, now);
	take(&t->all, THROTTLE_ALL_SECONDS, now);
	return 0;
}

void throttle_forgive(struct throttle *t, const char *name)
{
	place_of(t, name)->free_at = 0;
}
