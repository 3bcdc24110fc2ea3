/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fuzz_feed: any bytes as messages between xenbwd and xenbw-writer (libFuzzer), read by the two ends as they
 * are.
 *
 * The first byte says which end. Beside xenbwd's a model knows what the ledger must have noted by then, and
 * which messages a writer has to be told; beside the writer's, what it may do and when it has to give up. The
 * guard, and the sinks, are this file's.
 */
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/daemon.h"
#include "daemon/guard.h"
#include "daemon/quotas.h"
#include "db/mysql_sink.h"
#include "db/rrd_sink.h"
#include "ipc/feed.h"
#include "tests/fuzz/ledger_life.h"
#include "writer/writer.h"

#define WRITER_END 1
#define MESSAGES 64 /* of an input, at most: what a socket holds */

enum { RRD, MYSQL, SINKS };
static const char *const names[SINKS] = {[RRD] = RRD_SINK, [MYSQL] = MYSQL_SINK};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool ok)
{
	if (!ok)
		abort();
}

/* ---- the input ---- */

static struct {
	const uint8_t *at, *end;
} input;

static uint8_t next(void)
{
	return input.at < input.end ? *input.at++ : 0;
}

static int64_t any_number(void)
{
	uint64_t n = 0;

	for (int i = 0; i < 8; i++)
		n = n << 8 | next();
	return (int64_t)n;
}

/* ---- the log: whatever comes in, a line is one line of text ---- */

static void check_line(const char *fmt, va_list ap)
{
	char *line = mem_vprintf(fmt, ap);

	for (const char *p = line; *p; p++)
		expect((unsigned char)*p >= ' ' && *p != 127);
	free(line);
}

#define LOG(name)                       \
	void name(const char *fmt, ...) \
	{                               \
		va_list ap;             \
                                        \
		va_start(ap, fmt);      \
		check_line(fmt, ap);    \
		va_end(ap);             \
	}
LOG(log_err)
LOG(log_warn)
LOG(log_info)
LOG(log_debug)

#define LOG_ABOUT(name)                                     \
	void name(const char *object, const char *fmt, ...) \
	{                                                   \
		va_list ap;                                 \
                                                            \
		(void)object;                               \
		va_start(ap, fmt);                          \
		check_line(fmt, ap);                        \
		va_end(ap);                                 \
	}
LOG_ABOUT(log_err_about)
LOG_ABOUT(log_warn_about)
LOG_ABOUT(log_info_about)

void log_tell(void)
{
}

/* ---- messages ---- */

/* Mostly such as they should be. */
static size_t put_message(struct feed_message *m, uint32_t kind, int64_t about)
{
	uint8_t what = next();
	size_t size = sizeof(*m);

	*m = (struct feed_message){.magic = FEED_MAGIC, .kind = kind, .seq = about - 8 + next() % 16};
	snprintf(m->sink, sizeof(m->sink), "%s", names[what & 1 ? MYSQL : RRD]);
	if (what & 2)
		m->seq = any_number();
	if (what & 4)
		for (size_t i = 0; i < sizeof(m->sink); i++)
			m->sink[i] = (char)next();
	if ((what & 0x18) == 0x18)
		m->kind = next();
	if ((what & 0x30) == 0x30)
		m->magic = (uint32_t)any_number();
	if ((what & 0x60) == 0x60)
		size = next() % (sizeof(*m) + 1);
	return size;
}

/* ---- xenbwd's end ---- */

static struct {
	int writer; /* the socket's other end; -1: it was closed */
	bool runs;  /* xenbwd has not ended it */
} guard = {.writer = -1};

static struct {
	struct daemon d;
	struct feed *feed;
	int64_t passed[SINKS];
	bool held; /* as the writer was told */
} bed;

int guard_fd(const struct guard *g)
{
	(void)g;
	return 0;
}

static void close_writer(void)
{
	if (guard.writer >= 0)
		close(guard.writer);
	guard.writer = -1;
}

int guard_start(struct guard *g, enum guard_helper helper, const struct conf *conf, bool with_secrets,
		const struct iovec *first, char **err)
{
	int pair[2];

	(void)g;
	(void)conf;
	(void)err;
	expect(helper == GUARD_WRITER && with_secrets);
	expect(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	expect(!first || writev(pair[0], first, 1) == (ssize_t)first->iov_len);
	/* little room: what xenbwd says may find none */
	expect(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &(int){1}, sizeof(int)) == 0);
	close_writer();
	guard.writer = pair[1];
	guard.runs = true;
	bed.held = false;
	return pair[0];
}

/* Of a crossing no more is known here than that it is whole: what it says is this one's to check. */
void quotas_crossed(struct daemon_quotas *q, struct crossing *c)
{
	(void)q;
	(void)c;
}

void guard_end(struct guard *g, enum guard_helper helper)
{
	(void)g;
	expect(helper == GUARD_WRITER);
	guard.runs = false;
}

/* The sequences that there are: what an account has given out. */
static void ledger_ends_at(int64_t seq)
{
	static const struct account_settings settings = {.boot = "boot"};
	struct ledger_state state = {.last_seq = seq};

	account_free(bed.d.account);
	bed.d.account = account_new(&settings, &state, 1000000000);
	expect(account_last_seq(bed.d.account) == seq);
}

