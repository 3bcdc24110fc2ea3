/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/replay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "capture/table.h"
#include "capture/tap.h"
#include "capture/vifs_file.h"
#include "config/conf.h"

struct replay {
	struct table *table;
	enum direction dir; /* of the file that is read */
};

/* ---- the table ---- */

static void print_row(FILE *out, const char *vif, const char *name, const char *class, enum direction dir,
		      uint64_t packets, uint64_t bytes)
{
	if (packets)
		fprintf(out, "%-6s  %-17s  %-12s  %-9s  %10" PRIu64 "  %14" PRIu64 "\n", vif, name, class,
			direction_name(dir), packets, bytes);
}

static void print_seen(FILE *out, const struct capture_seen *s)
{
	char *vif = mem_printf("%" PRId64, s->vif), *address = NULL;
	struct network n = {.bits = 128};

	memcpy(n.address, s->address, sizeof(n.address));
	address = s->has_address ? network_text(&n) : mem_strdup("-");
	for (int d = 0; d < DIR_COUNT; d++)
		for (int c = 0; c < CLASS_COUNT; c++)
			print_row(out, vif, address, class_name(c), d, s->packets.bytes[d][c],
				  s->bytes.bytes[d][c]);
	print_row(out, vif, address, "spoofed", DIR_OUTPUT, s->spoofed_packets, s->spoofed_bytes);
	free(address);
	free(vif);
}

static void print_strays(FILE *out, const struct capture_answer *a)
{
	static const uint8_t none[6];
	const uint8_t *m = a->stray_mac;
	char *mac = memcmp(m, none, sizeof(none))
			    ? mem_printf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5])
			    : mem_strdup("-");

	print_row(out, "-", "-", "stray", DIR_INPUT, a->stray_packets[DIR_INPUT], a->stray_bytes[DIR_INPUT]);
	print_row(out, "-", mac, "stray", DIR_OUTPUT, a->stray_packets[DIR_OUTPUT],
		  a->stray_bytes[DIR_OUTPUT]);
	free(mac);
}

static void print_table(struct table *table, FILE *out)
{
	struct capture_answer a = {0};
	struct capture_seen *seen = table_answer(table, &a);

	fprintf(out, "%-6s  %-17s  %-12s  %-9s  %10s  %14s\n", "vif", "address", "class", "direction",
		"packets", "bytes");
	for (size_t i = 0; i < a.count; i++)
		print_seen(out, &seen[i]);
	print_strays(out, &a);
	free(seen);
}

/* ---- the files ---- */

static void on_frame(void *ctx, const struct frame *f, int64_t stamp)
{
	const struct replay *r = ctx;

	table_frame(r->table, r->dir, f, stamp);
}

static int read_file(struct replay *r, const struct replay_file *file, char **err)
{
	struct tap *tap;
	int rc;

	r->dir = file->dir;
	if (tap_open_file(&tap, file->path, file->dir, err) < 0)
		return -1;
	rc = tap_drain(tap, on_frame, r, err);
	tap_close(tap);
	return rc;
}

static int read_conf(struct conf *conf, const char *path, char **err)
{
	if (conf_read(conf, path, false, err) < 0)
		return -1;
	for (size_t i = 0; i < conf->warnings.count; i++)
		fprintf(stderr, "xenbw-capture: %s\n", conf->warnings.list[i]);
	return 0;
}

static int replay_files(const struct replay_setup *s, struct table *table, FILE *out, char **err)
{
	struct replay r = {.table = table};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->count; i++)
		rc = read_file(&r, &s->files[i], err);
	if (rc < 0)
		err_add(err, "the table is incomplete");
	print_table(table, out);
	return rc;
}

int replay_run(const struct replay_setup *s, FILE *out, char **err)
{
	struct capture_vif *vifs = NULL;
	struct rules *rules;
	struct table *table;
	struct conf conf;
	size_t count;
	int rc;

	conf_init(&conf);
	rc = read_conf(&conf, s->conf, err);
	if (rc == 0)
		rc = vifs_file_read(s->vifs, &vifs, &count, err);
	if (rc == 0) {
		rules = rules_new(&conf);
		table = table_new(rules);
		table_vifs(table, vifs, count);
		rc = replay_files(s, table, out, err);
		table_free(table);
		rules_free(rules);
	}
	free(vifs);
	conf_free(&conf);
	return rc;
}
