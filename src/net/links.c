/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "net/links.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/message.h"

/* Room for a burst of events; what does not fit is noticed and mended by a new dump. */
#define EVENT_BUFFER (4 * 1024 * 1024)

/* The kernel says so when devices came or went while a dump was read; it may have skipped some. */
#define DUMP_TRIES 20

/* Failures in a row to take an event for want of memory: beyond that it is no longer the queue that is full.
 */
#define RECEIVE_TRIES 20

struct entry {
	struct link link; /* first: links_next leans on it */
	bool named;   /* holds its name in by_name: a rename event of another device may still be to come */
	bool present; /* during a dump: it was named */
	UT_hash_handle hh, by_name, by_node;
};

struct links {
	struct nl_sock *events, *questions;
	struct entry *all, *by_name, *by_node;
	bool lost;    /* events: the table has to be read again */
	links_fn *fn; /* during a drain; NULL: nobody is told */
	void *ctx;
};

/* ---- the table ---- */

static struct entry *find(const struct links *l, unsigned ifindex)
{
	struct entry *e;

	HASH_FIND(hh, l->all, &ifindex, sizeof(ifindex), e);
	return e;
}

const struct link *links_find(const struct links *l, unsigned ifindex)
{
	const struct entry *e = find(l, ifindex);

	return e ? &e->link : NULL;
}

const struct link *links_named(const struct links *l, const char *name)
{
	const struct entry *e;

	HASH_FIND(by_name, l->by_name, name, strlen(name), e);
	return e ? &e->link : NULL;
}

const struct link *links_of_node(const struct links *l, const char *nodename)
{
	const struct entry *e;

	HASH_FIND(by_node, l->by_node, nodename, strlen(nodename), e);
	return e ? &e->link : NULL;
}

const struct link *links_next(const struct links *l, const struct link *before)
{
	const struct entry *e = before ? ((const struct entry *)before)->hh.next : l->all;

	return e ? &e->link : NULL;
}

static void drop_names(struct links *l, struct entry *e)
{
	if (e->named)
		HASH_DELETE(by_name, l->by_name, e);
	if (e->link.nodename)
		HASH_DELETE(by_node, l->by_node, e);
	e->named = false;
	free(e->link.nodename);
	e->link.nodename = NULL;
}

/* ---- sysfs: is it netback's, and which backend node is it? ---- */

static char *sysfs_line(const char *name, const char *leaf)
{
	char *path = mem_printf("/sys/class/net/%s/device/%s", name, leaf);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[128];
	ssize_t n;

	free(path);
	if (fd < 0)
		return NULL;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return NULL;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return mem_strdup(text);
}

static void set_name(struct links *l, struct entry *e, const char *name)
{
	struct entry *other;
	char *type;

	drop_names(l, e);
	memcpy(e->link.name, name, sizeof(e->link.name));
	type = sysfs_line(name, "devtype");
	e->link.kind = type && strcmp(type, "vif") == 0 ? DEVICE_NETBACK : DEVICE_OTHER;
	free(type);
	HASH_FIND(by_name, l->by_name, name, strlen(name), other);
	if (other) {
		HASH_DELETE(by_name, l->by_name, other);
		other->named = false;
	}
	HASH_ADD_KEYPTR(by_name, l->by_name, e->link.name, strlen(e->link.name), e);
	e->named = true;
	e->link.nodename = e->link.kind == DEVICE_NETBACK ? sysfs_line(name, "nodename") : NULL;
	if (!e->link.nodename)
		return;
	HASH_FIND(by_node, l->by_node, e->link.nodename, strlen(e->link.nodename), other);
	if (other) /* the same node again: the older device is on its way out */
		HASH_DELETE(by_node, l->by_node, other);
	if (other) {
		free(other->link.nodename);
		other->link.nodename = NULL;
	}
	HASH_ADD_KEYPTR(by_node, l->by_node, e->link.nodename, strlen(e->link.nodename), e);
}

/* ---- messages ---- */

static void tell(const struct links *l, enum link_event event, const struct link *link,
		 const struct link_message *m)
{
	if (l->fn)
		l->fn(l->ctx, event, link, m && m->has_counters ? &m->counters : NULL);
}

static void remove_entry(struct links *l, struct entry *e, const struct link_message *m)
{
	HASH_DEL(l->all, e);
	tell(l, LINK_GONE, &e->link, m);
	drop_names(l, e);
	free(e);
}

static void apply_new(struct links *l, const struct link_message *m)
{
	struct entry *e = find(l, m->ifindex);
	enum link_event event = LINK_CHANGED;

	if (!e) {
		event = LINK_APPEARED;
		e = mem_alloc(sizeof(*e));
		e->link.ifindex = m->ifindex;
		if (l->fn)
			e->link.appeared = clock_mono();
		HASH_ADD(hh, l->all, link.ifindex, sizeof(e->link.ifindex), e);
	}
	e->present = true;
	if (strcmp(e->link.name, m->name) != 0) {
		if (event == LINK_CHANGED)
			event = LINK_RENAMED;
		set_name(l, e, m->name);
	}
	if (strcmp(m->type, "bridge") == 0)
		e->link.kind = DEVICE_BRIDGE;
	memcpy(e->link.type, m->type, sizeof(e->link.type));
	e->link.has_mac = m->has_mac;
	memcpy(e->link.mac, m->mac, sizeof(e->link.mac));
	e->link.master = m->master;
	e->link.lower = m->lower;
	if (m->has_carrier)
		e->link.carrier = m->carrier;
	if (m->has_carrier_down)
		e->link.carrier_down = m->carrier_down;
	tell(l, event, &e->link, m);
}

