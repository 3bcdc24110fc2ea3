/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/support/sound.h"

#include "db/audit.h"
#include "tests/support/unit.h"

void sound_assert(sqlite3 *db)
{
	int (*const questions[])(sqlite3 *, struct audit *, char **) = {audit_identity, audit_epochs,
									audit_rows};
	char *err = NULL;

	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		struct audit a;

		if (questions[i](db, &a, &err) < 0)
			fail_msg("%s", err);
		if (a.wrong)
			fail_msg("%s", a.first);
		audit_clear(&a);
	}
}
