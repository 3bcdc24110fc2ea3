/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * guest_word: the addresses that a guest itself claims to have.
 *
 * Reads nodes that the guest writes, where guest agents put its addresses: a hint that is shown to an admin,
 * and never decides what is charged to whom (xen/directory reads nothing of it). Bounded, whatever the guest
 * wrote.
 */
#ifndef XENBW_GUEST_WORD_H
#define XENBW_GUEST_WORD_H

#include "xen/store.h"

/* Canonical addresses with one blank between, allocated; NULL where it says nothing that is an address. */
char *guest_word(struct store *s, unsigned domid, unsigned devid);

#endif
