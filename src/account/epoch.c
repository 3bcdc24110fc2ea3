/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/epoch.h"

static void remember(struct epoch *e)
{
	e->before.last = e->row.last;
	for (int d = 0; d < DIR_COUNT; d++)
		e->before.total[d] = e->row.total[d];
}

enum epoch_verdict epoch_judge(struct epoch *e, const struct counters *now, const struct epoch_evidence *seen)
{
	bool rose = seen->carrier_down != e->row.carrier_down,
	     left = seen->left_connected > e->left_connected;
	/* It was back between two drops, and has the second one now: a stall's, say. */
	bool again = seen->carrier_down > e->row.carrier_down + 1 && !seen->away;

	/* The carrier goes while the state is away from Connected, so it is seen one reading after the state
	 * came back at the latest; later than that the two do not belong together. A state that stays away
	 * after its departure has ended a life proves nothing more: xenstore may be silent since. */
	if (left || (seen->away && !e->was_away))
		e->left_window = 2;
	if (seen->away && !seen->carrier && !rose) /* its drop is in the count that this life began with */
		e->left_window = 0;
	e->left_connected = seen->left_connected; /* a directory that begins anew counts from 0 */
	e->was_away = seen->away;
	if (!counters_at_least(now, &e->row.last))
		return EPOCH_WENT_BACK;
	/* Seen on real Xen: netback takes the carrier off first and frees its counters milliseconds later.
	 * Nothing begins before the guest is back: until then these are the old life's last counters, and the
	 * proof is kept. */
	if (rose && !seen->carrier && !(again && e->left_window > 0))
		return EPOCH_CONTINUES;
	if (rose && seen->away && e->left_window > 0) { /* back already, and not told yet: the new life's */
		if (!e->left_early)
			remember(e);
		e->left_early = e->next_came = true;
		return EPOCH_CONTINUES;
	}
	if (rose && e->left_window > 0)
		return e->left_early ? EPOCH_HAD_RECONNECTED : EPOCH_RECONNECTED;
	if (left && e->doubt_window > 0 && !seen->away && seen->carrier && !rose)
		return EPOCH_HAD_RECONNECTED;
	if (e->doubt_window > 0)
		e->doubt_window--;
	if (rose) {
		e->row.carrier_down = seen->carrier_down;
		e->row.doubtful++;
		e->dirty = true;
		remember(e);
		e->doubt_window = 2;
	} else if (left && !seen->away) { /* it is back already: this reading may be the new life's */
		remember(e);
		e->left_early = true;
	}
	if (e->left_window > (seen->away ? 1 : 0) && --e->left_window == 0)
		e->left_early = false;
	return EPOCH_CONTINUES;
}

void epoch_take_back(struct epoch *e, uint64_t booked[DIR_COUNT])
{
	for (int d = 0; d < DIR_COUNT; d++) {
		booked[d] = e->row.total[d] - e->before.total[d];
		e->row.total[d] = e->before.total[d];
	}
	e->row.last = e->before.last;
	if (e->doubt_window > 0)
		e->row.doubtful--;
	e->doubt_window = 0;
}

void epoch_grow(struct epoch *e, const struct counters *now, int64_t time, uint64_t growth[DIR_COUNT])
{
	struct basis basis = {e->row.rx_header, e->row.tx_header, e->own};

	for (int d = 0; d < DIR_COUNT; d++) {
		uint64_t begin = basis_bytes(basis, &e->row.base, d), end = basis_bytes(basis, now, d);
		uint64_t total = end > begin ? end - begin : 0;

		if (total > e->row.total[d]) {
			growth[d] += total - e->row.total[d];
			e->row.total[d] = total;
		}
	}
	if (e->has_hint && counters_at_least(now, &e->hint))
		e->has_hint = false;
	e->dirty |= !counters_at_least(&e->row.last, now);
	e->row.last = *now;
	e->row.seen = time;
}

static bool is_zero(const struct counters *c)
{
	return (c->rx_bytes | c->rx_packets | c->tx_bytes | c->tx_packets) == 0;
}

void epoch_hint(struct epoch *e, const struct counters *counters)
{
	/* netback's zeros say nothing, whatever was read before */
	if (!is_zero(counters) && counters_at_least(counters, &e->row.last)) {
		e->hint = *counters;
		e->has_hint = true;
	}
}

bool epoch_end(struct epoch *e, const struct counters *final, const char *reason, int64_t time,
	       uint64_t growth[DIR_COUNT])
{
	bool known = false;

	if (e->has_hint && counters_at_least(&e->hint, &e->row.last)) {
		struct counters hint = e->hint;

		epoch_grow(e, &hint, time, growth);
		known = true;
	}
	if (final && !is_zero(final) && counters_at_least(final, &e->row.last)) {
		epoch_grow(e, final, time, growth);
		known = true;
	}
	e->row.seen = time;
	e->row.closed = time;
	e->row.reason = reason;
	e->dirty = true;
	return known;
}
