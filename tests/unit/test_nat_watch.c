/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Which vifs the kernel's connections show to be translated, on random rosters that change, beside a plain
 * list.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "daemon/nat_watch.h"
#include "tests/support/unit.h"

#define ADDRESSES 12
#define VIFS 6
#define HOUR INT64_C(3600000000000)

/* Of an address: whose it is (0: nobody's), and what is known of it. */
struct known {
	int64_t vif;
	bool translated, told;
};

struct bed {
	char *dir, *table;
	struct nat_watch *watch;
	struct mono now;
	struct known known[ADDRESSES];
};

static int set_up(void **state)
{
	struct bed *b = mem_alloc(sizeof(*b));

	b->dir = scratch_new();
	b->table = mem_printf("%s/connections", b->dir);
	b->watch = nat_watch_new(b->table);
	b->now = clock_mono();
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	nat_watch_free(b->watch);
	scratch_free(b->dir);
	free(b->table);
	free(b);
	return 0;
}

/* 10.0.0.i */
static void address_of(uint8_t address[16], size_t i)
{
	static const uint8_t start[16] = {[10] = 0xff, [11] = 0xff, [12] = 10};

	memcpy(address, start, sizeof(start));
	address[15] = (uint8_t)i;
}

static void set(struct bed *b, const int64_t vifs[ADDRESSES])
{
	struct capture_vif list[ADDRESSES + 1] = {{.vif = 99, .flags = CAPTURE_HAS_ADDRESS}};
	struct roster r = {.list = list, .count = 1};

	for (size_t i = 0; i < ADDRESSES; i++) {
		if (vifs[i] != b->known[i].vif)
			b->known[i] = (struct known){.vif = vifs[i]};
		if (!vifs[i])
			continue;
		list[r.count] =
			(struct capture_vif){.vif = vifs[i], .flags = CAPTURE_ROUTED | CAPTURE_HAS_ADDRESS};
		address_of(list[r.count++].address, i);
	}
	nat_watch_set(b->watch, &r);
}

static void set_at_random(struct bed *b, struct random *random)
{
	int64_t vifs[ADDRESSES];

	for (size_t i = 0; i < ADDRESSES; i++)
		vifs[i] = random_below(random, 3) ? b->known[i].vif : (int64_t)random_below(random, VIFS + 1);
	set(b, vifs);
}

/* The kernel translates some of them just now. */
static void translate(struct bed *b, struct random *random)
{
	FILE *out = fopen(b->table, "w");

	assert_non_null(out);
	for (size_t i = 0; i < ADDRESSES; i++) {
		bool now = random_below(random, 8) == 0;

		fprintf(out, "src=10.0.0.%zu dst=192.0.2.7 src=192.0.2.7 dst=%s%zu\n", i,
			now ? "198.51.100." : "10.0.0.", i);
		b->known[i].translated |= now && b->known[i].vif;
	}
	assert_int_equal(fclose(out), 0);
}

/* Each that was found is told once. */
static void scan(struct bed *b)
{
	const uint8_t *address;
	int64_t vif;

	b->now.ns += HOUR; /* long after the last look */
	while ((vif = nat_watch_scan(b->watch, b->now, &address)) != 0) {
		struct known *k = &b->known[address[15]];

		assert_int_equal(k->vif, vif);
		assert_true(k->translated && !k->told);
		k->told = true;
	}
	for (size_t i = 0; i < ADDRESSES; i++)
		assert_int_equal(b->known[i].told, b->known[i].translated);
}

static void expect_vifs(const struct bed *b)
{
	for (int64_t vif = 0; vif <= VIFS + 1; vif++) {
		bool expected = false;

		for (size_t i = 0; i < ADDRESSES; i++)
			expected |= vif && b->known[i].vif == vif && b->known[i].translated;
		assert_int_equal(nat_watch_has(b->watch, vif), expected);
	}
}

static void what_is_translated_is_told_once_and_stays(void **state)
{
	struct random random = random_new();
	struct bed *b = *state;

	for (int round = 0; round < 500; round++) {
		if (random_below(&random, 2))
			set_at_random(b, &random);
		expect_vifs(b);
		translate(b, &random);
		scan(b);
		expect_vifs(b);
	}
}

static void without_a_table_nothing_is(void **state)
{
	static const int64_t vifs[ADDRESSES] = {1, 2, 3};
	struct bed *b = *state;

	set(b, vifs);
	scan(b);
	expect_vifs(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_translated_is_told_once_and_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_a_table_nothing_is, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("nat_watch", tests, NULL, NULL);
}
