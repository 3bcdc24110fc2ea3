/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xshim: lets the unmodified xenstored and oxenstored of Debian run where there is no Xen (LD_PRELOAD).
 *
 * Stands in for the event channels, the grant table and the hypervisor's domain list, and for nothing of
 * xenstore itself. XSHIM_DIR must name a directory (tests/support/xenstore.sh makes it); in it:
 *
 *   domains/N          one file for each domain, empty, or "s" (it has shut down) or "d" (it is dying);
 * domain 0 needs none virq               a FIFO, made here; a byte in it is VIRQ_DOM_EXC: "look at the domain
 * list again" xsd_kva, xsd_port  what is opened for the two files of those names in /proc/xen, made here
 *
 * Single-threaded like the two daemons. Its functions fail as the real ones do: -1 or NULL, with errno.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#define XC_WANT_COMPAT_MAP_FOREIGN_API /* for the prototype of xc_map_foreign_range */
#include <xenctrl.h>
#include <xenevtchn.h>
#include <xengnttab.h>

/* Most parameters of the functions that this file replaces mean nothing here. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

enum { PAGE = 4096, VIRQ_PORT = 1 };

static char handle; /* every handle given out points to it */
static int virq_fd = -1;
static int next_port = VIRQ_PORT + 1;

typedef int open_fn(const char *path, int flags, ...);

static int real_open(const char *path, int flags, mode_t mode)
{
	open_fn *fn = (open_fn *)dlsym(RTLD_NEXT, "open");

	return fn(path, flags, mode);
}

static void in_dir(char path[static PATH_MAX], const char *name)
{
	const char *dir = getenv("XSHIM_DIR");

	if (!dir || snprintf(path, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX) {
		fprintf(stderr, "xshim: XSHIM_DIR must name a directory\n");
		abort();
	}
}

/* Event channels: one descriptor, the FIFO. */

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger, unsigned int flags)
{
	char path[PATH_MAX];

	in_dir(path, "virq");
	if (mkfifo(path, 0600) < 0 && errno != EEXIST)
		return NULL;
	virq_fd = real_open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);
	return virq_fd < 0 ? NULL : (void *)&handle;
}

xenevtchn_handle *xenevtchn_fdopen(struct xentoollog_logger *logger, int fd, unsigned int flags)
{
	virq_fd = fd;
	return (void *)&handle;
}

int xenevtchn_close(xenevtchn_handle *xce)
{
	return 0;
}

int xenevtchn_fd(xenevtchn_handle *xce)
{
	return virq_fd;
}

int xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port)
{
	return 0;
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *xce, uint32_t domid,
						     evtchn_port_t port)
{
	return next_port++;
}

xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *xce, unsigned int virq)
{
	return VIRQ_PORT;
}

int xenevtchn_unbind(xenevtchn_handle *xce, evtchn_port_t port)
{
	return 0;
}

int xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port)
{
	return 0;
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *xce)
{
	char bytes[64];

	return read(virq_fd, bytes, sizeof(bytes)) < 0 && errno != EAGAIN ? -1 : VIRQ_PORT;
}

/* Grant table and foreign pages: each domain's ring is an empty page. */

static void *empty_page(void)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

xengnttab_handle *xengnttab_open(struct xentoollog_logger *logger, unsigned int flags)
{
	return (void *)&handle;
}

int xengnttab_close(xengnttab_handle *xgt)
{
	return 0;
}

int xengnttab_set_max_grants(xengnttab_handle *xgt, uint32_t nr)
{
	return 0;
}

void *xengnttab_map_grant_ref(xengnttab_handle *xgt, uint32_t domid, uint32_t ref, int prot)
{
	return empty_page();
}

int xengnttab_unmap(xengnttab_handle *xgt, void *start, uint32_t count)
{
	return munmap(start, PAGE);
}

void *xc_map_foreign_range(xc_interface *xch, uint32_t domid, int size, int prot, unsigned long mfn)
{
	return empty_page();
}

/* The hypervisor's domain list. */

struct life {
	char state; /* 0 = there is no such domain */
	xen_domain_handle_t uuid;
};

static struct life life_of(unsigned domid)
{
	struct life life = {.state = domid == 0 ? 'r' : 0};
	char name[32], path[PATH_MAX], text[64] = "";
	const char *hex = text + 2;
	int fd;

