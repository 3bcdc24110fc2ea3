/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/rebucket_rrd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "cli/rebucket_done.h"
#include "cli/rebucket_files.h"
#include "db/rrd.h"
#include "ipc/control.h"

/* What a line can do. */
enum fate { FATE_READY, FATE_DONE, FATE_REFUSED };

static const char *const fate_words[] = {"ready", "done", "refused"};

struct item {
	const struct rebucket_file *line;
	char *from, *to; /* names in the folder */
	enum fate fate;
	char *reason;        /* of FATE_REFUSED */
	int64_t last_update; /* -1: not known */
	struct stat st;
};

struct work {
	const struct cli *cli;
	struct rrd_dir dir;
	struct rebucket_files files;
	struct rebucket_done done;
	struct item *items; /* one for each line */
	size_t refused;
};

enum {
	COLUMN_LINE,
	COLUMN_ADDRESS,
	COLUMN_LABEL,
	COLUMN_FROM,
	COLUMN_TO,
	COLUMN_LAST,
	COLUMN_FATE,
	COLUMN_WHY,
	COLUMN_COUNT
};

static const struct out_column columns[COLUMN_COUNT] = {
	[COLUMN_LINE] = {"line", "LINE", OUT_NUMBER, 2},
	[COLUMN_ADDRESS] = {"address", "ADDRESS", OUT_TEXT, 0},
	[COLUMN_LABEL] = {"domain", "DOMAIN", OUT_TEXT, 0},
	[COLUMN_FROM] = {"file", NULL, OUT_TEXT, 0},
	[COLUMN_TO] = {"becomes", "BECOMES", OUT_TEXT, 1},
	[COLUMN_LAST] = {"last_update", "LAST UPDATE", OUT_TIME, 1},
	[COLUMN_FATE] = {"state", "STATE", OUT_TEXT, 0},
	[COLUMN_WHY] = {"reason", NULL, OUT_TEXT, 0},
};

/* ---- what is there ---- */

static void refuse(struct work *w, struct item *item, char *reason)
{
	item->fate = FATE_REFUSED;
	item->reason = reason;
	w->refused++;
}

/* 0, or -1 where nothing has the name. */
static int look(const struct work *w, const char *name, struct stat *st)
{
	return fstatat(w->dir.fd, name, st, AT_SYMLINK_NOFOLLOW);
}

static void judge(struct work *w, struct item *item, const struct rrd_state *state)
{
	const struct rebucket_file *l = item->line;
	struct stat to;
	bool there = look(w, item->to, &to) == 0;

	item->last_update = state->outcome.cause == RRD_FINE ? state->tail.last_update : -1;
	if (there && rebucket_done_has(&w->done, l->address, l->label, &to))
		item->fate = FATE_DONE;
	else if (state->outcome.cause != RRD_FINE)
		refuse(w, item, mem_printf("%s: %s", item->from, state->outcome.reason));
	else if (there)
		refuse(w, item,
		       mem_printf("%s is there already, and stays as it is. If xenbwd made it, the ledger "
				  "has what is in "
				  "it: move it away, and xenbwd adds that to the renamed file",
				  item->to));
	else if (look(w, item->from, &item->st) < 0)
		refuse(w, item, mem_printf("%s: %s", item->from, strerror(errno)));
}

