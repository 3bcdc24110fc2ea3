/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * graph: `xenbw graph`, a picture of a bucket's RRD file, drawn by xenbw-graph.
 *
 * This program does not link librrd: it finds the file and the name, and hands them on.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/rights.h"
#include "cli/spawn.h"

#define DEFAULT_FROM "-1d"

enum { COLUMN_BUCKET, COLUMN_FILE, COLUMN_COUNT };

static const struct out_column graph_columns[COLUMN_COUNT] = {
	[COLUMN_BUCKET] = {"bucket", "BUCKET", OUT_TEXT, 0},
	[COLUMN_FILE] = {"file", "FILE", OUT_TEXT, 0},
};

/* Is there a bucket of this name? */
static int check_bucket(const struct cli *cli, const char *label, char **err)
{
	struct usage_buckets buckets;
	struct ledger_file file;
	int rc;

	if (cli_open_ledger(cli, &file, err) < 0)
		return -1;
	rc = usage_read_buckets(file.db, &buckets, err);
	ledger_file_close(&file);
	if (rc < 0)
		return -1;
	if (!cli_bucket(&buckets, label, err))
		rc = -1;
	usage_buckets_free(&buckets);
	return rc;
}

static char *rrd_of(const struct cli *cli, const char *label, char **err)
{
	char *name, *path;

	if (!cli->conf.rrd_dir) {
		err_set(err, "graphs need RRD files, and the configuration says `rrd_dir none`");
		return NULL;
	}
	name = text_filename(label, strlen(".rrd"));
	path = mem_printf("%s/%s.rrd", cli->conf.rrd_dir, name);
	free(name);
	if (rights_to_read(path, "the RRD file", true, err) < 0) {
		free(path);
		return NULL;
	}
	if (access(path, R_OK) < 0) {
		err_set(err,
			"there is no RRD file of `%s` yet (%s: %s); xenbwd writes it when a slot of five "
			"minutes is "
			"complete",
			label, path, strerror(errno));
		free(path);
		return NULL;
	}
	return path;
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

static int draw(const struct cli *cli, const char *label, const char *rrd, const char *out, char **err)
{
	const char *const *value = cli->args.value;
	const char *argv[16];
	size_t n = 0;
	int status;

	argv[n++] = "xenbw-graph";
	argv[n++] = "--rrd";
	argv[n++] = rrd;
	argv[n++] = "--out";
	argv[n++] = out;
	argv[n++] = "--title";
	argv[n++] = label;
	argv[n++] = "--from";
	argv[n++] = value[OPTION_FROM] ? value[OPTION_FROM] : DEFAULT_FROM;
	if (value[OPTION_TO]) {
		argv[n++] = "--to";
		argv[n++] = value[OPTION_TO];
	}
	if (value[OPTION_SVG])
		argv[n++] = "--svg";
	if (value[OPTION_DARK])
		argv[n++] = "--dark";
	argv[n] = NULL;
	status = spawn_run(argv[0], argv, -1, NULL, err);
	return status == 0 ? 0 : -1; /* xenbw-graph says itself what is wrong */
}

static int tell(const struct cli *cli, const char *label, const char *out, char **err)
{
	struct out_table *t;
	int status;

	if (cli->format == OUT_TERMINAL) {
		puts(out);
		return CLI_OK;
	}
	t = out_new(graph_columns, COLUMN_COUNT);
	out_head_text(t, "command", "graph");
	out_row(t);
	out_text(t, COLUMN_BUCKET, label);
	out_text(t, COLUMN_FILE, out);
	status = cli_write(cli, t, "graphs", err);
	out_free(t);
	return status;
}

int cli_graph(struct cli *cli, char **err)
{
	const char *label = cli->args.words[0], *from = cli->args.value[OPTION_FROM];
	char *rrd = NULL, *out = NULL;
	int status = CLI_FAILED;

	if (cli_configure(cli, err) < 0)
		return CLI_FAILED;
	if (cli->args.value[OPTION_OUT])
		out = mem_strdup(cli->args.value[OPTION_OUT]);
	else
		out = default_out(label, from ? from : DEFAULT_FROM, cli->args.value[OPTION_SVG] != NULL);
	if (check_bucket(cli, label, err) == 0 && (rrd = rrd_of(cli, label, err)) &&
	    draw(cli, label, rrd, out, err) == 0)
		status = tell(cli, label, out, err);
	free(rrd);
	free(out);
	return status;
}
