# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# two-vifs: a guest with two vifs, the first with two addresses of which one is IPv6; bytes are booked by vif and, with
# `bucket ip`, by address.

bw_config "${LAB_CONF[@]}" "bucket ip"
bw_start || tap_bail "no xenbwd"
# shellcheck disable=SC2034 # for lab_config
LAB_VIFS=',"mac=00:16:3e:4d:01:0b,ip=10.77.0.21,bridge=xenbr0"'
lab_config web pv 10.77.0.11
sed -i 's/"ip=10.77.0.11,/"ip=10.77.0.11 fd00:77::11,/' /run/web.cfg
# shellcheck disable=SC2034
LAB_VIFS=
xl create -q /run/web.cfg && lab_known web && lab_do web "ip link set dev eth1 arp off; ip link set dev eth1 up" ||
	tap_bail "no guest"
bed_wait "its second card" grep -qx 1 "/sys/class/net/vif${LAB_DOMID[web]}.1/carrier" || tap_bail "no second vif"
bridge fdb replace 00:16:3e:4d:01:0b dev "vif${LAB_DOMID[web]}.1" master static
first=${LAB_DOMID[web]}.0 second=${LAB_DOMID[web]}.1
lab_frames web outside external 40 300 && lab_frames outside web external 41 301 || tap_bail "nothing was sent"
six=$(lab_send web "eth ${LAB_MAC[web]} ${LAB_MAC[outside]} ip6 fd00:77::11 fd00:77::254 payload 408 count 50 gap 500") &&
	class_note "$(lab_end web)" output external "$six" &&
	six_in=$(lab_send outside "eth ${LAB_MAC[outside]} ${LAB_MAC[web]} ip6 fd00:77::254 fd00:77::11 payload 409 count 51 gap 500") &&
	class_note "$(lab_end web)" input external "$six_in" || tap_bail "no IPv6 was sent"
read -r frames bytes < <(lab_do web "bwframe send eth1 eth 00:16:3e:4d:01:0b ${LAB_MAC[outside]} ip4 10.77.0.21 10.77.0.254 payload 208 count 60 gap 500")
class_note "$second" output external $((bytes - 14 * frames))
bytes=$(lab_send outside "eth ${LAB_MAC[outside]} 00:16:3e:4d:01:0b ip4 10.77.0.254 10.77.0.21 payload 209 count 61 gap 500")
class_note "$second" input external "$bytes"
lab_settled web
second_is() { [ "$(class_booked "$second")" = "$(class_sent "$second")" ]; }
bed_wait "the bytes of the second vif" second_is
class_check "by vif and class" "$(lab_end web)" "$second"
tap_is "by address" "$(bw_sql "SELECT group_concat(line, char(10)) FROM (SELECT address || ' ' || sum(external_input) || ' ' || sum(external_output) AS line
	FROM usage JOIN vif ON vif.id = usage.vif WHERE domid > 0 AND address IN ('10.77.0.11', '10.77.0.21', 'fd00:77::11') GROUP BY address ORDER BY address)")" \
	"10.77.0.11 $((${CLASS_SENT[$first,input,external]} - six_in)) $((${CLASS_SENT[$first,output,external]} - six))
10.77.0.21 ${CLASS_SENT[$second,input,external]} ${CLASS_SENT[$second,output,external]}
fd00:77::11 $six_in $six"
bw_stop
tap_is "the classes add up to the counters" "$(class_identity)" ""
