/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/ledger_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/folder.h"
#include "base/mem.h"
#include "base/share.h"
#include "db/ledger_witness.h"
#include "db/sql.h"

#define RECOVER                                                                                            \
	"nothing was changed. Keep a copy, then recover what can be read as LEDGER in xenbwd(8) says, or " \
	"move it "                                                                                         \
	"away to begin a new ledger"

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The lock that this process holds already, where it is the same file: to take it anew would let it go. */
static int lock_of(int fd, int held)
{
	struct stat this, that;

	if (held < 0 || fstat(fd, &this) < 0 || fstat(held, &that) < 0 || !same_file(&this, &that))
		return -1;
	return fcntl(held, F_DUPFD_CLOEXEC, 0);
}

/* Whoever can open it can keep a xenbwd from starting: it is its owner's alone. */
static int take_lock(struct ledger_file *f, const char *path, int held, char **err)
{
	char *lock = mem_printf("%s.lock", path);
	int rc = 0, shared;

	f->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	shared = f->lock_fd < 0 ? -1 : lock_of(f->lock_fd, held);
	if (f->lock_fd < 0) {
		rc = err_sys(err, "cannot create %s beside the ledger", lock);
	} else if (shared >= 0) {
		close(f->lock_fd);
		f->lock_fd = shared;
	} else if (flock(f->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		rc = errno == EWOULDBLOCK ? err_set(err,
						    "ledger %s is in use by another xenbwd; stop that one, "
						    "or give this one "
						    "another ledger",
						    path)
					  : err_sys(err, "cannot lock %s", lock);
	} else {
		(void)fchmod(f->lock_fd, 0600); /* one of an older version; somebody else's stays as it is */
	}
	free(lock);
	return rc;
}

/* Files of an older ledger may have another group than the one that is to read them. Where that cannot be
 * changed counting goes on, and who cannot read them says so. Not while SQLite has them open: to close a
 * descriptor of a file gives up its locks. */
static void share_files(const char *path)
{
	static const char *const endings[] = {"", "-wal", "-shm"};

	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
		char *file = mem_printf("%s%s", path, endings[i]);

		(void)share_file(AT_FDCWD, file, 0040);
		free(file);
	}
}

static int damaged(const char *path, const char *said, char **err)
{
	char *line = sql_line(said);

	err_set(err, "ledger %s is damaged (%s); " RECOVER, path, line);
	free(line);
	return -1;
}

#define MAGIC "SQLite format 3" /* with its NUL: how each SQLite database begins */

static int not_sqlite(const char *path, char **err)
{
	return err_set(err,
		       "%s is not a ledger (not an SQLite database); name the ledger's file with `ledger` in "
		       "the configuration, or with xenbw --ledger FILE. If this was one, its beginning is "
		       "damaged: " RECOVER,
		       path);
}

/* What can be seen without opening the file. */
static int check_type(const char *path, char **err)
{
	struct stat st;

	if (stat(path, &st) < 0 || S_ISREG(st.st_mode))
		return 0;
	return err_set(
		err,
		"%s is %s, not a ledger; name the ledger's file with `ledger` in the configuration, or "
		"with xenbw --ledger FILE",
		path, S_ISDIR(st.st_mode) ? "a directory" : "not a regular file");
}

/* Before anything is made beside it, or its group changed. What cannot be read SQLite tells later. Not while
 * this process has a ledger open: to close a descriptor of a file gives up SQLite's locks of it. */
static int check_magic(const char *path, char **err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char begin[sizeof(MAGIC)];
	ssize_t n;

	if (fd < 0)
		return 0;
	n = pread(fd, begin, sizeof(begin), 0);
	close(fd);
	if (n <= 0 || memcmp(begin, MAGIC, (size_t)n) == 0)
		return 0;
	return not_sqlite(path, err);
}

