/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/migrate_owners.h"

#include <stdlib.h>
#include <string.h>

#include "account/bucket.h"
#include "base/err.h"
#include "base/mem.h"
#include "cli/live.h"
#include "net/neighbours.h"
#include "xen/guest_word.h"

const char *migrate_evidence_word(enum evidence e)
{
	static const char *const words[] = {"line", "own", "toolstack", "mac", "guest", "server", "none"};

	return words[e];
}

/* Something that says whose an address is. */
struct clue {
	struct network address;
	enum evidence evidence;
	const struct live_vif *vif; /* NULL: of no vif that is there */
	char mac[18];               /* EVIDENCE_MAC */
	char device[IFNAMSIZ];      /* EVIDENCE_OWN */
};

struct clues {
	struct clue *list;
	size_t count;
	struct live live;
	bool has_live;
};

static struct clue *add_clue(struct clues *c, const struct network *address, enum evidence evidence,
			     const struct live_vif *vif)
{
	if ((c->count & (c->count - 1)) == 0)
		c->list = mem_resize(c->list, c->count ? c->count * 2 : 1, sizeof(*c->list));
	c->list[c->count] = (struct clue){.address = *address, .evidence = evidence, .vif = vif};
	return &c->list[c->count++];
}

static void add_words(struct clues *c, const char *words, enum evidence evidence, const struct live_vif *vif)
{
	const char *word = words ? words : "";

	while (*(word += strspn(word, " "))) {
		size_t length = strcspn(word, " ");
		char *text = mem_strndup(word, length);
		struct network address;

		if (network_address(text, &address))
			add_clue(c, &address, evidence, vif);
		free(text);
		word += length;
	}
}

static const struct live_vif *vif_with(const struct clues *c, const char *mac)
{
	for (size_t i = 0; i < c->live.count; i++)
		if (c->live.vifs[i].xen->mac && strcmp(c->live.vifs[i].xen->mac, mac) == 0)
			return &c->live.vifs[i];
	return NULL;
}

static void add_guest_words(struct clues *c)
{
	struct store s = {0};

	if (store_open(&s, NULL) < 0)
		return;
	for (size_t i = 0; i < c->live.count; i++) {
		const struct live_vif *v = &c->live.vifs[i];
		char *words = v->xen->domid ? guest_word(&s, v->xen->domid, v->xen->devid) : NULL;

		add_words(c, words, EVIDENCE_GUEST, v);
		free(words);
	}
	store_close(&s);
}

static int add_neighbours(struct clues *c, char **err)
{
	struct neighbours own = {0}, heard = {0};
	int rc = neighbours_own(&own, err);

	if (rc == 0)
		rc = neighbours_heard(&heard, err);
	for (size_t i = 0; rc == 0 && i < own.count; i++) {
		struct clue *clue = add_clue(c, &own.list[i].address, EVIDENCE_OWN, NULL);

		memcpy(clue->device, own.list[i].device, sizeof(clue->device));
	}
	for (size_t i = 0; rc == 0 && i < heard.count; i++) {
		struct clue *clue =
			add_clue(c, &heard.list[i].address, EVIDENCE_MAC, vif_with(c, heard.list[i].mac));

		memcpy(clue->mac, heard.list[i].mac, sizeof(clue->mac));
	}
	neighbours_free(&own);
	neighbours_free(&heard);
	return rc;
}

static int by_address(const void *a, const void *b)
{
	const struct clue *x = a, *y = b;
	int order = memcmp(x->address.address, y->address.address, sizeof(x->address.address));

	return order ? order : (int)x->evidence - (int)y->evidence;
}

