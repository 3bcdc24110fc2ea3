/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/boot.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/commands.h"

#define INDENT 13 /* of what goes on below */

static const struct {
	const char *name;
	doctor_family_fn *look;
} families[] = {
	{"daemon", doctor_daemon}, {"ledger", doctor_ledger}, {"vifs", doctor_vifs},
	{"kernel", doctor_kernel}, {"mysql", doctor_mysql},   {"rrd", doctor_rrd},
	{"host", doctor_host},     {"rights", doctor_rights},
};

static const char *const words[DOCTOR_RESULTS] = {[DOCTOR_OK] = "ok",
						  [DOCTOR_UNCHECKED] = "not checked",
						  [DOCTOR_WARNING] = "warning",
						  [DOCTOR_ERROR] = "error"};

/* For machines: one word. */
static const char *const keys[DOCTOR_RESULTS] = {[DOCTOR_OK] = "ok",
						 [DOCTOR_UNCHECKED] = "unchecked",
						 [DOCTOR_WARNING] = "warning",
						 [DOCTOR_ERROR] = "error"};

/* ---- findings ---- */

void doctor_say(struct doctor *d, enum doctor_result result, const char *check, const char *todo,
		const char *fmt, ...)
{
	struct doctor_finding *f;
	va_list ap;

	d->list = mem_resize(d->list, d->count + 1, sizeof(*d->list));
	f = &d->list[d->count++];
	*f = (struct doctor_finding){
		.result = result, .family = d->family, .check = check, .todo = mem_strdup(todo)};
	va_start(ap, fmt);
	f->text = mem_vprintf(fmt, ap);
	va_end(ap);
}

void doctor_failed(struct doctor *d, const char *check, char *reason)
{
	doctor_say(d, DOCTOR_ERROR, check, NULL, "%s", reason ? reason : "it could not be looked at");
	free(reason);
}

bool doctor_lacks_ledger(struct doctor *d, const char *check)
{
	if (!d->has_ledger)
		doctor_say(d, DOCTOR_UNCHECKED, check, NULL,
			   d->no_ledger ? "the ledger cannot be read" : "there is no ledger");
	return !d->has_ledger;
}

/* ---- what is looked at ---- */

/* A configuration that is not for this person's eyes is not wrong; with one that is, nothing can be known. */
static void configure(struct doctor *d)
{
	const char *path =
		d->cli->args.value[OPTION_CONFIG] ? d->cli->args.value[OPTION_CONFIG] : CONF_DEFAULT_PATH;
	char *err = NULL;

	d->family = "host";
	if (cli_configure(d->cli, &err) == 0) {
		size_t count = d->cli->conf.warnings.count;

		if (count)
			doctor_say(d, DOCTOR_WARNING, "configuration", "see xenbw.conf(5)",
				   "%zu of its lines: %s", count, d->cli->conf.warnings.list[0]);
		else
			doctor_say(d, DOCTOR_OK, "configuration", NULL, "%s%s", path,
				   access(path, F_OK) == 0
					   ? ""
					   : " is not there: all settings have their defaults");
		return;
	}
	doctor_say(d, access(path, R_OK) < 0 && geteuid() != 0 ? DOCTOR_UNCHECKED : DOCTOR_ERROR,
		   "configuration", NULL, "%s; the defaults are taken in what follows", err);
	free(err);
	conf_free(&d->cli->conf);
	conf_init(&d->cli->conf);
	if (d->cli->args.value[OPTION_LEDGER])
		mem_replace(&d->cli->conf.ledger, d->cli->args.value[OPTION_LEDGER]);
}

static void open_ledger(struct doctor *d)
{
	char *err = NULL;
	int rc = cli_find_ledger(d->cli, &d->ledger, &d->no_ledger);

	d->has_ledger = rc == 0;
	if (rc == 0 && usage_read_vifs(d->ledger.db, d->boot, 0, 0, false, &d->known, &err) < 0) {
		d->has_ledger = false;
		ledger_file_close(&d->ledger);
		d->no_ledger = err;
	}
}

