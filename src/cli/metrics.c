/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/metrics.h"
#include "cli/period.h"
#include "cli/report_rows.h"
#include "db/usage_counters.h"
#include "ipc/control.h"

struct metrics {
	struct cli *cli;
	struct usage_counters counters;
	struct report_rows month;
	struct control_status daemon;
	bool asked, answers;
	bool openmetrics; /* 1.0, else Prometheus' text format 0.0.4 */
	FILE *out;
};

/* ---- the text ---- */

/* To OpenMetrics a counter is called without the ending that its samples have. */
static void put_head(const struct metrics *m, const char *name, const char *type, const char *help)
{
	size_t length = strlen(name);

	if (m->openmetrics && strcmp(type, "counter") == 0)
		length -= strlen("_total");
	fprintf(m->out, "# HELP %.*s %s\n# TYPE %.*s %s\n", (int)length, name, help, (int)length, name, type);
}

/* A label; `before` stands in front of it: "{" or ",". */
static void put_label(const struct metrics *m, const char *before, const char *name, const char *value)
{
	char *text = text_printable(value, strlen(value));

	fprintf(m->out, "%s%s=\"", before, name);
	for (const char *s = text; *s; s++)
		fprintf(m->out, "%s%c", *s == '"' || *s == '\\' ? "\\" : "", *s);
	fputc('"', m->out);
	free(text);
}

static const char *owner_of(const struct metrics *m, const char *bucket)
{
	const char *owner = billing_owner_of(&m->cli->conf.owners, bucket);

	return owner ? owner : "";
}

static void put_counters(const struct metrics *m)
{
	put_head(m, "xenbw_vif_bytes_total", "counter",
		 "IP bytes of a vif in the guest's view, of all classes, since the ledger began.");
	for (size_t i = 0; i < m->counters.count; i++)
		for (int d = 0; d < DIR_COUNT; d++) {
			const struct usage_counter *c = &m->counters.list[i];

			fputs("xenbw_vif_bytes_total", m->out);
			put_label(m, "{", "domain", c->domain);
			put_label(m, ",", "uuid", c->uuid);
			put_label(m, ",", "devid", c->devid);
			put_label(m, ",", "bucket", c->bucket);
			put_label(m, ",", "owner", owner_of(m, c->bucket));
			put_label(m, ",", "direction", direction_name((enum direction)d));
			fprintf(m->out, "} %" PRIu64 "\n", c->bytes[d]);
		}
}

static void put_month(const struct metrics *m)
{
	put_head(m, "xenbw_month_charged_bytes", "gauge",
		 "Charged bytes of a bucket in its present month; begins anew with each.");
	for (size_t i = 0; i < m->month.count; i++)
		for (int d = 0; d < DIR_COUNT; d++) {
			const struct report_row *row = &m->month.list[i];
			const uint64_t *classes = row->sums.classes.bytes[d];

			fputs("xenbw_month_charged_bytes", m->out);
			put_label(m, "{", "bucket", row->name);
			put_label(m, ",", "owner", owner_of(m, row->name));
			put_label(m, ",", "direction", direction_name((enum direction)d));
			fprintf(m->out, "} %" PRIu64 "\n",
				classes[CLASS_EXTERNAL] +
					(m->month.unattributed_charged ? classes[CLASS_UNATTRIBUTED] : 0));
		}
}

static void put_one(const struct metrics *m, const char *name, const char *type, const char *help,
		    uint64_t value)
{
	put_head(m, name, type, help);
	fprintf(m->out, "%s %" PRIu64 "\n", name, value);
}

