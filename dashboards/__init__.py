"""Grafana as code: one dashboard a file, built to JSON in Chinese and English, and proven against a real InfluxDB."""
