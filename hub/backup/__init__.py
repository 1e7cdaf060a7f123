"""Backups of a hub: one file with everything it needs to come back, taken while it runs, checked before it is used."""
