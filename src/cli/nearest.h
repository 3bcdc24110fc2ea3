/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * nearest: names that somebody may have meant.
 *
 * Pure.
 */
#ifndef XENBW_NEAREST_H
#define XENBW_NEAREST_H

#include <stddef.h>

/* Up to `most` of the names that are near to the word, nearest first, as "a, b, c"; allocated. NULL when none
 * is near. */
char *nearest_names(const char *word, const char *const *names, size_t count, size_t most);

#endif
