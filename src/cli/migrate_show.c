/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * migrate_show: `xenbw migrate` for people: line by line, the addresses, the proposal.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/migrate.h"

enum {
	COLUMN_ADDRESS,
	COLUMN_LINE,
	COLUMN_DOMAIN,
	COLUMN_DOMID,
	COLUMN_DEVICE,
	COLUMN_MAC,
	COLUMN_EVIDENCE,
	COLUMN_COUNT
};

static const struct out_column owner_columns[COLUMN_COUNT] = {
	[COLUMN_ADDRESS] = {NULL, "ADDRESS", OUT_TEXT, 0},   [COLUMN_LINE] = {NULL, "LINE", OUT_NUMBER, 3},
	[COLUMN_DOMAIN] = {NULL, "DOMAIN", OUT_TEXT, 0},     [COLUMN_DOMID] = {NULL, "ID", OUT_NUMBER, 2},
	[COLUMN_DEVICE] = {NULL, "DEVICE", OUT_TEXT, 4},     [COLUMN_MAC] = {NULL, "MAC", OUT_TEXT, 1},
	[COLUMN_EVIDENCE] = {NULL, "KNOWN BY", OUT_TEXT, 0},
};

static void put_line(const struct migrate *m, const struct naccttab_line *l)
{
	char *head = mem_printf("%c%6zu  ", l->dead ? '!' : ' ', l->number);
	char *text = mem_printf("%s %s", l->word, l->value);

	out_hanging(head, text, &m->cli->screen, stdout);
	out_hanging("           was: ", l->did, &m->cli->screen, stdout);
	out_hanging("           now: ", l->now, &m->cli->screen, stdout);
	free(text);
	free(head);
}

static void put_lines(const struct migrate *m)
{
	size_t dead = 0, refused = 0;

	for (size_t i = 0; i < m->tab.count; i++) {
		dead += m->tab.lines[i].dead;
		refused += m->tab.lines[i].verdict == NACCTTAB_REFUSED;
	}
	cli_say(m->cli, "%s, line by line. Was: with nacctd; now: with xenbw.", m->tab.path);
	if (dead)
		cli_say(m->cli, "Lines that never did anything: %zu, marked with `!`.", dead);
	if (refused)
		cli_say(m->cli,
			"Lines that xenbw cannot read: %zu; `xenbwd -c %s` stops at the first of them.",
			refused, m->tab.path);
	puts("");
	for (size_t i = 0; i < m->tab.count; i++)
		put_line(m, &m->tab.lines[i]);
}

static void put_whole(const struct migrate *m)
{
	const struct naccttab *t = &m->tab;

	if (t->notes.count || t->has_peering)
		puts("\nOn the whole");
	for (size_t i = 0; i < t->notes.count; i++)
		out_hanging("  ", t->notes.list[i], &m->cli->screen, stdout);
	if (t->has_peering) {
		char *text = mem_printf("%s: %zu networks are peers, with nacctd and with xenbw.", t->peering,
					t->conf.peer.count);

		out_hanging("  ", text, &m->cli->screen, stdout);
		free(text);
	}
	for (size_t i = 0; i < t->peering_faults.count; i++)
		out_hanging("! ", t->peering_faults.list[i], &m->cli->screen, stdout);
}

static void put_row(struct out_table *t, const struct migrate_owner *o)
{
	out_row(t);
	out_text(t, COLUMN_ADDRESS, o->address);
	out_number(t, COLUMN_LINE, o->line);
	out_text(t, COLUMN_DOMAIN, o->domain);
	if (o->has_vif)
		out_number(t, COLUMN_DOMID, o->domid);
	out_text(t, COLUMN_DEVICE, o->device);
	out_text(t, COLUMN_MAC, o->mac);
	out_text(t, COLUMN_EVIDENCE, migrate_evidence_text(o->evidence));
}

static int put_owners(const struct migrate *m, char **err)
{
	const struct migrate_owners *o = &m->owners;
	struct out_table *t;
	int rc = 0;

	puts("\nAddresses, and whose they are");
	if (!o->count) {
		cli_say(m->cli, "No compactnet names an address that anything is known of.");
		return 0;
	}
	t = out_new(owner_columns, COLUMN_COUNT);
	for (size_t i = 0; i < o->count; i++)
		put_row(t, &o->list[i]);
	rc = out_write(t, OUT_TERMINAL, NULL, &m->cli->screen, stdout, err);
	out_free(t);
	for (size_t i = 0; i < o->count; i++)
		if (o->list[i].remark)
			cli_say(m->cli, "%s: %s.", o->list[i].address, o->list[i].remark);
	return rc;
}

static void put_missing(const struct migrate *m)
{
	const struct migrate_owners *o = &m->owners;

	if (o->without)
		cli_say(m->cli,
			"Without an owner: %zu. Is the guest off? Then start it and look again, or say whose "
			"it "
			"is: "
			"`address IP DOMAIN`.",
			o->without);
	if (o->not_counted.count) {
		char *names = mem_strdup(o->not_counted.list[0]);

		for (size_t i = 1; i < o->not_counted.count; i++)
			naccttab_replace(&names, mem_printf("%s, %s", names, o->not_counted.list[i]));
		cli_say(m->cli, "Under none of these addresses: %s. xenbw counts them all the same.", names);
		free(names);
	}
}

int migrate_show(const struct migrate *m, char **err)
{
	char *text;

	put_lines(m);
	put_whole(m);
	if (put_owners(m, err) < 0)
		return -1;
	put_missing(m);
	if (m->written) {
		printf("\nWritten: %s%s\n", m->written,
		       m->tab.conf.mysql.password ? " (with the password: readable to its owner alone)" : "");
		printf("Next: xenbwd -n -c %s, then xenbw-migrate(7).\n", m->written);
		return 0;
	}
	text = migrate_conf_text(m, false);
	puts("\nProposal (--write FILE makes the file)\n");
	fputs(text, stdout);
	free(text);
	return 0;
}
