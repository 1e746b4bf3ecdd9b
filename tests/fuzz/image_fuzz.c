// SPDX-License-Identifier: Apache-2.0
/*
 * image_fuzz [COUNT [SEED]]: nb_image_parse() on damaged images. The module is
 * included for its checksum: most of the inputs get a valid one, so that the
 * checks behind it have something to do. What is accepted is walked as a
 * loader would, by code of the fuzzer's own.
 */
#include "../../lib/image.c"

#include "fuzz.h"

#define ROOM 4096 /* bytes; no input is longer */
#define SEEDS 5

static struct {
	char bytes[ROOM];
	size_t len;
} seeds[SEEDS], input;

/* Around every limit there is, and what overflows. */
static const uint32_t interesting[] = {
	0,	   1,	     2,		 3,	     7,		 8,
	31,	   32,	     55,	 56,	     63,	 64,
	65,	   255,	     256,	 1000000,    1000001,	 16 << 20,
	INT32_MAX, 1u << 31, UINT32_MAX, 0xfffffff8, 0x20000000, 0x10000000,
};

static uint32_t some_value(uint32_t old)
{
	switch (fuzz_below(4)) {
	case 0:
		return (uint32_t)fuzz_next();
	case 1:
		return old + (uint32_t)fuzz_below(9) - 4;
	default:
		return interesting[fuzz_below(sizeof(interesting) /
					      sizeof(interesting[0]))];
	}
}

static void make_seed(size_t i, uint32_t map_count, uint32_t prog_count)
{
	static struct nb_image_map maps[NB_IMAGE_MAX_MAPS];
	static struct nb_image_prog progs[NB_IMAGE_MAX_PROGS];
	static struct nb_image_func funcs[2];
	static struct bpf_insn insns[4 * NB_IMAGE_MAX_PROGS];
	struct nb_image img = {
		.key = "the text, its defines and the kernel",
		.key_len = (uint32_t)(5 + 6 * i),
		.map_count = map_count,
		.prog_count = prog_count,
		.func_count = (uint32_t)(i % 3),
		.insn_count = 4 * prog_count,
		.maps = maps,
		.progs = progs,
		.funcs = funcs,
		.insns = insns,
	};
	void *buf;

	memset(insns, 0, sizeof(insns));
	for (uint32_t f = 0; f < 2; f++) {
		snprintf(funcs[f].name, sizeof(funcs[f].name), "func_%u", f);
		funcs[f].btf_id = f + 1;
	}
	for (uint32_t m = 0; m < map_count; m++)
		snprintf(maps[m].name, sizeof(maps[m].name), "map_%u", m);
	for (uint32_t p = 0; p < prog_count; p++) {
		snprintf(progs[p].name, sizeof(progs[p].name), "on_%u", p);
		progs[p].insn_start = 4 * p;
		progs[p].insn_count = 4;
		insns[4 * p].code = BPF_LD | BPF_DW | BPF_IMM;
		insns[4 * p].src_reg = map_count ? BPF_PSEUDO_MAP_FD : 0;
		insns[4 * p].imm = map_count ? (int)(p % map_count) : 9;
		insns[4 * p + 2].code = BPF_ALU64 | BPF_MOV | BPF_K;
		insns[4 * p + 3].code = BPF_JMP | BPF_EXIT;
	}
	if (nb_image_write(&img, &buf, &seeds[i].len) || seeds[i].len > ROOM) {
		printf("Bail out! seed %zu\n", i);
		exit(1);
	}
	memcpy(seeds[i].bytes, buf, seeds[i].len);
	free(buf);
}

/* A field of 4 bytes, which all are aligned. */
static void change_word(size_t at)
{
	uint32_t word;

	if (at + sizeof(word) > input.len)
		return;
	memcpy(&word, input.bytes + at, sizeof(word));
	word = some_value(word);
	memcpy(input.bytes + at, &word, sizeof(word));
}

