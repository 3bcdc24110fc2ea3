/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * classifier: what crossed the uplinks, for the account.
 *
 * Chooses the uplinks, follows who has which MAC and address, and hands on what daemon/looker.h hears of who
 * looks. Says what cannot be told apart, and what is nobody's.
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

/* Up to which position what was given goes, for the ledger; 0: to none. */
uint64_t classifier_position(const struct classifier *c);

struct classifier_status {
	bool kernel;                                  /* xenbw-tc, not a worker of xenbw-capture */
	bool looks;                                   /* somebody does, and answered at the last poll */
	uint64_t dropped, stray_packets, stray_bytes; /* since xenbwd's start */
};

struct classifier_status classifier_status(const struct classifier *c);

/* Names of the uplinks between blanks; allocated. */
char *classifier_uplinks(const struct classifier *c);

/* The vif's bytes cannot be told apart: its address is translated, or nothing is known of it. */
bool classifier_is_blind_to(const struct classifier *c, int64_t vif);

#endif
