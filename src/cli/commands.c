/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/commands.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "cli/nearest.h"

const struct cli_option cli_globals[] = {
	{.name = "config",
	 .id = OPTION_CONFIG,
	 .letter = 'c',
	 .arg = "FILE",
	 .help = "read this configuration instead of /etc/xenbw/xenbw.conf"},
	{.name = "ledger",
	 .id = OPTION_LEDGER,
	 .arg = "FILE",
	 .help = "read this ledger, whatever the configuration says"},
	{.name = "json", .id = OPTION_JSON, .help = "write JSON: exact integers, UTC times"},
	{.name = "csv", .id = OPTION_CSV, .help = "write CSV with a line of headings"},
	{.name = "help",
	 .id = OPTION_HELP,
	 .letter = 'h',
	 .help = "show help, with a command for that command"},
	{.name = "version", .id = OPTION_VERSION, .letter = 'V', .help = "show the version"},
	{0},
};

/* Options that several commands have mean the same in each of them. */
#define WIDE                                                                                                 \
	{                                                                                                    \
		.name = "wide", .id = OPTION_WIDE, .help = "show every column, however wide the terminal is" \
	}
#define BYTES                                                                                   \
	{                                                                                       \
		.name = "bytes", .id = OPTION_BYTES, .help = "show exact numbers without units" \
	}

#define INTERVAL                                                             \
	{                                                                    \
		.name = "interval", .id = OPTION_INTERVAL, .arg = "SECONDS", \
		.help = "time between two looks, 2 if not given"             \
	}

static const struct cli_option list_options[] = {
	{.name = "all", .id = OPTION_ALL, .help = "show vifs that are gone, too"},
	{.name = "watch", .id = OPTION_WATCH, .help = "draw it again and again, until q"},
	INTERVAL,
	WIDE,
	BYTES,
	{0},
};

static const struct cli_option top_options[] = {
	INTERVAL,
	{.name = "sort",
	 .id = OPTION_SORT,
	 .arg = "WHAT",
	 .values = "rate input output name",
	 .help = "rate (the default), input, output or name"},
	{.name = "filter",
	 .id = OPTION_FILTER,
	 .arg = "TEXT",
	 .help = "only domains and devices with this in their name"},
	{.name = "once", .id = OPTION_ONCE, .help = "write one table, of one second or --interval"},
	WIDE,
	BYTES,
	{0},
};

#define PERIOD                                                           \
	{.name = "month",                                                \
	 .id = OPTION_MONTH,                                             \
	 .arg = "MONTH",                                                 \
	 .values = "this last",                                          \
	 .help = "this (the default), last or YYYY-MM"},                 \
		{.name = "from",                                         \
		 .id = OPTION_FROM,                                      \
		 .arg = "TIME",                                          \
		 .help = "begin at YYYY-MM-DD or \"YYYY-MM-DD HH:MM\""}, \
	{                                                                \
		.name = "to", .id = OPTION_TO, .arg = "TIME",            \
		.help = "end just before this time; now if not given"    \
	}

static const struct cli_option report_options[] = {
	PERIOD,
	{.name = "by",
	 .id = OPTION_BY,
	 .arg = "WHAT",
	 .values = "domain address vif owner class",
	 .help = "domain (bucket; the default), address, vif, owner, class"},
	{.name = "owner", .id = OPTION_OWNER, .arg = "NAME", .help = "only domains of this owner"},
	{.name = "top", .id = OPTION_TOP, .arg = "N", .help = "show the N rows with the most bytes"},
	{.name = "percentile",
	 .id = OPTION_PERCENTILE,
	 .help = "show the 95th percentile of five-minute slots"},
	{.name = "commit",
	 .id = OPTION_COMMIT,
	 .arg = "RATE",
	 .help = "the same, and count slots above this many bit/s (10M)"},
	{.name = "project", .id = OPTION_PROJECT, .help = "show what the total will be at the period's end"},
	WIDE,
	BYTES,
	{0},
};

