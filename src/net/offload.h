/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * offload: whether a device takes large TCP packets whole.
 *
 * One that does not has them cut before anybody looks at them: what is captured then has more headers than
 * the vif that sent them whole.
 */
#ifndef XENBW_OFFLOAD_H
#define XENBW_OFFLOAD_H

#include <stdbool.h>

/* Also where nobody can tell. */
bool offload_cuts(const char *device);

#endif
