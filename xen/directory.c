/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xen/directory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "xen/complaints.h"
#include "xen/pending.h"
#include "xen/snapshot.h"
#include "xen/store.h"
#include "xen/value.h"

#define DOMAINS PENDING_DOMAINS
#define BACKENDS PENDING_BACKENDS

/* How often one drain goes round while new events come in; what is left then waits for the next. */
enum { ROUNDS = 4 };

struct directory {
	struct store store;
	struct complaints complaints;
	int fd;
	char *told; /* the last reason for not being connected that was handed out */
	struct snapshot known;
	struct pending pending;
	bool unlistable; /* on this connection: see scan */
};

/* Takes in all waiting events. After an answer of xenstored these are all those that happened before it. */
static void collect(struct directory *d)
{
	for (char *path = store_event(&d->store); path; path = store_event(&d->store)) {
		pending_event(&d->pending, &d->known, path);
		free(path);
	}
}

/* Reading. Each function leaves what is known as it is when the connection breaks under it. */

/* A reading of a value: allocated text, or NULL with the reason in *why (allocated). */
typedef char *reader_fn(const char *value, size_t len, char **why);

static char *read_mac(const char *value, size_t len, char **why)
{
	char mac[VALUE_MAC_SIZE];

	if (value_mac(value, len, mac))
		return mem_strdup(mac);
	*why = mem_strdup("is not the MAC address of a host");
	return NULL;
}

static char *read_addresses(const char *value, size_t len, char **why)
{
	return value_addresses(value, len, why);
}

static char *read_ifname(const char *value, size_t len, char **why)
{
	char name[IFNAMSIZ];

	if (value_ifname(value, len, name))
		return mem_strdup(name);
	*why = mem_strdup("is not a name for a network device");
	return NULL;
}

static char *read_state(const char *value, size_t len, char **why)
{
	unsigned state;

	if (value_number(value, len, VALUE_STATE_MAX, &state))
		return mem_strndup(value, len);
	*why = mem_strdup("is not a xenbus state");
	return NULL;
}

static char *read_vm(const char *value, size_t len, char **why)
{
	char uuid[VALUE_UUID_SIZE];

	if (value_vm_uuid(value, len, uuid))
		return mem_strdup(uuid);
	*why = mem_strdup("is not /vm/ and a uuid");
	return NULL;
}

/* Every name can be shown. */
static char *read_name(const char *value, size_t len, char **why)
{
	*why = NULL;
	return value_name(value, len);
}

/* Reads folder/node; without asking xenstored where it is known not to be there. */
static char *read_node(struct directory *d, const char *folder, const char *node, bool there,
		       reader_fn *reader)
{
	char *path = mem_printf("%s/%s", folder, node), *why = NULL, *out = NULL;
	size_t len;
	char *value = there ? store_read(&d->store, path, &len) : NULL;

	if (value)
		out = reader(value, len, &why);
	if (why)
		complaints_bad(&d->complaints, path, value, len, why);
	else if (!d->store.broken)
		complaints_good(&d->complaints, path);
	free(why);
	free(value);
	free(path);
	return out;
}

