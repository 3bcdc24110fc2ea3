/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fuzzing of the readings of xenstore values (xen/value.h): any bytes, any length.
 *
 * What is taken must come out canonical: read again it gives itself. Build with clang's -fsanitize=fuzzer.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "xen/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool ok)
{
	if (!ok)
		abort();
}

static void mac(const uint8_t *data, size_t size)
{
	char out[VALUE_MAC_SIZE], again[VALUE_MAC_SIZE];

	if (value_mac(data, size, out))
		expect(value_mac(out, strlen(out), again) && strcmp(out, again) == 0);
}

static void addresses(const uint8_t *data, size_t size)
{
	char *why, *list = value_addresses(data, size, &why);

	free(why);
	if (list) {
		char *again = value_addresses(list, strlen(list), &why);

		expect(!why && again && strcmp(list, again) == 0);
		free(again);
	}
	free(list);
}

static void ifname(const uint8_t *data, size_t size)
{
	char out[IFNAMSIZ];

	if (value_ifname(data, size, out))
		expect(strlen(out) == size && memcmp(out, data, size) == 0);
}

static void uuid(const uint8_t *data, size_t size)
{
	char out[VALUE_UUID_SIZE], again[VALUE_UUID_SIZE];

	if (value_uuid(data, size, out))
		expect(value_uuid(out, strlen(out), again) && strcmp(out, again) == 0);
	if (value_vm_uuid(data, size, out))
		expect(value_uuid(out, strlen(out), again) && strcmp(out, again) == 0);
}

static void number(const uint8_t *data, size_t size)
{
	unsigned n;

	if (value_number(data, size, VALUE_DEVID_MAX, &n))
		expect(n <= VALUE_DEVID_MAX && (size == 1 || data[0] != '0'));
}

static void name(const uint8_t *data, size_t size)
{
	char *shown = value_name(data, size);

	expect(!shown == !size);
	expect(!shown || (*shown && !strpbrk(shown, "\n\t\r\x1b")));
	free(shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mac(data, size);
	addresses(data, size);
	ifname(data, size);
	uuid(data, size);
	number(data, size);
	name(data, size);
	return 0;
}
