/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xenbw-web: shows browsers what is in the ledger. `xenbw web` becomes it.
 *
 * It reads the configuration and takes its address, then becomes the user of the helpers, for good; nothing
 * that comes over the network is read before. It knows the counting only by the ledger's file, read-only.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/privileges.h"
#include "base/started.h"
#include "base/user.h"
#include "config/conf.h"
#include "web/server.h"

struct arguments {
	const char *conf, *ledger;
};

static const char usage[] = "usage: xenbw-web [-c FILE] [--ledger FILE]\n"
			    "       xenbw-web --help | --version\n"
			    "Serves what `xenbw web` promises, see xenbw(8).\n";

static void take_option(void *ctx, int option)
{
	struct arguments *a = ctx;

	if (option == 'c')
		a->conf = optarg;
	else
		a->ledger = optarg;
}

static const struct option options[] = {
	{"config", required_argument, NULL, 'c'}, {"ledger", required_argument, NULL, 'l'}, STARTED_OPTIONS};
static const struct started_arguments arguments = {
	.name = "xenbw-web", .usage = usage, .letters = "hc:", .options = options, .take = take_option};

static int configure(const struct arguments *a, struct conf *conf, char **err)
{
	conf_init(conf);
	if (conf_read(conf, a->conf ? a->conf : CONF_DEFAULT_PATH, a->conf == NULL, err) < 0)
		return -1;
	if (a->ledger)
		mem_replace(&conf->ledger, a->ledger);
	conf_apply_timezone(conf);
	return 0;
}

/* Root becomes the helpers' user; who is not root stays who it is. */
static int step_down(const struct conf *conf, char **err)
{
	struct user u;
	int rc;

	if (!privileges_may_change_user())
		return privileges_drop(err);
	rc = user_find(conf->user, &u, err);
	if (rc == 0)
		return err_set(err, "there is no user `%s`; see `user` in xenbw.conf(5)", conf->user);
	return rc < 0 ? -1 : privileges_become(&u, err);
}

static int serve(const struct arguments *a, char **err)
{
	struct web *w = mem_alloc(sizeof(*w)); /* too large for the stack */
	struct server *s = NULL;
	struct conf conf;
	int rc = configure(a, &conf, err);

	if (rc < 0) {
		conf_free(&conf);
		free(w);
		return -1;
	}
	rc = web_init(w, &conf, err);
	if (rc == 0)
		rc = server_open(&s, w, err);
	if (rc == 0)
		rc = step_down(&w->conf, err);
	if (rc == 0)
		rc = privileges_hide(err);
	if (rc == 0) {
		log_info("ready: http://%s/", w->conf.web.listen);
		rc = server_run(s, err);
	}
	server_close(s);
	web_free(w);
	free(w);
	return rc;
}

int main(int argc, char **argv)
{
	struct arguments a = {0};
	char *err = NULL;
	int rc = started_read(&arguments, argc, argv, &a);

	if (rc != 0)
		return rc - 1;
	log_init("xenbw-web", false);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		rc = err_set(&err, "cannot ignore SIGPIPE: %s", strerror(errno));
	if (rc == 0)
		rc = serve(&a, &err);
	if (rc < 0)
		log_err("%s", err);
	free(err);
	return rc < 0;
}
