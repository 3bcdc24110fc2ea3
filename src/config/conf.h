/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * conf: the settings of one host, read from xenbw.conf or from netacct's naccttab.
 *
 * Both have one line grammar (keyword, blanks, value; '#' starts a comment anywhere; keywords in any case)
 * and one table of keywords (keywords.c). In xenbw.conf an unknown word or a bad value is an error that names
 * file, line, word and the way out. A naccttab must run unchanged: there unknown words and those that mean
 * nothing here become warnings. Never opens anything but configuration files; never logs: warnings are the
 * caller's to show.
 */
#ifndef XENBW_CONF_H
#define XENBW_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "config/billing.h"
#include "config/network.h"
#include "config/quotas.h"

#define CONF_DEFAULT_PATH "/etc/xenbw/xenbw.conf"

enum conf_kind { CONF_XENBW, CONF_NACCTTAB };
enum bucket_kind { BUCKET_DOMAIN, BUCKET_IP };
enum database_kind { DATABASE_NONE, DATABASE_MYSQL };
enum mysql_tls { TLS_OFF, TLS_PREFER, TLS_REQUIRE, TLS_VERIFY };
enum attribution_kind { ATTRIBUTION_AUTO, ATTRIBUTION_KERNEL, ATTRIBUTION_PCAP, ATTRIBUTION_OFF };

/* How to reach the server. Each text is NULL where it is not set. */
struct conf_mysql {
	char *user;          /* NULL: the client library's default, the process's user */
	char *password;      /* from the file itself; NULL: none */
	char *password_file; /* path; wins over password; its first line is the password */
	char *host;     /* a name or an address; beginning with '/': the path of a socket. NULL: localhost */
	char *database; /* never NULL; `netacct` unless set */
	char *table;    /* never NULL; `traffic` unless set; letters, digits, '_' and '$' only */
	char *tls_ca;   /* path of a PEM file; NULL: the system's */
	enum mysql_tls tls;
	unsigned port; /* 0: the client library's default */
};

/* `address IP OWNER`: the admin's word on whose address it is. */
struct conf_address {
	struct network network; /* a whole address: /32 or /128 */
	char *owner;            /* a domain's name, a vif's device name, or a MAC in lower case with colons */
};

struct conf_addresses {
	struct conf_address *list;
	size_t count;
};

struct conf_texts {
	char **list;
	size_t count;
};

/* xenbw web */
struct conf_web {
	char *listen; /* ADDRESS:PORT, [ADDRESS]:PORT */
	bool behind_tls;
	char *users; /* path */
};

struct conf {
	enum conf_kind kind;
	bool has_text;     /* the file is not of zero bytes */
	unsigned poll;     /* seconds between two readings */
	unsigned flush;    /* seconds between two commits */
	unsigned errdelay; /* flushes that a failed sink leaves out before it tries again */
	enum bucket_kind bucket;
	char *bucket_suffix; /* appended to domains' labels in the traffic table; NULL = nothing */
	char *ledger;        /* path */
	unsigned retain;     /* months whose slots stay in it, beside the present one; 0: all */
	char *rrd_dir;       /* path, NULL = none */
	char *control;       /* path of the control socket */
	char *timezone;      /* a TZ name, NULL = the system's */
	char *pidfile;       /* path, NULL = none */
	char *user;          /* whom the helpers run as */
	bool ifalias;        /* vifs get their domains' names as aliases */
	enum database_kind database;
	struct conf_mysql mysql;
	struct conf_addresses addresses;
	struct networks compactnet;
	/* the split */
	enum attribution_kind attribution;
	bool charge_unattributed;  /* bytes of unknown class are charged as external ones */
	struct conf_texts devices; /* names of the uplinks; none: xenbwd finds them */
	struct networks ournet, direct_peer, peer, ignorenet, dontignore;
	struct network ignoremask;
	/* reports */
	struct billing_owners owners;
	struct billing_days billing;
	struct quotas quotas;
	char *quota_hook; /* path, NULL = none */
	unsigned quota_hook_seconds;
	struct conf_web web;
	struct conf_texts warnings; /* about the files that were read, "file:line: …" */
};

/* The defaults of xenbw.conf; release with conf_free. */
void conf_init(struct conf *c);
void conf_free(struct conf *c);

/* Reads `path` over the defaults: a naccttab where its name contains "naccttab" or it has a compactnet line.
 * Networks of a file `nacctpeering` beside it, where there is one, become `peer` ones. With `missing_ok` a
 * file that is not there changes nothing. */
int conf_read(struct conf *c, const char *path, bool missing_ok, char **err);

/* Reads from an open stream, as c->kind says; `name` stands for the file in errors and warnings. */
int conf_parse(struct conf *c, FILE *in, const char *name, char **err);

/* Reads what xenbwd tells a helper of its settings: text on a descriptor (it may hold a password), which is
 * read to its end and closed. `c` holds the defaults, and the kind. */
int conf_receive(struct conf *c, int fd, char **err);

/* Reads lines of netacct's nacctpeering (`address/bits` or `address/mask`) into c->peer. */
int conf_parse_peering(struct conf *c, FILE *in, const char *name, char **err);

/* Writes the effective settings; what it writes parses again to the same settings, but for the password,
 * which becomes a comment unless with_secrets. */
void conf_print(const struct conf *c, FILE *out, bool with_secrets);

/* Whether the kernel is to tell the classes apart, if need be only where it can. */
bool conf_asks_kernel(const struct conf *c);

/* Sets the process's time zone (TZ) for reports as `timezone` says. */
void conf_apply_timezone(const struct conf *c);

/* Calendar months whose slots stay in the ledger, beside the present one, by `retain` and `billing_day`; 0:
 * all. A month that begins later than on the 1st ends in the next one of the calendar. */
unsigned conf_kept_months(const struct conf *c);

#endif
