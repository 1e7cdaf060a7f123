"""The demonstration: a whole village on this machine, a scenario on its wires, and what the centre sees."""
