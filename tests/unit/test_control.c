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

static void start(struct bed *b, serve_fn *serve)
{
	int fd = listening(b->path);

	b->server = fork();
	assert_true(b->server >= 0);
	if (b->server == 0) {
		struct control_request ask;
		int client = accept(fd, NULL, NULL);

		if (client >= 0 && recv(client, &ask, sizeof(ask), 0) == (ssize_t)sizeof(ask) &&
		    ask.magic == CONTROL_MAGIC && ask.kind == CONTROL_STATUS)
			serve(client);
		_exit(0);
	}
	close(fd);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
