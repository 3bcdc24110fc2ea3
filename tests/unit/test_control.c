/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Unit tests of ipc/control's client side, against servers that answer as xenbwd should, and as it should
 * not.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "ipc/control.h"
#include "tests/support/unit.h"

/* What a server does with its one client. */
typedef void serve_fn(int client);

struct bed {
	char *folder, *path;
	pid_t server;
};

static int set_up(void **state)
{
	struct bed *b = mem_alloc(sizeof(*b));

	b->folder = scratch_new();
	b->path = mem_printf("%s/control", b->folder);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	if (b->server > 0) {
		kill(b->server, SIGKILL);
		waitpid(b->server, NULL, 0);
	}
	scratch_free(b->folder);
	free(b->path);
	free(b);
	return 0;
}

static int listening(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	assert_true(fd >= 0 && strlen(path) < sizeof(at.sun_path));
	memcpy(at.sun_path, path, strlen(path) + 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void start_for(struct bed *b, enum control_kind kind, serve_fn *serve)
{
	int fd = listening(b->path);

	b->server = fork();
	assert_true(b->server >= 0);
	if (b->server == 0) {
		struct control_request ask;
		int client = accept(fd, NULL, NULL);

		if (client >= 0 && recv(client, &ask, sizeof(ask), 0) == (ssize_t)sizeof(ask) &&
		    ask.magic == CONTROL_MAGIC && ask.kind == kind)
			serve(client);
		_exit(0);
	}
	close(fd);
}

static void start(struct bed *b, serve_fn *serve)
{
	start_for(b, CONTROL_STATUS, serve);
}

static void send_reply(int client, struct control_reply *r, uint32_t count, uint32_t left)
{
	r->magic = CONTROL_MAGIC;
	r->kind = CONTROL_STATUS;
	r->count = count;
	r->left = left;
	(void)!send(client, r, sizeof(*r), MSG_NOSIGNAL);
}

static void answers_in_two_parts(int client)
{
	static struct control_reply r = {
		.started = 11,
		.committed = 22,
		.xenstore_connected = 1,
		.commit_failing = 0,
		.split = CONTROL_SPLIT_PCAP,
		.uplinks = "peth0 peth\n\xff",
		.dropped = 33,
		.stray_packets = 44,
		.stray_bytes = 5000000000,
	};

	for (uint32_t i = 0; i < CONTROL_VIFS; i++)
		r.vifs[i] = (struct control_vif){
			.domid = i, .input_rate = i * 10, .flags = i % 2 ? CONTROL_VIF_BLIND : 0};
	send_reply(client, &r, CONTROL_VIFS, 2);
	r.vifs[0].domid = 500;
	r.vifs[1].domid = 501;
	send_reply(client, &r, 2, 0);
}

/* Names that fill the field and have no end. */
static void names_too_many_uplinks(int client)
{
	static struct control_reply r;

	memset(r.uplinks, 'u', sizeof(r.uplinks));
	send_reply(client, &r, 0, 0);
}

static void splits_in_an_unknown_way(int client)
{
	static struct control_reply r = {.split = CONTROL_SPLIT_FAILING + 1};

	send_reply(client, &r, 0, 0);
}

static void hangs_up(int client)
{
	close(client);
}

static void says_nothing(int client)
{
	(void)client;
	pause();
}

static void has_another_layout(int client)
{
	(void)!send(client, "xenbw 0.0", 9, MSG_NOSIGNAL);
}

static void never_ends(int client)
{
	static struct control_reply r;

	send_reply(client, &r, 0, 3);
}

static void counts_too_many(int client)
{
	static struct control_reply r;

	send_reply(client, &r, CONTROL_VIFS + 1, 0);
}

static void all_parts_of_an_answer_are_put_together(void **state)
{
	struct bed *b = *state;
	struct control_status s;
	char *err = NULL;

	start(b, answers_in_two_parts);
	if (control_ask(b->path, &s, &err) != 0)
		fail_msg("%s", err);
	assert_int_equal(s.started, 11);
	assert_int_equal(s.committed, 22);
	assert_int_equal(s.xenstore_connected, 1);
	assert_int_equal(s.commit_failing, 0);
	assert_int_equal(s.count, CONTROL_VIFS + 2);
	assert_int_equal(s.vifs[CONTROL_VIFS - 1].input_rate, (CONTROL_VIFS - 1) * 10);
	assert_int_equal(s.vifs[CONTROL_VIFS + 1].domid, 501);
	assert_int_equal(s.vifs[0].flags, 0);
	assert_int_equal(s.vifs[CONTROL_VIFS - 1].flags, CONTROL_VIF_BLIND);
	free(s.vifs);
}

static void the_split_is_part_of_the_answer_and_its_names_can_be_shown(void **state)
{
	struct bed *b = *state;
	struct control_status s;
	char *err = NULL;

	start(b, answers_in_two_parts);
	if (control_ask(b->path, &s, &err) != 0)
		fail_msg("%s", err);
	assert_int_equal(s.split, CONTROL_SPLIT_PCAP);
	assert_string_equal(s.uplinks, "peth0 peth??");
	assert_int_equal(s.dropped, 33);
	assert_int_equal(s.stray_packets, 44);
	assert_int_equal(s.stray_bytes, 5000000000);
	free(s.vifs);
}

static void names_that_have_no_end_are_cut(void **state)
{
	struct bed *b = *state;
	struct control_status s;
	char *err = NULL;

	start(b, names_too_many_uplinks);
	if (control_ask(b->path, &s, &err) != 0)
		fail_msg("%s", err);
	assert_int_equal(s.split, CONTROL_SPLIT_OFF);
	assert_int_equal(strnlen(s.uplinks, sizeof(s.uplinks)), sizeof(s.uplinks) - 1);
	free(s.vifs);
}

static void nobody_listening_is_no_error(void **state)
{
	struct bed *b = *state;
	struct control_status s;
	char *err = NULL;

	assert_int_equal(control_ask(b->path, &s, &err), 1);
	assert_null(err);
	close(listening(b->path)); /* left over by a daemon that was killed */
	assert_int_equal(control_ask(b->path, &s, &err), 1);
	assert_null(err);
	assert_null(s.vifs);
}

static void fails(struct bed *b, serve_fn *serve, const char *why)
{
	struct control_status s;
	char *err = NULL;

	start(b, serve);
	assert_int_equal(control_ask(b->path, &s, &err), -1);
	if (!strstr(err, why))
		fail_msg("%s", err);
	assert_null(s.vifs);
	assert_int_equal(s.count, 0);
	err_clear(&err);
}

static void a_daemon_that_hangs_up_is_an_error(void **state)
{
	fails(*state, hangs_up, "hung up");
}

static void a_daemon_that_says_nothing_is_not_waited_for_for_ever(void **state)
{
	fails(*state, says_nothing, "did not answer within 2 seconds");
}

static void another_versions_answer_is_not_believed(void **state)
{
	fails(*state, has_another_layout, "another version");
}

static void a_split_of_another_kind_is_not_guessed_at(void **state)
{
	fails(*state, splits_in_an_unknown_way, "another version");
}

static void a_part_without_records_is_not_the_promise_of_more(void **state)
{
	fails(*state, never_ends, "hole");
}

static void more_records_than_a_message_holds_are_not_read(void **state)
{
	fails(*state, counts_too_many, "another version");
}

static void a_path_that_fits_no_socket_is_an_error(void **state)
{
	struct control_status s;
	char path[200], *err = NULL;

	(void)state;
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(control_ask(path, &s, &err), -1);
	assert_non_null(strstr(err, "too long"));
	err_clear(&err);
}

/* ---- closing a month ---- */

#define ROWS 70 /* of three messages */

static void answer_close(int client, bool failed, const char *text)
{
	struct control_answer a = {.magic = CONTROL_MAGIC, .kind = CONTROL_CLOSE, .failed = failed};

	memcpy(a.text, text, strlen(text) + 1);
	(void)!send(client, &a, sizeof(a), MSG_NOSIGNAL);
}

/* Takes all rows; how many there were that are not as they were sent. */
static void takes_a_month(int client)
{
	static struct control_closing m;
	int64_t rows = 0, wrong = 0;

	do {
		ssize_t size = recv(client, &m, sizeof(m), 0);

		if (size < 0 || !control_closing_is_sound(&m, (size_t)size) || m.edition != 2 ||
		    strcmp(m.month, "2026-10") != 0) {
			answer_close(client, true, "no sound message");
			return;
		}
		for (uint32_t i = 0; i < m.count; i++)
			wrong += m.rows[i].bucket != rows++;
	} while (m.left > 0);
	answer_close(client, rows != ROWS || wrong, "other rows");
}

static void refuses_a_month(int client)
{
	static struct control_closing m;

	(void)!recv(client, &m, sizeof(m), 0);
	answer_close(client, true, "it is not over");
}

static void answers_a_month_with_a_status(int client)
{
	static struct control_closing m;
	static struct control_reply r;

	(void)!recv(client, &m, sizeof(m), 0);
	send_reply(client, &r, 0, 0);
}

static int closes(struct bed *b, size_t count, char **err)
{
	struct control_closed *rows = mem_array(ROWS, sizeof(*rows));
	int rc;

	for (size_t i = 0; i < count; i++)
		rows[i] = (struct control_closed){.bucket = (int64_t)i, .from = 1, .to = 2, .label = "web"};
	rc = control_close(b->path, "2026-10", 2, rows, count, err);
	free(rows);
	return rc;
}

static void a_month_is_told_row_by_row(void **state)
{
	struct bed *b = *state;
	char *err = NULL;

	assert_int_equal(closes(b, ROWS, &err), 1); /* nobody listens */
	assert_null(err);
	start_for(b, CONTROL_CLOSE, takes_a_month);
	if (closes(b, ROWS, &err) != 0)
		fail_msg("%s", err);
}

static void does_not_close(struct bed *b, serve_fn *serve, const char *why)
{
	char *err = NULL;

	start_for(b, CONTROL_CLOSE, serve);
	assert_int_equal(closes(b, 1, &err), -1);
	if (!strstr(err, why))
		fail_msg("%s", err);
	free(err);
}

static void why_a_month_is_not_closed_is_told(void **state)
{
	does_not_close(*state, refuses_a_month, "did not write it: it is not over");
}

static void another_answer_about_a_month_is_not_believed(void **state)
{
	does_not_close(*state, answers_a_month_with_a_status, "another version");
}

static void a_message_that_is_not_sound_closes_nothing(void **state)
{
	struct control_closing good = {.magic = CONTROL_MAGIC,
				       .kind = CONTROL_CLOSE,
				       .count = 1,
				       .month = "2026-10",
				       .rows = {{.from = 1, .to = 2}}},
			       bad = good;

	(void)state;
	assert_true(control_closing_is_sound(&good, sizeof(good)));
	assert_false(control_closing_is_sound(&good, sizeof(good) - 1));
	bad.count = CONTROL_CLOSED + 1;
	assert_false(control_closing_is_sound(&bad, sizeof(bad)));
	bad = good;
	bad.count = 0;
	bad.left = 1;
	assert_false(control_closing_is_sound(&bad, sizeof(bad)));
	bad = good;
	memcpy(bad.month, "2026/10", 8);
	assert_false(control_closing_is_sound(&bad, sizeof(bad)));
	bad = good;
	memset(bad.rows[0].label, 'x', sizeof(bad.rows[0].label));
	assert_false(control_closing_is_sound(&bad, sizeof(bad)));
	bad = good;
	bad.rows[0].bucket = -1;
	assert_false(control_closing_is_sound(&bad, sizeof(bad)));
	bad = good;
	bad.rows[0].to = 1;
	assert_false(control_closing_is_sound(&bad, sizeof(bad)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_parts_of_an_answer_are_put_together, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_split_is_part_of_the_answer_and_its_names_can_be_shown,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_that_have_no_end_are_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_split_of_another_kind_is_not_guessed_at, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_listening_is_no_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_daemon_that_hangs_up_is_an_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_daemon_that_says_nothing_is_not_waited_for_for_ever, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(another_versions_answer_is_not_believed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_part_without_records_is_not_the_promise_of_more, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(more_records_than_a_message_holds_are_not_read, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_path_that_fits_no_socket_is_an_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_month_is_told_row_by_row, set_up, tear_down),
		cmocka_unit_test_setup_teardown(why_a_month_is_not_closed_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_answer_about_a_month_is_not_believed, set_up,
						tear_down),
		cmocka_unit_test(a_message_that_is_not_sound_closes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
