"""`lianfang telemetry init`: the database with its retention policies, as the configuration wants them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hub.store.server import InfluxServer, named
from hub.store.table import Telemetry
from hub.store.windows import FIVE_MINUTE, HOURLY

RAW = "raw"
_SPAN = re.compile(r"(\d+)([wdhms])")
_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}


def init(server: InfluxServer, table: Telemetry) -> Iterator[str]:
    """Make and change what is not as it should be; says each step that was taken, and nothing the second time.
    Raises StoreError."""
    name = table.database
    known = {row[0] for series in server.query("SHOW DATABASES") for row in series.get("values", ())}
    if name not in known:
        server.query(f"CREATE DATABASE {named(name)}")
        yield f"database {name}: made"
    shown = server.query(f"SHOW RETENTION POLICIES ON {named(name)}")
    rows = [dict(zip(series["columns"], row, strict=True)) for series in shown for row in series.get("values", ())]
    policies = {row["name"]: row for row in rows}
    wanted = {RAW: table.raw_days, FIVE_MINUTE.name: table.five_minute_days, HOURLY.name: table.hourly_days}
    for policy, days in wanted.items():
        rest = f"RETENTION POLICY {named(policy)} ON {named(name)} DURATION {days}d REPLICATION 1"
        default = " DEFAULT" if policy == RAW else ""
        found = policies.get(policy)
        if found is None:
            server.query(f"CREATE {rest}{default}")
            yield f"retention policy {policy}: made, {days} days"
        elif seconds(found["duration"]) != days * 86_400 or (default and not found["default"]):
            server.query(f"ALTER {rest}{default}")
            yield f"retention policy {policy}: changed from {found['duration']} to {days} days"


def seconds(duration: str) -> int:
    """A duration as InfluxDB shows it ("720h0m0s"); 0 is for ever."""
    return sum(int(number) * _SECONDS[unit] for number, unit in _SPAN.findall(duration))
