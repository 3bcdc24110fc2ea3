/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * naccttab: what nacctd did with each line of its configuration, and what becomes of it with xenbw.
 *
 * Reads a naccttab and the nacctpeering beside it, as both programs read them, and changes nothing. A line
 * that one of them cannot read is told, not an error; what is no naccttab at all is one, which names file and
 * line. All texts are printable; secrets are not in them.
 */
#ifndef XENBW_NACCTTAB_H
#define XENBW_NACCTTAB_H

#include "config/conf.h"

enum naccttab_verdict {
	NACCTTAB_TAKEN,     /* xenbw does the same */
	NACCTTAB_OTHERWISE, /* xenbw does with it what nacctd did not */
	NACCTTAB_LEFT_OUT,  /* xenbw has no use for it */
	NACCTTAB_REFUSED    /* xenbw cannot read it */
};

struct naccttab_line {
	size_t number;
	char *word, *value;
	enum naccttab_verdict verdict;
	bool dead; /* whatever it was meant to do, nacctd never did it */
	char *did; /* what nacctd did with it */
	char *now; /* what xenbw does */
	/* of a compactnet that xenbw can read */
	bool has_network;
	struct network network;
};

struct naccttab {
	char *path;
	struct naccttab_line *lines;
	size_t count;
	struct conf conf;        /* of all lines that xenbw can read */
	struct conf_texts notes; /* on the file as a whole */
	char *peering;           /* path of the nacctpeering */
	bool has_peering;
	struct conf_texts peering_faults; /* its lines that did not work with nacctd */
};

int naccttab_read(struct naccttab *t, const char *path, char **err);
void naccttab_free(struct naccttab *t); /* whatever naccttab_read returned */

/* "taken", "otherwise", "left_out", "refused". */
const char *naccttab_verdict_word(enum naccttab_verdict v);

/* ---- pieces of it ---- */

/* The two sentences about a line, from the word as the table of keywords has it (NULL: nobody knows it);
 * `reason` is why xenbw refuses the line, or NULL. Sets verdict, dead, did, now. */
void naccttab_explain(struct naccttab_line *l, const char *word, const char *value, const char *reason);

/* What the lines have to do with each other, and what is missing: marks lines, adds notes. */
void naccttab_relate(struct naccttab *t);
void naccttab_replace(char **slot, char *text);

#endif
