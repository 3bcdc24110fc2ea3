/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * commands: the one table of commands and options.
 *
 * The parser, --help, the shell completion and the test that the manual page is complete all come from it;
 * what it does not list does not exist.
 */
#ifndef XENBW_COMMANDS_H
#define XENBW_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

/* One id per option name, whatever commands have it. */
enum cli_option_id {
	OPTION_CONFIG,
	OPTION_LEDGER,
	OPTION_JSON,
	OPTION_CSV,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_ALL,
	OPTION_WATCH,
	OPTION_INTERVAL,
	OPTION_ONCE,
	OPTION_SORT,
	OPTION_FILTER,
	OPTION_WIDE,
	OPTION_BYTES,
	OPTION_MONTH,
	OPTION_FROM,
	OPTION_TO,
	OPTION_BY,
	OPTION_OWNER,
	OPTION_TOP,
	OPTION_PERCENTILE,
	OPTION_COMMIT,
	OPTION_PROJECT,
	OPTION_OUT,
	OPTION_SVG,
	OPTION_SPAN,
	OPTION_LEGEND,
	OPTION_THEME,
	OPTION_ZOOM,
	OPTION_DEFAULTS_FILE,
	OPTION_PRINT,
	OPTION_WRITE,
	OPTION_OPENMETRICS,
	OPTION_SHADOW,
	OPTION_COMPARE,
	OPTION_APPLY,
	OPTION_ROLLBACK,
	OPTION_CONFIRM,
	OPTION_PLAN,
	OPTION_UNDO,
	OPTION_RRD,
	OPTION_READERS_STOPPED,
	OPTION_ADMIN,
	OPTION_REMOVE,
	OPTION_COUNT
};

struct cli_option {
	const char *name; /* NULL ends an array of options */
	enum cli_option_id id;
	char letter;        /* 0 = none */
	const char *arg;    /* what it takes, NULL = nothing; "FILE" is completed as a path */
	const char *values; /* what the shell offers for it, or NULL */
	const char *help;
};

struct cli;
typedef int
cli_run_fn(struct cli *cli,
	   char **err); /* an exit status; where it is not 0, *err is set or a helper has said it */

enum cli_operand { OPERAND_NONE, OPERAND_BUCKET, OPERAND_COMMAND, OPERAND_WORD, OPERAND_FILE };

struct cli_command {
	const char *name; /* NULL ends the table */
	enum cli_operand operand;
	const char *operands; /* as help shows them, NULL = takes none */
	size_t least, most;   /* how many */
	const char *words;    /* OPERAND_WORD: the ones there are */
	bool tables;          /* understands --json and --csv */
	const char *summary;
	const char *more;     /* lines that help adds, or NULL */
	const char *examples; /* lines, each of them a command that works */
	const struct cli_option *options;
	cli_run_fn *run;
};

extern const struct cli_option cli_globals[];
extern const struct cli_command cli_commands[]; /* the first one is the default */

/* By name or unambiguous beginning; NULL with an error that names the nearest one and all there are. */
const struct cli_command *cli_command_named(const char *word, char **err);

/* ---- what the commands are ---- */

cli_run_fn cli_list_domains, cli_top, cli_report, cli_explain, cli_close_month, cli_bill, cli_quota,
	cli_graph, cli_db, cli_doctor, cli_metrics, cli_migrate, cli_rebucket, cli_web, cli_passwd,
	cli_completion, cli_help;

#endif