static int64_t end_of_ledger(void)
{
	return account_last_seq(bed.d.account);
}

/* One file for all inputs; sinks that were forgotten and came again begin anew. */
static void open_ledger(void)
{
	char *err = NULL;

	if (!bed.d.ledger)
		expect(ledger_open(&bed.d.ledger, ledger_life_path(), "boot", &err) == 0);
	expect(ledger_sinks(bed.d.ledger, NULL, 0, &err) == 0);
	expect(ledger_sinks(bed.d.ledger, names, SINKS, &err) == 0);
	memset(bed.passed, 0, sizeof(bed.passed));
}

static void check_ledger(void)
{
	char *err = NULL;
	int64_t seq;

	for (int i = 0; i < SINKS; i++) {
		expect(ledger_sink_seq(bed.d.ledger, names[i], &seq, &err) == 0);
		expect(seq == bed.passed[i]);
	}
}

/* What the ledger has noted after a message. */
static void reckon(const struct feed_message *m)
{
	for (int i = 0; i < SINKS; i++)
		if (strncmp(m->sink, names[i], sizeof(m->sink)) == 0 && m->seq <= end_of_ledger() &&
		    m->seq > bed.passed[i])
			bed.passed[i] = m->seq;
}

static bool is_one(const struct feed_message *m, size_t size)
{
	return size == sizeof(*m) && m->magic == FEED_MAGIC && m->kind == FEED_PASSED;
}

/* Returns false where the writer's end is to be seen as ended. */
static bool writer_says(void)
{
	struct feed_message m;
	size_t size = put_message(&m, FEED_PASSED, end_of_ledger());

	if (guard.writer < 0 || !guard.runs)
		return true;
	if (send(guard.writer, &m, size, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)size)
		return true;
	if (!is_one(&m, size)) {
		guard.runs = guard.runs && size > 0; /* an empty message is what its end looks like */
		return false;
	}
	/* a name without an end is cut by one */
	m.sink[sizeof(m.sink) - 1] = '\0';
	reckon(&m);
	return true;
}

static void turn(void)
{
	for (int i = 0; i < 4; i++)
		expect(event_base_loop(bed.d.base, EVLOOP_NONBLOCK) >= 0);
}

/* What xenbwd has said: each message is whole, and holding and going on take turns. */
static void writer_hears(void)
{
	struct feed_message m;
	ssize_t n;

	if (guard.writer < 0)
		return;
	while ((n = recv(guard.writer, &m, sizeof(m), MSG_DONTWAIT)) > 0) {
		expect(n == (ssize_t)sizeof(m) && m.magic == FEED_MAGIC && m.seq <= end_of_ledger());
		expect(m.kind == FEED_COMMITTED || m.kind == (bed.held ? FEED_RESUME : FEED_HOLD));
		if (m.kind != FEED_COMMITTED)
			bed.held = m.kind == FEED_HOLD;
	}
}

/* It has said something, or all it will say: then xenbwd has taken it in, and goes on, or has ended it. */
static void after(bool well)
{
	bool ran = guard.runs;

	turn();
	expect(guard.runs == (ran && well));
	check_ledger();
}

/* Several at once, the last thing that it does; xenbwd waits for no more than that. */
static void last_words(bool stop)
{
	for (int i = next() % 8; i > 0; i--)
		if (!writer_says())
			break;
	writer_hears();
	if (guard.writer >= 0)
		shutdown(guard.writer, SHUT_WR);
	if (stop) {
		feed_stop(bed.feed);
		bed.feed = feed_start(&bed.d);
	} else {
		feed_flush(bed.feed);
		turn();
		guard.runs = false;
	}
	check_ledger();
}

static void step(void)
{
	switch (next() % 8) {
	case 0:
		ledger_ends_at(end_of_ledger() + next());
		feed_tell(bed.feed);
		break;
	case 1:
		bed.d.held = !bed.d.held;
		feed_hold(bed.feed);
		break;
	case 2:
		writer_hears();
		if (guard.runs && guard.writer >= 0)
			feed_tell(bed.feed); /* what found no place before has one now */
		writer_hears();
		expect(!guard.runs || guard.writer < 0 || bed.held == bed.d.held);
		break;
	case 3:
		close_writer();
		guard.runs = false; /* for it has ended */
		after(false);
		break;
	case 4: /* the wait is over, or there is another configuration */
		feed_kill(bed.feed);
		bed.feed = feed_start(&bed.d);
		expect(guard.runs);
		break;
	case 5:
		last_words(next() % 2);
		break;
	default:
		after(writer_says());
	}
}

static void xenbwds_end(void)
{
	static struct conf conf;
	int steps = 0;

	if (!bed.d.base) {
		bed.d.base = event_base_new();
		conf_init(&conf);
		conf.database = DATABASE_MYSQL;
		bed.d.conf = &conf;
	}
	open_ledger();
	ledger_ends_at(1000);
	bed.d.held = next() % 2;
	bed.feed = feed_start(&bed.d);
	while (input.at < input.end && steps++ < MESSAGES)
		step();
	feed_kill(bed.feed);
	close_writer();
}

