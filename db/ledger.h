/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger: the one truth, written by xenbwd alone.
 *
 * A batch (raw counters, the takes made from them, and whatever else changed) goes in as one transaction or
 * not at all. Ids and sequences are given out by the account, so a batch that failed can be offered again
 * unchanged. Readers (reports, the writer) do not come here: they use db/usage.h and db/rrd_source.h.
 */
#ifndef XENBW_LEDGER_H
#define XENBW_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/classes.h"
#include "net/counters.h"

#define SLOT_SECONDS 300

/* Rows, column by column as in schema/ledger.sql. Times are UTC seconds; 0 stands for NULL in `gone`,
 * `closed`. */
struct ledger_bucket {
	int64_t id;
	bool by_ip;  /* kind */
	char *label; /* the present one */
};

struct ledger_uuid {
	char *uuid;
	int64_t bucket;
};

struct ledger_label { /* a bucket gets a new label */
	int64_t bucket;
	char *label;
	int64_t since;
};

struct ledger_vif {
	int64_t id;
	char *boot;
	unsigned domid, devid;
	char *uuid, *domain, *mac, *addresses, *bridge, *netdev; /* all but domain may be NULL */
	int64_t bucket;
	int64_t appeared, gone;
};

/* Ends the reason of an epoch whose output is known to the end, though no reading of its counters was the
 * last. */
#define LEDGER_OUTPUT_KNOWN ", output counted to its end"

/* Of what an epoch is ahead: at most that, exactly that, or at most, and the life before was booked by it. */
enum ledger_ahead { LEDGER_AHEAD_MOST, LEDGER_AHEAD_EXACT, LEDGER_AHEAD_LENT };

struct ledger_epoch {
	int64_t id, vif;
	char *boot;
	unsigned ifindex;
	char *netdev;
	unsigned rx_header, tx_header;
	struct counters base, last;
	uint64_t total[DIR_COUNT];
	uint32_t carrier_down;
	int64_t opened, seen, closed;
	const char *reason; /* static text, NULL while open */
	unsigned doubtful;
	/* Beyond `last`, by a count that outlives the device, at the batch's position; may be below 0. */
	int64_t ahead_bytes, ahead_packets;
	enum ledger_ahead ahead_known;
};

struct ledger_take {
	int64_t seq, slot, bucket, vif;
	char *address; /* "" where it is not known */
	int64_t from_time, to_time;
	struct class_bytes classes;
	uint64_t clipped[DIR_COUNT], estimated[DIR_COUNT];
	uint64_t spoofed; /* a part of the output */
};

struct ledger_event {
	int64_t time;
	const char *kind; /* static text */
	char *object, *detail;
};

struct ledger_baseline {
	unsigned ifindex;
	struct counters counters;
	bool gone; /* the device is: take it out */
};

/* Seen by the classifier, and not in the vif's counters yet. */
struct ledger_waiting {
	int64_t vif;
	char *address; /* "" or NULL: of the vif's own share */
	enum direction direction;
	enum byte_class class;
	uint64_t bytes;
};

/* What one transaction holds. Arrays of pointers belong to the caller. */
struct ledger_batch {
	int64_t now, open_slot;
	uint64_t position; /* how far the classifier's counts are in this ledger; 0: none that go on */
	bool ended;        /* the run ends cleanly with this batch */
	bool left;         /* and another ledger goes on from there */
	int64_t steady;    /* since when the clock has gone evenly; 0: as before */
	const struct ledger_bucket **buckets; /* new ones, without their label */
	const struct ledger_label **labels;   /* in the order in which they were given */
	const struct ledger_uuid **uuids;     /* new ones */
	const struct ledger_vif **vifs;       /* new or changed */
	const struct ledger_epoch **epochs;   /* new or changed */
	const struct ledger_take **takes;     /* new, by rising sequence */
	const struct ledger_event **events;
	const struct ledger_baseline **baselines; /* new, changed or gone */
	const struct ledger_waiting *waiting;     /* all; instead of those before */
	size_t bucket_count, label_count, uuid_count, vif_count, epoch_count, take_count, event_count,
		baseline_count, waiting_count;
};

