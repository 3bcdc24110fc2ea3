/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * alias: the process of xenbw-alias, which gives vifs their domains' names as aliases.
 *
 * Started once, while xenbwd has its rights; lives through reloads. Nothing is counted by it, and nothing
 * waits for it.
 */
#ifndef XENBW_DAEMON_ALIAS_H
#define XENBW_DAEMON_ALIAS_H

#include <stdbool.h>

#include "config/conf.h"

struct daemon_alias;

/* Never fails: what does not work is logged. */
struct daemon_alias *daemon_alias_new(void);
void daemon_alias_free(struct daemon_alias *a);

/* After a reload: says what takes effect with the next start only. a may be NULL. */
void daemon_alias_follow(const struct daemon_alias *a, const struct conf *conf);

/* Whose the device is. False where it has to be said again later. */
bool daemon_alias_tell(struct daemon_alias *a, unsigned ifindex, const char *domain);

/* `xenbwd --detach`: takes the aliases away, with a process of its own. */
int daemon_alias_take_away(char **err);

#endif
