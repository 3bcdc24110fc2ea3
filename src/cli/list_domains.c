/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * list_domains: `xenbw list-domains`, one line per vif.
 *
 * What is there comes from xenstore and the kernel's counters; what was before comes from the ledger. Each of
 * the two may be missing: then it says so, and how to get it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/boot.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/live.h"
#include "cli/period.h"
#include "cli/present.h"
#include "cli/units.h"
#include "ipc/control.h"

enum {
	COLUMN_DOMAIN,
	COLUMN_DOMID,
	COLUMN_UUID,
	COLUMN_STATE,
	COLUMN_DEVID,
	COLUMN_NETDEV,
	COLUMN_MAC,
	COLUMN_ADDRESSES,
	COLUMN_BRIDGE,
	COLUMN_BUCKET,
	COLUMN_RATE, /* by direction */
	COLUMN_BYTES = COLUMN_RATE + DIR_COUNT,
	COLUMN_TOTAL = COLUMN_BYTES + DIR_COUNT,
	COLUMN_CHARGED, /* by direction */
	COLUMN_APPEARED = COLUMN_CHARGED + DIR_COUNT,
	COLUMN_GONE,
	COLUMN_NOT_SPLIT,
	COLUMN_CLASS, /* by class and direction */
	COLUMN_COUNT = COLUMN_CLASS + CLASS_COUNT * DIR_COUNT
};

#define COLUMN_OF(class, dir) (COLUMN_CLASS + (class) * DIR_COUNT + (dir))

#define DROP_SAME_BUCKET 3

static const struct out_column list_columns[COLUMN_COUNT] = {
	[COLUMN_DOMAIN] = {"domain", "DOMAIN", OUT_TEXT, 0},
	[COLUMN_DOMID] = {"domid", "ID", OUT_NUMBER, 11},
	[COLUMN_UUID] = {"uuid", NULL, OUT_TEXT, 0},
	[COLUMN_STATE] = {"state", "STATE", OUT_TEXT, 7},
	[COLUMN_DEVID] = {"devid", "VIF", OUT_NUMBER, 6},
	[COLUMN_NETDEV] = {"netdev", "DEVICE", OUT_TEXT, 12},
	[COLUMN_MAC] = {"mac", "MAC", OUT_TEXT, 2},
	[COLUMN_ADDRESSES] = {"addresses", "ADDRESSES", OUT_WORDS, 4},
	[COLUMN_BRIDGE] = {"bridge", "BRIDGE", OUT_TEXT, 1},
	[COLUMN_BUCKET] = {"bucket", "BUCKET", OUT_TEXT, 9},
	[COLUMN_RATE + DIR_INPUT] = {"input_bytes_per_second", "IN BIT/S", OUT_RATE, 8},
	[COLUMN_RATE + DIR_OUTPUT] = {"output_bytes_per_second", "OUT BIT/S", OUT_RATE, 8},
	[COLUMN_BYTES + DIR_INPUT] = {"input", "INPUT", OUT_BYTES, 0},
	[COLUMN_BYTES + DIR_OUTPUT] = {"output", "OUTPUT", OUT_BYTES, 0},
	[COLUMN_TOTAL] = {"total", "TOTAL", OUT_BYTES, 0},
	[COLUMN_CHARGED + DIR_INPUT] = {NULL, "EXT IN", OUT_BYTES, 10},
	[COLUMN_CHARGED + DIR_OUTPUT] = {NULL, "EXT OUT", OUT_BYTES, 10},
	[COLUMN_APPEARED] = {"appeared", NULL, OUT_TIME, 0},
	[COLUMN_GONE] = {"gone", NULL, OUT_TIME, 0},
	[COLUMN_NOT_SPLIT] = {"not_split", NULL, OUT_TEXT, 0},
	[COLUMN_OF(CLASS_EXTERNAL, DIR_INPUT)] = {"external_input", NULL, OUT_BYTES, 0},
	[COLUMN_OF(CLASS_EXTERNAL, DIR_OUTPUT)] = {"external_output", NULL, OUT_BYTES, 0},
	[COLUMN_OF(CLASS_PEER, DIR_INPUT)] = {"peer_input", NULL, OUT_BYTES, 0},
	[COLUMN_OF(CLASS_PEER, DIR_OUTPUT)] = {"peer_output", NULL, OUT_BYTES, 0},
	[COLUMN_OF(CLASS_DIRECT, DIR_INPUT)] = {"direct_input", NULL, OUT_BYTES, 0},
	[COLUMN_OF(CLASS_DIRECT, DIR_OUTPUT)] = {"direct_output", NULL, OUT_BYTES, 0},
	[COLUMN_OF(CLASS_LOCAL, DIR_INPUT)] = {"local_input", NULL, OUT_BYTES, 0},
	[COLUMN_OF(CLASS_LOCAL, DIR_OUTPUT)] = {"local_output", NULL, OUT_BYTES, 0},
	[COLUMN_OF(CLASS_IGNORED, DIR_INPUT)] = {"ignored_input", NULL, OUT_BYTES, 0},
	[COLUMN_OF(CLASS_IGNORED, DIR_OUTPUT)] = {"ignored_output", NULL, OUT_BYTES, 0},
	[COLUMN_OF(CLASS_UNATTRIBUTED, DIR_INPUT)] = {"unattributed_input", NULL, OUT_BYTES, 0},
	[COLUMN_OF(CLASS_UNATTRIBUTED, DIR_OUTPUT)] = {"unattributed_output", NULL, OUT_BYTES, 0},
};

