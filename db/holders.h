/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * holders: which other processes hold locks of a ledger's files.
 *
 * From /proc/locks: to ask by a descriptor of those files would give up SQLite's own locks when it is closed.
 * What cannot be found (other namespaces, file systems with device numbers of their own) is left out.
 */
#ifndef XENBW_HOLDERS_H
#define XENBW_HOLDERS_H

/* "12, 345", the numbers of the processes; NULL where none is found. Allocated. */
char *holders_of(const char *path);

#endif
