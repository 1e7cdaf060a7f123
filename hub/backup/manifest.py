"""What a backup says about itself, and every way in which a file may not be what it says. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from protocol.faults import Fault, Refused, shown

FORMAT = 1
MANIFEST = "manifest.json"
MANIFEST_BYTES_MAX = 1024 * 1024
CONFIG, JOURNAL, TELEMETRY, KEY = "hub.toml", "data/journal.db", "data/telemetry.db", "data/hub.key"
NOTICES, SITES, HISTORY = "data/notices.db", "data/sites.zip", "data/registry-history.zip"
"""Who was told; the installers' files and the registry's states, packed."""
PACKED = (SITES, HISTORY)
REGISTRY = "registry"
"""The registry is `registry.toml`, or files `registry/*.csv`."""
REQUIRED = (CONFIG, JOURNAL, KEY)
NAMES = (*REQUIRED, TELEMETRY, NOTICES, *PACKED, f"{REGISTRY}.toml", "defaults.toml")
SECRETS = ("mqtt/password", "mqtt/ca.pem", "mqtt/cert.pem", "mqtt/key.pem")
CHANNELS = "channels/"
"""Secrets of channels: `channels/NAME.KEY`, and `channels/NAME.report.KEY`."""
_CHANNEL = re.compile(r"channels/[a-z0-9][a-z0-9-]{0,62}(\.report)?\.[a-z_]{1,32}_file")
_CSV = re.compile(r"registry/[a-z]{1,32}\.csv")


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of the backup."""

    name: str
    bytes: int
    sha256: str


class ChainEnd(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The end of one area's chain: how many entries, and the hash of the last, in hex."""

    area: str
    entries: int
    hash: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A backup. Times are hub wall ms; `last_ms` is the journal's last entry, `schema` the version of its tables."""

    format: int
    software: str
    hub: str
    at_ms: int
    schema: str
    entries: int
    last_ms: int
    heads: list[ChainEnd]
    parts: list[Part]


class _Format(msgspec.Struct):
    format: int


@dataclass(frozen=True, slots=True)
class Member:
    """One thing found in the file; `regular` is False for links, devices and folders."""

    name: str
    bytes: int
    regular: bool


def allowed(name: str) -> bool:
    """Whether a backup may hold a file of this name; no other leaves it, so none leads out of its folder."""
    known = name in NAMES or name in SECRETS
    return known or _CSV.fullmatch(name) is not None or _CHANNEL.fullmatch(name) is not None


def read(data: bytes, where: str) -> Manifest:
    """Read a manifest. Raises Refused, and for a newer format says only that."""
    try:
        found = msgspec.json.decode(data, type=_Format)
        if found.format != FORMAT:
            raise Refused([Fault(where, "format", str(found.format), f"{FORMAT}; this lianfang reads no other")])
        return msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as cause:
        raise Refused([Fault(where, MANIFEST, str(cause), "a manifest as lianfang backup writes it")]) from cause


def faults(manifest: Manifest, members: Iterable[Member], where: str) -> list[Fault]:
    """Everything in which the members are not those of the manifest, and the manifest not one of a hub."""
    parts = {part.name: part for part in manifest.parts}
    found = list(_listed(manifest, where))
    seen: set[str] = set()
    for member in members:
        part = parts.get(member.name)
        if member.name in seen:
            found.append(Fault(where, shown(member.name), "twice", "every part once"))
        elif part is None or not allowed(member.name):
            found.append(Fault(where, shown(member.name), "a part of no backup", "the parts of the manifest"))
        elif not member.regular:
            found.append(Fault(where, member.name, "a link, folder or device", "a plain file"))
        elif member.bytes != part.bytes:
            found.append(Fault(where, member.name, f"{member.bytes} bytes", f"{part.bytes} bytes, by its manifest"))
        seen.add(member.name)
    found += [Fault(where, name, "nothing", "this part, by its manifest") for name in parts if name not in seen]
    return found


def _listed(manifest: Manifest, where: str) -> Iterator[Fault]:
    names = [part.name for part in manifest.parts]
    for name in dict.fromkeys(names):
        if not allowed(name):
            yield Fault(
                where, MANIFEST, f"a part {shown(name)}", f"{', '.join(NAMES)}, registry/*.csv, mqtt/*, channels/*"
            )
        if names.count(name) > 1:
            yield Fault(where, MANIFEST, f"{shown(name)} twice", "every part once")
    missing = [name for name in REQUIRED if name not in names]
    if not any(name.startswith((f"{REGISTRY}.", f"{REGISTRY}/")) for name in names):
        missing.append(REGISTRY)
    for name in missing:
        yield Fault(where, MANIFEST, f"no part {name}", "a backup with everything a hub needs")


def other_ends(manifest: Manifest, heads: Mapping[str, tuple[int, str]], where: str) -> list[Fault]:
    """Where the chains of the journal (area to entries and last hash) end otherwise than the manifest says."""
    said = {end.area: (end.entries, end.hash) for end in manifest.heads}
    return [
        Fault(where, f"{JOURNAL}: chain of {area}", _end(heads.get(area)), f"{_end(said.get(area))}, by the manifest")
        for area in sorted(said.keys() | heads.keys())
        if said.get(area) != heads.get(area)
    ]


def _end(end: tuple[int, str] | None) -> str:
    return "no entries" if end is None else f"{end[0]} entries, the last {end[1][:16]}"
