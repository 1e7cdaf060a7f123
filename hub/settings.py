"""The tables of the hub's configuration."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StringConstraints

from hub.channels import AnyChannel
from hub.notify.table import Channels, Route
from hub.store.table import Telemetry
from hub.table import Id, Port, Sha256, Table


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
