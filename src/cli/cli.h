/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cli: what every command is handed, and the few things all of them do.
 *
 * Commands write their table to standard output and notes to standard error; errors they return.
 */
#ifndef XENBW_CLI_H
#define XENBW_CLI_H

#include <stdint.h>
#include <stdio.h>

#include "cli/args.h"
#include "cli/out.h"
#include "cli/period.h"
#include "config/conf.h"
#include "db/ledger_file.h"
#include "db/usage.h"

/* Exit statuses, promised in xenbw(8). */
enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

struct cli {
	struct cli_args args;
	struct conf conf;
	enum out_format format;
	struct out_screen screen;
	FILE *to;    /* where tables go: standard output */
	int64_t now; /* UTC */
};

/* Reads the command line. Release with cli_close, whatever it returned: 0, or -1 with a usage error. */
int cli_open(struct cli *cli, int argc, char **argv, char **err);
void cli_close(struct cli *cli);

/* Looks anew how wide the terminal is. */
void cli_resize(struct cli *cli);

/* Reads the configuration and sets the time zone. Help and the like do without. */
int cli_configure(struct cli *cli, char **err);

/* A line on standard error that is no error. */
void cli_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A line for people, on standard output; where their screen is too narrow it goes on below. */
void cli_say(const struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The period that --month, or --from and --to, ask for; this month where none does, and it begins on the
 * domain's billing_day. A usage error. Where an edge went back to a slot's start a note says so. */
int cli_period(const struct cli *cli, const char *domain, struct period *out, char **err);

/* "Period … to … (time zone: …)" and up to when the ledger reaches, for people. */
void cli_say_period(const struct cli *cli, const struct period *p, const struct usage_run *run);

/* Since when nobody has observed: the last commit, where a running xenbwd would have made another one by now;
 * -1: it may well run, or never has. */
int64_t cli_silent_since(const struct cli *cli, const struct usage_run *run);

/* Opens the ledger: 0, 1 (and no error) where there is none, -1. */
int cli_find_ledger(const struct cli *cli, struct ledger_file *f, char **err);

/* Opens the ledger; where there is none that is an error that says what to do. -1 on errors. */
int cli_open_ledger(const struct cli *cli, struct ledger_file *f, char **err);

/* The bucket with this label; NULL with an error that offers the nearest ones. */
const struct usage_bucket *cli_bucket(const struct usage_buckets *buckets, const char *label, char **err);

/* Writes the table to `to` as --json, --csv or neither asks. An exit status. */
int cli_write(const struct cli *cli, const struct out_table *t, const char *rows, char **err);

#endif
