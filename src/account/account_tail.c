/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "account/account_state.h"
#include "account/basis.h"
#include "base/mem.h"

/* A life that has ended since the last settle: its row waits for the ledger, its last bytes for the count. */
struct account_ended {
	struct epoch *epoch;
	struct vif *vif;
	unsigned ifindex;
	struct tail tail;
	struct sent after; /* in lives of this device that came, and ended, after it */
};

static struct basis basis_of_row(const struct ledger_epoch *row)
{
	return (struct basis){row->rx_header, row->tx_header, false};
}

static struct sent sent_of(const struct ledger_epoch *row)
{
	return (struct sent){basis_bytes(basis_of_row(row), &row->last, DIR_OUTPUT), row->last.rx_packets};
}

void account_tail_resume(struct device *d)
{
	const struct ledger_epoch *row = &d->epoch.row;
	struct tail_kept kept = {.ahead = {(uint64_t)row->ahead_bytes, (uint64_t)row->ahead_packets},
				 .settled = row->ahead_known == LEDGER_AHEAD_EXACT,
				 .lent = row->ahead_known == LEDGER_AHEAD_LENT};

	if (!d->epoch.own)
		tail_resume(&d->tail, sent_of(row), &kept);
}

void account_tail_keep(struct device *d)
{
	struct ledger_epoch *row = &d->epoch.row;
	struct tail_kept kept = tail_keep(&d->tail, sent_of(row));
	enum ledger_ahead known = kept.settled ? LEDGER_AHEAD_EXACT
				  : kept.lent  ? LEDGER_AHEAD_LENT
					       : LEDGER_AHEAD_MOST;

	if ((uint64_t)row->ahead_bytes == kept.ahead.bytes &&
	    (uint64_t)row->ahead_packets == kept.ahead.packets && row->ahead_known == known)
		return;
	row->ahead_bytes = (int64_t)kept.ahead.bytes;
	row->ahead_packets = (int64_t)kept.ahead.packets;
	row->ahead_known = known;
	d->epoch.dirty = true;
}

static struct account_ended *find_ended(const struct account *a, unsigned ifindex)
{
	for (size_t i = 0; i < a->ended.count; i++) {
		struct account_ended *e = a->ended.items[i];

		if (e->ifindex == ifindex)
			return e;
	}
	return NULL;
}

void account_tail_ended(struct account *a, struct device *d, struct epoch *closed)
{
	struct account_ended *e = find_ended(a, d->ifindex);
	struct sent sent = sent_of(&closed->row);

	if (e) {
		e->after.bytes += sent.bytes;
		e->after.packets += sent.packets;
	} else if (d->tail.whole) {
		e = mem_alloc(sizeof(*e));
		*e = (struct account_ended){
			.epoch = closed, .vif = d->vif, .ifindex = d->ifindex, .tail = d->tail};
		account_list_add(&a->ended, e);
	}
	d->tail = (struct tail){0};
	d->reborn = true;
}

void account_tail_forget(struct account *a)
{
	for (size_t i = 0; i < a->ended.count; i++)
		free(a->ended.items[i]);
	a->ended.count = 0;
}

/* ---- a poll ---- */

static bool ask(const struct account_look *look, int64_t vif, unsigned ifindex, struct sent *growth)
{
	*growth = (struct sent){0};
	return look && look->sent && look->sent(look->ctx, vif, ifindex, growth);
}

static const char *known_end(const char *reason)
{
	static const char *const reasons[] = {"device gone", "reconnected", "counters went back"};
	static const char *const known[] = {"device gone" LEDGER_OUTPUT_KNOWN,
					    "reconnected" LEDGER_OUTPUT_KNOWN,
					    "counters went back" LEDGER_OUTPUT_KNOWN};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (strcmp(reason, reasons[i]) == 0)
			return known[i];
	return reason;
}

