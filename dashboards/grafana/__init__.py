"""A Grafana as it is: pushed to, pulled from, and compared with what is committed."""
