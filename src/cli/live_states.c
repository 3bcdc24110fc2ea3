/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * live_states: how the hypervisor says that domains are (cli/live.h).
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/live.h"
#include "cli/spawn.h"

#define STATES_LIMIT_MS 3000

char *live_states(void)
{
	static const char *const argv[] = {"xenbw-xl", NULL};
	char *text = NULL;

	if (spawn_run(argv[0], argv, STATES_LIMIT_MS, &text, NULL) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

char *live_state_of(const char *states, unsigned domid)
{
	char *head = mem_printf("%u\t", domid), *state = NULL;
	size_t length = strlen(head);

	/* domid, uuid, state, name, between tabs */
	for (const char *line = states; line && *line && !state;) {
		const char *uuid = line + length, *word = NULL;

		if (strncmp(line, head, length) == 0 && (word = strchr(uuid, '\t')))
			state = mem_strndup(word + 1, strcspn(word + 1, "\t\n"));
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	free(head);
	return state;
}
