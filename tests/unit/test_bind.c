/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Which device belongs to which vif: a real table of links, with a /sys in which some say that they are
 * netback's.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "net/bind.h"
#include "tests/support/netns.h"

static int enter(void **state)
{
	(void)state;
	netns_enter();
	netns_run("sysctl -q net.ipv6.conf.default.disable_ipv6=1");
	netns_fake_sys();
	return 0;
}

static unsigned spare;

/* A device, as veth: netback's are made elsewhere and only told by what /sys says. */
static unsigned device(const char *name)
{
	netns_run("ip link add name %s type veth peer name spare%u", name, spare++);
	return if_nametoindex(name);
}

static void write_line(const char *name, const char *leaf, const char *line)
{
	char *path = mem_printf("/sys/class/net/%s/device/%s", name, leaf), *text = mem_printf("%s\n", line);

	scratch_write(path, text, strlen(text));
	free(text);
	free(path);
}

/* Says in /sys that a name is netback's, of this node. */
static void say_netback(const char *name, const char *node)
{
	netns_run("mkdir -p /sys/class/net/%s/device", name);
	write_line(name, "devtype", "vif");
	write_line(name, "nodename", node);
}

static unsigned netback(const char *name, const char *node)
{
	say_netback(name, node);
	return device(name);
}

static struct links *opened(void)
{
	struct links *l;
	char *err = NULL;

	if (links_open(&l, &err) < 0)
		fail_msg("%s", err);
	return l;
}

static int clean(void **state)
{
	struct links *l = opened();

	(void)state;
	for (const struct link *k = NULL; (k = links_next(l, k));)
		if (strcmp(k->name, "lo") != 0 && if_nametoindex(k->name))
			netns_run("ip link del dev %s", k->name);
	links_close(l);
	netns_run("rm -rf /sys/class");
	return 0;
}

static const struct binding none;

static void is(struct binding b, unsigned main_device, unsigned emu)
{
	assert_int_equal(b.main, main_device);
	assert_int_equal(b.emu, emu);
}

static void by_the_toolstacks_name(void **state)
{
	unsigned d = device("vif5.0");
	struct links *l = opened();

	(void)state;
	is(bind_vif(l, 5, 0, NULL, none), d, 0);
	is(bind_vif(l, 5, 1, NULL, none), 0, 0);
	is(bind_vif(l, 50, 0, NULL, none), 0, 0);
	links_close(l);
}

static void by_the_admins_name_before_the_toolstacks(void **state)
{
	unsigned plain = device("vif5.0"), named = device("web0");
	struct links *l = opened();

	(void)state;
	is(bind_vif(l, 5, 0, "web0", none), named, 0);
	is(bind_vif(l, 5, 0, "notyet", none), plain, 0);
	links_close(l);
}

static void by_netbacks_node_before_any_name(void **state)
{
	unsigned by_node = netback("anything", "backend/vif/5/0"), other = device("web0");
	struct links *l = opened();

	(void)state;
	assert_int_equal(links_of_node(l, "backend/vif/5/0")->ifindex, by_node);
	assert_true(links_find(l, by_node)->kind == DEVICE_NETBACK);
	assert_false(links_find(l, other)->kind == DEVICE_NETBACK);
	is(bind_vif(l, 5, 0, "web0", none), by_node, 0);
	is(bind_vif(l, 5, 0, NULL, none), by_node, 0);
	links_close(l);
}

/* A guest's admin may call his device like another domain's: the node tells. */
static void a_name_of_a_netback_device_of_another_vif_is_not_believed(void **state)
{
	unsigned d = netback("vif5.0", "backend/vif/7/0");
	struct links *l = opened();

	(void)state;
	is(bind_vif(l, 5, 0, NULL, none), 0, 0);
	is(bind_vif(l, 7, 0, NULL, none), d, 0);
	is(bind_vif(l, 6, 0, "vif5.0", none), 0, 0);
	links_close(l);
}

static void nodes_are_compared_whole(void **state)
{
	unsigned d = netback("x", "backend/vif/5/10");
	struct links *l = opened();

	(void)state;
	is(bind_vif(l, 5, 1, NULL, none), 0, 0);
	is(bind_vif(l, 5, 10, NULL, none), d, 0);
	links_close(l);
}

static void the_tap_of_an_emulated_card_belongs_to_the_same_vif(void **state)
{
	unsigned d = netback("vif5.0", "backend/vif/5/0"), tap = device("vif5.0-emu");
	struct links *l = opened();

	(void)state;
	is(bind_vif(l, 5, 0, NULL, none), d, tap);
	is(bind_vif(l, 5, 1, NULL, none), 0, 0);
	links_close(l);
}

static void the_tap_is_called_like_the_admins_name_too(void **state)
{
	unsigned d = device("web0"), tap = device("web0-emu");
	struct links *l = opened();

	(void)state;
	is(bind_vif(l, 5, 0, "web0", none), d, tap);
	links_close(l);
}