static void put_health(const struct metrics *m)
{
	const struct control_status *s = &m->daemon;

	if (m->asked)
		put_one(m, "xenbw_up", "gauge", "Whether xenbwd answers.", m->answers);
	if (m->counters.run.seen >= 0)
		put_one(m, "xenbw_ledger_seen_timestamp_seconds", "gauge",
			"When xenbwd last wrote the ledger.", (uint64_t)m->counters.run.seen);
	put_head(m, "xenbw_sink_behind_takes", "gauge", "Takes of the ledger that a sink does not have yet.");
	for (size_t i = 0; i < m->counters.sink_count; i++) {
		fputs("xenbw_sink_behind_takes", m->out);
		put_label(m, "{", "sink", m->counters.sinks[i].name);
		fprintf(m->out, "} %" PRIu64 "\n", m->counters.sinks[i].behind);
	}
	if (!m->answers)
		return;
	put_one(m, "xenbw_start_timestamp_seconds", "gauge", "When xenbwd started.", (uint64_t)s->started);
	put_one(m, "xenbw_commit_failing", "gauge", "Whether the last commit to the ledger failed.",
		s->commit_failing != 0);
	put_one(m, "xenbw_xenstore_connected", "gauge", "Whether xenbwd reaches xenstore.",
		s->xenstore_connected != 0);
	put_one(m, "xenbw_split_failing", "gauge",
		"Whether nobody looks at the uplinks, though somebody should.",
		s->split == CONTROL_SPLIT_FAILING);
	put_one(m, "xenbw_missed_packets_total", "counter",
		"Packets that were not seen on an uplink since xenbwd started.", s->dropped);
	put_one(m, "xenbw_stray_bytes_total", "counter",
		"IP bytes that left under no guest's name since xenbwd started.", s->stray_bytes);
}

static void put_all(const struct metrics *m)
{
	put_head(m, "xenbw_build_info", "gauge", "The version of xenbw.");
	fputs("xenbw_build_info{version=\"" XENBW_VERSION "\"} 1\n", m->out);
	put_counters(m);
	put_month(m);
	put_health(m);
	if (m->openmetrics)
		fputs("# EOF\n", m->out);
}

/* ---- where it goes ---- */

/* Beside the file, and in its place once all of it is there. */
static int write_file(struct metrics *m, const char *path, char **err)
{
	char *beside = mem_printf("%s.%ld", path, (long)getpid());
	int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644), rc = 0;

	m->out = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!m->out) {
		rc = err_sys(err, "cannot write %s", beside);
	} else {
		put_all(m);
		if (fflush(m->out) != 0 || ferror(m->out) || fchmod(fd, 0644) < 0 || fsync(fd) < 0)
			rc = err_sys(err, "cannot write %s", beside);
		if (fclose(m->out) != 0 && rc == 0)
			rc = err_sys(err, "cannot write %s", beside);
		if (rc == 0 && rename(beside, path) < 0)
			rc = err_sys(err, "cannot put %s in place", path);
		if (rc < 0)
			(void)unlink(beside);
	}
	free(beside);
	return rc;
}

/* ---- what is in it ---- */

static int read_ledger(struct metrics *m, char **err)
{
	struct ledger_file file;
	int rc = cli_open_ledger(m->cli, &file, err);

	if (rc < 0)
		return -1;
	rc = usage_read_counters(file.db, &m->counters, err);
	if (rc == 0)
		rc = report_rows_check(&m->month, &m->cli->conf, err);
	if (rc == 0)
		rc = report_rows_read(&m->month, &m->cli->conf, file.db, err);
	ledger_file_close(&file);
	return rc;
}

static void ask_daemon(struct metrics *m)
{
	char *why = NULL;
	int rc = control_ask(m->cli->conf.control, &m->daemon, &why);

	m->asked = true;
	m->answers = rc == 0;
	if (rc < 0)
		cli_note("%s", why);
	free(why);
}

static struct metrics metrics_of(struct cli *cli, FILE *out)
{
	return (struct metrics){.cli = cli,
				.month = {.by = REPORT_BY_DOMAIN, .commitment = UINT64_MAX, .now = cli->now},
				.out = out};
}

static void release(struct metrics *m)
{
	report_rows_free(&m->month);
	usage_counters_free(&m->counters);
	free(m->daemon.vifs);
}

int metrics_write(struct cli *cli, FILE *out, char **err)
{
	struct metrics m = metrics_of(cli, out);
	int rc = read_ledger(&m, err);

	if (rc == 0)
		put_all(&m);
	release(&m);
	return rc;
}

int cli_metrics(struct cli *cli, char **err)
{
	struct metrics m = metrics_of(cli, stdout);
	const char *path = cli->args.value[OPTION_WRITE];
	int rc = cli_configure(cli, err);

	m.openmetrics = cli->args.value[OPTION_OPENMETRICS] != NULL;
	if (rc == 0)
		rc = read_ledger(&m, err);
	if (rc == 0) {
		ask_daemon(&m);
		if (path)
			rc = write_file(&m, path, err);
		else
			put_all(&m);
	}
	release(&m);
	return rc < 0 ? CLI_FAILED : CLI_OK;
}
