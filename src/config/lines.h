/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * lines: configuration files as bytes, and the grammar that xenbw.conf and netacct's files have in common.
 *
 * A line is a keyword, blanks, a value; '#' starts a comment anywhere, blank lines mean nothing. Reads files,
 * knows no keyword. Errors name the file, and what may be done.
 */
#ifndef XENBW_LINES_H
#define XENBW_LINES_H

#include <stddef.h>
#include <sys/stat.h>

/* A file's bytes (free()), with a line's end behind them; 1 where there is no file. Refuses what is larger
 * than 16 MiB. */
int lines_read_file(const char *path, char **text, size_t *length, struct stat *st, char **err);

/* The path of a file of this name in the folder of `path`; free(). */
char *lines_beside(const char *path, const char *name);

/* Takes comment and blanks off a line, in place; NULL where nothing is left. */
char *lines_bare(char *line);

/* Cuts the line behind its first word, in place; returns the rest, "" where there is none. */
char *lines_cut_word(char *line);

/* The next word, allocated, and *s behind it; NULL at the line's end. */
char *lines_next_word(const char **s);

#endif