/* All that one listing is made of. */
struct listing {
	struct cli *cli;
	struct period month;
	char *boot;
	bool has_ledger, has_live, has_rates;
	char *no_live; /* why xenstore cannot be asked */
	struct usage_vifs known;
	struct live live;
	struct present present;
	struct control_status daemon;
	char *states;
	uint64_t rates[DIR_COUNT], bytes[DIR_COUNT]; /* totals */
	struct class_bytes classes;                  /* booked */
	bool any_rate, any_bytes;
};

/* ---- gathering: the ledger first, the counters after it ---- */

static int read_ledger(struct listing *l, char **err)
{
	struct ledger_file file;
	int rc = ledger_file_open_reader(&file, l->cli->conf.ledger, err);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	rc = usage_read_vifs(file.db, l->boot, l->month.from, l->month.to, &l->known, err);
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

static int gather(struct listing *l, char **err)
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

static void release(struct listing *l)
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

/* ---- filling in ---- */

/* What xenbwd says of a vif; NULL where it says nothing. */
static const struct control_vif *said_of(const struct listing *l, const struct xen_vif *xen)
{
	for (size_t i = 0; i < l->daemon.count; i++)
		if (l->daemon.vifs[i].domid == xen->domid && l->daemon.vifs[i].devid == xen->devid)
			return &l->daemon.vifs[i];
	return NULL;
}

static bool is_blind(const struct listing *l, const struct present_row *row)
{
	const struct control_vif *v = row->live ? said_of(l, row->live->xen) : NULL;

	return v && (v->flags & CONTROL_VIF_BLIND);
}

static void put_rates(struct listing *l, struct out_table *t, const struct xen_vif *xen)
{
	const struct control_vif *v = said_of(l, xen);

	if (!v || v->window_ms == 0)
		return;
	out_number(t, COLUMN_RATE + DIR_INPUT, v->input_rate);
	out_number(t, COLUMN_RATE + DIR_OUTPUT, v->output_rate);
	l->rates[DIR_INPUT] += v->input_rate;
	l->rates[DIR_OUTPUT] += v->output_rate;
	l->any_rate = true;
}

static void put_bytes(struct listing *l, struct out_table *t, const struct present_row *row)
{
	if (!row->counted)
		return;
	for (int d = 0; d < DIR_COUNT; d++) {
		out_number(t, COLUMN_BYTES + (size_t)d, row->bytes[d]);
		l->bytes[d] += row->bytes[d];
	}
	out_number(t, COLUMN_TOTAL, row->bytes[DIR_INPUT] + row->bytes[DIR_OUTPUT]);
	l->any_bytes = true;
}

/* External bytes and those that are charged like them: netacct's input and output. */
static void put_charged(const struct listing *l, struct out_table *t, const struct class_bytes *classes)
{
	for (int d = 0; d < DIR_COUNT; d++)
		out_number(
			t, COLUMN_CHARGED + (size_t)d,
			classes->bytes[d][CLASS_EXTERNAL] +
				(l->known.charge_unattributed ? classes->bytes[d][CLASS_UNATTRIBUTED] : 0));
}

static void put_classes(struct listing *l, struct out_table *t, const struct class_bytes *classes)
{
	put_charged(l, t, classes);
	for (int c = 0; c < CLASS_COUNT; c++)
		for (int d = 0; d < DIR_COUNT; d++)
			out_number(t, (size_t)COLUMN_OF(c, d), classes->bytes[d][c]);
	class_bytes_add(&l->classes, classes);
}

/* How the toolstack describes a vif that is there. */
static void put_live(struct listing *l, struct out_table *t, const struct live_vif *v)
{
	const struct xen_vif *xen = v->xen;
	char *state = l->states ? live_state_of(l->states, xen->domid) : mem_strdup("up");

	out_text(t, COLUMN_DOMAIN, xen->domain);
	out_number(t, COLUMN_DOMID, xen->domid);
	out_text(t, COLUMN_UUID, xen->uuid);
	out_text(t, COLUMN_STATE, state);
	out_number(t, COLUMN_DEVID, xen->devid);
	out_text(t, COLUMN_NETDEV, *v->netdev ? v->netdev : NULL);
	out_text(t, COLUMN_MAC, xen->mac);
	out_text(t, COLUMN_ADDRESSES, xen->addresses);
	out_text(t, COLUMN_BRIDGE, xen->bridge);
	put_rates(l, t, xen);
	free(state);
}

/* How the ledger describes one that is not, or that nobody could look at. */
static void put_known(struct out_table *t, const struct usage_vif *v, bool gone)
{
	out_text(t, COLUMN_DOMAIN, v->domain);
	out_number(t, COLUMN_DOMID, v->domid);
	out_text(t, COLUMN_UUID, v->uuid);
	out_text(t, COLUMN_STATE, gone ? "gone" : NULL);
	out_number(t, COLUMN_DEVID, v->devid);
	out_text(t, COLUMN_NETDEV, v->netdev);
	out_text(t, COLUMN_MAC, v->mac);
	out_text(t, COLUMN_ADDRESSES, v->addresses);
	out_text(t, COLUMN_BRIDGE, v->bridge);
}

static void put_row(struct listing *l, struct out_table *t, const struct present_row *row)
{
	out_row(t);
	if (row->live)
		put_live(l, t, row->live);
	else
		put_known(t, row->known, row->gone);
	if (row->known) {
		out_text(t, COLUMN_BUCKET, row->known->bucket);
		out_number(t, COLUMN_APPEARED, (uint64_t)row->known->appeared);
		if (row->known->gone >= 0)
			out_number(t, COLUMN_GONE, (uint64_t)row->known->gone);
		put_classes(l, t, &row->known->classes);
	}
	if (is_blind(l, row))
		out_text(t, COLUMN_NOT_SPLIT, "blind");
	put_bytes(l, t, row);
}

static void put_totals(struct listing *l, struct out_table *t)
{
	char *month = period_month_name(l->month.from);
	char *name = l->has_ledger ? mem_printf("total %s", month) : mem_strdup("total");

	out_row(t);
	out_row_is_total(t);
	out_text(t, COLUMN_DOMAIN, name);
	for (size_t d = 0; d < DIR_COUNT; d++) {
		if (l->any_rate)
			out_number(t, COLUMN_RATE + d, l->rates[d]);
		if (l->any_bytes)
			out_number(t, COLUMN_BYTES + d, l->bytes[d]);
	}
	if (l->any_bytes)
		out_number(t, COLUMN_TOTAL, l->bytes[DIR_INPUT] + l->bytes[DIR_OUTPUT]);
	put_charged(l, t, &l->classes);
	free(name);
	free(month);
}

static void put_split_heads(const struct listing *l, struct out_table *t)
{
	static const char *const words[] = {[CONTROL_SPLIT_OFF] = "off",
					    [CONTROL_SPLIT_KERNEL] = "kernel",
					    [CONTROL_SPLIT_PCAP] = "pcap",
					    [CONTROL_SPLIT_FAILING] = "failing"};
	const struct control_status *s = &l->daemon;
	const char *charging = l->known.charge_unattributed ? "external" : "none";

	out_head_text(t, "split", l->has_rates ? words[s->split] : NULL);
	out_head_words(t, "uplinks", l->has_rates ? s->uplinks : NULL);
	out_head_number(t, "dropped", l->has_rates ? (int64_t)s->dropped : -1);
	out_head_number(t, "stray_packets", l->has_rates ? (int64_t)s->stray_packets : -1);
	out_head_number(t, "stray_bytes", l->has_rates ? (int64_t)s->stray_bytes : -1);
	out_head_text(t, "unattributed", l->has_ledger ? charging : NULL);
}

static void put_heads(const struct listing *l, struct out_table *t)
{
	char *month = period_month_name(l->month.from);

	out_head_text(t, "command", "list-domains");
	out_head_time(t, "time", l->cli->now);
	out_head_text(t, "source", l->has_live ? "live" : "ledger");
	out_head_flag(t, "xenbwd_runs", l->has_rates);
	out_head_text(t, "ledger", l->has_ledger ? l->cli->conf.ledger : NULL);
	out_head_time(t, "ledger_seen", l->has_ledger ? l->known.run.seen : -1);
	out_head_text(t, "timezone", l->cli->conf.timezone);
	out_head_text(t, "month", l->has_ledger ? month : NULL);
	out_head_time(t, "month_from", l->has_ledger ? l->month.from : -1);
	out_head_time(t, "month_to", l->has_ledger ? l->month.to : -1);
	put_split_heads(l, t);
	free(month);
}

/* A bucket that is called like its domain tells nothing. */
static bool buckets_are_domains(const struct present *p)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct present_row *row = &p->rows[i];
		const char *domain = row->live ? row->live->xen->domain : row->known->domain;

		if (row->known && (!domain || strcmp(domain, row->known->bucket) != 0))
			return false;
	}
	return true;
}

