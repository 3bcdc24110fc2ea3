/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hook/environment.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "config/quotas.h"

#define MOST 24

struct list {
	char **env;
	size_t count;
};

static void put(struct list *l, char *line)
{
	l->env[l->count++] = line;
}

static char *utc(const char *name, int64_t t)
{
	time_t when = (time_t)t;
	char text[40] = "";
	struct tm tm;

	if (gmtime_r(&when, &tm))
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return mem_printf("%s=%s", name, text);
}

char **environment_new(const struct crossing *c, const char *config)
{
	const char *period = quota_period_word(c->period), *class = quota_class_word(c->class),
		   *direction = quota_direction_word(c->direction);
	struct list l = {mem_array(MOST, sizeof(*l.env)), 0};

	if (!period || !class || !direction) {
		free(l.env);
		return NULL;
	}
	put(&l, mem_strdup("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
	put(&l, mem_printf("XENBW_CONFIG=%s", config));
	put(&l, mem_printf("XENBW_BUCKET=%.*s", CROSSING_NAME, c->label));
	put(&l, mem_printf("XENBW_OWNER=%.*s", CROSSING_NAME, c->owner));
	put(&l, mem_printf("XENBW_PERIOD=%s", period));
	put(&l, mem_printf("XENBW_CLASS=%s", class));
	put(&l, mem_printf("XENBW_DIRECTION=%s", direction));
	put(&l, mem_printf("XENBW_PERCENT=%" PRIu32, c->percent));
	put(&l, mem_printf("XENBW_USED=%" PRIu64, c->used));
	put(&l, mem_printf("XENBW_LIMIT=%" PRIu64, c->bytes));
	put(&l, utc("XENBW_FROM", c->from));
	put(&l, utc("XENBW_TO", c->to));
	put(&l, utc("XENBW_CROSSED_AT", c->time));
	return l.env;
}

void environment_free(char **env)
{
	for (size_t i = 0; env && env[i]; i++)
		free(env[i]);
	free(env);
}
