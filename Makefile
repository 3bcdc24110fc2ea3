# SPDX-License-Identifier: GPL-2.0-or-later
#
# xenbw: all, deps, demo, check, check-xen, soak-xen, bench, soak, install, clean. `make help` says what each is for.

BUILD   ?= build
CC      ?= cc
CFLAGS  ?= -O2 -g
PREFIX  ?= /usr/local
DESTDIR ?=
VERSION := 0.1

WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wwrite-strings -Wformat=2 -Wvla -Wundef -Wold-style-definition -Wconversion -Wno-sign-conversion
HARDEN   := -fstack-protector-strong -fPIE
LINK     := -pie -Wl,-z,relro,-z,now
CPPFLAGS += -D_GNU_SOURCE -DXENBW_VERSION='"$(VERSION)"' -DXENBW_LIBEXECDIR='"$(PREFIX)/libexec/xenbw"' \
            -I. -Isrc -I$(BUILD)/gen $(shell pkg-config --cflags libnl-3.0 smartcols libmariadb 2>/dev/null)
ALL_CFLAGS = -std=c17 $(WARN) $(HARDEN) $(CFLAGS)
DEPFLAGS   = -MMD -MP

DEPS_BUILD := gcc clang bpftool make pkg-config libc6-dev libbpf-dev libnl-3-dev libxen-dev libsqlite3-dev \
              librrd-dev libmariadb-dev libevent-dev libcrypt-dev libcap-ng-dev libpcap-dev libseccomp-dev libsmartcols-dev libjansson-dev uthash-dev fonts-dejavu-core
DEPS_DEMO  := iproute2 procps util-linux xen-utils-4.17 xenstore-utils sqlite3 jq
DEPS_TEST  := $(DEPS_DEMO) libcmocka-dev valgrind mandoc iputils-ping \
              mariadb-server-core mariadb-client-core nftables openssl curl chromium wrk php-cli php-mysql php-sqlite3 php-rrd \
              rrdtool libxml2-utils socat systemd clang-format shellcheck libclang-rt-14-dev clang-tidy gcovr tzdata zsh prometheus
DEPS_BENCH := gnuplot-nox net-acct pmacct
DEPS_SOAK  := galera-4
DEPS_XEN   := qemu-system-x86 cpio xz-utils

# What each program is made of. A program links only what it needs.
BASE   := base/mem base/err base/log base/log_limit base/text base/clock base/calendar base/boot base/folder base/share base/user base/program
LEDGER_WRITER := db/ledger db/ledger_fold db/ledger_closing db/ledger_crossing src/config/quotas src/config/lines db/ledger_merge db/ledger_retain db/ledger_forget db/retain
USAGE := db/retain db/usage db/usage_gather db/usage_rows db/explain db/audit
LEDGER := db/sql db/holders db/ledger_file db/ledger_versions db/ledger_left db/ledger_witness
VIFS := net/bind net/links net/message net/stats
DIRECTORY := xen/directory xen/pending xen/snapshot xen/complaints xen/store xen/value

PRIVILEGES := src/base/privileges.c

