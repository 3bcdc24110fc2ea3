/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * migrate_json: `xenbw migrate --json`: one object with lines, notes, addresses and the proposal.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/migrate.h"
#include "cli/period.h"

/* A text, or null. What the file holds may be no UTF-8. */
static json_t *text_value(const char *s)
{
	char *printable;
	json_t *value;

	if (!s)
		return json_null();
	value = json_string(s);
	if (value)
		return value;
	printable = text_printable(s, strlen(s));
	value = json_string(printable);
	free(printable);
	return value;
}

static json_t *number_value(bool known, size_t n)
{
	return known ? json_integer((json_int_t)n) : json_null();
}

static json_t *texts_value(const struct conf_texts *texts)
{
	json_t *array = json_array();

	for (size_t i = 0; i < texts->count; i++)
		json_array_append_new(array, text_value(texts->list[i]));
	return array;
}

static json_t *lines_value(const struct naccttab *t)
{
	json_t *array = json_array();

	for (size_t i = 0; i < t->count; i++) {
		const struct naccttab_line *l = &t->lines[i];
		json_t *line = json_object();

		json_object_set_new(line, "line", number_value(true, l->number));
		json_object_set_new(line, "word", text_value(l->word));
		json_object_set_new(line, "value", text_value(l->value));
		json_object_set_new(line, "verdict", text_value(naccttab_verdict_word(l->verdict)));
		json_object_set_new(line, "never_worked", json_boolean(l->dead));
		json_object_set_new(line, "was", text_value(l->did));
		json_object_set_new(line, "now", text_value(l->now));
		json_array_append_new(array, line);
	}
	return array;
}

static json_t *owners_value(const struct migrate_owners *o)
{
	json_t *array = json_array();

	for (size_t i = 0; i < o->count; i++) {
		const struct migrate_owner *owner = &o->list[i];
		json_t *row = json_object();

		json_object_set_new(row, "address", text_value(owner->address));
		json_object_set_new(row, "line", number_value(true, owner->line));
		json_object_set_new(row, "domain", text_value(owner->domain));
		json_object_set_new(row, "domid", number_value(owner->has_vif, owner->domid));
		json_object_set_new(row, "devid", number_value(owner->has_vif, owner->devid));
		json_object_set_new(row, "netdev", text_value(owner->device));
		json_object_set_new(row, "mac", text_value(owner->mac));
		json_object_set_new(row, "evidence", text_value(migrate_evidence_word(owner->evidence)));
		json_object_set_new(row, "remark", text_value(owner->remark));
		json_array_append_new(array, row);
	}
	return array;
}

void migrate_json(const struct migrate *m, FILE *to)
{
	char *time = period_utc(m->cli->now), *text = migrate_conf_text(m, false);
	json_t *top;

	/* With these allocators no call below can fail. */
	json_set_alloc_funcs(mem_alloc, free);
	top = json_object();
	json_object_set_new(top, "format", json_integer(1));
	json_object_set_new(top, "command", json_string("migrate"));
	json_object_set_new(top, "time", text_value(time));
	json_object_set_new(top, "file", text_value(m->tab.path));
	json_object_set_new(top, "peering", text_value(m->tab.has_peering ? m->tab.peering : NULL));
	json_object_set_new(top, "peers", number_value(true, m->tab.conf.peer.count));
	json_object_set_new(top, "peering_faults", texts_value(&m->tab.peering_faults));
	json_object_set_new(top, "notes", texts_value(&m->tab.notes));
	json_object_set_new(top, "not_counted", texts_value(&m->owners.not_counted));
	json_object_set_new(top, "proposal", text_value(text));
	json_object_set_new(top, "written", text_value(m->written));
	json_object_set_new(top, "addresses", owners_value(&m->owners));
	json_object_set_new(top, "lines", lines_value(&m->tab));
	(void)json_dumpf(top, to, JSON_INDENT(2)); /* the stream keeps the error */
	fputc('\n', to);
	json_decref(top);
	free(text);
	free(time);
}
