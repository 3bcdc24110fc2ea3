/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * sound: whether a ledger adds up, as `xenbw doctor` asks it.
 *
 * For cmocka tests: what does not add up fails the running test, which says what that was.
 */
#ifndef XENBW_TEST_SOUND_H
#define XENBW_TEST_SOUND_H

#include <sqlite3.h>

void sound_assert(sqlite3 *db);

#endif
