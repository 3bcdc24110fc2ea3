/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "net/alias.h"

#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

#define DUMP_TRIES 20 /* as devices come and go while it is read */

struct alias {
	struct nl_sock *sock;
	/* of the last question */
	char *text;     /* of the one device; NULL: none */
	unsigned *ours; /* of all: devices with one of ours */
	size_t count;
};

static bool is_ours(const char *text)
{
	return strncmp(text, ALIAS_MARK, strlen(ALIAS_MARK)) == 0;
}

static int on_link(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *h = nlmsg_hdr(msg);
	struct alias *a = arg;
	const struct ifinfomsg *head = nlmsg_data(h);
	const struct nlattr *text;

	if (h->nlmsg_type != RTM_NEWLINK || !nlmsg_valid_hdr(h, sizeof(*head)))
		return NL_OK;
	text = nlmsg_find_attr(h, sizeof(*head), IFLA_IFALIAS);
	free(a->text);
	a->text = text ? mem_strndup(nla_data(text), (size_t)nla_len(text)) : NULL;
	if (a->text && is_ours(a->text)) {
		a->ours = mem_resize(a->ours, a->count + 1, sizeof(*a->ours));
		a->ours[a->count++] = (unsigned)head->ifi_index;
	}
	return NL_OK;
}

int alias_open(struct alias **out, char **err)
{
	struct alias *a = mem_alloc(sizeof(*a));
	int rc;

	*out = NULL;
	a->sock = nl_socket_alloc();
	if (!a->sock) {
		free(a);
		return err_set(err, "cannot make a netlink socket for aliases: out of memory");
	}
	rc = nl_connect(a->sock, NETLINK_ROUTE);
	if (rc == 0)
		rc = nl_socket_set_msg_buf_size(a->sock, 32768);
	if (rc == 0)
		rc = nl_socket_modify_cb(a->sock, NL_CB_VALID, NL_CB_CUSTOM, on_link, a);
	if (rc < 0) {
		alias_close(a);
		return err_set(err, "cannot open a netlink socket for aliases: %s", nl_geterror(rc));
	}
	*out = a;
	return 0;
}

void alias_close(struct alias *a)
{
	if (!a)
		return;
	nl_socket_free(a->sock);
	free(a->text);
	free(a->ours);
	free(a);
}

/* 1: there is no such device. */
static int ask(struct alias *a, unsigned ifindex, int flags)
{
	struct ifinfomsg head = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};
	int rc;

	free(a->text);
	a->text = NULL;
	a->count = 0;
	rc = nl_send_simple(a->sock, RTM_GETLINK, flags, &head, sizeof(head));
	if (rc >= 0)
		rc = nl_recvmsgs_default(a->sock);
	if (rc >= 0 && !(flags & NLM_F_DUMP))
		rc = nl_wait_for_ack(a->sock);
	return rc == -NLE_NODEV || rc == -NLE_OBJ_NOTFOUND ? 1 : rc < 0 ? rc : 0;
}

/* An empty text takes the alias away. */
static int put(struct alias *a, unsigned ifindex, const char *text)
{
	struct ifinfomsg head = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_SETLINK, 0);
	int rc = msg ? nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO) : -NLE_NOMEM;

	if (rc == 0)
		rc = nla_put(msg, IFLA_IFALIAS, (int)strlen(text), text);
	if (rc == 0)
		rc = nl_send_auto(a->sock, msg);
	if (rc >= 0)
		rc = nl_wait_for_ack(a->sock);
	nlmsg_free(msg);
	return rc == -NLE_NODEV || rc == -NLE_OBJ_NOTFOUND ? 1 : rc < 0 ? rc : 0;
}

int alias_set(struct alias *a, unsigned ifindex, const char *name, char **err)
{
	char *text = mem_printf("%s%s", ALIAS_MARK, name);
	int rc = ask(a, ifindex, NLM_F_ACK);

	if (rc == 0 && a->text && *a->text && !is_ours(a->text))
		rc = 1;
	else if (rc == 0 && (!a->text || strcmp(a->text, text) != 0))
		rc = put(a, ifindex, text);
	free(text);
	return rc < 0 ? err_set(err, "cannot give device %u an alias: %s", ifindex, nl_geterror(rc)) : rc;
}

int alias_clear(struct alias *a, char **err)
{
	int rc, tries = 0;

	do
		rc = ask(a, 0, NLM_F_DUMP);
	while (rc == -NLE_DUMP_INTR && ++tries < DUMP_TRIES);
	for (size_t i = 0; rc == 0 && i < a->count; i++) {
		rc = put(a, a->ours[i], "");
		if (rc == 1) /* gone meanwhile */
			rc = 0;
	}
	return rc < 0 ? err_set(err, "cannot take aliases away: %s", nl_geterror(rc)) : 0;
}
