/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * server: the socket, HTTP's grammar by libevent's evhttp, its limits, and the headers of every answer.
 *
 * One thread, one question after the other. What is too big, too slow or no HTTP gets its 4xx or the end of
 * its connection, and costs nobody else more than its time.
 */
#ifndef XENBW_WEB_SERVER_H
#define XENBW_WEB_SERVER_H

#include "web/web.h"

struct server;

/* Listens as the web's configuration says, which must be good for that: an address of this host alone, or
 * behind TLS. */
int server_open(struct server **out, struct web *w, char **err);

/* Until TERM or INT. */
int server_run(struct server *s, char **err);
void server_close(struct server *s);

#endif
