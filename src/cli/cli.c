/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/nearest.h"
#include "cli/rights.h"

int cli_configure(struct cli *cli, char **err)
{
	const char *path = cli->args.value[OPTION_CONFIG], *ledger = cli->args.value[OPTION_LEDGER];

	conf_init(&cli->conf);
	/* the file that was named must be there; the default one may be missing */
	if (conf_read(&cli->conf, path ? path : CONF_DEFAULT_PATH, path == NULL, err) < 0)
		return -1;
	if (ledger)
		mem_replace(&cli->conf.ledger, ledger);
	conf_apply_timezone(&cli->conf);
	return 0;
}

void cli_note(const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);
	fprintf(stderr, "xenbw: note: %s\n", text);
	free(text);
}

void cli_say(const struct cli *cli, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);
	out_line(text, &cli->screen, stdout);
	free(text);
}

int cli_period(const struct cli *cli, const char *domain, struct period *out, char **err)
{
	const char *const *value = cli->args.value;
	const char *month = value[OPTION_MONTH], *from = value[OPTION_FROM], *to = value[OPTION_TO];
	int rc;

	if (month && (from || to))
		return err_set(err, "%s: --month, or --from and --to, not both", cli->args.command->name);
	if (from || to)
		rc = period_range(from, to, cli->now, out, err);
	else
		rc = period_billing(month ? month : "this", billing_day_of(&cli->conf.billing, domain),
				    cli->now, out, err);
	if (rc == 0 && out->rounded)
		cli_note("the ledger counts in slots of five minutes: the period's edges went back to the "
			 "start of theirs");
	return rc;
}

void cli_say_period(const struct cli *cli, const struct period *p, const struct usage_run *run)
{
	char *from = period_local(p->from), *to = period_local(p->to);
	char *seen = run->boot ? period_local(run->seen) : NULL;

	printf("Period  %s to %s (time zone: %s)\n", from, to,
	       cli->conf.timezone ? cli->conf.timezone : "system");
	if (seen)
		printf("Ledger  up to %s\n", seen);
	else
		puts("Ledger  no xenbwd has written to it yet");
	free(seen);
	free(to);
	free(from);
}

/* It commits at each flush, whether or not there is anything to book. */
int64_t cli_silent_since(const struct cli *cli, const struct usage_run *run)
{
	int64_t late = 3 * (int64_t)cli->conf.flush + 2 * (int64_t)cli->conf.poll + 10;

	if (!run->boot || cli->now <= run->seen || (run->ended < 0 && cli->now <= run->seen + late))
		return -1;
	return run->seen;
}

int cli_find_ledger(const struct cli *cli, struct ledger_file *f, char **err)
{
	*f = (struct ledger_file){.lock_fd = -1};
	if (rights_to_read(cli->conf.ledger, "the ledger", true, err) < 0)
		return -1;
	return ledger_file_open_reader(f, cli->conf.ledger, err);
}

int cli_open_ledger(const struct cli *cli, struct ledger_file *f, char **err)
{
	int rc = cli_find_ledger(cli, f, err);

	if (rc != 1)
		return rc;
	return err_set(
		err,
		"there is no ledger %s yet: xenbwd makes it when it first runs (systemctl start xenbwd); "
		"for one that lies elsewhere give --ledger FILE",
		cli->conf.ledger);
}

const struct usage_bucket *cli_bucket(const struct usage_buckets *buckets, const char *label, char **err)
{
	const struct usage_bucket *found = usage_bucket_named(buckets, label);
	const char **names;
	char *near;

	if (found)
		return found;
	names = mem_array(buckets->count, sizeof(*names));
	for (size_t i = 0; i < buckets->count; i++)
		names[i] = buckets->list[i].label;
	near = nearest_names(label, names, buckets->count, 3);
	if (near) {
		char *shown = text_printable(near, strlen(near));

		err_set(err, "the ledger knows no bucket `%s`; near to it are: %s", label, shown);
		free(shown);
	} else {
		err_set(err, "the ledger knows no bucket `%s`; `xenbw completion buckets` lists all of them",
			label);
	}
	free(near);
	free(names);
	return NULL;
}

int cli_write(const struct cli *cli, const struct out_table *t, const char *rows, char **err)
{
	return out_write(t, cli->format, rows, &cli->screen, cli->to, err) < 0 ? CLI_FAILED : CLI_OK;
}
