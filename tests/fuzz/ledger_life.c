/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fuzz/ledger_life.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account/account.h"
#include "base/mem.h"
#include "db/explain.h"
#include "db/ledger.h"
#include "db/ledger_file.h"
#include "db/ledger_merge.h"
#include "db/rrd_source.h"
#include "db/traffic_source.h"
#include "db/usage.h"

#define NOW 1700000100
#define POLLS 4
#define MOST_DEVICES 16
#define MOST_SLOTS 4096 /* of a plan: what is beyond says nothing new */

/* libFuzzer's trace names the function, but all its expectations share one abort. */
static void expect_at(bool ok, int line)
{
	if (ok)
		return;
	fprintf(stderr, "ledger_life.c:%d: it is not as expected\n", line);
	abort();
}
#define expect(ok) expect_at(ok, __LINE__)

/* A function's outcome: what failed has said why. */
static bool well(int rc, char **err)
{
	expect(rc < 0 ? *err && **err && !strchr(*err, '\n') : !*err);
	free(*err);
	*err = NULL;
	return rc >= 0;
}

/* ---- SQLite's memory ---- */

/* It allocates much, and the sanitizer sees none of its accesses: past the sanitizer it is five times as
 * fast. The size stands in front of each piece. */
void *__libc_malloc(size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);

#define FRONT 16

static void *piece_of(void *p, int size)
{
	if (!p)
		return NULL;
	memcpy(p, &size, sizeof(size));
	return (char *)p + FRONT;
}

static void *lite_malloc(int size)
{
	return piece_of(__libc_malloc((size_t)size + FRONT), size);
}

static void lite_free(void *p)
{
	if (p)
		__libc_free((char *)p - FRONT);
}

static void *lite_realloc(void *p, int size)
{
	return piece_of(__libc_realloc((char *)p - FRONT, (size_t)size + FRONT), size);
}

static int lite_size(void *p)
{
	int size = 0;

	if (p)
		memcpy(&size, (char *)p - FRONT, sizeof(size));
	return size;
}

static int lite_roundup(int size)
{
	return (size + 7) & ~7;
}

static int lite_init(void *unused)
{
	(void)unused;
	return SQLITE_OK;
}

static void lite_shutdown(void *unused)
{
	(void)unused;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const sqlite3_mem_methods lite = {.xMalloc = lite_malloc,
						 .xFree = lite_free,
						 .xRealloc = lite_realloc,
						 .xSize = lite_size,
						 .xRoundup = lite_roundup,
						 .xInit = lite_init,
						 .xShutdown = lite_shutdown};

	(void)argc;
	(void)argv;
	expect(sqlite3_config(SQLITE_CONFIG_MALLOC, &lite) == SQLITE_OK &&
	       sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK &&
	       sqlite3_config(SQLITE_CONFIG_SINGLETHREAD) == SQLITE_OK);
	return 0;
}

/* ---- the file ---- */

static char folder[256], path[300];

static void remove_files(void)
{
	static const char *const tails[] = {"", "-wal", "-shm", "-journal", ".lock"};

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		char *name = mem_printf("%s%s", path, tails[i]);

		(void)unlink(name);
		free(name);
	}
}

static void remove_folder(void)
{
	remove_files();
	(void)rmdir(folder);
}

