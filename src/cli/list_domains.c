/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/list_domains.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/list_below.h"

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

/* On a narrow terminal those go last that an admin looks for first: the domain, how it is, its bytes. */
#define DROP_SAME_BUCKET 3

static const struct out_column list_columns[COLUMN_COUNT] = {
	[COLUMN_DOMAIN] = {"domain", "DOMAIN", OUT_TEXT, 0},
	[COLUMN_DOMID] = {"domid", "ID", OUT_NUMBER, 9},
	[COLUMN_UUID] = {"uuid", NULL, OUT_TEXT, 0},
	[COLUMN_STATE] = {"state", "STATE", OUT_TEXT, 11},
	[COLUMN_DEVID] = {"devid", "VIF", OUT_NUMBER, 7},
	[COLUMN_NETDEV] = {"netdev", "DEVICE", OUT_TEXT, 10},
	[COLUMN_MAC] = {"mac", "MAC", OUT_TEXT, 2},
	[COLUMN_ADDRESSES] = {"addresses", "ADDRESSES", OUT_WORDS, 4},
	[COLUMN_BRIDGE] = {"bridge", "BRIDGE", OUT_TEXT, 1},
	[COLUMN_BUCKET] = {"bucket", "BUCKET", OUT_TEXT, 8},
	[COLUMN_RATE + DIR_INPUT] = {"input_bytes_per_second", "IN BIT/S", OUT_RATE, 5},
	[COLUMN_RATE + DIR_OUTPUT] = {"output_bytes_per_second", "OUT BIT/S", OUT_RATE, 5},
	[COLUMN_BYTES + DIR_INPUT] = {"input", "INPUT", OUT_BYTES, 0},
	[COLUMN_BYTES + DIR_OUTPUT] = {"output", "OUTPUT", OUT_BYTES, 0},
	[COLUMN_TOTAL] = {"total", "TOTAL", OUT_BYTES, 0},
	[COLUMN_CHARGED + DIR_INPUT] = {NULL, "EXT IN", OUT_BYTES, 6},
	[COLUMN_CHARGED + DIR_OUTPUT] = {NULL, "EXT OUT", OUT_BYTES, 6},
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

static void put_rates(struct listing *l, struct out_table *t, const struct xen_vif *xen)
{
	const struct control_vif *v = listing_said_of(l, xen);

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
	if (listing_is_blind(l, row))
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

int list_domains_write(struct listing *l, char **err)
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
	if (!listing_is_split(l))
		for (int d = 0; d < DIR_COUNT; d++)
			columns[COLUMN_CHARGED + d].title = NULL;
	if (any || l->cli->format != OUT_TERMINAL)
		status = cli_write(l->cli, t, "vifs", err);
	else
		puts("No domain has a vif now.");
	if (l->cli->format == OUT_TERMINAL)
		list_below(l, all);
	out_free(t);
	return status;
}
