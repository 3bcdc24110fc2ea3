/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/present.h"

#include <stdlib.h>
#include <string.h>

#include "account/basis.h"
#include "base/mem.h"

static const struct usage_epoch *open_epoch(const struct usage_vifs *known, unsigned ifindex)
{
	for (size_t i = 0; i < known->epoch_count; i++)
		if (known->epochs[i].ifindex == ifindex)
			return &known->epochs[i];
	return NULL;
}

static const struct counters *baseline_of(const struct usage_vifs *known, unsigned ifindex)
{
	for (size_t i = 0; i < known->baseline_count; i++)
		if (known->baselines[i].ifindex == ifindex)
			return &known->baselines[i].counters;
	return NULL;
}

/* Bytes between two readings; all of `now` where the counters began anew after `then`, or NULL. */
static uint64_t growth(struct basis basis, const struct counters *then, const struct counters *now,
		       enum direction dir)
{
	uint64_t end = basis_bytes(basis, now, dir), begin = 0;

	if (then && counters_at_least(now, then))
		begin = basis_bytes(basis, then, dir);
	return end > begin ? end - begin : 0;
}

/* What a device has counted and the ledger has not booked. */
static uint64_t unbooked(const struct usage_vifs *known, const struct live_device *dev, enum direction dir)
{
	const struct usage_epoch *e = known ? open_epoch(known, dev->ifindex) : NULL;
	const struct counters *now = &dev->counters;
	struct basis basis;
	uint64_t total;

	if (!e)
		return growth(basis_of(dev->kind), known ? baseline_of(known, dev->ifindex) : NULL, now, dir);
	basis = (struct basis){e->rx_header, e->tx_header, dev->kind == DEVICE_BRIDGE};
	if (!counters_at_least(now, &e->last))
		return basis_bytes(basis, now, dir);
	/* as xenbwd will book it: the whole epoch, less what it has booked of it */
	total = growth(basis, &e->base, now, dir);
	return total > e->booked[dir] ? total - e->booked[dir] : 0;
}

static const struct usage_vif *known_as(const struct usage_vifs *known, const char *boot,
					const struct xen_vif *xen)
{
	for (size_t i = 0; known && i < known->vif_count; i++) {
		const struct usage_vif *v = &known->vifs[i];

		if (v->domid == xen->domid && v->devid == xen->devid && v->gone < 0 &&
		    strcmp(v->boot, boot) == 0)
			return v;
	}
	return NULL;
}

static struct present_row live_row(const struct live_vif *v, const struct usage_vifs *known, const char *boot)
{
	struct present_row row = {.live = v, .known = known_as(known, boot, v->xen)};

	row.counted = row.known || v->device_count;
	for (int d = 0; d < DIR_COUNT; d++) {
		if (row.known)
			row.bytes[d] = row.known->bytes[d];
		for (size_t i = 0; i < v->device_count; i++)
			row.bytes[d] += unbooked(known, &v->devices[i], (enum direction)d);
	}
	return row;
}

static struct present_row ledger_row(const struct usage_vif *v, bool gone)
{
	return (struct present_row){.known = v,
				    .gone = gone,
				    .counted = true,
				    .bytes = {v->bytes[DIR_INPUT], v->bytes[DIR_OUTPUT]}};
}

/* Nobody could look: those that xenbwd saw last, which no other boot can have. */
static bool was_there(const struct usage_vifs *known, const struct usage_vif *v)
{
	return v->gone < 0 && (!known->run.boot || strcmp(v->boot, known->run.boot) == 0);
}

void present_merge(const struct live *live, const struct usage_vifs *known, const char *boot,
		   struct present *out)
{
	size_t live_count = live ? live->count : 0, known_count = known ? known->vif_count : 0;
	bool *listed = mem_array(known_count, sizeof(*listed));

	*out = (struct present){.rows = mem_array(live_count + known_count, sizeof(out->rows[0]))};
	for (size_t i = 0; i < live_count; i++) {
		struct present_row row = live_row(&live->vifs[i], known, boot);

		if (row.known) /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it is one of `known` */
			listed[row.known - known->vifs] = true;
		out->rows[out->count++] = row;
	}
	for (size_t i = 0; !live && i < known_count; i++)
		if (was_there(known, &known->vifs[i])) {
			listed[i] = true;
			out->rows[out->count++] = ledger_row(&known->vifs[i], false);
		}
	for (size_t i = 0; i < known_count; i++)
		if (!listed[i])
			out->rows[out->count++] = ledger_row(&known->vifs[i], true);
	free(listed);
}

void present_free(struct present *p)
{
	free(p->rows);
	*p = (struct present){0};
}
