"""Speed, printed and never asserted: a suite, not a test. `make bench` runs every file of this folder."""
