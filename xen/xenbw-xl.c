/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xenbw-xl: prints the hypervisor's domains, one line each: domid, uuid, state, name, separated by tabs.
 *
 * The only program here that links libxenlight, whose version is tied to that of Xen: where it cannot start,
 * the others do without it. The states are words from xl_state.h; names are printable text (base/text.h),
 * empty where a domain has none. Changes nothing. Exit status: 0; 64 for a usage error; 69 where the
 * hypervisor or xenstored cannot be reached or does not answer within ten seconds, with one line on standard
 * error.
 */
#include <dlfcn.h>
#include <errno.h>
#include <libxl.h>
#include <libxl_utils.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <xentoollog.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "xen/xl_state.h"

enum { TIMEOUT = 10 };

/* Keeps the first complaint of libxl and of the libraries below it, and prints none. */
struct keeper {
	xentoollog_logger logger; /* the first member: libxl gives its address back */
	char *first;
};

__attribute__((format(printf, 5, 0))) static void keep_message(xentoollog_logger *logger,
							       xentoollog_level level, int errnoval,
							       const char *context, const char *format,
							       va_list ap)
{
	struct keeper *k = (struct keeper *)logger;
	char *text;

	(void)context;
	if (level < XTL_ERROR || k->first)
		return;
	text = mem_vprintf(format, ap);
	k->first = errnoval >= 0 ? mem_printf("%s: %s", text, strerror(errnoval)) : mem_strdup(text);
	free(text);
}

static void keep_nothing(xentoollog_logger *logger)
{
	(void)logger;
}

static void on_alarm(int sig)
{
	static const char line[] =
		"xenbw-xl: the hypervisor or xenstored did not answer within ten seconds\n";

	(void)sig;
	if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
		_exit(EX_IOERR);
	_exit(EX_UNAVAILABLE);
}

static void print_domain(libxl_ctx *ctx, const libxl_dominfo *info)
{
	char *name = libxl_domid_to_name(ctx, info->domid);
	char *shown = text_printable(name ? name : "", name ? strlen(name) : 0);

	printf("%u\t" LIBXL_UUID_FMT "\t%s\t%s\n", info->domid, LIBXL_UUID_BYTES(info->uuid),
	       xl_state_word(info), shown);
	free(shown);
	free(name);
}

/* A hypervisor answers the libraries of its own version only, but tells each which one it is. */
static int not_listed(libxl_ctx *ctx, const struct keeper *k, char **err)
{
	const libxl_version_info *xen = libxl_get_version_info(ctx);
	const char *name = "libxenlight";
	Dl_info library;

	if (dladdr((void *)(uintptr_t)libxl_list_domain, &library) && library.dli_fname) {
		const char *slash = strrchr(library.dli_fname, '/');

		name = slash ? slash + 1 : library.dli_fname;
	}
	return err_set(
		err,
		"cannot list domains: %s; the hypervisor is Xen %d.%d, and this is %s: they must be of one "
		"version (xenbwd needs neither to count)",
		k->first ? k->first : "libxl gave no reason", xen ? xen->xen_version_major : 0,
		xen ? xen->xen_version_minor : 0, name);
}

static int list(libxl_ctx *ctx, const struct keeper *k, char **err)
{
	int count = 0;
	libxl_dominfo *all = libxl_list_domain(ctx, &count);

	if (!all)
		return not_listed(ctx, k, err);
	for (int i = 0; i < count; i++)
		print_domain(ctx, &all[i]);
	libxl_dominfo_list_free(all, count);
	return 0;
}

static int run(struct keeper *k, char **err)
{
	libxl_ctx *ctx = NULL;
	int rc;

	if (libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, &k->logger) != 0)
		return err_set(err, "cannot reach the hypervisor: %s; is this a Xen dom0, and are you root?",
			       k->first ? k->first : "libxl gave no reason");
	rc = list(ctx, k, err);
	libxl_ctx_free(ctx);
	return rc;
}

int main(int argc, char **argv)
{
	struct keeper k = {.logger = {.vmessage = keep_message, .destroy = keep_nothing}};
	struct sigaction alarmed = {.sa_handler = on_alarm};
	char *err = NULL;
	int rc;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		puts("usage: xenbw-xl [--help | --version]\n"
		     "Prints one line for each domain: domid, uuid, state, name, separated by tabs.");
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("xenbw-xl " XENBW_VERSION);
		return 0;
	}
	if (argc != 1) {
		fputs("xenbw-xl: takes no arguments; see xenbw-xl --help\n", stderr);
		return EX_USAGE;
	}
	if (sigaction(SIGALRM, &alarmed, NULL) < 0) {
		perror("xenbw-xl: sigaction");
		return EX_OSERR;
	}
	alarm(TIMEOUT);
	rc = run(&k, &err);
	free(k.first);
	if (rc < 0) {
		fprintf(stderr, "xenbw-xl: %s\n", err);
		free(err);
		return EX_UNAVAILABLE;
	}
	if (fflush(stdout) != 0) {
		perror("xenbw-xl: standard output");
		return EX_IOERR;
	}
	return 0;
}
