# SPDX-License-Identifier: GPL-2.0-or-later
#
# Test programs: what each is made of (see `define program` in the Makefile). Each unit test prints TAP.

BASE_C := $(BASE:%=src/%.c)

UNIT_C := tests/support/unit.c $(BASE_C)
ACCOUNT_C := $(wildcard src/account/*.c) src/config/network.c
test_text_SRC := tests/unit/test_text.c tests/support/netns.c $(UNIT_C)
test_share_SRC := tests/unit/test_share.c db/rrd_folder.c $(PRIVILEGES) $(UNIT_C)
test_share_LIB := libcap-ng
test_pidfile_SRC := tests/unit/test_pidfile.c src/base/pidfile.c $(UNIT_C)
test_log_SRC := tests/unit/test_log.c $(UNIT_C)
test_basis_SRC := tests/unit/test_basis.c src/account/basis.c
test_conf_SRC := tests/unit/test_conf.c $(wildcard src/config/*.c) $(UNIT_C)
test_owner_SRC := tests/unit/test_owner.c src/account/owner.c src/account/bucket.c src/config/network.c $(UNIT_C)
test_portion_SRC := tests/unit/test_portion.c src/account/portion.c $(UNIT_C)
test_split_SRC := tests/unit/test_split.c src/account/split.c src/account/portion.c $(UNIT_C)
test_epoch_SRC := tests/unit/test_epoch.c src/account/epoch.c src/account/basis.c $(UNIT_C)
test_tail_SRC := tests/unit/test_tail.c src/account/tail.c
test_bucket_SRC := tests/unit/test_bucket.c $(ACCOUNT_C) $(LEDGER_WRITER:%=%.c) $(LEDGER:%=%.c) $(UNIT_C)
test_bucket_LIB := sqlite3
ACCOUNT_TESTS := test_account test_account_slots test_account_buckets
$(foreach t,$(ACCOUNT_TESTS),$(eval $(t)_SRC := tests/unit/$(t).c tests/support/account_bed.c $(ACCOUNT_C) $(LEDGER_WRITER:%=%.c) $(LEDGER:%=%.c) $(UNIT_C)))
$(foreach t,$(ACCOUNT_TESTS),$(eval $(t)_LIB := sqlite3))
test_account_look_SRC := tests/unit/test_account_look.c $(ACCOUNT_C) $(LEDGER_WRITER:%=%.c) $(LEDGER:%=%.c) $(UNIT_C)
test_account_look_LIB := sqlite3
test_ledger_SRC := tests/unit/test_ledger.c tests/support/writer_bed.c $(LEDGER_WRITER:%=%.c) $(LEDGER:%=%.c) $(UNIT_C)
test_ledger_LIB := sqlite3
test_ledger_witness_SRC := tests/unit/test_ledger_witness.c tests/support/writer_bed.c $(LEDGER_WRITER:%=%.c) $(LEDGER:%=%.c) $(UNIT_C)
test_ledger_witness_LIB := sqlite3
test_ledger_fold_SRC := tests/unit/test_ledger_fold.c tests/support/writer_bed.c $(LEDGER_WRITER:%=%.c) $(LEDGER:%=%.c) $(UNIT_C)
test_ledger_fold_LIB := sqlite3
test_ledger_retain_SRC := tests/unit/test_ledger_retain.c tests/support/writer_bed.c $(LEDGER_WRITER:%=%.c) $(USAGE:%=%.c) $(LEDGER:%=%.c) $(UNIT_C)
test_ledger_retain_LIB := sqlite3
test_ledger_merge_SRC := tests/unit/test_ledger_merge.c tests/support/account_bed.c tests/support/sound.c $(ACCOUNT_C) $(LEDGER_WRITER:%=%.c) $(USAGE:%=%.c) $(LEDGER:%=%.c) $(UNIT_C)
test_ledger_merge_LIB := sqlite3
test_ledger_forget_SRC := tests/unit/test_ledger_forget.c tests/support/account_bed.c tests/support/sound.c $(ACCOUNT_C) $(LEDGER_WRITER:%=%.c) $(USAGE:%=%.c) $(LEDGER:%=%.c) $(UNIT_C)
test_ledger_forget_LIB := sqlite3
test_ledger_file_SRC := tests/unit/test_ledger_file.c $(LEDGER:%=%.c) $(UNIT_C)
test_ledger_file_LIB := sqlite3
test_ledger_versions_SRC := tests/unit/test_ledger_versions.c tests/support/ledger_bed.c $(LEDGER_WRITER:%=%.c) $(USAGE:%=%.c) db/rrd_source.c db/rrd_plan.c \
                            db/traffic_source.c $(LEDGER:%=%.c) $(UNIT_C)
test_ledger_versions_LIB := sqlite3
LINKS_C := src/net/links.c src/net/message.c
test_links_SRC := tests/unit/test_links.c $(LINKS_C) tests/support/netns.c $(UNIT_C)
test_links_LIB := libnl-3.0
test_stats_SRC := tests/unit/test_stats.c src/net/stats.c src/net/message.c tests/support/netns.c $(UNIT_C)
test_stats_LIB := libnl-3.0
test_bind_SRC := tests/unit/test_bind.c src/net/bind.c $(LINKS_C) tests/support/netns.c $(UNIT_C)
test_bind_LIB := libnl-3.0
test_message_SRC := tests/unit/test_message.c src/net/message.c $(UNIT_C)
test_message_LIB := libnl-3.0
test_uplinks_SRC := tests/unit/test_uplinks.c src/net/uplinks.c $(LINKS_C) tests/support/netns.c $(UNIT_C)
test_uplinks_LIB := libnl-3.0
test_roster_SRC := tests/unit/test_roster.c src/daemon/roster.c src/net/uplinks.c $(LINKS_C) $(ACCOUNT_C) $(LEDGER_WRITER:%=%.c) $(LEDGER:%=%.c) tests/support/netns.c $(UNIT_C)
test_roster_LIB := libnl-3.0 sqlite3
test_offload_SRC := tests/unit/test_offload.c src/net/offload.c tests/support/netns.c $(UNIT_C)
test_steady_SRC := tests/unit/test_steady.c src/daemon/steady.c $(UNIT_C)
test_backoff_SRC := tests/unit/test_backoff.c src/daemon/backoff.c $(UNIT_C)
test_heard_SRC := tests/unit/test_heard.c src/daemon/heard.c src/ipc/capture.c $(UNIT_C)
test_nat_SRC := tests/unit/test_nat.c src/net/nat.c src/config/network.c $(UNIT_C)
test_nat_watch_SRC := tests/unit/test_nat_watch.c src/daemon/nat_watch.c src/net/nat.c src/config/network.c $(UNIT_C)
test_capture_ipc_SRC := tests/unit/test_capture_ipc.c src/ipc/capture.c src/ipc/packet.c $(UNIT_C)
test_frame_SRC := tests/unit/test_frame.c src/net/frame.c $(UNIT_C)
NETSET_C := src/net/netset.c src/config/network.c
test_netset_SRC := tests/unit/test_netset.c $(NETSET_C) $(UNIT_C)
test_rules_SRC := tests/unit/test_rules.c src/net/rules.c src/net/prefixes.c src/net/netset.c $(wildcard src/config/*.c) $(UNIT_C)

RRD_C := $(RRD:%=%.c)
test_rrd_plan_SRC := tests/unit/test_rrd_plan.c db/rrd_plan.c $(BASE_C)
RRD_UNIT_C := tests/support/rrd_unit.c tests/support/rrd_bed.c tests/support/unit.c $(RRD_C) $(BASE_C)
test_rrd_SRC := tests/unit/test_rrd.c $(RRD_UNIT_C)
test_rrd_LIB := librrd
test_rrd_LDLIBS := -lm
test_rrd_article_SRC := tests/unit/test_rrd_article.c $(RRD_UNIT_C)
test_rrd_article_LIB := librrd
test_rrd_article_LDLIBS := -lm
test_rrd_killed_SRC := tests/unit/test_rrd_killed.c $(RRD_UNIT_C)
test_rrd_killed_LIB := librrd
test_rrd_killed_LDLIBS := -lm
test_rrd_trouble_SRC := tests/unit/test_rrd_trouble.c $(RRD_UNIT_C)
test_rrd_trouble_LIB := librrd libcap-ng
test_rrd_trouble_LDLIBS := -lm
test_rrd_tasks_SRC := tests/unit/test_rrd_tasks.c db/rrd_tasks.c src/base/child.c $(UNIT_C)
test_rrd_source_SRC := tests/unit/test_rrd_source.c tests/support/ledger_bed.c tests/support/unit.c db/rrd_source.c db/rrd_plan.c $(LEDGER:%=%.c) $(BASE_C)
test_rrd_source_LIB := sqlite3
test_rrd_sink_SRC := tests/unit/test_rrd_sink.c tests/support/rrd_bed.c tests/support/unit.c tests/support/ledger_bed.c db/rrd_sink.c db/sink.c db/rrd_source.c $(RRD_C) \
                     $(LEDGER:%=%.c) $(BASE_C)
test_rrd_sink_LIB := sqlite3 librrd
test_rrd_sink_LDLIBS := -lm
test_writer_SRC := tests/unit/test_writer.c tests/support/rrd_bed.c tests/support/ledger_bed.c tests/support/unit.c \
                   $(LEDGER:%=%.c) $(BASE_C)
test_writer_LIB := sqlite3 librrd
test_writer_LDLIBS := -lm
test_mysql_sink_SRC := tests/unit/test_mysql_sink.c tests/support/mysql_bed.c tests/support/mariadb_bed.c tests/support/ledger_bed.c tests/support/unit.c \
                       $(MYSQL:%=%.c) $(MYSQL_SINK:%=%.c) $(LEDGER:%=%.c) $(BASE_C)
test_mysql_sink_LIB := sqlite3 libmariadb
test_mysql_sink_once_SRC := tests/unit/test_mysql_sink_once.c tests/support/mysql_bed.c tests/support/mariadb_bed.c tests/support/ledger_bed.c tests/support/unit.c \
                       $(MYSQL:%=%.c) $(MYSQL_SINK:%=%.c) $(LEDGER:%=%.c) $(BASE_C)
test_mysql_sink_once_LIB := sqlite3 libmariadb

test_naccttab_SRC := tests/unit/test_naccttab.c $(wildcard src/config/*.c) $(UNIT_C)
test_network_SRC := tests/unit/test_network.c src/config/network.c $(UNIT_C)
test_mysql_SRC := tests/unit/test_mysql.c tests/support/mariadb_bed.c tests/support/unit.c db/mysql.c $(BASE_C)
test_mysql_LIB := libmariadb

UNIT_TESTS := test_share test_pidfile test_naccttab test_network test_text test_log test_basis test_owner test_conf test_portion test_split test_epoch test_tail test_bucket $(ACCOUNT_TESTS) test_account_look test_ledger test_ledger_fold test_ledger_witness test_ledger_file test_ledger_versions test_links test_stats test_bind test_message test_frame test_netset test_rules test_uplinks test_nat test_nat_watch test_offload test_roster test_heard test_backoff test_steady test_capture_ipc test_rrd_plan test_rrd_tasks test_rrd test_rrd_article test_rrd_trouble test_rrd_killed test_rrd_source test_rrd_sink test_writer test_mysql test_mysql_sink test_mysql_sink_once

test_value_SRC := tests/unit/test_value.c xen/value.c $(BASE_C)
test_pending_SRC := tests/unit/test_pending.c xen/pending.c xen/snapshot.c xen/value.c $(BASE_C)
test_xl_state_SRC := tests/unit/test_xl_state.c xen/xl_state.c
UNIT_TESTS += test_value test_pending test_xl_state

SIM_C := tests/sim/sim.c tests/sim/memory_ledger.c
test_sim_year_SRC := tests/sim/test_sim_year.c tests/sim/year_host.c tests/sim/year_daemon.c tests/sim/year_events.c tests/sim/year_checks.c $(SIM_C) $(ACCOUNT_C) $(LEDGER_WRITER:%=%.c) $(LEDGER:%=%.c) $(BASE_C)
test_sim_year_LIB := sqlite3
HOST_C := tests/sim/host_kernel.c tests/sim/host_links.c tests/sim/host_store.c tests/sim/host_daemon.c tests/sim/host_events.c tests/sim/host_checks.c \
          src/daemon/follow.c src/daemon/poll.c src/daemon/steady.c src/daemon/trouble.c src/net/bind.c $(wildcard src/config/*.c)
HOST_BASE_C := $(filter-out src/base/clock.c src/base/log.c,$(BASE_C))
HOST_WRAP := -Wl,--wrap=ledger_commit -Wl,--wrap=ledger_fold -Wl,--wrap=ledger_merge -Wl,--wrap=account_vif_here
test_sim_host_SRC := tests/sim/test_sim_host.c $(HOST_C) $(SIM_C) $(ACCOUNT_C) $(LEDGER_WRITER:%=%.c) $(LEDGER:%=%.c) $(HOST_BASE_C)
test_sim_host_LIB := sqlite3
test_sim_host_LDLIBS := $(HOST_WRAP)
test_sim_zones_SRC := tests/sim/test_sim_zones.c src/cli/period.c tests/support/ledger_bed.c $(USAGE:%=%.c) $(LEDGER:%=%.c) $(UNIT_C)
test_sim_zones_LIB := sqlite3
test_sim_tail_SRC := tests/sim/test_sim_tail.c $(SIM_C) $(ACCOUNT_C) $(LEDGER_WRITER:%=%.c) $(LEDGER:%=%.c) $(BASE_C)
test_sim_tail_LIB := sqlite3
test_sim_bounds_SRC := tests/sim/test_sim_bounds.c tests/support/account_bed.c $(USAGE:%=%.c) $(ACCOUNT_C) $(LEDGER_WRITER:%=%.c) $(LEDGER:%=%.c) $(UNIT_C)
test_sim_bounds_LIB := sqlite3
UNIT_TESTS += test_sim_year test_sim_host test_sim_tail test_sim_zones test_sim_bounds

OUT_C := src/cli/out.c src/cli/out_csv.c src/cli/out_json.c src/cli/out_terminal.c src/cli/period.c src/cli/units.c
test_units_SRC := tests/unit/test_units.c src/cli/units.c $(UNIT_C)
test_period_SRC := tests/unit/test_period.c src/cli/period.c $(UNIT_C)
test_usage_SRC := tests/unit/test_usage.c tests/support/ledger_bed.c $(USAGE:%=%.c) $(LEDGER:%=%.c) $(UNIT_C)
test_usage_LIB := sqlite3
test_usage_cost_SRC := tests/unit/test_usage_cost.c tests/support/ledger_bed.c $(USAGE:%=%.c) $(LEDGER:%=%.c) $(UNIT_C)
test_usage_cost_LIB := sqlite3
UNIT_TESTS += test_usage_cost test_ledger_merge test_ledger_retain test_ledger_forget
test_present_SRC := tests/unit/test_present.c src/cli/present.c src/account/basis.c $(UNIT_C)
test_out_SRC := tests/unit/test_out.c $(OUT_C) $(UNIT_C)
test_out_LIB := smartcols jansson
test_args_SRC := tests/unit/test_args.c src/cli/args.c src/cli/commands.c src/cli/nearest.c $(UNIT_C)
test_series_SRC := tests/unit/test_series.c src/graph/series.c src/graph/legend.c src/cli/units.c $(UNIT_C)
test_series_LDLIBS := -lm
test_control_SRC := tests/unit/test_control.c src/ipc/control.c $(UNIT_C)
test_billing_SRC := tests/unit/test_billing.c tests/support/conf_bed.c $(wildcard src/config/*.c) $(UNIT_C)
test_quota_SRC := tests/unit/test_quota.c tests/support/conf_bed.c src/account/quota.c $(wildcard src/config/*.c) $(UNIT_C)
test_crossing_SRC := tests/unit/test_crossing.c tests/support/writer_bed.c tests/support/ledger_bed.c db/quota_usage.c $(USAGE:%=%.c) $(wildcard src/config/*.c) $(LEDGER_WRITER:%=%.c) $(LEDGER:%=%.c) $(UNIT_C)
test_crossing_LIB := sqlite3
test_percentile_SRC := tests/unit/test_percentile.c src/cli/percentile.c $(UNIT_C)
test_top_rows_SRC := tests/unit/test_top_rows.c src/cli/top_rows.c $(UNIT_C)
test_usage_slots_SRC := tests/unit/test_usage_slots.c tests/support/ledger_bed.c db/usage_slots.c $(USAGE:%=%.c) $(LEDGER:%=%.c) $(UNIT_C)
test_usage_slots_LIB := sqlite3
test_audit_SRC := tests/unit/test_audit.c tests/support/account_bed.c $(USAGE:%=%.c) db/usage_counters.c $(ACCOUNT_C) $(LEDGER_WRITER:%=%.c) $(LEDGER:%=%.c) $(UNIT_C)
test_audit_LIB := sqlite3
test_closing_SRC := tests/unit/test_closing.c tests/support/ledger_bed.c db/closed.c src/ipc/control.c $(LEDGER_WRITER:%=%.c) $(LEDGER:%=%.c) $(UNIT_C)
test_closing_LIB := sqlite3
UNIT_TESTS += test_quota test_crossing test_audit test_closing test_billing test_percentile test_top_rows test_usage_slots
test_migrate_SRC := tests/unit/test_migrate.c src/cli/naccttab.c src/cli/naccttab_words.c src/cli/naccttab_relate.c src/cli/rebucket_map.c src/net/netset.c \
                    $(wildcard src/config/*.c) $(UNIT_C)
test_traffic_upgrade_SRC := tests/unit/test_traffic_upgrade.c tests/support/mariadb_bed.c tests/support/unit.c db/mysql.c db/traffic_table.c db/traffic_old.c \
                            db/traffic_upgrade.c db/rebucket.c $(BASE_C)
test_traffic_upgrade_LIB := libmariadb
test_neighbours_SRC := tests/unit/test_neighbours.c src/net/neighbours.c src/config/network.c tests/support/netns.c $(UNIT_C)
test_compare_SRC := tests/unit/test_compare.c src/cli/compare.c $(UNIT_C)
UNIT_TESTS += test_migrate test_compare test_traffic_upgrade test_neighbours
test_hook_parts_SRC := tests/unit/test_hook_parts.c src/hook/check.c src/hook/environment.c src/hook/output.c $(wildcard src/config/*.c) $(UNIT_C)
test_alias_SRC := tests/unit/test_alias.c src/net/alias.c tests/support/netns.c $(UNIT_C)
test_alias_LIB := libnl-3.0
test_web_html_SRC := tests/unit/test_web_html.c src/web/html.c src/web/range.c src/web/spark.c src/web/fields.c src/cli/units.c src/cli/period.c $(UNIT_C)
UNIT_TESTS += test_hook_parts test_alias test_web_html
test_passwords_SRC := tests/unit/test_passwords.c src/base/passwords.c $(UNIT_C)
test_passwords_LIB := libcrypt
test_web_fields_SRC := tests/unit/test_web_fields.c src/web/fields.c $(UNIT_C)
test_web_login_SRC := tests/unit/test_web_login.c src/web/sessions.c src/web/throttle.c src/base/passwords.c $(UNIT_C)
test_web_login_LIB := libcrypt
UNIT_TESTS += test_passwords test_web_fields test_web_login
UNIT_TESTS += test_series test_units test_period test_usage test_present test_out test_args test_control

CLASSIFY_C := src/net/rules.c src/net/prefixes.c src/net/netset.c src/net/frame.c $(wildcard src/config/*.c)
test_catch_up_SRC := tests/unit/test_catch_up.c src/net/catch_up.c $(UNIT_C)
TABLE_C := tests/support/table_bed.c src/capture/table.c src/capture/owners.c $(CLASSIFY_C) $(UNIT_C)
test_capture_table_SRC := tests/unit/test_capture_table.c $(TABLE_C)
test_capture_told_SRC := tests/unit/test_capture_told.c $(TABLE_C)
test_capture_SRC := tests/unit/test_capture.c tests/support/capture_bed.c tests/support/netns.c src/ipc/capture.c src/ipc/packet.c src/config/network.c $(UNIT_C)
test_capture_process_SRC := tests/unit/test_capture_process.c tests/support/capture_bed.c tests/support/netns.c src/ipc/capture.c src/ipc/packet.c src/config/network.c $(UNIT_C)
test_tap_SRC := tests/unit/test_tap.c src/capture/tap.c src/net/frame.c tests/support/netns.c $(UNIT_C)
test_tap_LIB := libpcap
test_sandbox_SRC := tests/unit/test_sandbox.c src/capture/sandbox.c $(UNIT_C)
test_sandbox_LIB := libseccomp
test_kernel_SRC := tests/unit/test_kernel.c src/kernel/maps.c src/kernel/book.c src/net/prefixes.c src/capture/table.c src/capture/owners.c $(CLASSIFY_C) tests/support/netns.c $(UNIT_C)
test_kernel_LIB := libbpf
test_hooks_SRC := tests/unit/test_hooks.c src/kernel/maps.c src/kernel/hooks.c src/kernel/filters.c src/kernel/tcx.c $(CLASSIFY_C) tests/support/netns.c $(UNIT_C)
test_hooks_LIB := libbpf
UNIT_TESTS += test_kernel test_hooks test_tap test_capture_table test_capture_told test_catch_up test_capture test_capture_process test_sandbox

$(foreach t,$(UNIT_TESTS),$(eval $(t)_LIB += cmocka))

# Tools of the test bed: no test in themselves.
TEST_TOOLS :=

bwload_SRC := tests/support/bwload.c tests/support/bwcounts.c $(BASE_C)
bwtap_SRC := tests/support/bwtap.c tests/support/bwcounts.c $(BASE_C)
bwframe_SRC := tests/support/bwframe.c $(BASE_C)
bwproxy_SRC := tests/support/bwproxy.c
TEST_TOOLS += bwload bwtap bwframe bwproxy
bwhooks_SRC := tests/support/bwhooks.c
bwhooks_LIB := libbpf
TEST_TOOLS += bwhooks
nacctd_peer_SRC := tests/support/nacctd_peer.c
nacctd_peer_LIB := libpcap
TEST_TOOLS += nacctd_peer
bwbench_SRC := tests/bench/bwbench.c src/net/stats.c src/net/message.c $(BASE_C)
bwbench_LIB := libnl-3.0
TEST_TOOLS += bwbench
pcap_loop_SRC := tests/bench/pcap_loop.c
pcap_loop_LIB := libpcap
nacctd_way_SRC := tests/bench/nacctd_way.c $(BASE_C)
nacctd_way_LIB := libmariadb
sink_flush_SRC := tests/bench/sink_flush.c $(wildcard src/config/*.c) $(MYSQL:%=%.c) $(MYSQL_SINK:%=%.c) $(LEDGER:%=%.c) $(BASE_C)
sink_flush_LIB := sqlite3 libmariadb
report_cost_SRC := tests/bench/report_cost.c $(USAGE:%=%.c) $(LEDGER:%=%.c) $(BASE_C)
report_cost_LIB := sqlite3
TEST_TOOLS += nacctd_way pcap_loop sink_flush report_cost

xenstore_tool_SRC := tests/support/xenstore_tool.c $(BASE_C)
xenstore_tool_LIB := xenstore
TEST_TOOLS += xenstore_tool

control_says_SRC := tests/support/control_says.c $(BASE_C)
TEST_TOOLS += control_says

directory_probe_SRC := tests/xen/directory_probe.c $(DIRECTORY:%=%.c) $(BASE_C)
directory_probe_LIB := xenstore
TEST_TOOLS += directory_probe

loop_work_SRC := tests/sim/loop_work.c src/daemon/roster.c src/daemon/devices.c src/daemon/nat_watch.c src/net/nat.c src/net/uplinks.c $(LINKS_C) $(ACCOUNT_C) \
                 $(LEDGER_WRITER:%=%.c) $(LEDGER:%=%.c) $(BASE_C)
loop_work_LIB := libnl-3.0 sqlite3
TEST_TOOLS += loop_work

# Preloaded: never with the CFLAGS of a sanitizer. xshim for Debian's xenstored and oxenstored (Xen's own headers want
# gnu17), clockshim for a wall clock that a test moves, otherxen for a libxenlight of another Xen, notcx for a kernel of
# before TCX.
TEST_SHIMS := $(BUILD)/xshim.so $(BUILD)/clockshim.so $(BUILD)/otherxen.so $(BUILD)/notcx.so
$(TEST_SHIMS): $(BUILD)/%.so: tests/support/%.c
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -D_GNU_SOURCE $(WARN) -O2 -g -fPIC -shared -o $@ $<

TEST_PROGRAMS := $(UNIT_TESTS) $(TEST_TOOLS)
.PHONY: test-programs test-tools print-unit-tests
test-programs: $(TEST_PROGRAMS:%=$(BUILD)/%)
test-tools: $(TEST_TOOLS:%=$(BUILD)/%) $(TEST_SHIMS)
test-programs: $(TEST_SHIMS)
print-unit-tests: # for tests/run
	@echo $(UNIT_TESTS)

# libFuzzer targets, always with clang's sanitizers; tests/fuzz/all.sh runs them.
fuzz_conf_SRC := tests/fuzz/fuzz_conf.c $(wildcard src/config/*.c) $(BASE_C)
fuzz_message_SRC := tests/fuzz/fuzz_message.c src/net/message.c $(BASE_C)
fuzz_message_LIB := libnl-3.0
fuzz_xenstore_value_SRC := tests/fuzz/fuzz_xenstore_value.c xen/value.c $(BASE_C)
fuzz_frame_SRC := tests/fuzz/fuzz_frame.c src/net/frame.c
fuzz_netset_SRC := tests/fuzz/fuzz_netset.c $(NETSET_C) $(BASE_C)
fuzz_capture_table_SRC := tests/fuzz/fuzz_capture_table.c src/capture/table.c src/capture/owners.c $(CLASSIFY_C) $(BASE_C)
fuzz_kernel_text_SRC := tests/fuzz/fuzz_kernel_text.c src/net/nat.c src/net/catch_up.c src/net/neighbours.c src/config/network.c $(BASE_C)
LEDGER_LIFE_C := tests/fuzz/ledger_life.c $(ACCOUNT_C) $(LEDGER_WRITER:%=%.c) $(USAGE:%=%.c) db/rrd_source.c db/rrd_plan.c db/traffic_source.c $(LEDGER:%=%.c) $(BASE_C)
fuzz_ledger_rows_SRC := tests/fuzz/fuzz_ledger_rows.c $(LEDGER_LIFE_C)
fuzz_ledger_rows_LIB := sqlite3
fuzz_ledger_file_SRC := tests/fuzz/fuzz_ledger_file.c $(LEDGER_LIFE_C)
fuzz_ledger_file_LIB := sqlite3
fuzz_live_SRC := tests/fuzz/fuzz_live.c src/ipc/control.c src/cli/live.c src/cli/live_states.c src/cli/spawn.c $(VIFS:%=src/%.c) $(DIRECTORY:%=%.c) $(BASE_C)
fuzz_live_LIB := libnl-3.0 xenstore
fuzz_capture_ipc_SRC := tests/fuzz/fuzz_capture_ipc.c src/ipc/capture.c src/ipc/packet.c src/daemon/heard.c src/capture/table.c src/capture/owners.c $(CLASSIFY_C) $(BASE_C)
fuzz_links_SRC := tests/fuzz/fuzz_links.c $(LINKS_C) src/net/stats.c src/net/uplinks.c $(BASE_C)
fuzz_links_LIB := libnl-3.0
fuzz_directory_SRC := tests/fuzz/fuzz_directory.c $(filter-out xen/store.c,$(DIRECTORY:%=%.c)) $(BASE_C)
fuzz_replay_SRC := tests/fuzz/fuzz_replay.c src/capture/replay.c src/capture/vifs_file.c src/capture/tap.c src/capture/table.c src/capture/owners.c \
                   $(CLASSIFY_C) $(BASE_C)
fuzz_replay_LIB := libpcap
fuzz_feed_SRC := tests/fuzz/fuzz_feed.c src/daemon/feed.c src/daemon/backoff.c src/writer/writer.c src/writer/quotas.c db/quota_usage.c $(filter-out src/base/log.c,$(LEDGER_LIFE_C)) src/config/conf.c src/config/keywords.c src/config/kinds.c src/config/billing.c src/config/quotas.c src/config/lines.c
fuzz_feed_LIB := sqlite3 libevent_core
fuzz_control_SRC := tests/fuzz/fuzz_control.c src/daemon/control_server.c src/ipc/control.c $(LEDGER_LIFE_C)
fuzz_control_LIB := sqlite3 libevent_core
fuzz_web_SRC := tests/fuzz/fuzz_web.c $(filter-out src/web/server.c src/web/connections.c,$(WEB))
fuzz_web_LIB := sqlite3 smartcols jansson libcrypt
FUZZERS := fuzz_web fuzz_conf fuzz_message fuzz_xenstore_value fuzz_frame fuzz_netset fuzz_capture_table fuzz_kernel_text fuzz_ledger_rows fuzz_ledger_file \
           fuzz_live fuzz_capture_ipc fuzz_links fuzz_directory fuzz_replay fuzz_feed fuzz_control

define fuzzer
$(BUILD)/fuzz/$(1): $$($(1)_SRC) $(wildcard src/*/*.h xen/*.h db/*.h tests/fuzz/*.h) | $(BUILD)/gen/ledger_schema.h $(BUILD)/gen/ledger_views_schema.h
	@mkdir -p $$(@D)
	clang $$(CPPFLAGS) -std=c17 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o $$@ $$(sort $$($(1)_SRC)) \
	  $$(if $$($(1)_LIB),$$(shell pkg-config --libs $$($(1)_LIB)))
endef
$(foreach f,$(FUZZERS),$(eval $(call fuzzer,$(f))))
.PHONY: fuzzers
fuzzers: $(FUZZERS:%=$(BUILD)/fuzz/%)

# For tests/lint/analyze.sh: each source of a program through gcc's analyzer. What was clean is not looked at again
# until it, a header of it or this file changes.
ANALYZED := $(sort $(foreach p,$(PROGRAMS),$($(p)_SRC)))
SCHEMAS := $(BUILD)/gen/ledger_schema.h $(BUILD)/gen/ledger_views_schema.h $(BUILD)/gen/mysql_schema.h $(BUILD)/gen/count.skel.h
$(BUILD)/analyzer/%.o: %.c tests/tests.mk | $(SCHEMAS)
	@mkdir -p $(@D)
	@gcc -Itests/lint/analyze $(CPPFLAGS) $(DEPFLAGS) -std=c17 $(WARN) -O1 -Werror -fanalyzer -c -o $@ $<
.PHONY: analyzer
analyzer: $(ANALYZED:%.c=$(BUILD)/analyzer/%.o)
-include $(shell find $(BUILD)/analyzer -name '*.d' 2>/dev/null)

# For tests/lint/tidy.sh: the same for clang-tidy, which writes no dependencies: the preprocessor does. The stamp is
# made last.
$(BUILD)/tidy/%.o: %.c .clang-tidy tests/tests.mk | $(SCHEMAS)
	@mkdir -p $(@D)
	@cpp -Itests/lint/analyze $(CPPFLAGS) -MM -MP -MT $@ -MF $(@:.o=.d) $<
	@said=$$(clang-tidy --quiet --warnings-as-errors='*' $< -- -Itests/lint/analyze $(CPPFLAGS) -std=c17 2>&1) || \
	  { status=$$?; echo "$<: clang-tidy ended with $$status"; echo "$$said"; exit $$status; }
	@touch $@
.PHONY: tidy
tidy: $(ANALYZED:%.c=$(BUILD)/tidy/%.o)
-include $(shell find $(BUILD)/tidy -name '*.d' 2>/dev/null)
