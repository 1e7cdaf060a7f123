"""`[telemetry]`: which store, how it is reached, and how much is kept."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from hub.store.levels import Kept
from hub.store.server import Access
from hub.table import Table
from protocol.faults import Fault, Refused

EMBEDDED = {"store", "keep_days", "keep_mb", "reserve_mb", "raw_days", "five_minute_days", "hourly_days"}
"""Keys that go with the file, too."""
FILES = ("password_file", "token_file", "ca_file")
SECRET_BYTES_MAX = 4_096
HIDDEN = "(not shown)"
ENVIRONMENT = "LIANFANG_TELEMETRY_"
"""Before PASSWORD or TOKEN: where they are looked for when no file has them."""

Url = Annotated[str, StringConstraints(pattern=r"^https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?$", max_length=256)]
Database = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]
Word = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class StoreKind(StrEnum):
    """`sqlite`: a file of the hub's own · `influxdb`: the 1.x API · `influxdb2`: the v2 write API (2.x, 3, 1.8)."""

    SQLITE = "sqlite"
    INFLUXDB = "influxdb"
    INFLUXDB2 = "influxdb2"


class Telemetry(Table):
    """Where telemetry is kept. Readings for `raw_days`, and coarser copies of them for `five_minute_days` and
    `hourly_days`: a server is told so by `lianfang telemetry init`. The file has no more than `keep_mb` of all of it;
    `keep_days` is the older name of its `raw_days`.

    With less than `reserve_mb` free on the disk none is taken: that is left to the journal. Readings wait up to
    `batch_ms` for more of them before a server is asked.
    """

    keep_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    keep_mb: Annotated[int, Field(ge=8, le=1_000_000)] = 2_048
    reserve_mb: Annotated[int, Field(ge=0, le=1_000_000_000)] = 256
    store: StoreKind = StoreKind.SQLITE
    url: Url | None = None
    database: Database = "lianfang"
    org: Word | None = None
    username: Word | None = None
    password_file: Path | None = None
    token_file: Path | None = None
    ca_file: Path | None = None
    verify: bool = True
    timeout_ms: Annotated[int, Field(ge=100, le=120_000)] = 10_000
    batch_ms: Annotated[int, Field(ge=0, le=10_000)] = 200
    write_only: bool = False
    raw_days: Annotated[int, Field(ge=1, le=36_500)] = 30
    five_minute_days: Annotated[int, Field(ge=1, le=36_500)] = 365
    hourly_days: Annotated[int, Field(ge=1, le=36_500)] = 3_650

    @property
    def linger_ms(self) -> int:
        """How long readings wait for more of them; a file is asked at once."""
        return 0 if self.store is StoreKind.SQLITE else self.batch_ms

    @property
    def kept(self) -> Kept:
        """How long what is kept."""
        raw_days = self.keep_days if self.store is StoreKind.SQLITE else None
        return Kept(raw_days or self.raw_days, self.five_minute_days, self.hourly_days)

    def based(self, base: Path) -> Telemetry:
        """With its paths relative to `base`."""
        paths: dict[str, Path | None] = {name: getattr(self, name) for name in FILES}
        return self.model_copy(update={name: base / path for name, path in paths.items() if path is not None})


def together(raw: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Keys that do not go together: (key, found, allowed)."""
    kind = raw.get("store", StoreKind.SQLITE)
    server = sorted(raw.keys() - EMBEDDED)
    if kind == StoreKind.SQLITE and server:
        yield f"telemetry.{server[0]}", "of a server", 'store = "influxdb" or "influxdb2", or no such key'
        return
    if "keep_days" in raw and "raw_days" in raw:
        yield "telemetry.keep_days", "with raw_days", "raw_days alone, of which it is the older name"
    if kind not in set(StoreKind) - {StoreKind.SQLITE}:
        return  # the embedded one, or a kind that is named as a fault already
    if "url" not in raw:
        yield "telemetry.url", "nothing", "the server's URL, for instance https://127.0.0.1:8086"
    if "password_file" in raw and "username" not in raw:
        yield "telemetry.username", "nothing", "the user whose password it is"
    if kind == StoreKind.INFLUXDB2:
        if "org" not in raw and not raw.get("write_only"):
            yield "telemetry.org", "nothing", "the organization the bucket is of"
    elif "token_file" in raw:
        yield "telemetry.token_file", "with the 1.x API", "username and password_file"
    elif raw.get("write_only"):
        yield "telemetry.write_only", "with the 1.x API", 'store = "influxdb2"'
    if raw.get("verify") is False and "ca_file" in raw:
        yield "telemetry.ca_file", "with verify = false", "one of the two"


def access(table: Telemetry) -> Access:
    """How the server is reached, with its secrets read. Raises Refused, which shows none of them."""
    faults: list[Fault] = []
    by_token = table.store is StoreKind.INFLUXDB2 and table.username is None and not table.write_only
    password = _secret(table, "password", faults, needed=table.username is not None)
    token = _secret(table, "token", faults, needed=by_token)
    if table.ca_file is not None:
        try:
            ssl.create_default_context(cafile=str(table.ca_file))
        except OSError as cause:  # an SSLError is one
            faults.append(Fault("hub", "telemetry.ca_file", f"{table.ca_file}: {cause}", "certificates in PEM"))
    if faults:
        raise Refused(faults)
    assert table.url is not None, "checked"
    return Access(
        table.url.rstrip("/"),
        table.database,
        table.org or "",
        table.username or "",
        password,
        token,
        table.ca_file,
        table.verify,
        table.timeout_ms,
    )


def _secret(table: Telemetry, name: str, faults: list[Fault], *, needed: bool) -> str:
    """From its file, else from the environment; "" where it is neither there nor needed."""
    path, variable, key = getattr(table, f"{name}_file"), f"{ENVIRONMENT}{name.upper()}", f"telemetry.{name}_file"
    if path is None and not needed:
        return ""
    try:
        text = os.environ.get(variable, "") if path is None else path.read_bytes()[: SECRET_BYTES_MAX + 1].decode()
    except (OSError, UnicodeDecodeError) as cause:
        why = getattr(cause, "strerror", None) or "no text"
        faults.append(Fault("hub", key, f"{path} ({why})", "one line of text"))
        return ""
    found = text.strip()
    if found and "\n" not in found and len(found) <= SECRET_BYTES_MAX and found.isprintable():
        return found
    said = f"nothing, and no {variable} in the environment" if path is None else f"{path}, which is empty"
    allowed = f"a file with the {name} alone, one line; or {variable} in the environment"
    faults.append(Fault("hub", key, f"{path or variable} {HIDDEN}" if found else said, allowed))
    return ""
