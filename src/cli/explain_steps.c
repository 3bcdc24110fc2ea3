/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/explain_steps.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "account/basis.h"
#include "base/mem.h"
#include "cli/period.h"
#include "db/ledger.h"

static const struct {
	const char *key, *label;
	char sign;
} rows[ROW_COUNT] = {
	[ROW_VIF] = {"vif", NULL, ' '},
	[ROW_EPOCH] = {"epoch", NULL, ' '},
	[ROW_NOT_OBSERVED] = {"not_observed", NULL, ' '},
	[ROW_EVENT] = {"event", NULL, ' '},
	[ROW_BUCKET] = {"bucket", NULL, ' '},
	[ROW_LAST] = {"last_counters", "last counters", ' '},
	[ROW_FIRST] = {"first_counters", "first counters", '-'},
	[ROW_HEADERS] = {"link_headers", NULL, '-'},
	[ROW_IP_BYTES] = {"ip_bytes", "IP bytes", '='},
	[ROW_READ_BEFORE] = {"read_before", "read before, then less", '+'},
	[ROW_EPOCHS] = {"epochs", "all its epochs", '='},
	[ROW_ESTIMATED] = {"estimated", "estimated at its end", '+'},
	[ROW_OTHER_BUCKETS] = {"other_buckets", "in other buckets", '-'},
	[ROW_RETIRED] = {"retired", "retired", '-'},
	[ROW_BEFORE] = {"before", "before the period", '-'},
	[ROW_AFTER] = {"after", "after the period", '-'},
	[ROW_BOOKED] = {"booked", "booked in the period", '='},
	[ROW_CLASS + CLASS_EXTERNAL] = {"external", "of it external", ' '},
	[ROW_CLASS + CLASS_PEER] = {"peer", "of it peer", ' '},
	[ROW_CLASS + CLASS_DIRECT] = {"direct", "of it direct", ' '},
	[ROW_CLASS + CLASS_LOCAL] = {"local", "of it local", ' '},
	[ROW_CLASS + CLASS_IGNORED] = {"ignored", "of it ignored", ' '},
	[ROW_CLASS + CLASS_UNATTRIBUTED] = {"unattributed", "of it unattributed", ' '},
	[ROW_PART_ESTIMATED] = {"part_estimated", "part: estimated", ' '},
	[ROW_PART_SPOOFED] = {"part_spoofed", "part: spoofed", ' '},
	[ROW_CLIPPED] = {"clipped", "in no sum: clipped", ' '},
	[ROW_OF_VIF] = {"of_vif", "booked of vif", '+'},
	[ROW_ALL_VIFS] = {"all_vifs", "booked in the period", '='},
	[ROW_ALL_CLASS + CLASS_PEER] = {"all_peer", "peer", '-'},
	[ROW_ALL_CLASS + CLASS_DIRECT] = {"all_direct", "direct", '-'},
	[ROW_ALL_CLASS + CLASS_LOCAL] = {"all_local", "local", '-'},
	[ROW_ALL_CLASS + CLASS_IGNORED] = {"all_ignored", "ignored", '-'},
	[ROW_ALL_CLASS + CLASS_UNATTRIBUTED] = {"all_unattributed", "unattributed", '-'},
	[ROW_REPORT] = {"report", "what `report` has", '='},
};

bool explain_row_has_bytes(enum explain_row row)
{
	return row >= ROW_LAST;
}

const char *explain_row_key(enum explain_row row)
{
	return rows[row].key;
}

const char *explain_row_label(enum explain_row row)
{
	return rows[row].label;
}

char explain_row_sign(enum explain_row row)
{
	return rows[row].sign;
}

/* ---- steps ---- */

struct making {
	const struct explain *e;
	struct explain_steps *out;
	const struct explain_vif *vif;
	const struct explain_epoch *epoch;
};

static struct explain_step *step(struct making *m, enum explain_row row, const uint64_t bytes[DIR_COUNT])
{
	struct explain_steps *s = m->out;
	struct explain_step *at;

	s->list = mem_resize(s->list, s->count + 1, sizeof(*s->list));
	at = &s->list[s->count++];
	*at = (struct explain_step){.row = row, .vif = m->vif, .epoch = m->epoch, .from = -1, .to = -1};
	if (bytes)
		memcpy(at->bytes, bytes, sizeof(at->bytes));
	return at;
}