static int judge_all(struct work *w, char **err)
{
	size_t count = w->files.count;
	const char **names = mem_array(count, sizeof(*names));
	struct rrd_state *states = mem_array(count, sizeof(*states));
	int rc;

	w->items = mem_array(count, sizeof(*w->items));
	for (size_t i = 0; i < count; i++) {
		struct item *item = &w->items[i];

		item->line = &w->files.list[i];
		item->from = rrd_file_name(item->line->address);
		item->to = rrd_file_name(item->line->label);
		names[i] = item->from;
	}
	rc = rrd_dir_read(&w->dir, names, count, states, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		judge(w, &w->items[i], &states[i]);
	free(states);
	free(names);
	return rc;
}

static void say_refused(const struct work *w)
{
	for (size_t i = 0; i < w->files.count; i++)
		if (w->items[i].fate == FATE_REFUSED)
			cli_note("line %zu: %s", w->items[i].line->number, w->items[i].reason);
}

/* ---- showing ---- */

static int show(const struct work *w, const char *path, char **err)
{
	struct out_table *t = out_new(columns, COLUMN_COUNT);
	int status;

	out_head_text(t, "command", "rebucket");
	out_head_time(t, "time", w->cli->now);
	out_head_text(t, "map", path);
	out_head_text(t, "rrd_dir", w->dir.path);
	for (size_t i = 0; i < w->files.count; i++) {
		const struct item *item = &w->items[i];

		out_row(t);
		out_number(t, COLUMN_LINE, item->line->number);
		out_text(t, COLUMN_ADDRESS, item->line->address);
		out_text(t, COLUMN_LABEL, item->line->label);
		out_text(t, COLUMN_FROM, item->from);
		out_text(t, COLUMN_TO, item->to);
		if (item->last_update >= 0)
			out_number(t, COLUMN_LAST, (uint64_t)item->last_update);
		out_text(t, COLUMN_FATE, fate_words[item->fate]);
		out_text(t, COLUMN_WHY, item->reason);
	}
	status = cli_write(w->cli, t, "files", err);
	out_free(t);
	if (status != CLI_OK || w->cli->format != OUT_TERMINAL)
		return status;
	say_refused(w);
	cli_say(w->cli, "Nothing is renamed yet: --apply does it, while xenbwd is stopped.");
	return CLI_OK;
}

/* ---- renaming ---- */

static int check_stopped(const struct cli *cli, char **err)
{
	struct control_status status = {0};
	int rc = control_ask(cli->conf.control, &status, err);

	free(status.vifs);
	if (rc == 0)
		return err_set(
			err,
			"xenbwd runs: it would make files anew that are being renamed; stop it first "
			"(systemctl stop xenbwd), and start it afterwards; it books what flowed meanwhile");
	return rc < 0 ? -1 : 0;
}

static int rename_in(const struct work *w, const char *from, const char *to, char **err)
{
	if (rrd_dir_rename(&w->dir, from, to, err) < 0)
		return -1;
	return fsync(w->dir.fd) < 0 ? err_sys(err, "cannot write RRD directory %s", w->dir.path) : 0;
}

static int apply(struct work *w, char **err)
{
	size_t renamed = 0;

	if (w->refused) {
		say_refused(w);
		err_set(err,
			"nothing is renamed: %zu of %zu lines cannot be done; put a # in front of them, or "
			"mend them",
			w->refused, w->files.count);
		return CLI_FAILED;
	}
	for (size_t i = 0; i < w->files.count; i++) {
		const struct item *item = &w->items[i];

		if (item->fate != FATE_READY)
			continue;
		if (rebucket_done_add(&w->done, item->line->address, item->line->label, &item->st, err) < 0 ||
		    rename_in(w, item->from, item->to, err) < 0) {
			err_add(err, "%zu files are renamed, and this one is not", renamed);
			return CLI_FAILED;
		}
		renamed++;
	}
	cli_say(w->cli,
		"Renamed: %zu files; done before: %zu. `xenbw rebucket --rrd --undo` takes them back; it "
		"needs %s.",
		renamed, w->files.count - renamed, w->done.path);
	return CLI_OK;
}

/* ---- taking back ---- */

/* Returns 1 if the file is to be renamed, 0 if it has its name already. */
static int look_back(const struct work *w, const struct rebucket_renamed *r, const char *from, const char *to,
		     char **err)
{
	struct stat st;

	if (look(w, to, &st) == 0 && r->device == st.st_dev && r->inode == st.st_ino)
		return 1;
	if (look(w, from, &st) == 0 && r->device == st.st_dev && r->inode == st.st_ino)
		return 0;
	return err_set(err,
		       "%s/%s is not the file that was renamed from %s (it was moved, copied or put back): "
		       "rename it by "
		       "hand, and take its line out of %s",
		       w->dir.path, to, from, w->done.path);
}

/* xenbwd makes a file of each bucket that its ledger knows, so one of the address may be there again. */
static int put_aside(const struct work *w, const struct rebucket_renamed *r, const char *from, char **err)
{
	char *label = mem_printf("%s~anew", r->address), *aside = rrd_file_name(label);
	struct stat st;
	int rc = 0;

	if (look(w, from, &st) == 0) {
		rc = rename_in(w, from, aside, err);
		if (rc == 0)
			cli_note("%s, which xenbwd made anew from the ledger meanwhile, is %s now; nobody "
				 "needs it",
				 from, aside);
	}
	free(aside);
	free(label);
	return rc;
}

/* Returns 1 if it renamed the file, or would. */
static int take_back(const struct work *w, const struct rebucket_renamed *r, bool only_look, char **err)
{
	char *from = rrd_file_name(r->address), *to = rrd_file_name(r->label);
	int rc = look_back(w, r, from, to, err);

	if (rc == 1 && !only_look && (put_aside(w, r, from, err) < 0 || rename_in(w, to, from, err) < 0))
		rc = -1;
	free(to);
	free(from);
	return rc;
}

/* The latest first; *renamed: how many were, or would be. */
static int take_all_back(const struct work *w, bool only_look, size_t *renamed, char **err)
{
	*renamed = 0;
	for (size_t i = w->done.count; i-- > 0;) {
		int rc = take_back(w, &w->done.list[i], only_look, err);

		if (rc < 0)
			return -1;
		*renamed += rc == 1;
	}
	return 0;
}

static int undo(const struct work *w, const char *path, char **err)
{
	size_t renamed;

	if (!w->done.count) {
		err_set(err, "there is nothing to take back: no file was renamed by %s", path);
		return CLI_FAILED;
	}
	if (take_all_back(w, true, &renamed, err) < 0 || take_all_back(w, false, &renamed, err) < 0)
		return CLI_FAILED;
	if (unlink(w->done.path) < 0) {
		err_sys(err, "cannot remove %s", w->done.path);
		return CLI_FAILED;
	}
	cli_say(w->cli, "Taken back: %zu files.", renamed);
	return CLI_OK;
}

/* ---- words ---- */

static int plan(const struct cli *cli, const char *path, char **err)
{
	struct rebucket_files_planned done = {0};
	struct rebucket_spans spans = {0};
	struct ledger_file file;
	int rc;

	if (cli_open_ledger(cli, &file, err) < 0)
		return CLI_FAILED;
	rc = rebucket_spans_read(&spans, file.db, err);
	ledger_file_close(&file);
	if (rc == 0)
		rc = rebucket_files_plan(&spans, cli->conf.rrd_dir, path, &done, err);
	rebucket_spans_free(&spans);
	if (rc < 0)
		return CLI_FAILED;
	cli_say(cli,
		"%s: %zu lines by what the ledger saw, %zu for you to decide. Read it, then: xenbw rebucket "
		"--rrd %s",
		path, done.lines, done.undecided, path);
	return CLI_OK;
}

static int with_folder(struct work *w, const char *path, char **err)
{
	const char *const *value = w->cli->args.value;

	if (value[OPTION_UNDO])
		return undo(w, path, err);
	if (judge_all(w, err) < 0)
		return CLI_FAILED;
	return value[OPTION_APPLY] ? apply(w, err) : show(w, path, err);
}

static int work(struct work *w, const char *path, char **err)
{
	const struct cli *cli = w->cli;
	const char *const *value = cli->args.value;
	int status;

	if ((value[OPTION_APPLY] || value[OPTION_UNDO]) && check_stopped(cli, err) < 0)
		return CLI_FAILED;
	if (value[OPTION_APPLY] && cli->conf.bucket != BUCKET_DOMAIN) {
		err_set(err, "by this configuration xenbwd writes files of addresses (bucket ip), and would "
			     "make them anew; "
			     "write `bucket domain` into it first");
		return CLI_FAILED;
	}
	if ((!value[OPTION_UNDO] && rebucket_files_read(&w->files, path, err) < 0) ||
	    rebucket_done_read(&w->done, path, err) < 0 || rrd_dir_open(&w->dir, cli->conf.rrd_dir, err) < 0)
		return CLI_FAILED;
	status = with_folder(w, path, err);
	rrd_dir_close(&w->dir);
	return status;
}

int rebucket_rrd(const struct cli *cli, char **err)
{
	struct work w = {.cli = cli};
	const char *path = cli->args.words[0];
	int status;

	if (!cli->conf.rrd_dir || access(cli->conf.rrd_dir, F_OK) < 0) {
		err_set(err,
			"rebucket --rrd: there is no folder of RRD files%s%s; see rrd_dir in xenbw.conf(5)",
			cli->conf.rrd_dir ? " " : "", cli->conf.rrd_dir ? cli->conf.rrd_dir : "");
		return CLI_FAILED;
	}
	status = cli->args.value[OPTION_PLAN] ? plan(cli, path, err) : work(&w, path, err);
	for (size_t i = 0; w.items && i < w.files.count; i++) {
		free(w.items[i].from);
		free(w.items[i].to);
		free(w.items[i].reason);
	}
	free(w.items);
	rebucket_files_free(&w.files);
	rebucket_done_free(&w.done);
	return status;
}
