/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Who has which MAC and address, as xenbw-capture is told; and whom nobody can tell apart.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "daemon/roster.h"
#include "tests/support/netns.h"
#include "tests/support/unit.h"

struct bed {
	struct account *account;
	struct links *links;
	struct uplinks uplinks;
};

static int set_up(void **state)
{
	struct account_settings settings = {.boot = "boot-1", .late = 60};
	struct ledger_state nothing = {.first_run = true};
	struct bed *b = mem_alloc(sizeof(*b));
	char *err = NULL;

	netns_enter();
	if (links_open(&b->links, &err) < 0)
		fail_msg("%s", err);
	b->account = account_new(&settings, &nothing, 1700000100);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	account_free(b->account);
	links_close(b->links);
	free(b);
	return 0;
}

static int64_t here(const struct bed *b, unsigned domid, const char *mac, const char *addresses,
		    const char *bridge)
{
	char *uuid = mem_printf("uuid-%u", domid), *name = mem_printf("g%u", domid), *warning = NULL;
	struct account_vif_facts f = {.domid = domid,
				      .uuid = uuid,
				      .domain = name,
				      .mac = mac,
				      .addresses = addresses,
				      .bridge = bridge};
	int64_t vif = account_vif_here(b->account, &f, &warning);

	free(warning);
	free(name);
	free(uuid);
	return vif;
}

static struct roster make(const struct bed *b)
{
	return roster_make(b->account, b->links, &b->uplinks);
}

static void who_is_known_by_nothing_is_another_roster(void **state)
{
	const struct bed *b = *state;
	struct roster before, now;
	int64_t nameless, lost;

	here(b, 1, "00:16:3e:00:00:01", NULL, "ovsbr0");
	here(b, 2, NULL, "192.0.2.2", NULL);
	before = make(b);
	nameless = here(b, 3, NULL, NULL, "ovsbr0"); /* in a bridge, without a MAC */
	now = make(b);
	assert_int_equal(now.count, before.count);
	assert_true(roster_is_unknown(&now, nameless));
	assert_false(roster_equal(&now, &before));
	roster_free(&before);

	before = now;
	lost = here(b, 4, "00:16:3e:00:00:04", NULL, NULL); /* routed, without an address */
	now = make(b);
	assert_true(roster_is_unknown(&now, nameless));
	assert_true(roster_is_unknown(&now, lost));
	assert_false(roster_equal(&now, &before));
	roster_free(&before);

	before = make(b);
	assert_true(roster_equal(&now, &before));
	roster_free(&before);
	roster_free(&now);
}

/* As with Open vSwitch: no bridge of the kernel's, and dom0 has no vif. */
static void an_uncounted_dom0_is_told_with_its_addresses(void **state)
{
	struct bed *b = *state;
	unsigned peth0;
	bool found = false;
	struct roster r;
	char *err = NULL;

	links_close(b->links);
	netns_run("ip link add peth0 type veth peer name eth0");
	netns_run("ip link set lo up");
	netns_run("ip addr add 192.0.2.1/24 dev eth0");
	assert_int_equal(links_open(&b->links, &err), 0);
	peth0 = links_named(b->links, "peth0")->ifindex;
	b->uplinks = (struct uplinks){&peth0, 1};
	here(b, 1, "00:16:3e:00:00:01", "192.0.2.7", "ovsbr0");
	r = make(b);
	for (size_t i = 0; i < r.count; i++)
		found |= r.list[i].flags == (CAPTURE_HOST | CAPTURE_HAS_ADDRESS) &&
			 r.list[i].address[15] == 1 && r.list[i].address[12] == 192;
	assert_true(found);
	roster_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_is_known_by_nothing_is_another_roster, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_uncounted_dom0_is_told_with_its_addresses, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
