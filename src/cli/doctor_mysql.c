/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * doctor_mysql: is the table `traffic` what the ledger holds (cli/doctor.h), hour by hour of the last day?
 *
 * Compared are whole hours whose takes have all been written. Which hour a slot lies in, and under which
 * label, is said by what writes them (db/traffic_rows.h). A bucket that was renamed has its older rows under
 * its former label: they count for it; where another bucket has rows of that label in the same hour, nobody
 * can tell whose they are, and both are left out.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "cli/doctor.h"
#include "cli/rights.h"
#include "db/audit.h"
#include "db/sink.h"
#include "db/traffic_marker.h"
#include "db/traffic_rows.h"
#include "db/traffic_table.h"

#define HOUR 3600
#define HOURS                                                                                        \
	26 /* the first and the last one may be halves, in the server's time zone: they are left out \
	    */
#define LATE 900
#define LOG "`journalctl -u xenbwd` says why"

struct looking {
	struct doctor *d;
	struct mysql *m;
	const char *table;
	struct audit_sink sink;
};

/* One hour of one label, in the ledger and in the table. */
struct hour {
	const char *label, *hour; /* the rows' */
	uint64_t ledger[TRAFFIC_COLUMNS], table[TRAFFIC_COLUMNS];
	bool unsure; /* a row may be this one's or another one's */
};

/* ---- the server ---- */

static bool check_server(struct looking *l)
{
	struct doctor *d = l->d;
	const struct conf_mysql *c = &d->cli->conf.mysql;
	char *err = NULL;

	if (c->password_file && rights_to_read(c->password_file, "the password", false, &err) < 0) {
		doctor_say(d, DOCTOR_UNCHECKED, "MySQL", NULL, "%s", err);
		free(err);
		return false;
	}
	if (mysql_open(&l->m, c, &err) < 0) {
		doctor_failed(d, "MySQL", err);
		return false;
	}
	doctor_say(d, DOCTOR_OK, "MySQL", NULL, "the server %s answers", mysql_place(l->m));
	return true;
}

static bool check_table(struct looking *l)
{
	enum traffic_state state;
	char *why = NULL, *err = NULL;
	bool fine;

	if (traffic_table_check(l->m, l->table, &state, &why, &err) < 0) {
		doctor_failed(l->d, "MySQL table", err);
		return false;
	}
	fine = state == TRAFFIC_FINE;
	doctor_say(l->d, fine ? DOCTOR_OK : DOCTOR_ERROR, "MySQL table", NULL, "%s", fine ? l->table : why);
	free(why);
	return fine;
}

static bool check_marker(struct looking *l)
{
	const char *path = l->d->cli->conf.ledger;
	struct traffic_ledger ledger = {.passed = -1};
	struct traffic_marker marker = {0};
	char *err = NULL, *uuid = NULL;
	bool marked = false, fits = false;
	int rc = traffic_source_ledger(l->d->ledger.db, MYSQL_SINK, NULL, &ledger, &err);

	if (rc == 0) {
		uuid = mysql_literal(l->m, ledger.uuid);
		rc = traffic_marker_read(l->m, uuid, &marker, &marked, &err);
	}
	if (rc == 0 && marked) { /* once more, for xenbwd does not wait */
		traffic_ledger_clear(&ledger);
		rc = traffic_source_ledger(l->d->ledger.db, MYSQL_SINK, &marker, &ledger, &err);
	}
	if (rc == 0)
		rc = traffic_marker_check(marked ? &marker : NULL, &ledger, l->m, l->table, path, &err);
	fits = rc == 0 && marked;
	if (rc < 0)
		doctor_failed(l->d, "MySQL marker", err);
	else
		doctor_say(l->d, marked ? DOCTOR_OK : DOCTOR_WARNING, "MySQL marker", marked ? NULL : LOG,
			   "%s",
			   marked ? "it is at a take of this ledger"
				  : "xenbw-writer has written nothing there yet");
	free(uuid);
	traffic_marker_clear(&marker);
	traffic_ledger_clear(&ledger);
	return fits;
}

static void check_lag(struct looking *l)
{
	struct doctor *d = l->d;
	char *err = NULL;

	if (audit_sink(d->ledger.db, MYSQL_SINK, &l->sink, &err) < 0)
		doctor_failed(d, "MySQL writer", err);
	else if (!l->sink.there)
		doctor_say(d, DOCTOR_WARNING, "MySQL writer", "restart xenbwd: `systemctl restart xenbwd`",
			   "xenbwd does not know yet that there is a table to write");
	else if (l->sink.since >= 0 && l->sink.since + LATE < d->cli->now)
		doctor_say(d, DOCTOR_ERROR, "MySQL writer", LOG "; `xenbw db status`",
			   "%" PRIu64 " takes wait, the oldest for %" PRId64 " s", l->sink.behind,
			   d->cli->now - l->sink.since);
	else
		doctor_say(d, DOCTOR_OK, "MySQL writer", NULL, "%" PRIu64 " takes wait, none for long",
			   l->sink.behind);
}