/* ---- the lines below the table ---- */

static char *bytes_text(const struct listing *l, uint64_t bytes)
{
	return l->cli->screen.exact ? mem_printf("%" PRIu64 " bytes", bytes) : units_bytes(bytes);
}

static uint64_t booked_as(const struct listing *l, enum byte_class c)
{
	return l->classes.bytes[DIR_INPUT][c] + l->classes.bytes[DIR_OUTPUT][c];
}

/* Is anything of what is listed booked by class? */
static bool is_split(const struct listing *l)
{
	for (int c = 0; c < CLASS_COUNT; c++)
		if (c != CLASS_UNATTRIBUTED && booked_as(l, (enum byte_class)c))
			return true;
	return false;
}

static void tell_splitter(const struct listing *l)
{
	if (!l->has_rates)
		return;
	switch (l->daemon.split) {
	case CONTROL_SPLIT_OFF:
		puts("Attribution is off.");
		break;
	case CONTROL_SPLIT_KERNEL:
		printf("Split by the kernel (eBPF) on %s.\n", l->daemon.uplinks);
		break;
	case CONTROL_SPLIT_PCAP:
		printf("Split by libpcap on %s.\n", l->daemon.uplinks);
		break;
	case CONTROL_SPLIT_FAILING:
		puts("Nobody looks at the uplinks at present.");
		break;
	}
}