/* ---- the writer's end ---- */

static struct {
	bool mysql_held;
	bool trouble[2 * MESSAGES]; /* whether a pass fails */
	size_t passes;
	int64_t seq;
} sinks;

struct rrd_sink *rrd_sink_new(const char *ledger, const char *rrd_dir, const struct sink_host *host)
{
	(void)ledger;
	(void)rrd_dir;
	(void)host;
	return mem_alloc(1);
}

void rrd_sink_free(struct rrd_sink *s)
{
	free(s);
}

struct mysql_sink *mysql_sink_new(const char *ledger, const struct conf *conf, const struct sink_host *host)
{
	(void)ledger;
	(void)conf;
	(void)host;
	return mem_alloc(1);
}

void mysql_sink_free(struct mysql_sink *s)
{
	free(s);
}

static int any_pass(int64_t *seq, char **err)
{
	size_t n = sinks.passes++ % (sizeof(sinks.trouble) / sizeof(*sinks.trouble));

	*seq = sinks.trouble[n] ? 0 : ++sinks.seq;
	if (sinks.trouble[n])
		*err = mem_strdup("it does not work");
	return sinks.trouble[n] ? -1 : 0;
}

int rrd_sink_pass(struct rrd_sink *s, int64_t now, int64_t *seq, char **err)
{
	(void)s;
	(void)now;
	return any_pass(seq, err);
}

int mysql_sink_pass(struct mysql_sink *s, int64_t *seq, char **err)
{
	(void)s;
	expect(!sinks.mysql_held);
	return any_pass(seq, err);
}

/* Messages to the writer; *known: none of them is nonsense. Returns whether MySQL is held by the last one. */
static bool xenbwd_says(int fd, bool *known)
{
	static const uint32_t kinds[] = {FEED_COMMITTED, FEED_HOLD, FEED_RESUME};
	bool held = false;

	*known = true;
	for (int i = 0; i < MESSAGES && input.at < input.end && *known; i++) {
		struct feed_message m;
		size_t size = put_message(&m, kinds[next() % 3], 1000);

		if (size == 0) /* that would be the end */
			break;
		expect(send(fd, &m, size, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)size);
		*known = size == sizeof(m) && m.magic == FEED_MAGIC &&
			 (m.kind == FEED_COMMITTED || m.kind == FEED_HOLD || m.kind == FEED_RESUME);
		if (m.kind == FEED_HOLD || m.kind == FEED_RESUME)
			held = m.kind == FEED_HOLD;
	}
	return held;
}

/* Each sink's word is one that xenbwd takes. */
static void check_words(int fd)
{
	struct feed_message m;
	ssize_t n;

	while ((n = recv(fd, &m, sizeof(m), MSG_DONTWAIT)) > 0) {
		expect(is_one(&m, (size_t)n) && m.seq > 0 && m.seq <= sinks.seq);
		expect(memchr(m.sink, '\0', sizeof(m.sink)) != NULL);
		expect(strcmp(m.sink, RRD_SINK) == 0 || strcmp(m.sink, MYSQL_SINK) == 0);
	}
}

static void writers_end(void)
{
	static struct conf conf;
	struct writer_setup setup = {.ledger = "ledger", .rrd_dir = "rrd", .conf = &conf};
	char *err = NULL;
	int pair[2], quiet[2], rc;
	uint8_t what = next();
	bool known;

	if (what & 1)
		setup.rrd_dir = NULL;
	if (what & 2)
		setup.conf = NULL;
	conf.errdelay = 1;
	conf.flush = 30;
	sinks.passes = 0;
	sinks.seq = 0;
	for (size_t i = 0; i < sizeof(sinks.trouble) / sizeof(*sinks.trouble); i++)
		sinks.trouble[i] = what & 4 << i % 6;
	expect(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	expect(pipe2(quiet, O_CLOEXEC) == 0);
	setup.signals = quiet[0];
	expect(pair[1] == FEED_FD || dup2(pair[1], FEED_FD) == FEED_FD);
	if (pair[1] != FEED_FD)
		close(pair[1]);
	sinks.mysql_held = xenbwd_says(pair[0], &known);
	shutdown(pair[0], SHUT_WR);
	rc = writer_run(&setup, &err);
	expect(rc == (known ? 0 : -1) && !err == !rc);
	check_words(pair[0]);
	free(err);
	close(FEED_FD);
	close(pair[0]);
	close(quiet[0]);
	close(quiet[1]);
}

/* FEED_FD is kept for the writer; whoever has it before is somebody else. */
static void keep_descriptor(void)
{
	static bool kept;

	expect(kept || fcntl(FEED_FD, F_GETFD) < 0);
	kept = true;
	if (fcntl(FEED_FD, F_GETFD) < 0)
		expect(open("/dev/null", O_RDONLY | O_CLOEXEC) == FEED_FD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input.at = data;
	input.end = data + size;
	keep_descriptor();
	if (next() & WRITER_END)
		writers_end();
	else
		xenbwds_end();
	return 0;
}
