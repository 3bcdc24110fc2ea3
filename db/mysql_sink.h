/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mysql_sink: brings the table `traffic` at a MySQL server up to what the ledger holds, exactly once.
 *
 * The marker, this ledger's row in xenbw_host, says how far the table is; it moves in the same transaction as
 * the bytes, and only from where it was found. So a kill at any instant, a lost answer and a COMMIT that
 * lands late change no sum: whatever is in doubt is settled by reading the marker again. That holds also
 * where the next server is another node of a Galera cluster (mysql_host a,b,c): it catches up before it
 * answers (db/mysql.h), and of two transactions that move the marker from the same place, wherever they were
 * begun, the cluster commits one. Servers that do not share their tables must not be in that list: each has a
 * marker of its own. Owns the connection between passes; when a server fails, the next one is asked. Never
 * writes the ledger; no read of it is open while the server is talked to.
 */
#ifndef XENBW_MYSQL_SINK_H
#define XENBW_MYSQL_SINK_H

#include <stdint.h>

#include "config/conf.h"
#include "db/sink.h"

struct mysql_sink;

/* `conf` (mysql, bucket_suffix) belongs to the caller and stays. */
struct mysql_sink *mysql_sink_new(const char *ledger, const struct conf *conf, const struct sink_host *host);
void mysql_sink_free(struct mysql_sink *s);

/* One pass. *seq is the newest sequence that MySQL needs no more, or 0 where nothing is newer than what was
 * acknowledged before; it counts whatever is returned. 0: all that the ledger holds is in the table. 1: there
 * is no ledger yet, or must_stop said so. -1 is trouble with the ledger, the server or the table: the
 * connection is closed, nothing is lost, and a later pass tries again. */
int mysql_sink_pass(struct mysql_sink *s, int64_t *seq, char **err);

#endif
