/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/support/mariadb_bed.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/support/unit.h"

void mariadb_bed_do(struct mariadb_bed *b, const char *command)
{
	char line[64] = "";
	int pid = 0;

	fprintf(b->to, "%s\n", command);
	assert_int_equal(fflush(b->to), 0);
	assert_non_null(fgets(line, sizeof(line), b->from));
	if (sscanf(line, "ok %d", &pid) != 1)
		fail_msg("%s: %s", command, line);
	b->server = pid;
}

void mariadb_bed_start(struct mariadb_bed *b, const char *timezone)
{
	char *zone = mem_printf("export TZ=%s", timezone), *start = mem_printf("mariadb_start %s", b->folder);

	mariadb_bed_do(b, zone);
	mariadb_bed_do(b, start);
	free(zone);
	free(start);
}

struct mariadb_bed *mariadb_bed_new(void)
{
	struct mariadb_bed *b = mem_alloc(sizeof(*b));
	int to[2], from[2];

	b->folder = mem_strdup("/dev/shm/mariadb-XXXXXX"); /* no disk has to turn for a COMMIT */
	assert_non_null(mkdtemp(b->folder));
	b->socket = mem_printf("%s/sock", b->folder);
	assert_int_equal(pipe2(to, 0), 0);
	assert_int_equal(pipe2(from, 0), 0);
	b->shell = fork();
	assert_true(b->shell >= 0);
	if (b->shell == 0) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		closefrom(3);
		execl("tests/support/mariadb_bed.sh", "mariadb_bed.sh", NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	b->to = fdopen(to[1], "w");
	b->from = fdopen(from[0], "r");
	b->root.user = mem_strdup("root");
	b->root.host = mem_strdup(b->socket);
	mariadb_bed_start(b, "UTC");
	return b;
}

void mariadb_bed_free(struct mariadb_bed *b)
{
	fclose(b->to);
	fclose(b->from);
	waitpid(b->shell, NULL, 0);
	scratch_free(b->folder);
	free(b->socket);
	free(b->root.user);
	free(b->root.host);
	free(b);
}

struct mysql *mariadb_bed_open(const struct conf_mysql *c)
{
	struct mysql *m;
	char *err = NULL;

	if (mysql_open(&m, c, &err) < 0)
		fail_msg("%s", err);
	return m;
}

void mariadb_bed_sql(struct mysql *m, const char *fmt, ...)
{
	char *text, *err = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);
	if (mysql_execute(m, "cannot do", text, strlen(text), &err) < 0)
		fail_msg("%s: %s", text, err);
	free(text);
}

void mariadb_bed_is(struct mysql *m, const char *query, const char *expected)
{
	char *err = NULL, **row, *seen = mem_strdup("");
	struct mysql_rows *rows = mysql_ask(m, "cannot ask", &err, "%s", query);

	if (!rows)
		fail_msg("%s: %s", query, err);
	while ((row = mysql_next(rows))) {
		char *more = mem_printf("%s%s\n", seen, row[0] ? row[0] : "NULL");

		free(seen);
		seen = more;
	}
	mysql_rows_free(rows);
	if (strcmp(seen, expected) != 0)
		fail_msg("%s\nexpected:\n%sseen:\n%s", query, expected, seen);
	free(seen);
}