/* What the ledger knew at the start. */
struct ledger_state {
	bool first_run; /* no xenbwd has ever written here */
	int64_t open_slot;
	int64_t last_seen;                                   /* newest commit of any run, 0 on the first */
	int64_t last_bucket, last_vif, last_epoch, last_seq; /* highest ids given out so far */
	struct ledger_bucket *buckets;
	struct ledger_uuid *uuids;
	struct ledger_vif *vifs;           /* those not gone */
	struct ledger_epoch *epochs;       /* those not closed */
	struct ledger_baseline *baselines; /* of this boot */
	struct ledger_waiting *waiting;    /* of this boot's vifs */
	size_t bucket_count, uuid_count, vif_count, epoch_count, baseline_count, waiting_count;
	uint64_t position; /* as in the last batch */
	int64_t steady;    /* the same; 0: none said */
};

struct ledger;

/* What a path is to the ledger that is in use. */
enum ledger_place {
	LEDGER_SAME,
	LEDGER_REPLACED, /* another file, or none, where the one in use was: only one of them can be open */
	LEDGER_ALIAS,    /* the one in use, by a name under which its log is not found */
	LEDGER_ELSEWHERE
};

/* How far a ledger has come. */
struct ledger_tail {
	char *uuid;        /* names it, for ever; a copy has the same */
	int64_t seq, seen; /* of the last take; of the last commit */
};

struct ledger_opening {
	struct ledger *
		*before;     /* in use until now, or NULL: it is closed, and NULL, where it is in the way */
	void (*alive)(void); /* called now and then where it takes long; may be NULL */
};

/* Opens or creates the ledger (errors as ledger_file_open_writer). `boot` is the kernel's boot id. The first
 * commit begins a run. On failure *out is NULL. */
int ledger_open(struct ledger **out, const char *path, const char *boot, char **err);
void ledger_close(struct ledger *l);

/* The same beside, or instead of, a ledger that this process has in use. The lock of a path that stays the
 * same is held all the time. */
int ledger_open_next(struct ledger **out, const char *path, const char *boot,
		     const struct ledger_opening *how, char **err);

enum ledger_place ledger_place(const struct ledger *l, const char *path);

/* To be freed by free(uuid). */
int ledger_tail(struct ledger *l, struct ledger_tail *tail, char **err);

/* How many takes at its end this ledger lacks of what it had when it was last in use at this path: then an
 * older copy was put back, or its log is torn or missing. */
int64_t ledger_missing(const struct ledger *l);

/* The tail of a file that cannot be opened yet, for another one is in use in its place. Returns 1 where there
 * is none, or none that has a tail. */
int ledger_tail_of_file(const char *path, struct ledger_tail *tail);

/* A ledger is left when another one goes on counting from where it stopped: what its open epochs lack is
 * there. It says so itself (batch.left, or this), until the first commit of its next run. */
int ledger_leave(struct ledger *l, bool left, char **err);
int ledger_is_left(struct ledger *l, bool *left, char **err);

int ledger_load(struct ledger *l, struct ledger_state *state, char **err);
void ledger_state_free(struct ledger_state *state);

/* All of the batch, durable when it returns 0; nothing of it when -1. */
int ledger_commit(struct ledger *l, const struct ledger_batch *batch, char **err);

/* Says whether unattributed bytes are in what netacct calls input and output, for all who read this ledger
 * from now on, of whatever time. Until it is said, they are. */
int ledger_charge(struct ledger *l, bool unattributed, char **err);

/* Says which sinks there are: a new one begins with what is committed after this (it has passed all sequences
 * given out so far), others are forgotten (they hold nothing back any more). */
int ledger_sinks(struct ledger *l, const char *const *names, size_t count, char **err);

/* A sink has passed seq. Never goes back. */
int ledger_passed(struct ledger *l, const char *sink, int64_t seq, char **err);

/* The newest sequence that a sink has passed; 0 for a sink that there is none of. */
int ledger_sink_seq(struct ledger *l, const char *sink, int64_t *seq, char **err);

/* Folds complete takes that every sink has passed into slots. Sums do not change. At most `limit` takes. */
int ledger_fold(struct ledger *l, int64_t open_slot, unsigned limit, char **err);

/* With copies of all its texts. */
struct ledger_vif ledger_vif_copy(const struct ledger_vif *from);
struct ledger_epoch ledger_epoch_copy(const struct ledger_epoch *from);

/* Frees what a row holds, not the row. */
void ledger_vif_clear(struct ledger_vif *v);
void ledger_epoch_clear(struct ledger_epoch *e);
void ledger_take_clear(struct ledger_take *t);

#endif
