/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xen/value.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { UUID_LEN = VALUE_UUID_SIZE - 1, MAC_LEN = VALUE_MAC_SIZE - 1, SHOWN_MAX = 40 };

/* Copies len bytes as a string where that is possible: room for the NUL, none inside. */
static bool as_string(const char *p, size_t len, char *out, size_t size)
{
	if (len >= size || (len && memchr(p, '\0', len)))
		return false;
	if (len)
		memcpy(out, p, len);
	out[len] = '\0';
	return true;
}

bool value_mac(const void *bytes, size_t len, char out[static VALUE_MAC_SIZE])
{
	const unsigned char *p = bytes;
	char low[VALUE_MAC_SIZE] = "";

	if (len != MAC_LEN)
		return false;
	for (size_t i = 0; i < MAC_LEN; i++) {
		if (i % 3 == 2 ? p[i] != ':' : !isxdigit(p[i]))
			return false;
		low[i] = (char)tolower(p[i]);
	}
	/* The lowest bit of the first byte marks a group. */
	if (strchr("13579bdf", low[1]) || strcmp(low, "00:00:00:00:00:00") == 0)
		return false;
	memcpy(out, low, VALUE_MAC_SIZE);
	return true;
}

/* One address, canonical, without its prefix. */
static bool address(const char *p, size_t len, char out[static INET6_ADDRSTRLEN])
{
	const char *slash = memchr(p, '/', len); /* len is never 0 */
	size_t bare = slash ? (size_t)(slash - p) : len;
	char text[INET6_ADDRSTRLEN];
	struct in6_addr six;
	struct in_addr four;
	unsigned prefix;
	int family;

	if (!as_string(p, bare, text, sizeof(text)))
		return false;
	if (inet_pton(AF_INET, text, &four) == 1) {
		uint32_t host = ntohl(four.s_addr);

		family = AF_INET;
		if (host == INADDR_ANY || host == INADDR_BROADCAST || IN_MULTICAST(host))
			return false;
	} else if (inet_pton(AF_INET6, text, &six) == 1) {
		family = AF_INET6;
		if (IN6_IS_ADDR_UNSPECIFIED(&six) || IN6_IS_ADDR_MULTICAST(&six))
			return false;
	} else {
		return false;
	}
	if (slash && !value_number(slash + 1, len - bare - 1, family == AF_INET ? 32 : 128, &prefix))
		return false;
	return inet_ntop(family, family == AF_INET ? (void *)&four : (void *)&six, out, INET6_ADDRSTRLEN) !=
	       NULL;
}

/* Is the word `w` in the blank-separated list? */
static bool in_list(const char *list, const char *w)
{
	size_t n = strlen(w);

	for (const char *at = list; (at = strstr(at, w)) != NULL; at += n)
		if ((at == list || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
			return true;
	return false;
}

static void append(char **list, const char *word)
{
	size_t used = *list ? strlen(*list) + 1 : 0, n = strlen(word) + 1;

	*list = mem_resize(*list, used + n, 1);
	if (used)
		(*list)[used - 1] = ' ';
	memcpy(*list + used, word, n);
}

static bool is_blank(char c)
{
	return isspace((unsigned char)c);
}

char *value_addresses(const void *bytes, size_t len, char **why)
{
	const char *p = bytes, *end = p + len;
	char *list = NULL, *first_bad = NULL;
	size_t bad = 0;

	while (p < end) {
		const char *word = p;
		char text[INET6_ADDRSTRLEN];

		if (is_blank(*p)) {
			p++;
			continue;
		}
		while (p < end && !is_blank(*p))
			p++;
		if (address(word, (size_t)(p - word), text)) {
			if (!list || !in_list(list, text))
				append(&list, text);
		} else if (bad++ == 0) {
			size_t shown = (size_t)(p - word);

			first_bad = text_printable(word, shown < SHOWN_MAX ? shown : SHOWN_MAX);
		}
	}
	*why = bad == 0   ? NULL
	       : bad == 1 ? mem_printf("%s is not an address of a host", first_bad)
			  : mem_printf("%s and %zu more are not addresses of a host", first_bad, bad - 1);
	free(first_bad);
	return list;
}

bool value_ifname(const void *bytes, size_t len, char out[static IFNAMSIZ])
{
	return as_string(bytes, len, out, IFNAMSIZ) && text_is_ifname(out);
}

bool value_uuid(const void *bytes, size_t len, char out[static VALUE_UUID_SIZE])
{
	const unsigned char *p = bytes;
	char low[VALUE_UUID_SIZE] = "";

	if (len != UUID_LEN)
		return false;
	for (size_t i = 0; i < UUID_LEN; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? p[i] != '-' : !isxdigit(p[i]))
			return false;
		low[i] = (char)tolower(p[i]);
	}
	memcpy(out, low, VALUE_UUID_SIZE);
	return true;
}

bool value_vm_uuid(const void *bytes, size_t len, char out[static VALUE_UUID_SIZE])
{
	static const char head[] = "/vm/";
	const size_t head_len = sizeof(head) - 1, bare = head_len + UUID_LEN;
	const char *p = bytes;
	unsigned number;

	if (len < bare || memcmp(p, head, head_len) != 0)
		return false;
	if (len > bare &&
	    (p[bare] != '-' || !value_number(p + bare + 1, len - bare - 1, UINT16_MAX, &number)))
		return false;
	return value_uuid(p + head_len, UUID_LEN, out);
}

bool value_number(const void *bytes, size_t len, unsigned max, unsigned *out)
{
	const unsigned char *p = bytes;
	uint64_t n = 0;

	if (len == 0 || len > 10 || (len > 1 && *p == '0'))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit(p[i]))
			return false;
		n = n * 10 + (p[i] - '0');
	}
	if (n > max)
		return false;
	*out = (unsigned)n;
	return true;
}

char *value_name(const void *bytes, size_t len)
{
	return len ? text_printable(bytes, len) : NULL;
}
