/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Messages with descriptors and tables beside them, over a real socket pair.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "ipc/capture.h"
#include "ipc/packet.h"
#include "tests/support/unit.h"

static int pair[2];

static int set_up(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair);
}

static int tear_down(void **state)
{
	(void)state;
	close(pair[0]);
	if (pair[1] >= 0)
		close(pair[1]);
	return 0;
}

static void a_table_of_any_size_arrives_whole(void **state)
{
	size_t count = 100000; /* far beyond what a socket holds */
	uint64_t *sent = mem_array(count, sizeof(*sent)), *got;
	uint32_t message = 7, answer = 0;
	int fds[PACKET_FDS], table;
	char *err = NULL;

	(void)state;
	for (size_t i = 0; i < count; i++)
		sent[i] = i * 31 >> 3;
	table = capture_table_pack(sent, count, sizeof(*sent), &err);
	assert_true(table >= 0);
	assert_int_equal(packet_send(pair[0], &message, sizeof(message), &table, 1, &err), 0);
	close(table);
	assert_int_equal(packet_receive(pair[1], &answer, sizeof(answer), fds, &err), 1);
	assert_int_equal(answer, 7);
	assert_true(fds[0] >= 0);
	assert_int_equal(fds[1], -1);
	assert_int_not_equal(fcntl(fds[0], F_GETFD) & FD_CLOEXEC, 0);
	got = capture_table_unpack(fds[0], count, sizeof(*got), &err);
	assert_non_null(got);
	assert_memory_equal(got, sent, count * sizeof(*got));
	free(got);
	assert_null(capture_table_unpack(fds[0], count + 1, sizeof(*got), &err));
	assert_non_null(strstr(err, "is missing or of another size"));
	err_clear(&err);
	packet_close(fds);
	assert_int_equal(fds[0], -1);
	free(sent);
}

static void an_empty_table_is_one_and_no_table_is_none(void **state)
{
	int fds[PACKET_FDS], table;
	char byte = 'x';
	void *got;

	(void)state;
	table = capture_table_pack(NULL, 0, 8, NULL);
	assert_int_equal(packet_send(pair[0], &byte, 1, &table, 1, NULL), 0);
	close(table);
	assert_int_equal(packet_receive(pair[1], &byte, 1, fds, NULL), 1);
	got = capture_table_unpack(fds[0], 0, 8, NULL);
	assert_non_null(got);
	free(got);
	packet_close(fds);
	assert_null(capture_table_unpack(-1, 0, 8, NULL));
	table = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600); /* the file system may wait for ever */
	assert_true(table >= 0);
	assert_null(capture_table_unpack(table, 0, 8, NULL));
	close(table);
	assert_int_equal(packet_send(pair[0], &byte, 1, &pair[0], 1, NULL), 0);
	assert_int_equal(packet_receive(pair[1], &byte, 1, fds, NULL), 1);
	assert_null(capture_table_unpack(fds[0], 0, 8, NULL)); /* a socket */
	packet_close(fds);
}

static void a_message_may_come_alone_or_with_two(void **state)
{
	int fds[PACKET_FDS];
	char byte = 'x';

	(void)state;
	assert_int_equal(packet_send(pair[0], &byte, 1, NULL, 0, NULL), 0);
	assert_int_equal(packet_send(pair[0], &byte, 1, pair, 2, NULL), 0);
	assert_int_equal(packet_receive(pair[1], &byte, 1, fds, NULL), 1);
	assert_int_equal(fds[0], -1);
	assert_int_equal(packet_receive(pair[1], &byte, 1, fds, NULL), 1);
	assert_true(fds[0] >= 0 && fds[1] >= 0);
	packet_close(fds);
	assert_int_equal(packet_receive(pair[1], &byte, 1, fds, NULL), 0);
}

static void a_message_of_another_size_is_an_error(void **state)
{
	int fds[PACKET_FDS];
	char *err = NULL;
	char bytes[4];

	(void)state;
	assert_int_equal(packet_send(pair[0], "abcde", 5, pair, 2, NULL), 0);
	assert_int_equal(packet_receive(pair[1], bytes, sizeof(bytes), fds, &err), -1);
	assert_non_null(strstr(err, "instead of 4"));
	assert_int_equal(fds[0], -1);
	err_clear(&err);
}

static void a_full_socket_and_a_closed_one_are_errors(void **state)
{
	int fds[PACKET_FDS];
	char *err = NULL;
	char byte = 'x';

	(void)state;
	while (packet_send(pair[0], &byte, 1, NULL, 0, NULL) == 0)
		;
	assert_int_equal(errno, EAGAIN);
	close(pair[1]);
	pair[1] = -1;
	while (packet_send(pair[0], &byte, 1, NULL, 0, &err) < 0 && errno == ECONNRESET)
		; /* once, for what the other end left unread */
	assert_int_equal(errno, EPIPE);
	err_clear(&err);
	assert_int_equal(packet_receive(pair[0], &byte, 1, fds, &err), -1);
	assert_null(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_table_of_any_size_arrives_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_empty_table_is_one_and_no_table_is_none, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_message_may_come_alone_or_with_two, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_message_of_another_size_is_an_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_socket_and_a_closed_one_are_errors, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("capture_ipc", tests, NULL, NULL);
}