static int on_message(struct nl_msg *msg, void *arg)
{
	const struct nlmsghdr *h = nlmsg_hdr(msg);
	struct links *l = arg;
	struct link_message m;
	unsigned ifindex;

	if (message_address(h, &ifindex)) {
		const struct entry *e = find(l, ifindex);

		if (e)
			tell(l, LINK_ADDRESSES, &e->link, NULL);
		return NL_OK;
	}
	if (!message_link(h, &m))
		return NL_OK; /* other families' messages; a broken one is mended by the next dump */
	if (h->nlmsg_type == RTM_NEWLINK) {
		apply_new(l, &m);
	} else {
		struct entry *e = find(l, m.ifindex);

		if (e)
			remove_entry(l, e, &m);
	}
	return NL_OK;
}

/* ---- sockets ---- */

static int open_socket(struct links *l, struct nl_sock **sock, char **err)
{
	int rc;

	*sock = nl_socket_alloc();
	if (!*sock)
		return err_set(err, "cannot make a netlink socket for links: out of memory");
	nl_socket_disable_seq_check(*sock);
	nl_socket_disable_auto_ack(*sock);
	rc = nl_connect(*sock, NETLINK_ROUTE);
	if (rc == 0)
		rc = nl_socket_set_msg_buf_size(*sock, 32768);
	if (rc == 0)
		rc = nl_socket_modify_cb(*sock, NL_CB_VALID, NL_CB_CUSTOM, on_message, l);
	return rc < 0 ? err_set(err, "cannot open a netlink socket for links: %s", nl_geterror(rc)) : 0;
}

/* Reads the whole table and reports what differs from what we had. */
static int dump(struct links *l, char **err)
{
	struct ifinfomsg ask = {.ifi_family = AF_UNSPEC};
	struct entry *e, *next;
	int rc, tries = 0;

	do {
		for (e = l->all; e; e = e->hh.next)
			e->present = false;
		rc = nl_send_simple(l->questions, RTM_GETLINK, NLM_F_DUMP, &ask, sizeof(ask));
		if (rc >= 0)
			rc = nl_recvmsgs_default(l->questions);
	} while (rc == -NLE_DUMP_INTR && ++tries < DUMP_TRIES);
	if (rc < 0)
		return err_set(err, "reading the table of network devices (RTM_GETLINK): %s",
			       nl_geterror(rc));
	HASH_ITER (hh, l->all, e, next)
		if (!e->present)
			remove_entry(l, e, NULL);
	return 0;
}

int links_open(struct links **out, char **err)
{
	struct links *l = mem_alloc(sizeof(*l));
	int rc;

	*out = NULL;
	if (open_socket(l, &l->events, err) < 0 || open_socket(l, &l->questions, err) < 0) {
		links_close(l);
		return -1;
	}
	/* Beyond rmem_max only with CAP_NET_ADMIN; what the kernel grants instead is fine too. */
	(void)nl_socket_set_buffer_size(l->events, EVENT_BUFFER, 0);
	rc = nl_socket_add_memberships(l->events, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, 0);
	if (rc == 0)
		rc = nl_socket_set_nonblocking(l->events);
	if (rc < 0) {
		links_close(l);
		return err_set(err, "cannot subscribe to the kernel's link events: %s", nl_geterror(rc));
	}
	if (dump(l, err) < 0) {
		links_close(l);
		return -1;
	}
	*out = l;
	return 0;
}

void links_close(struct links *l)
{
	struct entry *e, *next;

	if (!l)
		return;
	nl_socket_free(l->events);
	nl_socket_free(l->questions);
	l->fn = NULL;
	HASH_ITER (hh, l->all, e, next)
		remove_entry(l, e, NULL);
	free(l);
}

int links_fd(const struct links *l)
{
	return nl_socket_get_fd(l->events);
}

int links_drain(struct links *l, links_fn *fn, void *ctx, char **err)
{
	int rc, failures = 0;

	l->fn = fn;
	l->ctx = ctx;
	do {
		rc = nl_recvmsgs_default(l->events);
		failures = rc < 0 ? failures + 1 : 0;
		if (rc ==
		    -NLE_NOMEM) /* the kernel's ENOBUFS; what is still queued is older than what was lost */
			l->lost = true;
	} while (rc >= 0 || (rc == -NLE_NOMEM && failures < RECEIVE_TRIES));
	rc = rc == -NLE_AGAIN ? 0 : err_set(err, "reading link events: %s", nl_geterror(rc));
	if (rc == 0 && l->lost) {
		rc = dump(l, err);
		l->lost = rc < 0;
		for (const struct entry *e = l->all; rc == 0 && e; e = e->hh.next)
			tell(l, LINK_ADDRESSES, &e->link, NULL);
	}
	l->fn = NULL;
	return rc;
}

int links_refresh(struct links *l, unsigned ifindex, char **err)
{
	struct ifinfomsg ask = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};
	int rc;

	rc = nl_send_simple(l->questions, RTM_GETLINK, 0, &ask, sizeof(ask));
	if (rc >= 0)
		rc = nl_recvmsgs_default(l->questions);
	if (rc == -NLE_NODEV || rc == -NLE_OBJ_NOTFOUND)
		return 1;
	return rc < 0 ? err_set(err, "asking for network device %u: %s", ifindex, nl_geterror(rc)) : 0;
}
