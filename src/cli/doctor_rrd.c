/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * doctor_rrd: are the RRD files what the ledger holds (cli/doctor.h), slot by slot of the last day?
 *
 * xenbw-graph reads a file, as librrd may die of it. A file's slots before the bucket began are somebody
 * else's; its first one may be shared.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/doctor.h"
#include "cli/rights.h"
#include "cli/spawn.h"
#include "db/audit.h"
#include "db/rrd_source.h"
#include "db/sink.h"

#define DAY 86400
#define READ_LIMIT_MS 10000
#define LATE (INT64_C(3) * SLOT_SECONDS) /* a file that lacks as much is behind */

struct looking {
	struct doctor *d;
	struct rrd_batch batch;
	size_t files, slots;  /* that were compared */
	size_t wrong, unread; /* files */
	size_t missing, behind;
	char *first_wrong, *first_unread, *first_missing, *first_behind;
};

static void keep_first(char **first, size_t *count, char *text)
{
	if ((*count)++ == 0)
		*first = text;
	else
		free(text);
}

/* What xenbw-graph prints of a file; NULL with an error. */
static char *read_file(const char *path, int64_t from, int64_t to, char **err)
{
	char *start = mem_printf("%" PRId64, from), *end = mem_printf("%" PRId64, to), *text = NULL;
	const char *const argv[] = {"xenbw-graph", "--slots", "--rrd", path, "--from",
				    start,         "--to",    end,     NULL};
	int rc = spawn_run(argv[0], argv, READ_LIMIT_MS, &text, err);

	if (rc > 0)
		err_set(err, "librrd cannot read it");
	if (rc != 0) {
		free(text);
		text = NULL;
	}
	free(start);
	free(end);
	return text;
}

static const struct rrd_slot *slot_at(const struct rrd_usage *u, int64_t slot)
{
	for (size_t i = 0; i < u->slot_count; i++)
		if (u->slots[i].slot == slot)
			return &u->slots[i];
	return NULL;
}

/* A line "SLOT INPUT OUTPUT" beside the ledger's bytes; a word is "-" where the file has nothing. */
static bool is_same(const char *line, const struct rrd_slot *slot)
{
	char *end;

	for (int c = 0; c < DIR_COUNT; c++) {
		uint64_t has = slot ? slot->bytes[c] : 0, value;

		while (*line == ' ')
			line++;
		value = *line == '-' ? 0 : strtoull(line, &end, 10);
		if (value != has)
			return false;
		line += strcspn(line, " \n");
	}
	return true;
}

/* The slots that the file has reached, but for the bucket's first one. */
static void compare(struct looking *l, const struct rrd_bucket *b, const char *text,
		    const struct rrd_usage *usage)
{
	int64_t last = 0, wrong_at = -1;
	const char *line = text;
	size_t wrong = 0;

	if (strncmp(line, "last ", 5) == 0)
		last = strtoll(line + 5, NULL, 10);
	if (last + LATE < l->batch.open_slot && usage->slot_count &&
	    usage->slots[usage->slot_count - 1].slot + LATE < l->batch.open_slot &&
	    last <= usage->slots[usage->slot_count - 1].slot) {
		char *when = period_local(last);

		keep_first(&l->first_behind, &l->behind,
			   mem_printf("%s was written last at %s", b->label, when));
		free(when);
	}
	while ((line = strchr(line, '\n')) && *++line) {
		char *rest;
		int64_t slot = strtoll(line, &rest, 10);

		if (slot <= rrd_slot_of(b->begins) || slot + SLOT_SECONDS > last ||
		    slot >= l->batch.open_slot)
			continue;
		l->slots++;
		if (!is_same(rest, slot_at(usage, slot)) && wrong++ == 0)
			wrong_at = slot;
	}
	l->files++;
	if (wrong) {
		char *when = period_local(wrong_at);

		keep_first(&l->first_wrong, &l->wrong,
			   mem_printf("%s differs in %zu slots, first at %s", b->label, wrong, when));
		free(when);
	}
}

