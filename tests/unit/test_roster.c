/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What xenbw-capture is told: a real table of links, and an account with the vifs that the toolstack
 * describes.
 */
#include <net/if.h>
#include <netinet/ether.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "daemon/roster.h"
#include "tests/support/netns.h"

#define MAC0 "00:16:3e:00:00:01"
#define MAC1 "00:16:3e:00:00:02"

static struct account *a;
static struct links *links;
static struct uplinks uplinks;
static struct roster r;

static int enter(void **state)
{
	(void)state;
	netns_enter();
	netns_run("ip link set dev lo up");
	netns_run("ip link add br0 address " MAC0 " type bridge");
	netns_run("ip link add br1 address " MAC1 " type bridge");
	netns_run("ip link add inner type bridge");
	netns_run("ip link add peth0 address 00:16:3e:00:00:f0 type veth peer name far0");
	netns_run("ip link add peth1 address 00:16:3e:00:00:f1 type veth peer name far1");
	netns_run("ip link set dev peth0 master br0");
	netns_run("ip link set dev peth1 master br1");
	netns_run("ip addr add 192.0.2.1/24 dev br0");
	return 0;
}

static int64_t here(unsigned domid, unsigned devid, const char *mac, const char *addresses,
		    const char *bridge)
{
	char *uuid = mem_printf("uuid-%u", domid), *name = mem_printf("g%u", domid), *warning = NULL;
	struct account_vif_facts f = {.domid = domid,
				      .devid = devid,
				      .uuid = uuid,
				      .domain = name,
				      .mac = mac,
				      .addresses = addresses,
				      .bridge = bridge};
	int64_t id = account_vif_here(a, &f, &warning);

	free(warning);
	free(name);
	free(uuid);
	return id;
}

/* dom0's own card in a bridge. */
static int64_t dom0(const char *bridge)
{
	unsigned ifindex = if_nametoindex(bridge);
	int64_t id = here(0, ifindex, NULL, NULL, bridge);

	account_device_here(a, id, ifindex, bridge, DEVICE_BRIDGE, 0, 0);
	return id;
}

static int set_up(void **state)
{
	const struct account_settings settings = {.boot = "boot-1", .late = 60};
	const struct ledger_state state0 = {.first_run = true};

	(void)state;
	a = account_new(&settings, &state0, 1700000100);
	assert_int_equal(links_open(&links, NULL), 0);
	uplinks.list = mem_array(2, sizeof(*uplinks.list));
	uplinks.list[0] = if_nametoindex("peth0");
	uplinks.list[1] = if_nametoindex("peth1");
	uplinks.count = 2;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	roster_free(&r);
	uplinks_free(&uplinks);
	links_close(links);
	account_free(a);
	netns_run("ip link set dev br1 address " MAC1);
	return 0;
}

/* How often a record like this is there; mac or address NULL: it has none. */
static unsigned told(int64_t vif, const char *mac, const char *address, unsigned flags)
{
	struct capture_vif want = {.vif = vif, .flags = (uint16_t)flags};
	struct network n;
	unsigned count = 0;

	if (mac) {
		memcpy(want.mac, ether_aton(mac), sizeof(want.mac));
		want.flags |= CAPTURE_HAS_MAC;
	}
	if (address) {
		assert_true(network_address(address, &n));
		memcpy(want.address, n.address, sizeof(want.address));
		want.flags |= CAPTURE_HAS_ADDRESS;
	}
	for (size_t i = 0; i < r.count; i++)
		count += memcmp(&r.list[i], &want, sizeof(want)) == 0;
	return count;
}

static void bridged_vifs_are_known_by_mac_dom0_by_its_cards(void **state)
{
	int64_t own = dom0("br0"), one = here(1, 0, "00:16:3e:01:00:00", "10.0.0.1", "br0"),
		two = here(2, 0, "00:16:3e:02:00:00", "10.0.0.2 2001:db8::2", "br1"),
		none = here(3, 0, "00:16:3e:03:00:00", NULL, "br0"),
		ovs = here(4, 0, "00:16:3e:04:00:00", NULL, "ovs0");

	(void)state;
	r = roster_make(a, links, &uplinks);
	assert_int_equal(told(own, MAC0, NULL, CAPTURE_HOST), 1);
	assert_int_equal(told(own, "00:16:3e:00:00:f0", NULL, CAPTURE_HOST), 1);
	assert_int_equal(told(0, MAC1, NULL, CAPTURE_HOST), 1); /* nobody counts dom0 there */
	assert_int_equal(told(0, "00:16:3e:00:00:f1", NULL, CAPTURE_HOST), 1);
	assert_int_equal(told(one, "00:16:3e:01:00:00", "10.0.0.1", 0), 1);
	assert_int_equal(told(two, "00:16:3e:02:00:00", "10.0.0.2", 0), 1);
	assert_int_equal(told(two, "00:16:3e:02:00:00", "2001:db8::2", 0), 1);
	assert_int_equal(told(none, "00:16:3e:03:00:00", NULL, 0), 1);
	assert_int_equal(told(ovs, "00:16:3e:04:00:00", NULL, 0), 1);
	assert_int_equal(told(0, NULL, "192.0.2.1", CAPTURE_HOST), 1);
	assert_int_equal(r.unknown_count, 0);
}

