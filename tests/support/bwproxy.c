/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bwproxy LISTEN UPSTREAM ORDER: stands between xenbw-writer and a server's socket, and does what the file
 * ORDER says at that moment:
 *
 *   pass          all goes through
 *   slow MS       each statement waits so long
 *   cut BYTES     after so many bytes of the client's the connection is cut, both ways, wherever that is
 *   lost          a COMMIT goes through, its answer does not: the connection is cut
 *   late MS       the client is cut off at its COMMIT, which reaches the server so much later
 *   hold          a COMMIT waits until the order is another one
 *
 * What was done to a connection is added to the file ORDER.done, a word a line; "late" and "lost" once the
 * server has said that it is committed. Both paths are UNIX sockets. One process for each connection; they
 * end with the first one. Knows of the protocol only how a COMMIT and its answer look.
 */
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define COMMIT "\003COMMIT" /* behind the four bytes that each message begins with */
#define COMMIT_LENGTH 11
#define OK_AT 4 /* of an answer: the byte that is 0 where it was done */

struct order {
	char what[16];
	long number;
};

_Noreturn static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static struct order order_now(const char *path)
{
	struct order o = {.what = "pass"};
	FILE *file = fopen(path, "re");

	if (!file)
		fail(path);
	if (fscanf(file, "%15s %ld", o.what, &o.number) < 1)
		fail("order");
	(void)fclose(file);
	return o;
}

static bool is(const struct order *o, const char *what)
{
	return strcmp(o->what, what) == 0;
}

static void wait_ms(long ms)
{
	usleep((useconds_t)ms * 1000);
}

static void note(const char *path, const char *what)
{
	char name[4096];
	FILE *file;

	if ((size_t)snprintf(name, sizeof(name), "%s.done", path) >= sizeof(name))
		fail(path);
	file = fopen(name, "ae");
	if (!file)
		fail(name);
	(void)fprintf(file, "%s\n", what);
	(void)fclose(file);
}

static bool hand_on(int to, const char *bytes, size_t n)
{
	while (n) {
		ssize_t done = write(to, bytes, n);

		if (done <= 0)
			return false;
		bytes += done;
		n -= (size_t)done;
	}
	return true;
}

/* The COMMIT in `bytes`: does the connection go on? */
static bool pass_commit(struct order o, int client, int upstream, const char *bytes, const char *path)
{
	char answer[64];

	if (is(&o, "late")) {
		(void)shutdown(client, SHUT_RDWR);
		wait_ms(o.number);
	}
	if (is(&o, "hold")) {
		note(path, o.what);
		while (is(&o, "hold")) {
			wait_ms(5);
			o = order_now(path);
		}
	}
	if (!hand_on(upstream, bytes, COMMIT_LENGTH))
		return false;
	if (is(&o, "late") || is(&o, "lost")) {
		if (read(upstream, answer, sizeof(answer)) > OK_AT && answer[OK_AT] == 0)
			note(path, o.what);
		return false;
	}
	return true;
}

static bool from_client(int client, int upstream, const char *path, size_t *passed)
{
	char bytes[65536];
	ssize_t n = read(client, bytes, sizeof(bytes));
	struct order o = order_now(path);

	if (n <= 0)
		return false;
	if (is(&o, "cut") && *passed + (size_t)n > (size_t)o.number) {
		(void)hand_on(upstream, bytes, (size_t)o.number > *passed ? (size_t)o.number - *passed : 0);
		note(path, o.what);
		return false;
	}
	*passed += (size_t)n;
	if (is(&o, "slow"))
		wait_ms(o.number);
	if (n == COMMIT_LENGTH && memcmp(bytes + 4, COMMIT, sizeof(COMMIT) - 1) == 0)
		return pass_commit(o, client, upstream, bytes, path);
	return hand_on(upstream, bytes, (size_t)n);
}

static bool from_server(int client, int upstream)
{
	char bytes[65536];
	ssize_t n = read(upstream, bytes, sizeof(bytes));

	return n > 0 && hand_on(client, bytes, (size_t)n);
}

static void relay(int client, int upstream, const char *path)
{
	struct pollfd p[] = {{.fd = client, .events = POLLIN}, {.fd = upstream, .events = POLLIN}};
	size_t passed = 0;
	bool goes_on = true;

	while (goes_on && poll(p, 2, -1) > 0) {
		if (p[0].revents)
			goes_on = from_client(client, upstream, path, &passed);
		if (goes_on && p[1].revents)
			goes_on = from_server(client, upstream);
	}
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(a.sun_path))
		fail(path);
	memcpy(a.sun_path, path, strlen(path));
	return a;
}

_Noreturn static void serve(int client, const char *server, const char *order)
{
	struct sockaddr_un there = address_of(server);
	int upstream = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (upstream >= 0 && connect(upstream, (struct sockaddr *)&there, sizeof(there)) == 0)
		relay(client, upstream, order);
	_exit(0);
}

int main(int argc, char **argv)
{
	struct sockaddr_un here;
	int listener;

	if (argc != 4) {
		(void)fprintf(stderr, "usage: bwproxy LISTEN UPSTREAM ORDER\n");
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGCHLD, SIG_IGN);
	here = address_of(argv[1]);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)umask(0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&here, sizeof(here)) < 0 ||
	    listen(listener, 16) < 0)
		fail(argv[1]);
	for (;;) {
		int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (client < 0)
			continue;
		if (fork() == 0)
			serve(client, argv[2], argv[3]);
		close(client);
	}
}
