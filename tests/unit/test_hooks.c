/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Our programs come to devices, stay there, and go, as links where the kernel has them and as filters where
 * it has not: in a network namespace, with the kernel's own answers.
 */
#include "kernel/hooks.h"

#include <bpf/bpf.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/mem.h"
#include "kernel/filters.h"
#include "kernel/maps.h"
#include "kernel/tcx.h"
#include "tests/support/netns.h"
#include "tests/support/unit.h"

#define FOLDER "/sys/fs/bpf/xenbw-hooks"
#define NUMBER 4711 /* of a device */

struct bed {
	struct maps *maps;
	struct hooks hooks;
};

static void add_device(void)
{
	netns_run("ip link add name vif0 index 4711 type veth peer name other0");
}

static int set_up(void **state)
{
	struct bed *b = mem_alloc(sizeof(*b));
	char *err = NULL;

	netns_enter();
	assert_int_equal(mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL), 0);
	if (maps_open(&b->maps, FOLDER, &err) < 0)
		fail_msg("%s", err);
	b->hooks = (struct hooks){maps_hooks(b->maps), maps_folder(b->maps)};
	add_device();
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	maps_close(b->maps);
	free(b);
	return umount("/sys/fs/bpf");
}

/* By its version, for what tells xenbw-tc is to be tested. */
static bool has_links(void)
{
	struct utsname u;
	long major, minor;
	char *end;

	assert_int_equal(uname(&u), 0);
	major = strtol(u.release, &end, 10);
	assert_int_equal(*end, '.');
	minor = strtol(end + 1, NULL, 10);
	if (major > 6 || (major == 6 && minor >= 6))
		return true;
	print_message("this kernel has no TCX (Linux 6.6)\n");
	return false;
}

/* The kernel's number of the program that is first on the device's ingress; 0: none. 46: BPF_TCX_INGRESS. */
static uint32_t first_at(uint32_t ifindex, uint32_t *count)
{
	uint32_t ids[8] = {0};

	*count = 8;
	assert_int_equal(bpf_prog_query((int)ifindex, (enum bpf_attach_type)46, 0, NULL, ids, count), 0);
	return *count ? ids[0] : 0;
}

static uint32_t number_of(int program)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(program, &info, &size), 0);
	return info.id;
}

static int program(const struct bed *b, enum maps_program which)
{
	return maps_program(b->maps, which);
}

/* Was one missing that had been noted? */
static bool hook(const struct bed *b, enum maps_program ingress)
{
	char *err = NULL;
	bool missing;

	if (hooks_set(&b->hooks, NUMBER, program(b, ingress), program(b, MAPS_DELIVER), &missing, &err) != 0)
		fail_msg("%s", err ? err : "no device");
	return missing;
}

static uint32_t noted(const struct bed *b)
{
	uint32_t key = NUMBER, flags = 0;

	(void)bpf_map_lookup_elem(b->hooks.map, &key, &flags);
	return flags;
}

static bool has_pin(const char *side)
{
	char *path = mem_printf(FOLDER "/%d-%s", NUMBER, side);
	bool there = access(path, F_OK) == 0;

	free(path);
	return there;
}

static void a_program_takes_its_predecessors_place(void **state)
{
	struct bed *b = *state;
	uint32_t count;

	if (!has_links())
		skip();
	assert_false(hook(b, MAPS_ENTER));
	assert_int_equal(first_at(NUMBER, &count), number_of(program(b, MAPS_ENTER)));
	assert_int_equal(noted(b), KERNEL_HOOK_TCX | KERNEL_HOOK_INGRESS | KERNEL_HOOK_EGRESS);
	assert_true(hooks_are_there(&b->hooks, NUMBER));
	assert_false(hook(b, MAPS_ARRIVE));
	assert_int_equal(first_at(NUMBER, &count), number_of(program(b, MAPS_ARRIVE)));
	assert_int_equal(count, 1);
	assert_int_equal(hooks_clear(&b->hooks, NUMBER, NULL), 0);
	assert_int_equal(first_at(NUMBER, &count), 0);
	assert_int_equal(noted(b), 0);
	assert_false(has_pin("ingress"));
	assert_false(has_pin("egress"));
}

static void ours_comes_before_those_that_are_there(void **state)
{
	struct bed *b = *state;
	uint32_t count;
	int other;

	if (!has_links())
		skip();
	other = bpf_link_create(program(b, MAPS_LEAVE), NUMBER, (enum bpf_attach_type)46, NULL);
	assert_true(other >= 0);
	assert_false(hook(b, MAPS_ENTER));
	assert_int_equal(first_at(NUMBER, &count), number_of(program(b, MAPS_ENTER)));
	assert_int_equal(count, 2);
	assert_int_equal(hooks_clear(&b->hooks, NUMBER, NULL), 0);
	assert_int_equal(first_at(NUMBER, &count), number_of(program(b, MAPS_LEAVE))); /* is left alone */
	close(other);
}

static void what_somebody_took_away_is_missed_and_put_back(void **state)
{
	struct bed *b = *state;
	uint32_t count;

	if (!has_links())
		skip();
	assert_false(hook(b, MAPS_ENTER));
	assert_int_equal(unlink(FOLDER "/4711-ingress"), 0);
	assert_int_equal(access(FOLDER "/4711-ingress", F_OK), -1);
	assert_false(hooks_has(&b->hooks, NUMBER, KERNEL_HOOK_INGRESS));
	assert_true(hooks_has(&b->hooks, NUMBER, KERNEL_HOOK_EGRESS));
	assert_false(hooks_are_there(&b->hooks, NUMBER));
	assert_true(hook(b, MAPS_ENTER)); /* also where the kernel has not come to the old one yet */
	assert_int_equal(first_at(NUMBER, &count), number_of(program(b, MAPS_ENTER)));
	assert_int_equal(count, 1);
	assert_int_equal(hooks_clear(&b->hooks, NUMBER, NULL), 0);
}

