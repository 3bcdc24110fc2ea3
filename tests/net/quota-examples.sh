#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The hooks of examples/: quota-limit makes the vif of a domain slow in both directions and takes that back, quota-mail
# writes a mail; both as xenbwd calls them.
# time-limit: 120
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"

EXAMPLES=$(realpath "$(dirname "$0")/../../examples")
LIMIT=$BED/quota-limit MAIL=$BED/quota-mail
install -m 755 "$EXAMPLES/quota-limit" "$LIMIT" && install -m 755 "$EXAMPLES/quota-mail" "$MAIL" || tap_bail "no examples"
export QUOTA_STATE=$BED/limited XENBW=$BUILD/xenbw XENBW_CONFIG=$BW_CONF QUOTA_RATE=4mbit
# xenbwd hands on nothing of the environment: what a site writes into the script
sed -i "s,^rate=.*,rate=$QUOTA_RATE,; s,^state=.*,state=$QUOTA_STATE,; s,^xenbw=.*,xenbw=$XENBW," "$LIMIT"

shape() { tc qdisc show dev "$1"; tc filter show dev "$1" ingress; tc filter show dev "$1" egress; }
slow_way() { # slow_way FROM TO: that 1.5 MB take longer than a second and a half (at 4 Mbit/s it is three)
	local begin
	begin=$(date +%s%N)
	bed_tcp "$1" "$2" 1500000 >/dev/null && [ $((($(date +%s%N) - begin) / 1000000)) -ge 1500 ]
}

bed_up || tap_bail "no bed"
bw_past_edge 86400 45 # a quota begins anew with its month or day
bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 && bed_guest 3 0 mail 10.77.0.13 || tap_bail "no guests"
before1=$(shape vif1.0) before2=$(shape vif2.0)
bw_config "attribution off" "flush 1" "owner acme web" "quota web month all both 100000 warn 50" "quota_hook $LIMIT"
bw_start || tap_bail "no xenbwd"
bw_wait_sql "the guests" "SELECT count(*) FROM vif WHERE domid > 0" 3

dry=$("$LIMIT" --dry-run --limit web 4mbit)
tap_like "--dry-run says what it would do" "$dry" "tc qdisc replace dev vif1.0 root handle 7b77: tbf rate 4mbit.*"
tap_like "in both directions" "$dry" "tc filter add dev vif1.0 ingress .*redirect dev quota[0-9]*"
tap_is "and does nothing" "$(shape vif1.0)" "$before1"
bed_udp 1.0 outside 60 972
bw_wait_sql "the warning" "SELECT outcome FROM crossing WHERE percent = 50" "exit status 0"
tap_is "a warning limits nothing" "$(shape vif1.0)" "$before1"
bed_udp 1.0 outside 60 972
bw_wait_sql "the limit" "SELECT outcome FROM crossing WHERE percent = 100" "exit status 0"
tap_like "what is used up makes the vif slow" "$(shape vif1.0)" "qdisc tbf 7b77: root .*rate 4Mbit"
tap_ok "in the log is what was done" grep -q 'quota_hook says: quota-limit: tc qdisc replace dev vif1.0' "$BW_LOG"
tap_is "no other vif is" "$(shape vif2.0)" "$before2"
tap_ok "to the guest it is slow" slow_way outside 1.0
tap_ok "from the guest it is slow" slow_way 1.0 outside
bw_quiet
bw_stop
tap_is "and counted to the byte" "$(bw_booked_vif 1 0)" "$(bed_ip_bytes vif1.0)"
bw_start || tap_bail "no xenbwd"
"$LIMIT" --limit web 5mbit >/dev/null
tap_like "again: another rate" "$(shape vif1.0)" "rate 5Mbit"
tap_is "for both directions" "$(tc qdisc show | grep -c 'rate 5Mbit')" 2
tap_is "and one filter" "$(tc -j filter show dev vif1.0 ingress | jq '[.[] | select(.options.match)] | length')" 1
"$LIMIT" --dry-run --undo web >/dev/null
tap_like "--dry-run undoes nothing" "$(shape vif1.0)" "rate 5Mbit"
"$LIMIT" --undo web >/dev/null
tap_is "--undo takes all of it back" "$(shape vif1.0)" "$before1"
tap_is "and leaves nothing behind" "$(ls "$QUOTA_STATE")$(ip -o link show type ifb)" ""

