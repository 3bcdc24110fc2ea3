/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/carry.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

int carry_take(struct carry *c, const struct daemon *d, char **err)
{
	struct ledger_tail tail;

	*c = (struct carry){0};
	if (ledger_tail(d->ledger, &tail, err) < 0)
		return -1;
	c->ledger = tail.uuid;
	c->count = account_last_counters(d->account, &c->last);
	return 0;
}

void carry_free(struct carry *c)
{
	free(c->ledger);
	free(c->last);
	*c = (struct carry){0};
}

int carry_way(const struct carry *c, struct ledger *ledger, enum carry_way *way, char **err)
{
	struct ledger_tail tail;
	bool left;

	if (!c->ledger) {
		if (ledger_is_left(ledger, &left, err) < 0)
			return -1;
		*way = left ? CARRY_PRESENT : CARRY_NOTHING;
		return 0;
	}
	if (ledger_tail(ledger, &tail, err) < 0)
		return -1;
	*way = strcmp(tail.uuid, c->ledger) != 0 ? CARRY_LAST : CARRY_NOTHING;
	free(tail.uuid);
	return 0;
}

int carry_check_copy(const struct ledger_tail *used, const struct ledger_tail *next, const char *path,
		     char **err)
{
	if (strcmp(used->uuid, next->uuid) != 0 || (used->seq == next->seq && used->seen == next->seen))
		return 0;
	return err_set(
		err,
		"ledger %s is a copy of the one in use, and not as it is now: bytes would be counted in "
		"both; stop xenbwd, copy the ledger again, and start xenbwd with the copy",
		path);
}

int carry_give(const struct carry *c, struct daemon *d, char **err)
{
	struct ledger_baseline *here = mem_array(c->count, sizeof(*here));
	struct ledger_batch batch;
	size_t count = 0;
	int rc;

	for (size_t i = 0; i < c->count; i++)
		if (links_find(d->links, c->last[i].ifindex)) /* else its number may be another's one day */
			here[count++] = c->last[i];
	account_carried(d->account, here, count);
	free(here);
	account_batch(d->account, &batch);
	rc = ledger_commit(d->ledger, &batch, err);
	account_batch_free(&batch);
	if (rc < 0)
		return err_add(err, "the ledger %s cannot take over", d->conf->ledger);
	account_committed(d->account);
	log_info("ledger %s goes on where the one before stopped", d->conf->ledger);
	return 0;
}

static void on_present(void *ctx, unsigned ifindex, const struct counters *counters)
{
	struct carry *c = ctx;

	c->last = mem_resize(c->last, c->count + 1, sizeof(*c->last));
	c->last[c->count++] = (struct ledger_baseline){.ifindex = ifindex, .counters = *counters};
}

int carry_give_present(struct daemon *d, char **err)
{
	static const char said[] = "another ledger went on from here, and what it has counted since is not "
				   "known: counting begins at the counters' present values";
	struct carry present = {0};
	int rc = stats_dump(d->stats, on_present, &present, err);

	if (rc == 0) {
		log_warn("ledger %s: %s", d->conf->ledger, said);
		account_event(d->account, "ledger", d->conf->ledger, said);
		rc = carry_give(&present, d, err);
	}
	carry_free(&present);
	return rc;
}