/* ---- the sums ---- */

static int by_hour(const void *a, const void *b)
{
	const struct hour *x = a, *y = b;
	int order = strcmp(x->label, y->label);

	return order ? order : strcmp(x->hour, y->hour);
}

static struct hour *hours_of(const struct traffic_rows *rows)
{
	struct hour *list = mem_array(rows->count, sizeof(*list));

	for (size_t i = 0; i < rows->count; i++) {
		list[i] = (struct hour){.label = rows->list[i].label, .hour = rows->list[i].hour};
		memcpy(list[i].ledger, rows->list[i].bytes, sizeof(list[i].ledger));
	}
	if (rows->count)
		qsort(list, rows->count, sizeof(*list), by_hour);
	return list;
}

/* The first and the last hour that there is. */
static void edges(const struct hour *list, size_t count, const char **first, const char **last)
{
	*first = *last = list[0].hour;
	for (size_t i = 1; i < count; i++) {
		if (strcmp(list[i].hour, *first) < 0)
			*first = list[i].hour;
		if (strcmp(list[i].hour, *last) > 0)
			*last = list[i].hour;
	}
}

struct hours {
	struct hour *list;
	size_t count;
	struct audit_renames renames;
};

static struct hour *find_hour(const struct hours *h, const char *label, const char *hour)
{
	struct hour key = {.label = label, .hour = hour};

	return bsearch(&key, h->list, h->count, sizeof(key), by_hour);
}

/* Whose a row of the table is: of the bucket that is called so, or of one that was. NULL: of neither. */
static struct hour *hour_of(const struct looking *l, const struct hours *h, const char *label,
			    const char *hour)
{
	struct hour *found = find_hour(h, label, hour);

	for (size_t i = 0; i < h->renames.count; i++) {
		const struct audit_rename *r = &h->renames.list[i];
		const char *suffix = l->d->cli->conf.bucket_suffix;
		char *former = mem_printf("%s%s", r->former, suffix && !r->by_ip ? suffix : ""),
		     *present = mem_printf("%s%s", r->present, suffix && !r->by_ip ? suffix : "");
		struct hour *renamed = strcmp(former, label) == 0 ? find_hour(h, present, hour) : NULL;

		free(former);
		free(present);
		if (!renamed || renamed == found)
			continue;
		if (found)
			found->unsure = renamed->unsure = true;
		else
			found = renamed;
	}
	return found;
}

/* Gives each hour what the table has; rows of labels or hours that the ledger does not have are other ones'.
 */
static int read_table(struct looking *l, const struct hours *h, const char *first, const char *last,
		      char **err)
{
	char *table = mysql_identifier(l->table), **row;
	struct mysql_rows *rows = mysql_ask(
		l->m, "cannot read the table", err,
		"SELECT ip, DATE_FORMAT(time, '%%Y-%%m-%%d %%H:00:00'), input, output, peer_input, "
		"peer_output, direct_input,"
		" direct_output, local_input, local_output FROM %s WHERE time >= '%s' AND time <= '%s'",
		table, first, last);

	free(table);
	if (!rows)
		return -1;
	while ((row = mysql_next(rows))) {
		struct hour *found = hour_of(l, h, row[0] ? row[0] : "", row[1] ? row[1] : "");

		for (int c = 0; found && c < TRAFFIC_COLUMNS; c++)
			found->table[c] += row[2 + c] ? strtoull(row[2 + c], NULL, 10) : 0;
	}
	mysql_rows_free(rows);
	return 0;
}

static void say_sums(struct looking *l, const struct hour *list, size_t count, const char *first,
		     const char *last)
{
	const struct hour *less = NULL, *more = NULL;
	size_t looked_at = 0, lacking = 0, beyond = 0;

	for (size_t i = 0; i < count; i++) {
		bool lacks = false, has_more = false;

		if (strcmp(list[i].hour, first) == 0 || strcmp(list[i].hour, last) == 0 || list[i].unsure)
			continue;
		looked_at++;
		for (int c = 0; c < TRAFFIC_COLUMNS; c++) {
			lacks |= list[i].table[c] < list[i].ledger[c];
			has_more |= list[i].table[c] > list[i].ledger[c];
		}
		lacking += lacks;
		beyond += !lacks && has_more;
		if (lacks && !less)
			less = &list[i];
		if (!lacks && has_more && !more)
			more = &list[i];
	}
	if (less)
		doctor_say(l->d, DOCTOR_ERROR, "MySQL sums",
			   "somebody changed the table, or there was no `database mysql` then",
			   "%zu of %zu rows have less than the ledger, first %s at %s", lacking, looked_at,
			   less->label, less->hour);
	if (more)
		doctor_say(l->d, DOCTOR_WARNING, "MySQL sums",
			   "another host or nacctd writes it too (see bucket_suffix), or somebody changed "
			   "the table",
			   "%zu of %zu rows have more than the ledger, first %s at %s", beyond, looked_at,
			   more->label, more->hour);
	if (!less && !more)
		doctor_say(l->d, DOCTOR_OK, "MySQL sums", NULL,
			   "%zu rows of the last day: they are the ledger's", looked_at);
}

