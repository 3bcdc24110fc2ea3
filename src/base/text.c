/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

bool text_u64(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
	unsigned long long v;
	char *end;

	if (!s || !isdigit((unsigned char)*s))
		return false;
	errno = 0;
	v = strtoull(s, &end, 10);
	if (errno || *end || v < min || v > max)
		return false;
	*out = v;
	return true;
}

/* Length of the valid UTF-8 sequence at p (RFC 3629), its code point in *cp; 0 when there is none. */
static size_t utf8_at(const unsigned char *p, size_t left, uint32_t *cp)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n;

	if (p[0] < 0x80) {
		*cp = p[0];
		return 1;
	}
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2;
	else if ((p[0] & 0xf0) == 0xe0)
		n = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (n > left)
		return 0;
	*cp = p[0] & (0xff >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*cp = *cp << 6 | (p[i] & 0x3f);
	}
	if (*cp < smallest[n] || *cp > 0x10ffff || (*cp >= 0xd800 && *cp <= 0xdfff))
		return 0;
	return n;
}

/* Characters that change how their neighbours are shown, or end a line for some reader. */
static bool is_unshowable(uint32_t cp)
{
	return cp < 0x20 || cp == '\\' || (cp >= 0x7f && cp <= 0x9f) || cp == 0x061c || cp == 0x200e ||
	       cp == 0x200f || (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069) ||
	       cp == 0xfeff;
}

char *text_printable(const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	char *out = mem_alloc(len * 4 + 1), *o = out;

	for (size_t i = 0; i < len;) {
		uint32_t cp = 0;
		size_t n = utf8_at(p + i, len - i, &cp);

		if (n && !is_unshowable(cp)) {
			memcpy(o, p + i, n);
			o += n;
			i += n;
			continue;
		}
		for (n = n ? n : 1; n; n--, i++)
			o += snprintf(o, 5, "\\x%02x", p[i]);
	}
	*o = '\0';
	return out;
}

/* FNV-1a, 64 bits: only to tell cut names apart, no security rests on it. */
static uint64_t hash64(const char *s)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3u;
	return h;
}

char *text_filename(const char *label, size_t reserve)
{
	size_t room = 255 - reserve, used = 0;
	char *out = mem_alloc(strlen(label) * 3 + 2);

	if (!*label)
		out[used++] = '%';
	for (const char *s = label; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '/' || c == ':' || c == '%' || c < 0x20 || c == 0x7f || (c == '.' && s == label))
			used += (size_t)snprintf(out + used, 4, "%%%02X", c);
		else
			out[used++] = *s;
	}
	if (used > room) {
		size_t keep = room - 18;

		/* cut between characters, not inside one, nor inside a %XX */
		while (keep && ((unsigned char)out[keep] & 0xc0) == 0x80)
			keep--;
		if (keep >= 1 && out[keep - 1] == '%')
			keep--;
		else if (keep >= 2 && out[keep - 2] == '%')
			keep -= 2;
		/* "%-" begins no %XX: what is cut has no name in common with what is not */
		out = mem_resize(out, keep + 19, 1);
		snprintf(out + keep, 19, "%%-%016" PRIx64, hash64(label));
	} else {
		out[used] = '\0';
	}
	return out;
}

#define CUT_MARK "%-" /* in front of the hash */
#define CUT_SIZE 18   /* of both */

/* Where the character `n` of a text begins, or its end. */
static const char *character_at(const char *s, size_t n)
{
	while (*s && n--)
		do
			s++;
		while (((unsigned char)*s & 0xc0) == 0x80);
	return s;
}

char *text_cut(const char *s, size_t room)
{
	const char *keep = character_at(s, room - CUT_SIZE), *end = character_at(keep, CUT_SIZE);

	/* one that fits but looks as if it had been cut is cut too */
	if (!*end && (end - keep != CUT_SIZE || strncmp(keep, CUT_MARK, strlen(CUT_MARK)) != 0))
		return mem_strdup(s);
	return mem_printf("%.*s%s%016" PRIx64, (int)(keep - s), s, CUT_MARK, hash64(s));
}

bool text_is_ifname(const char *s)
{
	size_t n = s ? strlen(s) : 0;

	if (n == 0 || n >= IFNAMSIZ || strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
		return false;
	for (; *s; s++) /* 0xa0: a blank to the kernel, which reads Latin-1 */
		if (*s == '/' || *s == ':' || isspace((unsigned char)*s) || (unsigned char)*s == 0xa0)
			return false;
	return true;
}

size_t text_distance(const char *a, const char *b)
{
	size_t n = strlen(b);
	size_t *row = mem_array(n + 1, sizeof(*row)), result;

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; *a; a++, i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t change =
				corner + (tolower((unsigned char)*a) != tolower((unsigned char)b[j - 1]));
			size_t either = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

			corner = row[j];
			row[j] = change < either ? change : either;
		}
	}
	result = row[n];
	free(row);
	return result;
}