static void routed_ones_are_known_by_address_or_not_at_all(void **state)
{
	int64_t one = here(1, 0, "00:16:3e:01:00:00", "10.0.0.1", NULL),
		two = here(2, 0, "00:16:3e:02:00:00", "10.0.0.2", "inner"),
		none = here(3, 0, "00:16:3e:03:00:00", NULL, NULL),
		no_mac = here(4, 0, NULL, "10.0.0.4", "br0");

	(void)state;
	r = roster_make(a, links, &uplinks);
	assert_int_equal(told(one, NULL, "10.0.0.1", CAPTURE_ROUTED), 1);
	assert_int_equal(told(two, NULL, "10.0.0.2", CAPTURE_ROUTED), 1);
	assert_int_equal(told(0, NULL, "192.0.2.1", CAPTURE_HOST), 1);
	assert_int_equal(told(0, NULL, "127.0.0.1", CAPTURE_HOST), 1);
	assert_false(roster_is_unknown(&r, one));
	assert_true(roster_is_unknown(&r, none));
	assert_true(roster_is_unknown(&r, no_mac));
}

static void of_two_cards_of_dom0_with_one_mac_nothing_is_known(void **state)
{
	int64_t first, second, one;

	(void)state;
	netns_run("ip link set dev br1 address " MAC0);
	assert_int_equal(links_refresh(links, if_nametoindex("br1"), NULL), 0);
	first = dom0("br0");
	one = here(1, 0, "00:16:3e:01:00:00", NULL, "br0");
	second = dom0("br1");
	r = roster_make(a, links, &uplinks);
	assert_true(roster_is_unknown(&r, first));
	assert_true(roster_is_unknown(&r, second));
	assert_false(roster_is_unknown(&r, one));
}

/* As a VLAN for management beside those that guests are in. */
static void so_it_is_where_one_is_nobodys_but_dom0_uses_it(void **state)
{
	int64_t own, one;

	(void)state;
	netns_run("ip link set dev br1 address " MAC0);
	assert_int_equal(links_refresh(links, if_nametoindex("br1"), NULL), 0);
	own = dom0("br0");
	one = here(1, 0, "00:16:3e:01:00:00", "10.0.0.1", "br0");
	r = roster_make(a, links, &uplinks);
	assert_false(roster_is_unknown(&r, own)); /* dom0 has no address in br1 */
	assert_int_equal(told(own, MAC0, NULL, CAPTURE_HOST), 1);
	roster_free(&r);
	netns_run("ip addr add 198.51.100.1/24 dev br1");
	r = roster_make(a, links, &uplinks);
	netns_run("ip addr flush dev br1");
	assert_true(roster_is_unknown(&r, own));
	assert_false(roster_is_unknown(&r, one));
	assert_int_equal(told(own, MAC0, NULL, CAPTURE_HOST), 0);
	assert_int_equal(told(own, "00:16:3e:00:00:f0", NULL, CAPTURE_HOST), 0);
	assert_int_equal(told(0, MAC0, NULL, CAPTURE_HOST), 2);
	assert_int_equal(told(0, NULL, "192.0.2.1", CAPTURE_HOST), 1);
}

static void where_dom0_is_counted_its_addresses_are_not_told(void **state)
{
	(void)state;
	uplinks.count = 1;
	dom0("br0");
	here(1, 0, "00:16:3e:01:00:00", "10.0.0.1", "br0");
	r = roster_make(a, links, &uplinks);
	assert_int_equal(r.count, 3);
	assert_int_equal(told(0, NULL, "192.0.2.1", CAPTURE_HOST), 0);
}

static void who_is_known_by_nothing_is_another_roster(void **state)
{
	struct roster before;
	int64_t nameless, lost;

	(void)state;
	here(1, 0, "00:16:3e:00:00:01", NULL, "ovs0");
	here(2, 0, NULL, "192.0.2.2", NULL);
	before = roster_make(a, links, &uplinks);
	nameless = here(3, 0, NULL, NULL, "ovs0"); /* in a bridge, without a MAC */
	r = roster_make(a, links, &uplinks);
	assert_int_equal(r.count, before.count);
	assert_true(roster_is_unknown(&r, nameless));
	assert_false(roster_equal(&r, &before));
	roster_free(&before);
	before = r;
	lost = here(4, 0, "00:16:3e:00:00:04", NULL, NULL); /* routed, without an address */
	r = roster_make(a, links, &uplinks);
	assert_true(roster_is_unknown(&r, nameless));
	assert_true(roster_is_unknown(&r, lost));
	assert_false(roster_equal(&r, &before));
	roster_free(&before);
	before = roster_make(a, links, &uplinks);
	assert_true(roster_equal(&r, &before));
	roster_free(&before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bridged_vifs_are_known_by_mac_dom0_by_its_cards, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(routed_ones_are_known_by_address_or_not_at_all, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(where_dom0_is_counted_its_addresses_are_not_told, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(who_is_known_by_nothing_is_another_roster, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_two_cards_of_dom0_with_one_mac_nothing_is_known, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(so_it_is_where_one_is_nobodys_but_dom0_uses_it, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("roster", tests, enter, NULL);
}
