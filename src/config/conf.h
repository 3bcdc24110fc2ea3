/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * conf: the settings of one host, read from xenbw.conf.
 *
 * Line grammar: keyword, blanks, value; '#' starts a comment; keywords in any case. An unknown keyword or a
 * bad value is an error that names file, line, word and the nearest known word. What the table in conf.c does
 * not list does not exist.
 */
#ifndef XENBW_CONF_H
#define XENBW_CONF_H

#include <stdbool.h>
#include <stdio.h>

#define CONF_DEFAULT_PATH "/etc/xenbw/xenbw.conf"

enum bucket_kind { BUCKET_DOMAIN, BUCKET_IP };

struct conf {
	unsigned poll;  /* seconds between two readings */
	unsigned flush; /* seconds between two commits */
	enum bucket_kind bucket;
	char *ledger;   /* path */
	char *rrd_dir;  /* path, NULL = none */
	char *control;  /* path of the control socket */
	char *timezone; /* a TZ name, NULL = the system's */
};

/* The defaults; release with conf_free. */
void conf_init(struct conf *c);
void conf_free(struct conf *c);

/* Reads `path` over the present values. With `missing_ok` a file that is not there changes nothing. */
int conf_read(struct conf *c, const char *path, bool missing_ok, char **err);

/* Reads from an open stream; `name` stands for the file in errors. */
int conf_parse(struct conf *c, FILE *in, const char *name, char **err);

/* Writes the effective settings; what it writes parses again to the same settings. */
void conf_print(const struct conf *c, FILE *out);

/* Sets the process's time zone (TZ) for reports as `timezone` says. */
void conf_apply_timezone(const struct conf *c);

#endif
