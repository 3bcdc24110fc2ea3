/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/args.h"

#include <getopt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "cli/nearest.h"

#define LONG_BASE 256 /* getopt's values of long options: ids beyond all letters */

/* What getopt_long wants to know. */
struct grammar {
	struct option *options;
	size_t count;
	char *letters;
};

static bool grammar_knows(const struct grammar *g, enum cli_option_id id)
{
	for (size_t i = 0; i < g->count; i++)
		if (g->options[i].val == LONG_BASE + (int)id)
			return true;
	return false;
}

static void grammar_add(struct grammar *g, const struct cli_option *options)
{
	for (const struct cli_option *o = options; o->name; o++) {
		if (grammar_knows(g, o->id))
			continue;
		g->options = mem_resize(g->options, g->count + 2, sizeof(g->options[0]));
		g->options[g->count++] = (struct option){o->name, o->arg ? required_argument : no_argument,
							 NULL, LONG_BASE + (int)o->id};
		g->options[g->count] = (struct option){0};
		if (o->letter) {
			char *more = mem_printf("%s%c%s", g->letters, o->letter, o->arg ? ":" : "");

			free(g->letters);
			g->letters = more;
		}
	}
}

static void grammar_free(struct grammar *g)
{
	free(g->options);
	free(g->letters);
}

/* Where the command stands: the first word that is neither an option nor the value of one. */
static int command_index(int argc, char **argv)
{
	struct grammar g = {.letters = mem_strdup("+:")};

	grammar_add(&g, cli_globals);
	for (const struct cli_command *c = cli_commands; c->name; c++)
		grammar_add(&g, c->options);
	optind = 0; /* begin anew */
	opterr = 0;
	while (getopt_long(argc, argv, g.letters, g.options, NULL) != -1)
		; /* what is wrong is said when the command is known */
	grammar_free(&g);
	return optind;
}

static int letter_id(const struct cli_command *command, int letter)
{
	const struct cli_option *lists[] = {cli_globals, command->options};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (const struct cli_option *o = lists[i]; o->name; o++)
			if (o->letter == letter)
				return (int)o->id;
	return -1;
}

/* getopt_long returned `what` for the word; says why. `command`: the one that was typed, or NULL. */
static int refuse(const struct grammar *g, const struct cli_command *command, int what, const char *word,
		  char **err)
{
	const char **names = mem_array(g->count, sizeof(*names));
	char *name = strncmp(word, "--", 2) == 0 ? mem_strndup(word + 2, strcspn(word + 2, "=")) : NULL;
	const char *hint = command && command->operand == OPERAND_BUCKET
				   ? "; a bucket whose name begins with - stands behind --"
				   : "";
	char *near = NULL;
	size_t alike = 0;

	for (size_t i = 0; i < g->count; i++) {
		names[i] = g->options[i].name;
		alike += name && *name && strncmp(names[i], name, strlen(name)) == 0;
	}
	if (what == ':')
		err_set(err, "option %s needs a value", word);
	else if (!name)
		err_set(err, "unknown option -%c%s", optopt, hint);
	else if (optopt)
		err_set(err, "option --%s takes no value", name);
	else if (alike > 1)
		err_set(err, "option --%s is ambiguous", name);
	else if ((near = nearest_names(name, names, g->count, 1)))
		err_set(err, "unknown option --%s; did you mean --%s?", name, near);
	else
		err_set(err, "unknown option --%s%s", name, hint);
	free(near);
	free(name);
	free(names);
	return command ? err_add(err, "%s", command->name) : -1;
}

static int read_options(int argc, char **argv, struct cli_args *out, char **err)
{
	struct grammar g = {.letters = mem_strdup(":")};
	int rc = 0, c;

	grammar_add(&g, cli_globals);
	grammar_add(&g, out->command->options);
	optind = 0;
	opterr = 0;
	while (rc == 0 && (c = getopt_long(argc, argv, g.letters, g.options, NULL)) != -1) {
		int id = c >= LONG_BASE ? c - LONG_BASE : letter_id(out->command, c);

		if (c == '?' || c == ':' || id < 0)
			rc = refuse(&g, out->named ? out->command : NULL, c, argv[optind - 1], err);
		else
			out->value[id] = optarg ? optarg : "";
	}
	out->words = argv + optind;
	out->count = (size_t)(argc - optind);
	grammar_free(&g);
	return rc;
}

static int check(const struct cli_args *a, char **err)
{
	const struct cli_command *c = a->command;

	if (a->value[OPTION_HELP] || a->value[OPTION_VERSION])
		return 0;
	if (a->count > c->most)
		return err_set(err, c->most ? "%s: too many words, from `%s` on" : "%s: takes no `%s`",
			       c->name, a->words[c->most]);
	if (a->count < c->least)
		return err_set(err, "%s: %s is missing", c->name, c->operands);
	if ((a->value[OPTION_JSON] || a->value[OPTION_CSV]) && !c->tables)
		return err_set(err, "%s: has no --json and no --csv", c->name);
	if (a->value[OPTION_JSON] && a->value[OPTION_CSV])
		return err_set(err, "%s: --json or --csv, not both", c->name);
	return 0;
}

int args_parse(int argc, char **argv, struct cli_args *out, char **err)
{
	int at = command_index(argc, argv), count = 0;

	*out = (struct cli_args){.command = &cli_commands[0]};
	out->argv = mem_array((size_t)argc + 1, sizeof(char *));
	for (int i = 0; i < argc; i++)
		if (i != at)
			out->argv[count++] = argv[i];
	if (at < argc) {
		const struct cli_command *named = cli_command_named(argv[at], err);

		if (!named)
			return -1;
		out->command = named;
		out->named = true;
	}
	if (read_options(count, out->argv, out, err) < 0)
		return -1;
	return check(out, err);
}

void args_free(struct cli_args *a)
{
	free(a->argv);
	*a = (struct cli_args){0};
}
