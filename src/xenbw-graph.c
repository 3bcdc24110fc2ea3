/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xenbw-graph: draws RRD files as one picture, in bits per second: one file's input as an area and its output
 * as a line, or several files stacked on each other.
 *
 * Works on copies of the files in memory (graph/copy.h). The picture is written beside its place and then
 * renamed: it is there whole or not at all. Knows nothing of the ledger or of labels.
 * With --slots it prints the bytes of each slot of five minutes instead (db/rrd_slots.h), with --times the
 * period, as seconds.
 * Every error is one line and exit status 1; wrong arguments are 2.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <rrd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/rrd_slots.h"
#include "graph/copy.h"
#include "graph/history.h"
#include "graph/legend.h"
#include "graph/picture.h"
#include "graph/series.h"

struct request {
	const char *out, *from, *to;
	const char **files, **names; /* of the same number */
	size_t file_count, name_count;
	struct picture picture;
	uint64_t top;
	bool slots, times, legend;
};

/* The time asked for. */
struct span {
	int64_t from, to;
};

enum {
	RRD,
	NAME,
	OUT,
	TITLE,
	SVG,
	FROM,
	TO,
	WIDTH,
	HEIGHT,
	ZOOM,
	DARK,
	STACK,
	TOP,
	PERCENTILE,
	LEGEND,
	SLOTS,
	TIMES,
	HELP,
	VERSION
};

static void usage(FILE *out)
{
	fputs("usage: xenbw-graph --rrd FILE --out FILE --title TEXT [--svg] [--dark] [--zoom FACTOR]\n"
	      "                   [--from TIME] [--to TIME] [--width PIXELS] [--height PIXELS]\n"
	      "                   [--percentile IN:OUT] [--legend]\n"
	      "       xenbw-graph --stack [--top N] --rrd FILE --name TEXT [--rrd FILE --name TEXT ...] ...\n"
	      "       xenbw-graph --rrd FILE --slots [--from TIME] [--to TIME]\n"
	      "       xenbw-graph --times [--from TIME] [--to TIME]\n"
	      "Times are RRDtool's: -1d, -1w, 20261101, noon yesterday, seconds since 1970 …\n"
	      "--percentile draws a line at these bytes per second; --legend prints the legend, too.\n",
	      out);
}

static bool wrong(const char *option, const char *takes, const char *given)
{
	fprintf(stderr, "xenbw-graph: --%s takes %s, not `%s`\n", option, takes, given);
	return false;
}

static bool read_zoom(const char *text, double *zoom)
{
	char *end;

	*zoom = strtod(text, &end);
	if (end != text && *end == '\0' && *zoom >= 0.5 && *zoom <= 8)
		return true;
	return wrong("zoom", "a factor of 0.5 to 8", text);
}

static bool read_percentile(const char *text, double *percentile)
{
	const char *colon = strchr(text, ':');
	char *first = colon ? mem_strndup(text, (size_t)(colon - text)) : NULL;
	uint64_t in = 0, out = 0;
	bool good = first && text_u64(first, 0, UINT64_MAX / 8, &in) &&
		    text_u64(colon + 1, 0, UINT64_MAX / 8, &out);

	free(first);
	percentile[DIR_INPUT] = (double)in;
	percentile[DIR_OUTPUT] = (double)out;
	return good || wrong("percentile", "bytes per second in and out, as 1000:2000", text);
}

static bool add_text(const char ***list, size_t *count, const char *text)
{
	*list = mem_resize(*list, *count + 1, sizeof(**list));
	(*list)[(*count)++] = text;
	return true;
}

static bool take_value(struct request *r, int option, const char *value)
{
	switch (option) {
	case RRD:
		return add_text(&r->files, &r->file_count, value);
	case NAME:
		return add_text(&r->names, &r->name_count, value);
	case OUT:
		r->out = value;
		return true;
	case TITLE:
		r->picture.title = value;
		return true;
	case FROM:
		r->from = value;
		return true;
	case TO:
		r->to = value;
		return true;
	case WIDTH:
		return text_u64(value, 100, 4000, &r->picture.width) ||
		       wrong("width", "100 to 4000 pixels", value);
	case HEIGHT:
		return text_u64(value, 100, 4000, &r->picture.height) ||
		       wrong("height", "100 to 4000 pixels", value);
	case TOP:
		return text_u64(value, 1, PICTURE_MOST_PARTS, &r->top) || wrong("top", "1 to 10", value);
	case ZOOM:
		return read_zoom(value, &r->picture.zoom);
	default:
		return read_percentile(value, r->picture.percentile);
	}
}

