/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * pidfile: the file that tells init scripts which process it is.
 *
 * A file that is neither empty nor a number is none, and is never changed. Holds a lock while the process
 * lives, so that a file left by one that was killed is in nobody's way. A file that names a living nacctd or
 * xenbwd is respected without a lock: nacctd takes none.
 */
#ifndef XENBW_PIDFILE_H
#define XENBW_PIDFILE_H

struct pidfile {
	char *path;
	int fd;
};

/* `path` NULL: there is none. On failure nothing is left to release. */
int pidfile_take(struct pidfile *p, const char *path, char **err);

/* Removes the file. */
void pidfile_release(struct pidfile *p);

#endif