static void a_tap_alone_is_bound_before_its_netback_device_is_there(void **state)
{
	unsigned tap = device("vif5.0-emu");
	struct links *l = opened();

	(void)state;
	is(bind_vif(l, 5, 0, NULL, none), 0, tap);
	links_close(l);
}

static void a_bound_device_stays_bound_through_a_rename(void **state)
{
	unsigned d = device("vif5.0"), tap = device("vif5.0-emu");
	struct binding b, none_any_more = {.main = 4711, .emu = 4712};
	struct links *l = opened();
	char *err = NULL;

	(void)state;
	b = bind_vif(l, 5, 0, NULL, none);
	netns_run("ip link set dev vif5.0 name other");
	netns_run("ip link set dev vif5.0-emu name othertap");
	assert_int_equal(links_drain(l, NULL, NULL, &err), 0);
	is(bind_vif(l, 5, 0, NULL, b), d, tap);
	is(bind_vif(l, 5, 0, NULL, none), 0, 0); /* who did not know it does not find it */
	/* a device that took its old name is another one */
	device("vif5.0");
	assert_int_equal(links_drain(l, NULL, NULL, &err), 0);
	is(bind_vif(l, 5, 0, NULL, b), d, tap);
	/* what is no longer in the table is not kept */
	is(bind_vif(l, 9, 0, NULL, none_any_more), 0, 0);
	links_close(l);
}

static void a_bound_device_that_is_gone_makes_room_for_the_new_one(void **state)
{
	unsigned d = device("vif5.0"), again;
	struct links *l = opened();
	char *err = NULL;
	struct binding b;

	(void)state;
	b = bind_vif(l, 5, 0, NULL, none);
	is(b, d, 0);
	netns_run("ip link del dev vif5.0");
	again = device("vif5.0");
	assert_int_equal(links_drain(l, NULL, NULL, &err), 0);
	assert_int_not_equal(again, d);
	is(bind_vif(l, 5, 0, NULL, b), again, 0);
	links_close(l);
}

static void a_node_that_speaks_against_a_binding_ends_it(void **state)
{
	unsigned d = netback("x", "backend/vif/7/0");
	struct binding wrong = {.main = d};
	struct links *l = opened();

	(void)state;
	is(bind_vif(l, 5, 0, NULL, wrong), 0, 0);
	is(bind_vif(l, 7, 0, NULL, wrong), d, 0);
	links_close(l);
}

static void netbacks_own_device_takes_the_place_of_one_bound_by_name(void **state)
{
	unsigned by_name = device("vif5.0"), by_node;
	struct links *l = opened();
	char *err = NULL;
	struct binding b;

	(void)state;
	b = bind_vif(l, 5, 0, NULL, none);
	is(b, by_name, 0);
	by_node = netback("y", "backend/vif/5/0");
	assert_int_equal(links_drain(l, NULL, NULL, &err), 0);
	is(bind_vif(l, 5, 0, NULL, b), by_node, 0);
	links_close(l);
}

static void a_device_is_never_main_and_tap_at_once(void **state)
{
	unsigned d = device("vif5.0-emu");
	struct links *l = opened();
	struct binding b;

	(void)state;
	b = bind_vif(l, 5, 0, "vif5.0-emu", none);
	assert_true(b.main != b.emu);
	assert_true(b.main == d || b.emu == d);
	links_close(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(by_the_toolstacks_name, clean),
		cmocka_unit_test_teardown(by_the_admins_name_before_the_toolstacks, clean),
		cmocka_unit_test_teardown(by_netbacks_node_before_any_name, clean),
		cmocka_unit_test_teardown(a_name_of_a_netback_device_of_another_vif_is_not_believed, clean),
		cmocka_unit_test_teardown(nodes_are_compared_whole, clean),
		cmocka_unit_test_teardown(the_tap_of_an_emulated_card_belongs_to_the_same_vif, clean),
		cmocka_unit_test_teardown(the_tap_is_called_like_the_admins_name_too, clean),
		cmocka_unit_test_teardown(a_tap_alone_is_bound_before_its_netback_device_is_there, clean),
		cmocka_unit_test_teardown(a_bound_device_stays_bound_through_a_rename, clean),
		cmocka_unit_test_teardown(a_bound_device_that_is_gone_makes_room_for_the_new_one, clean),
		cmocka_unit_test_teardown(a_node_that_speaks_against_a_binding_ends_it, clean),
		cmocka_unit_test_teardown(netbacks_own_device_takes_the_place_of_one_bound_by_name, clean),
		cmocka_unit_test_teardown(a_device_is_never_main_and_tap_at_once, clean),
	};

	return cmocka_run_group_tests(tests, enter, NULL);
}
