# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# classes.sh: bytes of known class, sent and expected. To be sourced after daemon.sh.
#
#   class_outside                        addresses of `outside` for each class of CLASS_CONF's networks
#   class_udp 1.0 outside peer 100 500   100 datagrams that are peer output of 1.0
#   class_udp outside 1.0 peer 100 500   … peer input
#   class_udp 1.0 2.0 local 100 500      output of one, input of the other
#   class_guests                         the guests 1.0, 2.0 and 3.0, known to xenbwd, and the uplink
#   class_each_way                       each class to and from 1.0, and some of it for 2.0, 3.0 and dom0
#   class_check "text" 1.0 2.0           one point for each end: what was booked by class is what was sent

declare -A CLASS_IP=([external]=10.77.0.254 [ignored]=10.99.1.1 [peer]=10.99.2.1 [direct]=10.99.3.1 [local]=10.99.4.1 [rescued]=10.99.1.9)
# shellcheck disable=SC2034 # for the scripts
CLASS_CONF=("ignorenet 10.99.1.0/24" "dontignore 10.99.1.9" "peer 10.99.2.0/24" "direct_peer 10.99.3.0/24" "ournet 10.99.4.0/24")
CLASS_ALL=(external peer direct local ignored unattributed)
declare -A CLASS_SENT=() # by END,DIRECTION,CLASS

class_outside() {
	local class
	for class in "${!CLASS_IP[@]}"; do
		[ "${CLASS_IP[$class]}" = "${BED_IP[outside]}" ] || bed_also outside "${CLASS_IP[$class]}" || return 1
	done
}

# class_note END DIRECTION CLASS BYTES: it is expected to be booked so.
class_note() {
	local class=$3
	[ "$class" != rescued ] || class=external
	CLASS_SENT[$1,$2,$class]=$((${CLASS_SENT[$1,$2,$class]-0} + $4))
}

# class_udp FROM TO CLASS PACKETS PAYLOAD [SECONDS]
class_udp() {
	local bytes=$(($4 * ($5 + 28)))
	if [ "$1" = outside ]; then
		BED_FROM=${CLASS_IP[$3]} bed_udp "$1" "$2" "$4" "$5" "${6-}" || tap_bail "the bed lost packets: $*"
		class_note "$2" input "$3" "$bytes"
	elif [ "$2" = outside ]; then
		BED_TO=${CLASS_IP[$3]} bed_udp "$1" "$2" "$4" "$5" "${6-}" || tap_bail "the bed lost packets: $*"
		class_note "$1" output "$3" "$bytes"
	else
		bed_udp "$1" "$2" "$4" "$5" "${6-}" || tap_bail "the bed lost packets: $*"
		class_note "$1" output local "$bytes"
		class_note "$2" input local "$bytes"
	fi
}

class_guests() {
	bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 && bed_guest 3 0 mail 10.77.0.13 && class_outside ||
		tap_bail "no guests"
	bw_wait_sql "the guests" "SELECT count(*) FROM vif WHERE domid > 0" 3
	tap_ok "the uplink is found by itself" bed_wait "the uplink" grep -q 'uplink: peth0' "$BW_LOG"
}

# One class after the other, in sizes that no two share.
class_each_way() {
	local class i=0
	for class in external ignored peer direct local rescued; do
		class_udp 1.0 outside $class $((100 + i)) $((200 + 3 * i))
		class_udp outside 1.0 $class $((50 + i)) $((700 + 7 * i))
		class_udp outside dom0 $class $((20 + i)) $((300 + i))
		i=$((i + 1))
	done
	class_udp 2.0 outside peer 77 1472
	class_udp outside 3.0 direct 55 8
	class_udp 1.0 2.0 - 300 1000
	class_udp 3.0 dom0 - 44 500
	class_udp dom0 2.0 - 33 600
}

# class_where END: the vif of an end, in SQL.
class_where() {
	case $1 in
	dom0) echo "domid = 0" ;;
	*) echo "domid = ${1%.*} AND devid = ${1#*.}" ;;
	esac
}

# class_booked END: "external:INPUT/OUTPUT peer:… …" of what is booked.
class_booked() {
	local class query=
	for class in "${CLASS_ALL[@]}"; do
		query+="${query:+ || ' ' || }'$class:' || coalesce(sum(${class}_input), 0) || '/' || coalesce(sum(${class}_output), 0)"
	done
	bw_sql "SELECT $query FROM usage JOIN vif ON vif.id = usage.vif WHERE $(class_where "$1")"
}

# class_sent END: the same, of what was sent.
class_sent() {
	local class text=
	for class in "${CLASS_ALL[@]}"; do
		text+="${text:+ }$class:${CLASS_SENT[$1,input,$class]-0}/${CLASS_SENT[$1,output,$class]-0}"
	done
	echo "$text"
}

class_check() {
	local text=$1 end
	shift
	for end in "$@"; do
		tap_is "$text: $end" "$(class_booked "$end")" "$(class_sent "$end")"
	done
}

# class_start_over END…: what is booked until now is what is expected until now.
class_start_over() {
	local end word class pair
	for end in "$@"; do
		for word in $(class_booked "$end"); do
			class=${word%%:*} pair=${word#*:}
			CLASS_SENT[$end,input,$class]=${pair%/*} CLASS_SENT[$end,output,$class]=${pair#*/}
		done
	done
}

# class_identity: of each vif, the bytes that its counters grew by are the sum of its classes. Prints those that differ.
class_identity() {
	bw_sql "SELECT vif.id, domid, devid, t.input, t.output, u.input, u.output FROM vif
		JOIN (SELECT vif, sum(total_input) AS input, sum(total_output) AS output FROM epoch GROUP BY vif) t ON t.vif = vif.id
		JOIN (SELECT vif, sum($BW_INPUT) - sum(estimated_input) AS input, sum($BW_OUTPUT) - sum(estimated_output) AS output
			FROM usage GROUP BY vif) u ON u.vif = vif.id
		WHERE t.input <> u.input OR t.output <> u.output"
}

# class_committed SECONDS: until something was committed that many seconds after the last commit, or later.
class_committed() {
	local before
	before=$(bw_sql "SELECT max(seen) FROM run")
	# shellcheck disable=SC2016
	bed_wait "a commit" bash -c '[ "$(sqlite3 -readonly "$1" "SELECT max(seen) FROM run")" -gt "$2" ]' - "$BW_LEDGER" "$((before + ${1:-0}))"
}