static void take_flag(struct request *r, int option)
{
	bool *const flags[] = {
		[SVG] = &r->picture.svg, [DARK] = &r->picture.dark, [STACK] = &r->picture.stacked,
		[LEGEND] = &r->legend,   [SLOTS] = &r->slots,       [TIMES] = &r->times};

	*flags[option] = true;
}

static bool is_complete(const struct request *r)
{
	if (r->times)
		return true;
	if (r->slots)
		return r->file_count == 1;
	if (!r->out || !r->picture.title || !r->file_count)
		return false;
	return r->picture.stacked ? r->name_count == r->file_count : r->file_count == 1;
}

/* Returns 0, or 1 + the exit status. */
static int read_arguments(struct request *r, int argc, char **argv)
{
	static const struct option options[] = {
		{"rrd", required_argument, NULL, RRD},
		{"name", required_argument, NULL, NAME},
		{"out", required_argument, NULL, OUT},
		{"title", required_argument, NULL, TITLE},
		{"svg", no_argument, NULL, SVG},
		{"from", required_argument, NULL, FROM},
		{"to", required_argument, NULL, TO},
		{"width", required_argument, NULL, WIDTH},
		{"height", required_argument, NULL, HEIGHT},
		{"zoom", required_argument, NULL, ZOOM},
		{"dark", no_argument, NULL, DARK},
		{"stack", no_argument, NULL, STACK},
		{"top", required_argument, NULL, TOP},
		{"percentile", required_argument, NULL, PERCENTILE},
		{"legend", no_argument, NULL, LEGEND},
		{"slots", no_argument, NULL, SLOTS},
		{"times", no_argument, NULL, TIMES},
		{"help", no_argument, NULL, HELP},
		{"version", no_argument, NULL, VERSION},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == HELP) {
			usage(stdout);
			return 1;
		}
		if (c == VERSION) {
			puts("xenbw-graph " XENBW_VERSION);
			return 1;
		}
		if (c == '?' || c == ':') {
			usage(stderr);
			return 1 + 2;
		}
		if (!optarg)
			take_flag(r, c);
		else if (!take_value(r, c, optarg))
			return 1 + 2;
	}
	if (optind < argc || !is_complete(r)) {
		usage(stderr);
		return 1 + 2;
	}
	return 0;
}

static int parse_time(const char *option, const char *text, rrd_time_value_t *out, char **err)
{
	const char *problem = rrd_parsetime(text, out);

	if (problem)
		return err_set(err, "--%s `%s` is no time that RRDtool knows: %s", option, text, problem);
	return 0;
}

/* "-1w" is a week before the end, wherever that is. */
static int find_times(const struct request *r, struct span *s, char **err)
{
	char *from = mem_printf("%s%s", r->from[0] == '-' ? "end" : "", r->from);
	rrd_time_value_t start, end;
	time_t first = 0, last = 0;
	int rc = parse_time("from", from, &start, err);

	if (rc == 0)
		rc = parse_time("to", r->to, &end, err);
	rrd_clear_error();
	if (rc == 0 && rrd_proc_start_end(&start, &end, &first, &last) < 0)
		rc = err_set(err, "--from `%s` --to `%s`: %s", from, r->to, rrd_get_error());
	if (rc == 0 && first >= last)
		rc = err_set(err, "there is no time from `%s` to `%s`: the first must be the earlier one",
			     from, r->to);
	s->from = (int64_t)first;
	s->to = (int64_t)last;
	free(from);
	return rc;
}

static int write_whole(int fd, const void *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t part = write(fd, (const char *)bytes + done, size - done);

		if (part < 0)
			return -1;
		done += (size_t)part;
	}
	return 0;
}

/* Writes beside the place and renames; the mode is that of any new file. */
static int save(const char *path, const void *bytes, size_t size, char **err)
{
	const char *slash = strrchr(path, '/');
	char *temporary = mem_printf("%.*s.xenbw-graph-XXXXXX", slash ? (int)(slash + 1 - path) : 0, path);
	mode_t mask = umask(0);
	int fd = mkostemp(temporary, O_CLOEXEC), rc = -1;

	umask(mask);
	if (fd < 0) {
		err_sys(err, "cannot write %s", path);
		free(temporary);
		return -1;
	}
	if (write_whole(fd, bytes, size) < 0 || fchmod(fd, 0666 & ~mask) < 0)
		err_sys(err, "cannot write %s", path);
	else
		rc = 0;
	if (close(fd) < 0 && rc == 0)
		rc = err_sys(err, "cannot write %s", path);
	if (rc == 0 && rename(temporary, path) < 0)
		rc = err_sys(err, "cannot write %s", path);
	if (rc < 0)
		unlink(temporary);
	free(temporary);
	return rc;
}

