/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * value: strict readings of xenstore values.
 *
 * Pure functions. A value is bytes and a length: it may hold NULs, be empty or be 4 kB long. What does not
 * fit entirely is refused; nothing is guessed, cut or trimmed. What is taken comes out in one canonical form.
 */
#ifndef XENBW_VALUE_H
#define XENBW_VALUE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

enum {
	VALUE_MAC_SIZE = 18,          /* aa:bb:cc:dd:ee:ff and NUL */
	VALUE_UUID_SIZE = 37,         /* 8-4-4-4-12 and NUL */
	VALUE_DOMID_MAX = 0x7fef,     /* Xen keeps the domids from 0x7ff0 on for itself */
	VALUE_DEVID_MAX = 0x7fffff00, /* Xen knows no limit */
	VALUE_STATE_MAX = 8           /* XenbusStateReconfigured */
};

/* Six pairs of hex digits with ':' between them; lower case in out. Refuses group addresses (broadcast too)
 * and the address of zeros: no interface has them. */
bool value_mac(const void *bytes, size_t len, char out[static VALUE_MAC_SIZE]);

/* Addresses separated by white space, each IPv4 or IPv6, with or without /prefix (which must fit, and is
 * dropped). Returns them canonical, each once, in their order, separated by one blank; NULL when none is
 * left. What was left out (no address, or one that no single host can have) is described in *why, allocated;
 * else *why is NULL. */
char *value_addresses(const void *bytes, size_t len, char **why);

/* A name for a network device. */
bool value_ifname(const void *bytes, size_t len, char out[static IFNAMSIZ]);

/* A uuid in hex with its four dashes; lower case in out. */
bool value_uuid(const void *bytes, size_t len, char out[static VALUE_UUID_SIZE]);

/* A domain's `vm` node: "/vm/<uuid>", where some toolstacks append "-" and a number. Gives the uuid. */
bool value_vm_uuid(const void *bytes, size_t len, char out[static VALUE_UUID_SIZE]);

/* A decimal number in [0,max] as a toolstack writes it: no sign, no blank, no leading zero, so that no two
 * texts give the same number. Also for the parts of a path: give their length. */
bool value_number(const void *bytes, size_t len, unsigned max, unsigned *out);

/* A name as printable text (base/text.h), allocated; NULL for an empty one. */
char *value_name(const void *bytes, size_t len);

#endif
