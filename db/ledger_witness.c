/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/ledger_witness.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define ROOM 96 /* always as many bytes, so that nothing of a longer one stays */

bool ledger_witness_read(int lock_fd, struct ledger_witness *w)
{
	char line[ROOM + 1];
	ssize_t n = pread(lock_fd, line, ROOM, 0);
	uint64_t seq;
	char *blank;

	*w = (struct ledger_witness){0};
	if (n <= 0)
		return false;
	line[n] = '\0';
	blank = strchr(line, ' ');
	if (!blank || blank == line || (size_t)(blank - line) >= sizeof(w->uuid))
		return false;
	memcpy(w->uuid, line, (size_t)(blank - line));
	blank[1 + strcspn(blank + 1, " \n")] = '\0';
	if (!text_u64(blank + 1, 0, INT64_MAX, &seq))
		return false;
	w->seq = (int64_t)seq;
	return true;
}

void ledger_witness_write(int lock_fd, const struct ledger_witness *w)
{
	char line[ROOM + 1];
	int n = snprintf(line, sizeof(line), "%s %" PRId64, w->uuid, w->seq);

	if (n < 0 || n >= ROOM)
		return;
	memset(line + n, ' ', (size_t)(ROOM - n));
	line[ROOM - 1] = '\n';
	(void)!pwrite(lock_fd, line, ROOM, 0);
}