static void gather(struct doctor *d)
{
	int rc;

	configure(d);
	d->boot = boot_id(NULL);
	if (!d->boot)
		d->boot = mem_strdup("");
	open_ledger(d);
	rc = control_ask(d->cli->conf.control, &d->daemon, &d->no_daemon);
	d->answers = rc == 0;
	d->silent = rc == 1;
	d->has_live = live_read(&d->live, NULL, 0, &d->no_live) == 0;
}

static void release(struct doctor *d)
{
	for (size_t i = 0; i < d->count; i++) {
		free(d->list[i].text);
		free(d->list[i].todo);
	}
	free(d->list);
	if (d->has_live)
		live_free(&d->live);
	free(d->daemon.vifs);
	usage_vifs_free(&d->known);
	if (d->has_ledger)
		ledger_file_close(&d->ledger);
	free(d->no_live);
	free(d->no_daemon);
	free(d->no_ledger);
	free(d->boot);
}

/* ---- the answer ---- */

static size_t count_of(const struct doctor *d, enum doctor_result result)
{
	size_t n = 0;

	for (size_t i = 0; i < d->count; i++)
		n += d->list[i].result == result;
	return n;
}

enum { COLUMN_RESULT, COLUMN_FAMILY, COLUMN_CHECK, COLUMN_FOUND, COLUMN_TODO, COLUMN_COUNT };

static const struct out_column doctor_columns[COLUMN_COUNT] = {
	[COLUMN_RESULT] = {"result", NULL, OUT_TEXT, 0},   [COLUMN_FAMILY] = {"family", NULL, OUT_TEXT, 0},
	[COLUMN_CHECK] = {"check", NULL, OUT_TEXT, 0},     [COLUMN_FOUND] = {"found", NULL, OUT_TEXT, 0},
	[COLUMN_TODO] = {"what_to_do", NULL, OUT_TEXT, 0},
};

static int write_rows(const struct doctor *d, int status, char **err)
{
	struct out_table *t = out_new(doctor_columns, COLUMN_COUNT);
	int rc;

	out_head_text(t, "command", "doctor");
	out_head_time(t, "time", d->cli->now);
	out_head_number(t, "status", status);
	for (int r = 0; r < DOCTOR_RESULTS; r++)
		out_head_number(t, keys[r], (int64_t)count_of(d, (enum doctor_result)r));
	for (size_t i = 0; i < d->count; i++) {
		const struct doctor_finding *f = &d->list[i];

		out_row(t);
		out_text(t, COLUMN_RESULT, keys[f->result]);
		out_text(t, COLUMN_FAMILY, f->family);
		out_text(t, COLUMN_CHECK, f->check);
		out_text(t, COLUMN_FOUND, f->text);
		out_text(t, COLUMN_TODO, f->todo);
	}
	rc = cli_write(d->cli, t, "checks", err);
	out_free(t);
	return rc;
}

static void write_words(const struct doctor *d)
{
	for (size_t i = 0; i < d->count; i++) {
		const struct doctor_finding *f = &d->list[i];
		char *text = mem_printf("%s: %s%s%s", f->check, f->text, f->todo ? "; " : "",
					f->todo ? f->todo : "");
		char *shown = text_printable(text, strlen(text));

		printf("%-*s", INDENT, words[f->result]);
		out_indented(shown, INDENT, &d->cli->screen, stdout);
		free(shown);
		free(text);
	}
	printf("ok %zu, not checked %zu, warnings %zu, errors %zu\n", count_of(d, DOCTOR_OK),
	       count_of(d, DOCTOR_UNCHECKED), count_of(d, DOCTOR_WARNING), count_of(d, DOCTOR_ERROR));
}

int cli_doctor(struct cli *cli, char **err)
{
	struct doctor d = {.cli = cli, .ledger = {.lock_fd = -1}};
	int status, rc = CLI_OK;

	gather(&d);
	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
		d.family = families[i].name;
		families[i].look(&d);
	}
	status = count_of(&d, DOCTOR_ERROR) ? 2 : count_of(&d, DOCTOR_WARNING) ? 1 : 0;
	if (cli->format == OUT_TERMINAL)
		write_words(&d);
	else
		rc = write_rows(&d, status, err);
	release(&d);
	return rc == CLI_OK ? status : rc;
}
