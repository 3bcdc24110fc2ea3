/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/hooks.h"

#include <bpf/bpf.h>

#include "base/err.h"
#include "kernel/filters.h"
#include "kernel/tcx.h"

#define BOTH (KERNEL_HOOK_INGRESS | KERNEL_HOOK_EGRESS)

static uint32_t noted(const struct hooks *h, uint32_t ifindex)
{
	uint32_t flags = 0;

	(void)bpf_map_lookup_elem(h->map, &ifindex, &flags);
	return flags;
}

static int note(const struct hooks *h, uint32_t ifindex, uint32_t flags, char **err)
{
	if (bpf_map_update_elem(h->map, &ifindex, &flags, BPF_ANY) < 0)
		return err_sys(err, "cannot note what is at device %u", ifindex);
	return 0;
}

static int take_away(const struct hooks *h, uint32_t ifindex, enum kernel_hook side, bool tcx, char **err)
{
	return tcx ? tcx_clear(h->folder, ifindex, side, err) : filters_clear(ifindex, side, err);
}

static int set_one(const struct hooks *h, uint32_t ifindex, enum kernel_hook side, int program,
		   uint32_t before, bool tcx, char **err)
{
	if (program < 0)
		return before & side ? take_away(h, ifindex, side, tcx, err) : 0;
	return tcx ? tcx_set(h->folder, ifindex, side, program, err)
		   : filters_set(ifindex, side, program, err);
}

/* Of maps that are lost; they would be asked for each packet, and nobody would know of them. */
static void drop_forgotten(uint32_t ifindex)
{
	(void)filters_clear(ifindex, KERNEL_HOOK_INGRESS, NULL);
	(void)filters_clear(ifindex, KERNEL_HOOK_EGRESS, NULL);
}

/* TCX, or filters and the qdisc for them. Otherwise as filters_make_qdisc. */
static int prepare(uint32_t ifindex, uint32_t before, bool *tcx, char **err)
{
	*tcx = before & KERNEL_HOOK_TCX || (!(before & BOTH) && tcx_is_known(ifindex));
	if (*tcx && !before)
		drop_forgotten(ifindex);
	return *tcx ? FILTERS_THERE : filters_make_qdisc(ifindex, err);
}

/* What is noted is there or about to be: of who is killed in between no program is left that is not noted. */
int hooks_set(const struct hooks *h, uint32_t ifindex, int ingress, int egress, bool *missing, char **err)
{
	uint32_t before = noted(h, ifindex), now;
	bool tcx;
	int made, rc;

	*missing = !hooks_are_there(h, ifindex);
	made = prepare(ifindex, before, &tcx, err);
	if (made < 0 || made == FILTERS_GONE)
		return made < 0 ? -1 : 1;
	now = (tcx ? KERNEL_HOOK_TCX : 0) |
	      (made == FILTERS_MADE || before & KERNEL_HOOK_QDISC ? KERNEL_HOOK_QDISC : 0) |
	      (ingress >= 0 ? KERNEL_HOOK_INGRESS : 0) | (egress >= 0 ? KERNEL_HOOK_EGRESS : 0);
	rc = note(h, ifindex, now | before, err);
	if (rc == 0)
		rc = set_one(h, ifindex, KERNEL_HOOK_INGRESS, ingress, before, tcx, err);
	if (rc == 0)
		rc = set_one(h, ifindex, KERNEL_HOOK_EGRESS, egress, before, tcx, err);
	return rc == 0 ? note(h, ifindex, now, err) : rc;
}

bool hooks_has(const struct hooks *h, uint32_t ifindex, enum kernel_hook side)
{
	return noted(h, ifindex) & KERNEL_HOOK_TCX ? tcx_has(h->folder, ifindex, side)
						   : filters_has(ifindex, side);
}

bool hooks_are_noted(const struct hooks *h, uint32_t ifindex)
{
	return noted(h, ifindex) & BOTH;
}

bool hooks_are_there(const struct hooks *h, uint32_t ifindex)
{
	uint32_t flags = noted(h, ifindex);

	return (!(flags & KERNEL_HOOK_INGRESS) || hooks_has(h, ifindex, KERNEL_HOOK_INGRESS)) &&
	       (!(flags & KERNEL_HOOK_EGRESS) || hooks_has(h, ifindex, KERNEL_HOOK_EGRESS));
}

int hooks_clear(const struct hooks *h, uint32_t ifindex, char **err)
{
	uint32_t flags = noted(h, ifindex);
	bool tcx = flags & KERNEL_HOOK_TCX;

	if (!flags)
		return 0;
	if ((flags & KERNEL_HOOK_INGRESS && take_away(h, ifindex, KERNEL_HOOK_INGRESS, tcx, err) < 0) ||
	    (flags & KERNEL_HOOK_EGRESS && take_away(h, ifindex, KERNEL_HOOK_EGRESS, tcx, err) < 0) ||
	    (flags & KERNEL_HOOK_QDISC && filters_drop_qdisc(ifindex, err) < 0))
		return -1;
	if (bpf_map_delete_elem(h->map, &ifindex) < 0)
		return err_sys(err, "cannot forget device %u", ifindex);
	return 0;
}

static bool is_kept(uint32_t ifindex, const uint32_t *kept, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (kept[i] == ifindex)
			return true;
	return false;
}

int hooks_clear_others(const struct hooks *h, const uint32_t *kept, size_t count, char **err)
{
	uint32_t ifindex, next;
	bool more = bpf_map_get_next_key(h->map, NULL, &next) == 0;

	while (more) {
		ifindex = next;
		more = bpf_map_get_next_key(h->map, &ifindex, &next) == 0;
		if (!is_kept(ifindex, kept, count) && hooks_clear(h, ifindex, err) < 0)
			return -1;
	}
	return 0;
}
