"""The hub's API: `/api/v1`, `/healthz` and `/metrics`."""
