"""What the hub measures: the schema of its time series, and the pure functions that make points of what it knows."""
