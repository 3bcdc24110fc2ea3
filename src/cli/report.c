/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * report: `xenbw report`, the sums of a period per bucket, address, vif, owner or class.
 *
 * Only the ledger is asked. Input and output are what netacct's are: external bytes, and, unless the ledger
 * says that they are not charged, those that nobody could attribute.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/report_rows.h"
#include "cli/report_table.h"
#include "cli/units.h"
#include "db/closed.h"

#define MOST_ROWS 1000000

/* ---- the question ---- */

static int read_by(const char *by, enum report_by *out, char **err)
{
	static const char *const words[REPORT_BY_COUNT] = {[REPORT_BY_DOMAIN] = "domain",
							   [REPORT_BY_ADDRESS] = "address",
							   [REPORT_BY_VIF] = "vif",
							   [REPORT_BY_OWNER] = "owner",
							   [REPORT_BY_CLASS] = "class"};

	for (int i = 0; by && i < REPORT_BY_COUNT; i++)
		if (strcmp(by, words[i]) == 0) {
			*out = (enum report_by)i;
			return 0;
		}
	return by ? err_set(err, "report: `--by %s` is not known; write domain, address, vif, owner or class",
			    by)
		  : 0;
}

static int read_question(struct cli *cli, struct report_rows *r, size_t *most, char **err)
{
	const char *const *value = cli->args.value;
	const char *commit = value[OPTION_COMMIT], *top = value[OPTION_TOP];
	uint64_t number = 0;

	*r = (struct report_rows){.month = value[OPTION_MONTH],
				  .from = value[OPTION_FROM],
				  .to = value[OPTION_TO],
				  .owner = value[OPTION_OWNER],
				  .words = cli->args.words,
				  .word_count = cli->args.count,
				  .percentiles = value[OPTION_PERCENTILE] || commit,
				  .projections = value[OPTION_PROJECT] != NULL,
				  .commitment = UINT64_MAX,
				  .now = cli->now};
	if (commit && !units_read_rate(commit, &r->commitment))
		return err_set(err, "report: `--commit %s` is no rate; write bit/s, such as 10M or 500k",
			       commit);
	if (top && !text_u64(top, 1, MOST_ROWS, &number))
		return err_set(err, "report: `--top %s` is not a number from 1 to %d", top, MOST_ROWS);
	*most = top ? (size_t)number : SIZE_MAX;
	if (read_by(value[OPTION_BY], &r->by, err) < 0)
		return -1;
	return report_rows_check(r, &cli->conf, err);
}

/* ---- the answer ---- */

static void say_split(const struct cli *cli, const struct report_rows *r)
{
	struct report_sums totals = report_sums_of(&r->sums, r->unattributed_charged);
	uint64_t unknown = report_sums_both(&totals, SUM_UNATTRIBUTED);
	char *text;

	if (r->by == REPORT_BY_CLASS)
		return;
	if (report_sums_unsplit(&totals) && r->unattributed_charged) {
		puts("unsplit: no attribution, so input and output hold all bytes, whatever their way");
	} else if (unknown) {
		text = cli->screen.exact ? mem_printf("%" PRIu64 " bytes", unknown) : units_bytes(unknown);
		printf("input and output %s %s that could not be attributed\n",
		       r->unattributed_charged ? "hold" : "are without", text);
		free(text);
	}
}

/* How the figures beside the sums came about. */
static void say_figures(const struct cli *cli, const struct report_rows *r)
{
	char *rate;

	if (r->percentiles)
		out_line("95%: bit/s that the busiest 5% of the five-minute slots exceed; the larger of in "
			 "and "
			 "out. Slots that xenbwd did not see (UNSEEN) are left out.",
			 &cli->screen, stdout);
	if (r->commitment != UINT64_MAX) {
		rate = units_rate(r->commitment / 8);
		printf("OVER: slots with more than %s bit/s, in or out\n", rate);
		free(rate);
	}
	if (r->projections && r->run.seen < r->period.to)
		puts("PROJECTED: the total at the period's end, if it goes on as so far");
}

static int write_report(const struct cli *cli, struct report_rows *r, size_t most, char **err)
{
	bool for_people = cli->format == OUT_TERMINAL;
	int status = CLI_OK;

	if (cli->args.value[OPTION_TOP])
		report_rows_by_size(r);
	if (for_people)
		cli_say_period(cli, &r->period, &r->run);
	if (for_people && r->several)
		puts("Months begin on each domain's billing_day");
	if (for_people && !r->count)
		puts(r->period.to <= r->retired ? "Nothing is kept of this period."
						: "Nothing was counted in this period.");
	else
		status = report_table_write(cli, r, r->count < most ? r->count : most, err);
	if (for_people && r->count)
		say_figures(cli, r);
	if (for_people)
		say_split(cli, r);
	return status;
}

/* What was once charged may be something else than what is known now. */
static int note_closed(const struct cli *cli, const char *text, sqlite3 *db, char **err)
{
	char *month = period_billing_name(text, cli->conf.billing.day, cli->now, err);
	struct closed_rows closed;
	int rc = month ? closed_read(db, month, &closed, err) : -1;

	if (rc == 0 && closed.editions)
		cli_note("%s is closed; `xenbw bill %s` has what it was closed with", month, month);
	if (rc == 0)
		closed_rows_free(&closed);
	free(month);
	return rc;
}

/* What is not kept is not zero. */
static void note_retired(const struct report_rows *r)
{
	char *until;

	if (r->period.from >= r->retired)
		return;
	until = period_local(r->retired);
	cli_note("%s before %s was retired (`retain` in xenbw.conf), and is in no report; `xenbw bill MONTH` "
		 "has what "
		 "a closed month came to",
		 r->period.to <= r->retired ? "all of this period: what was"
					    : "a part of this period: what was",
		 until);
	free(until);
}

static int read_ledger(const struct cli *cli, struct report_rows *r, char **err)
{
	struct ledger_file file;
	int rc = cli_open_ledger(cli, &file, err);

	if (rc < 0)
		return -1;
	rc = report_rows_read(r, &cli->conf, file.db, err);
	if (rc == 0 && r->month)
		rc = note_closed(cli, r->month, file.db, err);
	ledger_file_close(&file);
	return rc;
}

int cli_report(struct cli *cli, char **err)
{
	struct report_rows r;
	size_t most = SIZE_MAX;
	int status;

	if (cli_configure(cli, err) < 0)
		return CLI_FAILED;
	if (read_question(cli, &r, &most, err) < 0)
		return CLI_USAGE;
	status = read_ledger(cli, &r, err) < 0 ? CLI_FAILED : CLI_OK;
	if (r.rounded)
		cli_note("the ledger counts in slots of five minutes: the period's edges went back to the "
			 "start of "
			 "theirs");
	if (status == CLI_OK)
		note_retired(&r);
	if (status == CLI_OK)
		status = write_report(cli, &r, most, err);
	report_rows_free(&r);
	return status;
}
