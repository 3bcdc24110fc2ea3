/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * help: `xenbw help`, made from the table of commands.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/help.h"

static char *option_text(const struct cli_option *o)
{
	char *letter = o->letter ? mem_printf("-%c, ", o->letter) : mem_strdup("    ");
	char *text = mem_printf("%s--%s%s%s", letter, o->name, o->arg ? " " : "", o->arg ? o->arg : "");

	free(letter);
	return text;
}

/* Places for the names of options: at least as many as most need. */
static int option_width(const struct cli_option *options)
{
	size_t width = 19;

	for (const struct cli_option *o = options; o->name; o++) {
		char *text = option_text(o);

		if (strlen(text) > width)
			width = strlen(text);
		free(text);
	}
	return (int)width;
}

static void put_options(const char *title, const struct cli_option *options)
{
	int width = option_width(options);

	if (!options->name)
		return;
	printf("\n%s\n", title);
	for (const struct cli_option *o = options; o->name; o++) {
		char *text = option_text(o);

		printf("  %-*s  %s\n", width, text, o->help);
		free(text);
	}
}

static const char *before_operands(const struct cli_command *c)
{
	return c->operands ? " " : "";
}

static const char *operands(const struct cli_command *c)
{
	return c->operands ? c->operands : "";
}

void help_overview(void)
{
	puts("usage: xenbw [OPTION ...] [COMMAND [OPTION ...] [OPERAND ...]]\n"
	     "Shows what each Xen domain has sent and received.\n"
	     "Without a command: list-domains.\n"
	     "\n"
	     "Commands (unambiguous beginnings work, too)");
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		char *text = mem_printf("%s%s%s", c->name, before_operands(c), operands(c));

		printf("  %-23s  %s\n", text, c->summary);
		free(text);
	}
	put_options("Options of every command", cli_globals);
	puts("\n`xenbw help COMMAND` shows the options of a command; xenbw(8) tells all.");
}

void help_command(const struct cli_command *c)
{
	printf("usage: xenbw %s%s%s%s\n%c%s.\n", c->name, c->options->name ? " [OPTION ...]" : "",
	       before_operands(c), operands(c), c->summary[0] - 'a' + 'A', c->summary + 1);
	if (c->more)
		printf("\n%s", c->more);
	if (c->operand == OPERAND_BUCKET)
		puts("A bucket whose name begins with - stands behind --, as the last operands do.");
	put_options("Options", c->options);
	put_options("Options of every command", cli_globals);
	if (c->examples)
		printf("\nExamples\n%s", c->examples);
}

int cli_help(struct cli *cli, char **err)
{
	const struct cli_command *command;

	if (cli->args.count == 0) {
		help_overview();
		return CLI_OK;
	}
	command = cli_command_named(cli->args.words[0], err);
	if (!command)
		return CLI_USAGE;
	help_command(command);
	return CLI_OK;
}
