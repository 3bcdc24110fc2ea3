/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * watch: a terminal that is drawn again and again, and keys.
 *
 * Takes over the terminal (its other screen, no echo, keys at once) and gives it back on watch_close, also
 * after INT and TERM, which it takes for the end. While a picture is drawn, standard output and standard
 * error are its paper: what does not fit below the last line of the screen is left out. Needs a terminal on
 * standard input and standard output.
 */
#ifndef XENBW_WATCH_H
#define XENBW_WATCH_H

#include "cli/cli.h"

struct watch;

/* What a wait ended with, where it was no key. */
enum { WATCH_TIME = 0, WATCH_RESIZED = -1, WATCH_END = -2 };

/* On failure *out is NULL. */
int watch_open(struct watch **out, struct cli *cli, char **err);
void watch_close(struct watch *w);

/* From begin to end, what is written to stdout and stderr is a picture. */
void watch_begin(struct watch *w);
void watch_end(struct watch *w);

/* Lines of the screen. */
size_t watch_height(const struct watch *w);

/* A key, or one of the words above; at most so long. */
int watch_wait(struct watch *w, unsigned ms);

/* Draws with `draw` each so many seconds, and at once after a resize, until the end or the key q. An exit
 * status. */
int watch_run(struct cli *cli, unsigned seconds, int (*draw)(struct cli *cli, char **err), char **err);

/* The number of seconds of an option, 1 to 3600; `fallback` where it is not given or empty. */
int watch_seconds(const char *text, unsigned fallback, unsigned *out, char **err);

#endif
