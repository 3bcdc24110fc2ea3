/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/maps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "count.skel.h"
#include "net/rules.h"

#define LOCK_NAPS 150

struct maps {
	struct count *skeleton;
	struct kernel_counts *each; /* room for what each processor counted */
	int processors;
	struct kernel_page *pages;
	struct kernel_head *head;
	uint32_t *state; /* `current` */
	int lock;        /* the folder */
	char *folder;
};

/* ---- loading ---- */

static int no_message(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static int prepare_folder(const char *folder, char **err)
{
	const char *leaf = strrchr(folder, '/');
	char *above = mem_printf("%.*s", (int)(leaf - folder), folder);
	struct statfs fs;
	int rc = statfs(above, &fs);

	if (rc < 0)
		err_sys(err, "cannot look at the folder %s", above);
	else if (fs.f_type != BPF_FS_MAGIC)
		rc = err_set(err, "%s is no bpffs; mount one with `mount -t bpf bpf %s`", above, above);
	else if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		rc = err_sys(err, "cannot make the folder %s", folder);
	free(above);
	return rc;
}

int maps_lock(const char *folder, char **err)
{
	const struct timespec nap = {.tv_nsec = 20000000};
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, "cannot open the folder %s", folder);
	for (int i = 0; i < LOCK_NAPS; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return fd;
		(void)nanosleep(&nap, NULL);
	}
	close(fd);
	return err_set(err, "another xenbw-tc uses %s; stop its xenbwd first", folder);
}

static int load(struct maps *m, const char *folder, char **err)
{
	LIBBPF_OPTS(bpf_object_open_opts, how, .pin_root_path = folder);
	int rc;

	m->skeleton = count__open_opts(&how);
	if (!m->skeleton)
		return err_sys(err, "cannot read the kernel's programs");
	rc = count__load(m->skeleton);
	if (rc < 0) {
		errno = -rc;
		return err_sys(err, "the kernel does not take the programs and maps of %s%s", folder,
			       rc == -EINVAL ? " (where they are another version's, `xenbwd --detach` takes "
					       "them away)"
					     : "");
	}
	return 0;
}

static void *share(const struct bpf_map *map, size_t size, char **err)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	if (at != MAP_FAILED)
		return at;
	err_sys(err, "cannot map the kernel's memory of what was read");
	return NULL;
}

static int share_book(struct maps *m, char **err)
{
	m->pages = share(m->skeleton->maps.pages, KERNEL_SLOTS * sizeof(*m->pages), err);
	if (m->pages)
		m->head = share(m->skeleton->maps.head, sizeof(*m->head), err);
	if (m->head)
		m->state = share(m->skeleton->maps.current, sizeof(*m->state), err);
	return m->state ? 0 : -1;
}

int maps_open(struct maps **out, const char *folder, char **err)
{
	struct maps *m = mem_alloc(sizeof(*m));

	*out = NULL;
	m->lock = -1;
	libbpf_set_print(no_message);
	m->processors = libbpf_num_possible_cpus();
	if (m->processors < 0)
		err_set(err, "the kernel does not say how many processors it may have");
	else
		m->each = mem_array((size_t)m->processors, sizeof(*m->each));
	if (m->processors < 0 || prepare_folder(folder, err) < 0 || (m->lock = maps_lock(folder, err)) < 0 ||
	    load(m, folder, err) < 0 || share_book(m, err) < 0) {
		maps_close(m);
		return -1;
	}
	m->folder = mem_printf("/proc/self/fd/%d", m->lock);
	*out = m;
	return 0;
}

void maps_close(struct maps *m)
{
	if (!m)
		return;
	if (m->pages)
		(void)munmap(m->pages, KERNEL_SLOTS * sizeof(*m->pages));
	if (m->head)
		(void)munmap(m->head, sizeof(*m->head));
	if (m->state)
		(void)munmap(m->state, sizeof(*m->state));
	count__destroy(m->skeleton);
	if (m->lock >= 0)
		close(m->lock);
	free(m->each);
	free(m->folder);
	free(m);
}

int maps_program(const struct maps *m, enum maps_program which)
{
	const struct bpf_program *programs[] = {[MAPS_LEAVE] = m->skeleton->progs.leave,
						[MAPS_DELIVER] = m->skeleton->progs.deliver,
						[MAPS_ARRIVE] = m->skeleton->progs.arrive,
						[MAPS_ENTER] = m->skeleton->progs.enter};

	return bpf_program__fd(programs[which]);
}

int maps_hooks(const struct maps *m)
{
	return bpf_map__fd(m->skeleton->maps.hooks);
}

const char *maps_folder(const struct maps *m)
{
	return m->folder;
}

struct kernel_page *maps_pages(const struct maps *m)
{
	return m->pages;
}

struct kernel_head *maps_head(const struct maps *m)
{
	return m->head;
}

/* ---- rules ---- */

static int put(int map, const void *key, const void *value, const char *what, char **err)
{
	if (bpf_map_update_elem(map, key, value, BPF_ANY) < 0)
		return err_sys(err, "the kernel does not take %s", what);
	return 0;
}