# By the period's end; an admin's own limit stays as it is.
XENBW_PERCENT=100 XENBW_BUCKET=web XENBW_OWNER=acme XENBW_TO=2099-01-01T00:00:00Z "$LIMIT" >/dev/null
XENBW_PERCENT=100 XENBW_BUCKET=db XENBW_OWNER='' XENBW_TO=2020-01-01T00:00:00Z "$LIMIT" >/dev/null
"$LIMIT" --expire >/dev/null
tap_is "--expire takes off what is over" "$(shape vif2.0)" "$before2"
tap_like "and nothing else" "$(shape vif1.0)" "rate 4Mbit"
"$LIMIT" --undo web >/dev/null
XENBW_PERCENT=100 XENBW_BUCKET='' XENBW_OWNER=acme XENBW_TO=2099-01-01T00:00:00Z "$LIMIT" >/dev/null
tap_like "an owner's domains are all slow" "$(shape vif1.0)" "rate 4Mbit"
tc qdisc add dev vif3.0 root tbf rate 60mbit burst 10k limit 20k && own=$(shape vif3.0)
tap_like "a limit of somebody else is told" "$("$LIMIT" --limit mail)" "vif3.0 has another queueing discipline"
tap_is "and stays" "$(shape vif3.0)" "$own"
tc qdisc add dev vif2.0 clsact && tc filter add dev vif2.0 ingress protocol ip pref 9 u32 match u32 0 0 && own=$(shape vif2.0)
"$LIMIT" --limit db >/dev/null && "$LIMIT" --undo db >/dev/null
tap_is "so do other filters" "$(shape vif2.0)" "$own"
"$LIMIT" --nonsense 2>/dev/null
tap_is "what it does not understand it does not do" $? 2

# Where the kernel tells the classes apart, what goes by the other device keeps its class.
bw_stop
mount -t bpf bpf /sys/fs/bpf || tap_bail "no bpffs"
bw_config "attribution kernel" "flush 1"
bw_start || tap_bail "no xenbwd"
bed_wait "the split" bash -c "[ \"\$('$XENBW' -c '$BW_CONF' list-domains --json 2>/dev/null | jq -r .split)\" = kernel ]"
external() { bw_sql "SELECT coalesce(sum(external_output), 0) || ' ' || coalesce(sum(external_input), 0) FROM usage JOIN vif ON vif.id = usage.vif WHERE domid = 1"; }
before=$(external)
bed_udp 1.0 outside 50 972 && bed_udp outside 1.0 30 972
after="$((${before% *} + 50000)) $((${before#* } + 30000))"
bed_wait "the bytes" bash -c "[ \"\$(sqlite3 -readonly $BW_LEDGER \"SELECT sum(external_output) || ' ' || sum(external_input) FROM usage JOIN vif ON vif.id = usage.vif WHERE domid = 1\")\" = '$after' ]"
tap_is "the kernel's classes hold behind it" "$(external)" "$after"

# The mail.
cat >"$BED/sendmail" <<END
#!/bin/sh
echo "args \$*" >$BED/mail && cat >>$BED/mail
END
chmod 755 "$BED/sendmail"
printf '# owners\nacme billing@acme.example\n* ops@host.example\n' >"$BED/table"
sed -i "s,^table=.*,table=$BED/table,; s,^sendmail=.*,sendmail=$BED/sendmail," "$MAIL"
bw_stop
bw_config "attribution off" "flush 1" "owner acme web" "quota web day all both 2000" "quota_hook $MAIL"
bw_start || tap_bail "no xenbwd"
bw_wait_sql "the mail" "SELECT outcome FROM crossing WHERE period = 'day'" "exit status 0"
tap_is "it goes to the owner" "$(sed -n 1,3p "$BED/mail")" $'args -t -i\nTo: billing@acme.example\nSubject: xenbw: web: 100 % of the quota'
tap_like "with what is used" "$(cat "$BED/mail")" "web has used [0-9.]* MB of 2.00 kB"
XENBW_PERCENT=80 XENBW_BUCKET=$'w\nBcc: x@y\xc3\xa9' XENBW_OWNER='' XENBW_USED=5 XENBW_LIMIT=10 XENBW_CROSSED_AT=- XENBW_PERIOD=day XENBW_CLASS=all \
	XENBW_DIRECTION=both XENBW_FROM=- XENBW_TO=- "$MAIL"
tap_is "an odd name gives no line of its own in the mail's head" "$(sed -n '2,/^$/p' "$BED/mail")" \
	"$(printf 'To: ops@host.example\nSubject: xenbw: wBcc: x@y??: 80 %% of the quota\nContent-Type: text/plain; charset=utf-8\nAuto-Submitted: auto-generated')"
bw_stop
tap_is "it ends well" $? 0
tap_done