/* 0; also where xenstore cannot be asked: then *no_live says why. */
static int gather(struct clues *c, const struct naccttab *t, char **no_live, char **err)
{
	int rc = live_read(&c->live, NULL, 0, no_live);

	if (rc < 0) {
		*err = *no_live;
		*no_live = NULL;
		return -1;
	}
	c->has_live = rc == 0;
	for (size_t i = 0; i < c->live.count; i++)
		add_words(c, c->live.vifs[i].xen->addresses, EVIDENCE_TOOLSTACK, &c->live.vifs[i]);
	if (c->has_live)
		add_guest_words(c);
	for (size_t i = 0; i < t->conf.addresses.count; i++)
		add_clue(c, &t->conf.addresses.list[i].network, EVIDENCE_LINE, NULL);
	if (add_neighbours(c, err) < 0)
		return -1;
	if (c->count)
		qsort(c->list, c->count, sizeof(*c->list), by_address);
	return 0;
}

static void clues_free(struct clues *c)
{
	live_free(&c->live);
	free(c->list);
}

/* ---- owners ---- */

/* Index of the first clue that is not before this address. */
static size_t place(const struct clues *c, const struct network *address)
{
	size_t low = 0, high = c->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(c->list[middle].address.address, address->address, sizeof(address->address)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_about(const struct clue *clue, const struct network *address)
{
	return memcmp(clue->address.address, address->address, sizeof(address->address)) == 0;
}

static void set_vif(struct migrate_owner *o, const struct clues *c, const struct live_vif *v)
{
	size_t vifs = 0;

	for (size_t i = 0; i < c->live.count; i++)
		vifs += c->live.vifs[i].xen->domid == v->xen->domid;
	o->sole = vifs == 1;
	o->domain = mem_strdup(v->xen->domain ? v->xen->domain : "");
	o->domid = v->xen->domid;
	o->devid = v->xen->devid;
	o->has_vif = true;
	o->device = *v->netdev ? mem_strdup(v->netdev) : NULL;
	o->mac = mem_strdup(v->xen->mac);
}

static void set_own(struct migrate_owner *o, const struct clues *c, const char *device)
{
	for (size_t i = 0; i < c->live.count; i++)
		if (c->live.vifs[i].xen->domid == 0 && strcmp(c->live.vifs[i].netdev, device) == 0) {
			set_vif(o, c, &c->live.vifs[i]);
			return;
		}
	o->domain = mem_strdup(BUCKET_DOM0_NAME);
	o->device = *device ? mem_strdup(device) : NULL;
}

static void remark(struct migrate_owner *o, const struct clue *against)
{
	const struct live_vif *v = against->vif;
	char *more, *joined;

	if (against->evidence == EVIDENCE_MAC && !v)
		more = mem_printf("last heard from %s, which is no vif's", against->mac);
	else
		more = mem_printf("%s %s (%s)",
				  against->evidence == EVIDENCE_MAC     ? "last heard from the MAC of"
				  : against->evidence == EVIDENCE_GUEST ? "claimed by"
									: "also given to",
				  v->xen->domain ? v->xen->domain : "?", v->netdev);
	joined = o->remark ? mem_printf("%s; %s", o->remark, more) : mem_strdup(more);
	free(o->remark);
	free(more);
	o->remark = joined;
}

/* Takes the best clue, and notes those that say something else. */
static void judge(struct migrate_owner *o, const struct clues *c, const struct naccttab *t)
{
	const struct clue *best = NULL;

	for (size_t i = place(c, &o->network); i < c->count && is_about(&c->list[i], &o->network); i++) {
		const struct clue *clue = &c->list[i];
		bool names = clue->vif || clue->evidence == EVIDENCE_OWN || clue->evidence == EVIDENCE_LINE;

		if (!best && names)
			best = clue;
		else if ((!best || best->vif != clue->vif) && (clue->vif || clue->evidence == EVIDENCE_MAC))
			remark(o, clue);
	}
	o->evidence = best ? best->evidence : EVIDENCE_NONE;
	if (best && best->vif) {
		set_vif(o, c, best->vif);
	} else if (best && best->evidence == EVIDENCE_OWN) {
		set_own(o, c, best->device);
	} else if (best) {
		for (size_t i = 0; i < t->conf.addresses.count; i++)
			if (is_about(best, &t->conf.addresses.list[i].network))
				o->domain = mem_strdup(t->conf.addresses.list[i].owner);
	} else if (t->conf.mysql.host && strcmp(t->conf.mysql.host, o->address) == 0) {
		o->evidence = EVIDENCE_SERVER;
		o->domain = mem_strdup(BUCKET_DOM0_NAME);
	}
}

static void add_owner(struct migrate_owners *o, const struct network *address, size_t line)
{
	if ((o->count & (o->count - 1)) == 0)
		o->list = mem_resize(o->list, o->count ? o->count * 2 : 1, sizeof(*o->list));
	o->list[o->count++] =
		(struct migrate_owner){.network = *address, .address = network_text(address), .line = line};
}

/* Each address that a compactnet names; of a whole network those that anything is known of. */
static void find_addresses(struct migrate_owners *o, const struct naccttab *t, const struct clues *c)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct naccttab_line *l = &t->lines[i];

		if (!l->has_network)
			continue;
		if (network_is_host(&l->network)) {
			add_owner(o, &l->network, l->number);
			continue;
		}
		for (size_t n = place(c, &l->network);
		     n < c->count && network_contains(&l->network, &c->list[n].address); n++)
			if (c->list[n].vif || c->list[n].evidence <= EVIDENCE_OWN)
				add_owner(o, &c->list[n].address, l->number);
	}
}

