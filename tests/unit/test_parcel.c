/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Messages with tables beside them, over a real socket pair.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "ipc/parcel.h"
#include "tests/support/unit.h"

static int pair[2];

static int set_up(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
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
	size_t size = 3u << 20; /* far beyond what a socket holds */
	unsigned char *sent = mem_alloc(size), *got;
	int fds[PARCEL_FDS];
	uint32_t message = 7, answer = 0;

	(void)state;
	for (size_t i = 0; i < size; i++)
		sent[i] = (unsigned char)(i * 31 >> 3);
	assert_int_equal(parcel_send_table(pair[0], &message, sizeof(message), sent, size), 0);
	assert_int_equal(parcel_receive(pair[1], &answer, sizeof(answer), fds), sizeof(answer));
	assert_int_equal(answer, 7);
	assert_true(fds[0] >= 0);
	assert_int_equal(fds[1], -1);
	assert_int_not_equal(fcntl(fds[0], F_GETFD) & FD_CLOEXEC, 0);
	got = parcel_read_table(fds[0], size);
	assert_non_null(got);
	assert_memory_equal(got, sent, size);
	free(got);
	assert_null(parcel_read_table(fds[0], size + 1));
	close(fds[0]);
	free(sent);
}

static void an_empty_table_is_one(void **state)
{
	int fds[PARCEL_FDS];
	char byte = 'x';
	void *got;

	(void)state;
	assert_int_equal(parcel_send_table(pair[0], &byte, 1, NULL, 0), 0);
	assert_int_equal(parcel_receive(pair[1], &byte, 1, fds), 1);
	got = parcel_read_table(fds[0], 0);
	assert_non_null(got);
	free(got);
	close(fds[0]);
}

static void a_message_may_come_alone_or_with_two(void **state)
{
	int fds[PARCEL_FDS], two[] = {pair[0], pair[1]};
	char byte = 'x';

	(void)state;
	assert_int_equal(parcel_send(pair[0], &byte, 1, NULL, 0), 0);
	assert_int_equal(parcel_send(pair[0], &byte, 1, two, 2), 0);
	assert_int_equal(parcel_receive(pair[1], &byte, 1, fds), 1);
	assert_int_equal(fds[0], -1);
	assert_null(parcel_read_table(fds[0], 0));
	assert_int_equal(parcel_receive(pair[1], &byte, 1, fds), 1);
	assert_true(fds[0] >= 0 && fds[1] >= 0);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(parcel_receive(pair[1], &byte, 1, fds), -1);
	assert_int_equal(errno, EAGAIN);
}

static void a_socket_is_no_table(void **state)
{
	int fds[PARCEL_FDS];
	char byte = 'x';

	(void)state;
	assert_int_equal(parcel_send(pair[0], &byte, 1, &pair[0], 1), 0);
	assert_int_equal(parcel_receive(pair[1], &byte, 1, fds), 1);
	assert_null(parcel_read_table(fds[0], 1));
	close(fds[0]);
}

static void a_full_socket_and_a_closed_one_are_told_apart(void **state)
{
	int fds[PARCEL_FDS];
	char byte = 'x';

	(void)state;
	while (parcel_send(pair[0], &byte, 1, NULL, 0) == 0)
		;
	assert_int_equal(errno, EAGAIN);
	close(pair[1]);
	pair[1] = -1;
	assert_int_equal(parcel_send_table(pair[0], &byte, 1, "abc", 3), -1);
	assert_int_equal(errno, ECONNRESET); /* once, for what the other end left unread */
	assert_int_equal(parcel_send_table(pair[0], &byte, 1, "abc", 3), -1);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(parcel_receive(pair[0], &byte, 1, fds), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_table_of_any_size_arrives_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_empty_table_is_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_message_may_come_alone_or_with_two, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_socket_is_no_table, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_socket_and_a_closed_one_are_told_apart, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("parcel", tests, NULL, NULL);
}
