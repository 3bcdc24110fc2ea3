/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Unit tests of cli/args and cli/commands: what a command line means, and what is said of a wrong one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/args.h"
#include "cli/nearest.h"
#include "tests/support/unit.h"

/* The table points to the commands; none of them is run here. */
#define COMMAND(name)                         \
	int name(struct cli *cli, char **err) \
	{                                     \
		(void)cli;                    \
		(void)err;                    \
		return 99;                    \
	}
COMMAND(cli_list_domains)
COMMAND(cli_top)
COMMAND(cli_report)
COMMAND(cli_explain)
COMMAND(cli_close_month)
COMMAND(cli_bill)
COMMAND(cli_quota)
COMMAND(cli_metrics)
COMMAND(cli_graph)
COMMAND(cli_db)
COMMAND(cli_doctor)
COMMAND(cli_migrate)
COMMAND(cli_rebucket)
COMMAND(cli_web)
COMMAND(cli_passwd)
COMMAND(cli_completion)
COMMAND(cli_help)

#define MOST 16

struct line {
	char *argv[MOST];
	int argc;
	struct cli_args args;
	char *err;
};

static int parse(struct line *l, const char *text)
{
	char *copy = strdup(text), *state = NULL;

	*l = (struct line){.argc = 0};
	assert_non_null(copy);
	l->argv[l->argc++] = copy; /* argv[0] is anything; the words follow in the same memory */
	for (char *word = strtok_r(copy, " ", &state); word && l->argc < MOST - 1;
	     word = strtok_r(NULL, " ", &state))
		l->argv[l->argc++] = word;
	return args_parse(l->argc, l->argv, &l->args, &l->err);
}

static void drop(struct line *l)
{
	args_free(&l->args);
	free(l->argv[0]);
	free(l->err);
}

static void means(const char *text, const char *command, enum cli_option_id id, const char *value,
		  const char *word)
{
	struct line l;

	if (parse(&l, text) < 0)
		fail_msg("%s: %s", text, l.err);
	assert_string_equal(l.args.command->name, command);
	if (id != OPTION_COUNT) {
		assert_non_null(l.args.value[id]);
		assert_string_equal(l.args.value[id], value);
	}
	assert_int_equal(l.args.count, word ? 1 : 0);
	if (word)
		assert_string_equal(l.args.words[0], word);
	drop(&l);
}

static void refuses(const char *text, const char *why)
{
	struct line l;

	assert_int_equal(parse(&l, text), -1);
	if (strcmp(l.err, why) != 0)
		fail_msg("%s: %s", text, l.err);
	drop(&l);
}

static void no_command_is_list_domains(void **state)
{
	struct line l;

	(void)state;
	means("", "list-domains", OPTION_COUNT, NULL, NULL);
	means("--all", "list-domains", OPTION_ALL, "", NULL);
	means("--json", "list-domains", OPTION_JSON, "", NULL);
	assert_int_equal(parse(&l, "--help"), 0);
	assert_false(l.args.named);
	drop(&l);
	assert_int_equal(parse(&l, "list-domains"), 0);
	assert_true(l.args.named);
	drop(&l);
}

static void beginnings_of_commands_and_options_work(void **state)
{
	(void)state;
	means("l", "list-domains", OPTION_COUNT, NULL, NULL);
	means("rep web", "report", OPTION_COUNT, NULL, "web");
	means("report --mon last", "report", OPTION_MONTH, "last", NULL);
	means("report --by=address", "report", OPTION_BY, "address", NULL);
}

static void options_stand_anywhere(void **state)
{
	(void)state;
	means("-c file report web", "report", OPTION_CONFIG, "file", "web");
	means("report web -cfile", "report", OPTION_CONFIG, "file", "web");
	means("--ledger report report", "report", OPTION_LEDGER, "report", NULL);
	means("--month last report", "report", OPTION_MONTH, "last", NULL);
	means("report web --csv", "report", OPTION_CSV, "", "web");
	means("graph web --from -1w", "graph", OPTION_FROM, "-1w", "web");
	means("graph -- --odd", "graph", OPTION_COUNT, NULL, "--odd");
	means("report --month last --month this", "report", OPTION_MONTH, "this", NULL);
}

