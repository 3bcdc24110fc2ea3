/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * account_state: what the files of the account share, and nobody else sees.
 *
 * account.c knows what is there, account_poll.c takes readings in, account_settle.c divides them into classes
 * and addresses, account_take.c makes takes of that, account_batch.c batches of those;
 * account_waiting.c carries what is seen and not in the counters yet over a restart; account_tail.c finds
 * what a life of counters had after its last reading.
 */
#ifndef XENBW_ACCOUNT_STATE_H
#define XENBW_ACCOUNT_STATE_H

#include <uthash.h>

#include "account/account.h"
#include "account/tail.h"
#include "base/mem.h"

struct numbers {
	unsigned domid, devid;
};

/* What is booked under one address of a vif, or (its own share) under all or none of them. */
struct share {
	uint8_t address[16]; /* of an own share: unused */
	char *text;          /* as takes have it. An own share: NULL, the vif's address stands for it */
	int64_t bucket;      /* 0: the vif's */
	struct class_bytes waiting; /* seen, neither booked nor cut: the split's, divided by address */
	struct ledger_take pending; /* settled, not cut into a take yet; address unused */
	struct ledger_take *queued; /* newest take that is not committed yet; owned by the account's list */
	struct share *next;
};

/* What the classifier said about a vif at this poll. */
struct heard {
	bool anything, blind;
	struct class_bytes bytes;
	uint64_t late[DIR_COUNT];
};

struct vif {
	struct ledger_vif row; /* first: account_next_vif leans on it */
	struct numbers numbers;
	char *address;             /* the one that all its bytes belong to; NULL where that is not known */
	char *guessed;             /* the one that was told to get the rest, for want of the admin's word */
	struct networks addresses; /* all that are its own */
	struct split split[DIR_COUNT];
	uint64_t grown[DIR_COUNT]; /* read, not settled yet */
	uint64_t moved[DIR_COUNT]; /* since the daemon began */
	struct heard heard;
	bool waiting;          /* something seen is neither booked nor cut yet */
	bool tail_lost;        /* since the last settle its last device went, and the last counters with it */
	bool gap;              /* since the last settle some life's last counters were lost */
	int64_t settled;       /* when its last bytes were settled */
	struct share own;      /* and those of its addresses behind it, made when they are needed */
	uint64_t spoofed;      /* of what waits in its own share's output: not from an address of its own */
	uint64_t surplus;      /* of its output: crossed before T was read, and still not in T */
	uint64_t surplus_grew; /* at this poll */
	uint64_t late_before;  /* of its output: seen at the poll before, after T was read */
	int64_t told_slot;     /* the last one with an event about that */
	int64_t tail_slot;     /* … about the kernel's own count */
	unsigned devices;      /* open */
	unsigned read;         /* of them, since the last settle */
	bool dirty;
	struct vif *next_gone;
	UT_hash_handle hh, by_numbers;
};

struct device {
	struct epoch epoch;         /* its row first: account_next_epoch leans on it */
	struct epoch_evidence seen; /* as told last */
	struct tail tail;
	bool tail_told; /* at this settle already, with the life before */
	bool reborn;    /* another life since the last settle */
	bool read;      /* since the last settle */
	bool unread;    /* its first reading is its base line; until then the ledger has no row of it */
	bool missing;   /* at the last settle: what it had sent before a doubtful drop of the carrier */
	unsigned ifindex;
	struct vif *vif;
	UT_hash_handle hh;
};

struct baseline {
	unsigned ifindex;
	struct ledger_baseline row;
	bool is_new;
	UT_hash_handle hh;
};

/* Growing list of rows that wait for the next commit. */
struct list {
	void **items;
	size_t count, room;
};

