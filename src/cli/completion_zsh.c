/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/completion_zsh.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

/* Text inside the single quotes of the shell; brackets are _arguments' own. */
static void put_text(const char *text)
{
	for (const char *s = text; *s; s++) {
		if (*s == '\'')
			fputs("'\\'", stdout);
		else if (strchr("[]\\", *s))
			putchar('\\');
		putchar(*s);
	}
}

/* What comes behind an option that takes a value, or an operand: a message, and what to offer. */
static void put_value(const char *message, const char *words, bool file)
{
	putchar(':');
	put_text(message);
	if (file)
		fputs(":_files", stdout);
	else if (words)
		printf(":(%s)", words);
	else
		fputs(": ", stdout);
}

static void put_spec(const struct cli_option *o, bool letter)
{
	fputs("\t\t'", stdout);
	if (o->letter)
		printf("(-%c --%s)", o->letter, o->name);
	if (letter)
		printf("-%c%s[", o->letter, o->arg ? "+" : "");
	else
		printf("--%s%s[", o->name, o->arg ? "=" : "");
	put_text(o->help);
	putchar(']');
	if (o->arg)
		put_value(o->arg, o->values, !o->values && strcmp(o->arg, "FILE") == 0);
	puts("'");
}

static void put_specs(const struct cli_option *options)
{
	for (const struct cli_option *o = options; o->name; o++) {
		if (o->letter)
			put_spec(o, true);
		put_spec(o, false);
	}
}

static void put_operand(const struct cli_command *c)
{
	if (c->operand == OPERAND_NONE)
		return;
	printf("\t\t'%s", c->most == 1 ? "1" : "*");
	if (c->operand == OPERAND_BUCKET)
		fputs(":bucket:_xenbw_buckets", stdout);
	else if (c->operand == OPERAND_COMMAND)
		fputs(":command:_xenbw_commands", stdout);
	else
		put_value(c->operand == OPERAND_FILE ? "file" : "word", c->words, c->operand == OPERAND_FILE);
	puts("'");
}

static void put_commands(void)
{
	puts("#compdef xenbw\n"
	     "# zsh completion of xenbw(8), made by `xenbw completion zsh`.\n"
	     "\n"
	     "_xenbw_commands() {\n"
	     "\tlocal -a commands=(");
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		printf("\t\t'%s:", c->name);
		put_text(c->summary);
		puts("'");
	}
	puts("\t)\n"
	     "\t_describe -t commands command commands\n"
	     "}\n");
}

/* The names come from the program itself, with the ledger that the command line names. */
static const char buckets[] = "_xenbw_buckets() {\n"
			      "\tlocal -a names\n"
			      "\tnames=(\"${(@f)$(\"$xenbw\" $where completion buckets 2>/dev/null)}\")\n"
			      "\tcompadd -- ${names:#}\n"
			      "}\n";

/* Where the command stands is looked up before _arguments sees the rest: it would take the options of every
 * command away from it. */
static const char logic[] = "\tfor ((i = 2; i < CURRENT; i++)); do\n"
			    "\t\tword=$words[i]\n"
			    "\t\tcase $word in\n"
			    "\t\t--) break ;;\n"
			    "\t\t-c | --config | --ledger) where+=($word \"${(Q)words[++i]}\") ;;\n"
			    "\t\t--config=* | --ledger=*) where+=(\"${(Q)word}\") ;;\n"
			    "\t\t-*) (( at || ! $takers[(Ie)$word] )) || ((i++)) ;;\n"
			    "\t\t*) (( at )) || at=i ;;\n"
			    "\t\tesac\n"
			    "\tdone\n"
			    "\tif (( ! at )); then\n"
			    "\t\t_arguments -S : $globals $specs_list_domains '1: :_xenbw_commands'\n"
			    "\t\treturn\n"
			    "\tfi\n"
			    "\tshift $((at - 1)) words\n"
			    "\t((CURRENT -= at - 1))\n"
			    "\tword=$words[1]\n"
			    "\t(( $names[(Ie)$word] )) || word=${names[(r)${(b)word}*]}\n"
			    "\tspecs=specs_${word//-/_}\n"
			    "\t_arguments -S : $globals ${(P)specs}\n"
			    "}\n"
			    "\n"
			    "_xenbw \"$@\"\n";

/* Options before a command that are followed by a value. */
static void put_takers(const struct cli_option *options)
{
	for (const struct cli_option *o = options; o->name; o++)
		if (o->arg)
			printf(" --%s", o->name);
}

/* The specs of a command, as an array named after it: '-' is in no name of a variable. */
static void put_command(const struct cli_command *c)
{
	fputs("\tlocal -a specs_", stdout);
	for (const char *s = c->name; *s; s++)
		putchar(*s == '-' ? '_' : *s);
	puts("=(");
	put_specs(c->options);
	put_operand(c);
	puts("\t)");
}

void completion_zsh(void)
{
	put_commands();
	puts(buckets);
	puts("_xenbw() {\n"
	     "\tlocal curcontext=$curcontext state word specs xenbw=${(Q)words[1]}\n"
	     "\tlocal -i i at=0\n"
	     "\tlocal -a line where\n"
	     "\tlocal -A opt_args");
	fputs("\tlocal -a names=(", stdout);
	for (const struct cli_command *c = cli_commands; c->name; c++)
		printf("%s%s", c == cli_commands ? "" : " ", c->name);
	fputs(")\n\tlocal -a takers=(", stdout);
	put_takers(cli_globals);
	put_takers(cli_commands->options);
	puts(" )\n\tlocal -a globals=(");
	put_specs(cli_globals);
	puts("\t)");
	for (const struct cli_command *c = cli_commands; c->name; c++)
		put_command(c);
	fputs(logic, stdout);
}