/* What the columns EXT hold, which end at the last commit. */
static void tell_external(const struct listing *l)
{
	uint64_t unknown = booked_as(l, CLASS_UNATTRIBUTED);
	char *seen = period_local(l->known.run.seen), *text = bytes_text(l, unknown);

	if (!is_split(l) && unknown)
		puts("Unsplit: all that is booked is unattributed.");
	if (is_split(l)) {
		printf("EXT: booked up to %s", seen);
		if (unknown)
			printf(l->known.charge_unattributed ? ", %s of it unattributed"
							    : ", without %s unattributed",
			       text);
		puts(".");
	}
	free(text);
	free(seen);
}

/* Vifs that nobody can split. */
static void tell_blind(const struct listing *l)
{
	const char *before = "Cannot be told apart (NAT, or no MAC or address known): ", *after = "";

	for (size_t i = 0; i < l->present.count; i++) {
		const struct live_vif *v = l->present.rows[i].live;
		char *name;

		if (!is_blind(l, &l->present.rows[i]))
			continue;
		name = text_printable(v->netdev, strlen(v->netdev));
		printf("%s%s", before, name);
		before = ", ";
		after = ".\n";
		free(name);
	}
	fputs(after, stdout);
}

/* What was seen under no guest's name, or not at all. */
static void tell_missing(const struct listing *l)
{
	const struct control_status *s = &l->daemon;
	char *text;

	if (s->dropped)
		printf("Missed: %" PRIu64 " %s since xenbwd started; the bytes are unattributed.\n",
		       s->dropped, s->dropped == 1 ? "packet" : "packets");
	if (!s->stray_packets)
		return;
	text = bytes_text(l, s->stray_bytes);
	printf("Strays: %" PRIu64 " %s (%s) left under MACs or addresses of no guest.\n", s->stray_packets,
	       s->stray_packets == 1 ? "packet" : "packets", text);
	free(text);
}