/* A row that says nothing where it is 0. */
static void part(struct making *m, enum explain_row row, const uint64_t bytes[DIR_COUNT])
{
	if (bytes[DIR_INPUT] || bytes[DIR_OUTPUT])
		step(m, row, bytes);
}

static void not_observed(struct making *m, int64_t from, int64_t to, char *detail)
{
	struct explain_step *s = step(m, ROW_NOT_OBSERVED, NULL);

	s->from = from;
	s->to = to;
	s->detail = detail;
}

/* `id` 0: what it is about is said by `what` alone. */
static void check(struct making *m, const char *what, int64_t id, const uint64_t is[DIR_COUNT],
		  const uint64_t should[DIR_COUNT])
{
	for (int d = 0; d < DIR_COUNT; d++) {
		char *number = id ? mem_printf(" %" PRId64, id) : mem_strdup("");

		if (is[d] != should[d] && !m->out->wrong)
			m->out->wrong =
				mem_printf("%s%s has %" PRIu64 " bytes of %s, and should have %" PRIu64, what,
					   number, is[d], direction_name((enum direction)d), should[d]);
		free(number);
	}
}

/* ---- an epoch: from raw counters to IP bytes ---- */

static void counters_step(struct making *m, enum explain_row row, struct basis basis,
			  const struct counters *c)
{
	struct explain_step *s = step(m, row, NULL);

	s->has_packets = true;
	for (int d = 0; d < DIR_COUNT; d++) {
		struct basis_side side = basis_side(basis, c, (enum direction)d);

		s->bytes[d] = side.bytes;
		s->packets[d] = side.packets;
	}
}

static void headers_step(struct making *m, struct basis basis)
{
	struct explain_step *s = step(m, ROW_HEADERS, NULL);
	unsigned header[DIR_COUNT];

	s->has_packets = true;
	for (int d = 0; d < DIR_COUNT; d++) {
		struct basis_side first = basis_side(basis, &m->epoch->first, (enum direction)d);
		struct basis_side last = basis_side(basis, &m->epoch->last, (enum direction)d);

		header[d] = first.header;
		s->packets[d] = last.packets - first.packets;
		s->bytes[d] = s->packets[d] * first.header;
	}
	if (header[DIR_INPUT] == header[DIR_OUTPUT])
		s->label = mem_printf("%u bytes a packet", header[DIR_INPUT]);
	else
		s->label = mem_printf("%u, %u bytes a packet", header[DIR_INPUT], header[DIR_OUTPUT]);
}

static bool is_zero(const struct counters *c)
{
	return !(c->rx_bytes | c->rx_packets | c->tx_bytes | c->tx_packets);
}

static bool is_text(const char *text, const char *what)
{
	return text && strcmp(text, what) == 0;
}

/* Where the kernel threw an epoch's counters away, what came after the last reading is missing: the ledger
 * has no word on whether it did. A reboot's is a gap. */
static char *end_of(const struct explain_epoch *e)
{
	bool known = is_text(e->reason, "unbound") || is_text(e->reason, "another ledger") ||
		     is_text(e->reason, "reboot");
	char *doubt = e->doubtful
			      ? mem_printf("the carrier went down %u times without proof that the counters "
					   "were reset, so they were taken to go on",
					   e->doubtful)
			      : NULL;
	const char *missing = "what came after its last reading, at most a poll before, may be missing";
	char *text;

	if (e->closed < 0)
		return doubt;
	if (e->reason && strstr(e->reason, LEDGER_OUTPUT_KNOWN))
		missing = "of its input, what came after the last reading, at most a poll before, may be "
			  "missing";
	text = mem_printf("ended: %s%s%s%s%s%s", e->reason ? e->reason : "nobody said why", known ? "" : " (",
			  known ? "" : missing, known ? "" : ")", doubt ? "; " : "", doubt ? doubt : "");
	free(doubt);
	return text;
}

