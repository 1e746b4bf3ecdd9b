/* The only configuration symbol that libbcc's helpers.h asks for. */
#define CONFIG_BPF_SYSCALL 1
