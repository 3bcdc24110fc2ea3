/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xenbw-graph: draws one RRD file as a picture: input as a green area, output as a blue line, in bits per
 * second.
 *
 * Works on a copy of the file in memory, so that it neither waits for xenbw-writer nor hinders it, and so
 * that no name of a file can be mistaken for a part of librrd's own language. The picture is written beside
 * its place and then renamed: it is there whole or not at all. Knows nothing of the ledger or of labels.
 * With --slots it prints the bytes of each slot of five minutes instead (db/rrd_slots.h).
 * Every error is one line and exit status 1; wrong arguments are 2.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <rrd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/rrd_slots.h"

#define WIDE 640 /* pixels of plot from which the times fit beside the legend */

struct request {
	const char *rrd, *out, *title, *from, *to;
	uint64_t width, height; /* of the plot, pixels */
	bool svg, dark, slots;
};

/* Colours by what they are for, and how librrd calls it. */
struct palette {
	const char *in_area, *in_edge, *out_line;
	const char *const *frame; /* --color arguments, NULL at the end */
};

static const char *const light_frame[] = {
	"BACK#FFFFFF",  "CANVAS#FFFFFF", "SHADEA#FFFFFF", "SHADEB#FFFFFF",  "FONT#24292F", "AXIS#8C959F",
	"FRAME#57606A", "ARROW#8C959F",  "GRID#D0D7DE80", "MGRID#AFB8C1C0", NULL};
static const char *const dark_frame[] = {
	"BACK#161B22",  "CANVAS#0D1117", "SHADEA#161B22", "SHADEB#161B22",  "FONT#E6EDF3", "AXIS#6E7681",
	"FRAME#8B949E", "ARROW#6E7681",  "GRID#30363D80", "MGRID#484F58C0", NULL};
static const struct palette light = {"#3DD65C", "#1FA53C", "#1033D6", light_frame};
static const struct palette dark = {"#238636", "#3FB950", "#79A7FF", dark_frame};

/* A growing list of arguments for librrd. */
struct words {
	char **list;
	int count;
};

__attribute__((format(printf, 2, 3))) static void add(struct words *w, const char *fmt, ...)
{
	va_list ap;

	w->list = mem_resize(w->list, (size_t)w->count + 2, sizeof(*w->list));
	va_start(ap, fmt);
	w->list[w->count++] = mem_vprintf(fmt, ap);
	va_end(ap);
	w->list[w->count] = NULL;
}

static void free_words(struct words *w)
{
	for (int i = 0; i < w->count; i++)
		free(w->list[i]);
	free(w->list);
}

/* What a file holds, as far as drawing goes. */
struct facts {
	bool has_maxima;    /* archives of maxima */
	bool has_data;      /* something is known in the time asked for */
	int64_t start, end; /* of the time asked for */
};

static void usage(FILE *out)
{
	fputs("usage: xenbw-graph --rrd FILE --out FILE --title TEXT [--svg] [--dark]\n"
	      "                   [--from TIME] [--to TIME] [--width PIXELS] [--height PIXELS]\n"
	      "       xenbw-graph --rrd FILE --slots [--from TIME] [--to TIME]\n"
	      "Times are RRDtool's: -1d, -1w, 20261101, noon yesterday, seconds since 1970 …\n",
	      out);
}

