# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# hostile: a guest writes into every xenstore node that lets it, and sends with its neighbour's MAC and address. Not one
# byte of it becomes its neighbour's.

bw_start || tap_bail "no xenbwd"
lab_guest evil pv 10.77.0.66 && lab_guest db pvh 10.77.0.12 || tap_bail "no guests"
lab_frames evil outside external 20 300 && lab_frames db outside external 30 400 && lab_settled evil db || tap_bail "nothing is booked"
victim=$(bw_booked_bucket db)

# What is lies is told by what the guest can: nodes of its own, of its neighbour, of dom0.
lab_do evil "for node in /local/domain/${LAB_DOMID[db]}/name /local/domain/0/backend/vif/${LAB_DOMID[db]}/0/mac \
	/local/domain/0/backend/vif/${LAB_DOMID[evil]}/0/vifname /local/domain/0/backend/vif/${LAB_DOMID[evil]}/0/ip name vm domid; do
		xenstore-write \$node db 2>/dev/null && echo wrote \$node; done; true" >/tmp/wrote
tap_is "xenstored lets it write no name, no address and no node of others" "$(cat /tmp/wrote)" ""
lab_do evil "for node in data/name data/vif attr/name attr/vif/0/ip device/vif/0/mac device/vif/0/vifname device/vif/0/name \
	device/vif/0/handle device/vif/0/bridge device/vif/0/ip drivers/x feature/x error/x; do
		xenstore-write \$node ${LAB_MAC[db]}; done; xenstore-write device/vif/0/backend /local/domain/0/backend/vif/${LAB_DOMID[db]}/0; true" >/dev/null
evil=$(lab_end evil)
for from in "${LAB_MAC[db]} 10.77.0.12" "${LAB_MAC[evil]} 10.77.0.12" "${LAB_MAC[db]} 10.77.0.66" "00:16:3e:00:00:fe 10.77.0.254"; do
	bytes=$(lab_send evil "eth ${from% *} ${LAB_MAC[outside]} ip4 ${from#* } 10.77.0.254 payload 500 count 40 gap 500") || tap_bail "nothing was sent"
	class_note "$evil" output external "$bytes"
done
lab_settled evil
tap_is "all that it sent is its own" "$(bw_booked_bucket evil)" "$(lab_sum evil)"
bw_quiet
bw_stop
tap_is "not one byte of it is its neighbour's" "$(bw_booked_bucket db)" "$victim"
tap_is "there is no bucket of anybody else" "$(bw_sql "SELECT group_concat(label, ' ') FROM (SELECT DISTINCT label FROM bucket_label ORDER BY label)")" "Domain-0 db evil"