static const struct cli_option explain_options[] = {
	PERIOD,
	{0},
};

static const struct cli_option close_options[] = {WIDE, BYTES, {0}};

static const struct cli_option bill_options[] = {
	{.name = "owner", .id = OPTION_OWNER, .arg = "NAME", .help = "only this owner's lines"},
	WIDE,
	BYTES,
	{0},
};

static const struct cli_option quota_options[] = {WIDE, BYTES, {0}};

static const struct cli_option graph_options[] = {
	{.name = "owner", .id = OPTION_OWNER, .arg = "NAME", .help = "the domains of this owner, stacked"},
	{.name = "top",
	 .id = OPTION_TOP,
	 .arg = "N",
	 .help = "stacked: show the N largest (8) and the others"},
	{.name = "out",
	 .id = OPTION_OUT,
	 .arg = "FILE",
	 .help = "write to this file (.svg: as SVG), not to ./BUCKET_1d.png"},
	{.name = "svg", .id = OPTION_SVG, .help = "draw SVG, not PNG"},
	{.name = "span",
	 .id = OPTION_SPAN,
	 .arg = "SPAN",
	 .values = "day week month year",
	 .help = "the last day (the default), week, month or year"},
	{.name = "from",
	 .id = OPTION_FROM,
	 .arg = "TIME",
	 .values = "-1d -1w -1month -1y",
	 .help = "begin at this time of rrdtool(1), -1d if not given"},
	{.name = "to",
	 .id = OPTION_TO,
	 .arg = "TIME",
	 .help = "end at this time of rrdtool(1), now if not given"},
	{.name = "percentile",
	 .id = OPTION_PERCENTILE,
	 .help = "with a line at the 95th percentile of five-minute slots"},
	{.name = "theme",
	 .id = OPTION_THEME,
	 .arg = "THEME",
	 .values = "light dark",
	 .help = "light (the default) or dark"},
	{.name = "zoom",
	 .id = OPTION_ZOOM,
	 .arg = "FACTOR",
	 .values = "1.5 2 3",
	 .help = "so many times as large, for screens with fine pixels"},
	{.name = "legend", .id = OPTION_LEGEND, .help = "print the figures of the legend, too"},
	{0},
};

static const struct cli_option db_options[] = {
	{.name = "defaults-file",
	 .id = OPTION_DEFAULTS_FILE,
	 .arg = "FILE",
	 .help = "be the admin of this option file of mysql(1)"},
	{.name = "print", .id = OPTION_PRINT, .help = "init: print the SQL, and do nothing"},
	{.name = "apply", .id = OPTION_APPLY, .help = "upgrade: do it, or go on with it"},
	{.name = "rollback", .id = OPTION_ROLLBACK, .help = "upgrade: take the old table back"},
	{.name = "confirm", .id = OPTION_CONFIRM, .help = "upgrade: drop the old table"},
	{0},
};

static const struct cli_option migrate_options[] = {
	{.name = "write",
	 .id = OPTION_WRITE,
	 .arg = "FILE",
	 .help = "make this xenbw.conf, which must not be there"},
	{.name = "shadow", .id = OPTION_SHADOW, .help = "one to run beside nacctd, with a table of its own"},
	{.name = "compare",
	 .id = OPTION_COMPARE,
	 .help = "compare nacctd's table with xenbw's, hour by hour"},
	PERIOD,
	{.name = "all", .id = OPTION_ALL, .help = "compare: show what is equal, too"},
	{.name = "defaults-file",
	 .id = OPTION_DEFAULTS_FILE,
	 .arg = "FILE",
	 .help = "be the admin of this option file of mysql(1)"},
	WIDE,
	BYTES,
	{0},
};

