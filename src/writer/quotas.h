/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * quotas: looks after each commit which percentages of the configuration's quotas are reached.
 *
 * Reads the ledger, never writes it: what it does not have yet is told to xenbwd, again with each pass until
 * the ledger has it. A period is looked at for an hour after its end, for the bytes of its last minutes. What
 * was moved in complete slots is remembered, so that a pass reads only what is new.
 */
#ifndef XENBW_WRITER_QUOTAS_H
#define XENBW_WRITER_QUOTAS_H

#include "config/conf.h"
#include "ipc/crossing.h"

struct writer_quotas;

/* NULL where there is none. `conf` outlives it. */
struct writer_quotas *writer_quotas_new(const struct conf *conf);
void writer_quotas_free(struct writer_quotas *w);

/* Hands each new crossing to `tell`, which returns false where xenbwd is gone. Returns 1 then, else 0, or -1
 * with *trouble. */
int writer_quotas_pass(struct writer_quotas *w, int64_t now, bool (*tell)(const struct crossing *),
		       char **trouble);

#endif
