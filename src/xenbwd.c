/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xenbwd: counts each guest's traffic on a Xen dom0.
 *
 * This file only reads the command line and the configuration, and turns the outcome into an exit status.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/err.h"
#include "base/log.h"
#include "config/conf.h"
#include "daemon/daemon.h"

static void usage(FILE *out)
{
	fputs("usage: xenbwd [-dnv] [-c FILE]\n"
	      "Counts each guest's traffic on a Xen dom0; stays in the foreground.\n"
	      "\n"
	      "  -c, --config FILE  read FILE instead of " CONF_DEFAULT_PATH "\n"
	      "  -n, --check        check the configuration and exit\n"
	      "  -v, --verbose      with -n: print the settings in force\n"
	      "  -d, --debug        log more\n"
	      "  -h, --help         print this\n"
	      "  -V, --version      print the version\n"
	      "\n"
	      "Look at the traffic with: xenbw list-domains\n",
	      out);
}

static int run(const struct conf *conf)
{
	struct daemon *d;
	char *err = NULL;
	int rc;

	if (daemon_open(&d, conf, &err) < 0) {
		log_err("%s", err);
		free(err);
		return EX_UNAVAILABLE;
	}
	rc = daemon_run(d);
	daemon_close(d);
	return rc == 0 ? EX_OK : EX_IOERR;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, 'n'},
		{"verbose", no_argument, NULL, 'v'},
		{"debug", no_argument, NULL, 'd'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	const char *path = NULL;
	bool check = false, verbose = false, debug = false;
	struct conf conf;
	char *err = NULL;
	int opt, status;

	while ((opt = getopt_long(argc, argv, "c:nvdhV", options, NULL)) != -1) {
		switch (opt) {
		case 'c':
			path = optarg;
			break;
		case 'n':
			check = true;
			break;
		case 'v':
			verbose = true;
			break;
		case 'd':
			debug = true;
			break;
		case 'h':
			usage(stdout);
			return EX_OK;
		case 'V':
			puts("xenbwd " XENBW_VERSION);
			return EX_OK;
		default:
			usage(stderr);
			return EX_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "xenbwd: `%s` is not an option; xenbwd takes no operands\n", argv[optind]);
		return EX_USAGE;
	}
	log_init("xenbwd", debug);
	conf_init(&conf);
	/* the file that was named must be there; the default one may be missing */
	if (conf_read(&conf, path ? path : CONF_DEFAULT_PATH, path == NULL, &err) < 0) {
		fprintf(stderr, "xenbwd: %s\n", err);
		free(err);
		conf_free(&conf);
		return EX_CONFIG;
	}
	conf_apply_timezone(&conf);
	if (check && verbose)
		conf_print(&conf, stdout, true);
	status = check ? EX_OK : run(&conf);
	conf_free(&conf);
	return status;
}
