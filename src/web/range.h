/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * range: the period in a page: two forms to pick another one, and the fields that links keep it by.
 */
#ifndef XENBW_WEB_RANGE_H
#define XENBW_WEB_RANGE_H

#include <stdint.h>
#include <stdio.h>

#include "cli/report_rows.h"
#include "web/fields.h"

/* `domain`: the one that the page is about, or NULL. */
void range_forms(FILE *out, const char *action, const struct fields *f, const char *domain, int64_t now);

/* "Period … to …", and up to when the ledger reaches. */
void range_line(FILE *out, const struct report_rows *r);

/* "&amp;month=2026-11", or nothing. */
void range_query(FILE *out, const struct fields *f);

#endif
