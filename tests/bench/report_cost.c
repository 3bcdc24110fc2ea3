/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * report_cost LEDGER DOMAINS SLOTS ROUNDS: what questions to a ledger cost beside a bare SQL sum of its rows.
 *
 * Makes the ledger: each domain has a row in each slot. Prints for each question its name and the processor
 * time of each round in ns; the questions take turns.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/ledger_file.h"
#include "db/sql.h"
#include "db/usage.h"
#include "db/usage_rows.h"

#define T0 INT64_C(1790812800) /* 2026-10-01 UTC */

struct asked {
	sqlite3 *db;
	int64_t from, to;
	size_t domains;
};

static int fill(sqlite3 *db, uint64_t domains, uint64_t slots, char **err)
{
	char *text = mem_printf(
		"PRAGMA synchronous = OFF; PRAGMA cache_size = -300000; BEGIN;"
		" WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %" PRIu64 ")"
		" INSERT INTO bucket SELECT i, 'domain' FROM n;"
		" INSERT INTO bucket_label SELECT id, 'guest' || id, %" PRId64 ", NULL FROM bucket;"
		" INSERT INTO vif(id, boot, domid, devid, domain, bucket, appeared)"
		" SELECT id, 'boot', id, 0, 'guest' || id, id, %" PRId64 " FROM bucket;"
		" WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %" PRIu64 ")"
		" INSERT INTO slot SELECT b.id, %" PRId64
		" + 300 * n.i, b.id, '10.' || (b.id / 250) || '.' ||"
		" (b.id %% 250) || '.2', 1000000 + n.i, 2000000 + n.i, 0,0, 0,0, 300000, 400000, 50000, 0,"
		" 0,0, 0,0, 0,0, 0 FROM bucket b CROSS JOIN n;"
		" INSERT INTO run(boot, started, seen) VALUES ('boot', %" PRId64 ", %" PRId64 ");"
		" UPDATE meta SET value = %" PRId64 " WHERE key = 'open_slot'; COMMIT",
		domains, T0, T0, slots, T0, T0, T0 + (int64_t)slots * SLOT_SECONDS,
		T0 + (int64_t)slots * SLOT_SECONDS);
	int rc = sql_run(db, text, err);

	free(text);
	return rc;
}

static int64_t processor_ns(void)
{
	struct timespec t;

	return clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0 ? t.tv_sec * INT64_C(1000000000) + t.tv_nsec
								: 0;
}

/* ---- questions ---- */

static int ask_two(const struct asked *a, char **err)
{
	int64_t sum;

	return sql_number(a->db, "SELECT sum(external_input), sum(external_output) FROM slot", 0, &sum, err);
}

static int ask_all(const struct asked *a, char **err)
{
	int64_t sum;

	return sql_number(a->db, "SELECT" USAGE_SUMS " FROM slot", 0, &sum, err);
}

static int ask_report(const struct asked *a, char **err)
{
	struct usage_report r;
	int rc = usage_read_report(a->db, USAGE_BY_BUCKET, a->from, a->to, NULL, 0, &r, err);

	if (rc == 0 && r.count != a->domains)
		rc = err_set(err, "the report has %zu rows", r.count);
	if (rc == 0)
		usage_report_free(&r);
	return rc;
}

static int ask_vifs(const struct asked *a, char **err)
{
	struct usage_vifs v;
	int rc = usage_read_vifs(a->db, "boot", a->from, a->to, false, &v, err);

	if (rc == 0 && v.vif_count != a->domains)
		rc = err_set(err, "the overview has %zu vifs", v.vif_count);
	if (rc == 0)
		usage_vifs_free(&v);
	return rc;
}

static const struct {
	const char *name;
	int (*ask)(const struct asked *a, char **err);
} questions[] = {{"two", ask_two}, {"all", ask_all}, {"report", ask_report}, {"vifs", ask_vifs}};

static int measure(const char *path, uint64_t domains, uint64_t slots, uint64_t rounds, char **err)
{
	struct asked a = {.from = T0, .to = T0 + (int64_t)slots * SLOT_SECONDS, .domains = (size_t)domains};
	struct ledger_file file;
	int rc = ledger_file_open_writer(&file, path, err);

	if (rc == 0) {
		rc = fill(file.db, domains, slots, err);
		ledger_file_close(&file);
	}
	if (rc < 0 || ledger_file_open_reader(&file, path, err) != 0)
		return -1;
	a.db = file.db;
	for (uint64_t round = 0; rc == 0 && round < rounds; round++)
		for (size_t i = 0; rc == 0 && i < sizeof(questions) / sizeof(questions[0]); i++) {
			int64_t before = processor_ns();

			rc = questions[i].ask(&a, err);
			printf("%s %" PRId64 "\n", questions[i].name, processor_ns() - before);
		}
	ledger_file_close(&file);
	return rc;
}

int main(int argc, char **argv)
{
	uint64_t domains, slots, rounds;
	char *err = NULL;

	if (argc != 5 || !text_u64(argv[2], 1, 100000, &domains) || !text_u64(argv[3], 1, 100000, &slots) ||
	    !text_u64(argv[4], 1, 1000, &rounds)) {
		fputs("usage: report_cost LEDGER DOMAINS SLOTS ROUNDS\n", stderr);
		return 2;
	}
	if (measure(argv[1], domains, slots, rounds, &err) == 0)
		return 0;
	fprintf(stderr, "report_cost: %s\n", err ? err : "it went wrong");
	free(err);
	return 1;
}
