/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uthash as tests/lint/analyze.sh shows it to the analyzers: calls of functions that they cannot look into,
 * in place of uthash's own macros. Those expand to some hundred lines at each use: gcc's analyzer takes
 * minutes for one file, and both take what is in a table for leaked or freed twice. Never compiled into a
 * program. */
#ifndef UTHASH_H
#define UTHASH_H

#include <stddef.h>

typedef struct UT_hash_handle {
	void *next;
} UT_hash_handle;

void *uthash_find(const void *head, const void *key, size_t len);
void *uthash_any(const void *head);
void *uthash_add(void *head, const void *key, size_t len, void *element);
void *uthash_del(void *head, void *element);
unsigned uthash_count(const void *head);

#define HASH_FIND(hh, head, keyptr, len, out) ((out) = uthash_find((head), (keyptr), (len)))
#define HASH_FIND_STR(head, str, out) ((out) = uthash_find((head), (str), strlen(str)))
#define HASH_ADD(hh, head, field, len, add) ((head) = uthash_add((head), &(add)->field, (len), (add)))
#define HASH_ADD_KEYPTR(hh, head, keyptr, len, add) ((head) = uthash_add((head), (keyptr), (len), (add)))
#define HASH_DELETE(hh, head, del) ((head) = uthash_del((head), (del)))
#define HASH_DEL(head, del) HASH_DELETE(hh, head, del)
#define HASH_CLEAR(hh, head) ((head) = NULL)
#define HASH_COUNT(head) uthash_count(head)
#define HASH_CNT(hh, head) uthash_count(head)
#define HASH_ITER(hh, head, el, tmp) \
	for ((el) = uthash_any(head), (tmp) = uthash_any(head); (el); (el) = (tmp), (tmp) = uthash_any(head))

#endif
