"""The hub's configuration file: read, overridden, checked all at once, its paths made absolute."""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from pydantic import ValidationError

from hub.notify.table import together
from hub.registry.files import settle
from hub.settings import Settings
from hub.store.table import FILES, HIDDEN
from hub.store.table import together as stored_together
from protocol.faults import Fault, Refused, from_pydantic, shown

TLS = ("ca", "cert", "key")
SECRET_URLS = ("telemetry.url", "journal.url")
"""Keys that somebody may put a password into."""


def load(path: Path, overrides: Sequence[str] = (), *, reads: bool = False) -> Settings:
    """Read `path`, then `key=value` overrides (a dotted key, a TOML value or a bare word). Raises Refused.

    Who only `reads` what a hub kept needs none of the files by which it reaches others: a backup may be without them.
    """
    where = path.name
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as cause:
        raise Refused([Fault(where, "file", str(path), f"a readable file ({cause.strerror})")]) from cause
    except UnicodeDecodeError as cause:
        raise Refused([Fault(where, "file", shown(cause.object[cause.start : cause.end]), "UTF-8 text")]) from cause
    except tomllib.TOMLDecodeError as cause:
        raise Refused([Fault(where, "file", str(cause), "TOML")]) from cause
    faults = [fault for text in overrides for fault in _override(raw, text)]
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as cause:
        wrong = _faults(cause, where)
        raise Refused([*faults, *wrong, *_inspect(raw, path.parent, where, reads)]) from cause
    if faults := [*faults, *_inspect(raw, path.parent, where, reads)]:
        raise Refused(faults)
    return _resolved(settings, path.parent)


def of_text(text: bytes, base: Path, where: str) -> Settings:
    """A configuration as it stands, of which no file it names need be there; paths are relative to `base`.

    Raises Refused.
    """
    try:
        return _resolved(Settings.model_validate(tomllib.loads(text.decode())), base)
    except ValidationError as cause:
        raise Refused(_faults(cause, where)) from cause
    except ValueError as cause:  # no UTF-8, or no TOML
        raise Refused([Fault(where, "file", str(cause), "TOML in UTF-8")]) from cause


def _faults(wrong: ValidationError, where: str) -> list[Fault]:
    """As faults of ours; what somebody may have put a password into is not repeated."""
    return [
        msgspec.structs.replace(fault, value=HIDDEN) if fault.key in SECRET_URLS and fault.value != "nothing" else fault
        for fault in from_pydantic(wrong.errors(), where)
    ]


def _override(raw: dict[str, Any], text: str) -> Iterable[Fault]:
    key, equals, value = text.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        yield Fault("--set", text, "no key and value", "key=value, for instance api.port=8080")
        return
    table = raw
    for part in parts[:-1]:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            yield Fault("--set", key, f"{part} is no table", "a dotted key of the configuration file")
            return
    try:
        table[parts[-1]] = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        table[parts[-1]] = value


def _resolved(settings: Settings, base: Path) -> Settings:
    def at(path: Path | None) -> Path | None:
        return None if path is None else base / path

    hub, mqtt, signing = settings.hub, settings.mqtt, settings.signing
    return settings.model_copy(
        update={
            "hub": hub.model_copy(
                update={
                    "data_dir": base / hub.data_dir,
                    "registry": base / hub.registry,
                    "defaults": at(hub.defaults),
                    "sites": at(hub.sites),
                }
            ),
            "mqtt": mqtt.model_copy(
                update={name: at(getattr(mqtt, name)) for name in ("password_file", "ca", "cert", "key")}
            ),
            "telemetry": settings.telemetry.based(base),
            "signing": signing.model_copy(update={"key": at(signing.key)}),
            "channel": tuple(channel.based(base) for channel in settings.channel),
        }
    )


def _inspect(raw: dict[str, Any], base: Path, where: str, reads: bool) -> Iterable[Fault]:
    """What no single key can show, told even while other keys are wrong: files that cannot be read, keys that go
    together, persons told apart."""
    hub, mqtt, persons = _table(raw, "hub"), _table(raw, "mqtt"), _list(raw, "person")
    files = {f"hub.{name}": hub.get(name) for name in ("registry", "defaults")}
    if not reads:
        files |= {f"mqtt.{name}": mqtt.get(name) for name in ("password_file", *TLS)}
        files |= {f"telemetry.{name}": _table(raw, "telemetry").get(name) for name in FILES}
        files |= dict(_files(raw.get("channel"), "channel"))
    if isinstance(files["hub.registry"], str):
        with contextlib.suppress(OSError):  # then it is a fault below
            settle(base / files["hub.registry"])
    for key, name in files.items():
        if isinstance(name, str) and (why := _unusable(base / name, folder=key == "hub.registry")):
            yield Fault(where, key, f"{base / name} ({why})", "a file that can be read")
    for key, found, allowed in stored_together(_table(raw, "telemetry")):
        yield Fault(where, key, found, allowed)
    for key, found, allowed in together(_list(raw, "channel"), _list(raw, "route")):
        yield Fault(where, key, shown(found), allowed)
    if isinstance(registry := hub.get("registry"), str) and registry.lower().endswith(".xlsx"):
        allowed = "a TOML file or a folder of CSV files; lianfang registry import puts a workbook into such a folder"
        yield Fault(where, "hub.registry", registry, allowed)
    given = [name for name in TLS if name in mqtt]
    if given and len(given) < len(TLS):
        yield Fault(where, "mqtt", f"only {', '.join(given)}", "all of ca, cert and key, or none")
    for field in ("id", "token_sha256"):
        seen: dict[str, int] = {}
        for at, person in enumerate(persons):
            value = person.get(field) if isinstance(person, dict) else None
            if not isinstance(value, str):
                continue
            if value in seen:
                yield Fault(where, f"person[{at}].{field}", shown(value), f"not the same as person[{seen[value]}]'s")
            seen.setdefault(value, at)


def _table(raw: dict[str, Any], name: str) -> dict[str, Any]:
    found = raw.get(name)
    return found if isinstance(found, dict) else {}


def _list(raw: dict[str, Any], name: str) -> list[Any]:
    found = raw.get(name)
    return found if isinstance(found, list) else []


def _files(found: Any, key: str) -> Iterable[tuple[str, Any]]:
    """Every key of a table, and of those in it, that names a file."""
    if isinstance(found, list):
        for at, one in enumerate(found):
            yield from _files(one, f"{key}[{at}]")
    elif isinstance(found, dict):
        for name, value in found.items():
            if name.endswith("_file"):
                yield f"{key}.{name}", value
            elif name in ("channel", "report"):
                yield from _files(value, f"{key}.{name}")


def _unusable(path: Path, *, folder: bool) -> str | None:
    """Why a file cannot be read; a registry may be a folder."""
    try:
        if folder and path.is_dir():
            return None
        with path.open("rb") as file:
            file.read(1)
    except (OSError, ValueError) as cause:  # ValueError: a name no file can have
        return getattr(cause, "strerror", None) or str(cause)
    return None


def strange_areas(settings: Settings, areas: Collection[str], where: str) -> list[Fault]:
    """Persons who may look at areas that the registry has not."""
    allowed = f"'*', or one of {', '.join(sorted(areas)[:20])}"
    return [
        Fault(where, f"person[{at}].areas", shown(area), allowed)
        for at, person in enumerate(settings.person)
        for area in sorted(set(person.areas) - {*areas, "*"})
    ]