static int by_owner(const void *a, const void *b)
{
	const struct migrate_owner *x = a, *y = b;
	int order = memcmp(x->network.address, y->network.address, sizeof(x->network.address));

	return order ? order : (x->line > y->line) - (x->line < y->line);
}

static void sort_once(struct migrate_owners *o)
{
	size_t kept = 0;

	if (o->count)
		qsort(o->list, o->count, sizeof(*o->list), by_owner);
	for (size_t i = 0; i < o->count; i++)
		if (kept && strcmp(o->list[kept - 1].address, o->list[i].address) == 0)
			free(o->list[i].address);
		else
			o->list[kept++] = o->list[i];
	o->count = kept;
}

/* Guests' vifs that none of the addresses belongs to. */
static void find_not_counted(struct migrate_owners *o, const struct clues *c)
{
	struct conf_texts *n = &o->not_counted;

	for (size_t i = 0; i < c->live.count; i++) {
		const struct live_vif *v = &c->live.vifs[i];
		bool counted = v->xen->domid == 0;

		for (size_t k = 0; k < o->count && !counted; k++)
			counted = o->list[k].has_vif && o->list[k].domid == v->xen->domid &&
				  o->list[k].devid == v->xen->devid;
		if (counted)
			continue;
		n->list = mem_resize(n->list, n->count + 1, sizeof(*n->list));
		n->list[n->count++] = mem_printf("%s (%s)", v->xen->domain ? v->xen->domain : "?",
						 *v->netdev ? v->netdev : "no device");
	}
}

int migrate_owners_find(struct migrate_owners *o, const struct naccttab *t, char **err)
{
	struct clues c = {0};
	int rc;

	*o = (struct migrate_owners){0};
	rc = gather(&c, t, &o->no_live, err);
	if (rc == 0) {
		find_addresses(o, t, &c);
		sort_once(o);
		for (size_t i = 0; i < o->count; i++) {
			judge(&o->list[i], &c, t);
			o->without += !o->list[i].domain;
		}
		find_not_counted(o, &c);
	}
	clues_free(&c);
	return rc;
}

void migrate_owners_free(struct migrate_owners *o)
{
	for (size_t i = 0; i < o->count; i++) {
		free(o->list[i].address);
		free(o->list[i].domain);
		free(o->list[i].device);
		free(o->list[i].mac);
		free(o->list[i].remark);
	}
	free(o->list);
	for (size_t i = 0; i < o->not_counted.count; i++)
		free(o->not_counted.list[i]);
	free(o->not_counted.list);
	free(o->no_live);
	*o = (struct migrate_owners){0};
}
