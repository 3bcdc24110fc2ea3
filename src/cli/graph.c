/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * graph: `xenbw graph`, a picture of a bucket's RRD file, or of several stacked on each other, drawn by
 * xenbw-graph.
 *
 * This program does not link librrd: it finds the files and the names, and hands them on.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/percentile.h"
#include "cli/rights.h"
#include "cli/spawn.h"

#define DEFAULT_FROM "-1d"

enum { COLUMN_BUCKET, COLUMN_FILE, COLUMN_OWNER, COLUMN_COUNT };

static const struct out_column graph_columns[COLUMN_COUNT] = {
	[COLUMN_BUCKET] = {"bucket", "BUCKET", OUT_TEXT, 0},
	[COLUMN_FILE] = {"file", "FILE", OUT_TEXT, 0},
	[COLUMN_OWNER] = {"owner", "OWNER", OUT_TEXT, 0},
};

/* What is to be drawn. */
struct graph {
	const struct cli *cli;
	const char *label, *owner; /* neither: all of the host */
	const char *from, *to;     /* in RRDtool's words; to may be NULL */
	char *out;
	bool svg;
	struct usage_buckets buckets;
	const struct usage_bucket **list; /* that are drawn */
	char **files;                     /* theirs */
	size_t count;
	char *percentile; /* for xenbw-graph, or NULL */
};

/* A growing vector for exec; its texts are its own. */
struct vector {
	char **list;
	size_t count;
};

static void push(struct vector *v, const char *text)
{
	v->list = mem_resize(v->list, v->count + 2, sizeof(*v->list));
	v->list[v->count++] = mem_strdup(text);
	v->list[v->count] = NULL;
}

static void push_option(struct vector *v, const char *name, const char *value)
{
	if (!value)
		return;
	push(v, name);
	push(v, value);
}

static void free_vector(struct vector *v)
{
	for (size_t i = 0; i < v->count; i++)
		free(v->list[i]);
	free(v->list);
}

/* ---- the question ---- */

/* The words of --span, as RRDtool calls them. */
static const char *span_from(const char *span)
{
	static const char *const spans[][2] = {
		{"day", "-1d"}, {"week", "-1w"}, {"month", "-1month"}, {"year", "-1y"}};

	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
		if (strcmp(span, spans[i][0]) == 0)
			return spans[i][1];
	return NULL;
}

static bool ends_in(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);

	return length > tail && strcasecmp(text + length - tail, end) == 0;
}

/* "./web_1d.png"; the middle is the span where --from is one, such as -1w. */
static char *default_out(const char *label, const char *from, bool svg)
{
	const char *span = from[0] == '-' ? from + 1 : "";
	char *tail, *name, *path;

	for (const char *s = span; *s; s++)
		if (!isalnum((unsigned char)*s))
			span = "";
	tail = mem_printf("%s%s.%s", *span ? "_" : "", span, svg ? "svg" : "png");
	name = text_filename(label, strlen(tail) < 200 ? strlen(tail) : 200);
	path = mem_printf("./%s%s", name, tail);
	free(name);
	free(tail);
	return path;
}

/* A usage error where it makes no sense. */
static int understand(struct graph *g, char **err)
{
	const char *const *value = g->cli->args.value;
	const char *span = value[OPTION_SPAN], *theme = value[OPTION_THEME];

	if (g->label && g->owner)
		return err_set(err, "graph: a bucket or --owner, not both");
	if (span && value[OPTION_FROM])
		return err_set(err, "graph: --span or --from, not both");
	if (span && !span_from(span))
		return err_set(err, "graph: --span takes day, week, month or year, not `%s`", span);
	if (theme && strcmp(theme, "light") != 0 && strcmp(theme, "dark") != 0)
		return err_set(err, "graph: --theme takes light or dark, not `%s`", theme);
	if (value[OPTION_LEGEND] && g->cli->format != OUT_TERMINAL)
		return err_set(err, "graph: --legend is for people: without --json and --csv");
	if (value[OPTION_TOP] && g->label)
		return err_set(err, "graph: --top is about several domains, and `%s` is one", g->label);
	g->from = span ? span_from(span) : value[OPTION_FROM] ? value[OPTION_FROM] : DEFAULT_FROM;
	g->to = value[OPTION_TO];
	g->svg = value[OPTION_SVG] || (value[OPTION_OUT] && ends_in(value[OPTION_OUT], ".svg"));
	g->out = value[OPTION_OUT] ? mem_strdup(value[OPTION_OUT])
				   : default_out(g->label   ? g->label
						 : g->owner ? g->owner
							    : "host",
						 g->from, g->svg);
	return 0;
}