/* Returns 0, or 1 + the exit status. */
static int read_arguments(struct request *r, int argc, char **argv)
{
	enum { RRD, OUT, TITLE, SVG, FROM, TO, WIDTH, HEIGHT, DARK, SLOTS, HELP, VERSION };
	static const struct option options[] = {
		{"rrd", required_argument, NULL, RRD},
		{"out", required_argument, NULL, OUT},
		{"title", required_argument, NULL, TITLE},
		{"svg", no_argument, NULL, SVG},
		{"from", required_argument, NULL, FROM},
		{"to", required_argument, NULL, TO},
		{"width", required_argument, NULL, WIDTH},
		{"height", required_argument, NULL, HEIGHT},
		{"dark", no_argument, NULL, DARK},
		{"slots", no_argument, NULL, SLOTS},
		{"help", no_argument, NULL, HELP},
		{"version", no_argument, NULL, VERSION},
		{0},
	};
	const char **const texts[] = {
		[RRD] = &r->rrd, [OUT] = &r->out, [TITLE] = &r->title, [FROM] = &r->from, [TO] = &r->to};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case RRD:
		case OUT:
		case TITLE:
		case FROM:
		case TO:
			*texts[c] = optarg;
			break;
		case WIDTH:
		case HEIGHT:
			if (text_u64(optarg, 100, 4000, c == WIDTH ? &r->width : &r->height))
				break;
			fprintf(stderr, "xenbw-graph: --%s takes 100 to 4000 pixels, not `%s`\n",
				c == WIDTH ? "width" : "height", optarg);
			return 1 + 2;
		case SVG:
			r->svg = true;
			break;
		case DARK:
			r->dark = true;
			break;
		case SLOTS:
			r->slots = true;
			break;
		case HELP:
			usage(stdout);
			return 1;
		case VERSION:
			puts("xenbw-graph " XENBW_VERSION);
			return 1;
		default:
			usage(stderr);
			return 1 + 2;
		}
	}
	if (optind < argc || !r->rrd || (!r->slots && (!r->out || !r->title))) {
		usage(stderr);
		return 1 + 2;
	}
	return 0;
}

/* Waits up to two seconds while xenbw-writer has the file locked. */
static int lock_for_reading(int fd, const char *path, char **err)
{
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

	for (int tries = 0; fcntl(fd, F_SETLK, &lock) < 0; tries++) {
		if ((errno != EACCES && errno != EAGAIN && errno != EINTR) || tries == 100)
			return err_sys(err, "cannot lock RRD file %s for reading", path);
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	}
	return 0;
}

static int copy_all(int from, int to, const char *path, char **err)
{
	char buffer[65536];
	ssize_t n;

	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		for (ssize_t done = 0, part; done < n; done += part) {
			part = write(to, buffer + done, (size_t)(n - done));
			if (part < 0)
				return err_sys(err, "cannot copy RRD file %s into memory", path);
		}
	return n < 0 ? err_sys(err, "cannot read RRD file %s", path) : 0;
}

/* A descriptor of a copy of the file in memory, or -1. */
static int copy_rrd(const char *path, char **err)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), copy = -1;
	struct stat st;

	if (fd < 0)
		return err_sys(err, "cannot open RRD file %s", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		err_set(err, "RRD file %s is no regular file", path);
	} else if (st.st_size == 0) {
		err_set(err, "RRD file %s is empty", path);
	} else if (lock_for_reading(fd, path, err) == 0) {
		copy = memfd_create("rrd", MFD_CLOEXEC);
		if (copy < 0) {
			err_sys(err, "cannot copy RRD file %s into memory", path);
		} else if (copy_all(fd, copy, path, err) < 0) {
			close(copy);
			copy = -1;
		}
	}
	close(fd);
	return copy;
}

/* librrd's last error, with the copy's name turned back into the file's. */
static int fail_librrd(const char *file, const struct request *r, char **err)
{
	const char *text = rrd_get_error(), *at = strstr(text, file);
	int before = at ? (int)(at - text) : (int)strlen(text);

	return err_set(err, "cannot draw %s: %.*s%s%s", r->rrd, before, text, at ? r->rrd : "",
		       at ? at + strlen(file) : "");
}

static int parse_time(const char *option, const char *text, rrd_time_value_t *out, char **err)
{
	const char *problem = rrd_parsetime(text, out);

	if (problem)
		return err_set(err, "--%s `%s` is no time that RRDtool knows: %s", option, text, problem);
	return 0;
}

/* "-1w" is a week before the end, wherever that is. */
static int find_times(const struct request *r, struct facts *f, char **err)
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
	f->start = (int64_t)first;
	f->end = (int64_t)last;
	free(from);
	return rc;
}

static void add_times(struct words *w, const struct facts *f)
{
	add(w, "--start");
	add(w, "%lld", (long long)f->start);
	add(w, "--end");
	add(w, "%lld", (long long)f->end);
}

