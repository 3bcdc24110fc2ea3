/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fuzz_directory: any bytes as what a xenstored answers (libFuzzer): lists, values, events, ends of the
 * connection, none of which need agree with another.
 *
 * Stands in for xen/store.h. Whatever comes, vifs and domains are in order, each once, and with sane values.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "xen/directory.h"
#include "xen/pending.h"
#include "xen/store.h"
#include "xen/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool ok)
{
	if (!ok)
		abort();
}

/* ---- xenstored ---- */

static struct script {
	const uint8_t *at, *end;
} script;

static unsigned next(void)
{
	return script.at < script.end ? *script.at++ : 0;
}

/* Any bytes, allocated, with a NUL behind them. */
static char *any_bytes(size_t *len)
{
	size_t n = next() % 48;
	char *text;

	if (n > (size_t)(script.end - script.at))
		n = (size_t)(script.end - script.at);
	text = mem_alloc(n + 1);
	if (n)
		memcpy(text, script.at, n);
	script.at += n;
	*len = n;
	return text;
}

/* The end of the input is the end of the connection too, so that nothing goes on for long without it. */
static bool is_broken(struct store *s)
{
	s->requests++;
	if (script.at == script.end || next() == 0xfe)
		s->broken = true;
	return s->broken || !s->xs;
}

int store_open(struct store *s, char **err)
{
	if (next() == 0xfe)
		return err_set(err, "nobody is there");
	s->xs = (struct xs_handle *)&script;
	s->broken = false;
	return 0;
}

void store_close(struct store *s)
{
	s->xs = NULL;
	s->broken = false;
}

bool store_alive(struct store *s)
{
	return !is_broken(s);
}

char *store_read(struct store *s, const char *path, size_t *len)
{
	static const char *const values[] = {
		"4",
		"6",
		"00:16:3e:00:00:01",
		"192.0.2.1 2001:db8::1",
		"xenbr0",
		"web",
		"",
		"/vm/11111111-1111-1111-1111-111111111111",
	};
	unsigned which;

	expect(*path == '/');
	if (is_broken(s))
		return NULL;
	which = next();
	if (which % 16 == 15)
		return any_bytes(len);
	if (which % 16 > 7)
		return NULL;
	*len = strlen(values[which % 8]);
	return mem_strdup(values[which % 8]);
}

char **store_list(struct store *s, const char *path, unsigned *count)
{
	static const char *const children[] = {"0",     "1",      "2",       "32751", "mac",        "ip",
					       "state", "bridge", "vifname", "01",    "4294967296", "-1"};
	char **names;
	size_t len;

	expect(*path == '/');
	*count = 0;
	if (is_broken(s) || next() % 4 == 3)
		return NULL;
	*count = next() % 8;
	names = mem_alloc(8 * sizeof(*names) + 64);
	for (unsigned i = 0; i < *count; i++)
		names[i] = (char *)(uintptr_t)children[next() % 12];
	if (*count && next() == 0xff) { /* one of any bytes, behind the array */
		char *any = any_bytes(&len);

		names[0] = (char *)(names + 8);
		memcpy(names[0], any, len + 1);
		free(any);
	}
	return names;
}

void store_watch(struct store *s, const char *path)
{
	expect(*path == '/' || *path == '@');
	(void)is_broken(s);
}

void store_unwatch(struct store *s, const char *path)
{
	expect(*path == '/');
	(void)is_broken(s);
}

char *store_event(struct store *s)
{
	static const char *const nodes[] = {"",           "/state", "/state",  "/mac",
					    "/feature-x", "/",      "//state", "/ip/x"};
	unsigned what = next();
	size_t len;

	if (s->broken || what % 4 == 0)
		return NULL;
	switch (what % 8) {
	case 1:
		return mem_strdup(what & 8 ? "@introduceDomain" : "@releaseDomain");
	case 2:
		return mem_printf(PENDING_DOMAINS "/%u/name", next() % 4);
	case 3:
		return any_bytes(&len);
	case 5:
		return mem_printf(PENDING_BACKENDS "%s", what & 8 ? "" : "/1");
	default:
		return mem_printf(PENDING_BACKENDS "/%u/%u%s", next() % 4, next() % 3, nodes[next() % 8]);
	}
}

int xs_fileno(struct xs_handle *xs)
{
	expect(xs != NULL);
	return next() == 0xfd ? -1 : 5;
}

/* ---- what is known ---- */

static bool is_text(const char *s)
{
	return !s || (*s && !strpbrk(s, "\n\t\x1b"));
}

static void check_vif(const struct xen_vif *v)
{
	char mac[VALUE_MAC_SIZE], uuid[VALUE_UUID_SIZE], name[IFNAMSIZ];

	expect(v->domid <= VALUE_DOMID_MAX && v->devid <= VALUE_DEVID_MAX);
	expect(!v->mac || (value_mac(v->mac, strlen(v->mac), mac) && strcmp(mac, v->mac) == 0));
	expect(!v->uuid || (value_uuid(v->uuid, strlen(v->uuid), uuid) && strcmp(uuid, v->uuid) == 0));
	expect(!v->bridge || value_ifname(v->bridge, strlen(v->bridge), name));
	expect(!v->vifname || value_ifname(v->vifname, strlen(v->vifname), name));
	expect(is_text(v->domain) && is_text(v->addresses));
	expect(v->state >= 0 && v->state <= VALUE_STATE_MAX);
}

static void check(struct directory *d)
{
	size_t vif_count, domain_count;
	const struct xen_vif *v = directory_vifs(d, &vif_count);
	const struct xen_domain *x = directory_domains(d, &domain_count);

	for (size_t i = 0; i < vif_count; i++) {
		check_vif(&v[i]);
		expect(i == 0 || v[i - 1].domid < v[i].domid ||
		       (v[i - 1].domid == v[i].domid && v[i - 1].devid < v[i].devid));
	}
	for (size_t i = 0; i < domain_count; i++)
		expect(x[i].domid <= VALUE_DOMID_MAX && is_text(x[i].name) &&
		       (i == 0 || x[i - 1].domid < x[i].domid));
	for (char *line, *guest; directory_complaint(d, &line, &guest); free(line), free(guest))
		expect(is_text(line) && *line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct directory *d;
	char *err = NULL;

	script = (struct script){data, data + size};
	if (directory_open(&d, &err) < 0) {
		expect(!d && err);
		d = directory_new();
	}
	free(err);
	err = NULL;
	while (script.at < script.end) {
		expect(directory_probe(d, &err) == (directory_fd(d) >= 0));
		free(err);
		err = NULL;
		(void)directory_drain(d);
		check(d);
	}
	directory_close(d);
	return 0;
}
