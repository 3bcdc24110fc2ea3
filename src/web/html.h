/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * html: text that can hold anything, in a page; and what all pages begin and end with.
 */
#ifndef XENBW_WEB_HTML_H
#define XENBW_WEB_HTML_H

#include <stdint.h>
#include <stdio.h>

#include "web/web.h"

/* As text, or as a value between quotes. */
void html_text(FILE *out, const char *text);

/* As a value in a query, between quotes. */
void html_query(FILE *out, const char *text);

/* `v` may be NULL: nobody is logged in. */
void html_begin(FILE *out, const char *title, const struct viewer *v);
void html_end(FILE *out);

/* A cell with bytes as people read them, and the exact number to point at. */
void html_bytes(FILE *out, uint64_t bytes);

/* A rate, allocated: "1.44 Mbit/s". */
char *html_rate(uint64_t bytes_per_second);

#endif
