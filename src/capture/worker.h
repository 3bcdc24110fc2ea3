/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * worker: looks at the uplinks and tells xenbwd what crossed them for whom.
 *
 * Opens two taps for each `device`, gives up every capability and nearly all system calls
 * (capture/sandbox.h), and then serves descriptor 3 (ipc/capture.h). Looks into the rings some 50 times a
 * second where there is traffic, and sleeps where there is none. Remembers nothing that an answer has
 * carried: it can be killed at any time, and costs the split since the last answer.
 */
#ifndef XENBW_CAPTURE_WORKER_H
#define XENBW_CAPTURE_WORKER_H

#include <stdbool.h>

/* Runs until xenbwd closes its end. Settings come from CAPTURE_SETTINGS_FD; `naccttab`: they are a
 * naccttab's. Error: a device that cannot be opened or is gone, or an xenbwd of another version. */
int worker_run(bool naccttab, char **err);

#endif
