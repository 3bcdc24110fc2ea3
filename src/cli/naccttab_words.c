/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * naccttab_words: one line of a naccttab in two sentences: naccttab_explain of naccttab.h.
 *
 * What nacctd did is netacct-mysql's 0.78 to 0.80, as it was seen to do.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/naccttab.h"
#include "config/keywords.h"
#include "config/lines.h"

struct wording {
	const char *word;
	const char *did, *behind; /* around the value; behind NULL: `did` is all of it */
	const char *now;
};

static const struct wording wordings[] = {
	{"flush", "nacctd wrote to MySQL every ", " seconds, counted from its start",
	 "xenbwd commits to its ledger that often; MySQL is fed from there"},
	{"errdelay", "after a write that failed nacctd left out ", " flushes",
	 "the same; nothing is lost meanwhile"},
	{"device", "nacctd listened on ", "", "what crosses it has left the host or comes from outside"},
	{"compactnet", "nacctd kept rows for ", "", "see the addresses below"},
	{"ournet", "nacctd took ", " for our own: what ours said to ours was local",
	 "the same for what crosses a device; what stays in the host is local anyway"},
	{"direct_peer", "nacctd booked what went to or from ", " as direct", "the same"},
	{"ignorenet", "nacctd did not count packets from or to ", "",
	 "they are booked as ignored, and not charged"},
	{"dontignore", "nacctd counted packets from or to ", " in spite of ignorenet", "the same"},
	{"database", "nacctd wrote to ", "", "xenbw-writer does"},
	{"mysql_user", "nacctd's account was ", "", "the same account is used"},
	{"mysql_password", "its password", NULL, "the same; in a file that only root may read"},
	{"mysql_host", "the server was ", "", "the same server is used"},
	{"mysql_port", "the server's port; 0 is the usual one or the socket", NULL, "the same"},
	{"mysql_database", "the database was ", "", "the same database is used"},
};

/* What nacctd did with words that xenbw has no use for. */
static const struct wording left_out[] = {
	{"sniff", "1 made the devices listen to all frames", NULL, NULL},
	{"debug", "what nacctd wrote into its debugfile", NULL, NULL},
	{"debugfile", "nacctd wrote its debugging to ", "", NULL},
	{"pidfile", "nacctd kept its process number in ", "",
	 "left out, as that file is nacctd's while it runs; systemd needs none"},
};

static const struct wording *wording_of(const struct wording *list, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].word, word) == 0)
			return &list[i];
	return NULL;
}

#define WORDING(list, word) wording_of(list, sizeof(list) / sizeof((list)[0]), word)

static char *sentence(const struct wording *w, const char *value)
{
	char *shown, *text;

	if (!w->behind)
		return mem_strdup(w->did);
	shown = text_printable(value, strlen(value));
	text = mem_printf("%s%s%s", w->did, shown, w->behind);
	free(shown);
	return text;
}

/* ---- networks, as nacctd read them ---- */

/* inet_addr(3): what it cannot read is 255.255.255.255, and octal and short forms are fine. */
static uint32_t address_of(const char *text, bool *read)
{
	struct in_addr a;

	*read = inet_aton(text, &a) != 0;
	return *read ? ntohl(a.s_addr) : UINT32_MAX;
}

static char *dotted(uint32_t address)
{
	struct in_addr a = {.s_addr = htonl(address)};
	char text[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &a, text, sizeof(text)); /* fits by definition */
	return mem_strdup(text);
}

struct reading {
	uint32_t address, mask;
	bool address_read, mask_read, mask_there, slash;
};

static struct reading read_as_nacctd(const char *value)
{
	char *copy = mem_strdup(value), *mask;
	struct reading r = {.slash = strchr(copy, '/') != NULL};

	mask = lines_cut_word(copy);
	r.mask_there = *mask != '\0';
	r.address = address_of(copy, &r.address_read);
	r.mask = r.mask_there ? address_of(mask, &r.mask_read) : UINT32_MAX;
	free(copy);
	return r;
}

/* Why nacctd matched nothing with it, or not what stands there; NULL where it read it as it is. *dead:
 * nothing. */
static char *misread(const char *value, bool *dead)
{
	struct reading r = read_as_nacctd(value);
	char *address, *mask, *text = NULL;

	*dead = (r.address & ~r.mask) != 0 || !r.address_read;
	if (r.slash && !r.address_read)
		return mem_strdup(
			"it never worked: nacctd knew no number of bits behind a slash, and nothing matched "
			"the line");
	if (!r.address_read)
		return mem_strdup(
			"it never worked: nacctd could not read the address, and nothing matched the line");
	address = dotted(r.address);
	mask = dotted(r.mask);
	if (!r.mask_there)
		text = mem_printf("without a mask nacctd took it for the one address %s, by luck", address);
	else if (!r.mask_read)
		text = mem_printf("nacctd could not read the mask, and took it for the one address %s",
				  address);
	else if (*dead)
		text = mem_printf("it never worked: host bits are set in %s behind the mask %s, and nothing "
				  "matched the "
				  "line",
				  address, mask);
	else if (strncmp(value, address, strlen(address)) != 0)
		text = mem_printf("nacctd read %s, as a number that begins with 0 is octal", address);
	free(address);
	free(mask);
	return text;
}

