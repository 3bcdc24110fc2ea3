/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whether a device takes large packets whole: real devices, with the offload on and off.
 */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/offload.h"
#include "tests/support/netns.h"

static void set_tso(const char *device, unsigned on)
{
	struct ethtool_value v = {.cmd = ETHTOOL_STSO, .data = on};
	struct ifreq req = {.ifr_data = (void *)&v};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strncpy(req.ifr_name, device, sizeof(req.ifr_name) - 1);
	assert_int_equal(ioctl(fd, SIOCETHTOOL, &req), 0);
	close(fd);
}

static void it_is_as_the_device_is_set(void **state)
{
	(void)state;
	netns_enter();
	netns_run("ip link add peth0 type veth peer name far0");
	assert_false(offload_cuts("peth0"));
	set_tso("peth0", 0);
	assert_true(offload_cuts("peth0"));
	set_tso("peth0", 1);
	assert_false(offload_cuts("peth0"));
	assert_true(offload_cuts("none0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_as_the_device_is_set),
	};

	return cmocka_run_group_tests_name("offload", tests, NULL, NULL);
}
