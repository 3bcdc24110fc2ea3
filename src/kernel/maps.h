/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * maps: the kernel's counting programs and their maps, loaded, pinned and filled.
 *
 * The maps are pinned in a folder of a bpffs, so that they, and what they count, outlive the process; who
 * opens them again finds them as they are, with the programs of its own version. Maps of another layout are
 * refused. What is not understood or refused by the kernel is an error with its reason.
 */
#ifndef XENBW_KERNEL_MAPS_H
#define XENBW_KERNEL_MAPS_H

#include <stdbool.h>
#include <stddef.h>

#include "config/conf.h"
#include "kernel/layout.h"

struct maps;

enum maps_program { MAPS_LEAVE, MAPS_DELIVER, MAPS_ARRIVE, MAPS_ENTER };

/* Holds the folder for this process until the descriptor is closed; waits some seconds for another one's end.
 */
int maps_lock(const char *folder, char **err);

/* Makes the folder where it is missing, and locks it. On failure *out is NULL. */
int maps_open(struct maps **out, const char *folder, char **err);
void maps_close(struct maps *m);

/* A descriptor of a program, and of the map of hooks; the maps' own. */
int maps_program(const struct maps *m, enum maps_program which);
int maps_hooks(const struct maps *m);

/* A name of the folder that holds as long as the maps are open, wherever the bpffs is mounted by then. */
const char *maps_folder(const struct maps *m);

/* What xenbw-tc keeps, in memory that the maps share with this process. */
struct kernel_page *maps_pages(const struct maps *m); /* KERNEL_SLOTS of them */
struct kernel_head *maps_head(const struct maps *m);

/* The networks and the other rules: a new set is filled, then put in force at once. */
int maps_set_rules(struct maps *m, const struct conf *conf, char **err);

/* What is known from now on: all of it. What stays the same is there without a gap. */
struct maps_device {
	uint32_t ifindex;
	struct kernel_device device;
};

struct maps_address {
	struct kernel_address_key key;
	struct kernel_address address;
};

struct maps_host {
	struct kernel_host_key key;
	struct kernel_address address;
};

struct maps_who {
	struct maps_device *devices;
	struct maps_address *addresses;
	struct maps_host *hosts;
	size_t device_count, address_count, host_count;
};

int maps_set_who(struct maps *m, const struct maps_who *who, char **err);

/* The sum over all processors, of the map of counts; `each` has room for so many. */
int maps_sum(int map, uint32_t slot, struct kernel_counts *each, int processors, struct kernel_counts *out,
	     char **err);
int maps_counts(const struct maps *m, uint32_t slot, struct kernel_counts *out, char **err);

#endif
