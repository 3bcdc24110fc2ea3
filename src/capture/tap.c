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

#define RING (16 << 20)    /* bytes: 80,655 frames of any length on Linux 6.18 */
#define MOST_FRAMES 131072 /* of a drain: more than a ring holds */
#define NO_WAIT_MS 1       /* the ring hands frames over at once; libpcap wants some number */
#define SECOND_NS 1000000000

struct tap {
	char *name; /* device or path */
	enum direction dir;
	enum frame_link link;
	pcap_t *pcap;
	u_int dropped; /* as libpcap told last */
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

/* Frames are wanted at once (libpcap's "immediate mode", the kernel's TPACKET_V2). A ring of blocks
 * (TPACKET_V3) costs the sender some 80 ns a frame less, but shows a frame when its block is full or 8 ms
 * old, and a block that is closed by its age takes the room of a full one: a reader who was held up for 1.3
 * seconds lost 236 of 300 frames of a slow flow, with this ring none. */
static int configure(pcap_t *p)
{
	if (pcap_set_snaplen(p, FRAME_SNAPLEN) < 0 || pcap_set_promisc(p, 0) < 0 ||
	    pcap_set_timeout(p, NO_WAIT_MS) < 0 || pcap_set_immediate_mode(p, 1) < 0 ||
	    pcap_set_buffer_size(p, RING) < 0)
		return -1;
	return pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
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

/* Gives the filter to the kernel without pcap_setfilter, which runs it over the first frame itself and there
 * takes it for false, whatever the frame's direction: one frame would be lost. What came before the filter
 * was there is sorted by pcap_setdirection. */
static int filter_in_kernel(struct tap *t, char **err)
{
	bool input = t->dir == DIR_INPUT;
	struct bpf_program compiled;
	struct sock_fprog program;
	int rc;

	if (pcap_setdirection(t->pcap, input ? PCAP_D_IN : PCAP_D_OUT) < 0)
		return err_set(err, "cannot capture on %s: %s", t->name, pcap_geterr(t->pcap));
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
	uint64_t before;

	*tap = t;
	t->pcap = pcap_create(device, text);
	if (!t->pcap)
		err_set(err, "cannot capture on %s: %s", device, text);
	else if (activate(t, err) == 0 && find_link(t, err) == 0 && filter_in_kernel(t, err) == 0 &&
		 tap_dropped(t, &before, err) == 0)
		return 0;
	tap_close(t);
	*tap = NULL;
	return -1;
}

int tap_fd(const struct tap *t)
{
	return pcap_get_selectable_fd(t->pcap);
}

int tap_dropped(struct tap *t, uint64_t *dropped, char **err)
{
	struct pcap_stat s;

	if (pcap_stats(t->pcap, &s) < 0)
		return err_set(err, "cannot ask what was dropped on %s: %s", t->name, pcap_geterr(t->pcap));
	*dropped = (u_int)(s.ps_drop - t->dropped); /* goes round at 2^32 */
	t->dropped = s.ps_drop;
	return 0;
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
	t->pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, text);
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
	const struct tap *t = (const struct tap *)arg;
	struct frame f;

	/* tv_usec: nanoseconds, as was asked for */
	if (frame_parse(t->link, bytes, h->caplen, h->len, &f))
		t->fn(t->ctx, &f, (int64_t)h->ts.tv_sec * SECOND_NS + h->ts.tv_usec);
}

int tap_drain(struct tap *t, tap_fn fn, void *ctx, char **err)
{
	int most = pcap_file(t->pcap) ? -1 : MOST_FRAMES;

	t->fn = fn;
	t->ctx = ctx;
	if (pcap_dispatch(t->pcap, most, on_frame, (u_char *)t) < 0)
		return err_set(err, pcap_file(t->pcap) ? "%s: %s" : "the capture on %s has ended: %s",
			       t->name, pcap_geterr(t->pcap));
	return 0;
}