xenbwd_SRC := src/xenbwd.c src/base/pidfile.c src/base/child.c $(PRIVILEGES) $(BASE:%=src/%.c) $(wildcard src/config/*.c src/account/*.c src/daemon/*.c) \
              $(VIFS:%=src/%.c) src/net/uplinks.c src/net/offload.c src/net/nat.c src/ipc/capture.c src/ipc/control.c src/ipc/packet.c $(DIRECTORY:%=%.c) $(LEDGER:%=%.c) $(LEDGER_WRITER:%=%.c) db/rrd_folder.c
xenbwd_LIB := libnl-3.0 xenstore sqlite3 libevent_core libcap-ng

xenbw-guard_SRC := src/xenbw-guard.c src/base/started.c src/base/child.c $(PRIVILEGES) $(BASE:%=src/%.c) $(wildcard src/guard/*.c) src/ipc/packet.c
xenbw-guard_LIB := libcap-ng

xenbw-hook_SRC := src/xenbw-hook.c src/base/started.c src/base/child.c $(PRIVILEGES) $(BASE:%=src/%.c) $(wildcard src/hook/*.c) src/config/quotas.c src/config/lines.c src/ipc/packet.c
xenbw-hook_LIB := libcap-ng

xenbw-alias_SRC := src/xenbw-alias.c src/base/started.c $(PRIVILEGES) $(BASE:%=src/%.c) src/net/alias.c src/ipc/packet.c
xenbw-alias_LIB := libnl-3.0 libcap-ng

xenbw-tc_SRC := src/xenbw-tc.c src/base/started.c $(PRIVILEGES) $(BASE:%=src/%.c) $(wildcard src/config/*.c) \
                $(filter-out %.bpf.c,$(wildcard src/kernel/*.c)) src/ipc/capture.c src/ipc/packet.c src/net/catch_up.c src/net/netset.c src/net/prefixes.c src/net/rules.c
xenbw-tc_LIB := libbpf libcap-ng

MYSQL := db/mysql db/traffic_table db/traffic_source db/traffic_marker
MYSQL_SINK := db/traffic_rows db/mysql_sink db/sink

# The RRD files, for who has xenbw-rrd work on them; with xenbw-writer's own sink.
RRD := db/rrd db/rrd_run db/rrd_tasks db/rrd_plan src/base/child
RRD_SINK := db/rrd_sink db/rrd_source

QUOTA_USAGE := src/account/quota.c db/quota_usage.c
xenbw-writer_SRC := src/xenbw-writer.c src/base/started.c db/retain.c db/usage.c db/usage_gather.c db/usage_rows.c $(QUOTA_USAGE) $(PRIVILEGES) $(BASE:%=src/%.c) $(wildcard src/config/*.c src/writer/*.c) $(LEDGER:%=%.c) \
                    $(RRD:%=%.c) $(RRD_SINK:%=%.c) $(MYSQL:%=%.c) $(MYSQL_SINK:%=%.c)
xenbw-writer_LIB := sqlite3 libmariadb libcap-ng

xenbw-rrd_SRC := src/xenbw-rrd.c db/rrd_file.c db/rrd_tasks.c src/base/mem.c src/base/err.c src/base/text.c src/base/user.c
xenbw-rrd_LIB := librrd

xenbw-capture_SRC := src/xenbw-capture.c src/base/started.c $(PRIVILEGES) $(BASE:%=src/%.c) $(wildcard src/config/*.c src/capture/*.c) src/ipc/capture.c src/ipc/packet.c \
                     src/net/catch_up.c src/net/frame.c src/net/netset.c src/net/prefixes.c src/net/rules.c
xenbw-capture_LIB := libpcap libcap-ng libseccomp

xenbw_SRC := src/xenbw.c $(BASE:%=src/%.c) $(wildcard src/config/*.c src/cli/*.c) src/ipc/control.c \
             $(VIFS:%=src/%.c) src/net/uplinks.c src/net/neighbours.c src/net/netset.c src/account/basis.c src/account/bucket.c xen/guest_word.c \
             $(DIRECTORY:%=%.c) $(LEDGER:%=%.c) $(MYSQL:%=%.c) db/traffic_rows.c db/traffic_old.c db/traffic_upgrade.c db/rebucket.c \
             db/rrd_source.c $(RRD:%=%.c) $(QUOTA_USAGE) $(USAGE:%=%.c) db/usage_slots.c db/usage_counters.c db/closed.c src/base/passwords.c
xenbw_LIB := libnl-3.0 xenstore sqlite3 smartcols jansson libmariadb libcrypt

# Of the command line what makes reports, lists and metrics of a ledger; without xenstore, netlink and MySQL.
WEB_CLI := cli list_domains list_below listing_look live_states metrics nearest out out_csv out_json out_terminal percentile period present report \
           report_rows report_table rights spawn units
WEB := $(BASE:%=src/%.c) $(wildcard src/config/*.c src/web/*.c) $(patsubst %,src/cli/%.c,$(WEB_CLI)) src/base/passwords.c src/ipc/control.c \
       src/account/basis.c $(LEDGER:%=%.c) $(USAGE:%=%.c) db/usage_slots.c db/usage_counters.c db/closed.c
xenbw-web_SRC := src/xenbw-web.c src/base/started.c $(PRIVILEGES) $(WEB)
xenbw-web_LIB := sqlite3 smartcols jansson libcap-ng libcrypt libevent_core libevent_extra

xenbw-graph_SRC := src/xenbw-graph.c $(wildcard src/graph/*.c) src/cli/units.c db/rrd_slots.c $(BASE:%=src/%.c)
xenbw-graph_LIB := librrd
xenbw-graph_LDLIBS := -lm

xenbw-xl_SRC := xen/xenbw-xl.c xen/xl_state.c src/base/mem.c src/base/err.c src/base/text.c
xenbw-xl_LIB := xenlight xentoollog

PROGRAMS := xenbwd xenbw-guard xenbw-hook xenbw-alias xenbw-writer xenbw-rrd xenbw-capture xenbw-tc xenbw xenbw-graph xenbw-web xenbw-xl

include tests/tests.mk

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.PHONY: all deps demo check check-xen soak-xen bench soak install uninstall format clean help

all: $(PROGRAMS:%=$(BUILD)/%)

help:
	@printf '%-10s %s\n' all 'build every program into $(BUILD)/' deps 'install every Debian package that is needed (root)' \
	  demo 'a small dom0 in namespaces, from packets to a graph (root, under two minutes)' check 'all tests (root)' \
	  check-xen 'real guests under Debian'\''s Xen, in QEMU (root, up to 20 minutes)' \
	  soak 'faults at random for an hour (SOAK_SECONDS), 500 kills, a Galera cluster, millions of rows (root, hours)' \
	  soak-xen 'check-xen at hundreds of random instants (root, hours)' bench 'measured ratios' install 'into $(PREFIX)' \
	  uninstall 'the reverse' format 'apply .clang-format' clean 'remove $(BUILD)/'

define program
$(BUILD)/$(1): $$($(1)_SRC:%.c=$(BUILD)/obj/%.o)
	$$(CC) $$(ALL_CFLAGS) $$(LINK) $$(LDFLAGS) -o $$@ $$^ $$(if $$($(1)_LIB),$$(shell pkg-config --libs $$($(1)_LIB))) $$($(1)_LDLIBS)
endef
$(foreach p,$(PROGRAMS) $(TEST_PROGRAMS),$(eval $(call program,$(p))))

$(BUILD)/obj/%.o: %.c | $(BUILD)/gen/ledger_schema.h $(BUILD)/gen/ledger_views_schema.h $(BUILD)/gen/mysql_schema.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(DEPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

# The kernel's programs, and what the loader includes of them. Headers are the kernel's own and ours: no C library.
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 -ffreestanding -Wall -Wextra -Isrc -I/usr/include/$(shell gcc -print-multiarch)
$(BUILD)/gen/count.bpf.o: src/kernel/count.bpf.c src/kernel/layout.h src/kernel/packet.h src/net/rule_flags.h src/base/classes.h
	@mkdir -p $(@D)
	clang $(BPF_CFLAGS) -c -o $@ $<
# clang-tidy does not see that libbpf frees what it makes.
$(BUILD)/gen/count.skel.h: $(BUILD)/gen/count.bpf.o
	{ echo '// NOLINTBEGIN'; bpftool gen skeleton $< name count && echo '// NOLINTEND'; } > $@
$(BUILD)/obj/src/kernel/maps.o: $(BUILD)/gen/count.skel.h

# A schema as a C string, so that the .sql file stays the only copy.
$(BUILD)/gen/%_schema.h: db/schema/%.sql
	@mkdir -p $(@D)
	{ echo 'static const char $*_schema[] ='; \
	  sed -e 's/[\\"]/\\&/g' -e 's/^/"/' -e 's/$$/\\n"/' $<; echo ';'; } > $@

DEPS := $(DEPS_BUILD) $(DEPS_TEST)
# Does nothing when every package is there, so that check and demo can lean on it. Of prometheus only promtool is wanted:
# its server is not started, neither now nor at the next boot.
deps:
	@missing=$$(for p in $(DEPS); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then echo "installing:" $$missing; \
	  case " $$missing " in *' prometheus '*) systemctl -q mask prometheus; unmask=1 ;; esac; \
  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing; status=$$?; \
  [ -z "$$unmask" ] || systemctl -q unmask prometheus; [ -z "$$unmask" ] || systemctl -q disable prometheus; exit $$status; fi

demo: DEPS = $(DEPS_BUILD) $(DEPS_DEMO)
demo: deps
	@$(MAKE) --no-print-directory -j2 all test-tools
	@examples/demo.sh $(BUILD)

check: deps
	@$(MAKE) --no-print-directory -j2 all test-programs fuzzers
	@tests/run $(BUILD)

check-xen soak-xen: DEPS += $(DEPS_XEN)
check-xen soak-xen: deps
	@$(MAKE) --no-print-directory -j2 all test-tools
	@$($@_WORDS) tests/xen/lab/run $(BUILD)
soak-xen_WORDS := ROUNDS=100 EVENT_ROUNDS=3 XENLAB_LIMIT=28800 SCENARIOS="bytes two-vifs states events hostile resets restart mysql basis hvm tail"

bench: DEPS += $(DEPS_BENCH)
bench: deps
	@$(MAKE) --no-print-directory -j2 all test-programs
	@failed=0; for part in run report rate; do tests/bench/$$part $(BUILD) || failed=1; done; exit $$failed

soak: DEPS += $(DEPS_SOAK)
soak: deps
	@$(MAKE) --no-print-directory -j2 all test-tools $(BUILD)/test_sim_bounds
	@failed=0; for test in tests/soak/*.sh; do $$test $(BUILD) || failed=1; done; exit $$failed

MAN8 := xenbwd.8 xenbw.8 xenbw-writer.8 xenbw-capture.8
MAN5 := xenbw.conf.5
MAN7 := xenbw-migrate.7
install: all
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/libexec/xenbw $(DESTDIR)$(PREFIX)/share/man/man5 \
	  $(DESTDIR)$(PREFIX)/share/man/man7 $(DESTDIR)$(PREFIX)/share/man/man8 $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
	  $(DESTDIR)$(PREFIX)/share/zsh/site-functions \
	  $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/lib/sysusers.d
	install $(BUILD)/xenbwd $(BUILD)/xenbw $(DESTDIR)$(PREFIX)/sbin
	install $(BUILD)/xenbw-guard $(BUILD)/xenbw-hook $(BUILD)/xenbw-alias $(BUILD)/xenbw-writer $(BUILD)/xenbw-rrd $(BUILD)/xenbw-capture $(BUILD)/xenbw-tc $(BUILD)/xenbw-graph $(BUILD)/xenbw-web $(BUILD)/xenbw-xl \
	  $(DESTDIR)$(PREFIX)/libexec/xenbw
	install -m 644 $(MAN8:%=man/%) $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 644 $(MAN5:%=man/%) $(DESTDIR)$(PREFIX)/share/man/man5
	install -m 644 $(MAN7:%=man/%) $(DESTDIR)$(PREFIX)/share/man/man7
	$(BUILD)/xenbw completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/xenbw
	$(BUILD)/xenbw completion zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_xenbw
	for unit in xenbwd xenbw-web; do \
	  sed 's,@PREFIX@,$(PREFIX),g' examples/$$unit.service.in > $(DESTDIR)$(PREFIX)/lib/systemd/system/$$unit.service || exit 1; done
	install -m 644 examples/xenbw-sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/xenbw.conf
	@[ -n '$(DESTDIR)' ] || getent passwd xenbw >/dev/null || systemd-sysusers $(PREFIX)/lib/sysusers.d/xenbw.conf || \
	  useradd --system --user-group --no-create-home --home-dir /var/lib/xenbw --shell /usr/sbin/nologin xenbw
	@[ -n '$(DESTDIR)' ] || [ -e /etc/xenbw/xenbw.conf ] || install -D -m 644 examples/xenbw.conf /etc/xenbw/xenbw.conf

# What counts in the kernel goes, too; with DESTDIR it is another host's.
uninstall:
	@[ -n "$(DESTDIR)" ] || [ ! -x $(PREFIX)/libexec/xenbw/xenbw-alias ] || $(PREFIX)/libexec/xenbw/xenbw-alias --detach
	@[ -n "$(DESTDIR)" ] || [ ! -x $(PREFIX)/libexec/xenbw/xenbw-tc ] || $(PREFIX)/libexec/xenbw/xenbw-tc --detach
	rm -rf $(DESTDIR)$(PREFIX)/libexec/xenbw
	rm -f $(DESTDIR)$(PREFIX)/sbin/xenbwd $(DESTDIR)$(PREFIX)/sbin/xenbw $(MAN8:%=$(DESTDIR)$(PREFIX)/share/man/man8/%) \
	  $(MAN5:%=$(DESTDIR)$(PREFIX)/share/man/man5/%) $(MAN7:%=$(DESTDIR)$(PREFIX)/share/man/man7/%) $(DESTDIR)$(PREFIX)/share/bash-completion/completions/xenbw \
	  $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_xenbw \
	  $(DESTDIR)$(PREFIX)/lib/systemd/system/xenbwd.service $(DESTDIR)$(PREFIX)/lib/systemd/system/xenbw-web.service $(DESTDIR)$(PREFIX)/lib/sysusers.d/xenbw.conf

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
