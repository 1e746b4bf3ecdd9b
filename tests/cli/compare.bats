#!/usr/bin/env bats
# The comparison that the live tests rely on notices what is wrong.

load ../helper

setup() {
	T=$BATS_TEST_TMPDIR
	TRUTH=$T/truth
	cat >"$TRUTH" <<-'EOF'
		{"ready":true,"client":1,"server":2,"port":80}
		{"pid":1,"tid":3,"comm":"a","uid":0,"netns":9,"ip":4,"daddr":"127.0.0.1","dport":80,"saddr":"127.0.0.1","sport":4000,"direction":"connect","state":"ESTABLISHED","error":null,"time":[1000000,2000000],"latency_us":[10,20]}
		{"pid":1,"tid":3,"comm":"a","uid":0,"netns":9,"ip":4,"daddr":"127.0.0.1","dport":80,"saddr":"127.0.0.1","sport":4000,"direction":"connect","state":"CLOSE","error":null,"time":[1000000,2000000],"duration_us":[10,20],"rx_bytes":1,"tx_bytes":2}
	EOF
	cat >"$T/good" <<-'EOF'
		{"time":"1970-01-01T00:00:01.500000Z","pid":1,"tid":3,"comm":"a","uid":0,"netns":9,"ip":4,"daddr":"127.0.0.1","dport":80,"saddr":"127.0.0.1","sport":4000,"direction":"connect","state":"ESTABLISHED","latency_us":15,"error":null,"duration_us":null,"rx_bytes":null,"tx_bytes":null}
		{"time":"1970-01-01T00:00:01.600000Z","pid":1,"tid":3,"comm":"a","uid":0,"netns":9,"ip":4,"daddr":"127.0.0.1","dport":80,"saddr":"127.0.0.1","sport":4000,"direction":"connect","state":"CLOSE","latency_us":null,"error":null,"duration_us":12,"rx_bytes":1,"tx_bytes":2}
	EOF
	cp "$T/good" "$T/trace.out"
	export TZ=UTC
	cat >"$T/table" <<-'EOF'
		TIME      PID     COMM         IP DADDR            DPORT SADDR            SPORT  DIRECTION
		00:00:01  1       a            4  127.0.0.1        80    127.0.0.1        4000     connect
	EOF
}

right() {
	compare json --latency --life --missed 0 "$@"
}

# wrong SED: what "sed" makes of the good rows is noticed.
wrong() {
	sed "$1" "$T/good" >"$T/trace.out"
	refute cmp -s "$T/good" "$T/trace.out"
	refute right
}

@test "right rows agree" {
	right --rows 2
}

@test "a row too few, a row too many, the same row twice" {
	wrong 1d
	wrong 2d
	wrong '1,2d'
	wrong 1p
	wrong '1{p;s/4000/4001/}'
}

@test "every field counts" {
	for field in pid tid uid netns ip dport sport; do
		wrong "1s/\"$field\":[0-9]*/\"$field\":7777/"
	done
	for field in comm daddr saddr direction state; do
		wrong "1s/\"$field\":\"[^\"]*\"/\"$field\":\"x\"/"
	done
	wrong '1s/connect/accept/'
	wrong '2s/rx_bytes":1/rx_bytes":2/'
	wrong '2s/tx_bytes":2/tx_bytes":null/'
	wrong '1s/rx_bytes":null/rx_bytes":0/'
	wrong '1s/error":null/error":"EIO"/'
}

@test "ranges count" {
	wrong '1s/us":15/us":9/'
	wrong '1s/us":15/us":21/'
	wrong '1s/us":15/us":null/'
	wrong '2s/us":12/us":21/'
	wrong 's/01.500000/02.500000/'
	wrong 's/01.500000/00.900000/'
}

@test "the form counts" {
	wrong 's/"pid":1/"pid":"1"/'
	wrong 's/"pid":1/"pid":1.0/'
	wrong 's/"tid":3,//'
	wrong 's/"tid":3,/"tid":3,"tid":3,/'
	wrong 's/"pid":1,"tid":3/"tid":3,"pid":1/'
	wrong 's/"comm":"a"/"comm":"a","more":1/'
	wrong 's/01.500000Z/01.500Z/'
	wrong 's/500000Z/500000+00:00/'
	wrong 's/}$//'
	wrong '1s/$/,/'
	printf x >>"$T/trace.out"
	refute right
}

@test "without -t and -l nothing may be measured" {
	sed -i 2d "$T/trace.out"
	refute compare json
	sed -i s/15/null/ "$T/trace.out"
	compare json
	refute compare json --latency
}

@test "--where has to pick some, and not all" {
	refute right --where 'pid == 1'
	refute right --where 'pid == 2'
	sed -i 2d "$T/trace.out"
	right --where 'state == "ESTABLISHED"'
}

@test "missed events explain as many rows, and no more" {
	sed -i 1d "$T/trace.out"
	refute right
	right --missed 1
	sed 's/sport":4000/sport":4001/;p;p;p' "$T/good" >"$T/trace.out"
	refute right --missed 1
}

@test "no rows agree with no truth only where that is meant" {
	: >"$TRUTH"
	: >"$T/trace.out"
	refute compare json
	compare json --rows 0
}

@test "tables: cells, columns, times" {
	cp "$T/table" "$T/trace.out"
	compare table --seed --rows 1
	for edit in 2d '2s/4000 /4001 /' '2s/  connect/connect  /' \
		'2s/127/ 127/' '2s/00:00:01/00:00:09/' '1d' '1p' \
		'2s/connect/accept /' '1s/PID/ID /' '2s/ a / b /'; do
		sed "$edit" "$T/table" >"$T/trace.out"
		refute cmp -s "$T/table" "$T/trace.out"
		refute compare table
	done
	# Flush, but not where the seed has it.
	sed 's/$/ /' "$T/table" >"$T/trace.out"
	compare table
	refute compare table --seed
}
