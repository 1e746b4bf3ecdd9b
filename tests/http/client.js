#!/usr/bin/env node
/*
 * client.js PORT MS...: calls one after the other on one connection, and the
 * truth about them on standard output, as node sees it; with $TLS, of HTTPS.
 * Before it is ready it makes one of /first, on a connection of its own, as what
 * comes first takes node long, here and there.
 */
"use strict";

const tls = process.env.TLS;
const http = require(tls ? "https" : "http");
const [port, ...delays] = process.argv.slice(2).map(Number);
const options = { keepAlive: true, maxSockets: 1, rejectUnauthorized: false };

function tell(res, path, start, first) {
	const s = res.socket;
	console.log(JSON.stringify({
		role: "client", pid: process.pid, tid: process.pid, ip: 4,
		saddr: s.localAddress, sport: s.localPort,
		daddr: s.remoteAddress, dport: s.remotePort,
		method: "GET", path, status: res.statusCode,
		latency_us: Number(first - start) / 1000,
		latency_least_us: Number(path.split("=")[1]) * 1000,
	}));
}

function makeCall(path, agent, told) {
	return new Promise((resolve, reject) => {
		let start;
		const req = http.get({ host: "127.0.0.1", port, path, agent });
		req.on("error", reject);
		/* It is written when it has a socket that is connected. */
		req.on("socket", (s) => {
			if (s.connecting)
				s.once(tls ? "secureConnect" : "connect", () => {
					start = process.hrtime.bigint();
				});
			else
				start = process.hrtime.bigint();
		});
		req.on("response", (res) => {
			const first = process.hrtime.bigint();
			const at = { ...res.socket.address() };
			const s = { socket: {
				localAddress: at.address, localPort: at.port,
				remoteAddress: res.socket.remoteAddress,
				remotePort: res.socket.remotePort,
			}, statusCode: res.statusCode };
			res.resume();
			res.on("end", () => {
				told(s, path, start, first);
				resolve();
			});
		});
	});
}

async function makeCalls(paths, told) {
	const agent = new http.Agent(options);

	for (const path of paths)
		await makeCall(path, agent, told);
	agent.destroy();
}

async function main() {
	await makeCalls(["/first?ms=0"], () => {});
	process.stdin.once("data", async () => {
		await makeCalls(delays.map((ms) => `/slow?ms=${ms}`), tell);
		process.exit(0);
	});
	console.log(JSON.stringify({ ready: process.pid, port: 0 }));
}

main();
