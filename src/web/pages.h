/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * pages: what each path answers. Each returns a status of HTTP, with an error where it is not 200.
 */
#ifndef XENBW_WEB_PAGES_H
#define XENBW_WEB_PAGES_H

#include "web/web.h"

int page_overview(struct web *w, const struct viewer *v, const struct question *q, FILE *out, char **err);
int page_domain(struct web *w, const struct viewer *v, const struct question *q, FILE *out, char **err);
int api_report(struct web *w, const struct viewer *v, const struct question *q, FILE *out, char **err);
int api_list_domains(struct web *w, const struct viewer *v, const struct question *q, FILE *out, char **err);
int api_metrics(struct web *w, const struct question *q, FILE *out, char **err);

/* The login, with what went wrong or NULL; `token` is in its cookie, too. */
void page_login(const struct web *w, const char *token, const char *complaint, FILE *out);

void page_style(FILE *out);

#endif
