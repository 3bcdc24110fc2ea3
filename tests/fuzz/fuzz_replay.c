/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fuzz_replay: any bytes as the files of `xenbw-capture --replay` (libFuzzer): up to the first NUL who is
 * there, and behind it a savefile.
 *
 * What is read of the first must be what the worker may be told. The table has all that was read.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "capture/replay.h"
#include "capture/vifs_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool ok)
{
	if (!ok)
		abort();
}

struct file {
	int fd;
	char path[32];
};

static struct file make_file(const char *text)
{
	struct file f = {.fd = memfd_create("fuzz", MFD_CLOEXEC)};

	expect(f.fd >= 0);
	snprintf(f.path, sizeof(f.path), "/proc/self/fd/%d", f.fd);
	expect(pwrite(f.fd, text, strlen(text), 0) == (ssize_t)strlen(text));
	return f;
}

static void put(const struct file *f, const void *bytes, size_t size)
{
	expect(ftruncate(f->fd, 0) == 0 && pwrite(f->fd, bytes, size, 0) == (ssize_t)size);
}

static void check_vifs(const char *path)
{
	struct capture_vif *vifs = NULL;
	size_t count = 0;
	char *err = NULL;

	if (vifs_file_read(path, &vifs, &count, &err) < 0)
		expect(err && !strchr(err, '\n') && !vifs);
	for (size_t i = 0; i < count; i++) {
		const struct capture_vif *v = &vifs[i];

		expect(v->vif > 0 || (v->vif == 0 && v->flags & CAPTURE_HOST));
		expect(!(v->flags & CAPTURE_ROUTED) || v->flags & CAPTURE_HAS_ADDRESS);
		expect(v->flags & (CAPTURE_HAS_MAC | CAPTURE_ROUTED | CAPTURE_HOST));
		expect(!(v->flags & CAPTURE_ROUTED && v->flags & CAPTURE_HOST));
	}
	free(vifs);
	free(err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct file conf, vifs, frames;
	const uint8_t *end = size ? memchr(data, '\0', size) : NULL;
	size_t text = end ? (size_t)(end - data) : size, length = 0;
	struct replay_file files[2];
	struct replay_setup setup = {.files = files, .count = end ? 2 : 0};
	char *table = NULL, *err = NULL;
	FILE *out;
	int rc;

	if (!*conf.path) {
		conf = make_file("ournet 10.0.0.0/8\npeer 2001:db8::/32\nignorenet 127.0.0.0/8\n");
		vifs = make_file("");
		frames = make_file("");
	}
	put(&vifs, data, text);
	check_vifs(vifs.path);
	if (end)
		put(&frames, end + 1, size - text - 1);
	files[0] = (struct replay_file){frames.path, DIR_INPUT};
	files[1] = (struct replay_file){frames.path, DIR_OUTPUT};
	setup.conf = conf.path;
	setup.vifs = vifs.path;
	out = open_memstream(&table, &length);
	expect(out != NULL);
	rc = replay_run(&setup, out, &err);
	fclose(out);
	expect((rc < 0) == (err != NULL) && (rc < 0 || strncmp(table, "vif ", 4) == 0));
	free(table);
	free(err);
	return 0;
}
