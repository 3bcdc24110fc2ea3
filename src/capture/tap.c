/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/tap.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

#define RING \
	(16  \
	 << 20) /* bytes: libpcap makes 64 blocks of them, each of 1,213 long frames, or 2,184 short ones */
#define MOST_FRAMES 262144 /* of a drain: more than a ring holds */
#define BLOCK_MS 40        /* a block is shown when it is full, or so old */
#define SECOND_NS 1000000000
#define MICRO_NS 1000

struct tap {
	char *name; /* device or path */
	enum direction dir;
	enum frame_link link;
	pcap_t *pcap;
	u_int dropped; /* as libpcap told last */
	/* Numbers of frames, which go round at 2^32. */
	u_int skipped; /* the next ones: they came before the filter was there, or count as dropped */
	u_int seen;    /* handed over by libpcap */
	u_int mark;    /* in the ring until tap_mark */
	/* of the drain that is going on */
	tap_fn fn;
	void *ctx;
};

static struct tap *tap_new(const char *name, enum direction dir)
{
	struct tap *t = mem_alloc(sizeof(*t));

	t->name = mem_strdup(name);
	t->dir = dir;
	return t;
}

void tap_close(struct tap *t)
{
	if (!t)
		return;
	if (t->pcap)
		pcap_close(t->pcap);
	free(t->name);
	free(t);
}

/* ---- link type and filter: devices and files ---- */

static int find_link(struct tap *t, char **err)
{
	int type = pcap_datalink(t->pcap);
	const char *word = pcap_datalink_val_to_name(type);

	/* libpcap leaves out what leaves through it, and tap_behind would wait for that */
	if (strcmp(t->name, "lo") == 0)
		return err_set(
			err, "nothing of a guest crosses lo; `device` in the configuration names an uplink");
	if (type != DLT_EN10MB && type != DLT_RAW)
		return err_set(err,
			       "%s has frames of type %s; xenbw-capture reads Ethernet (EN10MB) and plain IP "
			       "(RAW): capture on the Ethernet device that its frames leave through",
			       t->name, word ? word : "unknown");
	t->link = type == DLT_RAW ? FRAME_RAW : FRAME_ETHERNET;
	return 0;
}

/* Plain IP knows neither VLANs nor group addresses of its link. */
static const char *filter_of(const struct tap *t)
{
	if (t->link == FRAME_RAW)
		return "ip or ip6";
	return t->dir == DIR_INPUT ? "not ether multicast and (ip or ip6 or vlan)" : "ip or ip6 or vlan";
}

static int compile(struct tap *t, const char *side, struct bpf_program *out, char **err)
{
	char *text = mem_printf("%s(%s)", side, filter_of(t));
	int rc = 0;

	if (pcap_compile(t->pcap, out, text, 1, PCAP_NETMASK_UNKNOWN) < 0)
		rc = err_set(err, "cannot make the filter `%s` for %s: %s", text, t->name,
			     pcap_geterr(t->pcap));
	free(text);
	return rc;
}

/* ---- a device ---- */

/* A ring of blocks (TPACKET_V3) costs the sender less than one that shows each frame at once (V2, libpcap's
 * "immediate mode"). A block that is shown for its age takes the room of a full one, so its age is what a
 * slow flow's reader may be held up for: 64 times BLOCK_MS. What is in a block that is not shown yet is known
 * by number only: tap_mark.
 *
 * Stamps in microseconds, libpcap's default: for nanoseconds it sets SO_TIMESTAMPNS, and with it the kernel
 * stamps every packet of every device. */
static int configure(pcap_t *p)
{
	if (pcap_set_snaplen(p, FRAME_SNAPLEN) < 0 || pcap_set_promisc(p, 0) < 0 ||
	    pcap_set_timeout(p, BLOCK_MS) < 0)
		return -1;
	return pcap_set_buffer_size(p, RING);
}

