/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "daemon/classifier.h"
#include "daemon/daemon.h"

#define GRACE_SECONDS 60 /* beyond the next try of what is waited for */
#define PINGS 3          /* within the time after which the manager takes a process for hung */

bool notify_is_managed(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	return path && *path;
}

/* The protocol is one datagram to $NOTIFY_SOCKET (sd_notify(3)): not worth a library with a compressor in it.
 */
static void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *fmt, ...)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t n = path ? strlen(path) : 0;
	char *text;
	va_list ap;
	int fd;

	if (n == 0 || n >= sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(to.sun_path, path, n);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&to,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		log_debug("telling the service manager: %s", strerror(errno));
	free(text);
	close(fd);
}

void notify_ready(void)
{
	tell("READY=1");
}

void notify_stopping(void)
{
	tell("STOPPING=1");
}

/* systemd 252 goes by the first line alone, later ones want the time, too. */
void notify_reloading(void)
{
	tell("RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_mono().ns / 1000);
}

void notify_wait(unsigned seconds)
{
	tell("EXTEND_TIMEOUT_USEC=%" PRIu64, (uint64_t)(seconds + GRACE_SECONDS) * 1000000);
}

/* ---- what it does ---- */

static void add(char **text, const char *more)
{
	char *longer = mem_printf("%s; %s", *text, more);

	free(*text);
	*text = longer;
}

void notify_status(struct daemon *d)
{
	const struct trouble *troubles[] = {&d->no_commit, &d->no_counters, &d->no_xenstore, &d->no_links,
					    &d->no_fold,   &d->no_retire,   &d->no_forget};
	unsigned vifs = HASH_COUNT(d->followed);
	char *text = mem_printf("%u vif%s, a commit every %u s", vifs, vifs == 1 ? "" : "s", d->conf->flush);

	for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++)
		if (troubles[i]->reason)
			add(&text, troubles[i]->reason);
	if (d->classifier && !classifier_status(d->classifier).looks)
		add(&text, "bytes are not told apart by class");
	for (char *p = text; (p = strchr(p, '\n'));) /* which would begin another assignment */
		*p = ' ';
	if (mem_replace(&d->told_status, text))
		tell("STATUS=%s", text);
	free(text);
}

/* ---- the watchdog ---- */

/* Of this process, 0 for none. */
static uint64_t watchdog_us(void)
{
	const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	uint64_t number, process;

	if (!us || !text_u64(us, 1, INT64_MAX / 2, &number))
		return 0;
	if (pid && (!text_u64(pid, 1, INT32_MAX, &process) || process != (uint64_t)getpid()))
		return 0;
	return number;
}

void notify_alive(void)
{
	if (watchdog_us())
		tell("WATCHDOG=1");
}

static void on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	notify_alive();
}

struct event *notify_watchdog(struct event_base *base)
{
	uint64_t us = watchdog_us() / PINGS;
	struct timeval t = {.tv_sec = (time_t)(us / 1000000), .tv_usec = (suseconds_t)(us % 1000000)};
	struct event *e = us ? event_new(base, -1, EV_PERSIST, on_watchdog, NULL) : NULL;

	if (us && (!e || event_add(e, &t) < 0))
		log_err("cannot set the timer that tells the service manager that xenbwd lives");
	return e;
}
