/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * text: strict readings of strings that come from outside.
 *
 * Pure functions. What does not fit entirely is refused; nothing is guessed or cut.
 */
#ifndef XENBW_TEXT_H
#define XENBW_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A whole decimal number in [min,max], no sign, no blanks. */
bool text_u64(const char *s, uint64_t min, uint64_t max, uint64_t *out);

/* Bytes as text that may be shown and stored: valid UTF-8 stays; control characters, invalid bytes, the
 * backslash and direction overrides become \xNN, so two different inputs never give the same text. */
char *text_printable(const void *bytes, size_t len);

/* A label as a file name of at most 255 - reserve bytes: '/', ':', '%', a leading '.' and control bytes
 * become %XX; what would be too long is cut and gets a 64-bit hash of the whole. The empty label gives "%".
 */
char *text_filename(const char *label, size_t reserve);

/* Valid UTF-8 in at most `room` characters (19 or more): what would be too long is cut and gets a 64-bit hash
 * of the whole, as a file name does. Two different texts stay different. */
char *text_cut(const char *s, size_t room);

/* Is this a name the kernel would accept for a network interface (1..15 bytes, no '/', ':' or blank)? */
bool text_is_ifname(const char *s);

/* How many letters must be put in, taken out or changed to make b of a (case ignored): for "did you mean". */
size_t text_distance(const char *a, const char *b);

#endif
