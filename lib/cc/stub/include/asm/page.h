/* The page size libbcc multiplies ring buffer sizes with. */
#ifndef PAGE_SIZE
#define PAGE_SIZE 4096
#endif
