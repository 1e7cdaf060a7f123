"""Asks a real InfluxDB every question of every panel, variable and alert rule, and judges the answers."""
