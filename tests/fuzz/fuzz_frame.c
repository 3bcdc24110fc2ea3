/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fuzz_frame: any bytes as a captured frame (libFuzzer): the first says which link, the next three how long
 * the frame was.
 *
 * The frame is cut at every place of its first FRAME_SNAPLEN bytes; each time it lies in memory of exactly
 * the captured length.
 */
#include <stdlib.h>
#include <string.h>

#include "net/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(enum frame_link link, const struct frame *f, size_t captured, size_t length, bool is_ip)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	size_t least = f->is_ipv4 ? 20 : 40;

	if (is_ip != f->is_ip || f->ip_bytes > length ||
	    f->has_mac != (link == FRAME_ETHERNET && captured >= 14 && length >= 14))
		abort();
	if (!is_ip && (f->is_ipv4 || f->ip_bytes))
		abort();
	if (is_ip && (f->ip_bytes == 0 || captured < least || length < least))
		abort();
	if (f->is_ipv4 && (memcmp(f->source, mapped, 12) != 0 || memcmp(f->target, mapped, 12) != 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum frame_link link;
	size_t length;

	if (size < 4)
		return 0;
	link = data[0] % 2 ? FRAME_RAW : FRAME_ETHERNET;
	length = (size_t)data[1] << 16 | (size_t)data[2] << 8 | data[3];
	data += 4;
	size -= 4;
	for (size_t captured = 0; captured <= size && captured <= FRAME_SNAPLEN; captured++) {
		uint8_t *exact = malloc(captured);
		struct frame f;

		if (!exact)
			abort();
		memcpy(exact, data, captured);
		check(link, &f, captured, length, frame_parse(link, exact, captured, length, &f));
		free(exact);
	}
	return 0;
}
