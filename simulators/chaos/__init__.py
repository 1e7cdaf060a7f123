"""Chaos: a village of real processes whose parts are killed and whose links break, and an account of every press."""
