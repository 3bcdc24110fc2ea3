/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * classifier: what crossed the uplinks, for the account; xenbwd's end of xenbw-capture's worker.
 *
 * Chooses the uplinks, keeps a worker running, tells it who has which MAC and address, and asks it at each
 * poll. A worker that dies, hangs or talks nonsense costs the split of those polls (unattributed), never a
 * byte of a total; the loop waits for it for some tenths of a second at most, and not again while it hangs.
 * One that is only late (a busy host) costs nothing: its answer is taken at the next poll.
 */
#ifndef XENBW_CLASSIFIER_H
#define XENBW_CLASSIFIER_H

#include "account/account.h"
#include "base/clock.h"

struct classifier;
struct daemon;

struct classifier *classifier_new(struct daemon *d);
void classifier_free(struct classifier *c);

/* The guard is gone: the worker is let go, and no other is started. */
void classifier_give_up(struct classifier *c);

/* Devices, vifs or addresses may have changed: chooses the uplinks again, tells the worker. */
void classifier_follow(struct classifier *c);

/* Waits until the worker looks, for a second or two at most: what comes after the next reading of the
 * counters is then seen in full. */
void classifier_wait(struct classifier *c);

/* What has crossed by now; `counted`: when the reading of the counters began. Valid until the next call.
 * NULL, if `patient`: the answer is late, but so little that this reading should be neither settled nor
 * committed; the next one is, for both. */
const struct account_look *classifier_look(struct classifier *c, struct mono counted, bool patient);

struct classifier_status {
	bool looks;                                   /* a worker does, and answered at the last poll */
	uint64_t dropped, stray_packets, stray_bytes; /* since xenbwd's start */
};

struct classifier_status classifier_status(const struct classifier *c);

/* Names of the uplinks between blanks; allocated. */
char *classifier_uplinks(const struct classifier *c);

/* The vif's bytes cannot be told apart: its address is translated, or nothing is known of it. */
bool classifier_is_blind_to(const struct classifier *c, int64_t vif);

#endif
