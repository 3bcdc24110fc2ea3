/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xen/guest_word.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "xen/value.h"

#define MOST_NODES 16 /* of one vif and family that are looked at */

/* Adds what a node holds to the words; the node's name is freed. */
static void add(struct store *s, char *node, char **words)
{
	size_t length;
	char *value = store_read(s, node, &length), *why = NULL;
	char *addresses = value ? value_addresses(value, length, &why) : NULL;

	if (addresses) {
		char *longer = mem_printf("%s%s%s", *words ? *words : "", *words ? " " : "", addresses);

		free(*words);
		*words = longer;
	}
	free(addresses);
	free(why);
	free(value);
	free(node);
}

char *guest_word(struct store *s, unsigned domid, unsigned devid)
{
	static const char *const families[] = {"ipv4", "ipv6"};
	char *words = NULL, *once, *why = NULL;

	for (size_t f = 0; f < sizeof(families) / sizeof(*families); f++) {
		char *folder = mem_printf("/local/domain/%u/attr/vif/%u/%s", domid, devid, families[f]);
		unsigned count;
		char **names = store_list(s, folder, &count);

		for (unsigned i = 0; i < count && i < MOST_NODES; i++)
			add(s, mem_printf("%s/%s", folder, names[i]), &words);
		free(names);
		free(folder);
	}
	add(s, mem_printf("/local/domain/%u/attr/eth%u/ip", domid, devid), &words); /* older agents */
	if (!words)
		return NULL;
	once = value_addresses(words, strlen(words), &why);
	free(why);
	free(words);
	return once;
}
