# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# pairs.sh: the same command for each of many names, two at a time, and what came of each. To be sourced.

# pairs_run FOLDER CMD NAME…: runs `CMD NAME`; its output goes to FOLDER/NAME.log, its exit status to FOLDER/NAME.status;
# a `/` in a name is written as `-`.
pairs_run() {
	local folder=$1 cmd=$2 name file
	shift 2
	for name; do
		while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n; done
		file=$folder/${name//\//-}
		rm -f "$file.status"
		{
			"$cmd" "$name" >"$file.log" 2>&1
			echo $? >"$file.status"
		} &
	done
	wait
}

# pairs_well FOLDER NAME: it ended with status 0; prints what it printed.
pairs_well() {
	local file=$1/${2//\//-}
	cat "$file.log"
	[ "$(cat "$file.status")" = 0 ]
}
