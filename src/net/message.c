/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "net/message.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

static bool read_counters(const struct nlattr *a, struct counters *c)
{
	struct rtnl_link_stats64 s;

	/* Newer kernels append members, older ones lack some: the first four have always been there. */
	if (nla_len(a) < (int)(offsetof(struct rtnl_link_stats64, tx_bytes) + sizeof(s.tx_bytes)))
		return false;
	memset(&s, 0, sizeof(s));
	nla_memcpy(&s, a, sizeof(s));
	*c = (struct counters){s.rx_bytes, s.rx_packets, s.tx_bytes, s.tx_packets};
	return true;
}

bool message_stats(const struct nlmsghdr *h, unsigned *ifindex, struct counters *c)
{
	struct nlmsghdr *hdr = (struct nlmsghdr *)(uintptr_t)h; /* libnl's readers lack the const */
	const struct if_stats_msg *head;
	const struct nlattr *a;

	if (h->nlmsg_type != RTM_NEWSTATS || !nlmsg_valid_hdr(hdr, sizeof(*head)))
		return false;
	head = nlmsg_data(hdr);
	a = nlmsg_find_attr(hdr, sizeof(*head), IFLA_STATS_LINK_64);
	if (!a || head->ifindex == 0)
		return false;
	*ifindex = head->ifindex;
	return read_counters(a, c);
}

/* A longer name is no kind that we know. */
static void read_type(struct nlattr *linkinfo, struct link_message *m)
{
	const struct nlattr *kind = nla_find(nla_data(linkinfo), nla_len(linkinfo), IFLA_INFO_KIND);

	if (kind)
		nla_strlcpy(m->type, kind, sizeof(m->type));
}

bool message_link(const struct nlmsghdr *h, struct link_message *m)
{
	struct nlmsghdr *hdr = (struct nlmsghdr *)(uintptr_t)h;
	const struct ifinfomsg *head;
	struct nlattr *a;
	int left;

	*m = (struct link_message){0};
	if ((h->nlmsg_type != RTM_NEWLINK && h->nlmsg_type != RTM_DELLINK) ||
	    !nlmsg_valid_hdr(hdr, sizeof(*head)))
		return false;
	head = nlmsg_data(hdr);
	if (head->ifi_index <= 0 || head->ifi_family != AF_UNSPEC) /* bridge port messages are not devices */
		return false;
	m->ifindex = (unsigned)head->ifi_index;
	nla_for_each_attr(a, nlmsg_attrdata(hdr, sizeof(*head)), nlmsg_attrlen(hdr, sizeof(*head)), left)
	{
		switch (nla_type(a)) {
		case IFLA_IFNAME:
			if (nla_strlcpy(m->name, a, sizeof(m->name)) >= sizeof(m->name))
				return false;
			break;
		case IFLA_MASTER:
			if (nla_len(a) >= (int)sizeof(uint32_t))
				m->master = nla_get_u32(a);
			break;
		case IFLA_LINK:
			if (nla_len(a) >= (int)sizeof(uint32_t))
				m->lower = nla_get_u32(a);
			break;
		case IFLA_CARRIER:
			if (nla_len(a) >= 1) {
				m->has_carrier = true;
				m->carrier = nla_get_u8(a) != 0;
			}
			break;
		case IFLA_CARRIER_DOWN_COUNT:
			if (nla_len(a) >= (int)sizeof(uint32_t)) {
				m->has_carrier_down = true;
				m->carrier_down = nla_get_u32(a);
			}
			break;
		case IFLA_LINKINFO:
			read_type(a, m);
			break;
		case IFLA_ADDRESS:
			m->has_mac = nla_len(a) == sizeof(m->mac);
			if (m->has_mac)
				nla_memcpy(m->mac, a, sizeof(m->mac));
			break;
		case IFLA_STATS64:
			m->has_counters = read_counters(a, &m->counters);
			break;
		default:
			break;
		}
	}
	/* what is left over is no attribute: somewhere a length was wrong */
	return left <= 0 && m->name[0] != '\0';
}

bool message_address(const struct nlmsghdr *hdr, unsigned *ifindex)
{
	const struct ifaddrmsg *head = nlmsg_data(hdr);

	if ((hdr->nlmsg_type != RTM_NEWADDR && hdr->nlmsg_type != RTM_DELADDR) ||
	    !nlmsg_valid_hdr(hdr, sizeof(*head)))
		return false;
	*ifindex = head->ifa_index;
	return true;
}