static int make_networks(const struct prefixes *p, char **err)
{
	LIBBPF_OPTS(bpf_map_create_opts, how, .map_flags = BPF_F_NO_PREALLOC);
	int fd = bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, "networks", sizeof(struct kernel_network),
				sizeof(uint32_t), (uint32_t)p->count, &how);

	if (fd < 0)
		return err_sys(err, "the kernel does not make a map of %zu networks", p->count);
	for (size_t i = 0; i < p->count; i++) {
		struct kernel_network key = {.bits = p->list[i].network.bits};
		uint32_t flags = p->list[i].flags;

		memcpy(key.address, p->list[i].network.address, sizeof(key.address));
		if (put(fd, &key, &flags, "a network", err) < 0) {
			close(fd);
			return -1;
		}
	}
	return fd;
}

static int longest_first(const void *a, const void *b)
{
	const struct prefix *x = a, *y = b;

	return (int)y->network.bits - (int)x->network.bits;
}

/* None of more than few. */
static void take_few(struct kernel_rules *r, struct prefixes *p)
{
	if (p->count > KERNEL_FEW)
		return;
	qsort(p->list, p->count, sizeof(*p->list), longest_first);
	for (size_t i = 0; i < p->count; i++) {
		const struct network *n = &p->list[i].network;
		struct kernel_few *few = &r->few[i];
		uint8_t mask[sizeof(few->mask)] = {0};

		for (unsigned bit = 0; bit < n->bits; bit++)
			mask[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
		memcpy(few->mask, mask, sizeof(mask));
		memcpy(few->address, n->address, sizeof(few->address));
		few->lists = p->list[i].flags;
	}
	r->few_count = p->count;
}

/* All that was written to the maps before is what the programs see with it. */
static void grow_state(struct maps *m, uint32_t by)
{
	__atomic_store_n(m->state, *m->state + by, __ATOMIC_RELEASE);
}

int maps_set_rules(struct maps *m, const struct conf *conf, char **err)
{
	struct kernel_rules rules = {.own_in_ournet = conf->kind == CONF_NACCTTAB};
	struct prefixes p = rules_prefixes(conf);
	uint32_t next = (*m->state + 1) % 2;
	int networks = make_networks(&p, err), rc = networks < 0 ? -1 : 0;

	take_few(&rules, &p);
	prefixes_free(&p);
	memcpy(&rules.ignoremask, conf->ignoremask.address + 12, sizeof(rules.ignoremask));
	if (rc == 0)
		rc = put(bpf_map__fd(m->skeleton->maps.lists), &next, &networks, "the networks", err);
	if (rc == 0)
		rc = put(bpf_map__fd(m->skeleton->maps.rules), &next, &rules, "the rules", err);
	if (rc == 0)
		grow_state(m, 1);
	if (networks >= 0)
		close(networks);
	return rc;
}

/* ---- who is there ---- */

/* What a map has to hold: `count` records of `size` bytes, each a key and its value. */
struct wanted {
	const struct bpf_map *map;
	const char *records, *what;
	size_t count, size, key_size;
};

static bool is_wanted(const struct wanted *w, const void *key)
{
	for (size_t i = 0; i < w->count; i++)
		if (memcmp(w->records + i * w->size, key, w->key_size) == 0)
			return true;
	return false;
}

/* Takes out what is there and not wanted; deleting does not disturb what stays. */
static int drop_others(const struct wanted *w, char **err)
{
	char key[sizeof(struct kernel_address_key)], next[sizeof(key)];
	int fd = bpf_map__fd(w->map);
	bool more = bpf_map_get_next_key(fd, NULL, next) == 0;

	while (more) {
		memcpy(key, next, sizeof(key));
		more = bpf_map_get_next_key(fd, key, next) == 0;
		if (!is_wanted(w, key) && bpf_map_delete_elem(fd, key) < 0)
			return err_sys(err, "the kernel does not let go of %s", w->what);
	}
	return 0;
}

static int set(const struct wanted *w, char **err)
{
	for (size_t i = 0; i < w->count; i++) {
		const char *record = w->records + i * w->size;

		if (put(bpf_map__fd(w->map), record, record + w->key_size, w->what, err) < 0)
			return -1;
	}
	return drop_others(w, err);
}

/* Addresses before devices: a vif that appears has its addresses at once. */
int maps_set_who(struct maps *m, const struct maps_who *who, char **err)
{
	const struct wanted all[] = {
		{m->skeleton->maps.addresses, (const char *)who->addresses, "an address", who->address_count,
		 sizeof(*who->addresses), sizeof(who->addresses->key)},
		{m->skeleton->maps.hosts, (const char *)who->hosts, "a MAC", who->host_count,
		 sizeof(*who->hosts), sizeof(who->hosts->key)},
		{m->skeleton->maps.devices, (const char *)who->devices, "a device", who->device_count,
		 sizeof(*who->devices), sizeof(who->devices->ifindex)}};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (set(&all[i], err) < 0)
			return -1;
	grow_state(m, 2);
	return 0;
}

/* ---- counts ---- */

int maps_sum(int map, uint32_t slot, struct kernel_counts *each, int processors, struct kernel_counts *out,
	     char **err)
{
	uint64_t *sum = (uint64_t *)out;

	if (bpf_map_lookup_elem(map, &slot, each) < 0)
		return err_sys(err, "cannot read what the kernel counted");
	*out = (struct kernel_counts){0};
	for (int p = 0; p < processors; p++)
		for (size_t i = 0; i < sizeof(*out) / sizeof(*sum); i++)
			sum[i] += ((const uint64_t *)&each[p])[i];
	return 0;
}

int maps_counts(const struct maps *m, uint32_t slot, struct kernel_counts *out, char **err)
{
	return maps_sum(bpf_map__fd(m->skeleton->maps.counts), slot, m->each, m->processors, out, err);
}
