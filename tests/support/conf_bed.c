/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/support/conf_bed.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "tests/support/unit.h"

static int parse(struct conf *c, const char *text, char **err)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	int rc;

	assert_non_null(in);
	conf_init(c);
	rc = conf_parse(c, in, "xenbw.conf", err);
	fclose(in);
	return rc;
}

struct conf conf_bed_good(const char *text)
{
	struct conf c;
	char *err = NULL;

	if (parse(&c, text, &err) < 0)
		fail_msg("%s", err);
	return c;
}

void conf_bed_bad(const char *text, const char *why)
{
	struct conf c;
	char *err = NULL;

	assert_int_equal(parse(&c, text, &err), -1);
	if (!strstr(err, why))
		fail_msg("%s: not: %s", err, why);
	err_clear(&err);
	conf_free(&c);
}
