/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * view: what one viewer may see of the ledger. Every figure that is shown comes through here.
 *
 * An owner sees the buckets that the configuration's `owner` lines give to it, and of vifs only what these
 * buckets were charged; others do not exist for it. The ledger is opened for each question, read-only, and a
 * question that takes too long is given up. Functions return a status of HTTP, with an error where it is not
 * 200.
 */
#ifndef XENBW_WEB_VIEW_H
#define XENBW_WEB_VIEW_H

#include "cli/cli.h"
#include "cli/report_rows.h"
#include "web/web.h"

struct view {
	const struct viewer *viewer; /* NULL: nobody is logged in, and nothing is asked but metrics */
	struct cli cli;              /* its configuration is the web's */
	struct ledger_file file;
	struct usage_buckets buckets; /* only those that the viewer sees */
	char *word[1];
	int64_t until; /* monotonic ns */
};

/* JSON goes to `out`. Release with view_close, whatever it returned. */
int view_open(struct view *v, const struct web *w, const struct viewer *viewer, int64_t now, FILE *out,
	      char **err);
void view_close(struct view *v);

/* The report that the fields ask for, of what the viewer sees; names as options of `xenbw report` have them,
 * and `domain`. `most` rows are to be shown. Release with report_rows_free, whatever it returned. */
int view_report(struct view *v, const struct fields *f, struct report_rows *r, size_t *most, char **err);

/* The same with another `by`, within a question that view_report was good for. */
int view_report_by(struct view *v, const struct fields *f, const char *by, struct report_rows *r, char **err);

#endif
