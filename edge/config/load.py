"""Reading a site file: syntax, each table by itself, then what the tables say of each other; all faults at once."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, ValidationError

from edge import port
from edge.config import overrides as given
from edge.config.hardware import Bus, Hardware, Partial, read_hardware
from edge.config.model import LISTS, SINGLE, GatewayTable, LimitsTable, MqttTable, ProofTable, SiteFile
from edge.config.secrets import Mqtt, read_hub_keys, read_mqtt
from edge.config.site import Tables, build_site
from edge.config.words import faults_of, ordered
from edge.core.site import Site
from edge.profiles import Profile
from protocol.faults import Fault, Refused, shown

__all__ = ["Bus", "Config", "Mqtt", "load", "parse"]

PROFILES_MS = {"20s": (20_000, 6_000), "90s": (90_000, 30_000), "3min": (180_000, 60_000)}
"""Reporting-time profile to (reporting time, heartbeat): a heartbeat is at most a third of its reporting time."""
SIZE_MAX = 1 << 20


@dataclass(frozen=True, slots=True)
class Config:
    """Everything one gateway runs on. `sha256` is the digest of the file's text, without overrides."""

    site: Site
    buses: tuple[Bus, ...]
    points: Mapping[str, port.Point]
    mqtt: Mqtt
    hub_keys: Mapping[str, Ed25519PublicKey]
    profile: str
    profile_ms: int
    heartbeat_ms: int
    data_dir: Path
    sha256: str


@dataclass
class _Read:
    """The tables that are well formed, by section and place, and the faults of the others.

    `partial` are the others with the keys that are right: what those name is checked all the same.
    """

    where: str
    faults: list[Fault] = field(default_factory=list)
    tables: dict[str, list[tuple[str, Any]]] = field(default_factory=dict)
    named: dict[str, set[str]] = field(default_factory=dict)
    partial: list[Partial] = field(default_factory=list)


def load(path: Path, profiles: Mapping[str, Profile], overrides: Mapping[str, Any] | None = None) -> Config:
    """Read a site file. `overrides` are dotted keys with values (see `parse_set`). Raises Refused with every fault."""
    try:
        if path.stat().st_size > SIZE_MAX:
            raise Refused([Fault(path.name, "file", f"{path.stat().st_size} bytes", f"at most {SIZE_MAX} bytes")])
        data = path.read_bytes()
    except OSError as cause:
        raise Refused([Fault(path.name, "file", cause.strerror or str(cause), "a readable TOML file")]) from cause
    return parse(data, path.name, path.resolve().parent, profiles, overrides)


def parse(
    data: bytes, where: str, folder: Path, profiles: Mapping[str, Profile], overrides: Mapping[str, Any] | None = None
) -> Config:
    """Read a site file's bytes; `where` names it in faults, paths in it are relative to `folder`. Raises Refused."""
    try:
        raw = tomllib.loads(data.decode())
    except ValueError as cause:  # syntax, encoding, or a number too long for Python
        raise Refused([Fault(where, "file", str(cause), "TOML in UTF-8")]) from cause
    except RecursionError as cause:
        raise Refused([Fault(where, "file", "brackets nested too deep", "TOML in UTF-8")]) from cause
    read = _Read(where, given.apply(raw, overrides or {}))
    _read_tables(read, raw)
    digest = hashlib.sha256(data).hexdigest()
    hardware = read_hardware(read.tables["bus"], read.tables["device"], read.named, profiles, where, read.partial)
    read.faults += hardware.faults
    mqtt = _mqtt(read, folder)
    keys, faults = read_hub_keys(raw.get("hub_keys", {}), where)
    read.faults += faults
    site = _site(read, hardware, digest)
    gateway = _single(read, "gateway")
    if read.faults:
        raise Refused(ordered(read.faults))
    assert site is not None, "no fault, so there is a site"
    assert isinstance(gateway, GatewayTable), "and a gateway"
    assert mqtt is not None, "and a broker"
    profile_ms, heartbeat_ms = PROFILES_MS[gateway.profile]
    return Config(
        site=site,
        buses=hardware.buses,
        points=hardware.points,
        mqtt=mqtt,
        hub_keys=keys,
        profile=gateway.profile,
        profile_ms=profile_ms,
        heartbeat_ms=heartbeat_ms,
        data_dir=folder / gateway.data_dir,
        sha256=digest,
    )