static int save_picture(const struct request *r, const rrd_info_t *answer, char **err)
{
	for (const rrd_info_t *i = answer; i; i = i->next)
		if (strcmp(i->key, "image") == 0 && i->type == RD_I_BLO)
			return save(r->out, i->value.u_blo.ptr, i->value.u_blo.size, err);
	return err_set(err, "librrd made no picture for %s", r->out);
}

static void print_legend(const struct legend *l)
{
	for (size_t i = 0; i < 2 && l->heads[i]; i++)
		puts(l->heads[i]);
	for (size_t i = 0; i < l->count; i++)
		puts(l->lines[i]);
	if (l->percentile)
		puts(l->percentile);
}

static int draw(const struct request *r, const struct series *s, char **err)
{
	struct legend legend;
	rrd_info_t *answer;
	int rc = -1;

	legend_make(&legend, s, r->picture.stacked, r->picture.width >= PICTURE_WIDE);
	if (!isnan(r->picture.percentile[DIR_INPUT]))
		legend_add_percentile(&legend, (uint64_t)r->picture.percentile[DIR_INPUT],
				      (uint64_t)r->picture.percentile[DIR_OUTPUT]);
	answer = picture_draw(&r->picture, s, &legend, err);
	if (answer) {
		rc = save_picture(r, answer, err);
		rrd_info_free(answer);
	}
	if (rc == 0 && r->legend)
		print_legend(&legend);
	legend_free(&legend);
	return rc;
}

/* In a stack a file that cannot be read is told and left out, unless it is the last one. */
static int read_files(const struct request *r, const struct span *span, struct series_source *sources,
		      size_t *count, char **err)
{
	for (size_t i = 0; i < r->file_count; i++) {
		struct series_source *source = &sources[*count];
		char *why = NULL;

		source->name = r->name_count ? r->names[i] : r->picture.title;
		if (history_read(r->files[i], span->from, span->to, &source->history, &why) == 0) {
			(*count)++;
		} else if (i + 1 == r->file_count && *count == 0) {
			err_set(err, "%s", why);
			free(why);
			return -1;
		} else {
			fprintf(stderr, "xenbw-graph: %s is left out: %s\n", source->name, why);
		}
		free(why);
	}
	return 0;
}

static int run_picture(const struct request *r, const struct span *span, char **err)
{
	struct series_source *sources = mem_array(r->file_count, sizeof(*sources));
	struct series series;
	size_t count = 0;
	int rc = read_files(r, span, sources, &count, err);

	if (rc == 0) {
		series_make(&series, sources, count, (size_t)r->top, r->picture.stacked, span->from,
			    span->to);
		rc = draw(r, &series, err);
		series_free(&series);
	}
	for (size_t i = 0; i < count; i++)
		history_free(&sources[i].history);
	free(sources);
	return rc;
}

static int print_slots(const struct request *r, const struct span *span, char **err)
{
	struct copy copy;
	int rc = copy_open(r->files[0], &copy, err);

	if (rc == 0 && rrd_slots_print(copy.path, span->from, span->to, stdout) < 0)
		rc = copy_failed(&copy, r->files[0], err);
	copy_close(&copy);
	return rc;
}

static int run(const struct request *r, char **err)
{
	struct span span;

	/* the files are ours alone: no caching daemon of some other program knows them */
	unsetenv("RRDCACHED_ADDRESS");
	if (find_times(r, &span, err) < 0)
		return -1;
	if (r->times) {
		printf("%" PRId64 " %" PRId64 "\n", span.from, span.to);
		return 0;
	}
	return r->slots ? print_slots(r, &span, err) : run_picture(r, &span, err);
}

int main(int argc, char **argv)
{
	struct request r = {
		.from = "-1d",
		.to = "now",
		.top = 8,
		.picture = {.width = 800, .zoom = 1, .percentile = {NAN, NAN}},
	};
	char *err = NULL;
	int rc = read_arguments(&r, argc, argv);

	if (!r.picture.height)
		r.picture.height = r.picture.stacked ? 300 : 240;
	if (rc) {
		rc--;
	} else if (run(&r, &err) < 0) {
		fprintf(stderr, "xenbw-graph: %s\n", err);
		free(err);
		rc = 1;
	}
	free(r.files);
	free(r.names);
	return rc;
}
