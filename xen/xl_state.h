/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xl_state: what libxl knows of a domain's life, as one word.
 *
 *   running     runs on a processor, or waits for one
 *   blocked     idle: all its virtual processors wait for something to happen
 *   paused      stopped by the admin
 *   poweroff, reboot, suspended, crashed, shutdown
 *               has ended by itself, for that reason (shutdown: for another); still in memory
 *   dying       is being taken down
 *
 * Pure. Needs libxl's header, not its library.
 */
#ifndef XENBW_XL_STATE_H
#define XENBW_XL_STATE_H

#include <libxl.h>

/* Where several flags are set the last one in the list above wins. A constant. */
const char *xl_state_word(const libxl_dominfo *info);

#endif
