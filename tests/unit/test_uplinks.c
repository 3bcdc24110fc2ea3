/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Which devices lead out of the host: a real table of links, with bridges, veths, taps and a tunnel.
 */
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/uplinks.h"
#include "tests/support/netns.h"

/* Devices that are vifs; dom0's own in a bridge among them. */
static const char *vifs[4];

static bool is_vif(void *ctx, unsigned ifindex)
{
	(void)ctx;
	for (size_t i = 0; i < 4; i++)
		if (vifs[i] && if_nametoindex(vifs[i]) == ifindex)
			return true;
	return false;
}

static int enter(void **state)
{
	(void)state;
	netns_enter();
	netns_run("ip link add br0 type bridge");
	netns_run("ip link add br1 type bridge");
	netns_run("ip link add peth0 type veth peer name outside0");
	netns_run("ip link add vif1.0 type veth peer name guest0");
	netns_run("ip link add vif2.0 type veth peer name guest1");
	netns_run("ip link add tunnel0 type vxlan id 5 dstport 4789");
	netns_run("ip tuntap add dev vif1.0-emu mode tap");
	return 0;
}

static int clean(void **state)
{
	static const char *const ports[] = {"peth0", "vif1.0", "vif2.0", "tunnel0", "vif1.0-emu"};

	(void)state;
	memset(vifs, 0, sizeof(vifs));
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		netns_run("ip link set dev %s nomaster", ports[i]);
	return 0;
}

static void port(const char *device, const char *bridge)
{
	netns_run("ip link set dev %s master %s", device, bridge);
}

/* Chooses and compares with the names, in the order of their numbers; returns what is missing. */
static char *choose(const struct conf_texts *devices, const struct uplinks *before, size_t count,
		    const char *const *names)
{
	struct links *l;
	struct uplinks u;
	char *err = NULL, *why;

	if (links_open(&l, &err) < 0)
		fail_msg("%s", err);
	u = uplinks_choose(l, devices, is_vif, NULL, before, &why);
	assert_int_equal(u.count, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(links_find(l, u.list[i])->name, names[i]);
	uplinks_free(&u);
	links_close(l);
	return why;
}

static const struct conf_texts by_itself;
static const struct uplinks nothing;

#define EXPECT(devices, before, ...)                                                              \
	do {                                                                                      \
		const char *const chosen[] = {__VA_ARGS__};                                       \
		char *said = choose(devices, before, sizeof(chosen) / sizeof(chosen[0]), chosen); \
                                                                                                  \
		assert_null(said);                                                                \
	} while (0)

static void expect_none(const struct conf_texts *devices, const char *words)
{
	char *why = choose(devices, &nothing, 0, NULL);

	if (!why || !strstr(why, words))
		fail_msg("expected `%s` in: %s", words, why ? why : "(nothing)");
	free(why);
}

static void without_a_bridge_there_is_none(void **state)
{
	(void)state;
	expect_none(&by_itself, "device NAME");
}

static void the_only_other_port_of_a_bridge_with_vifs_is_it(void **state)
{
	(void)state;
	port("peth0", "br0");
	expect_none(&by_itself, "no uplink is found");
	vifs[0] = "br0";
	EXPECT(&by_itself, &nothing, "peth0");
	vifs[1] = "vif1.0";
	port("vif1.0", "br0");
	port("vif1.0-emu", "br0");
	EXPECT(&by_itself, &nothing, "peth0");
}

static void two_of_the_weak_kind_are_none_but_a_choice_stays(void **state)
{
	unsigned peth0 = if_nametoindex("peth0");
	const struct uplinks before = {.list = &peth0, .count = 1};

	(void)state;
	vifs[0] = "br0";
	port("peth0", "br0");
	port("vif2.0", "br0"); /* not known to be a vif yet */
	expect_none(&by_itself, "no uplink is found");
	EXPECT(&by_itself, &before, "peth0");
}

static void hardware_and_tunnels_win_in_every_bridge(void **state)
{
	(void)state;
	vifs[0] = "br0";
	port("peth0", "br0");
	port("tunnel0", "br1");
	EXPECT(&by_itself, &nothing, "peth0", "tunnel0");
	port("tunnel0", "br0");
	EXPECT(&by_itself, &nothing, "tunnel0");
}

static void named_ones_are_as_named(void **state)
{
	char tunnel[] = "tunnel0", peth[] = "peth0", eth[] = "eth7";
	char *twice[] = {tunnel, peth, tunnel}, *gone[] = {eth};
	const struct conf_texts devices = {.list = twice, .count = 3}, missing = {.list = gone, .count = 1};

	(void)state;
	EXPECT(&devices, &nothing, "peth0", "tunnel0");
	expect_none(&missing, "uplink eth7 is not there");
}

static void a_port_that_leads_out_and_is_not_named_is_told(void **state)
{
	char name[] = "tunnel0", *names[] = {name};
	const struct conf_texts devices = {.list = names, .count = 1};
	const char *const expected[] = {"tunnel0"};
	char *why;

	(void)state;
	port("peth0", "br0");
	EXPECT(&devices, &nothing, "tunnel0"); /* no vif is in that bridge */
	vifs[0] = "br0";
	why = choose(&devices, &nothing, 1, expected);
	assert_non_null(why);
	assert_non_null(strstr(why, "add `device peth0`"));
	free(why);
	port("tunnel0", "br0"); /* beside it a veth may lead into a container */
	EXPECT(&devices, &nothing, "tunnel0");
}

static void a_bridge_is_left_by_its_ports_only(void **state)
{
	unsigned peth0 = if_nametoindex("peth0");
	const struct uplinks u = {.list = &peth0, .count = 1};
	struct uplinks bridges;
	struct links *l;
	char *err = NULL;

	(void)state;
	port("peth0", "br0");
	port("vif1.0", "br1");
	assert_int_equal(links_open(&l, &err), 0);
	bridges = uplinks_bridges(&u, l);
	assert_int_equal(bridges.count, 1);
	assert_true(uplinks_have(&bridges, if_nametoindex("br0")));
	uplinks_free(&bridges);
	links_close(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(without_a_bridge_there_is_none, clean),
		cmocka_unit_test_teardown(the_only_other_port_of_a_bridge_with_vifs_is_it, clean),
		cmocka_unit_test_teardown(two_of_the_weak_kind_are_none_but_a_choice_stays, clean),
		cmocka_unit_test_teardown(hardware_and_tunnels_win_in_every_bridge, clean),
		cmocka_unit_test_teardown(named_ones_are_as_named, clean),
		cmocka_unit_test_teardown(a_port_that_leads_out_and_is_not_named_is_told, clean),
		cmocka_unit_test_teardown(a_bridge_is_left_by_its_ports_only, clean),
	};

	return cmocka_run_group_tests_name("uplinks", tests, enter, NULL);
}
