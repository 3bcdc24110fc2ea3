/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * units: numbers as people read them.
 *
 * Pure. About three digits, rounded to the nearest; the exact numbers are what --bytes, --json and --csv are
 * for. Results are allocated.
 */
#ifndef XENBW_UNITS_H
#define XENBW_UNITS_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes with binary units: "0 B", "1023 B", "1.00 KiB", "97.7 MiB", "1023 GiB". */
char *units_bytes(uint64_t bytes);

/* A rate in bit/s with decimal units, as network speeds are named: "0", "999", "1.00k", "97.7M", "10.0G". */
char *units_rate(uint64_t bytes_per_second);

/* A rate as people type it, in bit/s: "500000", "800k", "10M", "1.5G"; false where it is none. */
bool units_read_rate(const char *text, uint64_t *bits_per_second);

#endif
