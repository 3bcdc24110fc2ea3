/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The files that an admin hands to `xenbw migrate` and `xenbw rebucket`: what is made of each line, and what
 * is said of lines that are none. Then any bytes at all.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/naccttab.h"
#include "cli/rebucket_map.h"
#include "tests/support/unit.h"

static char *folder;

static char *file_of(const char *text, size_t length)
{
	char *path = mem_printf("%s/naccttab", folder);

	scratch_write(path, text, length);
	return path;
}

/* What becomes of a single line, beside others that are fine. */
static void line_is(const char *line, enum naccttab_verdict verdict, bool dead, const char *did,
		    const char *now)
{
	char *text = mem_printf("%s\nournet 10.0.0.0 255.0.0.0\nignorenet 127.0.0.0 255.0.0.0\n", line);
	char *path = file_of(text, strlen(text)), *err = NULL;
	struct naccttab t;

	if (naccttab_read(&t, path, &err) < 0)
		fail_msg("%s: %s", line, err);
	if (t.lines[0].verdict != verdict || t.lines[0].dead != dead || !strstr(t.lines[0].did, did) ||
	    !strstr(t.lines[0].now, now))
		fail_msg("%s: %s, %d; %s; %s", line, naccttab_verdict_word(t.lines[0].verdict),
			 t.lines[0].dead, t.lines[0].did, t.lines[0].now);
	naccttab_free(&t);
	free(path);
	free(text);
}

static void each_line_has_two_sentences(void **state)
{
	(void)state;
	line_is("flush 30", NACCTTAB_TAKEN, false, "every 30 seconds", "commits");
	line_is("FLUSH 5m", NACCTTAB_REFUSED, false, "as the number 5", "is not a number");
	line_is("sniff 0", NACCTTAB_LEFT_OUT, false, "listen to all frames", "left out: ");
	line_is("notdev eth1", NACCTTAB_LEFT_OUT, true, "does nothing with it", "left out");
	line_is("pgsql_user x", NACCTTAB_LEFT_OUT, false, "built for that database", "left out: ");
	line_is("pidfile /run/x", NACCTTAB_LEFT_OUT, false, "/run/x", "systemd needs none");
	line_is("flsh 3", NACCTTAB_LEFT_OUT, true, "did not know the word", "was `flush` meant");
	line_is("poll 3", NACCTTAB_TAKEN, false, "did not know the word", "xenbw's own");
	line_is("database mysql", NACCTTAB_TAKEN, false, "MySQL", "xenbw-writer");
	line_is("database oracle", NACCTTAB_REFUSED, false, "wrote to oracle", "cannot read it");
	line_is("database x", NACCTTAB_REFUSED, false, "knew no such database", "cannot read it");
	line_is("mysql_pass x", NACCTTAB_OTHERWISE, true, "knew only mysql_password", "taken where no other");
	line_is("mysql_user", NACCTTAB_TAKEN, false, "there is no value", "");
	line_is("compactnet 10.0.0.1 255.255.255.255", NACCTTAB_TAKEN, false, "kept rows", "addresses below");
	line_is("compactnet 10.0.0.1", NACCTTAB_OTHERWISE, false, "by luck", "10.0.0.1");
	line_is("compactnet 10.0.0.1/32", NACCTTAB_OTHERWISE, true, "behind a slash", "works");
	line_is("compactnet 10.0.0.1 255.0.0.0", NACCTTAB_OTHERWISE, true, "host bits", "10.0.0.0/8");
	line_is("compactnet 10.0.0.1 /32", NACCTTAB_REFUSED, false, "could not read the mask",
		"cannot read it");
	line_is("compactnet x 255.0.0.0", NACCTTAB_REFUSED, true, "could not read the address",
		"cannot read it");
	line_is("compactnet 192.0.2.1 255.255.255.255", NACCTTAB_TAKEN, false, "no ournet holds it", "");
	line_is("compactnet 127.0.0.1 255.255.255.255", NACCTTAB_TAKEN, true, "an ignorenet holds it", "");
	line_is("ournet 010.0.0.0 255.0.0.0", NACCTTAB_REFUSED, false, "octal", "cannot read it");
	line_is("dontignore 10.0.0.0 255.0.0.0", NACCTTAB_TAKEN, false, "in spite of ignorenet", "the same");
	line_is("ignoremask 255.255.255.255", NACCTTAB_TAKEN, false, "the default", "");
	line_is("ignoremask 255.255.255.0", NACCTTAB_TAKEN, false, "do not differ within", "");
	line_is("ignoremask 0.0.0.0", NACCTTAB_TAKEN, false, "nothing was ever counted", "");
	line_is("ignoremask /24", NACCTTAB_REFUSED, true, "255.255.255.255, the default", "no mask");
}

static bool noted(const char *text, const char *words)
{
	char *path = file_of(text, strlen(text)), *err = NULL;
	struct naccttab t;
	bool found = false;

	if (naccttab_read(&t, path, &err) < 0)
		fail_msg("%s: %s", text, err);
	for (size_t i = 0; i < t.notes.count; i++)
		found |= strstr(t.notes.list[i], words) != NULL;
	naccttab_free(&t);
	free(path);
	return found;
}

