/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * completion: `xenbw completion bash`, the shell's completion made from the table of commands, and
 * `xenbw completion buckets`, the names that it offers for BUCKET.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/commands.h"

/* The words of an option: "--config -c". */
static void put_names(const struct cli_option *o, const char *between, const char *prefix)
{
	printf("%s--%s", prefix, o->name);
	if (o->letter)
		printf("%s%s-%c", between, prefix, o->letter);
}

static void put_option_words(const struct cli_option *options)
{
	for (const struct cli_option *o = options; o->name; o++) {
		putchar(' ');
		put_names(o, " ", "");
	}
}

/* case patterns of all options that take a value */
static void put_value_takers(void)
{
	const char *bar = "";

	for (const struct cli_command *c = NULL; !c || c->name; c = c ? c + 1 : cli_commands) {
		for (const struct cli_option *o = c ? c->options : cli_globals; o->name; o++)
			if (o->arg) {
				fputs(bar, stdout);
				put_names(o, " | ", "");
				bar = " | ";
			}
	}
}

/* What follows an option: a file, one of its words, or something that nobody can guess. */
static void put_values(const char *command, const struct cli_option *options)
{
	char *prefix = mem_printf("%s:", command);

	for (const struct cli_option *o = options; o->name; o++) {
		if (!o->arg)
			continue;
		putchar('\t');
		put_names(o, " | ", prefix);
		if (strcmp(o->arg, "FILE") == 0)
			puts(") _xenbw_files \"$cur\"; return ;;");
		else
			printf(") _xenbw_words \"$cur\" %s; return ;;\n", o->values ? o->values : "");
	}
	free(prefix);
}

static void put_operands(const struct cli_command *c)
{
	switch (c->operand) {
	case OPERAND_NONE:
		break;
	case OPERAND_BUCKET:
		printf("\t%s) _xenbw_buckets \"$cur\" ;;\n", c->name);
		break;
	case OPERAND_COMMAND:
		printf("\t%s) _xenbw_words \"$cur\" $commands ;;\n", c->name);
		break;
	case OPERAND_WORD:
		printf("\t%s) _xenbw_words \"$cur\" %s ;;\n", c->name, c->words);
		break;
	}
}

/* Readline takes what stands behind a ':' for a word of its own; candidates must begin there, too. */
static const char helpers[] = "# bash completion of xenbw(8), made by `xenbw completion bash`.\n"
			      "\n"
			      "_xenbw_words() {\n"
			      "\tlocal cur=$1\n"
			      "\tshift\n"
			      "\tmapfile -t COMPREPLY < <(compgen -W \"$*\" -- \"$cur\")\n"
			      "}\n"
			      "\n"
			      "_xenbw_files() {\n"
			      "\tcompopt -o filenames 2>/dev/null\n"
			      "\tmapfile -t COMPREPLY < <(compgen -f -- \"$1\")\n"
			      "}\n"
			      "\n"
			      "_xenbw_buckets() {\n"
			      "\tlocal name cut=\n"
			      "\t[[ $COMP_WORDBREAKS != *:* ]] || cut=${1%\"${1##*:}\"}\n"
			      "\twhile IFS= read -r name; do\n"
			      "\t\tprintf -v name %q \"$name\"\n"
			      "\t\t[[ $name != \"$1\"* ]] || COMPREPLY+=(\"${name#\"$cut\"}\")\n"
			      "\tdone < <(\"${words[0]}\" \"${where[@]}\" completion buckets 2>/dev/null)\n"
			      "}\n"
			      "\n";

static void put_bash(void)
{
	fputs(helpers, stdout);
	puts("_xenbw() {\n"
	     "\tlocal line=${COMP_LINE:0:COMP_POINT} cur= prev= command= word i j");
	fputs("\tlocal commands='", stdout);
	for (const struct cli_command *c = cli_commands; c->name; c++)
		printf("%s%s", c == cli_commands ? "" : " ", c->name);
	puts("'\n"
	     "\tlocal -a words=() where=()\n"
	     "\tCOMPREPLY=()\n"
	     "\t[[ $line =~ ([^[:blank:]\\\\]|\\\\.)*$ ]] && cur=${BASH_REMATCH[0]}\n"
	     "\tread -a words <<<\"${line%\"$cur\"}\" # without -r: a blank may be escaped\n"
	     "\tfor ((i = 1; i < ${#words[@]}; i++)); do\n"
	     "\t\tword=${words[i]} prev=\n"
	     "\t\tcase $word in");
	fputs("\t\t", stdout);
	put_value_takers();
	puts(")\n"
	     "\t\t\tprev=$word\n"
	     "\t\t\tif ((i + 1 < ${#words[@]})); then\n"
	     "\t\t\t\t[[ $word != --ledger && $word != --config && $word != -c ]] || where+=(\"$word\" "
	     "\"${words[i + 1]}\")\n"
	     "\t\t\t\tprev=\n"
	     "\t\t\t\t((i++))\n"
	     "\t\t\tfi ;;\n"
	     "\t\t--ledger=* | --config=*) where+=(\"$word\") ;;\n"
	     "\t\t-*) ;;\n"
	     "\t\t*)\n"
	     "\t\t\tfor j in $commands; do\n"
	     "\t\t\t\t[[ -n $command || $j != \"$word\"* ]] || command=$j\n"
	     "\t\t\tdone ;;\n"
	     "\t\tesac\n"
	     "\tdone\n"
	     "\tif [[ $cur == --*=* ]]; then\n"
	     "\t\tprev=${cur%%=*} cur=${cur#*=}\n"
	     "\tfi");
	printf("\tcase ${command:-%s}:$prev in\n", cli_commands[0].name);
	put_values("*", cli_globals);
	for (const struct cli_command *c = cli_commands; c->name; c++)
		put_values(c->name, c->options);
	puts("\tesac\n"
	     "\tif [[ $cur == -* ]]; then");
	printf("\t\tcase ${command:-%s} in\n", cli_commands[0].name);
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		printf("\t\t%s) _xenbw_words \"$cur\"", c->name);
		put_option_words(cli_globals);
		put_option_words(c->options);
		puts(" ;;");
	}
	puts("\t\tesac\n"
	     "\t\treturn\n"
	     "\tfi\n"
	     "\tcase $command in\n"
	     "\t'') _xenbw_words \"$cur\" $commands ;;");
	for (const struct cli_command *c = cli_commands; c->name; c++)
		put_operands(c);
	puts("\tesac\n"
	     "}\n"
	     "complete -F _xenbw xenbw");
}

static int put_buckets(struct cli *cli, char **err)
{
	struct usage_buckets buckets;
	struct ledger_file file;
	int rc;

	if (cli_configure(cli, err) < 0 || cli_open_ledger(cli, &file, err) < 0)
		return CLI_FAILED;
	rc = usage_read_buckets(file.db, &buckets, err);
	ledger_file_close(&file);
	if (rc < 0)
		return CLI_FAILED;
	for (size_t i = 0; i < buckets.count; i++)
		if (buckets.list[i].present)
			puts(buckets.list[i].label);
	usage_buckets_free(&buckets);
	return CLI_OK;
}

int cli_completion(struct cli *cli, char **err)
{
	if (strcmp(cli->args.words[0], "buckets") == 0)
		return put_buckets(cli, err);
	if (strcmp(cli->args.words[0], "bash") == 0) {
		put_bash();
		return CLI_OK;
	}
	err_set(err, "completion: `%s` is not known; write bash or buckets", cli->args.words[0]);
	return CLI_USAGE;
}