static const struct cli_option metrics_options[] = {
	{.name = "write",
	 .id = OPTION_WRITE,
	 .arg = "FILE",
	 .help = "write this file as a whole, for node_exporter (*.prom)"},
	{.name = "openmetrics",
	 .id = OPTION_OPENMETRICS,
	 .help = "write OpenMetrics 1.0, not Prometheus' text format"},
	{0},
};

static const struct cli_option rebucket_options[] = {
	{.name = "plan", .id = OPTION_PLAN, .help = "write the map, by what the ledger saw"},
	{.name = "apply", .id = OPTION_APPLY, .help = "move the rows"},
	{.name = "undo", .id = OPTION_UNDO, .help = "take back all that was moved"},
	{.name = "rrd", .id = OPTION_RRD, .help = "RRD files, not rows of MySQL's table"},
	{.name = "readers-stopped",
	 .id = OPTION_READERS_STOPPED,
	 .help = "what reads by address does not run now"},
	{.name = "defaults-file",
	 .id = OPTION_DEFAULTS_FILE,
	 .arg = "FILE",
	 .help = "be the admin of this option file of mysql(1)"},
	WIDE,
	BYTES,
	{0},
};

static const struct cli_option passwd_options[] = {
	{.name = "admin", .id = OPTION_ADMIN, .help = "one who sees all domains"},
	{.name = "owner",
	 .id = OPTION_OWNER,
	 .arg = "NAME",
	 .help = "one who sees this owner's; NAME if not given"},
	{.name = "remove", .id = OPTION_REMOVE, .help = "take the user away"},
	{0},
};

static const struct cli_option no_options[] = {{0}};