static void look_at(struct looking *l, const struct rrd_bucket *b)
{
	char *name = text_filename(b->label, strlen(".rrd"));
	char *path = mem_printf("%s/%s.rrd", l->d->cli->conf.rrd_dir, name), *err = NULL, *text;
	int64_t to = l->batch.open_slot, from = to - DAY;
	struct rrd_usage usage;

	free(name);
	if (rrd_source_usage(l->d->ledger.db, b->id, from, to, &usage, &err) < 0) {
		keep_first(&l->first_unread, &l->unread, err);
		free(path);
		return;
	}
	if (access(path, F_OK) < 0 && errno == ENOENT) {
		/* that of one that is gone may be removed: xenbw-writer leaves it so */
		if (usage.slot_count && b->ends + LATE >= l->batch.open_slot)
			keep_first(&l->first_missing, &l->missing, mem_printf("%s", path));
	} else if ((text = read_file(path, from, to, &err))) {
		compare(l, b, text, &usage);
		free(text);
	} else {
		keep_first(&l->first_unread, &l->unread,
			   mem_printf("%s: %s", path, err ? err : "nobody said why"));
		free(err);
	}
	rrd_usage_free(&usage);
	free(path);
}

static void say_found(struct looking *l)
{
	struct doctor *d = l->d;

	if (l->unread)
		doctor_say(d, DOCTOR_ERROR, "RRD files",
			   "move it away, and xenbw-writer makes it anew from the ledger",
			   "%zu cannot be read: %s", l->unread, l->first_unread);
	if (l->missing)
		doctor_say(d, DOCTOR_ERROR, "RRD files", "`journalctl -u xenbwd` says why",
			   "%zu are missing: %s", l->missing, l->first_missing);
	if (l->behind)
		doctor_say(d, DOCTOR_ERROR, "RRD files",
			   "`journalctl -u xenbwd` says why; the ledger keeps what they lack",
			   "%zu are behind: %s", l->behind, l->first_behind);
	if (l->wrong)
		doctor_say(
			d, DOCTOR_WARNING, "RRD files",
			"another program writes it too, or it was damaged: move it away, and it is made anew",
			"%zu are not what the ledger has: %s", l->wrong, l->first_wrong);
	if (!l->unread && !l->missing && !l->behind && !l->wrong)
		doctor_say(d, DOCTOR_OK, "RRD files", NULL,
			   "%zu files, %zu slots of the last day: they are the ledger's", l->files, l->slots);
	free(l->first_unread);
	free(l->first_missing);
	free(l->first_behind);
	free(l->first_wrong);
}

static void check_lag(struct doctor *d)
{
	struct audit_sink s;
	char *err = NULL;

	if (audit_sink(d->ledger.db, RRD_SINK, &s, &err) < 0)
		doctor_failed(d, "RRD writer", err);
	else if (!s.there)
		doctor_say(d, DOCTOR_WARNING, "RRD writer", "restart xenbwd: `systemctl restart xenbwd`",
			   "xenbwd does not know yet that there are RRD files to write");
	else if (s.slot >= 0 && s.slot + LATE + SLOT_SECONDS < d->cli->now)
		doctor_say(d, DOCTOR_ERROR, "RRD writer", "`journalctl -u xenbwd` says why",
			   "%" PRIu64 " takes wait, the oldest for %" PRId64 " s", s.behind,
			   d->cli->now - s.since);
	else
		doctor_say(d, DOCTOR_OK, "RRD writer", NULL, "all complete slots are written");
}

void doctor_rrd(struct doctor *d)
{
	struct looking l = {.d = d};
	const char *path = d->cli->conf.rrd_dir;
	char *err = NULL;
	DIR *folder;

	if (!path) {
		doctor_say(d, DOCTOR_UNCHECKED, "RRD files", NULL, "the configuration says `rrd_dir none`");
		return;
	}
	if (doctor_lacks_ledger(d, "RRD files"))
		return;
	check_lag(d);
	if (rights_to_read(path, "the RRD folder", true, &err) < 0) {
		doctor_say(d, DOCTOR_UNCHECKED, "RRD files", NULL, "%s", err);
		free(err);
		return;
	}
	folder = opendir(path);
	if (!folder) {
		doctor_say(d, DOCTOR_ERROR, "RRD files",
			   "xenbwd makes it; `journalctl -u xenbwd` says why it does not",
			   "the folder %s cannot be opened: %s", path, strerror(errno));
		return;
	}
	closedir(folder);
	if (rrd_source_batch(d->ledger.db, d->cli->now, &l.batch, &err) < 0) {
		doctor_failed(d, "RRD files", err);
		return;
	}
	for (size_t i = 0; i < l.batch.count; i++)
		if (l.batch.buckets[i].ends + DAY >= l.batch.open_slot)
			look_at(&l, &l.batch.buckets[i]);
	say_found(&l);
	rrd_batch_free(&l.batch);
}