/* The same by SQLite's own descriptor. */
static bool begins_as_sqlite(sqlite3 *db)
{
	char begin[sizeof(MAGIC)];
	sqlite3_file *file = NULL;

	return sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK && file &&
	       file->pMethods && file->pMethods->xRead(file, begin, sizeof(begin), 0) == SQLITE_OK &&
	       memcmp(begin, MAGIC, sizeof(begin)) == 0;
}

/* Refuses whatever is not one of our ledgers in a version that we know. A database without any table is new.
 */
static int check_identity(sqlite3 *db, const char *path, bool *is_new, int64_t *version, char **err)
{
	int64_t application = 0, tables = 0;

	if (sql_number(db, "PRAGMA application_id", 0, &application, err) < 0 ||
	    sql_number(db, "PRAGMA user_version", 0, version, err) < 0 ||
	    sql_number(db, "SELECT count(*) FROM sqlite_master", 0, &tables, err) < 0) {
		int code = sqlite3_errcode(db) & 0xff;

		if (code == SQLITE_NOTADB && !begins_as_sqlite(db))
			return not_sqlite(path, err);
		if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
			damaged(path, sqlite3_errmsg(db), err);
		return -1;
	}
	*is_new = tables == 0 && application == 0;
	if (*is_new)
		return 0;
	if (application != LEDGER_APPLICATION_ID)
		return err_set(
			err,
			"%s is a database of some other program, not a xenbw ledger; name another file with "
			"`ledger` in the configuration",
			path);
	if (*version > LEDGER_SCHEMA)
		return err_set(
			err,
			"ledger %s was written by a newer xenbw (schema %" PRId64
			", this one knows up to %d); "
			"install that version again, or name another file with `ledger`; nothing was changed",
			path, *version, LEDGER_SCHEMA);
	return 0;
}

/* SQLite's, each so many of its steps. */
#define STEPS 100000

static int on_steps(void *arg)
{
	const struct ledger_opening *how = arg;

	how->alive();
	return 0;
}

/* Reads all of it: with a large ledger that takes seconds. */
static int check_soundness(sqlite3 *db, const char *path, const struct ledger_opening *how, char **err)
{
	sqlite3_stmt *stmt;
	char *verdict = NULL;
	int rc;

	if (sql_prepare(db, &stmt, "PRAGMA quick_check(1)", err) < 0)
		return -1;
	if (how->alive)
		sqlite3_progress_handler(db, STEPS, on_steps, (void *)(uintptr_t)how);
	rc = sql_step(stmt, err);
	sqlite3_progress_handler(db, 0, NULL, NULL);
	if (rc == 1)
		verdict = sql_text(stmt, 0);
	sqlite3_finalize(stmt);
	if (rc < 0 || !verdict || strcmp(verdict, "ok") != 0)
		rc = damaged(path, verdict ? verdict : sqlite3_errmsg(db), err);
	free(verdict);
	return rc < 0 ? -1 : 0;
}

/* Is there a file PATH-wal, -shm with something in it? */
static bool has_beside(const char *path, const char *ending)
{
	char *file = mem_printf("%s%s", path, ending);
	struct stat st;
	bool has = stat(file, &st) < 0 ? errno != ENOENT : st.st_size > 0;

	free(file);
	return has;
}

static int emptied(const char *path, char **err)
{
	return err_set(
		err,
		"ledger %s is empty, but it was in use: it, or its log %s-wal, was cut off or taken away; "
		"nothing was changed. Put it back, or move it and what is beside it away to begin a new "
		"ledger",
		path, path);
}

/* SQLite takes an empty file for a new database, and throws away the log beside it. */
static int check_emptied(const struct ledger_file *f, const char *path, char **err)
{
	struct ledger_witness w;
	struct stat st;
	bool is_there = stat(path, &st) == 0;

	if (is_there && st.st_size > 0)
		return 0;
	if (!has_beside(path, "-wal") && !(is_there && ledger_witness_read(f->lock_fd, &w)))
		return 0;
	return emptied(path, err);
}

