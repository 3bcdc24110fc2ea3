/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fuzz_conf: any bytes as xenbw.conf (libFuzzer).
 *
 * What is taken must print to a text that is taken again and prints the same; what is refused must say why in
 * one line.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *printed(const struct conf *c)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		abort();
	conf_print(c, out, true);
	fclose(out);
	return text;
}

static int parse(struct conf *c, const void *text, size_t len, char **err)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, len, "r");
	int rc;

	if (!in)
		abort();
	rc = conf_parse(c, in, "fuzz", err);
	fclose(in);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *err = NULL, *text, *again;
	struct conf c;

	if (size == 0)
		return 0;
	conf_init(&c);
	if (parse(&c, data, size, &err) < 0) {
		if (!err || strchr(err, '\n'))
			abort();
		free(err);
		conf_free(&c);
		return 0;
	}
	text = printed(&c);
	conf_free(&c);
	conf_init(&c);
	if (parse(&c, text, strlen(text), &err) < 0)
		abort();
	again = printed(&c);
	if (strcmp(text, again) != 0)
		abort();
	free(text);
	free(again);
	conf_free(&c);
	return 0;
}
