/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/billing.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/lines.h"

/* Bytes that would spoil a line of a report or of a file. */
static bool is_name(const char *word)
{
	for (const char *p = word; *p; p++)
		if (iscntrl((unsigned char)*p))
			return false;
	return true;
}

const char *billing_owner_of(const struct billing_owners *o, const char *domain)
{
	for (size_t i = 0; i < o->count; i++)
		if (strcmp(o->list[i].domain, domain) == 0)
			return o->list[i].owner;
	return NULL;
}

bool billing_has_owner(const struct billing_owners *o, const char *owner)
{
	for (size_t i = 0; i < o->count; i++)
		if (strcmp(o->list[i].owner, owner) == 0)
			return true;
	return false;
}

/* Takes `domain` over. */
static int give(struct billing_owners *o, const char *owner, char *domain, char **err)
{
	const char *before = billing_owner_of(o, domain);
	int rc = 0;

	if (before && strcmp(before, owner) != 0)
		rc = err_set(err, "%s has an owner already, `%s`; a domain has one owner", domain, before);
	if (!before && is_name(domain)) {
		o->list = mem_resize(o->list, o->count + 1, sizeof(*o->list));
		o->list[o->count++] = (struct billing_owned){domain, mem_strdup(owner)};
		return 0;
	}
	if (!before)
		rc = err_set(err, "the name of a domain holds a control character");
	free(domain);
	return rc;
}

int billing_add_owner(struct billing_owners *o, const char *value, char **err)
{
	char *owner = lines_next_word(&value), *domain = lines_next_word(&value);
	int rc = 0;

	if (!owner || !domain) {
		free(owner);
		return err_set(err, "write the owner's name, then the names of the domains: `owner NAME "
				    "DOMAIN ...`");
	}
	if (!is_name(owner))
		rc = err_set(err, "the owner's name holds a control character");
	while (rc == 0 && domain) {
		rc = give(o, owner, domain, err);
		domain = rc == 0 ? lines_next_word(&value) : NULL;
	}
	free(domain);
	free(owner);
	return rc;
}

unsigned billing_day_of(const struct billing_days *d, const char *domain)
{
	for (size_t i = 0; i < d->count; i++)
		if (strcmp(d->list[i].domain, domain) == 0)
			return d->list[i].day;
	return d->day;
}

/* Takes `domain` over; its last line counts. */
static int set_day(struct billing_days *d, unsigned day, char *domain, char **err)
{
	if (!is_name(domain)) {
		free(domain);
		return err_set(err, "the name of a domain holds a control character");
	}
	for (size_t i = 0; i < d->count; i++)
		if (strcmp(d->list[i].domain, domain) == 0) {
			d->list[i].day = day;
			free(domain);
			return 0;
		}
	d->list = mem_resize(d->list, d->count + 1, sizeof(*d->list));
	d->list[d->count++] = (struct billing_day){domain, day};
	return 0;
}

int billing_set_day(struct billing_days *d, const char *value, char **err)
{
	char *number = lines_next_word(&value), *domain;
	uint64_t day;
	int rc = 0;

	if (!text_u64(number, 1, BILLING_LAST_DAY, &day))
		rc = err_set(err,
			     "`%s` is not a day from 1 to %d; write `billing_day 15`, or `billing_day 15 "
			     "DOMAIN ...`",
			     number ? number : "", BILLING_LAST_DAY);
	free(number);
	if (rc < 0)
		return -1;
	domain = lines_next_word(&value);
	if (!domain)
		d->day = (unsigned)day;
	for (; rc == 0 && domain; domain = rc == 0 ? lines_next_word(&value) : NULL)
		rc = set_day(d, (unsigned)day, domain, err);
	return rc;
}

void billing_print_owners(const struct billing_owners *o, const char *head, FILE *out)
{
	for (size_t i = 0; i < o->count; i++)
		fprintf(out, "%s%s %s\n", head, o->list[i].owner, o->list[i].domain);
}

void billing_print_days(const struct billing_days *d, const char *head, FILE *out)
{
	fprintf(out, "%s%u\n", head, d->day);
	for (size_t i = 0; i < d->count; i++)
		fprintf(out, "%s%u %s\n", head, d->list[i].day, d->list[i].domain);
}

void billing_free_owners(struct billing_owners *o)
{
	for (size_t i = 0; i < o->count; i++) {
		free(o->list[i].domain);
		free(o->list[i].owner);
	}
	free(o->list);
	*o = (struct billing_owners){0};
}

void billing_free_days(struct billing_days *d)
{
	for (size_t i = 0; i < d->count; i++)
		free(d->list[i].domain);
	free(d->list);
	*d = (struct billing_days){0};
}
