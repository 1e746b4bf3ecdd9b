#!/usr/bin/env node
/*
 * server.js: an HTTP server that is as slow as it is asked to be, and the truth
 * about it on standard output, as node sees it; but of calls of /first, as what
 * comes first takes node long. With $TLS, a file with a key and a certificate,
 * it is one of HTTPS.
 */
"use strict";

function slowDatabaseQuery(ms) {
	const end = process.hrtime.bigint() + BigInt(ms) * 1000000n;
	while (process.hrtime.bigint() < end)
		;
}

const tls = process.env.TLS;
const http = require(tls ? "https" : "http");
const pem = tls ? require("fs").readFileSync(tls) : "";
const BODY = "slow\n".repeat(100);

function tell(req, ms, start, first) {
	const s = req.socket;
	console.log(JSON.stringify({
		role: "server", pid: process.pid, tid: process.pid, ip: 4,
		saddr: s.remoteAddress, sport: s.remotePort,
		daddr: s.localAddress, dport: s.localPort,
		method: req.method, path: req.url, status: 200,
		latency_us: Number(first - start) / 1000, latency_least_us: ms * 1000,
	}));
}

function answer(req, res, ms, start) {
	const first = process.hrtime.bigint();

	res.end(BODY);
	if (!req.url.startsWith("/first"))
		tell(req, ms, start, first);
}

const server = http.createServer({ key: pem, cert: pem }, (req, res) => {
	const start = process.hrtime.bigint();
	const ms = Number(new URL(req.url, "http://x").searchParams.get("ms"));

	if (req.url.startsWith("/work")) {
		slowDatabaseQuery(ms);
		answer(req, res, ms, start);
	} else {
		setTimeout(() => answer(req, res, ms, start), ms);
	}
});

server.keepAliveTimeout = 0;
server.listen(0, "127.0.0.1", () => {
	console.log(JSON.stringify({ ready: process.pid,
				     port: server.address().port }));
});
