/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loops of which the verifier need not look at each round. The text says
 *
 *	#pragma netbcc field bpf_verifier_state may_goto_depth
 *
 *	for (u32 i = nb_loop_zero(); nb_may_loop() && i < MANY; i++)
 *
 * With NB_MAY_LOOP the kernel (from Linux 6.9 on) counts rounds itself, up to
 * some millions, and ends a loop that has more: so it is enough that a round
 * ends in a state like those before it. Without, nb_may_loop() is true, and the
 * verifier goes through all rounds: the text has to make do with fewer of them.
 * bpf_loop() takes a function, which libbcc can't hand over.
 */
#ifndef NB_BPF_LOOP_H
#define NB_BPF_LOOP_H

#include "kernel.bpf.h"

#ifdef NB_OFFSET_bpf_verifier_state_may_goto_depth
#define NB_MAY_LOOP 1
/* Here any number to the verifier, so that to it all rounds are alike. */
#define nb_loop_zero() ((u32)nb_forget(0))
/* The instruction may_goto, which no older compiler knows. */
#define nb_may_loop()                                                   \
	({                                                              \
		__label__ nb_end_, nb_on_;                              \
		int nb_ret_ = 1;                                        \
                                                                        \
		asm goto("1: .byte 0xe5; .byte 0;"                      \
			 ".long ((%l[nb_end_] - 1b - 8) / 8) & 0xffff;" \
			 ".short 0" :: ::nb_end_);                      \
		goto nb_on_;                                            \
	nb_end_:                                                        \
		nb_ret_ = 0;                                            \
	nb_on_:;                                                        \
		nb_ret_;                                                \
	})
#else
#define nb_loop_zero() 0U
#define nb_may_loop() 1
#endif

#endif