static void epoch_steps(struct making *m, const struct explain_epoch *e)
{
	struct basis basis = {e->rx_header, e->tx_header, m->vif->domid == 0};
	uint64_t ip[DIR_COUNT], before[DIR_COUNT], sum[DIR_COUNT];
	struct explain_step *s;

	m->epoch = e;
	s = step(m, ROW_EPOCH, NULL);
	s->from = e->opened;
	s->to = e->closed;
	s->label = mem_strdup(basis.own ? "rx and tx" : "tx and rx");
	s->detail = end_of(e);
	if (!is_zero(&e->first))
		not_observed(m, -1, e->opened,
			     mem_strdup("the device had counted before: that is in its first counters, and "
					"no part of this"));
	counters_step(m, ROW_LAST, basis, &e->last);
	counters_step(m, ROW_FIRST, basis, &e->first);
	headers_step(m, basis);
	for (int d = 0; d < DIR_COUNT; d++) {
		ip[d] = basis_bytes(basis, &e->last, (enum direction)d) -
			basis_bytes(basis, &e->first, (enum direction)d);
		/* a reading is never taken back, though a driver may */
		before[d] = e->booked[d] > ip[d] ? e->booked[d] - ip[d] : 0;
		sum[d] = ip[d] + before[d];
	}
	step(m, ROW_IP_BYTES, ip);
	part(m, ROW_READ_BEFORE, before);
	check(m, "epoch", e->id, e->booked, sum);
	m->epoch = NULL;
}

/* ---- gaps ---- */

/* The epoch that a vif was in at this time. */
static const struct explain_epoch *epoch_at(const struct explain_vif *v, int64_t time)
{
	for (size_t i = v->epoch_count; i-- > 0;) {
		const struct explain_epoch *e = &v->epochs[i];

		if (e->opened <= time && (e->closed < 0 || e->closed >= time))
			return e;
	}
	return NULL;
}

static void gap_steps(struct making *m, int64_t silent, int64_t now)
{
	for (size_t i = 0; i < m->e->gap_count; i++) {
		const struct explain_gap *g = &m->e->gaps[i];
		const struct explain_epoch *e = epoch_at(m->vif, g->from);

		if (!e)
			continue;
		if (e->closed < 0 || e->closed > g->to)
			not_observed(m, g->from, g->to,
				     mem_printf("no xenbwd; the counters of epoch %" PRId64 " went on, and "
						"what they grew by is in it",
						e->id));
		else
			not_observed(m, g->from, g->to,
				     mem_printf("%s; epoch %" PRId64 " ended meanwhile: what it counted "
						"from then on is not known",
						g->reboot ? "the host was started anew" : "no xenbwd",
						e->id));
	}
	if (silent >= 0 && m->vif->gone < 0)
		not_observed(m, silent, now,
			     mem_strdup("no commit since: what the counters hold by now is not booked yet"));
}

/* ---- a vif: from its epochs to the period ---- */

static void add(uint64_t to[DIR_COUNT], const uint64_t from[DIR_COUNT])
{
	for (int d = 0; d < DIR_COUNT; d++)
		to[d] += from[d];
}

static void totals(const struct usage_sums *s, uint64_t out[DIR_COUNT])
{
	for (int d = 0; d < DIR_COUNT; d++)
		out[d] = class_bytes_total(&s->classes, (enum direction)d);
}

static void class_steps(struct making *m, const struct usage_sums *s)
{
	const uint64_t spoofed[DIR_COUNT] = {[DIR_OUTPUT] = s->spoofed};

	for (int c = 0; c < CLASS_COUNT; c++) {
		const uint64_t bytes[DIR_COUNT] = {s->classes.bytes[DIR_INPUT][c],
						   s->classes.bytes[DIR_OUTPUT][c]};

		part(m, ROW_CLASS + (enum explain_row)c, bytes);
	}
	part(m, ROW_PART_ESTIMATED, s->estimated);
	part(m, ROW_PART_SPOOFED, spoofed);
	part(m, ROW_CLIPPED, s->clipped);
}

/* Of slots that left the ledger: when in the time before, is not known any more. */
static void retired_step(struct making *m, const uint64_t bytes[DIR_COUNT])
{
	struct explain_step *s;
	char *until;

	if (!bytes[DIR_INPUT] && !bytes[DIR_OUTPUT])
		return;
	s = step(m, ROW_RETIRED, bytes);
	s->to = m->e->retired;
	until = period_local(m->e->retired);
	s->label = mem_printf("retired until %.10s", until);
	free(until);
}

