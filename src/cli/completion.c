/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * completion: `xenbw completion bash` or zsh, the shell's completion made from the table of commands, and
 * `xenbw completion buckets`, the names that it offers for BUCKET.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/completion_zsh.h"

/* ---- what the script knows: variables ---- */

static void put_options(const struct cli_option *options)
{
	for (const struct cli_option *o = options; o->name; o++)
		printf("%s--%s", o == options ? "" : " ", o->name);
}

static void put_takers(const struct cli_option *options)
{
	for (const struct cli_option *o = options; o->name; o++) {
		if (o->arg)
			printf(" --%s", o->name);
		if (o->arg && o->letter)
			printf(" -%c", o->letter);
	}
}

static void put_values(const char *command, const struct cli_option *options)
{
	for (const struct cli_option *o = options; o->name; o++) {
		const char *values = o->values ? o->values : "FILE";

		if (!o->arg || (!o->values && strcmp(o->arg, "FILE") != 0))
			continue;
		printf("\t\t[%s--%s]='%s'\n", command, o->name, values);
		if (o->letter)
			printf("\t\t[%s-%c]='%s'\n", command, o->letter, values);
	}
}

static void put_names(void)
{
	for (const struct cli_command *c = cli_commands; c->name; c++)
		printf("%s%s", c == cli_commands ? "" : " ", c->name);
}

static void put_operands(const struct cli_command *c)
{
	if (c->operand == OPERAND_NONE)
		return;
	printf("\t\t[%s]='", c->name);
	if (c->operand == OPERAND_BUCKET)
		fputs("BUCKET", stdout);
	else if (c->operand == OPERAND_FILE)
		fputs("FILE", stdout);
	else if (c->operand == OPERAND_WORD)
		fputs(c->words, stdout);
	else
		put_names();
	puts("'");
}

static void put_variables(void)
{
	fputs("\tlocal commands='", stdout);
	put_names();
	fputs("'\n\tlocal globals='", stdout);
	put_options(cli_globals);
	fputs("'\n\tlocal takers='", stdout); /* options that are followed by a value */
	put_takers(cli_globals);
	for (const struct cli_command *c = cli_commands; c->name; c++)
		put_takers(c->options);
	puts(" '\n\tlocal -A options=(");
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		printf("\t\t[%s]='", c->name);
		put_options(c->options);
		puts("'");
	}
	puts("\t) values=(");
	put_values("", cli_globals);
	for (const struct cli_command *c = cli_commands; c->name; c++)
		put_values(c->name, c->options);
	puts("\t) operands=(");
	for (const struct cli_command *c = cli_commands; c->name; c++)
		put_operands(c);
	puts("\t)");
}

/* ---- what it does ---- */

/* Readline takes what stands behind a ':' for a word of its own; candidates must begin there, too. */
static const char helpers[] =
	"# bash completion of xenbw(8), made by `xenbw completion bash`.\n"
	"\n"
	"_xenbw_offer() { # _xenbw_offer WORDS, FILE or BUCKET\n"
	"\tlocal name cut=''\n"
	"\tcase $1 in\n"
	"\tFILE)\n"
	"\t\tcompopt -o filenames 2>/dev/null\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\") ;;\n"
	"\tBUCKET)\n"
	"\t\t[[ $COMP_WORDBREAKS != *:* ]] || cut=${cur%\"${cur##*:}\"}\n"
	"\t\twhile IFS= read -r name; do\n"
	"\t\t\tprintf -v name %q \"$name\"\n"
	"\t\t\t[[ $name != \"$cur\"* ]] || COMPREPLY+=(\"${name#\"$cut\"}\")\n"
	"\t\tdone < <(\"${words[0]}\" \"${where[@]}\" completion buckets 2>/dev/null) ;;\n"
	"\t*) mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\") ;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"_xenbw() {\n";

static const char logic[] =
	"\tlocal line=${COMP_LINE:0:COMP_POINT} cur='' prev='' command='' ended='' word i\n"
	"\tlocal -a words=() where=()\n"
	"\n"
	"\t[[ $line =~ ([^[:blank:]\\\\]|\\\\.)*$ ]] && cur=${BASH_REMATCH[0]}\n"
	"\t# shellcheck disable=SC2162 # a blank may be escaped\n"
	"\tread -a words <<<\"${line%\"$cur\"}\"\n"
	"\tCOMPREPLY=()\n"
	"\tfor ((i = 1; i < ${#words[@]}; i++)); do\n"
	"\t\tword=${words[i]} prev=''\n"
	"\t\tif [[ $word == -- ]]; then\n"
	"\t\t\tended=1\n"
	"\t\telif [[ -z $ended && $takers == *\" $word \"* ]]; then\n"
	"\t\t\tif ((i + 1 == ${#words[@]})); then\n"
	"\t\t\t\tprev=$word\n"
	"\t\t\telif [[ ${values[$word]-} == FILE ]]; then\n"
	"\t\t\t\twhere+=(\"$word\" \"${words[i + 1]}\")\n"
	"\t\t\tfi\n"
	"\t\t\t((i++))\n"
	"\t\telif [[ -z $ended && ( $word == --config=* || $word == --ledger=* ) ]]; then\n"
	"\t\t\twhere+=(\"$word\")\n"
	"\t\telif [[ $word != -* && -z $command && \" $commands\" =~ \\ (\"$word\"[^\\ ]*) ]]; then\n"
	"\t\t\tcommand=${BASH_REMATCH[1]}\n"
	"\t\tfi\n"
	"\tdone\n"
	"\tif [[ -z $ended && $cur == --*=* ]]; then\n"
	"\t\tprev=${cur%%=*} cur=${cur#*=}\n"
	"\tfi\n"
	"\tif [[ -n $prev ]]; then\n"
	"\t\t_xenbw_offer \"${values[$command$prev]-${values[$prev]-}}\"\n"
	"\telif [[ -z $ended && $cur == -* ]]; then\n"
	"\t\t_xenbw_offer \"${options[${command:-${commands%% *}}]} $globals\"\n"
	"\telif [[ -z $command ]]; then\n"
	"\t\t_xenbw_offer \"$commands\"\n"
	"\telse\n"
	"\t\t_xenbw_offer \"${operands[$command]-}\"\n"
	"\tfi\n"
	"}\n"
	"complete -F _xenbw xenbw\n";

static void put_bash(void)
{
	fputs(helpers, stdout);
	put_variables();
	fputs(logic, stdout);
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
		if (buckets.list[i].present) {
			char *label = text_printable(buckets.list[i].label, strlen(buckets.list[i].label));

			puts(label);
			free(label);
		}
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
	if (strcmp(cli->args.words[0], "zsh") == 0) {
		completion_zsh();
		return CLI_OK;
	}
	err_set(err, "completion: `%s` is not known; write bash, zsh or buckets", cli->args.words[0]);
	return CLI_USAGE;
}