static void wrong_words_are_answered_with_the_nearest(void **state)
{
	(void)state;
	refuses("reprot", "unknown command `reprot`; did you mean `report`? The commands are list-domains, "
			  "top, report, explain, close, bill, quota, graph, db, doctor, metrics, migrate, "
			  "rebucket, web, "
			  "passwd, completion, help");
	refuses("xyzzy", "unknown command `xyzzy`; the commands are list-domains, top, report, explain, "
			 "close, bill, quota, graph, db, doctor, metrics, migrate, rebucket, web, passwd, "
			 "completion, help");
	refuses("report --monht last", "report: unknown option --monht; did you mean --month?");
	/* that is graph's */
	refuses("report --theme",
		"report: unknown option --theme; a bucket whose name begins with - stands behind --");
	refuses("report --b", "report: option --b is ambiguous");
	refuses("-x", "unknown option -x");
	refuses("graph web --svg=yes", "graph: option --svg takes no value");
	refuses("report --month", "report: option --month needs a value");
	refuses("report -c", "report: option -c needs a value");
}

static void too_many_and_too_few_words_are_refused(void **state)
{
	(void)state;
	refuses("list-domains web", "list-domains: takes no `web`");
	refuses("explain", "explain: BUCKET is missing");
	means("graph", "graph", OPTION_COUNT, NULL, NULL);
	refuses("graph web db", "graph: too many words, from `db` on");
	means("graph --help", "graph", OPTION_HELP, "", NULL);
	refuses("--json --csv", "list-domains: --json or --csv, not both");
	refuses("db", "db: init|status|upgrade is missing");
	means("db init --defaults-file x", "db", OPTION_DEFAULTS_FILE, "x", "init");
	means("db status --json", "db", OPTION_JSON, "", "status");
	refuses("help --json", "help: has no --json and no --csv");
}

static void an_option_of_several_commands_takes_a_value_in_all_or_in_none(void **state)
{
	bool takes[OPTION_COUNT] = {false}, seen[OPTION_COUNT] = {false};
	const char *names[OPTION_COUNT] = {NULL};

	(void)state;
	for (const struct cli_command *c = NULL; !c || c->name; c = c ? c + 1 : cli_commands)
		for (const struct cli_option *o = c ? c->options : cli_globals; o->name; o++) {
			if (seen[o->id]) {
				assert_string_equal(o->name, names[o->id]);
				assert_int_equal(takes[o->id], o->arg != NULL);
			}
			seen[o->id] = true;
			takes[o->id] = o->arg != NULL;
			names[o->id] = o->name;
		}
	for (int id = 0; id < OPTION_COUNT; id++)
		assert_true(seen[id]);
}

static void near_names_come_nearest_first(void **state)
{
	static const char *const names[] = {"database", "web1", "web2", "wbe", "mail", "web"};
	char *near;

	(void)state;
	near = nearest_names("web", names, 6, 3);
	assert_string_equal(near, "web1, web2, web");
	free(near);
	near = nearest_names("mial", names, 6, 3);
	assert_string_equal(near, "mail");
	free(near);
	near = nearest_names("base", names, 6, 3); /* a part of a name */
	assert_string_equal(near, "database");
	free(near);
	assert_null(nearest_names("zzz", names, 6, 3));
	assert_null(nearest_names("web", names, 0, 3));
}

static void is_example_of(const struct cli_command *c, char *words)
{
	struct line l;

	words[strcspn(words, ">|")] = '\0'; /* the shell's */
	if (parse(&l, words) < 0)
		fail_msg("%s: %s", words, l.err);
	assert_ptr_equal(l.args.command, c);
	drop(&l);
}

/* What help shows works: each line of xenbw's is a command line of its command. */
static void examples_are_understood(void **state)
{
	(void)state;
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		char *lines = strdup(c->examples ? c->examples : ""), *at = NULL;
		size_t own = 0;

		assert_non_null(lines);
		for (char *line = strtok_r(lines, "\n", &at); line; line = strtok_r(NULL, "\n", &at)) {
			if (strcmp(line, "  xenbw") != 0 && strncmp(line, "  xenbw ", 8) != 0)
				continue; /* another program's */
			is_example_of(c, line + 7);
			own++;
		}
		if (!own)
			fail_msg("%s has no example", c->name);
		free(lines);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_command_is_list_domains),
		cmocka_unit_test(examples_are_understood),
		cmocka_unit_test(beginnings_of_commands_and_options_work),
		cmocka_unit_test(options_stand_anywhere),
		cmocka_unit_test(wrong_words_are_answered_with_the_nearest),
		cmocka_unit_test(too_many_and_too_few_words_are_refused),
		cmocka_unit_test(an_option_of_several_commands_takes_a_value_in_all_or_in_none),
		cmocka_unit_test(near_names_come_nearest_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
