/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/kinds.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/network.h"

#define LONGEST_TEXT 255
#define LONGEST_NAME 64 /* of a database or table: MySQL's own limit */

/* libc takes whatever it cannot read for UTC, without a word: so look whether it is a time zone (tzfile(5)).
 */
static bool zone_exists(const char *zone)
{
	char *path, magic[4];
	bool there;
	FILE *f;

	if (strcmp(zone, "UTC") == 0)
		return true;
	if (strstr(zone, "..") || zone[0] == '/')
		return false;
	path = mem_printf("/usr/share/zoneinfo/%s", zone);
	f = fopen(path, "re");
	free(path);
	if (!f)
		return false;
	there = fread(magic, 1, sizeof(magic), f) == sizeof(magic) &&
		memcmp(magic, "TZif", sizeof(magic)) == 0;
	fclose(f);
	return there;
}

int kind_path(char **field, const char *value, size_t longest, char **err)
{
	if (value[0] != '/')
		return err_set(err,
			       "`%s` is not an absolute path; write it from the root, beginning with '/'",
			       value);
	if (strlen(value) > longest)
		return err_set(err, "the path is too long (%zu bytes, at most %zu)", strlen(value), longest);
	mem_replace(field, value);
	return 0;
}

/* Bytes that would spoil a log line or a statement; quoting is the library's. */
int kind_text(char **field, const char *value, char **err)
{
	for (const char *p = value; *p; p++)
		if (iscntrl((unsigned char)*p))
			return err_set(err, "the value holds a control character (byte %td)", p - value + 1);
	if (strlen(value) > LONGEST_TEXT)
		return err_set(err, "the value is too long (%zu bytes, at most %d)", strlen(value),
			       LONGEST_TEXT);
	mem_replace(field, *value ? value : NULL);
	return 0;
}

int kind_name(char **field, const char *value, char **err)
{
	size_t fits = strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_$-");

	if (value[fits] || strlen(value) > LONGEST_NAME)
		return err_set(err,
			       "`%s` is no name that xenbw uses: at most %d letters, digits, '_', '$' or '-'",
			       value, LONGEST_NAME);
	mem_replace(field, value);
	return 0;
}

int kind_switch(bool *field, const char *value, char **err)
{
	if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
		return err_set(err, "`%s` is neither `on` nor `off`", value);
	*field = strcmp(value, "on") == 0;
	return 0;
}

int kind_yes_no(bool *field, const char *value, char **err)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return err_set(err, "`%s` is neither `yes` nor `no`", value);
	*field = value[0] == 'y';
	return 0;
}

int kind_suffix(char **field, const char *value, char **err)
{
	size_t length = strlen(value);

	for (const char *p = value; *p; p++)
		if (!isgraph((unsigned char)*p))
			length = SIZE_MAX;
	if (length > LONGEST_NAME)
		return err_set(err, "`%s` is no suffix: at most %d printable ASCII characters without blanks",
			       value, LONGEST_NAME);
	mem_replace(field, strcmp(value, "none") == 0 ? NULL : value);
	return 0;
}

/* Whether there is one is looked at when helpers are started. */
int kind_user(char **field, const char *value, char **err)
{
	bool fits = value[0] != '-' && strlen(value) <= LONGEST_NAME;

	for (const char *p = value; *p; p++)
		if (!isgraph((unsigned char)*p) || *p == ':' || *p == '/')
			fits = false;
	if (!fits)
		return err_set(err, "`%s` is no name of a user; write one as `getent passwd` shows it",
			       value);
	mem_replace(field, value);
	return 0;
}

/* 127.0.0.1:8427 or [::1]:8427 */
int kind_listen(char **field, const char *value, char **err)
{
	const char *colon = strrchr(value, ':');
	size_t length = colon ? (size_t)(colon - value) : 0;
	bool brackets = length > 2 && value[0] == '[' && colon[-1] == ']';
	char *address = mem_strndup(value + brackets, length - 2 * (size_t)brackets);
	struct network n;
	uint64_t port;
	bool fits = colon && text_u64(colon + 1, 1, 65535, &port) && network_address(address, &n) &&
		    network_is_ipv4(&n) == !brackets;

	free(address);
	if (!fits)
		return err_set(err, "`%s` is no address with a port; write 127.0.0.1:8427 or [::1]:8427",
			       value);
	mem_replace(field, value);
	return 0;
}

int kind_zone(char **field, const char *value, char **err)
{
	if (strcmp(value, "system") != 0 && !zone_exists(value))
		return err_set(err,
			       "there is no time zone `%s`; write `system`, or a name as below "
			       "/usr/share/zoneinfo, such as Europe/Berlin",
			       value);
	mem_replace(field, strcmp(value, "system") == 0 ? NULL : value);
	return 0;
}
