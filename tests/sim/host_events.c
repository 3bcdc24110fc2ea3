/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct scene {
	struct host *h;
	struct guest *g;
	int guest;
	struct domain *m; /* its domain, or NULL */
	struct nic *n;    /* one of its vifs */
};

/* An event wakes the daemon, or there is a poll just then. */
static void perhaps_poll(struct host *h)
{
	if (sim_chance(h->sim, 2))
		host_poll(h);
}

static void reboot(struct scene *s)
{
	if (s->m)
		host_end_domain(s->h, s->m);
	perhaps_poll(s->h);
	if (!sim_chance(s->h->sim, 5))
		host_boot_domain(s->h, s->guest);
}

static void run_again(struct scene *s)
{
	if (!s->m)
		host_boot_domain(s->h, s->guest);
}

/* More flows than ever before. */
static void burst(struct host *h, struct dev *v)
{
	uint64_t packets = v->read.raw.tx_packets + v->read.raw.rx_packets + 1 + sim_below(h->sim, 10);
	uint64_t bytes = v->read.raw.tx_bytes + v->read.raw.rx_bytes + 28 * packets;

	for (int d = 0; d < DIR_COUNT; d++)
		host_flow(h, v, d, packets, bytes);
}

static void reset(struct scene *s)
{
	if (!s->m || s->n->state != XEN_STATE_CONNECTED)
		return;
	host_disconnect(s->h, s->n, sim_chance(s->h->sim, 2));
	perhaps_poll(s->h);
	if (sim_chance(s->h->sim, 4))
		return; /* comes back some other time */
	host_connect(s->h, s->n);
	if (sim_chance(s->h->sim, 2))
		burst(s->h, &s->n->vif);
	perhaps_poll(s->h);
}

static void come_back(struct scene *s)
{
	if (s->m)
		host_connect(s->h, s->n);
}

static void stall(struct scene *s)
{
	struct counters whole;

	if (!s->m || !s->n->vif.there || s->n->state != XEN_STATE_CONNECTED)
		return;
	whole = s->n->vif.raw;
	host_carrier(s->h, &s->n->vif, false, &whole);
	perhaps_poll(s->h);
	host_carrier(s->h, &s->n->vif, true, &whole);
	if (sim_chance(s->h->sim, 3))
		burst(s->h, &s->n->vif);
}

static void plug(struct scene *s)
{
	if (!s->m)
		return;
	if (s->m->nics[1].plugged) {
		host_unplug(s->h, s->m, &s->m->nics[1]);
	} else {
		host_plug(s->h, s->m, 1);
		perhaps_poll(s->h);
		host_connect(s->h, &s->m->nics[1]);
	}
}

static void tap(struct scene *s)
{
	if (s->m)
		host_tap_goes(s->h, s->n);
}

static void set_name(struct scene *s, struct guest *g, const char *name)
{
	struct domain *m = host_domain_of(s->h, (int)(g - s->h->guests));

	mem_replace(&g->name, name);
	if (m)
		host_rename(m, name);
}

static void new_name(struct scene *s)
{
	static const char *const odd[] = {"na\xc3\xafve", "a/b:c", "blank ", "back\\x5cslash", "it's \"x\"",
					  "Domain-0",     "-rf",   "%s%n",   "10.0.0.1",       "web~2",
					  "web",          "web~3", "Web",    "--incoming",     "."};
	char *name = sim_chance(s->h->sim, 2)
			     ? mem_printf("guest-%u", ++s->h->names)
			     : mem_strdup(odd[sim_below(s->h->sim, sizeof(odd) / sizeof(*odd))]);

	set_name(s, s->g, name);
	free(name);
}

static void swap_names(struct scene *s)
{
	struct guest *other = &s->h->guests[sim_below(s->h->sim, GUESTS)];
	char *mine = mem_strdup(s->g->name), *theirs = mem_strdup(other->name);

	set_name(s, s->g, "between");
	perhaps_poll(s->h);
	set_name(s, other, mine);
	perhaps_poll(s->h);
	set_name(s, s->g, theirs);
	if (other == s->g)
		set_name(s, s->g, mine);
	free(mine);
	free(theirs);
}

static void same_name(struct scene *s)
{
	const struct guest *other = &s->h->guests[sim_below(s->h->sim, GUESTS)];
	char *name = mem_strdup(other->name);

	set_name(s, s->g, name);
	free(name);
}

static void address(struct scene *s)
{
	s->g->address = 1 + (unsigned)sim_below(s->h->sim, 4);
}

static void save_and_restore(struct scene *s)
{
	if (!s->m)
		return;
	host_end_domain(s->h, s->m);
	for (uint64_t n = sim_below(s->h->sim, 3); n > 0; n--) {
		host_minute(s->h);
		host_poll(s->h);
	}
	host_boot_domain(s->h, s->guest);
}