static int cannot_open(const struct tap *t, int status, char **err)
{
	const char *more = pcap_geterr(t->pcap);

	switch (status) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return err_set(err,
			       "there is no network device %s; `device` in the configuration names an uplink "
			       "as `ip link` shows it",
			       t->name);
	case PCAP_ERROR_IFACE_NOT_UP:
		return err_set(err, "the network device %s is down; set it up: `ip link set %s up`", t->name,
			       t->name);
	case PCAP_ERROR_PERM_DENIED:
		return err_set(err,
			       "no right to capture on %s; xenbwd must be started by root, with CAP_NET_RAW",
			       t->name);
	default:
		return err_set(err, "cannot capture on %s: %s%s%s", t->name, pcap_statustostr(status),
			       *more ? ": " : "", more);
	}
}

static int activate(struct tap *t, char **err)
{
	int status = configure(t->pcap) < 0 ? PCAP_ERROR : pcap_activate(t->pcap);
	char text[PCAP_ERRBUF_SIZE] = "";

	if (status < 0)
		return cannot_open(t, status, err);
	if (status > 0)
		log_debug("%s: %s", t->name, pcap_statustostr(status));
	if (pcap_setnonblock(t->pcap, 1, text) < 0)
		return err_set(err, "cannot capture on %s: %s", t->name, text);
	return 0;
}

/* What leaves does not even come to a tap of what comes in. Older kernels do not know that; the filter does.
 */
static void ignore_outgoing(const struct tap *t)
{
	if (setsockopt(pcap_fileno(t->pcap), SOL_PACKET, PACKET_IGNORE_OUTGOING, &(int){1}, sizeof(int)) < 0)
		log_debug("%s: what leaves is filtered: %s", t->name, strerror(errno));
}

static int read_stats(struct tap *t, struct pcap_stat *s, char **err)
{
	if (pcap_stats(t->pcap, s) < 0)
		return err_set(err, "cannot ask what came and was dropped on %s: %s", t->name,
			       pcap_geterr(t->pcap));
	return 0;
}

/* libpcap's number of what came has in it what was dropped. */
static u_int in_ring(const struct pcap_stat *s)
{
	return s->ps_recv - s->ps_drop;
}

static int skip_what_came(struct tap *t, char **err)
{
	struct pcap_stat s;

	if (read_stats(t, &s, err) < 0)
		return -1;
	t->skipped = in_ring(&s);
	t->dropped = s.ps_drop;
	return 0;
}

/* Gives the filter to the kernel without pcap_setfilter, which runs it over the first frame itself and there
 * takes it for false, whatever the frame's direction: one frame would be lost. pcap_setdirection would hide
 * from tap_mark what it leaves out. */
