/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * quotas: what xenbw-writer says is reached of quotas, into the ledger, and then to xenbw-hook.
 *
 * A crossing is in the ledger before its hook is called, and no hook is called for one that is there: each at
 * most once, whatever is killed. One whose hook was certainly not called is taken out again, and tried later.
 * Nothing here waits for a hook, but for a moment at the end of xenbwd.
 */
#ifndef XENBW_DAEMON_QUOTAS_H
#define XENBW_DAEMON_QUOTAS_H

#include "daemon/daemon.h"
#include "ipc/crossing.h"

struct daemon_quotas;

/* `d`'s settings, loop and ledger are there. NULL where there is no quota. */
struct daemon_quotas *quotas_new(struct daemon *d);
void quotas_close(struct daemon_quotas *q);

/* What the writer says; what means nothing is passed over with a line. */
void quotas_crossed(struct daemon_quotas *q, struct crossing *c);

/* Gives a hook that was called some seconds to end, so that the ledger gets to know how it did. */
void quotas_last_word(struct daemon_quotas *q);

#endif