def _read_tables(read: _Read, raw: dict[str, Any]) -> None:
    for name in raw.keys() - SiteFile.model_fields.keys():
        allowed = f"one of {', '.join(SiteFile.model_fields)}"
        read.faults.append(Fault(read.where, name, shown(raw[name]), f"no such key here; {allowed}"))
    for name, model in SINGLE.items():
        required = SiteFile.model_fields[name].is_required()
        value = raw.get(name, None if required else {})
        read.tables[name] = []
        if value is None:
            read.faults.append(Fault(read.where, name, "nothing", f"this table is required: [{name}]"))
        else:
            _read_table(read, name, name, model, value)
    for name, entry_model in LISTS.items():
        read.tables[name] = []
        read.named[name] = set()
        _read_list(read, name, entry_model, raw.get(name, []))


def _read_list(read: _Read, name: str, model: type[BaseModel], entries: Any) -> None:
    if not isinstance(entries, list):
        read.faults.append(Fault(read.where, name, shown(entries), f"tables written [[{name}]]"))
        return
    low, high = _bounds(name)
    if not low <= len(entries) <= high:
        read.faults.append(Fault(read.where, name, f"{len(entries)} tables", f"{low} to {high} of [[{name}]]"))
    seen: dict[str, str] = {}
    for number, entry in enumerate(entries[:high]):
        key = f"{name}[{number}]"
        _read_table(read, name, key, model, entry)
        identity = entry.get("id") if isinstance(entry, dict) else None
        if isinstance(identity, str):
            read.named[name].add(identity)
            if identity in seen:
                allowed = f"an id of its own; {seen[identity]} has this one"
                read.faults.append(Fault(read.where, f"{key}.id", shown(identity), allowed))
            seen.setdefault(identity, key)


def _bounds(name: str) -> tuple[int, int]:
    limits = {type(item).__name__: item for item in SiteFile.model_fields[name].metadata}
    low = limits["MinLen"].min_length if "MinLen" in limits else 0
    return low, limits["MaxLen"].max_length


def _read_table(read: _Read, name: str, key: str, model: type[BaseModel], value: Any) -> None:
    try:
        read.tables[name].append((key, model.model_validate(value)))
    except ValidationError as error:
        read.faults += faults_of(error, read.where, key, model.model_fields)
        if isinstance(value, dict):
            bad = {found["loc"][0] for found in error.errors() if found["loc"]}
            good = {name: given for name, given in value.items() if name not in bad}
            read.partial.append(Partial(name, key, good))


def _single(read: _Read, name: str) -> Any:
    return read.tables[name][0][1] if read.tables[name] else None


def _mqtt(read: _Read, folder: Path) -> Mqtt | None:
    table = _single(read, "mqtt")
    if not isinstance(table, MqttTable):
        return None
    mqtt, faults = read_mqtt(table, folder, read.where)
    read.faults += faults
    return mqtt


def _site(read: _Read, hardware: Hardware, digest: str) -> Site | None:
    gateway, limits, proof = (_single(read, name) for name in ("gateway", "limits", "proof"))
    tables = Tables(
        gateway=gateway if isinstance(gateway, GatewayTable) else None,
        limits=limits if isinstance(limits, LimitsTable) else LimitsTable.model_validate({}),
        proof=proof if isinstance(proof, ProofTable) else ProofTable.model_validate({}),
        premises=read.tables["premises"],
        groups=read.tables["group"],
        zones=read.tables["zone"],
        outputs=read.tables["output"],
        schedules=read.tables["schedule"],
        holidays=read.tables["holiday"],
        named=read.named,
        partial=read.partial,
    )
    site, faults = build_site(tables, hardware, digest, read.where)
    read.faults += faults
    return site
