/* libbcc has included its own linux/bpf.h before anything else. */