static void vif_steps(struct making *m, const struct explain_vif *v, int64_t silent, int64_t now)
{
	uint64_t counted[DIR_COUNT] = {0}, estimated[DIR_COUNT] = {0}, booked[DIR_COUNT] = {0};
	uint64_t by_when[EXPLAIN_WHENS][DIR_COUNT] = {{0}}, elsewhere[DIR_COUNT] = {0};
	struct explain_step *s;

	m->vif = v;
	s = step(m, ROW_VIF, NULL);
	s->from = v->appeared;
	s->to = v->gone;
	gap_steps(m, silent, now);
	for (size_t i = 0; i < v->epoch_count; i++) {
		epoch_steps(m, &v->epochs[i]);
		add(counted, v->epochs[i].booked);
	}
	for (int w = 0; w < EXPLAIN_WHENS; w++) {
		totals(&v->booked[w], by_when[w]);
		add(booked, by_when[w]);
		add(estimated, v->booked[w].estimated);
	}
	totals(&v->elsewhere, elsewhere);
	add(booked, elsewhere);
	add(estimated, v->elsewhere.estimated);
	if (v->epoch_count != 1)
		step(m, ROW_EPOCHS, counted);
	part(m, ROW_ESTIMATED, estimated);
	part(m, ROW_OTHER_BUCKETS, elsewhere);
	retired_step(m, by_when[EXPLAIN_RETIRED]);
	part(m, ROW_BEFORE, by_when[EXPLAIN_BEFORE]);
	part(m, ROW_AFTER, by_when[EXPLAIN_AFTER]);
	step(m, ROW_BOOKED, by_when[EXPLAIN_WITHIN]);
	class_steps(m, &v->booked[EXPLAIN_WITHIN]);
	add(counted, estimated);
	check(m, "vif", v->id, booked, counted);
	m->vif = NULL;
}

/* ---- the bucket: what a report says ---- */

static void of_vif_step(struct making *m, const struct explain_vif *v)
{
	uint64_t booked[DIR_COUNT];
	struct explain_step *s;

	totals(&v->booked[EXPLAIN_WITHIN], booked);
	s = step(m, ROW_OF_VIF, booked);
	s->vif = v;
	s->label = mem_printf("vif %" PRId64, v->id);
}

static void bucket_steps(struct making *m)
{
	const struct usage_report *r = &m->e->report;
	const struct usage_sums none = {0}, *told = r->count ? &r->rows[0].sums : &none;
	uint64_t all[DIR_COUNT], charged[DIR_COUNT] = {0}, sum[DIR_COUNT] = {0};
	struct class_bytes vifs = {0};

	step(m, ROW_BUCKET, NULL);
	totals(told, all);
	for (size_t i = 0; i < m->e->vif_count; i++) {
		const struct explain_vif *v = &m->e->vifs[i];

		class_bytes_add(&vifs, &v->booked[EXPLAIN_WITHIN].classes);
		of_vif_step(m, v);
	}
	step(m, ROW_ALL_VIFS, all);
	for (int c = 0; c < CLASS_COUNT; c++) {
		const uint64_t is[DIR_COUNT] = {told->classes.bytes[DIR_INPUT][c],
						told->classes.bytes[DIR_OUTPUT][c]};
		const uint64_t by_vif[DIR_COUNT] = {vifs.bytes[DIR_INPUT][c], vifs.bytes[DIR_OUTPUT][c]};

		check(m, explain_row_key(ROW_CLASS + (enum explain_row)c), 0, by_vif, is);
		if (c == CLASS_EXTERNAL || (c == CLASS_UNATTRIBUTED && r->unattributed_charged))
			add(charged, is);
		else
			part(m, ROW_ALL_CLASS + (enum explain_row)c, is);
		add(sum, is);
	}
	check(m, "bucket", r->count ? r->rows[0].bucket : 0, sum, all);
	step(m, ROW_REPORT, charged);
}

static void event_steps(struct making *m)
{
	for (size_t i = 0; i < m->e->event_count; i++) {
		const struct explain_event *e = &m->e->events[i];
		struct explain_step *s = step(m, ROW_EVENT, NULL);

		s->from = e->first;
		s->to = e->last;
		s->detail = e->count > 1 ? mem_printf("%s %s, %" PRIu64 " times; the last: %s", e->kind,
						      e->object, e->count, e->detail)
					 : mem_printf("%s %s: %s", e->kind, e->object, e->detail);
	}
}

void explain_steps_make(const struct explain *e, int64_t silent, int64_t now, struct explain_steps *out)
{
	struct making m = {.e = e, .out = out};

	*out = (struct explain_steps){0};
	for (size_t i = 0; i < e->vif_count; i++)
		vif_steps(&m, &e->vifs[i], silent, now);
	event_steps(&m);
	bucket_steps(&m);
}

void explain_steps_free(struct explain_steps *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->list[i].label);
		free(s->list[i].detail);
	}
	free(s->list);
	free(s->wrong);
	*s = (struct explain_steps){0};
}
