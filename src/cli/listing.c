/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/listing.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/boot.h"
#include "base/err.h"
#include "base/mem.h"

static int read_ledger(struct listing *l, char **err)
{
	struct ledger_file file;
	int rc = cli_find_ledger(l->cli, &file, err);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	rc = usage_read_vifs(file.db, l->boot, l->month.from, l->month.to,
			     l->cli->args.value[OPTION_ALL] != NULL, &l->known, err);
	ledger_file_close(&file);
	l->has_ledger = rc == 0;
	return rc;
}

static int read_live(struct listing *l, char **err)
{
	unsigned *bridges = mem_array(l->known.vif_count, sizeof(*bridges));
	size_t count = 0;
	int rc;

	for (size_t i = 0; i < l->known.vif_count; i++) {
		const struct usage_vif *v = &l->known.vifs[i];

		if (v->domid == 0 && v->gone < 0 && strcmp(v->boot, l->boot) == 0)
			bridges[count++] = v->devid; /* dom0's are their device's ifindex */
	}
	rc = live_read(&l->live, bridges, count, &l->no_live);
	free(bridges);
	if (rc < 0)
		return err_set(err, "%s", l->no_live);
	l->has_live = rc == 0;
	if (l->has_live)
		l->states = live_states();
	return 0;
}

static void ask_daemon(struct listing *l)
{
	char *err = NULL;
	int rc = control_ask(l->cli->conf.control, &l->daemon, &err);

	l->has_rates = rc == 0;
	if (rc < 0)
		cli_note("no rates: %s", err);
	else if (rc == 1 && l->has_ledger)
		cli_note("xenbwd does not run: there are no rates, and a vif that goes away now takes the "
			 "bytes "
			 "since its last reading with it");
	else if (rc == 0 && l->daemon.commit_failing)
		cli_note("xenbwd cannot write its ledger at present; its log says why");
	else if (rc == 0 && !l->daemon.xenstore_connected)
		cli_note("xenbwd cannot reach xenstore at present; its log says why");
	if (rc == 0 && l->daemon.split == CONTROL_SPLIT_FAILING)
		cli_note("nobody looks at the uplinks at present: bytes are unattributed; xenbwd's log says "
			 "why");
	free(err);
}

/* Neither a live view nor a ledger. */
static int nothing_at_all(const struct listing *l, char **err)
{
	return err_set(
		err,
		"there is nothing to list yet\n"
		"  xenstore  %s\n"
		"  ledger    %s is not there; xenbwd makes it when it first runs\n"
		"What to do next\n"
		"  on a Xen dom0     %srun xenbw as root; systemctl enable --now xenbwd starts the counting\n"
		"  on another host   look at a copy of a ledger: xenbw --ledger FILE",
		l->no_live, l->cli->conf.ledger, geteuid() == 0 ? "see that xenstored runs, and " : "");
}

/* The ledger first, the counters after it. */
int listing_gather(struct listing *l, char **err)
{
	l->boot = boot_id(err);
	if (!l->boot || period_month("this", l->cli->now, &l->month, err) < 0 || read_ledger(l, err) < 0 ||
	    read_live(l, err) < 0)
		return -1;
	if (!l->has_live && !l->has_ledger)
		return nothing_at_all(l, err);
	if (l->has_live) {
		if (!l->has_ledger)
			cli_note("there is no ledger %s: bytes are those since each vif appeared; start "
				 "xenbwd to keep "
				 "them for good (systemctl enable --now xenbwd)",
				 l->cli->conf.ledger);
		ask_daemon(l);
	} else {
		char *when = l->known.run.boot ? period_local(l->known.run.seen) : mem_strdup("no time yet");

		cli_note("%s. Listed is what the ledger knew at %s; %s on the dom0 for the live view",
			 l->no_live, when, geteuid() == 0 ? "start xenstored" : "run xenbw as root");
		free(when);
	}
	present_merge(l->has_live ? &l->live : NULL, l->has_ledger ? &l->known : NULL, l->boot, &l->present);
	return 0;
}

void listing_free(struct listing *l)
{
	present_free(&l->present);
	usage_vifs_free(&l->known);
	if (l->has_live)
		live_free(&l->live);
	free(l->daemon.vifs);
	free(l->states);
	free(l->no_live);
	free(l->boot);
}