const char *ledger_life_path(void)
{
	const char *base = getenv("TMPDIR");

	if (*path)
		return path;
	snprintf(folder, sizeof(folder), "%s/xenbw-fuzz-XXXXXX", base ? base : "/dev/shm");
	expect(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/ledger.db", folder);
	expect(atexit(remove_folder) == 0);
	return path;
}

void ledger_life_put(const void *bytes, size_t size)
{
	int fd;

	(void)ledger_life_path();
	remove_files();
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	expect(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	close(fd);
}

/* ---- readers ---- */

static void read_usage(sqlite3 *db, int64_t from, int64_t to)
{
	struct usage_report report;
	struct usage_buckets buckets;
	struct usage_vifs vifs;
	struct explain explained;
	char *err = NULL;

	if (well(usage_read_buckets(db, &buckets, &err), &err)) {
		int64_t ids[2] = {0, 1};
		size_t count = 0;

		for (size_t i = 0; i < buckets.count; i++) {
			const struct usage_bucket *b = usage_bucket_named(&buckets, buckets.list[i].label);

			expect(b && strcmp(b->label, buckets.list[i].label) == 0);
			if (count < 2)
				ids[count++] = buckets.list[i].id;
		}
		if (well(usage_read_report(db, USAGE_BY_BUCKET, from, to, ids, 2, &report, &err), &err))
			usage_report_free(&report);
		if (well(usage_read_report(db, USAGE_BY_ADDRESS, from, to, ids, count, &report, &err), &err))
			usage_report_free(&report);
		if (well(explain_read(db, ids[0], from, to, &explained, &err), &err))
			explain_free(&explained);
		usage_buckets_free(&buckets);
	}
	if (well(usage_read_report(db, USAGE_BY_BUCKET, from, to, NULL, 0, &report, &err), &err)) {
		for (size_t i = 0; i < report.count; i++)
			expect(report.rows[i].label != NULL);
		usage_report_free(&report);
	}
	if (well(usage_read_vifs(db, "boot", from, to, true, &vifs, &err), &err)) {
		for (size_t i = 0; i < vifs.vif_count; i++)
			expect(vifs.vifs[i].boot && vifs.vifs[i].domain && vifs.vifs[i].bucket);
		usage_vifs_free(&vifs);
	}
}

static void check_usage(const struct rrd_usage *u)
{
	for (size_t i = 0; i < u->life_count; i++)
		expect(u->lives[i].from < u->lives[i].to &&
		       (i == 0 || u->lives[i - 1].to < u->lives[i].from));
	for (size_t i = 1; i < u->slot_count; i++)
		expect(u->slots[i - 1].slot < u->slots[i].slot);
}

static void plan(const struct rrd_bucket *b, const struct rrd_batch *batch)
{
	struct rrd_tail tail = {0};
	struct rrd_updates updates;
	int64_t from = batch->since;

	check_usage(&b->usage);
	expect(b->label && b->ends <= batch->open_slot);
	if (from < batch->open_slot - (int64_t)MOST_SLOTS * RRD_STEP)
		from = batch->open_slot - (int64_t)MOST_SLOTS * RRD_STEP;
	rrd_plan(&tail, rrd_slot_of(from), rrd_slot_of(batch->open_slot), &b->usage, &updates);
	for (size_t i = 1; i < updates.count; i++)
		expect(updates.list[i - 1].time < updates.list[i].time);
	free(updates.list);
}

static void read_rrd(sqlite3 *db, int64_t since)
{
	struct rrd_batch batch;
	struct rrd_formers formers;
	struct rrd_usage usage;
	char *err = NULL;

	if (!well(rrd_source_batch(db, since, &batch, &err), &err))
		return;
	for (size_t i = 0; i < batch.count; i++) {
		const struct rrd_bucket *b = &batch.buckets[i];

		plan(b, &batch);
		if (well(rrd_source_usage(db, b->id, b->begins, b->ends, &usage, &err), &err)) {
			check_usage(&usage);
			rrd_usage_free(&usage);
		}
		if (well(rrd_source_formers(db, b->id, &formers, &err), &err)) {
			for (size_t f = 0; f < formers.count; f++)
				expect(formers.list[f].label != NULL);
			rrd_formers_free(&formers);
		}
	}
	rrd_batch_free(&batch);
}

static void read_traffic(sqlite3 *db, int64_t after)
{
	struct traffic_marker marker = {.seq = after, .taken = (char[]){"1 2"}, .host = (char[]){"host"}};
	struct traffic_ledger ledger;
	struct traffic_batch batch;
	char *err = NULL;

	if (well(traffic_source_ledger(db, "mysql", &marker, &ledger, &err), &err)) {
		expect(ledger.uuid != NULL);
		traffic_ledger_clear(&ledger);
	}
	if (well(traffic_source_batch(db, after, 100, "-host", &batch, &err), &err)) {
		for (size_t i = 0; i < batch.count; i++)
			expect(batch.list[i].label && strlen(batch.list[i].label) <= 4 * TRAFFIC_LABEL_MAX);
		traffic_batch_free(&batch);
	}
}

void ledger_life_read(sqlite3 *db)
{
	read_usage(db, INT64_MIN, INT64_MAX);
	read_rrd(db, NOW - 900);
	read_traffic(db, 0);
	(void)sqlite3_exec(db, "SELECT * FROM traffic", NULL, NULL, NULL); /* what a web page reads */
	expect(sqlite3_get_autocommit(db) && !sqlite3_next_stmt(db, NULL));
}

void ledger_life_visit(void)
{
	struct ledger_file file;
	char *err = NULL;

	if (!well(ledger_file_open_reader(&file, ledger_life_path(), &err), &err))
		return;
	expect(file.db != NULL);
	ledger_life_read(file.db);
	ledger_file_close(&file);
}

/* ---- xenbwd ---- */

struct life {
	struct ledger *ledger;
	struct account *account;
	struct {
		int64_t vif;
		uint64_t taken[DIR_COUNT], moved[DIR_COUNT];
	} vifs[MOST_DEVICES];
	size_t count;
	unsigned devices[MOST_DEVICES];
	size_t device_count;
	bool whole; /* every commit went in */
};

static void seen(void *ctx, int64_t vif, struct account_seen *out)
{
	static struct account_portion portion;
	const struct life *l = ctx;

	(void)l;
	portion = (struct account_portion){0};
	portion.bytes.bytes[DIR_OUTPUT][CLASS_EXTERNAL] = (uint64_t)vif % 3000;
	portion.bytes.bytes[DIR_INPUT][CLASS_PEER] = 200;
	*out = (struct account_seen){.portions = &portion, .count = 1, .late = {[DIR_OUTPUT] = 10}};
}

static void note_moved(struct life *l)
{
	for (size_t i = 0; i < l->count; i++)
		if (account_devices(l->account, l->vifs[i].vif))
			account_moved(l->account, l->vifs[i].vif, l->vifs[i].moved);
}

/* What is estimated when a vif goes is in no account_moved any more. */
static void note_takes(struct life *l, const struct ledger_batch *b)
{
	for (size_t t = 0; t < b->take_count; t++)
		for (size_t i = 0; i < l->count; i++)
			for (int d = 0; l->vifs[i].vif == b->takes[t]->vif && d < DIR_COUNT; d++)
				l->vifs[i].taken[d] += class_bytes_total(&b->takes[t]->classes, d) -
						       (b->ended ? b->takes[t]->estimated[d] : 0);
}

static void commit(struct life *l, bool ended)
{
	struct ledger_batch batch;
	char *err = NULL;

	account_batch(l->account, &batch);
	batch.ended = ended;
	if (well(ledger_commit(l->ledger, &batch, &err), &err)) {
		note_takes(l, &batch);
		account_batch_free(&batch);
		account_committed(l->account);
	} else {
		l->whole = false;
		account_batch_free(&batch);
	}
}

/* The devices that the ledger knows, and the vifs that they are of. */
static void find_devices(struct life *l)
{
	const struct ledger_epoch *e = NULL;

	while ((e = account_next_epoch(l->account, e)) && l->device_count < MOST_DEVICES) {
		bool known = false;

		l->devices[l->device_count++] = e->ifindex;
		for (size_t i = 0; i < l->count; i++)
			known |= l->vifs[i].vif == e->vif;
		if (!known)
			l->vifs[l->count++].vif = e->vif;
	}
}

/* What is there now, as a daemon that was started again finds it. */
static void meet(struct life *l)
{
	static const struct account_vif_facts facts[] = {
		{.domid = 0, .devid = 1, .uuid = BUCKET_DOM0_UUID, .domain = BUCKET_DOM0_NAME},
		{.domid = 1,
		 .uuid = "11111111-1111-1111-1111-111111111111",
		 .domain = "web",
		 .mac = "00:16:3e:00:00:01",
		 .addresses = "192.0.2.1 192.0.2.2"},
		{.domid = 2, .devid = 1, .domain = "mail", .addresses = "192.0.2.1"},
		{.domid = 3, .uuid = "33333333-3333-3333-3333-333333333333", .domain = "web"},
	};

	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		char *warning;
		int64_t vif = account_vif_here(l->account, &facts[i], &warning);

		free(warning);
		account_device_here(l->account, vif, 10 + (unsigned)i, "vif", DEVICE_NETBACK, 1, 0);
	}
}

static void poll(struct life *l, int64_t now, bool looks)
{
	struct account_look look = {.seen = seen, .ctx = l};
	char *err = NULL;

	account_begin(l->account, now);
	for (size_t i = 0; i < l->device_count; i++) {
		uint64_t n = (uint64_t)(now - NOW + 100) * 1000;
		struct epoch_evidence evidence = {.carrier_down = 1, .carrier = true};

		account_evidence(l->account, l->devices[i], &evidence);
		if (account_reading(l->account, l->devices[i], &(struct counters){n, n / 100, n, n / 100}))
			account_restarted(l->account, l->devices[i], 1);
	}
	account_settle(l->account, looks ? &look : NULL);
	note_moved(l);
	commit(l, false);
	well(ledger_fold(l->ledger, account_open_slot(l->account), 100, &err), &err);
	well(ledger_merge(l->ledger, account_open_slot(l->account), 100, &err), &err);
}

static void check_takes(const struct life *l)
{
	for (size_t i = 0; l->whole && i < l->count; i++)
		for (int d = 0; d < DIR_COUNT; d++)
			expect(l->vifs[i].taken[d] == l->vifs[i].moved[d]);
}

static void live(struct life *l, const struct ledger_state *state, bool by_ip)
{
	struct account_settings settings = {.boot = "boot", .late = 2, .bucket_by_ip = by_ip};
	char *err = NULL;

	l->account = account_new(&settings, state, NOW);
	meet(l);
	find_devices(l);
	for (int i = 0; i < POLLS; i++)
		poll(l, NOW + i * 200, i % 2);
	account_vif_gone(l->account, l->count ? l->vifs[0].vif : 1);
	account_settle(l->account, NULL);
	commit(l, true);
	check_takes(l);
	well(ledger_passed(l->ledger, "mysql", account_last_seq(l->account), &err), &err);
	well(ledger_fold(l->ledger, account_open_slot(l->account), 1000, &err), &err);
	account_free(l->account);
}

/* The sums of all bytes, "" where they say nothing: a value is no number, or negative, or they do not fit. */
static char *sums_of(void)
{
	struct ledger_file file;
	sqlite3_stmt *stmt = NULL;
	char *err = NULL, *sums = mem_strdup("");

	if (!well(ledger_file_open_reader(&file, ledger_life_path(), &err), &err))
		return sums;
	if (sqlite3_prepare_v2(file.db,
			       "SELECT sum(external_input) || ' ' || sum(external_output) || ' ' ||"
			       " sum(local_output) || ' ' || sum(spoofed_output) FROM usage HAVING"
			       " min(external_input) >= 0 AND min(external_output) >= 0 AND"
			       " min(local_output) >= 0 AND min(spoofed_output) >= 0 AND"
			       " typeof(sum(external_input)) || typeof(sum(external_output)) ||"
			       " typeof(sum(local_output)) || typeof(sum(spoofed_output)) ="
			       " 'integerintegerintegerinteger'",
			       -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		mem_replace(&sums, (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	ledger_file_close(&file);
	return sums;
}

/* A daemon that is started once more, with all passed: it has nothing to do but to fold. */
static void fold_all(void)
{
	char *err = NULL, *before = sums_of(), *after;
	struct ledger *ledger;

	if (well(ledger_open(&ledger, ledger_life_path(), "boot", &err), &err)) {
		well(ledger_sinks(ledger, NULL, 0, &err), &err);
		well(ledger_fold(ledger, INT64_MAX, 1000000, &err), &err);
		well(ledger_merge(ledger, INT64_MAX, 1000000, &err), &err);
		ledger_close(ledger);
		after = sums_of();
		expect(!*before || strcmp(before, after) == 0);
		free(after);
	}
	free(before);
}

void ledger_life_run(bool by_ip)
{
	static const char *const sinks[] = {"rrd", "mysql"};
	struct life l = {.whole = true};
	struct ledger_state state;
	char *err = NULL;

	if (!well(ledger_open(&l.ledger, ledger_life_path(), "boot", &err), &err))
		return;
	well(ledger_sinks(l.ledger, sinks, 2, &err), &err);
	well(ledger_charge(l.ledger, by_ip, &err), &err);
	if (well(ledger_load(l.ledger, &state, &err), &err)) {
		live(&l, &state, by_ip);
		ledger_state_free(&state);
	}
	ledger_close(l.ledger);
	fold_all();
}