	if (domid == 0)
		return life;
	snprintf(name, sizeof(name), "domains/%u", domid);
	in_dir(path, name);
	fd = real_open(path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return life;
	life.state = read(fd, text, sizeof(text) - 1) > 0 ? text[0] : 'r';
	close(fd);
	for (size_t i = 0; i < sizeof(life.uuid) && sscanf(hex, "%2hhx", &life.uuid[i]) == 1; i++)
		hex += hex[2] == '-' ? 3 : 2;
	return life;
}

static int by_domid(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

/* All domids >= first, sorted, in an allocated array. */
static size_t list_domids(unsigned first, unsigned **out)
{
	size_t n = 0, room = 64;
	unsigned *ids = malloc(room * sizeof(*ids));
	char path[PATH_MAX];
	DIR *dir;

	if (!ids)
		abort();
	if (first == 0)
		ids[n++] = 0;
	in_dir(path, "domains");
	dir = opendir(path);
	for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
		char *end;
		unsigned long id = strtoul(e->d_name, &end, 10);

		if (end == e->d_name || *end || id == 0 || id < first || id >= DOMID_FIRST_RESERVED)
			continue;
		if (n == room) {
			room *= 2;
			ids = reallocarray(ids, room, sizeof(*ids));
			if (!ids)
				abort();
		}
		ids[n++] = (unsigned)id;
	}
	if (dir)
		closedir(dir);
	qsort(ids, n, sizeof(*ids), by_domid);
	*out = ids;
	return n;
}

/* Calls fill(info, i, domid, life) for the first `max` domains from `first` on; returns how many there were.
 * The daemons ask for one domain at a time, mostly for one that exists: that needs no list. */
static int each_domain(unsigned first, unsigned max, void (*fill)(void *, int, unsigned, const struct life *),
		       void *info)
{
	struct life life = life_of(first);
	unsigned *ids;
	size_t count;
	int n = 0;

	if (max == 1 && life.state) {
		fill(info, 0, first, &life);
		return 1;
	}
	count = list_domids(first, &ids);
	for (size_t i = 0; i < count && (unsigned)n < max; i++) {
		life = life_of(ids[i]);
		if (life.state)
			fill(info, n++, ids[i], &life);
	}
	free(ids);
	return n;
}

xc_interface *xc_interface_open(xentoollog_logger *logger, xentoollog_logger *dombuild, unsigned flags)
{
	return (void *)&handle;
}

int xc_interface_close(xc_interface *xch)
{
	return 0;
}

static void fill_info(void *info, int i, unsigned domid, const struct life *life)
{
	xc_dominfo_t *d = (xc_dominfo_t *)info + i;

	memset(d, 0, sizeof(*d));
	d->domid = domid;
	d->running = life->state == 'r';
	d->blocked = life->state == 'b';
	d->paused = life->state == 'p';
	d->shutdown = life->state == 's' || life->state == 'c';
	d->crashed = life->state == 'c';
	d->dying = life->state == 'd';
	memcpy(d->handle, life->uuid, sizeof(d->handle));
}

int xc_domain_getinfo(xc_interface *xch, uint32_t first, unsigned int max, xc_dominfo_t *info)
{
	int n = each_domain(first, max, fill_info, info);

	if (n > 0)
		return n;
	errno = ESRCH;
	return -1;
}

static uint32_t flags_of(char state)
{
	switch (state) {
	case 'b':
		return XEN_DOMINF_blocked;
	case 'p':
		return XEN_DOMINF_paused;
	case 's':
		return XEN_DOMINF_shutdown | SHUTDOWN_poweroff << XEN_DOMINF_shutdownshift;
	case 'c':
		return XEN_DOMINF_shutdown | SHUTDOWN_crash << XEN_DOMINF_shutdownshift;
	case 'd':
		return XEN_DOMINF_dying;
	default:
		return XEN_DOMINF_running;
	}
}

static void fill_infolist(void *info, int i, unsigned domid, const struct life *life)
{
	xc_domaininfo_t *d = (xc_domaininfo_t *)info + i;

	memset(d, 0, sizeof(*d));
	d->domain = (domid_t)domid;
	d->flags = flags_of(life->state);
	memcpy(d->handle, life->uuid, sizeof(d->handle));
}

int xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned int max, xc_domaininfo_t *info)
{
	return each_domain(first, max, fill_infolist, info);
}

/* libxl asks for a label of each domain; there is no security module here. */
int xc_flask_sid_to_context(xc_interface *xch, int sid, char *buf, uint32_t size)
{
	errno = ENOSYS;
	return -1;
}

/* The two files in /proc/xen. oxenstored reads the port strictly: a number, no newline. */

static const char *redirect(const char *path, char own[static PATH_MAX])
{
	int fd;

	if (strcmp(path, "/proc/xen/xsd_kva") != 0 && strcmp(path, "/proc/xen/xsd_port") != 0)
		return path;
	in_dir(own, strrchr(path, '/') + 1);
	fd = real_open(own, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return own;
	if (strcmp(path, "/proc/xen/xsd_kva") == 0 ? ftruncate(fd, PAGE) < 0 : write(fd, "1", 1) != 1)
		perror("xshim: stand-in for a file in /proc/xen");
	close(fd);
	return own;
}

static mode_t mode_of(int flags, va_list ap)
{
	return flags & (O_CREAT | __O_TMPFILE) ? (mode_t)va_arg(ap, int) : 0;
}

int open(const char *path, int flags, ...)
{
	char own[PATH_MAX];
	mode_t mode;
	va_list ap;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return real_open(redirect(path, own), flags, mode);
}

int open64(const char *path, int flags, ...)
{
	char own[PATH_MAX];
	mode_t mode;
	va_list ap;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return real_open(redirect(path, own), flags | O_LARGEFILE, mode);
}

/* oxenstored wants more descriptors than a container may give and stops without them. */
int setrlimit(__rlimit_resource_t resource, const struct rlimit *limits)
{
	return 0;
}
