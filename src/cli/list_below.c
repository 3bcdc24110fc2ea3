/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/list_below.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/units.h"

static char *bytes_text(const struct listing *l, uint64_t bytes)
{
	return l->cli->screen.exact ? mem_printf("%" PRIu64 " bytes", bytes) : units_bytes(bytes);
}

static void tell_splitter(const struct listing *l)
{
	if (!l->has_rates)
		return;
	switch (l->daemon.split) {
	case CONTROL_SPLIT_OFF:
		cli_say(l->cli, "Attribution is off.");
		break;
	case CONTROL_SPLIT_KERNEL:
		cli_say(l->cli, "Split by the kernel (eBPF) on %s.", l->daemon.uplinks);
		break;
	case CONTROL_SPLIT_PCAP:
		cli_say(l->cli, "Split by libpcap on %s.", l->daemon.uplinks);
		break;
	case CONTROL_SPLIT_FAILING:
		cli_say(l->cli, "Nobody looks at the uplinks at present.");
		break;
	}
}

/* What the columns EXT hold, which end at the last commit. */
static void tell_external(const struct listing *l)
{
	uint64_t unknown = listing_booked_as(l, CLASS_UNATTRIBUTED);
	char *seen = period_local(l->known.run.seen), *text = bytes_text(l, unknown);
	const char *before = !unknown ? "" : l->known.charge_unattributed ? ", " : ", without ";
	const char *after = !unknown                       ? ""
			    : l->known.charge_unattributed ? " of it unattributed"
							   : " unattributed";

	if (!listing_is_split(l) && unknown)
		cli_say(l->cli, "Unsplit: all that is booked is unattributed.");
	if (listing_is_split(l))
		cli_say(l->cli, "EXT: booked up to %s%s%s%s.", seen, before, unknown ? text : "", after);
	free(text);
	free(seen);
}

/* Vifs that nobody can split. */
static void tell_blind(const struct listing *l)
{
	char *names = NULL;

	for (size_t i = 0; i < l->present.count; i++) {
		const struct live_vif *v = l->present.rows[i].live;
		char *name, *longer;

		if (!listing_is_blind(l, &l->present.rows[i]))
			continue;
		name = text_printable(v->netdev, strlen(v->netdev));
		longer = mem_printf("%s%s%s", names ? names : "", names ? ", " : "", name);
		free(name);
		free(names);
		names = longer;
	}
	if (names)
		cli_say(l->cli, "Cannot be told apart (NAT, or no MAC or address known): %s.", names);
	free(names);
}

/* What was seen under no guest's name, or not at all. */
static void tell_missing(const struct listing *l)
{
	const struct control_status *s = &l->daemon;
	char *text;

	if (s->dropped)
		cli_say(l->cli, "Missed: %" PRIu64 " %s since xenbwd started; the bytes are unattributed.",
			s->dropped, s->dropped == 1 ? "packet" : "packets");
	if (!s->stray_packets)
		return;
	text = bytes_text(l, s->stray_bytes);
	cli_say(l->cli, "Strays: %" PRIu64 " %s (%s) left under MACs or addresses of no guest.",
		s->stray_packets, s->stray_packets == 1 ? "packet" : "packets", text);
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
	cli_say(l->cli, "Not listed: %zu %s gone, with %s this month. --all lists %s.", count,
		count == 1 ? "vif is" : "vifs are", text, count == 1 ? "it" : "them");
	free(text);
}

void list_below(const struct listing *l, bool all)
{
	if (!all)
		tell_gone(l);
	tell_splitter(l);
	tell_external(l);
	tell_blind(l);
	tell_missing(l);
}