static bool contains(char **names, unsigned count, const char *name)
{
	for (unsigned i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* Did the state leave Connected between the last reading of it (`before`) and this one (`now`)? The node is
 * written only when the state changes: an event for it means that it left, even where it is back by now. */
static bool has_left(int before, int now, unsigned events)
{
	return before == XEN_STATE_CONNECTED && (now != XEN_STATE_CONNECTED || events > 0);
}

/* Sets what was just read of the state. That must have been the last reading: the events that are there after
 * it happened before it, so they count for this time and never again. */
static void set_state(struct directory *d, struct xen_vif *v, const char *text, unsigned events)
{
	int now = text ? *text - '0' : XEN_STATE_UNKNOWN;

	collect(d);
	events += pending_state_events(&d->pending, v->domid, v->devid);
	if (has_left(v->state, now, events)) {
		v->left_connected++;
		d->known.states_changed = true;
	}
	d->known.states_changed |= v->state != now;
	v->state = now;
}

enum field { MAC, IP, BRIDGE, VIFNAME, STATE, FIELDS };

/* Reads the nodes of one vif, the state last; false where there is none. */
static bool read_vif(struct directory *d, const char *folder, char *text[static FIELDS])
{
	static const struct {
		const char *node;
		reader_fn *reader;
	} fields[FIELDS] = {[MAC] = {"mac", read_mac},
			    [IP] = {"ip", read_addresses},
			    [BRIDGE] = {"bridge", read_ifname},
			    [VIFNAME] = {"vifname", read_ifname},
			    [STATE] = {"state", read_state}};
	unsigned count;
	char **names = store_list(&d->store, folder, &count);

	for (int i = 0; i < FIELDS; i++) {
		bool there = contains(names, count, fields[i].node);

		text[i] = read_node(d, folder, fields[i].node, there, fields[i].reader);
	}
	free(names);
	return names != NULL;
}

/* Reads one vif again. Where the toolstack writes at the same time, what is read may be half old and half
 * new: its events have then made the vif pending once more, and it is read again before anybody sees it. */
static void refresh_vif(struct directory *d, unsigned domid, unsigned devid, unsigned state_events)
{
	char *folder = mem_printf(BACKENDS "/%u/%u", domid, devid), *text[FIELDS];
	bool there = read_vif(d, folder, text);
	struct xen_vif *v = snapshot_vif_find(&d->known, domid, devid);

	if (!d->store.broken && !there && v)
		snapshot_vif_remove(&d->known, v);
	if (!d->store.broken && there) {
		if (!v)
			v = snapshot_vif_add(&d->known, domid, devid);
		d->known.changed |= mem_replace(&v->mac, text[MAC]);
		d->known.changed |= mem_replace(&v->addresses, text[IP]);
		d->known.changed |= mem_replace(&v->bridge, text[BRIDGE]);
		d->known.changed |= mem_replace(&v->vifname, text[VIFNAME]);
		set_state(d, v, text[STATE], state_events);
		if (!snapshot_domain_find(&d->known, domid))
			pending_add(&d->pending, domid, DEVID_DOMAIN);
	}
	for (int i = 0; i < FIELDS; i++)
		free(text[i]);
	free(folder);
}

/* The vifs of one domain: those that are known and those that are there now. */
static void refresh_folder(struct directory *d, unsigned domid)
{
	char *folder = mem_printf(BACKENDS "/%u", domid);
	unsigned count, devid;
	char **names = store_list(&d->store, folder, &count);

	for (size_t i = snapshot_vif_place(&d->known, domid, 0);
	     i < d->known.vif_count && d->known.vifs[i].domid == domid; i++)
		pending_add(&d->pending, domid, d->known.vifs[i].devid);
	for (unsigned i = 0; i < count; i++)
		if (value_number(names[i], strlen(names[i]), VALUE_DEVID_MAX, &devid))
			pending_add(&d->pending, domid, devid);
	free(names);
	free(folder);
}

/* The children of one of the two folders that hold a node for each domain. oxenstored sends a list of any
 * length; libxenstore closes the connection when it has more than 4096 bytes, the numbers of some 700
 * domains. */
static char **list_by_domid(struct directory *d, const char *folder, unsigned *count)
{
	char **names;

	*count = 0;
	if (d->unlistable || d->store.broken)
		return NULL;
	names = store_list(&d->store, folder, count);
	d->unlistable = d->store.broken;
	return names;
}

static void list_backends(struct directory *d)
{
	unsigned count, domid;
	char **names = list_by_domid(d, BACKENDS, &count);

	d->pending.backends = false;
	for (size_t i = 0; i < d->known.vif_count; i++)
		pending_add(&d->pending, d->known.vifs[i].domid, DEVID_FOLDER);
	for (unsigned i = 0; i < count; i++)
		if (value_number(names[i], strlen(names[i]), VALUE_DOMID_MAX, &domid))
			pending_add(&d->pending, domid, DEVID_FOLDER);
	free(names);
}

/* Domains. Of their nodes only the name is watched. */

static void watch_name(struct directory *d, unsigned domid)
{
	char *path = mem_printf(DOMAINS "/%u/name", domid);

	store_watch(&d->store, path);
	free(path);
}

static void unwatch_name(struct directory *d, unsigned domid)
{
	char *path = mem_printf(DOMAINS "/%u/name", domid);

	store_unwatch(&d->store, path);
	free(path);
}

static bool is_there(struct directory *d, const char *path)
{
	size_t len;
	char *value = store_read(&d->store, path, &len);

	free(value);
	return value != NULL;
}

/* Reads one domain's own nodes again; watches it where it is new, forgets it where it is gone. */
static void refresh_domain(struct directory *d, unsigned domid)
{
	char *folder = mem_printf(DOMAINS "/%u", domid), *uuid, *name;
	struct xen_domain *x = snapshot_domain_find(&d->known, domid);
	bool there;

	if (!x)
		watch_name(d, domid);
	uuid = read_node(d, folder, "vm", true, read_vm);
	if (!x) {
		/* The event that the watch fired by itself came before that answer; the name is read now. */
		collect(d);
		pending_remove(&d->pending, domid, DEVID_DOMAIN);
	}
	name = read_node(d, folder, "name", true, read_name);
	there = uuid || name || is_there(d, folder);
	if (!there)
		unwatch_name(d, domid);
	if (!d->store.broken && there) {
		if (!x)
			x = snapshot_domain_add(&d->known, domid);
		d->known.changed |= mem_replace(&x->uuid, uuid);
		d->known.changed |= mem_replace(&x->name, name);
	} else if (!d->store.broken && x) {
		snapshot_domain_remove(&d->known, x);
	}
	free(uuid);
	free(name);
	free(folder);
}

/* Makes pending what is new, and what is known but no longer listed: its own nodes decide. */
static void list_domains(struct directory *d)
{
	unsigned count, domid;
	char **names = list_by_domid(d, DOMAINS, &count);
	bool *listed;

	d->pending.domains = false;
	if (d->unlistable)
		return;
	listed = mem_array(d->known.domain_count + 1, sizeof(*listed));
	for (unsigned i = 0; i < count; i++) {
		const struct xen_domain *x;

		if (!value_number(names[i], strlen(names[i]), VALUE_DOMID_MAX, &domid))
			continue;
		x = snapshot_domain_find(&d->known, domid);
		if (x)
			listed[x - d->known.domains] = true;
		else
			pending_add(&d->pending, domid, DEVID_DOMAIN);
	}
	for (size_t i = 0; i < d->known.domain_count; i++)
		if (!listed[i])
			pending_add(&d->pending, d->known.domains[i].domid, DEVID_DOMAIN);
	free(listed);
	free(names);
}

static void refresh(struct directory *d, struct pending_key key)
{
	if (key.devid == DEVID_FOLDER)
		refresh_folder(d, key.domid);
	else if (key.devid == DEVID_DOMAIN)
		refresh_domain(d, key.domid);
	else
		refresh_vif(d, key.domid, key.devid, key.state_events);
}

/* Reads what is pending, and what becomes so meanwhile. */
static void settle(struct directory *d)
{
	collect(d);
	for (int round = 0; round < ROUNDS; round++) {
		if (d->pending.domains)
			list_domains(d);
		if (d->pending.backends)
			list_backends(d);
		for (size_t n = pending_count(&d->pending); n && !d->store.broken; n--)
			refresh(d, pending_take(&d->pending));
		collect(d);
	}
	snapshot_name_vifs(&d->known);
}

/* The connection. */

/* Finds the domains that have vifs where they cannot be listed. Those that come later have events, so this is
 * for the start only; domains without a vif are not found, which costs nobody a byte. */
static void scan(struct directory *d)
{
	pending_add(&d->pending, 0, DEVID_DOMAIN);
	for (unsigned domid = 1; domid <= VALUE_DOMID_MAX && !d->store.broken; domid++) {
		char *folder = mem_printf(BACKENDS "/%u", domid);

		if (is_there(d, folder))
			pending_add(&d->pending, domid, DEVID_FOLDER);
		free(folder);
	}
}

/* Watches first, then reads everything: what the watches fire by themselves lies before that reading. */
static void watch_and_read(struct directory *d)
{
	store_watch(&d->store, BACKENDS);
	store_watch(&d->store, "@introduceDomain");
	store_watch(&d->store, "@releaseDomain");
	for (size_t i = 0; i < d->known.domain_count; i++) {
		watch_name(d, d->known.domains[i].domid);
		pending_add(&d->pending, d->known.domains[i].domid, DEVID_DOMAIN);
	}
	for (size_t i = 0; i < d->known.vif_count; i++)
		pending_add(&d->pending, d->known.vifs[i].domid, d->known.vifs[i].devid);
	if (!store_alive(&d->store))
		return;
	collect(d);
	d->pending.domains = d->pending.backends = true;
	if (d->unlistable)
		scan(d);
	settle(d);
}

static void disconnect(struct directory *d)
{
	store_close(&d->store);
	d->fd = -1;
	pending_clear(&d->pending);
}

static int connect_and_read(struct directory *d, char **err)
{
	if (store_open(&d->store, err) < 0)
		return -1;
	watch_and_read(d);
	if (d->store.broken) {
		disconnect(d);
		return err_set(err, "xenstored closed the connection at once");
	}
	d->fd = xs_fileno(d->store.xs);
	if (d->fd < 0) {
		disconnect(d);
		return err_sys(err, "cannot watch xenstore");
	}
	d->known.changed = true;
	return 0;
}

/* A connection that ended over a list is made again at once, to do without lists. */
static int reconnect(struct directory *d, char **err)
{
	d->unlistable = false;
	if (connect_and_read(d, err) == 0)
		return 0;
	if (!d->unlistable)
		return -1;
	err_clear(err);
	return connect_and_read(d, err);
}

struct directory *directory_new(void)
{
	struct directory *d = mem_alloc(sizeof(*d));

	d->fd = -1;
	return d;
}

int directory_open(struct directory **d, char **err)
{
	*d = directory_new();
	if (reconnect(*d, err) == 0)
		return 0;
	directory_close(*d);
	*d = NULL;
	return -1;
}

void directory_close(struct directory *d)
{
	if (!d)
		return;
	disconnect(d);
	snapshot_free(&d->known);
	complaints_free(&d->complaints);
	free(d->told);
	free(d);
}

int directory_fd(const struct directory *d)
{
	return d->fd;
}

int directory_probe(struct directory *d, char **err)
{
	char *why = NULL;
	int connected = 1;

	if (d->store.xs && !store_alive(&d->store)) {
		disconnect(d);
		connected = err_set(&why, "lost the connection to xenstored; going on with what is known");
	} else if (!d->store.xs) {
		connected = reconnect(d, &why);
	}
	if (connected >= 0) {
		mem_replace(&d->told, NULL);
		return 1;
	}
	if (mem_replace(&d->told, why))
		err_set(err, "%s", why);
	free(why);
	return 0;
}

enum directory_news directory_drain(struct directory *d)
{
	enum directory_news news = DIRECTORY_SAME;

	if (d->store.xs)
		settle(d);
	if (d->known.changed)
		news = DIRECTORY_CHANGED;
	else if (d->known.states_changed)
		news = DIRECTORY_STATES;
	d->known.changed = d->known.states_changed = false;
	return news;
}

const struct xen_vif *directory_vifs(const struct directory *d, size_t *count)
{
	*count = d->known.vif_count;
	return d->known.vifs;
}

const struct xen_domain *directory_domains(const struct directory *d, size_t *count)
{
	*count = d->known.domain_count;
	return d->known.domains;
}

bool directory_complaint(struct directory *d, char **line, char **guest)
{
	struct complaint next;

	if (!complaints_next(&d->complaints, &next))
		return false;
	*line = next.line;
	*guest = next.guest;
	return true;
}

uint64_t directory_requests(const struct directory *d)
{
	return d->store.requests;
}