static void migrate(struct scene *s)
{
	char *incoming = mem_printf("%s--incoming", s->g->name);
	char *away = mem_printf("%s--migratedaway", s->g->name);
	unsigned old;

	if (s->m) {
		old = s->m->domid;
		host_boot_domain(s->h, s->guest);
		for (int i = 0; i < DOMAINS; i++)
			if (s->h->domains[i].live && s->h->domains[i].guest == s->guest)
				host_rename(&s->h->domains[i],
					    s->h->domains[i].domid == old ? s->g->name : incoming);
		host_minute(s->h);
		perhaps_poll(s->h);
		for (int i = 0; i < DOMAINS; i++)
			if (s->h->domains[i].live && s->h->domains[i].domid == old)
				host_rename(&s->h->domains[i], away);
		perhaps_poll(s->h);
		for (int i = 0; i < DOMAINS; i++)
			if (s->h->domains[i].live && s->h->domains[i].domid == old)
				host_end_domain(s->h, &s->h->domains[i]);
		perhaps_poll(s->h);
		host_rename(host_domain_of(s->h, s->guest), s->g->name);
	}
	free(incoming);
	free(away);
}

static void step_clock(struct scene *s)
{
	static const int64_t by[] = {2, 60, 300, 3600, 7200, 86400, 3 * 86400};
	int64_t step = by[sim_below(s->h->sim, sizeof(by) / sizeof(*by))];

	if (s->h->clock_error)
		s->h->clock_error = 0;
	else
		s->h->clock_error = sim_chance(s->h->sim, 2) ? step : -step;
}

static void reboot_host(struct scene *s)
{
	struct host *h = s->h;

	if (!sim_chance(h->sim, 10))
		return;
	if (sim_chance(h->sim, 3))
		host_kill(h); /* the power fails */
	else
		host_stop(h);
	host_power_off(h);
	host_power_on(h);
	if (sim_chance(h->sim, 3))
		h->clock_error = -h->now; /* 1970 */
	if (sim_chance(h->sim, 2))
		host_start(h);
}

static void stop(struct scene *s)
{
	host_stop(s->h);
}

static void kill_it(struct scene *s)
{
	host_kill(s->h);
}

static void start(struct scene *s)
{
	if (!s->h->d)
		host_start(s->h);
}

static void store_away(struct scene *s)
{
	s->h->store_away = 1 + (unsigned)sim_below(s->h->sim, 20);
	host_is_blind(s->h);
}

static void store_empty(struct scene *s)
{
	s->h->store_empty = 1 + (unsigned)sim_below(s->h->sim, 20);
	host_is_blind(s->h);
}

static void store_late(struct scene *s)
{
	s->h->store_late = true;
	host_is_blind(s->h);
}

static void netlink_fails(struct scene *s)
{
	s->h->netlink_fails = 1 + (unsigned)sim_below(s->h->sim, 10);
	host_is_blind(s->h);
}

static void overrun(struct scene *s)
{
	s->h->overrun = s->h->d != NULL;
	host_is_blind(s->h);
}

/* While events are lost a guest is started again, and the kernel may give its vif's ifindex to the next one,
 * whose counters pass the old ones at once. */
static void given_again(struct scene *s)
{
	struct dev old;

	if (!s->m || !s->h->d)
		return;
	overrun(s);
	old = s->m->nics[0].vif;
	host_end_domain(s->h, s->m);
	host_boot_domain(s->h, s->guest);
	s->n = &host_domain_of(s->h, s->guest)->nics[0];
	host_connect(s->h, s->n);
	for (int d = 0; d < DIR_COUNT; d++)
		host_flow(s->h, &s->n->vif, d, old.raw.tx_packets + old.raw.rx_packets + 1,
			  old.raw.tx_bytes + old.raw.rx_bytes + 100);
}

static void refuse(struct scene *s)
{
	s->h->refuses = 1 + (unsigned)sim_below(s->h->sim, sim_chance(s->h->sim, 5) ? 600 : 20);
}

void host_something_happens(struct host *h)
{
	static const struct {
		const char *kind;
		void (*fn)(struct scene *s);
	} events[] = {
		{"reboot", reboot},
		{"run", run_again},
		{"run", run_again},
		{"reset", reset},
		{"reset", reset},
		{"back", come_back},
		{"back", come_back},
		{"stall", stall},
		{"plug", plug},
		{"tap", tap},
		{"name", new_name},
		{"swap", swap_names},
		{"same", same_name},
		{"address", address},
		{"save", save_and_restore},
		{"migrate", migrate},
		{"clock", step_clock},
		{"host", reboot_host},
		{"stop", stop},
		{"kill", kill_it},
		{"start", start},
		{"start", start},
		{"start", start},
		{"start", start},
		{"away", store_away},
		{"empty", store_empty},
		{"late", store_late},
		{"netlink", netlink_fails},
		{"overrun", overrun},
		{"again", given_again},
		{"refuse", refuse},
	};
	size_t i = sim_below(h->sim, sizeof(events) / sizeof(*events));
	struct scene s = {.h = h, .guest = (int)sim_below(h->sim, GUESTS)};
	uint64_t devid = sim_below(h->sim, NICS);

	s.g = &h->guests[s.guest];
	s.m = host_domain_of(h, s.guest);
	s.n = s.m ? &s.m->nics[s.m->nics[devid].plugged ? devid : 0] : NULL;
	if (!sim_wants(h->sim, events[i].kind))
		return;
	sim_tell(h->sim, "%s, guest %d (domid %u)", events[i].kind, s.guest, s.m ? s.m->domid : 0);
	events[i].fn(&s);
}
