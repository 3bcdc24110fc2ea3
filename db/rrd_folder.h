/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rrd_folder: the folder of the RRD files, made ready for who writes them.
 *
 * xenbwd, whose folder it is, does this for xenbw-writer, which is another user of the same group. Knows
 * nothing of what is in an RRD file. What belongs to somebody else is left as it is: the writer names what it
 * cannot write.
 */
#ifndef XENBW_RRD_FOLDER_H
#define XENBW_RRD_FOLDER_H

/* Makes the folder where its last part is missing; it and the RRD files in it that are this process's own get
 * its group, which may write them from then on. A folder that was there, has another group and holds anything
 * else than RRD files stays as it is. Returns -1 where something of ours cannot be changed; the rest is done
 * all the same. */
int rrd_folder_prepare(const char *path, char **err);

#endif
