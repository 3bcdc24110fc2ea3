/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * conf_bed: configurations as texts.
 *
 * For cmocka tests: whatever goes wrong fails the running test.
 */
#ifndef XENBW_TEST_CONF_BED_H
#define XENBW_TEST_CONF_BED_H

#include "config/conf.h"

/* Of a text that must be good; release with conf_free. */
struct conf conf_bed_good(const char *text);

/* The text must be refused, and the error hold `why`. */
void conf_bed_bad(const char *text, const char *why);

#endif
