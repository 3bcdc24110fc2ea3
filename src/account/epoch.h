/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * epoch: one life of a device's counters, and when it ends.
 *
 * Pure. An epoch ends when any of the four counters goes back, or when netback reconnected: the carrier-down
 * count rose, the backend's xenstore state left Connected meanwhile, and both are back; the new life then
 * begins at 0. The carrier count alone proves nothing (a stalled guest drops it too): such a reading counts
 * as continuing and is flagged doubtful. A departure that xenstore tells a little later, with the guest back
 * and no further drop, settles the doubt: there is no other drop that it can have come with.
 */
#ifndef XENBW_EPOCH_H
#define XENBW_EPOCH_H

#include "account/basis.h"
#include "db/ledger.h"

struct epoch {
	struct ledger_epoch row;
	struct counters
		hint; /* what the kernel said when the carrier went: perhaps the last word of this life */
	bool has_hint;
	unsigned left_connected; /* the backend's count at the last reading */
	unsigned left_window;    /* readings for which a seen departure still counts as "meanwhile" */
	unsigned doubt_window;   /* readings for which a departure still settles the last doubt */
	bool left_early;      /* a reading since the departure was counted here, and may be the next life's */
	bool next_came;       /* … and is: its drop of the carrier was seen, too */
	bool was_away;        /* what the evidence said at the last reading */
	struct epoch_before { /* as it stood before the reading that was doubtful, or early */
		struct counters last;
		uint64_t total[DIR_COUNT];
	} before;
	bool own;   /* dom0's own device: see struct basis */
	bool dirty; /* differs from the ledger */
};

/* What is known about a device at a reading, all of it learned before the counters were read. */
struct epoch_evidence {
	uint32_t carrier_down;   /* must be asked of the kernel where left_connected has changed or `away` is
				  * set:   its events may come a second late */
	bool carrier;            /* it is up now */
	unsigned left_connected; /* how often the backend left Connected */
	bool away;               /* it is not Connected now */
};

/* EPOCH_HAD_RECONNECTED: before a reading that was counted as continuing; see epoch_take_back. */
enum epoch_verdict { EPOCH_CONTINUES, EPOCH_WENT_BACK, EPOCH_RECONNECTED, EPOCH_HAD_RECONNECTED };

/* Judges a reading; keeps count of the evidence, but books nothing. */
enum epoch_verdict epoch_judge(struct epoch *e, const struct counters *now,
			       const struct epoch_evidence *seen);

/* After EPOCH_HAD_RECONNECTED, and before anything else where next_came is set at EPOCH_WENT_BACK (the life
 * that went back is the one after this): this life ended before the doubtful reading. What was booked of it
 * since is taken out of it; it belongs to the new life, and is booked already. */
void epoch_take_back(struct epoch *e, uint64_t booked[DIR_COUNT]);

/* Takes a reading of this life into the books: growth in IP bytes by direction (the total never falls). */
void epoch_grow(struct epoch *e, const struct counters *now, int64_t time, uint64_t growth[DIR_COUNT]);

/* Remembers counters that a carrier-off event carried. They count only at epoch_end. */
void epoch_hint(struct epoch *e, const struct counters *counters);

/* Closes it: a hint, or the final counters of a delete event (NULL where there are none), that are not below
 * the last reading are this life's last bytes. Returns true if its true end is known; false: bytes after the
 * last reading, if any, are not. */
bool epoch_end(struct epoch *e, const struct counters *final, const char *reason, int64_t time,
	       uint64_t growth[DIR_COUNT]);

#endif
