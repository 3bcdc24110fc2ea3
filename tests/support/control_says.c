/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * control_says: answers on a control socket as an xenbwd with this split would, until it is killed.
 *
 *   control_says PATH off|pcap|failing UPLINKS DROPPED STRAY_PACKETS STRAY_BYTES [DOMID.DEVID …]
 *
 * The vifs that are named are those whose bytes cannot be told apart. PATH must not be there yet.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "ipc/control.h"

static int fail(const char *what)
{
	perror(what);
	return EXIT_FAILURE;
}

static uint64_t number(const char *text)
{
	uint64_t n = 0;

	if (!text_u64(text, 0, INT64_MAX, &n)) {
		fprintf(stderr, "control_says: %s is no number\n", text);
		exit(EXIT_FAILURE);
	}
	return n;
}

static uint32_t split_of(const char *word)
{
	return strcmp(word, "off") == 0    ? CONTROL_SPLIT_OFF
	       : strcmp(word, "pcap") == 0 ? CONTROL_SPLIT_PCAP
					   : CONTROL_SPLIT_FAILING;
}

static void fill(struct control_reply *r, char **argv)
{
	*r = (struct control_reply){.magic = CONTROL_MAGIC,
				    .kind = CONTROL_STATUS,
				    .xenstore_connected = 1,
				    .split = split_of(argv[0]),
				    .dropped = number(argv[2]),
				    .stray_packets = number(argv[3]),
				    .stray_bytes = number(argv[4])};
	memccpy(r->uplinks, argv[1], '\0', sizeof(r->uplinks) - 1);
	for (argv += 5; *argv && r->count < CONTROL_VIFS; argv++) {
		char *dot = strchr(*argv, '.');

		if (!dot)
			continue;
		*dot = '\0';
		r->vifs[r->count++] = (struct control_vif){.domid = (uint32_t)number(*argv),
							   .devid = (uint32_t)number(dot + 1),
							   .flags = CONTROL_VIF_BLIND};
	}
}

int main(int argc, char **argv)
{
	struct control_reply *r = mem_alloc(sizeof(*r));
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct control_request ask;
	int fd, client;

	if (argc < 7) {
		fprintf(stderr, "see the head of control_says.c\n");
		return 2;
	}
	fill(r, argv + 2);
	memccpy(at.sun_path, argv[1], '\0', sizeof(at.sun_path) - 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 4) < 0)
		return fail(argv[1]);
	while ((client = accept(fd, NULL, NULL)) >= 0) {
		if (recv(client, &ask, sizeof(ask), 0) == (ssize_t)sizeof(ask) &&
		    send(client, r, sizeof(*r), MSG_NOSIGNAL) < 0)
			perror("control_says: send");
		close(client);
	}
	return fail("accept");
}