static void add_data(struct words *w, const char *file, bool has_maxima)
{
	static const char *const names[][2] = {{"in", "input"}, {"out", "output"}};

	for (int i = 0; i < 2; i++) {
		add(w, "DEF:%soctets=%s:%s:AVERAGE", names[i][0], file, names[i][1]);
		add(w, "CDEF:%sbits=%soctets,8,*", names[i][0], names[i][0]);
		add(w, "DEF:%smaxoctets=%s:%s:%s", names[i][0], file, names[i][1],
		    has_maxima ? "MAX" : "AVERAGE");
		add(w, "CDEF:%smaxbits=%smaxoctets,8,*", names[i][0], names[i][0]);
	}
}

static bool find_maxima(const char *file)
{
	rrd_info_t *info = rrd_info_r(file);
	bool found = false;

	for (const rrd_info_t *i = info; i; i = i->next)
		if (strncmp(i->key, "rra[", 4) == 0 && strstr(i->key, "].cf") && i->type == RD_I_STR &&
		    strcmp(i->value.u_str, "MAX") == 0)
			found = true;
	rrd_info_free(info);
	rrd_clear_error();
	return found;
}

/* Asks librrd without drawing. */
static int find_facts(const struct request *r, const char *file, struct facts *f, char **err)
{
	struct words w = {0};
	rrd_info_t *answer;

	*f = (struct facts){.has_maxima = find_maxima(file)};
	if (find_times(r, f, err) < 0)
		return -1;
	add(&w, "xenbw-graph");
	add(&w, "-");
	add_times(&w, f);
	add_data(&w, file, f->has_maxima);
	add(&w, "PRINT:inbits:AVERAGE:%%lf");
	add(&w, "PRINT:outbits:AVERAGE:%%lf");
	answer = rrd_graph_v(w.count, w.list);
	free_words(&w);
	if (!answer)
		return fail_librrd(file, r, err);
	for (const rrd_info_t *i = answer; i; i = i->next) {
		if (strncmp(i->key, "print[", 6) == 0 && !isnan(strtod(i->value.u_str, NULL)))
			f->has_data = true;
	}
	rrd_info_free(answer);
	return 0;
}

/* The title as it fits: librrd neither wraps nor cuts. A character beyond Latin, Greek and Cyrillic counts as
 * two. */
static char *fit_title(const char *title, size_t room)
{
	char *text = text_printable(title, strlen(title));
	size_t used = 0, cut = 0;

	for (size_t i = 0; text[i];) {
		unsigned char c = (unsigned char)text[i];
		size_t length = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

		if (used + 1 <= room)
			cut = i;
		used += length > 2 ? 2 : 1;
		i += length;
	}
	if (used > room) {
		char *shorter = mem_printf("%.*s…", (int)cut, text);

		free(text);
		text = shorter;
	}
	return text;
}

/* A time as librrd wants it in a comment: its colons are escaped. */
static char *comment_time(int64_t when)
{
	time_t t = (time_t)when;
	struct tm tm;
	char text[64];

	if (!localtime_r(&t, &tm) || strftime(text, sizeof(text), "%Y-%m-%d %H\\:%M %Z", &tm) == 0)
		return mem_printf("%lld", (long long)when);
	return mem_strdup(text);
}

static void add_look(struct words *w, const struct request *r, const struct palette *p)
{
	/* a bold letter of 11 points takes up to 10 pixels, and the picture is wider than the plot */
	char *title = fit_title(r->title, (size_t)(r->width + 100) / 10);

	add(w, "--imgformat");
	add(w, r->svg ? "SVG" : "PNG");
	add(w, "--width");
	add(w, "%llu", (unsigned long long)r->width);
	add(w, "--height");
	add(w, "%llu", (unsigned long long)r->height);
	add(w, "--title");
	add(w, "%s", title);
	add(w, "--vertical-label");
	add(w, "bits per second");
	add(w, "--lower-limit");
	add(w, "0");
	add(w, "--slope-mode");
	add(w, "--disable-rrdtool-tag");
	add(w, "--border");
	add(w, "0");
	/* an axis of blanks: room for the last time, which librrd cuts off otherwise */
	add(w, "--right-axis");
	add(w, "1:0");
	add(w, "--right-axis-formatter");
	add(w, "timestamp");
	add(w, "--right-axis-format");
	add(w, " ");
	add(w, "--font");
	add(w, "TITLE:11:DejaVu Sans Bold");
	add(w, "--font");
	add(w, "AXIS:8:DejaVu Sans");
	add(w, "--font");
	add(w, "UNIT:8:DejaVu Sans");
	add(w, "--font");
	add(w, "LEGEND:9:DejaVu Sans Mono");
	for (const char *const *c = p->frame; *c; c++) {
		add(w, "--color");
		add(w, "%s", *c);
	}
	free(title);
}

