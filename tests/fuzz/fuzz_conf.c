/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fuzz_conf: any bytes as a configuration (libFuzzer): the first says which, `n` a naccttab, `p` a
 * nacctpeering, all others an xenbw.conf.
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

static int parse(struct conf *c, enum conf_kind kind, const void *text, size_t len, char **err)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, len, "r");
	int rc;

	if (!in)
		abort();
	conf_init(c);
	c->kind = kind;
	rc = conf_parse(c, in, "fuzz", err);
	fclose(in);
	return rc;
}

/* Whatever stands in a nacctpeering, only what cannot be text is an error. */
static int peering(const uint8_t *data, size_t size)
{
	FILE *in = fmemopen((void *)(uintptr_t)data, size, "r");
	char *err = NULL;
	struct conf c;

	if (!in)
		abort();
	conf_init(&c);
	if (conf_parse_peering(&c, in, "fuzz", &err) < 0 && !err)
		abort();
	free(err);
	fclose(in);
	conf_free(&c);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *err = NULL, *text, *again;
	enum conf_kind kind;
	struct conf c;

	if (size < 2)
		return 0;
	kind = data[0] == 'n' ? CONF_NACCTTAB : CONF_XENBW;
	if (data[0] == 'p')
		return peering(data + 1, size - 1);
	if (parse(&c, kind, data + 1, size - 1, &err) < 0) {
		if (!err || strchr(err, '\n'))
			abort();
		free(err);
		conf_free(&c);
		return 0;
	}
	text = printed(&c);
	conf_free(&c);
	if (parse(&c, kind, text, strlen(text), &err) < 0)
		abort();
	again = printed(&c);
	if (strcmp(text, again) != 0)
		abort();
	free(text);
	free(again);
	conf_free(&c);
	return 0;
}
