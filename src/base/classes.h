/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * classes: the six classes that bytes are booked to, in the guest's view.
 *
 * A vif's total T is the sum of all six, in each direction, in every take.
 */
#ifndef XENBW_CLASSES_H
#define XENBW_CLASSES_H

#include <stdint.h>

enum byte_class {
	CLASS_EXTERNAL,
	CLASS_PEER,
	CLASS_DIRECT,
	CLASS_LOCAL,
	CLASS_IGNORED,
	CLASS_UNATTRIBUTED,
	CLASS_COUNT
};

/* The guest's view: input = to the guest. */
enum direction { DIR_INPUT, DIR_OUTPUT, DIR_COUNT };

/* Bytes by direction and class. */
struct class_bytes {
	uint64_t bytes[DIR_COUNT][CLASS_COUNT];
};

static inline const char *class_name(enum byte_class class)
{
	static const char *const names[CLASS_COUNT] = {
		[CLASS_EXTERNAL] = "external", [CLASS_PEER] = "peer",
		[CLASS_DIRECT] = "direct",     [CLASS_LOCAL] = "local",
		[CLASS_IGNORED] = "ignored",   [CLASS_UNATTRIBUTED] = "unattributed"};

	return names[class];
}

static inline const char *direction_name(enum direction dir)
{
	return dir == DIR_INPUT ? "input" : "output";
}

static inline uint64_t class_bytes_total(const struct class_bytes *b, enum direction dir)
{
	uint64_t sum = 0;

	for (int c = 0; c < CLASS_COUNT; c++)
		sum += b->bytes[dir][c];
	return sum;
}

static inline void class_bytes_add(struct class_bytes *to, const struct class_bytes *from)
{
	for (int d = 0; d < DIR_COUNT; d++)
		for (int c = 0; c < CLASS_COUNT; c++)
			to->bytes[d][c] += from->bytes[d][c];
}

#endif