static void add_legend_line(struct words *w, const char *direction)
{
	add(w, "GPRINT:%sbits:AVERAGE:  %%6.2lf %%sbps", direction);
	add(w, "GPRINT:%smaxbits:MAX:  %%6.2lf %%sbps\\l", direction);
}

static void add_drawing(struct words *w, const struct request *r, const struct facts *f,
			const struct palette *p)
{
	char *from = comment_time(f->start), *to = comment_time(f->end);

	if (f->has_data) {
		add(w, "COMMENT:                      Average       Maximum\\l");
		add(w, "AREA:inbits%s:In traffic  ", p->in_area);
		add_legend_line(w, "in");
		/* without a legend of their own: the area's edge, and the line again on top of it */
		add(w, "LINE1:inbits%s", p->in_edge);
		add(w, "LINE1:outbits%s:Out traffic ", p->out_line);
		add_legend_line(w, "out");
	} else {
		add(w, "AREA:inbits%s", p->in_area);
		add(w, "LINE1:outbits%s", p->out_line);
		add(w, "COMMENT:No traffic is on record in this time.\\l");
	}
	if (r->width >= WIDE)
		add(w, "COMMENT:\\u"); /* on the same line, at the right */
	add(w, "COMMENT:%s to %s\\r", from, to);
	free(from);
	free(to);
}

static rrd_info_t *draw(const struct request *r, const char *file, const struct facts *f, char **err)
{
	const struct palette *p = r->dark ? &dark : &light;
	struct words w = {0};
	rrd_info_t *answer;

	add(&w, "xenbw-graph");
	add(&w, "-");
	add_times(&w, f);
	add_look(&w, r, p);
	add_data(&w, file, f->has_maxima);
	if (!f->has_data) { /* a scale without anything on it */
		add(&w, "--y-grid");
		add(&w, "none");
	}
	add_drawing(&w, r, f, p);
	answer = rrd_graph_v(w.count, w.list);
	free_words(&w);
	if (!answer)
		fail_librrd(file, r, err);
	return answer;
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
	return err_set(err, "librrd made no picture of %s", r->rrd);
}

static int print_slots(const struct request *r, const char *file, char **err)
{
	struct facts f;

	if (find_times(r, &f, err) < 0)
		return -1;
	return rrd_slots_print(file, f.start, f.end, stdout) < 0 ? fail_librrd(file, r, err) : 0;
}

static int run(const struct request *r, char **err)
{
	int copy = copy_rrd(r->rrd, err), rc = -1;
	char *file = mem_printf("/proc/self/fd/%d", copy);
	rrd_info_t *answer = NULL;
	struct facts facts;

	/* the file is ours alone: no caching daemon of some other program knows it */
	unsetenv("RRDCACHED_ADDRESS");
	if (copy >= 0 && r->slots)
		rc = print_slots(r, file, err);
	else if (copy >= 0 && find_facts(r, file, &facts, err) == 0)
		answer = draw(r, file, &facts, err);
	if (answer) {
		rc = save_picture(r, answer, err);
		rrd_info_free(answer);
	}
	if (copy >= 0)
		close(copy);
	free(file);
	return rc;
}

int main(int argc, char **argv)
{
	struct request r = {.from = "-1d", .to = "now", .width = 800, .height = 240};
	char *err = NULL;
	int rc = read_arguments(&r, argc, argv);

	if (rc)
		return rc - 1;
	if (run(&r, &err) < 0) {
		fprintf(stderr, "xenbw-graph: %s\n", err);
		free(err);
		return 1;
	}
	return 0;
}