struct account {
	struct account_settings settings;
	char *boot;
	struct buckets *buckets;
	struct owners *owners;
	struct vif *vifs;       /* by ledger id, in rising order of id; until settled, those just gone too */
	struct vif *present;    /* by numbers: only those that are there */
	struct vif *gone;       /* settled and cut, to be told to the ledger */
	struct device *devices; /* by ifindex */
	struct baseline *baselines;
	struct list closed; /* struct epoch *: closed, to be told */
	struct list ended;  /* struct account_ended *: of those, since the last settle */
	struct list takes;  /* struct ledger_take * */
	struct list events; /* struct ledger_event * */
	int64_t now, open_slot;
	bool behind; /* the clock was stepped back and has not caught up */
	int64_t last_vif, last_epoch, last_seq;
};

static inline struct vif *account_find_vif(const struct account *a, int64_t id)
{
	struct vif *v;

	HASH_FIND(hh, a->vifs, &id, sizeof(id), v);
	return v;
}

static inline struct device *account_find_device(const struct account *a, unsigned ifindex)
{
	struct device *d;

	HASH_FIND(hh, a->devices, &ifindex, sizeof(ifindex), d);
	return d;
}

static inline int64_t account_slot_of(int64_t time)
{
	return time - time % SLOT_SECONDS;
}

static inline void account_list_add(struct list *l, void *item)
{
	if (l->count == l->room) {
		l->room = l->room ? l->room * 2 : 16;
		l->items = mem_resize(l->items, l->room, sizeof(*l->items));
	}
	l->items[l->count++] = item;
}

/* Closes a device's epoch; what it says last goes to its vif, or that it is not known (gap). Its row waits
 * for the next commit. */
void account_close_epoch(struct account *a, struct device *d, const struct counters *final,
			 const char *reason, int64_t time);

/* Where an unread device counts from. */
void account_begin_at(struct device *d, const struct counters *counters);

/* account_poll.c: a life that was taken as going on had ended before the doubtful reading: what was booked
 * since is the new one's. */
void account_had_reconnected(struct account *a, struct device *d);

/* account_tail.c: a device's life goes on from the ledger's. */
void account_tail_resume(struct device *d);

/* … and so that the next process can: for the batch. */
void account_tail_keep(struct device *d);

/* account_tail.c: a device's life has ended, and is in the list of those (closed). */
void account_tail_ended(struct account *a, struct device *d, struct epoch *closed);

/* account_tail.c: at each settle, before what was read is divided: adds what lives that ended had sent after
 * their last reading. */
void account_tails(struct account *a, const struct account_look *look);

/* account_tail.c: those lives are settled. */
void account_tail_forget(struct account *a);

/* account_batch.c: frees a vif and what it holds; it is in no table any more. */
void account_free_vif(struct vif *v);

/* Out of the table: to be told to the ledger, then freed. */
void account_move_to_gone(struct account *a, struct vif *v);

/* account_waiting.c: all that is seen and neither booked nor cut, for the ledger; the array is the caller's.
 */
struct ledger_waiting *account_waiting(const struct account *a, size_t *count);

/* account_waiting.c: the same back from it. */
void account_resume(struct account *a, const struct ledger_waiting *list, size_t count);

/* account_take.c: makes takes of what is pending, for the open slot. */
void account_cut(struct account *a, struct vif *v);
void account_cut_all(struct account *a);
bool account_has_pending(const struct ledger_take *pending);

/* account_take.c: the share of an address (16 bytes); the vif's own one for NULL, and where the address is
 * not, or alone, the vif's. */
struct share *account_share(struct account *a, struct vif *v, const uint8_t *address);

/* account_take.c: from now on these are the vif's addresses (the list becomes the account's). What was booked
 * under one that is no more is cut; what waits there goes on in the vif's own share. */
void account_set_addresses(struct account *a, struct vif *v, struct networks *addresses);

/* account_take.c: frees the shares of its addresses. */
void account_free_shares(struct vif *v);

/* account_batch.c: frees what waited for the ledger. */
void account_free_waiting(struct account *a);

#endif