/* What a glance at the table would miss: the domains' earlier lives of this month. */
static void tell_gone(const struct listing *l)
{
	uint64_t bytes = 0;
	size_t count = 0;
	char *text;

	for (size_t i = 0; i < l->present.count; i++) {
		const struct present_row *row = &l->present.rows[i];

		if (row->gone && row->bytes[DIR_INPUT] + row->bytes[DIR_OUTPUT]) {
			bytes += row->bytes[DIR_INPUT] + row->bytes[DIR_OUTPUT];
			count++;
		}
	}
	if (!count)
		return;
	text = bytes_text(l, bytes);
	printf("Not listed: %zu %s gone, with %s this month. --all lists %s.\n", count,
	       count == 1 ? "vif is" : "vifs are", text, count == 1 ? "it" : "them");
	free(text);
}

static void tell_below(const struct listing *l, bool all)
{
	if (!all)
		tell_gone(l);
	tell_splitter(l);
	tell_external(l);
	tell_blind(l);
	tell_missing(l);
}

static int write_listing(struct listing *l, char **err)
{
	bool all = l->cli->args.value[OPTION_ALL] != NULL, any = false;
	struct out_column columns[COLUMN_COUNT];
	struct out_table *t;
	int status = CLI_OK;

	memcpy(columns, list_columns, sizeof(columns));
	if (buckets_are_domains(&l->present))
		columns[COLUMN_BUCKET].drop = DROP_SAME_BUCKET;
	t = out_new(columns, COLUMN_COUNT);
	put_heads(l, t);
	for (size_t i = 0; i < l->present.count; i++)
		if (all || !l->present.rows[i].gone) {
			put_row(l, t, &l->present.rows[i]);
			any = true;
		}
	if (any)
		put_totals(l, t);
	if (!is_split(l))
		for (int d = 0; d < DIR_COUNT; d++)
			columns[COLUMN_CHARGED + d].title = NULL;
	if (any || l->cli->format != OUT_TERMINAL)
		status = cli_write(l->cli, t, "vifs", err);
	else
		puts("No domain has a vif now.");
	if (l->cli->format == OUT_TERMINAL)
		tell_below(l, all);
	out_free(t);
	return status;
}

int cli_list_domains(struct cli *cli, char **err)
{
	struct listing l = {.cli = cli};
	int status = CLI_FAILED;

	if (cli_configure(cli, err) == 0 && gather(&l, err) == 0)
		status = write_listing(&l, err);
	release(&l);
	return status;
}
