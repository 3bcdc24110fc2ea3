/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * account_state: what the files of the account share, and nobody else sees.
 *
 * account.c knows what is there, account_poll.c takes readings in and divides them, account_batch.c makes
 * takes and batches of them.
 */
#ifndef XENBW_ACCOUNT_STATE_H
#define XENBW_ACCOUNT_STATE_H

#include <uthash.h>

#include "account/account.h"
#include "base/mem.h"

struct numbers {
	unsigned domid, devid;
};

struct vif {
	struct ledger_vif row; /* first: account_next_vif leans on it */
	struct numbers numbers;
	char *address; /* the one that all its bytes belong to; NULL where that is not known */
	char *guessed; /* the one that was told to get them all, for want of the admin's word */
	struct split split[DIR_COUNT];
	uint64_t grown[DIR_COUNT]; /* read, not settled yet */
	uint64_t moved[DIR_COUNT]; /* since the daemon began */
	bool tail_lost;  /* since the last settle its last device went, and the last counters with it */
	int64_t settled; /* when its last bytes were settled */
	struct ledger_take pending; /* settled, not cut into a take yet; address unused */
	struct ledger_take *queued; /* newest take that is not committed yet; owned by the account's list */
	unsigned devices;           /* open */
	bool dirty;
	struct vif *next_gone;
	UT_hash_handle hh, by_numbers;
};

struct device {
	struct epoch epoch;         /* its row first: account_next_epoch leans on it */
	struct epoch_evidence seen; /* as told last */
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
	struct vif *vifs;       /* by ledger id, in rising order of id; until settled, those just gone too */
	struct vif *present;    /* by numbers: only those that are there */
	struct vif *gone;       /* settled and cut, to be told to the ledger */
	struct device *devices; /* by ifindex */
	struct baseline *baselines;
	struct list closed; /* struct epoch *: closed, to be told */
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

/* Closes a device's epoch; what it says last goes to its vif. Its row waits for the next commit. Returns
 * whether its true end is known. */
bool account_close_epoch(struct account *a, struct device *d, const struct counters *final,
			 const char *reason, int64_t time);

/* Frees what it holds, not the vif. */
void account_clear_vif(struct vif *v);

/* Out of the table: to be told to the ledger, then freed. */
void account_move_to_gone(struct account *a, struct vif *v);

/* account_batch.c: makes takes of what is pending, for the open slot. */
void account_cut(struct account *a, struct vif *v);
void account_cut_all(struct account *a);
bool account_has_pending(const struct ledger_take *pending);

/* account_batch.c: frees what waited for the ledger. */
void account_free_waiting(struct account *a);

#endif
