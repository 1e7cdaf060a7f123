"""The desk's defaults from TOML: the hub's own file, or another in its place."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from hub.core.defaults import Defaults
from protocol.faults import Fault, Refused, path_of, shown

DEFAULTS = Path(__file__).parent / "defaults.toml"


def load_defaults(path: Path | None = None) -> Defaults:
    """Read the defaults; a file named here says only what differs. Raises Refused with every fault of it."""
    base = tomllib.loads(DEFAULTS.read_text(encoding="utf-8"))
    if path is None:
        return msgspec.convert(base, Defaults)
    try:
        changes = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as cause:
        raise Refused([Fault(path.name, "the file", str(cause), "a readable TOML file in UTF-8")]) from cause
    faults: list[Fault] = []
    for name, table in changes.items():
        if name not in base or not isinstance(table, dict):
            faults.append(Fault(path.name, name, shown(table, 40), f"tables {', '.join(base)}"))
            continue
        for key, value in table.items():
            allowed = _allowed(base, name, key, value)
            if allowed is None:
                base[name][key] = value
            else:
                faults.append(Fault(path.name, path_of((name, key)), shown(value), allowed))
    if faults:
        raise Refused(faults)
    return msgspec.convert(base, Defaults)


def _allowed(base: dict[str, dict[str, object]], table: str, key: str, value: object) -> str | None:
    if key not in base[table]:
        return f"no such key here; known: {', '.join(base[table])}"
    try:
        msgspec.convert({**base, table: {**base[table], key: value}}, Defaults)
    except msgspec.ValidationError as cause:
        return str(cause).partition(" - at ")[0]
    return None
