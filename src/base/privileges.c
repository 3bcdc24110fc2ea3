/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/privileges.h"

#include <cap-ng.h>
#include <grp.h>
#include <linux/securebits.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/err.h"

/* An exec gives nothing to uid 0, and a change of the user neither takes nor gives; all of it for good. What
 * is ambient stays allowed: the guard hands on by it. */
#define SECUREBITS                                                                                       \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED | \
	 SECBIT_KEEP_CAPS_LOCKED)

/* The leak checker of a sanitizer attaches to its own process. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HIDE_LEFT_OUT 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define HIDE_LEFT_OUT 1
#endif
#endif
#ifndef HIDE_LEFT_OUT
#define HIDE_LEFT_OUT 0
#endif

static bool may(unsigned capability)
{
	return capng_get_caps_process() == 0 && capng_have_capability(CAPNG_EFFECTIVE, capability) == 1;
}

static int no_new_privs(char **err)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? err_sys(err, "cannot set no_new_privs") : 0;
}

int privileges_drop(char **err)
{
	bool bounding = may(CAP_SETPCAP);

	capng_clear(CAPNG_SELECT_ALL);
	if (capng_apply(bounding ? CAPNG_SELECT_ALL : CAPNG_SELECT_CAPS) < 0)
		return err_sys(err, "cannot drop the capabilities");
	return no_new_privs(err);
}

int privileges_hide(char **err)
{
	if (HIDE_LEFT_OUT || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
		return 0;
	return err_sys(err, "cannot keep other processes of its user from its memory");
}

bool privileges_may_change_user(void)
{
	return may(CAP_SETUID) && may(CAP_SETGID);
}

int privileges_take_group(const struct user *u, char **err)
{
	if (setgroups(0, NULL) < 0 || setresgid(u->gid, u->gid, u->gid) < 0)
		return err_sys(err, "cannot take the group %u", u->gid);
	return 0;
}

/* Effective and permitted: these of `capabilities` that are there; inheritable: CAP_NET_RAW, if `raw`. */
static int narrow(const unsigned *capabilities, size_t count, bool raw, char **err)
{
	bool there;

	capng_get_caps_process();
	for (unsigned c = 0; c <= (unsigned)CAP_LAST_CAP; c++) {
		there = capng_have_capability(CAPNG_PERMITTED, c) == 1;
		capng_update(CAPNG_DROP, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE, c);
		for (size_t i = 0; there && i < count; i++)
			if (capabilities[i] == c)
				capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, c);
	}
	if (raw)
		capng_update(CAPNG_ADD, CAPNG_INHERITABLE, CAP_NET_RAW);
	return capng_apply(CAPNG_SELECT_CAPS) < 0 ? err_sys(err, "cannot drop capabilities") : 0;
}

/* The bounding set limits what can become inheritable, so it goes after that was set. Both want CAP_SETPCAP;
 * without it they do no harm, for no_new_privs stands before them. */
static int lock(char **err)
{
	if (!may(CAP_SETPCAP))
		return 0;
	capng_clear(CAPNG_SELECT_BOUNDS);
	if (capng_apply(CAPNG_SELECT_BOUNDS) < 0)
		return err_sys(err, "cannot clear the capability bounding set");
	return prctl(PR_SET_SECUREBITS, SECUREBITS, 0, 0, 0) < 0 ? err_sys(err, "cannot set the securebits")
								 : 0;
}

static int become(const struct user *u, char **err)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_sys(err, "cannot keep capabilities");
	if (privileges_take_group(u, err) < 0)
		return -1;
	return setresuid(u->uid, u->uid, u->uid) < 0 ? err_sys(err, "cannot become the user %u", u->uid) : 0;
}

int privileges_become(const struct user *u, char **err)
{
	/* the bounding set while there is the right to */
	if (lock(err) < 0 || privileges_take_group(u, err) < 0)
		return -1;
	if (setresuid(u->uid, u->uid, u->uid) < 0)
		return err_sys(err, "cannot become the user %u", u->uid);
	return privileges_drop(err);
}

int privileges_keep_raw(const struct user *u, bool *raw, char **err)
{
	static const unsigned on_the_way[] = {CAP_NET_RAW, CAP_SETPCAP, CAP_SETUID, CAP_SETGID};
	int rc;

	*raw = may(CAP_NET_RAW);
	rc = narrow(on_the_way, sizeof(on_the_way) / sizeof(*on_the_way), *raw, err);
	if (rc == 0 && u)
		rc = become(u, err);
	if (rc == 0) /* effective again, after the change */
		rc = narrow(on_the_way, 2, *raw, err);
	if (rc == 0)
		rc = lock(err);
	if (rc == 0)
		rc = narrow(on_the_way, 1, *raw, err);
	return rc == 0 ? no_new_privs(err) : rc;
}

int privileges_keep_kernel(bool loading, char **err)
{
	static const unsigned on_the_way[] = {CAP_NET_ADMIN, CAP_BPF, CAP_PERFMON, CAP_SETPCAP};
	int rc = narrow(on_the_way, sizeof(on_the_way) / sizeof(*on_the_way), false, err);

	if (rc == 0)
		rc = lock(err);
	if (rc == 0)
		rc = narrow(on_the_way, loading ? 3 : 2, false, err);
	return rc == 0 ? no_new_privs(err) : rc;
}

int privileges_keep_devices(char **err)
{
	static const unsigned on_the_way[] = {CAP_NET_ADMIN, CAP_SETPCAP};
	int rc = narrow(on_the_way, 2, false, err);

	if (rc == 0)
		rc = lock(err);
	if (rc == 0)
		rc = narrow(on_the_way, 1, false, err);
	return rc == 0 ? no_new_privs(err) : rc;
}

int privileges_hand_on_raw(bool on, char **err)
{
	if (prctl(PR_CAP_AMBIENT, on ? PR_CAP_AMBIENT_RAISE : PR_CAP_AMBIENT_LOWER, CAP_NET_RAW, 0, 0) < 0)
		return err_sys(err, "cannot hand on the right to open packet sockets");
	return 0;
}