/* What the life had sent at its end is booked as if its counters had been read then. */
static void end_life(const struct account_ended *e, struct device *next)
{
	struct ledger_epoch *row = &e->epoch->row;
	struct counters last = row->last;
	struct sent now = {0}, after = e->after, end;

	if (next) {
		now = sent_of(&next->epoch.row);
		next->tail = tail_next(&e->tail, now);
	}
	after.bytes += now.bytes;
	after.packets += now.packets;
	if (!tail_end(&e->tail, after, &end))
		return;
	last.rx_packets = end.packets;
	last.rx_bytes = end.bytes + end.packets * row->rx_header;
	epoch_grow(e->epoch, &last, row->seen, e->vif->grown);
	row->reason = known_end(row->reason);
}

static void hear_ended(struct account *a, struct account_ended *e, const struct account_look *look)
{
	struct device *next = account_find_device(a, e->ifindex);
	struct sent growth;

	if (!ask(look, e->vif->row.id, e->ifindex, &growth))
		return;
	tail_hear(&e->tail, &growth);
	end_life(e, next);
	if (next)
		next->tail_told = true;
}

/* Nothing but the count can tell whether a doubtful drop of the carrier was a new life's: what the old one
 * had sent is then missing in the counters, at this poll and at the next one. */
static bool settle_doubt(struct account *a, struct device *d)
{
	const struct counters *before = &d->epoch.before.last;
	const struct account_ended *e;
	uint64_t had = basis_bytes(basis_of_row(&d->epoch.row), before, DIR_OUTPUT);
	bool missing =
		d->epoch.doubt_window > 0 && had && tail_ahead(&d->tail, sent_of(&d->epoch.row)) >= had;

	if (missing && d->missing) {
		account_had_reconnected(a, d);
		e = find_ended(a, d->ifindex); /* for its tail was whole */
		if (e)
			end_life(e, d);
		account_tail_forget(a);
		d->reborn = false;
	}
	d->missing = missing;
	return missing;
}

static void tell(struct account *a, const struct device *d, enum tail_verdict verdict)
{
	struct vif *v = d->vif;

	if (v->tail_slot == a->open_slot)
		return;
	v->tail_slot = a->open_slot;
	account_event(a, "tail", d->epoch.row.netdev,
		      verdict == TAIL_MISSED
			      ? "the kernel's programs have not seen all that came in from this device: is "
				"somebody else's filter before ours, or ours taken away? Its counters are "
				"right; what it sends last, before it is destroyed, may be missed"
			      : "the kernel's programs have seen more come in from this device than its "
				"counters say: are packets redirected to it? Its counters are booked");
}

/* What was booked as the last bytes of the life before, and was this one's first, is booked once. Only where
 * the count is not told before this is known, what came in within the milliseconds between the two readings
 * is booked twice. */
static void read_tail(struct account *a, struct device *d)
{
	struct ledger_epoch *row = &d->epoch.row;
	uint64_t *grown = &d->vif->grown[DIR_OUTPUT], again;
	struct sent later;
	enum tail_verdict verdict = tail_read(&d->tail, sent_of(row), &later);

	if (verdict != TAIL_FITS)
		tell(a, d, verdict);
	if (!later.bytes)
		return;
	row->base.rx_packets += later.packets;
	row->base.rx_bytes += later.bytes + later.packets * row->rx_header;
	again = *grown < later.bytes ? *grown : later.bytes;
	again = row->total[DIR_OUTPUT] < again ? row->total[DIR_OUTPUT] : again;
	row->total[DIR_OUTPUT] -= again;
	*grown -= again;
	d->epoch.dirty = true;
}

static void hear_device(struct account *a, struct device *d, const struct account_look *look)
{
	struct sent growth;
	bool read = d->read, known;

	d->read = false;
	if (d->epoch.own)
		return;
	if (!d->tail_told) { /* where the life before has no end, this one has no begin */
		known = ask(look, d->vif->row.id, d->ifindex, &growth) && !d->reborn;
		tail_hear(&d->tail, known ? &growth : NULL);
	}
	d->tail_told = d->reborn = false;
	if (read && !d->epoch.left_early && !settle_doubt(a, d))
		read_tail(a, d);
}

void account_tails(struct account *a, const struct account_look *look)
{
	for (size_t i = 0; i < a->ended.count; i++)
		hear_ended(a, a->ended.items[i], look);
	account_tail_forget(a);
	for (struct device *d = a->devices; d; d = d->hh.next)
		hear_device(a, d, look);
}
