/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * naccttab_relate: what the lines of a naccttab have to do with each other, and what is missing:
 * naccttab_relate of naccttab.h.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "cli/naccttab.h"
#include "config/keywords.h"
#include "net/netset.h"

#define NACCTD_DEVICES 10

enum { IN_OURNET = 1, IN_IGNORENET = 2 };

__attribute__((format(printf, 2, 3))) static void note(struct naccttab *t, const char *fmt, ...)
{
	struct conf_texts *n = &t->notes;
	va_list ap;

	va_start(ap, fmt);
	n->list = mem_resize(n->list, n->count + 1, sizeof(*n->list));
	n->list[n->count++] = mem_vprintf(fmt, ap);
	va_end(ap);
}

static bool is_word(const struct naccttab_line *l, const char *word)
{
	return strcasecmp(l->word, word) == 0;
}

/* How many lines have this word, and work. */
static size_t working(const struct naccttab *t, const char *word)
{
	size_t n = 0;

	for (size_t i = 0; i < t->count; i++)
		n += is_word(&t->lines[i], word) && !t->lines[i].dead;
	return n;
}

/* Of a word that stands for one value nacctd took the last line. */
static void find_replaced(struct naccttab *t)
{
	static const char *const single[] = {"flush",          "errdelay",   "ignoremask",     "database",
					     "mysql_user",     "mysql_host", "mysql_password", "mysql_port",
					     "mysql_database", "pidfile",    "debug",          "debugfile",
					     "sniff"};

	for (size_t w = 0; w < sizeof(single) / sizeof(*single); w++) {
		struct naccttab_line *last = NULL;

		for (size_t i = t->count; i-- > 0;) {
			struct naccttab_line *l = &t->lines[i];

			if (!is_word(l, single[w]))
				continue;
			if (!last) {
				last = l;
				continue;
			}
			l->verdict = NACCTTAB_LEFT_OUT;
			naccttab_replace(&l->did,
					 mem_printf("nacctd took line %zu instead, the last with this word",
						    last->number));
			naccttab_replace(&l->now, mem_strdup("left out"));
		}
	}
}

/* ---- networks ---- */

static void last_address(const struct network *n, uint8_t out[static 16])
{
	memcpy(out, n->address, 16);
	for (unsigned bit = n->bits; bit < 128; bit++)
		out[bit / 8] |= (uint8_t)(0x80u >> (bit % 8));
}

/* The lists as nacctd had them, without lines that never worked. */
static struct netset *nacctd_lists(const struct naccttab *t)
{
	struct networks ours = {0}, ignored = {0};
	struct netset *s = netset_new();

	for (size_t i = 0; i < t->count; i++) {
		const struct naccttab_line *l = &t->lines[i];
		struct network n;
		char *said;

		if (l->dead || (!is_word(l, "ournet") && !is_word(l, "ignorenet")) ||
		    network_parse(l->value, &n, &said, NULL) < 0)
			continue;
		free(said);
		networks_add(is_word(l, "ournet") ? &ours : &ignored, &n);
	}
	netset_add(s, &ours, IN_OURNET);
	netset_add(s, &ignored, IN_IGNORENET);
	netset_build(s);
	networks_free(&ours);
	networks_free(&ignored);
	return s;
}

static void relate_compactnets(struct naccttab *t)
{
	struct netset *lists = nacctd_lists(t);
	bool rescued = working(t, "dontignore") > 0, ours = working(t, "ournet") > 0;

	for (size_t i = 0; i < t->count; i++) {
		struct naccttab_line *l = &t->lines[i];
		uint8_t last[16], flags;

		if (!l->has_network || l->dead)
			continue;
		last_address(&l->network, last);
		flags = netset_flags(lists, l->network.address) & netset_flags(lists, last);
		if ((flags & IN_IGNORENET) && !rescued) {
			l->dead = true;
			naccttab_replace(
				&l->did,
				mem_strdup("it never worked: an ignorenet holds it, and took all of its "
					   "packets away"));
		} else if (!(flags & IN_OURNET) && ours) {
			naccttab_replace(&l->did, mem_printf("%s; but no ournet holds it: its class was left "
							     "to chance, and with most "
							     "builds its rows stayed 0",
							     l->did));
		}
	}
	netset_free(lists);
}

static void relate_dontignore(struct naccttab *t)
{
	if (working(t, "ignorenet"))
		return;
	for (size_t i = 0; i < t->count; i++)
		if (is_word(&t->lines[i], "dontignore") && !t->lines[i].dead) {
			t->lines[i].dead = true;
			naccttab_replace(
				&t->lines[i].did,
				mem_strdup("it never did anything: there is no ignorenet that worked"));
		}
}

/* ---- what is missing ---- */

static bool drops_by_mask(const struct naccttab *t)
{
	static const uint8_t ones[16] = {
		[10] = 0xff, [11] = 0xff, [12] = 0xff, [13] = 0xff, [14] = 0xff, [15] = 0xff};

	return memcmp(t->conf.ignoremask.address, ones, sizeof(ones)) != 0;
}

static void find_missing(struct naccttab *t)
{
	if (!working(t, "compactnet"))
		note(t, "No compactnet that works: nacctd wrote no rows at all.");
	if (!working(t, "ournet"))
		note(t, "No ournet that works: nacctd knew no local, direct or peer traffic, and left the "
			"class of "
			"all bytes to chance (as external, or in rows of zeros). xenbw books them as "
			"external; what "
			"stays in the host is local.");
	if (!working(t, "device"))
		note(t, "No device: nacctd listened nowhere and counted nothing. xenbw takes the bridge's "
			"physical "
			"port.");
	else if (working(t, "device") > 1)
		note(t, "Several devices: a packet that crossed two of them counted twice with nacctd. With "
			"xenbw "
			"it counts once.");
	if (working(t, "device") > NACCTD_DEVICES)
		note(t, "More than %d devices: nacctd had room for no more, and wrote beyond it.",
		     NACCTD_DEVICES);
	if (!working(t, "database"))
		note(t,
		     "No database: nacctd wrote nothing; nor does xenbw to MySQL, but it keeps its ledger.");
	if (drops_by_mask(t) && working(t, "dontignore"))
		note(t, "dontignore did not help against ignoremask in nacctd, nor does it in xenbw.");
	if (!t->has_peering)
		note(t, "No file %s: nacctd does not start without it.", t->peering);
}

void naccttab_relate(struct naccttab *t)
{
	find_replaced(t);
	relate_dontignore(t);
	relate_compactnets(t);
	find_missing(t);
}
