/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * kinds: what one value of a setting may be, for kinds of settings that need nothing but the value.
 *
 * Each takes the text into *field, whose old one is freed, or returns -1 with an error that says what fits.
 * keywords.c knows which keyword is of which kind.
 */
#ifndef XENBW_KINDS_H
#define XENBW_KINDS_H

#include <stdbool.h>
#include <stddef.h>

/* From the root, of at most `longest` bytes. */
int kind_path(char **field, const char *value, size_t longest, char **err);

/* Without control characters; NULL where it is empty. */
int kind_text(char **field, const char *value, char **err);

/* Of a database or table. */
int kind_name(char **field, const char *value, char **err);

/* `none` gives NULL. */
int kind_suffix(char **field, const char *value, char **err);
int kind_user(char **field, const char *value, char **err);

/* ADDRESS:PORT or [ADDRESS]:PORT. */
int kind_listen(char **field, const char *value, char **err);

/* A time zone's name; `system` gives NULL. */
int kind_zone(char **field, const char *value, char **err);

/* `on` or `off`; `yes` or `no`. */
int kind_switch(bool *field, const char *value, char **err);
int kind_yes_no(bool *field, const char *value, char **err);

#endif
