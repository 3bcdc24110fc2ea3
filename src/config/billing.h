/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * billing: who pays for which domains, and on which day of a month their periods begin.
 *
 * Two lists of the configuration, `owner` and `billing_day`. A domain has at most one owner. Nothing here
 * knows of bytes or of the calendar.
 */
#ifndef XENBW_BILLING_H
#define XENBW_BILLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define BILLING_LAST_DAY 28 /* every month has it */

struct billing_owned {
	char *domain, *owner;
};

struct billing_owners {
	struct billing_owned *list; /* in the order in which they were given */
	size_t count;
};

struct billing_day {
	char *domain;
	unsigned day;
};

struct billing_days {
	unsigned day; /* of all that are not in the list */
	struct billing_day *list;
	size_t count;
};

/* Takes in the value of a line: `OWNER DOMAIN …`, and `DAY [DOMAIN …]`. */
int billing_add_owner(struct billing_owners *o, const char *value, char **err);
int billing_set_day(struct billing_days *d, const char *value, char **err);

/* NULL: nobody's. */
const char *billing_owner_of(const struct billing_owners *o, const char *domain);
bool billing_has_owner(const struct billing_owners *o, const char *owner);
unsigned billing_day_of(const struct billing_days *d, const char *domain);

/* Lines that give the same lists again, each beginning with `head`. */
void billing_print_owners(const struct billing_owners *o, const char *head, FILE *out);
void billing_print_days(const struct billing_days *d, const char *head, FILE *out);

void billing_free_owners(struct billing_owners *o);
void billing_free_days(struct billing_days *d);

#endif
