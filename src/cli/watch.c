/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

#define OTHER_SCREEN "\033[?1049h\033[?25l"
#define FIRST_SCREEN "\033[?25h\033[?1049l"
#define LONGEST_SECONDS 3600

struct watch {
	struct cli *cli;
	struct termios before;
	sigset_t mask_before;
	int signals;
	size_t height;
	FILE *out, *err, *to; /* the process's own and the command's, while a picture is drawn */
	char *text;
	size_t length;
};

static void look_at_size(struct watch *w)
{
	struct winsize size;

	cli_resize(w->cli);
	w->height = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

static int take_signals(struct watch *w, char **err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, &w->mask_before);
	w->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return w->signals < 0 ? err_sys(err, "cannot wait for signals") : 0;
}

int watch_open(struct watch **out, struct cli *cli, char **err)
{
	struct watch *w = mem_alloc(sizeof(*w));
	struct termios raw;

	*out = NULL;
	w->cli = cli;
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &w->before) < 0) {
		free(w);
		err_set(err, "this needs a terminal, as input and as output");
		return -1;
	}
	if (take_signals(w, err) < 0) {
		free(w);
		return -1;
	}
	raw = w->before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	fputs(OTHER_SCREEN, stdout);
	(void)fflush(stdout);
	look_at_size(w);
	*out = w;
	return 0;
}

void watch_close(struct watch *w)
{
	if (!w)
		return;
	fputs(FIRST_SCREEN, stdout);
	(void)fflush(stdout);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &w->before);
	close(w->signals);
	sigprocmask(SIG_SETMASK, &w->mask_before, NULL);
	free(w);
}

void watch_begin(struct watch *w)
{
	FILE *paper = open_memstream(&w->text, &w->length);

	w->out = stdout;
	w->err = stderr;
	w->to = w->cli->to;
	if (!paper)
		return; /* then it is written as it comes */
	w->cli->to = paper;
	stdout = paper;
	stderr = paper;
}

/* Line by line over what stood there, so that nothing flickers. */
void watch_end(struct watch *w)
{
	FILE *paper = stdout;
	size_t line = 0;

	if (paper == w->out)
		return;
	stdout = w->out;
	stderr = w->err;
	w->cli->to = w->to;
	(void)fclose(paper);
	fputs("\033[H", stdout);
	for (const char *s = w->text; *s && line < w->height; line++) {
		size_t n = strcspn(s, "\n");

		printf("%s%.*s\033[K", line ? "\r\n" : "", (int)n, s);
		s += n + (s[n] == '\n');
	}
	fputs("\033[J", stdout);
	(void)fflush(stdout);
	free(w->text);
	w->text = NULL;
}

size_t watch_height(const struct watch *w)
{
	return w->height;
}

/* The next signal: WATCH_TIME where there is none. */
static int next_signal(struct watch *w)
{
	struct signalfd_siginfo info;

	if (read(w->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return WATCH_TIME;
	if (info.ssi_signo != SIGWINCH)
		return WATCH_END;
	look_at_size(w);
	return WATCH_RESIZED;
}

int watch_wait(struct watch *w, unsigned ms)
{
	struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = w->signals, .events = POLLIN}};
	unsigned char key;
	int ready = poll(fds, 2, (int)ms);

	if (ready < 0)
		return errno == EINTR ? WATCH_TIME : WATCH_END;
	if (fds[1].revents)
		return next_signal(w);
	if (!fds[0].revents)
		return WATCH_TIME;
	return read(STDIN_FILENO, &key, 1) == 1 ? key : WATCH_END; /* the terminal is gone */
}

static int64_t milliseconds(void)
{
	return clock_mono().ns / 1000000;
}

/* Until the time or a resize (true), or the end. */
static bool wait_for_next(struct watch *w, unsigned seconds)
{
	int64_t end = milliseconds() + (int64_t)seconds * 1000, left;

	while ((left = end - milliseconds()) > 0) {
		int what = watch_wait(w, (unsigned)left);

		if (what == WATCH_RESIZED)
			return true;
		if (what == WATCH_END || what == 'q')
			return false;
	}
	return true;
}

int watch_run(struct cli *cli, unsigned seconds, int (*draw)(struct cli *cli, char **err), char **err)
{
	struct watch *w;
	int status;

	if (watch_open(&w, cli, err) < 0)
		return CLI_USAGE;
	do {
		cli->now = clock_wall();
		watch_begin(w);
		status = draw(cli, err);
		watch_end(w);
	} while (status == CLI_OK && wait_for_next(w, seconds));
	watch_close(w);
	return status;
}

int watch_seconds(const char *text, unsigned fallback, unsigned *out, char **err)
{
	uint64_t seconds = fallback;

	if (text && *text && !text_u64(text, 1, LONGEST_SECONDS, &seconds))
		return err_set(err, "`%s` is not a number of seconds from 1 to %d", text, LONGEST_SECONDS);
	*out = (unsigned)seconds;
	return 0;
}
