/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bwhooks DEVICE ingress|egress: the names of the programs that sit there as TCX links, in their order, one a
 * line. bpftool does so from 7.2 on; Debian 12 has 7.1.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MOST 64
/* of Linux 6.6's <linux/bpf.h> */
#define TCX_INGRESS 46
#define TCX_EGRESS 47

static int print_name(uint32_t id)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id), rc = fd < 0 ? -1 : bpf_obj_get_info_by_fd(fd, &info, &size);

	if (rc == 0)
		puts(info.name);
	if (fd >= 0)
		close(fd);
	return rc;
}

int main(int argc, char **argv)
{
	uint32_t ids[MOST], count = MOST;
	unsigned device = argc == 3 ? if_nametoindex(argv[1]) : 0;

	if (argc != 3 || (strcmp(argv[2], "ingress") != 0 && strcmp(argv[2], "egress") != 0)) {
		fputs("usage: bwhooks DEVICE ingress|egress\n", stderr);
		return 2;
	}
	if (!device) {
		fprintf(stderr, "bwhooks: there is no device %s\n", argv[1]);
		return 1;
	}
	if (bpf_prog_query((int)device, strcmp(argv[2], "ingress") == 0 ? TCX_INGRESS : TCX_EGRESS, 0, NULL,
			   ids, &count) < 0) {
		if (errno == EINVAL) /* a kernel without them */
			return 0;
		fprintf(stderr, "bwhooks: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	for (uint32_t i = 0; i < count; i++)
		if (print_name(ids[i]) < 0) {
			fprintf(stderr, "bwhooks: program %u: %s\n", ids[i], strerror(errno));
			return 1;
		}
	return 0;
}
