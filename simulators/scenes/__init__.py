"""Scenarios judged: what each expects, what came of it, and where the two differ."""