const struct cli_command cli_commands[] = {
	{.name = "list-domains",
	 .tables = true,
	 .summary = "what each vif does now, and has done this month",
	 .examples = "  xenbw\n"
		     "  xenbw list-domains --watch --interval 5\n"
		     "  xenbw list-domains --all --json\n",
	 .options = list_options,
	 .run = cli_list_domains},
	{.name = "top",
	 .tables = true,
	 .summary = "what each vif does now, the busiest first, live",
	 .examples = "  xenbw top --interval 1\n"
		     "  xenbw top --once --sort output --csv\n",
	 .options = top_options,
	 .run = cli_top},
	{.name = "report",
	 .operand = OPERAND_BUCKET,
	 .operands = "[BUCKET ...]",
	 .most = SIZE_MAX,
	 .tables = true,
	 .summary = "bytes of a month or another period, by bucket",
	 .examples = "  xenbw report --month last\n"
		     "  xenbw report --by owner --percentile\n"
		     "  xenbw report --from 2026-11-01 --to 2026-11-15 web db --csv\n",
	 .options = report_options,
	 .run = cli_report},
	{.name = "explain",
	 .operand = OPERAND_BUCKET,
	 .operands = "BUCKET",
	 .least = 1,
	 .most = 1,
	 .tables = true,
	 .summary = "how a bucket's bytes come from the kernel's counters",
	 .examples = "  xenbw explain web\n"
		     "  xenbw explain web --month last --json\n",
	 .options = explain_options,
	 .run = cli_explain},
	{.name = "close",
	 .operand = OPERAND_WORD,
	 .operands = "MONTH",
	 .least = 1,
	 .most = 1,
	 .words = "last",
	 .tables = true,
	 .summary = "keep what a month came to, for good; or correct that",
	 .examples = "  xenbw close last\n",
	 .options = close_options,
	 .run = cli_close_month},
	{.name = "bill",
	 .operand = OPERAND_WORD,
	 .operands = "MONTH",
	 .least = 1,
	 .most = 1,
	 .words = "last",
	 .tables = true,
	 .summary = "what a month was closed with, by owner",
	 .examples = "  xenbw bill last --owner acme --csv\n",
	 .options = bill_options,
	 .run = cli_bill},
	{.name = "quota",
	 .tables = true,
	 .summary = "how much of each quota is used, and will be",
	 .examples = "  xenbw quota\n"
		     "  xenbw quota --json | jq -r '.quotas[] | select(.percent >= 80) | .name'\n",
	 .options = quota_options,
	 .run = cli_quota},
	{.name = "graph",
	 .operand = OPERAND_BUCKET,
	 .operands = "[BUCKET]",
	 .most = 1,
	 .tables = true,
	 .summary = "draw the traffic of a bucket, or of all, into a file",
	 .examples = "  xenbw graph --span week\n"
		     "  xenbw graph web --span month --percentile --out web.svg\n"
		     "  xenbw graph --owner acme --theme dark --zoom 2\n",
	 .options = graph_options,
	 .run = cli_graph},
	{.name = "db",
	 .operand = OPERAND_WORD,
	 .operands = "init|status|upgrade",
	 .least = 1,
	 .most = 1,
	 .words = "init status upgrade",
	 .tables = true,
	 .summary = "make or upgrade the MySQL tables, or see their state",
	 .more = "  init    make what xenbw-writer needs at the server that the configuration\n"
		 "          names: database, two tables, the account mysql_user, its rights.\n"
		 "          What is there stays as it is. Needs an account that may do so:\n"
		 "          --defaults-file, else the configuration's own.\n"
		 "  status  show server, table and state, and how many takes wait to be\n"
		 "          written; ends with 1 where something is in xenbw-writer's way.\n"
		 "          Needs `database mysql` in the configuration.\n"
		 "  upgrade show what it takes to make a table of netacct's own one that\n"
		 "          xenbw-writer can add to: the SQL, the time, and the counters that\n"
		 "          stand at the end of their type. --apply does it, and goes on after\n"
		 "          any interruption; the old table is kept until --confirm.\n",
	 .examples = "  xenbw db init --print | less\n"
		     "  xenbw db init --defaults-file /etc/mysql/debian.cnf\n"
		     "  xenbw db status --json\n"
		     "  xenbw db upgrade --defaults-file /etc/mysql/debian.cnf --apply\n",
	 .options = db_options,
	 .run = cli_db},
	{.name = "doctor",
	 .tables = true,
	 .summary = "look at all parts: what is wrong, and what to do",
	 .more = "Ends with 0 where all is fine, 1 where there are warnings, 2 where there\n"
		 "are errors. Changes nothing. What could not be looked at is said, and no\n"
		 "error: run it as root to see all.\n",
	 .examples = "  xenbw doctor\n"
		     "  xenbw doctor --json\n",
	 .options = no_options,
	 .run = cli_doctor},
	{.name = "metrics",
	 .summary = "counters and health, for Prometheus",
	 .examples = "  xenbw metrics\n"
		     "  xenbw metrics --write /var/lib/prometheus/node-exporter/xenbw.prom\n",
	 .options = metrics_options,
	 .run = cli_metrics},
	{.name = "migrate",
	 .operand = OPERAND_FILE,
	 .operands = "NACCTTAB",
	 .least = 1,
	 .most = 1,
	 .tables = true,
	 .summary = "what becomes of nacctd's configuration",
	 .more = "Tells of each line what nacctd did with it and what xenbw does, whose each\n"
		 "address is and how that is known, and proposes a xenbw.conf. With --compare,\n"
		 "while both run: what each of them counted in each hour, and why they differ.\n"
		 "Changes nothing.\n",
	 .examples = "  xenbw migrate /usr/local/etc/naccttab\n"
		     "  xenbw migrate --shadow naccttab --write /etc/xenbw/xenbw.conf\n"
		     "  xenbw migrate --compare --from 2026-11-25 naccttab\n",
	 .options = migrate_options,
	 .run = cli_migrate},
	{.name = "rebucket",
	 .operand = OPERAND_FILE,
	 .operands = "[MAP]",
	 .most = 1,
	 .tables = true,
	 .summary = "put MySQL's rows or RRD files under domains' names",
	 .more = "Rows of an address become those of the domain that had it, in the hours that\n"
		 "the map says. Without an option it shows what would be moved. With --rrd the\n"
		 "RRD file of an address becomes the domain's, with all its history.\n",
	 .examples = "  xenbw rebucket --plan old.map\n"
		     "  xenbw rebucket old.map\n"
		     "  xenbw rebucket --apply --readers-stopped old.map\n"
		     "  xenbw rebucket --undo --readers-stopped\n"
		     "  xenbw rebucket --rrd --plan files.map\n"
		     "  xenbw rebucket --rrd --apply files.map\n",
	 .options = rebucket_options,
	 .run = cli_rebucket},
	{.name = "web",
	 .summary = "show all of it to a browser, until it is ended",
	 .more = "Listens at web_listen, 127.0.0.1:8427 if not set, as the user `user`.\n"
		 "`xenbw passwd` makes those who may log in. See xenbw.conf(5) for other hosts.\n",
	 .examples = "  xenbw web\n"
		     "  xenbw -c /etc/xenbw/xenbw.conf web\n",
	 .options = no_options,
	 .run = cli_web},
	{.name = "passwd",
	 .operand = OPERAND_WORD,
	 .operands = "NAME",
	 .least = 1,
	 .most = 1,
	 .words = "",
	 .summary = "let somebody log in at `xenbw web`",
	 .more = "Asks for a password; a user that is there gets a new one. From a pipe the\n"
		 "password is the first line.\n",
	 .examples = "  xenbw passwd --admin root\n"
		     "  xenbw passwd acme\n"
		     "  xenbw passwd --owner acme paul\n"
		     "  xenbw passwd --remove paul\n",
	 .options = passwd_options,
	 .run = cli_passwd},
	{.name = "completion",
	 .operand = OPERAND_WORD,
	 .operands = "bash|zsh|buckets",
	 .least = 1,
	 .most = 1,
	 .words = "bash zsh buckets",
	 .summary = "print the shell's completion, or the buckets",
	 .examples = "  xenbw completion bash > /etc/bash_completion.d/xenbw\n"
		     "  xenbw completion zsh > /usr/local/share/zsh/site-functions/_xenbw\n",
	 .options = no_options,
	 .run = cli_completion},
	{.name = "help",
	 .operand = OPERAND_COMMAND,
	 .operands = "[COMMAND]",
	 .most = 1,
	 .summary = "show help",
	 .examples = "  xenbw help report\n",
	 .options = no_options,
	 .run = cli_help},
	{0},
};