/* ---- buckets and their files ---- */

static char *rrd_path(const struct cli *cli, const char *label)
{
	char *name = text_filename(label, strlen(".rrd")), *path;

	path = mem_printf("%s/%s.rrd", cli->conf.rrd_dir, name);
	free(name);
	return path;
}

static void take_bucket(struct graph *g, const struct usage_bucket *bucket, char *file)
{
	g->list = mem_resize(g->list, g->count + 1, sizeof(*g->list));
	g->files = mem_resize(g->files, g->count + 1, sizeof(*g->files));
	g->list[g->count] = bucket;
	g->files[g->count++] = file;
}

static int take_one(struct graph *g, char **err)
{
	const struct usage_bucket *bucket = cli_bucket(&g->buckets, g->label, err);
	char *path;

	if (!bucket)
		return -1;
	path = rrd_path(g->cli, g->label);
	take_bucket(g, bucket, path);
	if (rights_to_read(path, "the RRD file", true, err) < 0)
		return -1;
	if (access(path, R_OK) < 0)
		return err_set(err,
			       "there is no RRD file of `%s` yet (%s: %s); xenbwd writes it when a slot of "
			       "five minutes is complete",
			       g->label, path, strerror(errno));
	return 0;
}

/* All whose labels are theirs today, and who have a file. */
static int take_several(struct graph *g, char **err)
{
	const struct billing_owners *owners = &g->cli->conf.owners;

	if (g->owner && !billing_has_owner(owners, g->owner))
		return err_set(err, "the configuration has no owner `%s`; see `owner` in xenbw.conf(5)",
			       g->owner);
	for (size_t i = 0; i < g->buckets.count; i++) {
		const struct usage_bucket *bucket = &g->buckets.list[i];
		const char *owner = billing_owner_of(owners, bucket->label);
		char *path;

		if (!bucket->present || (g->owner && (!owner || strcmp(owner, g->owner) != 0)))
			continue;
		path = rrd_path(g->cli, bucket->label);
		if (rights_to_read(path, "the RRD file", true, err) < 0) {
			free(path);
			return -1;
		}
		if (access(path, R_OK) == 0)
			take_bucket(g, bucket, path);
		else
			free(path);
	}
	if (g->count)
		return 0;
	return err_set(err,
		       "there is no RRD file of %s yet in %s; xenbwd writes them when a slot of five minutes "
		       "is complete",
		       g->owner ? "this owner's domains" : "any domain", g->cli->conf.rrd_dir);
}

/* ---- the percentile ---- */

/* "FROM TO\n" */
static bool read_times(const char *text, int64_t *from, int64_t *to)
{
	char *end;

	errno = 0;
	*from = strtoll(text, &end, 10);
	if (errno || end == text || *end != ' ')
		return false;
	text = end + 1;
	*to = strtoll(text, &end, 10);
	return !errno && end != text && *end == '\n';
}

/* The times, as xenbw-graph understands them: it alone has RRDtool's words. */
static int ask_times(const struct graph *g, int64_t *from, int64_t *to, char **err)
{
	struct vector v = {0};
	char *answer = NULL;
	int status;

	push(&v, "xenbw-graph");
	push(&v, "--times");
	push_option(&v, "--from", g->from);
	push_option(&v, "--to", g->to);
	status = spawn_run(v.list[0], (const char *const *)v.list, 60000, &answer, err);
	free_vector(&v);
	if (status < 0)
		return -1;
	if (status != 0 || !read_times(answer, from, to)) {
		free(answer);
		return err_set(err, "graph: no times that RRDtool knows: from `%s` to `%s`", g->from,
			       g->to ? g->to : "now");
	}
	free(answer);
	return 0;
}

