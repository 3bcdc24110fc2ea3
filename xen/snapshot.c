/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xen/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void vif_clear(struct xen_vif *v)
{
	free(v->domain);
	free(v->uuid);
	free(v->mac);
	free(v->addresses);
	free(v->bridge);
	free(v->vifname);
}

static void domain_clear(struct xen_domain *x)
{
	free(x->name);
	free(x->uuid);
}

size_t snapshot_vif_place(const struct snapshot *s, unsigned domid, unsigned devid)
{
	size_t low = 0, high = s->vif_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct xen_vif *v = &s->vifs[mid];

		if (v->domid < domid || (v->domid == domid && v->devid < devid))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct xen_vif *snapshot_vif_find(const struct snapshot *s, unsigned domid, unsigned devid)
{
	size_t i = snapshot_vif_place(s, domid, devid);

	return i < s->vif_count && s->vifs[i].domid == domid && s->vifs[i].devid == devid ? &s->vifs[i]
											  : NULL;
}

struct xen_vif *snapshot_vif_add(struct snapshot *s, unsigned domid, unsigned devid)
{
	size_t i = snapshot_vif_place(s, domid, devid);

	s->vifs = mem_resize(s->vifs, s->vif_count + 1, sizeof(*s->vifs));
	memmove(&s->vifs[i + 1], &s->vifs[i], (s->vif_count - i) * sizeof(*s->vifs));
	s->vif_count++;
	s->vifs[i] = (struct xen_vif){.domid = domid, .devid = devid};
	s->changed = true;
	return &s->vifs[i];
}

void snapshot_vif_remove(struct snapshot *s, struct xen_vif *v)
{
	size_t i = (size_t)(v - s->vifs);

	vif_clear(v);
	s->vif_count--;
	memmove(v, v + 1, (s->vif_count - i) * sizeof(*v));
	s->changed = true;
}

static size_t domain_place(const struct snapshot *s, unsigned domid)
{
	size_t low = 0, high = s->domain_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->domains[mid].domid < domid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct xen_domain *snapshot_domain_find(const struct snapshot *s, unsigned domid)
{
	size_t i = domain_place(s, domid);

	return i < s->domain_count && s->domains[i].domid == domid ? &s->domains[i] : NULL;
}

struct xen_domain *snapshot_domain_add(struct snapshot *s, unsigned domid)
{
	size_t i = domain_place(s, domid);

	s->domains = mem_resize(s->domains, s->domain_count + 1, sizeof(*s->domains));
	memmove(&s->domains[i + 1], &s->domains[i], (s->domain_count - i) * sizeof(*s->domains));
	s->domain_count++;
	s->domains[i] = (struct xen_domain){.domid = domid};
	s->changed = true;
	return &s->domains[i];
}

void snapshot_domain_remove(struct snapshot *s, struct xen_domain *x)
{
	size_t i = (size_t)(x - s->domains);

	domain_clear(x);
	s->domain_count--;
	memmove(x, x + 1, (s->domain_count - i) * sizeof(*x));
	s->changed = true;
}

void snapshot_name_vifs(struct snapshot *s)
{
	for (size_t i = 0; i < s->vif_count; i++) {
		const struct xen_domain *x = snapshot_domain_find(s, s->vifs[i].domid);

		if (!x)
			continue;
		s->changed |= mem_replace(&s->vifs[i].domain, x->name);
		s->changed |= mem_replace(&s->vifs[i].uuid, x->uuid);
	}
}

void snapshot_free(struct snapshot *s)
{
	for (size_t i = 0; i < s->vif_count; i++)
		vif_clear(&s->vifs[i]);
	for (size_t i = 0; i < s->domain_count; i++)
		domain_clear(&s->domains[i]);
	free(s->vifs);
	free(s->domains);
	*s = (struct snapshot){0};
}