static size_t command_count(void)
{
	size_t n = 0;

	while (cli_commands[n].name)
		n++;
	return n;
}

static int unknown_command(const char *word, const char *what, char **err)
{
	size_t count = command_count();
	const char **names = mem_array(count, sizeof(*names));
	char *near, *all = mem_strdup(cli_commands[0].name);

	for (size_t i = 0; i < count; i++) {
		names[i] = cli_commands[i].name;
		if (i) {
			char *longer = mem_printf("%s, %s", all, names[i]);

			free(all);
			all = longer;
		}
	}
	near = nearest_names(word, names, count, 1);
	if (near)
		err_set(err, "%s command `%s`; did you mean `%s`? The commands are %s", what, word, near,
			all);
	else
		err_set(err, "%s command `%s`; the commands are %s", what, word, all);
	free(near);
	free(all);
	free(names);
	return -1;
}

const struct cli_command *cli_command_named(const char *word, char **err)
{
	const struct cli_command *found = NULL;
	size_t matches = 0;

	for (const struct cli_command *c = cli_commands; c->name; c++) {
		if (strcmp(c->name, word) == 0)
			return c;
		if (*word && strncmp(c->name, word, strlen(word)) == 0) {
			found = c;
			matches++;
		}
	}
	if (matches == 1)
		return found;
	unknown_command(word, matches ? "ambiguous" : "unknown", err);
	return NULL;
}