static int filter_in_kernel(struct tap *t, char **err)
{
	bool input = t->dir == DIR_INPUT;
	struct bpf_program compiled;
	struct sock_fprog program;
	int rc;

	if (compile(t, input ? "inbound and " : "outbound and ", &compiled, err) < 0)
		return -1;
	/* both are instructions as BPF has had them for ever */
	program = (struct sock_fprog){.len = (unsigned short)compiled.bf_len,
				      .filter = (struct sock_filter *)compiled.bf_insns};
	rc = setsockopt(pcap_fileno(t->pcap), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
	if (rc < 0)
		err_sys(err, "cannot set the filter for %s", t->name);
	else if (setsockopt(pcap_fileno(t->pcap), SOL_SOCKET, SO_LOCK_FILTER, &(int){1}, sizeof(int)) < 0)
		rc = err_sys(err, "cannot lock the filter for %s", t->name);
	pcap_freecode(&compiled);
	if (rc == 0 && input)
		ignore_outgoing(t);
	return rc;
}

int tap_open(struct tap **tap, const char *device, enum direction dir, char **err)
{
	struct tap *t = tap_new(device, dir);
	char text[PCAP_ERRBUF_SIZE] = "";

	*tap = t;
	t->pcap = pcap_create(device, text);
	if (!t->pcap)
		err_set(err, "cannot capture on %s: %s", device, text);
	else if (activate(t, err) == 0 && find_link(t, err) == 0 && filter_in_kernel(t, err) == 0 &&
		 skip_what_came(t, err) == 0)
		return 0;
	tap_close(t);
	*tap = NULL;
	return -1;
}

int tap_fd(const struct tap *t)
{
	return pcap_get_selectable_fd(t->pcap);
}

int tap_mark(struct tap *t, uint64_t *dropped, char **err)
{
	struct pcap_stat s;

	if (read_stats(t, &s, err) < 0)
		return -1;
	t->mark = in_ring(&s);
	*dropped += s.ps_drop - t->dropped;
	t->dropped = s.ps_drop;
	return 0;
}

uint32_t tap_behind(const struct tap *t)
{
	u_int behind = t->mark - t->seen;

	return behind <= INT32_MAX ? behind : 0; /* more than the ring holds: it is ahead */
}

/* They are the next ones, and those that are skipped in any case come first. */
uint32_t tap_give_up(struct tap *t)
{
	uint32_t behind = tap_behind(t), more = behind > t->skipped ? behind - t->skipped : 0;

	t->skipped += more;
	return more;
}

/* ---- a file ---- */

static int filter_here(struct tap *t, char **err)
{
	struct bpf_program compiled;
	int rc;

	if (compile(t, "", &compiled, err) < 0)
		return -1;
	rc = pcap_setfilter(t->pcap, &compiled);
	if (rc < 0)
		err_set(err, "cannot set the filter for %s: %s", t->name, pcap_geterr(t->pcap));
	pcap_freecode(&compiled);
	return rc < 0 ? -1 : 0;
}

int tap_open_file(struct tap **tap, const char *path, enum direction dir, char **err)
{
	struct tap *t = tap_new(path, dir);
	char text[PCAP_ERRBUF_SIZE] = "";

	*tap = t;
	t->pcap = pcap_open_offline(path, text);
	if (!t->pcap)
		err_set(err, strstr(text, path) ? "%s%s" : "%s: %s", strstr(text, path) ? "" : path, text);
	else if (find_link(t, err) == 0 && filter_here(t, err) == 0)
		return 0;
	tap_close(t);
	*tap = NULL;
	return -1;
}

/* ---- frames ---- */

/* NOLINTNEXTLINE(readability-non-const-parameter): libpcap's type */
static void on_frame(u_char *arg, const struct pcap_pkthdr *h, const u_char *bytes)
{
	struct tap *t = (struct tap *)(void *)arg;
	struct frame f;

	t->seen++;
	if (t->skipped && t->skipped--)
		return;
	if (frame_parse(t->link, bytes, h->caplen, h->len, &f))
		t->fn(t->ctx, &f,
		      (int64_t)h->ts.tv_sec * SECOND_NS + ((int64_t)h->ts.tv_usec + 1) * MICRO_NS - 1);
}

static int dispatch(struct tap *t, int most, tap_fn fn, void *ctx, char **err)
{
	t->fn = fn;
	t->ctx = ctx;
	if (pcap_dispatch(t->pcap, most, on_frame, (u_char *)t) < 0)
		return err_set(err, pcap_file(t->pcap) ? "%s: %s" : "the capture on %s has ended: %s",
			       t->name, pcap_geterr(t->pcap));
	return 0;
}

int tap_drain(struct tap *t, tap_fn fn, void *ctx, char **err)
{
	return dispatch(t, pcap_file(t->pcap) ? -1 : MOST_FRAMES, fn, ctx, err);
}

int tap_drain_marked(struct tap *t, tap_fn fn, void *ctx, char **err)
{
	u_int behind = tap_behind(t);

	return behind ? dispatch(t, behind < MOST_FRAMES ? (int)behind : MOST_FRAMES, fn, ctx, err) : 0;
}