static void explain_network(struct naccttab_line *l, const struct wording *w, const char *value)
{
	char *wrong = misread(value, &l->dead), *note = NULL;
	struct network n;

	l->did = wrong ? wrong : sentence(w, value);
	if (!wrong || network_parse(value, &n, &note, NULL) < 0)
		return;
	naccttab_replace(&note, network_text(&n));
	naccttab_replace(&l->now, mem_printf("xenbw reads %s, and the line works: %s", note, w->now));
	free(note);
	l->verdict = NACCTTAB_OTHERWISE;
}

static void explain_mask(struct naccttab_line *l, const char *value)
{
	bool read;
	uint32_t mask = address_of(value, &read);

	l->dead = !read;
	if (!read)
		l->did = mem_strdup(
			"it never worked: nacctd could not read the mask, and took 255.255.255.255, the "
			"default");
	else if (mask == UINT32_MAX)
		l->did = mem_strdup("the default: only packets from an address to itself were dropped");
	else if (mask == 0)
		l->did = mem_strdup("nacctd dropped every packet: nothing was ever counted");
	else
		l->did = mem_strdup(
			"nacctd dropped packets whose two addresses do not differ within this mask, "
			"before it looked at anything else");
	l->now = mem_strdup("the same: they are booked as ignored");
}

/* ---- the other words ---- */

static void explain_database(struct naccttab_line *l, const char *value)
{
	bool other = strcmp(value, "postgresql") == 0 || strcmp(value, "oracle") == 0;

	if (strcmp(value, "mysql") == 0 || other)
		l->did = mem_printf("nacctd wrote to %s", other ? value : "MySQL");
	else
		l->did = mem_strdup("nacctd knew no such database, and ended");
	l->now = mem_strdup("xenbw-writer writes to MySQL");
}

static void explain_inert(struct naccttab_line *l, const struct keyword *k, const char *value)
{
	const struct wording *w = WORDING(left_out, keyword_word(k));
	const char *word = keyword_word(k);
	bool other = strncmp(word, "pgsql", 5) == 0 || strncmp(word, "oracle", 6) == 0;

	l->verdict = NACCTTAB_LEFT_OUT;
	l->dead = !w && !other;
	if (w)
		l->did = sentence(w, value);
	else
		l->did = mem_strdup(
			other ? "only an nacctd built for that database read it"
			      : "it never worked: netacct-mysql reads the word, and does nothing with it");
	l->now = l->dead ? mem_strdup("left out") : mem_printf("left out: %s", keyword_inert(k));
}

static void explain_unknown(struct naccttab_line *l)
{
	const char *near = keyword_nearest(l->word);

	l->verdict = NACCTTAB_LEFT_OUT;
	l->dead = true;
	l->did = mem_strdup(
		"it never worked: nacctd did not know the word, logged the line's number, and went on");
	l->now = near ? mem_printf("left out; was `%s` meant?", near) : mem_strdup("left out");
}

/* The words of a naccttab that xenbw takes. */
static void explain_taken(struct naccttab_line *l, const char *word, const char *value)
{
	const struct wording *w = WORDING(wordings, word);
	const struct wording *out = WORDING(left_out, word);

	if (out) {
		l->verdict = NACCTTAB_LEFT_OUT;
		l->did = sentence(out, value);
		l->now = mem_strdup(out->now);
	} else if (strcmp(word, "ignoremask") == 0) {
		explain_mask(l, value);
	} else if (strcmp(word, "database") == 0) {
		explain_database(l, value);
	} else if (!w) {
		l->did = mem_strdup("nacctd did not know the word, and passed over it");
		l->now = mem_strdup("it is a word of xenbw's own");
	} else {
		l->now = mem_strdup(w->now);
		if (strstr(word, "net") || strcmp(word, "dontignore") == 0 ||
		    strcmp(word, "direct_peer") == 0)
			explain_network(l, w, value);
		else
			l->did = sentence(w, value);
	}
}

/* By the C library's simplest reading: what is none counts as 0. */
static void explain_number(struct naccttab_line *l, const char *value)
{
	naccttab_replace(&l->did, mem_printf("nacctd read it as the number %ld", strtol(value, NULL, 10)));
}

void naccttab_explain(struct naccttab_line *l, const char *word, const char *value, const char *reason)
{
	const struct keyword *k = word ? keyword_find(word) : NULL;

	l->verdict = NACCTTAB_TAKEN;
	if (!k)
		explain_unknown(l);
	else if (keyword_inert(k))
		explain_inert(l, k, value);
	else
		explain_taken(l, word, value);
	if (k && strcasecmp(l->word, "mysql_pass") == 0) {
		l->verdict = NACCTTAB_OTHERWISE;
		l->dead = true;
		naccttab_replace(&l->did,
				 mem_strdup("it never worked: netacct's README has this word, nacctd "
					    "knew only mysql_password"));
		naccttab_replace(&l->now, mem_strdup("taken where no other line has mysql_password"));
	}
	if (k && !*value && !reason)
		naccttab_replace(&l->did, mem_strdup("there is no value: nacctd took what lay in its memory "
						     "behind the word"));
	if (!reason)
		return;
	if (word &&
	    (strcmp(word, "flush") == 0 || strcmp(word, "errdelay") == 0 || strcmp(word, "mysql_port") == 0))
		explain_number(l, value);
	l->verdict = NACCTTAB_REFUSED;
	naccttab_replace(&l->now, mem_printf("xenbw cannot read it: %s", reason));
}
