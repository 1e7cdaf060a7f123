"""The hub's configuration: one TOML file, every fault of it reported at once."""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StringConstraints, ValidationError

from hub.channels import AnyChannel
from hub.notify.table import Channels, Route, together
from hub.registry.files import settle
from hub.store.table import FILES, Telemetry
from hub.store.table import together as stored_together
from hub.table import Id as Id
from hub.table import Port, Sha256, Table
from protocol.faults import Fault, Refused, from_pydantic, shown

TLS = ("ca", "cert", "key")


class Role(StrEnum):
    """What a person may do; each includes the ones before."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Whether this role may do what `other` may."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


class Hub(Table):
    """Who this hub is and where it keeps its data; paths are relative to the configuration file.

    `sites` has the installers' site files, as AREA/GATEWAY.toml; in the data folder unless said.
    """

    id: Id
    data_dir: Path
    registry: Path
    defaults: Path | None = None
    sites: Path | None = None


class Mqtt(Table):
    """The broker. With `ca`, `cert` and `key` (together) the connection is TLS and fails closed."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    username: str | None = None
    password_file: Path | None = None
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None


class Journal(Table):
    """Where the journal is: an SQLAlchemy URL; SQLite in the data folder unless said."""

    url: str | None = None
    busy_ms: Annotated[int, Field(ge=1, le=60_000)] = 2_000
    batch: Annotated[int, Field(ge=1, le=4096)] = 256


class Api(Table):
    """Where the API listens; port 0 takes a free one. `public_url` is where neighbours reach it from outside: with it
    messages carry a link to answer by."""

    host: str = "127.0.0.1"
    port: Port = 8080
    public_url: (
        Annotated[str, StringConstraints(pattern=r"^https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?$")] | None
    ) = None


class Signing(Table):
    """The hub's Ed25519 key (made by `lianfang hub keygen`) and the name gateways know it by."""

    name: Id | None = None
    key: Path | None = None


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError, which pydantic would not show
        raise ValueError("a time zone such as Asia/Shanghai") from None
    except KeyError:
        raise ValueError("a time zone such as Asia/Shanghai, known on this machine") from None
    return name


Zone = Annotated[str, AfterValidator(_zone)]


class Reports(Table):
    """By which clocks days begin, in all areas, and in those that have their own (by area id)."""

    timezone: Zone = "Asia/Shanghai"
    areas: dict[Id, Zone] = Field(default_factory=dict)

    def zone(self, area: str) -> str:
        """The time zone of an area."""
        return self.areas.get(area, self.timezone)


class Person(Table):
    """Somebody with a bearer token. `areas` are area ids, or "*" for all."""

    id: Id
    role: Role
    areas: Annotated[tuple[Id | Annotated[str, StringConstraints(pattern=r"^\*$")], ...], Field(min_length=1)]
    token_sha256: Sha256

    def sees(self, area: str) -> bool:
        """Whether the person may look at `area`."""
        return "*" in self.areas or area in self.areas


class Settings(Table):
    """The whole configuration file."""

    hub: Hub
    mqtt: Mqtt = Mqtt()
    journal: Journal = Journal()
    telemetry: Telemetry = Telemetry()
    api: Api = Api()
    signing: Signing = Signing()
    reports: Reports = Reports()
    person: tuple[Person, ...] = ()
    channels: Channels = Channels()
    channel: tuple[AnyChannel, ...] = ()
    route: tuple[Route, ...] = ()

    @property
    def journal_url(self) -> str:
        """The URL of the journal's database."""
        return self.journal.url or f"sqlite:///{self.hub.data_dir / 'journal.db'}"

    @property
    def sites(self) -> Path:
        """Where the installers' site files are."""
        return self.hub.sites or self.hub.data_dir / "sites"

    @property
    def key_name(self) -> str:
        """What gateways call the signing key."""
        return self.signing.name or self.hub.id

    @property
    def key_path(self) -> Path:
        """Where the signing key is."""
        return self.signing.key or self.hub.data_dir / "hub.key"


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
        wrong = from_pydantic(cause.errors(), where)
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
        raise Refused(from_pydantic(cause.errors(), where)) from cause
    except ValueError as cause:  # no UTF-8, or no TOML
        raise Refused([Fault(where, "file", str(cause), "TOML in UTF-8")]) from cause


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
