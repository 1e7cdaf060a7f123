"""A week of two townships in minutes: simulated gateways on the wire, and the hub's real workings in virtual time."""