/* The last two words of a program, if the header still says where it is. */
static void change_prog(void)
{
	struct header h;
	size_t at;

	if (input.len < sizeof(h))
		return;
	memcpy(&h, input.bytes, sizeof(h));
	if (!h.prog_count || h.prog_count > NB_IMAGE_MAX_PROGS ||
	    h.map_count > NB_IMAGE_MAX_MAPS || h.key_len > ROOM)
		return;
	at = sizeof(h) + align8(h.key_len) +
	     h.map_count * sizeof(struct nb_image_map) +
	     (fuzz_below(h.prog_count) + 1) * sizeof(struct nb_image_prog);
	change_word(at - 4 - 4 * fuzz_below(2));
}

/* An instruction near the end, where they stand. */
static void change_insn(void)
{
	static const uint8_t codes[] = {
		BPF_LD | BPF_DW | BPF_IMM,
		0,
		BPF_JMP | BPF_EXIT,
	};
	struct bpf_insn insn;
	size_t at;

	if (input.len < sizeof(struct header) + sizeof(insn))
		return;
	at = input.len - sizeof(insn) * (1 + fuzz_below(12));
	if (at > input.len - sizeof(insn))
		return;
	memcpy(&insn, input.bytes + at, sizeof(insn));
	switch (fuzz_below(3)) {
	case 0:
		insn.code = codes[fuzz_below(sizeof(codes))];
		break;
	case 1:
		insn.src_reg = fuzz_below(4) & 0xf;
		break;
	case 2:
		insn.imm = (int)some_value((uint32_t)insn.imm);
		break;
	}
	memcpy(input.bytes + at, &insn, sizeof(insn));
}

static void resize(size_t len)
{
	for (size_t i = input.len; i < len; i++)
		input.bytes[i] = (char)(fuzz_below(2) ? fuzz_next() : 0);
	input.len = len;
}

static void splice_seed(void)
{
	size_t from = fuzz_below(SEEDS), at = fuzz_below(input.len + 1);
	size_t src = fuzz_below(seeds[from].len);
	size_t len = fuzz_below(seeds[from].len - src + 1);

	if (at + len > ROOM)
		len = ROOM - at;
	memcpy(input.bytes + at, seeds[from].bytes + src, len);
	if (at + len > input.len)
		input.len = at + len;
}

static void mutate(void)
{
	switch (fuzz_below(10)) {
	case 0:
		for (uint64_t n = fuzz_below(8) + 1; n && input.len; n--)
			input.bytes[fuzz_below(input.len)] ^=
				(char)(1 << fuzz_below(8));
		break;
	case 1:
	case 2:
		change_word(offsetof(struct header, key_len) +
			    4 * fuzz_below(6));
		break;
	case 3:
		change_word(4 * fuzz_below(ROOM / 4) % (input.len + 1));
		break;
	case 4:
		resize(fuzz_below(input.len + 1));
		break;
	case 5:
		resize(input.len + fuzz_below(ROOM - input.len + 1));
		break;
	case 6:
		splice_seed();
		break;
	case 7:
		change_prog();
		break;
	default:
		change_insn();
	}
}

/* Make the outside right, so that the inside is looked at. */
static void repair(void)
{
	struct header h;

	if (input.len < sizeof(h))
		resize(sizeof(h));
	memcpy(&h, input.bytes, sizeof(h));
	h.magic = NB_IMAGE_MAGIC;
	h.version = NB_IMAGE_VERSION;
	if (fuzz_below(4) && total_size(&h) <= ROOM)
		resize(total_size(&h));
	h.length = input.len;
	memcpy(input.bytes, &h, sizeof(h));
	h.checksum = checksum(input.bytes, input.len);
	memcpy(input.bytes, &h, sizeof(h));
}

static bool inside(const void *p, size_t size, size_t n, const char *buf,
		   size_t len)
{
	const char *start = p;

	return start >= buf && start <= buf + len &&
	       n <= (size_t)(buf + len - start) / size;
}

static bool good_name(const char *name, size_t size)
{
	return *name && memchr(name, '\0', size) && !strpbrk(name, " /.\n%");
}

