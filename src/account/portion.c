/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/portion.h"

struct portion portion_of(uint64_t amount, uint64_t parts)
{
	return (struct portion){.amount = amount, .parts = parts};
}

uint64_t portion_next(struct portion *p, uint64_t part)
{
	uint64_t upto, share;

	p->so_far += part;
	upto = p->parts ? (uint64_t)((unsigned __int128)p->amount * p->so_far / p->parts) : 0;
	share = upto - p->given;
	p->given = upto;
	return share;
}
