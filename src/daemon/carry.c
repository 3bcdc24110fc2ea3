/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/carry.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

int carry_take(struct carry *c, const struct daemon *d, char **err)
{
	*c = (struct carry){.ledger = ledger_uuid(d->ledger, err)};
	if (!c->ledger)
		return -1;
	c->count = account_last_counters(d->account, &c->last);
	return 0;
}

void carry_free(struct carry *c)
{
	free(c->ledger);
	free(c->last);
	*c = (struct carry){0};
}

int carry_is_for(const struct carry *c, struct ledger *ledger, bool *is, char **err)
{
	char *uuid;

	*is = false;
	if (!c->ledger)
		return 0;
	uuid = ledger_uuid(ledger, err);
	if (!uuid)
		return -1;
	*is = strcmp(uuid, c->ledger) != 0;
	free(uuid);
	return 0;
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
