/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * directory_probe: lets a shell test hold a directory (xen/directory.h) and say when it looks.
 *
 * One command a line on standard input; the answer ends with a line that holds a single dot:
 *
 *   open         as xenbwd does: directory_new, then the first probe
 *   probe        directory_probe and directory_drain; says "connected" or "not connected", an error,
 * "changed", "states" or "same", and the complaints wait         sleeps until the descriptor is readable
 * (five seconds at most), then as probe vifs         one line for each vif: domid devid state left_connected
 * [domain] [uuid] [mac] [addresses] [bridge] [vifname], "-" for NULL domains      one line for each domain:
 * domid [name] [uuid] requests     round trips to xenstored since the last such question time microseconds
 * that the last open, probe or wait took, without its sleep latency N    attaches N vifs to domain 999 over a
 * connection of its own and waits until each is listed; prints the median and the longest time from the
 * commit of its nodes to its place in the list, in microseconds
 *   quit         closes everything and ends
 *
 * Exits with 1 at the first command that it does not know.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "xen/directory.h"

enum { WAIT_MS = 5000, LATENCY_DOMID = 999 };

struct probe {
	struct directory *d;
	uint64_t requests; /* at the last question */
	int64_t took_us;
};

static void look(struct probe *p)
{
	static const char *const words[] = {
		[DIRECTORY_SAME] = "same", [DIRECTORY_STATES] = "states", [DIRECTORY_CHANGED] = "changed"};
	struct mono start = clock_mono();
	char *err = NULL;
	int connected = directory_probe(p->d, &err);
	enum directory_news news = directory_drain(p->d);

	p->took_us = (clock_mono().ns - start.ns) / 1000;
	puts(connected ? "connected" : "not connected");
	if (err)
		printf("error: %s\n", err);
	puts(words[news]);
	for (char *line, *guest; directory_complaint(p->d, &line, &guest); free(guest)) {
		printf("complaint: %s\n", line);
		free(line);
	}
	free(err);
}

static bool wait_readable(const struct directory *d)
{
	struct pollfd fd = {.fd = directory_fd(d), .events = POLLIN};

	return fd.fd >= 0 && poll(&fd, 1, WAIT_MS) == 1;
}

static const char *shown(const char *s)
{
	return s ? s : "-";
}

static void print_vifs(const struct directory *d)
{
	size_t count;
	const struct xen_vif *v = directory_vifs(d, &count);

	for (size_t i = 0; i < count; i++, v++)
		printf("%u %u %d %u [%s] [%s] [%s] [%s] [%s] [%s]\n", v->domid, v->devid, v->state,
		       v->left_connected, shown(v->domain), shown(v->uuid), shown(v->mac),
		       shown(v->addresses), shown(v->bridge), shown(v->vifname));
}

static void print_domains(const struct directory *d)
{
	size_t count;
	const struct xen_domain *x = directory_domains(d, &count);

	for (size_t i = 0; i < count; i++, x++)
		printf("%u [%s] [%s]\n", x->domid, shown(x->name), shown(x->uuid));
}

static bool listed(const struct directory *d, unsigned devid)
{
	size_t count;
	const struct xen_vif *v = directory_vifs(d, &count);

	for (size_t i = 0; i < count; i++)
		if (v[i].domid == LATENCY_DOMID && v[i].devid == devid && v[i].state == XEN_STATE_CONNECTED)
			return true;
	return false;
}

static bool put(struct xs_handle *xs, xs_transaction_t t, unsigned devid, const char *node, const char *value)
{
	char *path = mem_printf("/local/domain/0/backend/vif/%d/%u/%s", LATENCY_DOMID, devid, node);
	bool ok = xs_write(xs, t, path, value, (unsigned)strlen(value));

	free(path);
	return ok;
}

static bool attach(struct xs_handle *xs, unsigned devid)
{
	xs_transaction_t t = xs_transaction_start(xs);

	return t != XBT_NULL && put(xs, t, devid, "state", "4") &&
	       put(xs, t, devid, "mac", "00:16:3e:00:00:01") && put(xs, t, devid, "ip", "10.0.0.1") &&
	       put(xs, t, devid, "bridge", "xenbr0") && xs_transaction_end(xs, t, false);
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void latency(struct probe *p, unsigned count)
{
	struct xs_handle *xs = xs_open(0);
	int64_t *us = mem_array(count, sizeof(*us));
	unsigned done = 0;

	while (xs && done < count && attach(xs, done)) {
		struct mono start = clock_mono();

		while (!listed(p->d, done) && wait_readable(p->d))
			directory_drain(p->d);
		if (!listed(p->d, done))
			break;
		us[done++] = (clock_mono().ns - start.ns) / 1000;
	}
	qsort(us, done, sizeof(*us), by_size);
	if (done == count)
		printf("%lld %lld\n", (long long)us[count / 2], (long long)us[count - 1]);
	else
		printf("failed at %u: %s\n", done, strerror(errno));
	free(us);
	xs_close(xs);
}

static bool obey(struct probe *p, const char *command)
{
	uint64_t n;

	if (strcmp(command, "open") == 0 && !p->d) {
		p->d = directory_new();
		look(p);
	} else if (!p->d) {
		return false;
	} else if (strcmp(command, "probe") == 0) {
		look(p);
	} else if (strcmp(command, "wait") == 0) {
		puts(wait_readable(p->d) ? "readable" : "silent");
		look(p);
	} else if (strcmp(command, "vifs") == 0) {
		print_vifs(p->d);
	} else if (strcmp(command, "domains") == 0) {
		print_domains(p->d);
	} else if (strcmp(command, "requests") == 0) {
		printf("%llu\n", (unsigned long long)(directory_requests(p->d) - p->requests));
		p->requests = directory_requests(p->d);
	} else if (strcmp(command, "time") == 0) {
		printf("%lld\n", (long long)p->took_us);
	} else if (strncmp(command, "latency ", 8) == 0 && text_u64(command + 8, 1, 10000, &n)) {
		latency(p, (unsigned)n);
	} else {
		return false;
	}
	return true;
}

int main(void)
{
	struct probe p = {0};
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	bool ok = true;

	while (ok && (len = getline(&line, &room, stdin)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (strcmp(line, "quit") == 0)
			break;
		ok = obey(&p, line);
		puts(ok ? "." : "what?");
		if (fflush(stdout) != 0)
			ok = false;
	}
	directory_close(p.d);
	free(line);
	return ok ? 0 : 1;
}