static void what_is_missing_is_noted(void **state)
{
	(void)state;
	assert_true(noted("flush 3\n", "No compactnet"));
	assert_true(noted("flush 3\n", "No ournet"));
	assert_true(noted("flush 3\n", "No device"));
	assert_true(noted("flush 3\n", "No database"));
	assert_true(noted("flush 3\n", "nacctpeering"));
	assert_true(noted("device a\ndevice b\n", "counted twice"));
	assert_true(noted(
		"device a\ndevice b\ndevice c\ndevice d\ndevice e\ndevice f\ndevice g\ndevice h\ndevice i\n"
		"device j\ndevice k\n",
		"More than 10 devices"));
	assert_true(
		noted("ignoremask 255.0.0.0\ndontignore 10.0.0.0 255.0.0.0\nignorenet 10.0.0.0 255.0.0.0\n",
		      "did not help"));
	assert_false(noted("ournet 10.0.0.0 255.0.0.0\n", "No ournet"));
	assert_true(noted("ournet 10.0.0.0/8\n", "No ournet"));
}

static void map_is(const char *text, const char *expected)
{
	char *path = mem_printf("%s/map", folder), *err = NULL;
	struct rebucket_map map;
	int rc;

	scratch_write(path, text, strlen(text));
	rc = rebucket_map_read(&map, path, &err);
	if (expected && (rc == 0 || !strstr(err, expected)))
		fail_msg("%s: %s instead of %s", text, err ? err : "fine", expected);
	if (!expected && rc < 0)
		fail_msg("%s: %s", text, err);
	rebucket_map_free(&map);
	free(err);
	free(path);
}

static void maps_are_read_strictly(void **state)
{
	(void)state;
	map_is("2026-01-01T00:00 2026-01-02T00:00:00 10.0.0.1 a name with blanks # of it\n\n# x\n", NULL);
	map_is("2026-01-01T00:00 2026-01-02T00:00 10.0.0.1 a\n2026-01-02T00:00 2026-01-03T00:00 10.0.0.1 b\n",
	       NULL);
	map_is("2026-01-01T00:00 2026-01-02T01:00 10.0.0.1 a\n2026-01-02T00:00 2026-01-03T00:00 10.0.0.1 b\n",
	       "map:2: 10.0.0.1 has an owner already");
	map_is("2026-02-30T00:00 2026-03-02T00:00 10.0.0.1 a\n", "map:1: `2026-02-30T00:00` is no full hour");
	map_is("2026-01-01 2026-03-02 10.0.0.1 a\n", "no full hour");
	map_is("2026-01-01T00:00\n", "no full hour");
	map_is("2026-01-01T00:00 2026-01-02T00:00 x a\n", "is no address");
	map_is("2026-01-01T00:00 2026-01-02T00:00 10.0.0.1\n", "there is none");
	map_is("2026-01-02T00:00 2026-01-02T00:00 10.0.0.1 a\n", "ends before it begins");
	map_is("2026-01-01T00:00 2026-01-02T00:00 10.0.0.1 10.0.0.1\n", "itself an address");
	map_is("2026-01-01T00:00 2026-01-02T00:00 10.0.0.1 \xff\n", "no text in UTF-8");
	map_is("#\n", "nothing would be moved");
}

/* Whatever the bytes: an answer or an error, and no more. */
static void any_bytes_are_borne(void **state)
{
	static const char *const words[] = {
		"compactnet ",       "10.0.0.1",        "/24 ",     " 255.0.0.0", "\n", "#", "ournet",
		"2026-01-01T00:00 ", "mysql_password ", "\xff\xfe", "\r"};
	struct random random = random_new();

	(void)state;
	for (int round = 0; round < 500; round++) {
		char text[256] = "", *path, *err = NULL;
		struct rebucket_map map;
		struct naccttab t;
		size_t length = 0;

		while (length < 200) {
			const char *word = words[random_below(&random, sizeof(words) / sizeof(*words))];

			memcpy(text + length, word, strlen(word));
			length += strlen(word);
			if (random_below(&random, 9) == 0)
				text[length++] = (char)random_below(&random, 256);
		}
		path = file_of(text, length);
		if (naccttab_read(&t, path, &err) < 0)
			assert_non_null(err);
		naccttab_free(&t);
		free(err);
		err = NULL;
		if (rebucket_map_read(&map, path, &err) < 0)
			assert_non_null(err);
		rebucket_map_free(&map);
		free(err);
		free(path);
	}
}

static int set_up(void **state)
{
	(void)state;
	folder = scratch_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_free(folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_line_has_two_sentences),
		cmocka_unit_test(what_is_missing_is_noted),
		cmocka_unit_test(maps_are_read_strictly),
		cmocka_unit_test(any_bytes_are_borne),
	};

	return cmocka_run_group_tests_name("migrate", tests, set_up, tear_down);
}
