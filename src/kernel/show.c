/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/show.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "kernel/hooks.h"
#include "kernel/maps.h"

struct showing {
	FILE *out;
	struct hooks hooks;
	int pages, counts;
	int processors;
	struct kernel_counts *each; /* what each processor counted */
};

/* ---- the maps ---- */

static int open_map(const struct showing *s, const char *name, size_t value_size, char **err)
{
	char *path = mem_printf("%s/%s", s->hooks.folder, name);
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);
	int fd = bpf_obj_get(path);

	if (fd < 0) {
		err_sys(err, "cannot open %s", path);
	} else if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0) {
		err_sys(err, "cannot look at %s", path);
	} else if (info.value_size != value_size) {
		err_set(err, "%s is of another version of xenbw-tc; `xenbwd --detach` takes it away", path);
	} else {
		free(path);
		return fd;
	}
	if (fd >= 0)
		close(fd);
	free(path);
	return -1;
}

static int open_maps(struct showing *s, char **err)
{
	s->hooks.map = open_map(s, "hooks", sizeof(uint32_t), err);
	if (s->hooks.map >= 0)
		s->pages = open_map(s, "pages", sizeof(struct kernel_page), err);
	if (s->pages >= 0)
		s->counts = open_map(s, "counts", sizeof(struct kernel_counts), err);
	if (s->counts < 0)
		return -1;
	s->processors = libbpf_num_possible_cpus();
	if (s->processors < 0)
		return err_set(err, "the kernel does not say how many processors it may have");
	s->each = mem_array((size_t)s->processors, sizeof(*s->each));
	return 0;
}

static void close_maps(struct showing *s)
{
	const int fds[] = {s->hooks.map, s->pages, s->counts};

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(s->each);
}

/* ---- programs ---- */

static void write_program(const struct showing *s, uint32_t ifindex, const char *device, const char *where,
			  bool there)
{
	fprintf(s->out, "program\t%" PRIu32 "\t%s\t%s\t%s\n", ifindex, device, where,
		there ? "there" : "missing");
}

/* What is noted of a device that is gone went with it. */
static void write_programs(const struct showing *s)
{
	uint32_t ifindex = 0, next, flags;
	bool more = bpf_map_get_next_key(s->hooks.map, NULL, &next) == 0;
	char device[IF_NAMESIZE];

	while (more) {
		ifindex = next;
		more = bpf_map_get_next_key(s->hooks.map, &ifindex, &next) == 0;
		if (bpf_map_lookup_elem(s->hooks.map, &ifindex, &flags) < 0 ||
		    !if_indextoname(ifindex, device))
			continue;
		if (flags & KERNEL_HOOK_INGRESS)
			write_program(s, ifindex, device, "ingress",
				      hooks_has(&s->hooks, ifindex, KERNEL_HOOK_INGRESS));
		if (flags & KERNEL_HOOK_EGRESS)
			write_program(s, ifindex, device, "egress",
				      hooks_has(&s->hooks, ifindex, KERNEL_HOOK_EGRESS));
	}
}

/* ---- counts ---- */

static void write_counts(const struct showing *s, const struct kernel_page *p, const struct kernel_counts *c)
{
	char address[INET6_ADDRSTRLEN] = "-", device[IF_NAMESIZE];
	struct in6_addr six;
	const char *name = if_indextoname(p->ifindex, device);

	memcpy(&six, p->address, sizeof(six));
	if (p->has_address)
		(void)(IN6_IS_ADDR_V4MAPPED(&six)
			       ? inet_ntop(AF_INET, p->address + 12, address, sizeof(address))
			       : inet_ntop(AF_INET6, &six, address, sizeof(address)));
	for (int d = 0; d < DIR_COUNT; d++)
		for (int k = 0; k < KERNEL_CLASSES; k++) {
			const struct kernel_amount *a = &c->crossed[d][k];

			if (!a->packets)
				continue;
			fprintf(s->out,
				"count\t%" PRId64 "\t%" PRIu32 "\t%s\t%s\t%s\t%s\t%" PRIu64 "\t%" PRIu64
				"\t%" PRIu64 "\n",
				p->vif, p->ifindex, name ? name : "-", address,
				direction_name((enum direction)d), class_name((enum byte_class)k), a->bytes,
				a->packets, a->segments);
		}
	if (!p->has_address)
		fprintf(s->out, "sent\t%" PRId64 "\t%" PRIu32 "\t%s\t%" PRIu64 "\t%" PRIu64 "\n", p->vif,
			p->ifindex, name ? name : "-", c->sent_bytes, c->sent_packets);
}

static int write_pages(const struct showing *s, char **err)
{
	struct kernel_page page;
	struct kernel_counts sum;

	for (uint32_t slot = 1; slot < KERNEL_SLOTS; slot++) {
		if (bpf_map_lookup_elem(s->pages, &slot, &page) < 0)
			return err_sys(err, "cannot read whose the kernel's counts are");
		if (!page.ifindex)
			continue;
		if (maps_sum(s->counts, slot, s->each, s->processors, &sum, err) < 0)
			return -1;
		write_counts(s, &page, &sum);
	}
	return 0;
}

int show_write(FILE *out, const char *folder, char **err)
{
	struct showing s = {.out = out, .hooks = {-1, folder}, .pages = -1, .counts = -1};
	int rc;

	if (access(folder, F_OK) < 0 && errno == ENOENT)
		return 1;
	rc = open_maps(&s, err);
	if (rc == 0) {
		write_programs(&s);
		rc = write_pages(&s, err);
	}
	close_maps(&s);
	if (rc == 0 && fflush(out) != 0)
		rc = err_sys(err, "cannot write");
	return rc;
}
