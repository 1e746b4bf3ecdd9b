/* The file TEXT_FILE as the NUL-terminated string TEXT_NAME. */
	.section .rodata
	.global TEXT_NAME
	.type TEXT_NAME, %object
TEXT_NAME:
	.incbin TEXT_FILE
	.byte 0
	.size TEXT_NAME, . - TEXT_NAME
	.section .note.GNU-stack, "", %progbits
