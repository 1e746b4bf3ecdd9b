# For tests of trace_http, after helper.bash.

HTTP=$ROOT/tests/http

# Debian's, whose CPython tests know.
PY=(/usr/bin/python3 -IS)

# serve PROGRAM...: a server; its pid and its port are in $SERVER and $PORT.
serve() {
	in_background server nsenter --net="/run/netns/$NS" "$@"
	SERVER=$SPAWNED
	eventually grep -q '"ready"' "$T/server.out"
	PORT=$(head -n 1 "$T/server.out" | jq .port)
}

# client NAME PROGRAM...: one that is connected, unless it is --late, and waits
# for "go NAME".
client() {
	local name=$1 fd
	shift
	mkfifo "$T/$name.go"
	: >"$T/$name.truth"
	nsenter --net="/run/netns/$NS" "$@" <"$T/$name.go" \
		>"$T/$name.truth" 2>"$T/$name.err" 3>&- &
	LOAD_PID[$name]=$!
	PIDS+=($!)
	exec {fd}>"$T/$name.go"
	LOAD_FD[$name]=$fd
	eventually has_started "$name"
	[ -s "$T/$name.truth" ]
}

py_client() {
	client "$1" "${PY[@]}" "$HTTP/client.py" "${@:2}"
}

# The whole machine, but only that.
trace_http() {
	trace_as trace "$BIN" --json -o "$T" "$@"
}

# The server has told as much of the truth as the clients.
has_told() {
	[ "$(grep -c '"role": *"server"' "$T/server.out")" = \
		"$(grep -c '"role": *"client"' "$TRUTH")" ]
}

# The server, and the client "calls": others may have programs of their names.
trace_both() {
	trace_http --pid "$SERVER" --pid "${LOAD_PID[calls]}" "$@"
}

# Of the rows, those of the test's namespace: where names are what it traces.
only_ours() {
	local id
	id=$(stat -Lc %i "/run/netns/$NS")
	jq -c "select(.netns == $id)" "$T/trace.out" >"$T/ours"
	mv "$T/ours" "$T/trace.out"
}

# All that was to be traced has happened: end the command, and the server.
stop_all() {
	eventually has_told
	stop
	kill "$SERVER"
	cat "$T/server.out" >>"$TRUTH"
}

# untold REGEX: these the command need not see, and must not tell.
untold() {
	sed -i "/$1/s/}\$/, \"untold\": true}/" "$TRUTH"
}

calls_match() {
	python3 -IS "$ROOT/tests/httpcalls.py" "$TRUTH" "$T/trace.out" \
		--slack $((2000 * NB_SLOW)) "$@"
}

# run_calls ARG...: those calls of Python's client on a connection that is older
# than the command, of Python's server, and of both each is told once.
run_calls() {
	serve "${PY[@]}" "$HTTP/server.py" "${ADDRESS:-127.0.0.1}"
	py_client calls "${CLIENT[@]}" "$1" "$PORT" "${@:2}"
	trace_both "${TRACE[@]}"
	go calls
	stop_all
	calls_match
}

# nginx_calls SCHEME PORT [MORE]: calls of Python's client of nginx, which listens
# there, and has them answered by the server: two of them late, each seen from
# both of nginx' sides.
nginx_calls() {
	cat >"$T/nginx.conf" <<-END
		daemon off;
		master_process off;
		pid $T/nginx.pid;
		error_log stderr;
		events { worker_connections 100; }
		http {
			access_log off;
			server {
				listen 127.0.0.1:$2 ${3:-};
				location / { proxy_pass $1://127.0.0.1:$PORT; }
			}
		}
	END
	in_background nginx nsenter --net="/run/netns/$NS" nginx -c "$T/nginx.conf"
	NGINX=$SPAWNED
	is_listening() {
		[ -n "$(ss -N "$NS" -Hltn "sport = :$1")" ]
	}
	eventually is_listening "$2"
	py_client calls "${LATE[@]}" plain "$2" 150 0 250
	trace_http --pid "$NGINX"
	go calls
	stop
	kill "$NGINX"
	cat "$T/calls.truth" "$T/server.out" "$T/trace.out"
	jq -se --slurpfile client <(sed 1d "$T/calls.truth") \
		--slurpfile server <(sed 1d "$T/server.out") --argjson pid "$NGINX" '
		length == 4 and all(.pid == $pid and .comm == "nginx") and
		([$client[0, 2].latency_us] | add) as $most |
		([$server[0, 2].latency_us] | add) as $least |
		(map(select(.role == "server").latency_us) | add) as $served |
		(map(select(.role == "client").latency_us) | add) as $asked |
		$least - 400 < $asked and $asked < $served + 400 and
		$served < $most + 400' "$T/trace.out"
}
