/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * api: what programs ask: the JSON of `xenbw report` and `xenbw list-domains`, and the text of `xenbw
 * metrics`.
 */
#include <stdlib.h>

#include "base/boot.h"
#include "base/err.h"
#include "base/mem.h"
#include "cli/list_domains.h"
#include "cli/metrics.h"
#include "cli/report_table.h"
#include "web/pages.h"
#include "web/view.h"

int api_report(struct web *w, const struct viewer *viewer, const struct question *q, FILE *out, char **err)
{
	static const char *const names[] = {"month",  "from",   "to",         "by",      "owner", "top",
					    "domain", "commit", "percentile", "project", NULL};
	struct report_rows r = {0};
	struct view v = {.file.lock_fd = -1};
	size_t most = SIZE_MAX;
	int status;

	if (fields_check(q->query, names, err) < 0)
		return 400;
	status = view_open(&v, w, viewer, q->now, out, err);
	if (status == 200)
		status = view_report(&v, q->query, &r, &most, err);
	if (status == 200 && v.cli.args.value[OPTION_TOP])
		report_rows_by_size(&r);
	if (status == 200 && report_table_write(&v.cli, &r, r.count < most ? r.count : most, err) != CLI_OK)
		status = 500;
	report_rows_free(&r);
	view_close(&v);
	return status;
}

/* As the ledger alone has it; where the viewer has no bucket, those of one that there is not. */
static int read_vifs(struct view *v, struct listing *l, char **err)
{
	int64_t *ids = mem_array(v->buckets.count + 1, sizeof(*ids));
	size_t count = 0;
	int rc;

	for (; count < v->buckets.count; count++)
		ids[count] = v->buckets.list[count].id;
	if (!count)
		ids[count++] = -1;
	rc = usage_read_vifs_of(v->file.db, l->boot, l->month.from, l->month.to,
				v->cli.args.value[OPTION_ALL] != NULL, ids, v->viewer->owner ? count : 0,
				&l->known, err);
	free(ids);
	l->has_ledger = rc == 0;
	return rc;
}

static int list(struct view *v, char **err)
{
	struct listing l = {.cli = &v->cli, .boot = boot_id(err)};
	int status = 503;

	if (l.boot && period_month("this", v->cli.now, &l.month, err) == 0 && read_vifs(v, &l, err) == 0) {
		present_merge(NULL, &l.known, l.boot, &l.present);
		status = list_domains_write(&l, err) == CLI_OK ? 200 : 500;
	}
	present_free(&l.present);
	usage_vifs_free(&l.known);
	free(l.boot);
	return status;
}

int api_list_domains(struct web *w, const struct viewer *viewer, const struct question *q, FILE *out,
		     char **err)
{
	static const char *const names[] = {"all", NULL};
	struct view v = {.file.lock_fd = -1};
	int status;

	if (fields_check(q->query, names, err) < 0)
		return 400;
	status = view_open(&v, w, viewer, q->now, out, err);
	v.cli.args.value[OPTION_ALL] = fields_get(q->query, "all");
	if (status == 200)
		status = list(&v, err);
	view_close(&v);
	return status;
}

int api_metrics(struct web *w, const struct question *q, FILE *out, char **err)
{
	struct view v;
	int status = view_open(&v, w, NULL, q->now, out, err);

	if (status == 200 && metrics_write(&v.cli, out, err) < 0)
		status = 503;
	view_close(&v);
	return status;
}
