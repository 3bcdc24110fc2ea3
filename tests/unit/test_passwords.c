/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Unit tests of base/passwords: the file of users, its rights, and hashes.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/passwords.h"
#include "tests/support/unit.h"

struct bed {
	char *folder, *path;
};

static int set_up(void **state)
{
	struct bed *b = mem_alloc(sizeof(*b));

	b->folder = scratch_new();
	b->path = mem_printf("%s/users", b->folder);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	scratch_free(b->folder);
	free(b->path);
	free(b);
	return 0;
}

static void put(const struct bed *b, const char *text, mode_t mode)
{
	scratch_write(b->path, text, strlen(text));
	assert_int_equal(chmod(b->path, mode), 0);
}

static void what_is_written_is_read(void **state)
{
	const struct bed *b = *state;
	struct passwords p, again;
	struct stat st;

	assert_int_equal(passwords_read(&p, b->path, NULL), 1); /* there is none yet */
	passwords_set(&p, "root", PASSWORDS_ADMIN, "$y$1");
	passwords_set(&p, "paul", "acme", "$y$2");
	passwords_set(&p, "root", PASSWORDS_ADMIN, "$y$3");
	assert_int_equal(passwords_write(&p, b->path, getegid(), NULL), 0);
	assert_int_equal(passwords_write(&p, b->path, getegid(), NULL), 0); /* in the place of one */
	assert_int_equal(stat(b->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(passwords_read(&again, b->path, NULL), 0);
	assert_int_equal(again.count, 2);
	assert_string_equal(passwords_find(&again, "root")->hash, "$y$3");
	assert_string_equal(passwords_find(&again, "paul")->owner, "acme");
	assert_null(passwords_find(&again, "Paul"));
	assert_true(passwords_remove(&again, "root"));
	assert_false(passwords_remove(&again, "root"));
	assert_string_equal(again.list[0].name, "paul");
	passwords_free(&p);
	passwords_free(&again);
}

static void rights_and_kinds_are_looked_at(void **state)
{
	static const mode_t bad[] = {0644, 0660, 0642, 0604, 0641};
	const struct bed *b = *state;
	char *link = mem_printf("%s/link", b->folder), *err = NULL;
	struct passwords p;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		put(b, "root:*:$y$1\n", bad[i]);
		if (passwords_read(&p, b->path, &err) != -1)
			fail_msg("%o", bad[i]);
		passwords_free(&p);
	}
	put(b, "root:*:$y$1\n", 0600);
	assert_int_equal(passwords_read(&p, b->path, &err), 0);
	passwords_free(&p);
	assert_int_equal(symlink(b->path, link), 0);
	assert_int_equal(passwords_read(&p, link, &err), -1);
	assert_int_equal(passwords_read(&p, b->folder, &err), -1);
	free(link);
	free(err);
}

static void a_file_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = {"root\n",    "root:*\n",       "root:*:x:y\n", ":*:x\n",
					  "root::x\n", "a:*:x\na:b:y\n", "a\tb:*:x\n",   "ok:*:x\nnot ok\n"};
	const struct bed *b = *state;
	struct passwords p;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char *err = NULL;

		put(b, bad[i], 0640);
		if (passwords_read(&p, b->path, &err) != -1)
			fail_msg("%s", bad[i]);
		assert_int_equal(p.count, 0);
		assert_non_null(strstr(err, "users:"));
		free(err);
	}
	scratch_write(b->path, "a:*:x\0y\n", 8);
	assert_int_equal(passwords_read(&p, b->path, NULL), -1);
	put(b, "# nobody\n\n", 0640);
	assert_int_equal(passwords_read(&p, b->path, NULL), 0);
	assert_int_equal(p.count, 0);
}

static void a_hash_lets_its_password_in_alone(void **state)
{
	char *one = passwords_hash("correct horse", NULL), *two = passwords_hash("correct horse", NULL);

	(void)state;
	assert_int_equal(strncmp(one, "$y$", 3), 0);
	assert_string_not_equal(one, two); /* salts differ */
	assert_true(passwords_match(one, "correct horse"));
	assert_true(passwords_match(two, "correct horse"));
	assert_false(passwords_match(one, "correct horsf"));
	assert_false(passwords_match(one, ""));
	assert_false(passwords_match("", "correct horse"));
	assert_false(passwords_match("$y$", "correct horse"));
	assert_false(passwords_match("*", "*"));
	assert_false(passwords_match("aaJpXFyEFDN8c", "x")); /* DES's */
	free(one);
	free(two);
}

static void names_are_such(void **state)
{
	(void)state;
	assert_true(passwords_is_name("acme"));
	assert_true(passwords_is_name("Grüße, Welt"));
	assert_false(passwords_is_name(""));
	assert_false(passwords_is_name("#x"));
	assert_false(passwords_is_name("a:b"));
	assert_false(passwords_is_name("a\nb"));
	assert_false(passwords_is_name("0123456789012345678901234567890123456789012345678901234567890123x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rights_and_kinds_are_looked_at, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_that_is_none_is_refused, set_up, tear_down),
		cmocka_unit_test(a_hash_lets_its_password_in_alone),
		cmocka_unit_test(names_are_such),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