/* The pin of a link outlives its device; a later device may have the same number. */
static void a_device_of_the_same_number_is_another_one(void **state)
{
	struct bed *b = *state;
	uint32_t count;
	bool missing;

	if (!has_links())
		skip();
	assert_false(hook(b, MAPS_ENTER));
	netns_run("ip link del vif0");
	assert_true(has_pin("ingress"));
	assert_true(hooks_are_there(&b->hooks, NUMBER)); /* its end is told by other ways */
	assert_int_equal(hooks_set(&b->hooks, NUMBER, program(b, MAPS_ENTER), -1, &missing, NULL), 1);
	add_device();
	assert_false(hooks_are_there(&b->hooks, NUMBER));
	assert_true(hook(b, MAPS_ENTER));
	assert_int_equal(first_at(NUMBER, &count), number_of(program(b, MAPS_ENTER)));
	assert_int_equal(count, 1);
	netns_run("ip link del vif0");
	assert_int_equal(hooks_clear_others(&b->hooks, NULL, 0, NULL), 0);
	assert_false(has_pin("ingress"));
	assert_false(has_pin("egress"));
	add_device();
}

/* A bpffs that somebody unmounts stays for who has it open. */
static void links_outlive_the_mount_of_their_folder(void **state)
{
	struct bed *b = *state;
	uint32_t count;

	if (!has_links())
		skip();
	assert_false(hook(b, MAPS_ENTER));
	assert_int_equal(umount2("/sys/fs/bpf", MNT_DETACH), 0);
	assert_int_equal(first_at(NUMBER, &count), number_of(program(b, MAPS_ENTER)));
	assert_true(hooks_are_there(&b->hooks, NUMBER));
	assert_false(hook(b, MAPS_ARRIVE));
	assert_int_equal(first_at(NUMBER, &count), number_of(program(b, MAPS_ARRIVE)));
	assert_int_equal(hooks_clear(&b->hooks, NUMBER, NULL), 0);
	assert_int_equal(first_at(NUMBER, &count), 0);
	maps_close(b->maps);
	assert_int_equal(mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL), 0);
	assert_int_equal(maps_open(&b->maps, FOLDER, NULL), 0);
	b->hooks = (struct hooks){maps_hooks(b->maps), maps_folder(b->maps)};
}

/* A change would leave a gap. */
static void a_device_with_filters_keeps_them(void **state)
{
	struct bed *b = *state;
	uint32_t key = NUMBER, flags = KERNEL_HOOK_QDISC | KERNEL_HOOK_INGRESS | KERNEL_HOOK_EGRESS, count;

	assert_int_equal(filters_make_qdisc(NUMBER, NULL), FILTERS_MADE);
	assert_int_equal(filters_set(NUMBER, KERNEL_HOOK_INGRESS, program(b, MAPS_ENTER), NULL), 0);
	assert_int_equal(filters_set(NUMBER, KERNEL_HOOK_EGRESS, program(b, MAPS_DELIVER), NULL), 0);
	assert_int_equal(bpf_map_update_elem(b->hooks.map, &key, &flags, BPF_ANY), 0);
	assert_false(hook(b, MAPS_ARRIVE));
	assert_int_equal(noted(b), flags);
	assert_true(filters_has(NUMBER, KERNEL_HOOK_INGRESS));
	if (has_links())
		assert_int_equal(first_at(NUMBER, &count), 0);
	assert_int_equal(hooks_clear(&b->hooks, NUMBER, NULL), 0);
	assert_false(filters_has(NUMBER, KERNEL_HOOK_INGRESS));
	assert_int_equal(filters_make_qdisc(NUMBER, NULL), FILTERS_MADE); /* it went with the last filter */
	assert_int_equal(filters_drop_qdisc(NUMBER, NULL), 0);
}

/* Of maps that are lost: a bpffs was unmounted, and xenbw-tc has ended. */
static void filters_that_nobody_knows_of_go_where_a_link_comes(void **state)
{
	struct bed *b = *state;

	if (!has_links())
		skip();
	assert_int_equal(filters_make_qdisc(NUMBER, NULL), FILTERS_MADE);
	assert_int_equal(filters_set(NUMBER, KERNEL_HOOK_INGRESS, program(b, MAPS_ENTER), NULL), 0);
	assert_false(hook(b, MAPS_ENTER));
	assert_false(filters_has(NUMBER, KERNEL_HOOK_INGRESS));
	assert_true(noted(b) & KERNEL_HOOK_TCX);
	assert_int_equal(hooks_clear(&b->hooks, NUMBER, NULL), 0);
	assert_int_equal(filters_drop_qdisc(NUMBER, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_takes_its_predecessors_place),
		cmocka_unit_test(ours_comes_before_those_that_are_there),
		cmocka_unit_test(what_somebody_took_away_is_missed_and_put_back),
		cmocka_unit_test(a_device_of_the_same_number_is_another_one),
		cmocka_unit_test(links_outlive_the_mount_of_their_folder),
		cmocka_unit_test(a_device_with_filters_keeps_them),
		cmocka_unit_test(filters_that_nobody_knows_of_go_where_a_link_comes)};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
