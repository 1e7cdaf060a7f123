"""`lianfang telemetry init` at InfluxDB 1.x: the database with its retention policies, as the configuration wants."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hub.store.levels import FIVE_MINUTE, HOURLY, Kept
from hub.store.server import InfluxServer, named

RAW = "raw"
_SPAN = re.compile(r"(\d+)([wdhms])")
_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}


def init(server: InfluxServer, name: str, kept: Kept) -> Iterator[str]:
    """Make and change what is not as it should be; says each step that was taken, and nothing the second time.
    Raises StoreError."""
    known = {row[0] for series in server.query("SHOW DATABASES") for row in series.get("values", ())}
    if name not in known:
        server.query(f"CREATE DATABASE {named(name)}")
        yield f"database {name}: made"
    shown = server.query(f"SHOW RETENTION POLICIES ON {named(name)}")
    rows = [dict(zip(series["columns"], row, strict=True)) for series in shown for row in series.get("values", ())]
    policies = {row["name"]: row for row in rows}
    for policy, days in wanted(kept).items():
        rest = f"RETENTION POLICY {named(policy)} ON {named(name)} DURATION {days}d REPLICATION 1"
        default = " DEFAULT" if policy == RAW else ""
        found = policies.get(policy)
        if found is None:
            server.query(f"CREATE {rest}{default}")
            yield f"retention policy {policy}: made, {days} days"
        elif seconds(found["duration"]) != days * 86_400 or (default and not found["default"]):
            server.query(f"ALTER {rest}{default}")
            yield f"retention policy {policy}: changed from {found['duration']} to {days} days"


def wanted(kept: Kept) -> dict[str, int]:
    """Retention policies and their days."""
    return {RAW: kept.raw_days, FIVE_MINUTE.name: kept.five_minute_days, HOURLY.name: kept.hourly_days}


def seconds(duration: str) -> int:
    """A duration as InfluxDB shows it ("720h0m0s"); 0 is for ever."""
    return sum(int(number) * _SECONDS[unit] for number, unit in _SPAN.findall(duration))
