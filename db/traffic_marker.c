/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/traffic_marker.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/traffic_table.h"

#define HOST_ROOM 256

static const char writing[] = "cannot write " TRAFFIC_MARKER_TABLE;

void traffic_marker_clear(struct traffic_marker *marker)
{
	free(marker->taken);
	free(marker->host);
	*marker = (struct traffic_marker){0};
}

static int this_host(char name[HOST_ROOM], char **err)
{
	memset(name, 0, HOST_ROOM);
	if (gethostname(name, HOST_ROOM - 1) < 0)
		return err_sys(err, "cannot read this host's name");
	return 0;
}

int traffic_marker_read(struct mysql *m, const char *uuid, struct traffic_marker *out, bool *found,
			char **err)
{
	struct mysql_rows *rows = mysql_ask(
		m, "cannot read " TRAFFIC_MARKER_TABLE, err,
		"SELECT seq, taken, host FROM " TRAFFIC_MARKER_TABLE " WHERE ledger_uuid = %s", uuid);
	char **row;

	*out = (struct traffic_marker){0};
	if (!rows)
		return -1;
	row = mysql_next(rows);
	*found = row != NULL;
	if (row)
		*out = (struct traffic_marker){.seq = (int64_t)strtoll(row[0], NULL, 10),
					       .taken = mem_strdup(row[1] ? row[1] : ""),
					       .host = mem_strdup(row[2] ? row[2] : "")};
	mysql_rows_free(rows);
	return 0;
}

int traffic_marker_insert(struct mysql *m, const char *uuid, int64_t seq, char **err)
{
	char name[HOST_ROOM], *host;
	int64_t rc;

	if (this_host(name, err) < 0)
		return -1;
	host = mysql_literal(m, name);
	rc = mysql_command(m, writing, err,
			   "INSERT IGNORE INTO " TRAFFIC_MARKER_TABLE
			   "(ledger_uuid, host, seq, taken) VALUES (%s, %s, %" PRId64 ", '')",
			   uuid, host, seq);
	free(host);
	return rc < 0 ? -1 : 0;
}

int64_t traffic_marker_move(struct mysql *m, const char *uuid, int64_t from, int64_t to, const char *taken,
			    char **err)
{
	char name[HOST_ROOM], *host, *literal;
	int64_t changed;

	if (this_host(name, err) < 0)
		return -1;
	host = mysql_literal(m, name);
	literal = mysql_literal(m, taken);
	changed = mysql_command(m, writing, err,
				"UPDATE " TRAFFIC_MARKER_TABLE " SET seq = %" PRId64
				", taken = %s, host = %s WHERE ledger_uuid = %s AND seq = %" PRId64,
				to, literal, host, uuid, from);
	free(literal);
	free(host);
	return changed;
}

const char *traffic_marker_other_host(const struct traffic_marker *marker)
{
	char name[HOST_ROOM];

	if (this_host(name, NULL) < 0 || strcmp(name, marker->host) == 0)
		return NULL;
	return marker->host;
}

/* ---- do they fit? ---- */

/* What an admin says at the server to have the marker at a take of this ledger; free(). */
static char *way_on(struct mysql *m, const struct traffic_ledger *ledger, int64_t seq, const char *taken)
{
	char *uuid = mysql_literal(m, ledger->uuid), *literal = mysql_literal(m, taken ? taken : "");
	char *statement = mem_printf("UPDATE " TRAFFIC_MARKER_TABLE " SET seq = %" PRId64
				     ", taken = %s WHERE ledger_uuid = %s",
				     seq, literal, uuid);

	free(literal);
	free(uuid);
	return statement;
}

static int say_ahead(const struct traffic_marker *marker, const struct traffic_ledger *ledger,
		     struct mysql *m, const char *table, const char *path, char **err)
{
	const char *other = traffic_marker_other_host(marker);
	char *statement = way_on(m, ledger, ledger->resume, ledger->resume_taken);
	char *where = marker->seq > ledger->newest
			      ? mem_printf("the ledger's last is %" PRId64, ledger->newest)
			      : mem_strdup("which is another take there");
	char *host = other ? mem_printf("; host %s wrote last: if it uses a copy of this ledger, stop xenbwd "
					"on one of the two and move its ledger away there instead",
					other)
			   : mem_strdup("");

	err_set(err,
		"table %s at MySQL server %s is ahead of the ledger %s (sequence %" PRId64
		", %s): an older copy of the ledger was put back, or another host uses a copy of it; bytes "
		"that were counted between may be in the table already, and nothing more is written%s; to go "
		"on after the put back ledger's takes say at the server: %s",
		table, mysql_place(m), path, marker->seq, where, host, statement);
	free(host);
	free(where);
	free(statement);
	return -1;
}

/* When what the table has was counted, as part of a sentence; free(). */
static char *reaches(const struct traffic_marker *marker)
{
	time_t t = (time_t)strtoll(marker->taken, NULL, 10);
	struct tm tm;
	char text[40];

	if (!*marker->taken || !gmtime_r(&t, &tm) ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		return mem_strdup("");
	return mem_printf(", all up to %s", text);
}

static int say_behind(const struct traffic_marker *marker, const struct traffic_ledger *ledger,
		      struct mysql *m, const char *table, const char *path, char **err)
{
	char *statement = way_on(m, ledger, ledger->whole, NULL), *when = reaches(marker);

	err_set(err,
		"table %s at MySQL server %s is behind the ledger %s (sequence %" PRId64
		"%s), which keeps only the sums of the next %" PRId64
		" takes any more: did the configuration say `database none` for a while, or was an older "
		"copy "
		"of the database put back? nothing more is written; to go on without them (`xenbw report` "
		"has their bytes) say at the server: %s",
		table, mysql_place(m), path, marker->seq, when, ledger->whole - marker->seq, statement);
	free(when);
	free(statement);
	return -1;
}

int traffic_marker_check(const struct traffic_marker *marker, const struct traffic_ledger *ledger,
			 struct mysql *m, const char *table, const char *path, char **err)
{
	if (ledger->passed < 0)
		return err_set(err,
			       "ledger %s keeps nothing for MySQL yet: xenbwd began before the configuration "
			       "said `database mysql`; systemctl restart xenbwd",
			       path);
	if (!marker)
		return 0;
	if (ledger->missing > 0)
		return say_behind(marker, ledger, m, table, path, err);
	return ledger->fits ? 0 : say_ahead(marker, ledger, m, table, path, err);
}
