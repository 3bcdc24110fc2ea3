/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/vifs_file.h"

#include <netinet/ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/network.h"

#define BLANKS " \t\r\n"

struct list {
	struct capture_vif *vifs;
	size_t count;
};

static void add(struct list *l, const struct capture_vif *v)
{
	l->vifs = mem_resize(l->vifs, l->count + 1, sizeof(*l->vifs));
	l->vifs[l->count++] = *v;
}

static int read_id(struct capture_vif *v, const char *word, char **err)
{
	uint64_t id;

	if (!text_u64(word, 0, INT64_MAX, &id))
		return err_set(
			err,
			"`%s` is no number; a line is: ID MAC [routed|host] [ADDRESS...], MAC `-` where "
			"it is not known",
			word);
	v->vif = (int64_t)id;
	return 0;
}

static int read_mac(struct capture_vif *v, const char *word, char **err)
{
	struct ether_addr mac;

	if (word && strcmp(word, "-") == 0)
		return 0;
	if (!word || !ether_aton_r(word, &mac))
		return err_set(err,
			       "`%s` is no MAC; write one as 00:16:3e:01:02:03, or `-` where it is not known",
			       word ? word : "");
	memcpy(v->mac, mac.ether_addr_octet, sizeof(v->mac));
	v->flags |= CAPTURE_HAS_MAC;
	return 0;
}

static int add_addresses(struct list *l, struct capture_vif *v, const char *word, char **rest, char **err)
{
	struct network n;

	if (!word)
		add(l, v);
	for (; word; word = strtok_r(NULL, BLANKS, rest)) {
		if (!network_address(word, &n))
			return err_set(
				err, "`%s` is no IPv4 or IPv6 address; write it as 192.0.2.1 or 2001:db8::1",
				word);
		v->flags |= CAPTURE_HAS_ADDRESS;
		memcpy(v->address, n.address, sizeof(v->address));
		add(l, v);
	}
	return 0;
}

static int read_line(struct list *l, char *line, char **err)
{
	char *rest = NULL, *word;
	struct capture_vif v = {0};

	line[strcspn(line, "#")] = '\0';
	word = strtok_r(line, BLANKS, &rest);
	if (!word)
		return 0;
	if (read_id(&v, word, err) < 0 || read_mac(&v, strtok_r(NULL, BLANKS, &rest), err) < 0)
		return -1;
	word = strtok_r(NULL, BLANKS, &rest);
	if (word && strcmp(word, "routed") == 0)
		v.flags |= CAPTURE_ROUTED;
	if (word && strcmp(word, "host") == 0)
		v.flags |= CAPTURE_HOST;
	if (v.flags & (CAPTURE_ROUTED | CAPTURE_HOST))
		word = strtok_r(NULL, BLANKS, &rest);
	if (v.vif == 0 && !(v.flags & CAPTURE_HOST))
		return err_set(err, "0 is no vif; only dom0 (`0 MAC host`) may be left uncounted");
	if (v.flags & CAPTURE_ROUTED && !word)
		return err_set(err, "a routed vif is known by its addresses: write them behind `routed`");
	if (!(v.flags & (CAPTURE_HAS_MAC | CAPTURE_ROUTED | CAPTURE_HOST)))
		return err_set(err, "without a MAC no frame is this vif's; or is it `routed`?");
	return add_addresses(l, &v, word, &rest, err);
}

int vifs_file_read(const char *path, struct capture_vif **vifs, size_t *count, char **err)
{
	FILE *in = fopen(path, "re");
	struct list l = {0};
	char *line = NULL;
	size_t room = 0;
	int rc = 0;

	if (!in)
		return err_sys(err, "cannot read %s", path);
	for (size_t number = 1; rc == 0 && getline(&line, &room, in) >= 0; number++) {
		rc = read_line(&l, line, err);
		if (rc < 0)
			err_add(err, "%s:%zu", path, number);
	}
	if (rc == 0 && ferror(in))
		rc = err_sys(err, "reading %s", path);
	free(line);
	fclose(in);
	if (rc < 0) {
		free(l.vifs);
		return -1;
	}
	*vifs = l.vifs;
	*count = l.count;
	return 0;
}
