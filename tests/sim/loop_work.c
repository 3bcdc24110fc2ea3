/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * loop_work PART SIZE: what xenbwd's loop does again and again on a host of a size, once, in a function
 * work_PART for callgrind to count (tests/sim/loop-work.sh).
 *
 *   follow    all of SIZE vifs are told to the account as they were, beside as many lines `address`
 *   uplinks   uplinks, roster and devices of SIZE bridges and SIZE routed vifs; the bridges br1, br2 … and a
 * port of each are there (ip-link(8)) nat       SIZE routed vifs are asked for, after a look at the table of
 * connections (a third argument)
 *
 * Prints what came out, so that it is seen to have been done.
 */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "daemon/devices.h"
#include "daemon/nat_watch.h"
#include "daemon/roster.h"

#define COUNTED __attribute__((noinline)) /* callgrind finds it by its name */

/* ---- follow ---- */

static struct account *account_of(const struct conf_addresses *lines)
{
	const struct account_settings settings = {.boot = "boot-1", .late = 5, .rules = {.lines = lines}};
	const struct ledger_state state = {.first_run = true};

	return account_new(&settings, &state, 1700000100);
}

static void tell(struct account *a, size_t i, const char *addresses)
{
	char *uuid = mem_printf("uuid-%zu", i), *name = mem_printf("guest-%zu", i), *warning = NULL;
	char *netdev = mem_printf("vif%zu.0", i),
	     *mac = mem_printf("00:16:3e:00:%02zx:%02zx", i / 256, i % 256);
	struct account_vif_facts f = {.domid = (unsigned)i,
				      .uuid = uuid,
				      .domain = name,
				      .mac = mac,
				      .addresses = addresses,
				      .netdev = netdev};

	(void)account_vif_here(a, &f, &warning);
	free(warning);
	free(mac);
	free(netdev);
	free(name);
	free(uuid);
}

static void tell_all(struct account *a, size_t size)
{
	for (size_t i = 1; i <= size; i++)
		tell(a, i, "192.0.2.1");
}

COUNTED static void work_follow(struct account *a, size_t size)
{
	tell_all(a, size);
}

static void follow(size_t size)
{
	struct conf_addresses lines = {.list = mem_array(size, sizeof(*lines.list)), .count = size};
	struct account *a;
	size_t count = 0;

	for (size_t i = 0; i < size; i++) {
		char *address = mem_printf("10.0.%zu.%zu", i / 256, i % 256);

		(void)network_address(address, &lines.list[i].network);
		lines.list[i].owner = i % 2 ? mem_printf("guest-%zu", i + 1) : mem_printf("vif%zu.0", i + 1);
		free(address);
	}
	a = account_of(&lines);
	tell_all(a, size); /* the first time they are new */
	work_follow(a, size);
	for (const struct ledger_vif *v = NULL; (v = account_next_vif(a, v));)
		count += account_addresses(a, v->id)->count == 2;
	printf("%zu vifs with two addresses\n", count);
	account_free(a);
	for (size_t i = 0; i < size; i++)
		free(lines.list[i].owner);
	free(lines.list);
}

/* ---- uplinks ---- */

static bool is_vif(void *account, unsigned ifindex)
{
	return account_vif_of(account, ifindex) != 0;
}

/* dom0's own card in a bridge, and a guest that is routed. */
static void fill(struct account *a, size_t i)
{
	char *bridge = mem_printf("br%zu", i), *uuid = mem_printf("uuid-%zu", i), *warning = NULL;
	unsigned ifindex = if_nametoindex(bridge);
	struct account_vif_facts own = {
		.devid = ifindex, .uuid = BUCKET_DOM0_UUID, .domain = BUCKET_DOM0_NAME, .bridge = bridge};
	struct account_vif_facts guest = {
		.domid = (unsigned)i, .uuid = uuid, .domain = uuid, .bridge = "inner"};
	int64_t vif = account_vif_here(a, &own, &warning);

	account_device_here(a, vif, ifindex, bridge, DEVICE_BRIDGE, 0, 0);
	(void)account_vif_here(a, &guest, &warning);
	free(uuid);
	free(bridge);
}

COUNTED static void work_uplinks(const struct account *a, const struct links *links, size_t found[3])
{
	const struct conf_texts none = {0};
	const struct uplinks before = {0};
	struct capture_device *devices;
	struct uplinks u;
	struct roster r;
	char *why;

	u = uplinks_choose(links, &none, is_vif, (void *)(uintptr_t)a, &before, &why);
	r = roster_make(a, links, &u);
	devices = devices_make(a, links, &u, &found[2]);
	found[0] = u.count;
	found[1] = r.count;
	free(devices);
	roster_free(&r);
	uplinks_free(&u);
	free(why);
}

static int uplinks(size_t size, char **err)
{
	struct account *a = account_of(NULL);
	struct links *links;
	size_t found[3];

	if (links_open(&links, err) < 0)
		return -1;
	for (size_t i = 1; i <= size; i++)
		fill(a, i);
	work_uplinks(a, links, found);
	printf("%zu uplinks, %zu records, %zu devices\n", found[0], found[1], found[2]);
	links_close(links);
	account_free(a);
	return 0;
}

/* ---- nat ---- */

/* The table is read in pieces, by the clock: what that takes cannot be counted. */
static size_t tell_translated(struct nat_watch *w)
{
	struct mono later = {clock_mono().ns + INT64_C(3600000000000)};
	const uint8_t *address;
	size_t told = 0;

	while (nat_watch_scan(w, later, &address) != 0)
		told++;
	return told;
}

COUNTED static size_t work_nat(const struct nat_watch *w, size_t size)
{
	size_t translated = 0;

	for (size_t i = 1; i <= size; i++)
		translated += nat_watch_has(w, (int64_t)i);
	return translated;
}

static void nat(size_t size, const char *table)
{
	struct roster r = {.list = mem_array(size, sizeof(*r.list)), .count = size};
	struct nat_watch *w = nat_watch_new(table);
	size_t told;

	for (size_t i = 0; i < size; i++) {
		char *text = mem_printf("10.0.%zu.%zu", i / 256, i % 256);
		struct network n;

		(void)network_address(text, &n);
		r.list[i] = (struct capture_vif){.vif = (int64_t)i + 1,
						 .flags = CAPTURE_ROUTED | CAPTURE_HAS_ADDRESS};
		memcpy(r.list[i].address, n.address, sizeof(n.address));
		free(text);
	}
	nat_watch_set(w, &r);
	told = tell_translated(w);
	printf("%zu told, %zu translated\n", told, work_nat(w, size));
	nat_watch_free(w);
	roster_free(&r);
}

int main(int argc, char **argv)
{
	char *err = NULL;
	uint64_t size;
	int rc = 0;

	if (argc < 3 || !text_u64(argv[2], 1, 10000, &size))
		return 2;
	if (strcmp(argv[1], "follow") == 0)
		follow(size);
	else if (strcmp(argv[1], "uplinks") == 0)
		rc = uplinks(size, &err);
	else if (strcmp(argv[1], "nat") == 0 && argc == 4)
		nat(size, argv[3]);
	else
		return 2;
	if (rc < 0)
		fprintf(stderr, "loop_work: %s\n", err);
	free(err);
	return rc < 0;
}
