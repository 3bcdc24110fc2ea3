/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif

/* Sanitizers make all of it several times slower. */
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define FIXED_SEEDS 1
#define FRESH_SEEDS 1
#else
#define FIXED_SEEDS 2
#define FRESH_SEEDS 2
#endif

/* splitmix64 */
static uint64_t mixed(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint64_t sim_below(struct sim *s, uint64_t n)
{
	return mixed(&s->random) % n;
}

bool sim_chance(struct sim *s, uint64_t n)
{
	return sim_below(s, n) == 0;
}

static bool lists(const char *list, const char *sign, const char *kind)
{
	char word[64];

	while (*list) {
		size_t n = strcspn(list, ",");

		if (snprintf(word, sizeof(word), "%s%s", sign, kind) == (int)n && strncmp(list, word, n) == 0)
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}

bool sim_wants(const struct sim *s, const char *kind)
{
	if (!s->events)
		return true;
	return s->events[0] == '-' ? !lists(s->events, "-", kind) : lists(s->events, "", kind);
}

void sim_tell(struct sim *s, const char *fmt, ...)
{
	size_t at = s->told++ % SIM_LATEST;
	va_list args;

	s->latest[at].minute = s->minute;
	va_start(args, fmt);
	(void)vsnprintf(s->latest[at].text, sizeof(s->latest[at].text), fmt, args);
	va_end(args);
}

void sim_fail(const struct sim *s, const char *fmt, ...)
{
	char text[400];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (size_t i = s->told > SIM_LATEST ? s->told - SIM_LATEST : 0; i < s->told; i++)
		print_error("# minute %ld: %s\n", s->latest[i % SIM_LATEST].minute,
			    s->latest[i % SIM_LATEST].text);
	fail_msg("%s, SEED=%" PRIu64 ", minute %ld: %s", s->name, s->seed, s->minute, text);
	abort(); /* fail_msg does not return; the compiler does not know */
}

static uint64_t number(const char *what, const char *text)
{
	uint64_t n;

	if (!text_u64(text, 0, UINT64_MAX, &n))
		fail_msg("%s=%s is no number", what, text);
	return n;
}

/* SEEDS=a-b, SEED=n; false: neither. */
static bool given_seeds(uint64_t *from, uint64_t *to)
{
	const char *one = getenv("SEED"), *many = getenv("SEEDS");
	const char *dash = many ? strchr(many, '-') : NULL;
	char first[32];

	if (many) {
		if (!dash || dash - many >= (int)sizeof(first))
			fail_msg("SEEDS=%s is not a-b", many);
		memcpy(first, many, (size_t)(dash - many));
		first[dash - many] = '\0';
		*from = number("SEEDS", first);
		*to = number("SEEDS", dash + 1);
	} else if (one) {
		*from = *to = number("SEED", one);
	}
	return one || many;
}

void sim_run(const char *name, long minutes, bool fresh, void (*scenario)(struct sim *s, const void *arg),
	     const void *arg)
{
	const char *shorter = getenv("MINUTES");
	uint64_t from = 1, to = FIXED_SEEDS, entropy = (uint64_t)time(NULL);
	bool given = given_seeds(&from, &to);

	if (shorter)
		minutes = (long)number("MINUTES", shorter);
	for (uint64_t n = from; n <= to + (given || !fresh ? 0 : FRESH_SEEDS); n++) {
		uint64_t seed = given || n <= to ? n : mixed(&entropy) >> 32;
		struct sim s = {.name = name,
				.seed = seed,
				.random = seed,
				.minutes = minutes,
				.events = getenv("EVENTS")};

		print_message("# %s: SEED=%" PRIu64 "\n", name, seed);
		scenario(&s, arg);
	}
}
