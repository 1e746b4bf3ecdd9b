/* Nothing of this header is used; libbcc includes it. */
