/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xenbwd: counts each guest's traffic on a Xen dom0.
 *
 * This file reads the command line and goes into the background as nacctd does; daemon/service.h does the
 * rest.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/program.h"
#include "config/conf.h"
#include "daemon/alias.h"
#include "daemon/detach.h"
#include "daemon/service.h"

enum { STATUS_FD = 256, TAKE_AWAY }; /* options without a letter */

static void usage(FILE *out)
{
	fputs("usage: xenbwd [-dDnv] [-c FILE]\n"
	      "       xenbwd --detach\n"
	      "Counts each guest's traffic on a Xen dom0.\n"
	      "\n"
	      "  -c, --config FILE  read FILE (an xenbw.conf, or netacct's naccttab) instead of\n"
	      "                     " CONF_DEFAULT_PATH "\n"
	      "  -D, --foreground   do not detach; messages go to standard error\n"
	      "  -n, --check        check the configuration and exit\n"
	      "  -v, --verbose      with -n: print the settings in force\n"
	      "  -d, --debug        do not detach, and log more\n"
	      "      --detach       take away what stays in the kernel: counting, aliases\n"
	      "  -h, --help         print this\n"
	      "  -V, --version      print the version\n"
	      "\n"
	      "Look at the traffic with: xenbw list-domains\n",
	      out);
}

/* What was printed is lost where standard output cannot take it: then an exit status says so. */
static int printed(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EX_OK;
	fprintf(stderr, "xenbwd: cannot write the output: %s\n", strerror(errno));
	return EX_IOERR;
}

/* For whoever reads it from another folder. Links in it are followed at each reading. */
static char *absolute(const char *path)
{
	char folder[PATH_MAX];

	if (path[0] == '/' || !getcwd(folder, sizeof(folder)))
		return mem_strdup(path);
	return mem_printf("%s/%s", folder, path);
}

/* Who put it there takes it away. */
static int take_away(void)
{
	char *path = program_path("xenbw-tc"), *err = NULL;

	log_init("xenbwd", false);
	if (daemon_alias_take_away(&err) < 0) {
		log_err("%s", err);
		free(err);
		free(path);
		return EX_UNAVAILABLE;
	}
	execl(path, "xenbw-tc", "--detach", (char *)NULL);
	fprintf(stderr, "xenbwd: cannot run %s: %s\n", path, strerror(errno));
	free(path);
	return EX_UNAVAILABLE;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"foreground", no_argument, NULL, 'D'},
		{"check", no_argument, NULL, 'n'},
		{"verbose", no_argument, NULL, 'v'},
		{"debug", no_argument, NULL, 'd'},
		{"detach", no_argument, NULL, TAKE_AWAY},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{DETACH_OPTION, required_argument, NULL, STATUS_FD},
		{NULL, 0, NULL, 0},
	};
	struct service *s;
	bool foreground = false, check = false, verbose = false, debug = false;
	const char *path = NULL;
	char *err = NULL, *whole;
	int opt, fd = -1, status = EX_OK;

	while ((opt = getopt_long(argc, argv, "c:DnvdhV", options, NULL)) != -1) {
		switch (opt) {
		case 'c':
			path = optarg;
			break;
		case 'D':
			foreground = true;
			break;
		case 'n':
			check = true;
			break;
		case 'v':
			verbose = true;
			break;
		case 'd':
			debug = foreground = true;
			break;
		case 'h':
			usage(stdout);
			return printed();
		case 'V':
			puts("xenbwd " XENBW_VERSION);
			return printed();
		case TAKE_AWAY:
			return take_away();
		case STATUS_FD:
			fd = detach_begun(optarg);
			if (fd < 0) {
				fputs("xenbwd: --" DETACH_OPTION " is xenbwd's own way to go into the "
				      "background; leave it out\n",
				      stderr);
				return EX_USAGE;
			}
			break;
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
	whole = absolute(path ? path : CONF_DEFAULT_PATH);
	if (!check && !foreground && fd < 0) {
		status = detach_start(path ? whole : NULL); /* which reads the settings */
		free(whole);
		return status;
	}
	s = service_new(whole, path != NULL);
	free(whole);
	if (service_read(s, &err) < 0) {
		log_err(check ? "%s" : "%s; xenbwd does not start", err);
		free(err);
		status = EX_CONFIG;
	} else if (!check) {
		status = service_run(s, fd);
	} else if (verbose) {
		conf_print(service_conf(s), stdout, false);
		status = printed();
	}
	service_free(s);
	return status;
}
