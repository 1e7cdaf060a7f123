"""Telemetry stores: one small port, one file an adapter."""
