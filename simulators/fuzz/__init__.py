"""Bad input by the million at the hub's real ingest, and a naive reader that says what may come of it."""
