"""GPIO: one engine over two kinds of lines, the kernel's (libgpiod) and the simulator's line server."""
