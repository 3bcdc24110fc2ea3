/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>

#include "account/account_state.h"
#include "base/mem.h"

void account_begin(struct account *a, int64_t now)
{
	if (now + 1 < a->now && !a->behind) {
		char *detail = mem_printf("the clock went back by %" PRId64
					  " s; bytes go to the open slot until it has "
					  "caught up",
					  a->now - now);

		account_event(a, "clock", "host", detail);
		free(detail);
		a->behind = true;
	}
	if (now >= a->now) {
		a->now = now;
		a->behind = false;
	}
	/* Much too late for the open slot (a suspended host, a stopped process): it ends with what it has. */
	if (a->now > a->open_slot + SLOT_SECONDS + (int64_t)a->settings.late) {
		account_cut_all(a);
		a->open_slot = account_slot_of(a->now);
	}
}

void account_evidence(struct account *a, unsigned ifindex, const struct epoch_evidence *seen)
{
	struct device *d = account_find_device(a, ifindex);

	if (d)
		d->seen = *seen;
}

/* The device lives on in another epoch, which counts from these counters on. */
static void begin_anew(struct account *a, struct device *d, struct counters base,
		       const struct counters *final, const char *reason)
{
	struct ledger_epoch row = ledger_epoch_copy(&d->epoch.row);

	row.id = ++a->last_epoch;
	row.base = row.last = base;
	row.total[DIR_INPUT] = row.total[DIR_OUTPUT] = 0;
	row.carrier_down = d->seen.carrier_down;
	row.opened = a->now;
	row.doubtful = 0;
	account_close_epoch(a, d, final, reason, a->now);
	if (!final)
		account_tail_ended(a, d, a->closed.items[a->closed.count - 1]);
	d->epoch = (struct epoch){.row = row,
				  .left_connected = d->seen.left_connected,
				  .was_away = d->seen.away,
				  .own = d->epoch.own,
				  .dirty = true};
}

/* Where a new life has begun, it has all that was booked of it before; a broken driver may differ. */
static void take_reading(struct device *d, const struct counters *counters, int64_t now,
			 const uint64_t booked[DIR_COUNT])
{
	uint64_t growth[DIR_COUNT] = {0};

	epoch_grow(&d->epoch, counters, now, growth);
	for (int i = 0; i < DIR_COUNT; i++)
		d->vif->grown[i] += growth[i] > booked[i] ? growth[i] - booked[i] : 0;
}

void account_had_reconnected(struct account *a, struct device *d)
{
	struct counters counters = d->epoch.row.last;
	uint64_t booked[DIR_COUNT] = {0};

	epoch_take_back(&d->epoch, booked);
	begin_anew(a, d, (struct counters){0}, NULL, "reconnected");
	take_reading(d, &counters, a->now, booked);
}

bool account_reading(struct account *a, unsigned ifindex, const struct counters *counters)
{
	struct device *d = account_find_device(a, ifindex);
	uint64_t booked[DIR_COUNT] = {0};
	enum epoch_verdict verdict;

	if (!d)
		return false;
	if (d->unread)
		account_begin_at(d, counters);
	d->vif->read++;
	d->read = true;
	verdict = epoch_judge(&d->epoch, counters, &d->seen);
	if (verdict == EPOCH_WENT_BACK && d->epoch.next_came) /* not this one, but the one after it */
		account_had_reconnected(a, d);
	if (verdict == EPOCH_HAD_RECONNECTED)
		epoch_take_back(&d->epoch, booked);
	if (verdict != EPOCH_CONTINUES)
		begin_anew(a, d, (struct counters){0}, NULL,
			   verdict == EPOCH_WENT_BACK ? "counters went back" : "reconnected");
	take_reading(d, counters, a->now, booked);
	return verdict == EPOCH_WENT_BACK;
}

void account_carried(struct account *a, const struct ledger_baseline *last, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct device *d = account_find_device(a, last[i].ifindex);

		account_baseline(a, last[i].ifindex, &last[i].counters);
		if (d) { /* of this ledger's the end is known: where it was left */
			struct counters left = d->epoch.row.last;

			begin_anew(a, d, last[i].counters, &left, "another ledger");
		}
	}
}

void account_restarted(struct account *a, unsigned ifindex, uint32_t carrier_down)
{
	struct device *d = account_find_device(a, ifindex);

	if (d)
		d->epoch.row.carrier_down = d->seen.carrier_down = carrier_down;
}

void account_moved(const struct account *a, int64_t vif, uint64_t moved[DIR_COUNT])
{
	const struct vif *v = account_find_vif(a, vif);

	moved[DIR_INPUT] = v ? v->moved[DIR_INPUT] : 0;
	moved[DIR_OUTPUT] = v ? v->moved[DIR_OUTPUT] : 0;
}