static int compare(struct looking *l, int64_t from, int64_t to, char **err)
{
	struct traffic_batch batch;
	struct traffic_rows rows = {0};
	const char *first, *last;
	struct hours h = {0};
	int rc =
		traffic_source_between(l->d->ledger.db, from, to, l->d->cli->conf.bucket_suffix, &batch, err);

	if (rc < 0)
		return -1;
	if (batch.count)
		rc = traffic_rows_make(&rows, l->m, &batch, err);
	if (rc == 0 && !rows.count)
		doctor_say(l->d, DOCTOR_UNCHECKED, "MySQL sums", NULL,
			   "the last day has no whole hour with bytes");
	if (rc == 0 && rows.count) {
		h.list = hours_of(&rows);
		h.count = rows.count;
		edges(h.list, h.count, &first, &last);
		rc = audit_renames(l->d->ledger.db, from, &h.renames, err);
		if (rc == 0)
			rc = read_table(l, &h, first, last, err);
		if (rc == 0)
			say_sums(l, h.list, h.count, first, last);
		audit_renames_free(&h.renames);
		free(h.list);
	}
	traffic_rows_free(&rows);
	traffic_batch_free(&batch);
	return rc;
}

/* Up to what has been written for certain. */
static void check_sums(struct looking *l)
{
	int64_t to = l->d->cli->now - LATE;
	char *err = NULL;

	if (!l->sink.there) {
		doctor_say(l->d, DOCTOR_UNCHECKED, "MySQL sums", NULL, "nothing is written to the table yet");
		return;
	}
	if (l->sink.slot >= 0 && l->sink.slot < to)
		to = l->sink.slot;
	to -= to % HOUR;
	if (compare(l, to - (int64_t)HOURS * HOUR, to, &err) < 0)
		doctor_failed(l->d, "MySQL sums", err);
}

/* ---- the clock ---- */

static void check_clock(struct looking *l)
{
	char *err = NULL, **row;
	struct mysql_rows *rows = mysql_ask(l->m, "cannot ask for the time", &err,
					    "SELECT UNIX_TIMESTAMP(), DATE_FORMAT(FROM_UNIXTIME(%" PRId64
					    "), '%%Y-%%m-%%d %%H:%%i')",
					    l->d->cli->now);
	time_t now = (time_t)l->d->cli->now;
	char here[32] = "";
	struct tm tm;
	int64_t off;

	if (!rows) {
		doctor_failed(l->d, "MySQL clock", err);
		return;
	}
	row = mysql_next(rows);
	off = row && row[0] ? strtoll(row[0], NULL, 10) - l->d->cli->now : 0;
	if (localtime_r(&now, &tm))
		(void)strftime(here, sizeof(here), "%Y-%m-%d %H:%M", &tm);
	if (off > 60 || off < -60)
		doctor_say(l->d, DOCTOR_WARNING, "MySQL clock", "set both by NTP",
			   "the server is %" PRId64 " s off", off);
	else if (row && row[1] && strcmp(row[1], here) != 0)
		doctor_say(l->d, DOCTOR_WARNING, "MySQL zone",
			   "set the server's time_zone, or `timezone`, to be the same",
			   "it is %s there and %s here: months and days begin at other times", row[1], here);
	else
		doctor_say(l->d, DOCTOR_OK, "MySQL clock", NULL, "time and time zone are the same as here");
	mysql_rows_free(rows);
}

void doctor_mysql(struct doctor *d)
{
	struct looking l = {.d = d, .table = d->cli->conf.mysql.table};

	if (d->cli->conf.database != DATABASE_MYSQL) {
		doctor_say(d, DOCTOR_UNCHECKED, "MySQL", NULL, "the configuration says `database none`");
		return;
	}
	if (d->has_ledger)
		check_lag(&l);
	if (!check_server(&l))
		return;
	check_clock(&l);
	if (check_table(&l) && !doctor_lacks_ledger(d, "MySQL sums") && check_marker(&l))
		check_sums(&l);
	mysql_hang_up(l.m);
}
