/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/units.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Three digits of a value below 1024; the limits are where printf would round up to one digit more. */
static char *three_digits(double value, const char *unit)
{
	return mem_printf("%.*f%s", value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value, unit);
}

char *units_bytes(uint64_t bytes)
{
	static const char *const units[] = {" KiB", " MiB", " GiB", " TiB", " PiB", " EiB"};
	double value = (double)bytes / 1024;
	size_t i = 0;

	if (bytes < 1024)
		return mem_printf("%u B", (unsigned)bytes);
	while (value >= 1023.5 && i + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1024;
		i++;
	}
	return three_digits(value, units[i]);
}

char *units_rate(uint64_t bytes_per_second)
{
	static const char *const units[] = {"k", "M", "G", "T", "P", "E"};
	double value = (double)bytes_per_second * 8 / 1000;
	size_t i = 0;

	if (value < 1)
		return mem_printf("%u", (unsigned)bytes_per_second * 8);
	while (value >= 999.5 && i + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1000;
		i++;
	}
	return three_digits(value, units[i]);
}

bool units_read_rate(const char *text, uint64_t *bits_per_second)
{
	static const char units[] = "kMGT";
	double value, factor = 1;
	const char *unit;
	char *end;

	if (!isdigit((unsigned char)*text) || strspn(text, "0123456789.") > 15)
		return false;
	value = strtod(text, &end);
	if (text + strspn(text, "0123456789.") != end)
		return false;
	unit = *end ? strchr(units, *end) : NULL;
	if (*end && (!unit || end[1]))
		return false;
	for (const char *u = units; unit && u <= unit; u++)
		factor *= 1000;
	value = value * factor + 0.5;
	if (value >= 1e18)
		return false;
	*bits_per_second = (uint64_t)value;
	return true;
}
