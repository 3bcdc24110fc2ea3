/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "cli/report_table.h"

/* Of one question: a month of 1,000 domains, nine million slots, takes some 7 s of a processor. */
#define LONGEST_NS (30 * INT64_C(1000000000))
#define STEPS 100000 /* of SQLite, between two looks at the clock */

static int is_late(void *ctx)
{
	const struct view *v = ctx;

	return clock_mono().ns > v->until;
}

static bool sees(const struct view *v, const char *label)
{
	const char *owner = billing_owner_of(&v->cli.conf.owners, label);

	return !v->viewer->owner || (owner && strcmp(owner, v->viewer->owner) == 0);
}

/* Leaves those that the viewer does not see out of the list. */
static int read_buckets(struct view *v, char **err)
{
	size_t kept = 0;

	if (usage_read_buckets(v->file.db, &v->buckets, err) < 0)
		return -1;
	for (size_t i = 0; i < v->buckets.count; i++) {
		if (sees(v, v->buckets.list[i].label))
			v->buckets.list[kept++] = v->buckets.list[i];
		else
			free(v->buckets.list[i].label);
	}
	v->buckets.count = kept;
	return 0;
}

int view_open(struct view *v, const struct web *w, const struct viewer *viewer, int64_t now, FILE *out,
	      char **err)
{
	*v = (struct view){.viewer = viewer,
			   .cli = {.conf = w->conf, .format = OUT_JSON, .to = out, .now = now},
			   .file = {.lock_fd = -1},
			   .until = clock_mono().ns + LONGEST_NS};
	if (cli_open_ledger(&v->cli, &v->file, err) < 0)
		return 503;
	sqlite3_progress_handler(v->file.db, STEPS, is_late, v);
	return viewer && read_buckets(v, err) < 0 ? 503 : 200;
}

void view_close(struct view *v)
{
	usage_buckets_free(&v->buckets);
	if (v->file.db)
		ledger_file_close(&v->file);
}

static bool is_owner(const struct conf *conf, const char *owner)
{
	for (size_t i = 0; i < conf->owners.count; i++)
		if (strcmp(conf->owners.list[i].owner, owner) == 0)
			return true;
	return false;
}

static void take_fields(struct view *v, const struct fields *f)
{
	static const struct {
		enum cli_option_id id;
		const char *name;
	} options[] = {{OPTION_MONTH, "month"},    {OPTION_FROM, "from"},
		       {OPTION_TO, "to"},          {OPTION_BY, "by"},
		       {OPTION_OWNER, "owner"},    {OPTION_TOP, "top"},
		       {OPTION_COMMIT, "commit"},  {OPTION_PERCENTILE, "percentile"},
		       {OPTION_PROJECT, "project"}};
	const char *domain = fields_get(f, "domain");

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		v->cli.args.value[options[i].id] = fields_get(f, options[i].name);
	v->word[0] = (char *)(uintptr_t)domain; /* which nobody changes */
	v->cli.args.words = v->word;
	v->cli.args.count = domain != NULL;
}

/* May the viewer ask so? */
static int check(const struct view *v, char **err)
{
	const char *owner = v->cli.args.value[OPTION_OWNER];
	int rc;

	if (v->viewer->owner && !is_owner(&v->cli.conf, v->viewer->owner)) {
		err_set(err, "no domain is yours: the configuration has no owner `%s` any more",
			v->viewer->owner);
		return 403;
	}
	if (owner && v->viewer->owner && strcmp(owner, v->viewer->owner) != 0) {
		err_set(err, "what others have is not yours to see");
		return 403;
	}
	if (owner && !is_owner(&v->cli.conf, owner)) {
		err_set(err, "the configuration has no owner `%s`", owner);
		return 404;
	}
	rc = v->cli.args.count == 0 || usage_bucket_named(&v->buckets, v->cli.args.words[0]) ? 200 : 404;
	if (rc != 200)
		err_set(err, "there is no domain `%s`", v->cli.args.words[0]);
	return rc;
}

static int read_rows(struct view *v, struct report_rows *r, char **err)
{
	if (v->viewer->owner)
		r->owner = v->viewer->owner;
	r->is_late = is_late;
	r->ctx = v;
	return report_rows_read(r, &v->cli.conf, v->file.db, err) < 0 ? 503 : 200;
}

int view_report(struct view *v, const struct fields *f, struct report_rows *r, size_t *most, char **err)
{
	int status;

	*r = (struct report_rows){0};
	take_fields(v, f);
	status = check(v, err);
	if (status != 200)
		return status;
	if (report_question(&v->cli, r, most, err) < 0)
		return 400;
	return read_rows(v, r, err);
}

int view_report_by(struct view *v, const struct fields *f, const char *by, struct report_rows *r, char **err)
{
	size_t most;

	take_fields(v, f);
	v->cli.args.value[OPTION_BY] = by;
	if (report_question(&v->cli, r, &most, err) < 0)
		return 400;
	return read_rows(v, r, err);
}
