# For tests with badtcp, after helper.bash.

# A workload that has been let go, and all its packets have been looked at.
# Not to its end, at which there would be more.
ran() {
	grep -q '"end"' "$T/$1.truth" || ended "${LOAD_PID[$1]}"
}

let_go() {
	echo go >&"${LOAD_FD[$1]}"
	eventually ran "$1"
	grep -q '"end"' "$T/$1.truth"
}

over() {
	local fd=${LOAD_FD[$1]}
	echo end >&"$fd"
	exec {fd}>&-
	wait "${LOAD_PID[$1]}"
}
