"""Telling people outside: who is told what, over which channel, and what came of it."""
