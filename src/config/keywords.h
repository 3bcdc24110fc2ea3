/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * keywords: the one table of configuration words: what each means, its default, its range, how it is printed.
 *
 * Parser, printer, defaults and the check of the manual page all come from it; what it does not list does not
 * exist. Knows one line's worth of text; files, line numbers and comments are conf.c's.
 */
#ifndef XENBW_KEYWORDS_H
#define XENBW_KEYWORDS_H

#include "config/conf.h"

struct keyword;

/* The word as the table spells it (mysql_pass is mysql_password), in any case; NULL where there is none. */
const struct keyword *keyword_find(const char *word);
const char *keyword_word(const struct keyword *k);

/* Why this word of netacct's does nothing here; NULL where it does something. */
const char *keyword_inert(const struct keyword *k);

/* The word of the table that is nearest to an unknown one; NULL where none is near. */
const char *keyword_nearest(const char *word);

/* Takes a value in. *note (allocated, or NULL) says what was read otherwise than it stands there. */
int keyword_set(struct conf *c, const struct keyword *k, const char *value, char **note, char **err);

/* Sets every default. */
void keywords_defaults(struct conf *c);

/* One line for each setting, several for a list. */
void keywords_print(const struct conf *c, FILE *out, bool with_secrets);

/* The words whose values differ, without those of `but` (NULL ends it), separated by ", "; NULL where none
 * does. To be freed. */
char *keywords_changed(const struct conf *before, const struct conf *now, const char *const *but);

/* The n-th word, for checks of the manual page; NULL behind the last. */
const struct keyword *keyword_at(size_t n);

#endif
