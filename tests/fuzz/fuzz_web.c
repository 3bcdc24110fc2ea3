/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fuzz_web: any bytes as what a browser asks (libFuzzer): a path, `?` and a query; then, each on a line of
 * its own, a form and cookies. The first byte says: 1 a POST, 2 with the cookie of an owner who is logged in,
 * 4 behind TLS.
 *
 * Whatever is asked, the answer is a status that there is, and has no figure of somebody else's domain in it.
 */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/ledger_file.h"
#include "web/web.h"

#define FOREIGN "7654321987" /* bytes of another owner's domain, which no sum can hide */
#define NOW 1795431610

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct web web;
static char *folder, *path, *users, *cookie;

static void expect(bool ok)
{
	if (!ok)
		abort();
}

static void clean_up(void)
{
	static const char *const ends[] = {"", "-wal", "-shm", ".lock"};

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		char *file = mem_printf("%s%s", path, ends[i]);

		(void)unlink(file);
		free(file);
	}
	(void)unlink(users);
	(void)rmdir(folder);
	web_free(&web);
	free(folder);
	free(path);
	free(users);
	free(cookie);
}

static void make_ledger(void)
{
	static const char rows[] =
		"INSERT INTO run VALUES (1, 'boot', 1790000000, 1795431605, NULL);"
		"INSERT INTO bucket VALUES (1, 'domain'), (2, 'domain');"
		"INSERT INTO bucket_label VALUES (1, 'web', 1790000000, NULL), (2, 'mail', 1790000000, NULL);"
		"INSERT INTO vif VALUES (1, 'boot', 1, 0, NULL, 'web', NULL, '10.0.0.1', NULL, 'vif1.0', 1, "
		"1790000000, NULL),"
		" (2, 'boot', 2, 0, NULL, 'mail', NULL, '10.0.0.2', NULL, 'vif2.0', 2, 1790000000, NULL);"
		"INSERT INTO slot VALUES (1, 1793487600, 1, '10.0.0.1', 5,6, 0,0, 0,0, 7,8, 0,0, 0,0, 0,0, "
		"0,0, 0),"
		" (2, 1793487600, 2, '10.0.0.2', " FOREIGN ",0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0),"
		" (2, 1793487600, 1, '10.0.0.3', " FOREIGN ",0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0);";
	struct ledger_file f;
	char *err = NULL;

	expect(ledger_file_open_writer(&f, path, &err) == 0);
	expect(sqlite3_exec(f.db, rows, NULL, NULL, NULL) == SQLITE_OK);
	ledger_file_close(&f);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *place = getenv("TMPDIR");
	struct passwords p = {0};
	struct conf conf;
	char *err = NULL;

	(void)argc;
	(void)argv;
	folder = mem_printf("%s/fuzz_web.XXXXXX", place ? place : "/tmp");
	expect(mkdtemp(folder) != NULL);
	path = mem_printf("%s/ledger.db", folder);
	users = mem_printf("%s/users", folder);
	make_ledger();
	passwords_set(&p, "acme", "acme", "$y$no-hash");
	expect(passwords_write(&p, users, getegid(), &err) == 0);
	passwords_free(&p);
	conf_init(&conf);
	mem_replace(&conf.ledger, path);
	mem_replace(&conf.web.users, users);
	expect(billing_add_owner(&conf.owners, "acme web", &err) == 0 &&
	       billing_add_owner(&conf.owners, "other mail", &err) == 0);
	expect(web_init(&web, &conf, &err) == 0);
	cookie = sessions_begin(&web.sessions, "acme", "$y$no-hash", 0, &err);
	expect(cookie != NULL);
	return atexit(clean_up);
}

/* A line of what is left, as long as it is; NULs end it. */
static char *line_of(const uint8_t **data, size_t *size)
{
	size_t length = 0;
	char *line;

	while (length < *size && (*data)[length] != '\n')
		length++;
	line = mem_strndup((const char *)*data, length);
	*data += length;
	*size -= length;
	if (*size) {
		++*data;
		--*size;
	}
	return line;
}

static void ask(const struct question *q, bool foreign_asked)
{
	static const int all[] = {200, 303, 400, 401, 403, 404, 405, 429, 500, 503};
	struct answer a;
	char *err = NULL;
	size_t n = 0;

	expect(answer_init(&a, &err) == 0);
	web_answer(&web, q, &a);
	expect(fflush(a.out) == 0);
	while (n < sizeof(all) / sizeof(*all) && all[n] != a.status)
		n++;
	expect(n < sizeof(all) / sizeof(*all));
	if (!foreign_asked)
		expect(!memmem(a.body, a.length, FOREIGN, strlen(FOREIGN)));
	expect(!a.cookie || !strpbrk(a.cookie, "\r\n"));
	answer_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fields query = {0}, form = {0};
	struct question q = {.query = &query, .form = &form, .now = NOW};
	char *url, *query_text, *form_text, *cookies, *all, *err = NULL;
	bool foreign;

	if (size < 2)
		return 0;
	foreign = memmem(data, size, "7654", 4) ||
		  memchr(data, '%', size); /* an error may repeat what was asked */
	q.post = data[0] & 1;
	web.conf.web.behind_tls = data[0] & 4;
	all = mem_printf("xenbw=%s", data[0] & 2 ? cookie : "");
	data++;
	size--;
	url = line_of(&data, &size);
	form_text = line_of(&data, &size);
	cookies = line_of(&data, &size);
	if (!(strcmp(all, "xenbw=") == 0 && !*cookies))
		mem_replace(&all, *cookies ? cookies : all);
	q.cookies = strcmp(all, "xenbw=") == 0 ? NULL : all;
	query_text = strchr(url, '?');
	if (query_text)
		*query_text++ = '\0';
	q.path = url;
	if ((!query_text || fields_parse(&query, query_text, strlen(query_text), &err) == 0) &&
	    fields_parse(&form, form_text, strlen(form_text), &err) == 0)
		ask(&q, foreign);
	fields_free(&query);
	fields_free(&form);
	free(err);
	free(all);
	free(cookies);
	free(form_text);
	free(url);
	return 0;
}