static int set_up_writer(struct ledger_file *f, const char *path, const struct ledger_opening *how,
			 char **err)
{
	struct ledger_witness w;
	int64_t version = 0;
	bool is_new = false;
	int persist = 1;

	if (check_identity(f->db, path, &is_new, &version, err) < 0)
		return -1;
	if (is_new && has_beside(path, "") && ledger_witness_read(f->lock_fd, &w))
		return emptied(path, err);
	if (sqlite3_db_readonly(f->db, "main"))
		return err_set(
			err,
			"ledger %s is read-only; make the file and its folder writable, or name another with "
			"`ledger`; nothing was changed",
			path);
	if (sqlite3_file_control(f->db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist) != SQLITE_OK ||
	    sql_run(f->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON",
		    err) < 0)
		return err_add(err, "preparing ledger %s", path);
	if (is_new)
		return ledger_versions_create(f->db, err);
	if (check_soundness(f->db, path, how, err) < 0)
		return -1;
	if (ledger_versions_upgrade(f->db, version, err) < 0)
		return err_add(err, "bringing ledger %s up to date (schema %d)", path, LEDGER_SCHEMA);
	return 0;
}

int ledger_file_lock(struct ledger_file *f, const char *path, int held, char **err)
{
	*f = (struct ledger_file){.lock_fd = -1};
	if (check_type(path, err) == 0 && (held >= 0 || check_magic(path, err) == 0) &&
	    folder_of(path, 0750, err) == 0 && take_lock(f, path, held, err) == 0 &&
	    (held >= 0 || check_emptied(f, path, err) == 0))
		return 0;
	ledger_file_close(f);
	return -1;
}

/* A ledger that is refused keeps its log as it is: closing would copy it over, or throw it away. */
static int keep_log(const struct ledger_file *f, bool keep)
{
	return sqlite3_db_config(f->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, (int)keep, NULL) == SQLITE_OK ? 0
													: -1;
}

int ledger_file_open_locked(struct ledger_file *f, const char *path, const struct ledger_opening *how,
			    char **err)
{
	struct stat st = {0};
	mode_t old;
	int rc;

	share_files(path);
	old = umask(027);
	rc = sqlite3_open_v2(path, &f->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW,
			     NULL);
	if (rc != SQLITE_OK)
		rc = err_set(err, "cannot open ledger %s: %s; its folder must exist and be writable", path,
			     f->db ? sqlite3_errmsg(f->db) : sqlite3_errstr(rc));
	else
		rc = sqlite3_busy_timeout(f->db, 5000) == SQLITE_OK && keep_log(f, true) == 0
			     ? set_up_writer(f, path, how, err)
			     : -1;
	if (rc == 0)
		rc = keep_log(f, false);
	umask(old);
	if (rc == 0 && stat(path, &st) < 0)
		rc = err_sys(err, "ledger %s", path);
	if (rc < 0) {
		ledger_file_close(f);
		return rc;
	}
	f->device = st.st_dev;
	f->inode = st.st_ino;
	return 0;
}

int ledger_file_open_writer(struct ledger_file *f, const char *path, char **err)
{
	static const struct ledger_opening alone = {0};

	if (ledger_file_lock(f, path, -1, err) < 0)
		return -1;
	return ledger_file_open_locked(f, path, &alone, err);
}

/* Does `path` lead to this ledger's lock? Then its other files are the same, too. */
static bool has_lock_at(const struct ledger_file *f, const char *path)
{
	char *lock = mem_printf("%s.lock", path);
	struct stat held, named;
	bool is = fstat(f->lock_fd, &held) == 0 && stat(lock, &named) == 0 && same_file(&held, &named);

	free(lock);
	return is;
}

enum ledger_place ledger_file_place(const struct ledger_file *f, const char *path)
{
	struct stat st;
	bool is_file = stat(path, &st) == 0 && st.st_dev == f->device && st.st_ino == f->inode;

