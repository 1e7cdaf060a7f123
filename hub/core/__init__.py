"""The desk: pure folds from committed inputs to incidents and what must be done. No clock, no await, no I/O."""