static const char *walk_prog(const struct nb_image *img,
			     const struct nb_image_prog *prog)
{
	uint64_t end = (uint64_t)prog->insn_start + prog->insn_count;

	if (!good_name(prog->name, sizeof(prog->name)))
		return "a program's name";
	if (prog->insn_start >= end || end > img->insn_count)
		return "a program's bounds";
	for (uint64_t i = prog->insn_start; i < end; i++) {
		const struct bpf_insn *insn = &img->insns[i];

		if (insn->code != 0x18)
			continue;
		if (++i == end)
			return "half an instruction";
		if (insn->src_reg != 0 && insn->src_reg != 1)
			return "an unknown reference";
		if (insn->src_reg == 1 &&
		    (insn->imm < 0 || (uint32_t)insn->imm >= img->map_count))
			return "a map out of range";
	}
	return NULL;
}

/* What is wrong with an image that was accepted; NULL: nothing. */
static const char *walk(const struct nb_image *img, const char *buf, size_t len)
{
	static volatile unsigned char sink;
	const char *wrong;

	if (!inside(img->key, 1, img->key_len, buf, len) ||
	    !inside(img->maps, sizeof(*img->maps), img->map_count, buf, len) ||
	    !inside(img->progs, sizeof(*img->progs), img->prog_count, buf,
		    len) ||
	    !inside(img->funcs, sizeof(*img->funcs), img->func_count, buf,
		    len) ||
	    !inside(img->insns, sizeof(*img->insns), img->insn_count, buf, len))
		return "a part outside the buffer";
	for (uint32_t i = 0; i < img->key_len; i++)
		sink = (unsigned char)img->key[i];
	for (uint32_t i = 0; i < img->insn_count; i++)
		sink = img->insns[i].code;
	(void)sink;
	for (uint32_t i = 0; i < img->map_count; i++)
		if (!good_name(img->maps[i].name, sizeof(img->maps[i].name)))
			return "a map's name";
	for (uint32_t i = 0; i < img->prog_count; i++) {
		wrong = walk_prog(img, &img->progs[i]);
		if (wrong)
			return wrong;
	}
	for (uint32_t i = 0; i < img->func_count; i++)
		if (!good_name(img->funcs[i].name,
			       sizeof(img->funcs[i].name)) ||
		    !img->funcs[i].btf_id)
			return "a function";
	return NULL;
}

/* What was accepted can be written, and is as long as before. */
static const char *rewrite(const struct nb_image *img, size_t len)
{
	size_t again = 0;
	void *buf;

	if (nb_image_write(img, &buf, &again))
		return "can't be written again";
	free(buf);
	return again == len ? NULL : "has another length when written again";
}

/* 1: accepted, 0: refused, -1: wrong. */
static int run_one(uint64_t number)
{
	const char *wrong = NULL;
	struct nb_image img;
	char *buf;
	int err;

	input = seeds[fuzz_below(SEEDS)];
	for (uint64_t n = fuzz_below(4) + 1; n; n--)
		mutate();
	if (fuzz_below(8))
		repair();
	/* Of its exact size, so that ASan sees a byte too many. */
	buf = malloc(input.len);
	memcpy(buf, input.bytes, input.len);
	err = nb_image_parse(buf, input.len, &img);
	if (!err)
		wrong = walk(&img, buf, input.len);
	if (!err && !wrong)
		wrong = rewrite(&img, input.len);
	if (err && err != -EBADMSG)
		wrong = "another error than EBADMSG";
	free(buf);
	if (!wrong)
		return !err;
	printf("# input %llu: %s\n", (unsigned long long)number, wrong);
	return -1;
}

int main(int argc, char **argv)
{
	uint64_t count = fuzz_args(argc, argv), accepted = 0, wrong = 0;

	make_seed(0, 0, 0);
	make_seed(1, 0, 1);
	make_seed(2, 1, 1);
	make_seed(3, 3, 2);
	make_seed(4, 12, 5);
	for (uint64_t i = 0; i < count && wrong < 10; i++) {
		int result = run_one(i);

		accepted += result > 0;
		wrong += result < 0;
	}
	/* Had none been accepted, nothing behind the checksum was tested. */
	printf("%sok 1 - %llu inputs, %llu accepted\n1..1\n",
	       wrong || (!accepted && count >= 1000) ? "not " : "",
	       (unsigned long long)count, (unsigned long long)accepted);
	return wrong || (!accepted && count >= 1000);
}