	if (has_lock_at(f, path) || strcmp(path, sqlite3_db_filename(f->db, "main")) == 0)
		return is_file ? LEDGER_SAME : LEDGER_REPLACED;
	return is_file ? LEDGER_ALIAS : LEDGER_ELSEWHERE;
}

/* A URI that SQLite reads as this path, of a file that nobody changes. */
static char *unchanging(const char *path)
{
	static const char hex[] = "0123456789ABCDEF";
	char *escaped = mem_array(3 * strlen(path) + 1, 1), *to = escaped, *uri;

	for (const char *c = path; *c; c++) {
		if (strchr("%?#", *c)) {
			*to++ = '%';
			*to++ = hex[(unsigned char)*c >> 4];
			*to++ = hex[(unsigned char)*c & 15];
		} else {
			*to++ = *c;
		}
	}
	*to = '\0';
	uri = mem_printf("file:%s%s?immutable=1", *path == '/' ? "//" : "", escaped); /* "//" names no host */
	free(escaped);
	return uri;
}

static int open_to_read(struct ledger_file *f, const char *name, int flags, const char *path, char **err)
{
	int rc = sqlite3_open_v2(name, &f->db, SQLITE_OPEN_READONLY | flags, NULL);

	if (rc == SQLITE_OK && sqlite3_busy_timeout(f->db, 5000) == SQLITE_OK)
		return 0;
	return err_set(err,
		       "cannot read ledger %s: %s; run this as root or as a member of the ledger's group",
		       path, f->db ? sqlite3_errmsg(f->db) : sqlite3_errstr(rc));
}

/* SQLite makes -wal and -shm beside what it reads. Where it cannot, the file alone does if all is in it. */
static int open_without_files(struct ledger_file *f, const char *path, int64_t *version, bool *is_new,
			      char **err)
{
	int code = sqlite3_errcode(f->db) & 0xff, rc;
	char *uri;

	if ((code != SQLITE_CANTOPEN && code != SQLITE_READONLY) || has_beside(path, "-shm"))
		return -1;
	if (has_beside(path, "-wal"))
		return err_set(
			err,
			"cannot read ledger %s: a part of it is in %s-wal, and to read that a file must "
			"be made beside it, but this user may not write in its folder; copy both files "
			"to a folder of your own, and name the copy with xenbw --ledger FILE",
			path, path);
	ledger_file_close(f);
	if (err) { /* what the first try said */
		free(*err);
		*err = NULL;
	}
	uri = unchanging(path);
	rc = open_to_read(f, uri, SQLITE_OPEN_URI, path, err);
	free(uri);
	return rc < 0 ? -1 : check_identity(f->db, path, is_new, version, err);
}

int ledger_file_open_reader(struct ledger_file *f, const char *path, char **err)
{
	int64_t version = 0;
	bool is_new = false;
	int rc;

	*f = (struct ledger_file){.lock_fd = -1};
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 1;
	if (folder_passable(path, err) < 0)
		return err_add(err, "cannot read ledger %s", path);
	if (check_type(path, err) < 0)
		return -1;
	rc = open_to_read(f, path, 0, path, err);
	if (rc == 0) {
		rc = check_identity(f->db, path, &is_new, &version, err);
		if (rc < 0)
			rc = open_without_files(f, path, &version, &is_new, err);
	}
	if (rc == 0 && is_new)
		rc = err_set(err, "%s is empty: no xenbwd has written a ledger there yet", path);
	else if (rc == 0)
		rc = ledger_versions_bridge(f->db, version, err);
	if (rc < 0)
		ledger_file_close(f);
	return rc;
}

void ledger_file_close(struct ledger_file *f)
{
	if (f->db)
		sqlite3_close(f->db);
	if (f->lock_fd >= 0)
		close(f->lock_fd);
	*f = (struct ledger_file){.lock_fd = -1};
}