/* From the ledger, as `report --percentile` has it: RRD files keep slots for two days. */
static int find_percentile(struct graph *g, sqlite3 *db, char **err)
{
	int64_t *ids = mem_array(g->count, sizeof(*ids)), from = 0, to = 0;
	struct usage_slots slots;
	struct percentile p;
	int rc = ask_times(g, &from, &to, err);

	for (size_t i = 0; i < g->count; i++)
		ids[i] = g->list[i]->id;
	if (rc == 0)
		rc = usage_read_slots(db, from - from % 300, to - to % 300, ids, g->count, &slots, err);
	free(ids);
	if (rc < 0)
		return -1;
	p = percentile_of(&slots, UINT64_MAX);
	usage_slots_free(&slots);
	if (p.observed)
		g->percentile = mem_printf("%" PRIu64 ":%" PRIu64, percentile_rate(p.bytes[DIR_INPUT]),
					   percentile_rate(p.bytes[DIR_OUTPUT]));
	return 0;
}

static int read_ledger(struct graph *g, char **err)
{
	struct ledger_file file;
	int rc;

	if (cli_open_ledger(g->cli, &file, err) < 0)
		return -1;
	rc = usage_read_buckets(file.db, &g->buckets, err);
	if (rc == 0 && !g->cli->conf.rrd_dir)
		rc = err_set(err, "graphs need RRD files, and the configuration says `rrd_dir none`");
	if (rc == 0)
		rc = g->label ? take_one(g, err) : take_several(g, err);
	if (rc == 0 && g->cli->args.value[OPTION_PERCENTILE])
		rc = find_percentile(g, file.db, err);
	ledger_file_close(&file);
	return rc;
}

/* ---- the picture ---- */

static char *title_of(const struct graph *g)
{
	char host[256] = "";

	if (g->label)
		return mem_strdup(g->label);
	if (g->owner)
		return mem_printf("%s: %zu domain%s", g->owner, g->count, g->count == 1 ? "" : "s");
	if (gethostname(host, sizeof(host) - 1) < 0 || !host[0])
		return mem_strdup("All domains");
	return mem_printf("%s: all domains", host);
}

static int draw(const struct graph *g, char **err)
{
	const char *const *value = g->cli->args.value;
	char *title = title_of(g);
	struct vector v = {0};
	int status;

	push(&v, "xenbw-graph");
	for (size_t i = 0; i < g->count; i++) {
		push_option(&v, "--rrd", g->files[i]);
		push_option(&v, "--name", g->list[i]->label);
	}
	if (!g->label)
		push(&v, "--stack");
	push_option(&v, "--out", g->out);
	push_option(&v, "--title", title);
	push_option(&v, "--from", g->from);
	push_option(&v, "--to", g->to);
	push_option(&v, "--zoom", value[OPTION_ZOOM]);
	push_option(&v, "--top", value[OPTION_TOP]);
	push_option(&v, "--percentile", g->percentile);
	if (g->svg)
		push(&v, "--svg");
	if (value[OPTION_LEGEND])
		push(&v, "--legend");
	if (value[OPTION_THEME] && strcmp(value[OPTION_THEME], "dark") == 0)
		push(&v, "--dark");
	status = spawn_run(v.list[0], (const char *const *)v.list, -1, NULL, err);
	free_vector(&v);
	free(title);
	return status < 0 ? CLI_FAILED : status; /* xenbw-graph says itself what is wrong */
}

static int tell(const struct graph *g, char **err)
{
	struct out_table *t;
	int status;

	if (g->cli->format == OUT_TERMINAL) {
		puts(g->out);
		return CLI_OK;
	}
	t = out_new(graph_columns, COLUMN_COUNT);
	out_head_text(t, "command", "graph");
	out_row(t);
	out_text(t, COLUMN_BUCKET, g->label);
	out_text(t, COLUMN_FILE, g->out);
	out_text(t, COLUMN_OWNER, g->owner);
	status = cli_write(g->cli, t, "graphs", err);
	out_free(t);
	return status;
}

static void free_graph(struct graph *g)
{
	for (size_t i = 0; i < g->count; i++)
		free(g->files[i]);
	free(g->files);
	free(g->list);
	free(g->out);
	free(g->percentile);
	usage_buckets_free(&g->buckets);
}

int cli_graph(struct cli *cli, char **err)
{
	struct graph g = {.cli = cli,
			  .label = cli->args.count ? cli->args.words[0] : NULL,
			  .owner = cli->args.value[OPTION_OWNER]};
	int status = CLI_FAILED;

	if (cli_configure(cli, err) < 0)
		return CLI_FAILED;
	if (understand(&g, err) < 0)
		status = CLI_USAGE;
	else if (read_ledger(&g, err) == 0)
		status = draw(&g, err);
	if (status == CLI_OK)
		status = tell(&g, err);
	free_graph(&g);
	return status;
}
