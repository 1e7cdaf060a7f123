"""The centre: commits what gateways report, raises incidents, calls the neighbours, and follows each to the archive."""
