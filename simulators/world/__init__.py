"""A deterministic village: one seed, one clock, real cores, and everything around them ready to fail."""
