/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "net/stats.h"

#include <linux/if_link.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/message.h"

/* The kernel says so when devices came or went while a dump was read; it may have skipped some. */
#define DUMP_TRIES 20

struct stats {
	struct nl_sock *sock;
	stats_fn *fn; /* during a dump */
	void *ctx;
	bool cut; /* a message was malformed: said after the dump */
};

static int on_message(struct nl_msg *msg, void *arg)
{
	struct stats *s = arg;
	struct counters c;
	unsigned ifindex;

	if (message_stats(nlmsg_hdr(msg), &ifindex, &c))
		s->fn(s->ctx, ifindex, &c);
	else
		s->cut = true;
	return NL_OK;
}

int stats_open(struct stats **out, char **err)
{
	struct stats *s = mem_alloc(sizeof(*s));
	int rc;

	*out = NULL;
	s->sock = nl_socket_alloc();
	if (!s->sock) {
		stats_close(s);
		return err_set(err, "cannot make a netlink socket for counters: out of memory");
	}
	nl_socket_disable_auto_ack(s->sock);
	rc = nl_connect(s->sock, NETLINK_ROUTE);
	/* Larger messages mean fewer of them: the kernel fills what the reader offers, up to 32 KiB. */
	if (rc == 0)
		rc = nl_socket_set_msg_buf_size(s->sock, 32768);
	if (rc < 0) {
		stats_close(s);
		return err_set(err, "cannot open a netlink socket for counters: %s", nl_geterror(rc));
	}
	nl_socket_modify_cb(s->sock, NL_CB_VALID, NL_CB_CUSTOM, on_message, s);
	*out = s;
	return 0;
}

void stats_close(struct stats *s)
{
	if (!s)
		return;
	nl_socket_free(s->sock);
	free(s);
}

int stats_dump(struct stats *s, stats_fn *fn, void *ctx, char **err)
{
	struct if_stats_msg ask = {.family = AF_UNSPEC,
				   .filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64)};
	int rc, tries = 0;

	s->fn = fn;
	s->ctx = ctx;
	s->cut = false;
	do {
		rc = nl_send_simple(s->sock, RTM_GETSTATS, NLM_F_DUMP, &ask, sizeof(ask));
		if (rc >= 0)
			rc = nl_recvmsgs_default(s->sock);
	} while (rc == -NLE_DUMP_INTR && ++tries < DUMP_TRIES);
	if (rc < 0)
		return err_set(err, "reading the counters of the network devices (RTM_GETSTATS): %s",
			       nl_geterror(rc));
	if (s->cut)
		return err_set(err, "reading the counters of the network devices: the kernel sent a message "
				    "without them");
	return 0;
}
