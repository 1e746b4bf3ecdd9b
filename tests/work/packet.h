/* SPDX-License-Identifier: Apache-2.0 */
/* TCP packets made by hand, for badtcp. */
#ifndef PACKET_H
#define PACKET_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { F_FIN = 1, F_SYN = 2, F_RST = 4, F_PSH = 8, F_ACK = 16 };

#define NO_OPTION 0
#define MAX_DATA 1400

/* What a packet is to be, but for its addresses. */
struct packet {
	unsigned flags;
	uint32_t seq;
	uint32_t ack;
	unsigned data;	   /* bytes */
	unsigned doff;	   /* in words; 0: what is right */
	unsigned ttl;	   /* 0: 64 */
	unsigned truncate; /* the TCP part to so many bytes; 0: not */
	bool bad_csum;
	bool fragment; /* IPv6: in a fragment that is the whole */
	bool timestamp;
	uint32_t tsval;
	uint32_t tsecr;
	unsigned option;     /* its kind: 19 (MD5) or 29 (AO) */
	unsigned option_len; /* with kind and length */
};

/* Source and destination. */
struct ends {
	int ip; /* 4 or 6 */
	uint8_t saddr[16];
	uint8_t daddr[16];
	uint16_t sport; /* host order */
	uint16_t dport;
};

static inline void put16(uint8_t *p, unsigned n)
{
	p[0] = (uint8_t)(n >> 8);
	p[1] = (uint8_t)n;
}

static inline void put32(uint8_t *p, uint32_t n)
{
	put16(p, n >> 16);
	put16(p + 2, n & 0xffff);
}

static inline uint32_t sum_bytes(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	if (n & 1)
		sum += (uint32_t)p[n - 1] << 8;
	return sum;
}

static inline unsigned fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

/* Options, padded to words; their length. */
static inline unsigned put_options(uint8_t *p, const struct packet *k)
{
	unsigned n = 0;

	if (k->timestamp) {
		p[0] = p[1] = 1;
		p[2] = 8;
		p[3] = 10;
		put32(p + 4, k->tsval);
		put32(p + 8, k->tsecr);
		n = 12;
	}
	if (k->option) {
		p[n] = (uint8_t)k->option;
		p[n + 1] = (uint8_t)k->option_len;
		memset(p + n + 2, 0x5a, k->option_len - 2);
		n += k->option_len;
	}
	while (n % 4)
		p[n++] = 0;
	return n;
}

/* The packet with its IP header in @p; its length. */
static inline size_t make_packet(const struct ends *e, const struct packet *k,
				 uint8_t *p)
{
	size_t ip_len = e->ip == 4 ? 20 : k->fragment ? 48 : 40;
	size_t addr = e->ip == 4 ? 4 : 16, len;
	uint8_t *tcp = p + ip_len;
	unsigned options;
	uint32_t sum;

	memset(p, 0, ip_len + 60);
	options = put_options(tcp + 20, k);
	len = 20 + options + k->data;
	memset(tcp + 20 + options, 'x', k->data);
	put16(tcp, e->sport);
	put16(tcp + 2, e->dport);
	put32(tcp + 4, k->seq);
	put32(tcp + 8, k->ack);
	tcp[12] = (uint8_t)((k->doff ? k->doff : 5 + options / 4) << 4);
	tcp[13] = (uint8_t)k->flags;
	put16(tcp + 14, 1024);
	if (k->truncate)
		len = k->truncate;
	sum = sum_bytes(e->saddr, addr, sum_bytes(e->daddr, addr, 0));
	sum = sum_bytes(tcp, len, sum + 6 + (uint32_t)len);
	put16(tcp + 16, fold(sum) ^ (k->bad_csum ? 0x5555 : 0));
	if (e->ip == 4) {
		p[0] = 0x45;
		put16(p + 2, (unsigned)(ip_len + len));
		p[8] = (uint8_t)(k->ttl ? k->ttl : 64);
		p[9] = 6;
		memcpy(p + 12, e->saddr, 4);
		memcpy(p + 16, e->daddr, 4);
		put16(p + 10, fold(sum_bytes(p, 20, 0)));
	} else {
		p[0] = 0x60;
		put16(p + 4, (unsigned)(ip_len - 40 + len));
		p[6] = k->fragment ? 44 : 6;
		if (k->fragment)
			p[40] = 6;
		p[7] = (uint8_t)(k->ttl ? k->ttl : 64);
		memcpy(p + 8, e->saddr, 16);
		memcpy(p + 24, e->daddr, 16);
	}
	return ip_len + len;
}

#endif
