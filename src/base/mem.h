/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mem: allocation that cannot fail for the caller.
 *
 * Owns nothing. When memory ends it writes one line and aborts: the ledger makes a process that
 * dies at any instant harmless, so an abort is the same as a KILL and no caller needs a path for it.
 */
#ifndef XENBW_MEM_H
#define XENBW_MEM_H

#include <stdarg.h>
#include <stddef.h>

void *mem_alloc(size_t size);               /* zeroed */
void *mem_array(size_t count, size_t size); /* zeroed; aborts where the product overflows */
void *mem_resize(void *p, size_t count, size_t size);
char *mem_strdup(const char *s); /* NULL gives NULL */
char *mem_strndup(const char *s, size_t n);
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *mem_vprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/* Replaces *slot by a copy of value when they differ (either may be NULL); returns 1 if it did. */
int mem_replace(char **slot, const char *value);

#endif
