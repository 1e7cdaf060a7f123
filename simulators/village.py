"""A whole village on loopback: broker, hub and gateways as processes of their own, and every wire they read."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edge.config import Config
from edge.config import load as load_site
from edge.profiles import load_profiles
from hub.orders import make_key
from protocol.faults import Fault, Refused, shown
from simulators.broker import Broker
from simulators.centre import Centre
from simulators.children import Child, free_port, start
from simulators.plant import Plant

CONFIGS = Path(__file__).resolve().parent.parent / "firmware_configs"
REGISTRY = CONFIGS / "registry" / "hengjie.toml"
SITES = tuple(CONFIGS / "sites" / f"{name}.toml" for name in ("station-east", "station-west", "works"))
HUB = "hub-1"
READY_S_MAX = 60.0
"""How long hub and gateways may take until every gateway is heard and every zone seen."""


class Village:
    """Enter it to have it up: hub answering, gateways heard, zones seen. Everything it writes is under `folder`.

    `broker_kind` is as in `Broker`; `settings` are further keys of the hub's configuration, as "table.key".
    """

    def __init__(
        self,
        folder: Path,
        *,
        sites: Sequence[Path] = SITES,
        registry: Path = REGISTRY,
        broker_kind: str = "any",
        settings: Mapping[str, str | int] | None = None,
    ) -> None:
        self.folder = folder.absolute()
        self.broker = Broker(self.folder / "broker", kind=broker_kind, port=free_port())
        self.plants: dict[str, Plant] = {}
        self.gateways: dict[str, Child] = {}
        self.ports: dict[str, int] = {}
        """Broker port of a gateway or of the hub (`HUB`), where it is not the broker's own (a proxy's)."""
        self.hub: Child | None = None
        self._sites = tuple(sites)
        self._registry = registry
        self._settings = dict(settings or {})
        self._files: dict[str, Path] = {}
        self._tokens = {role: secrets.token_urlsafe(24) for role in ("operator", "supervisor")}
        self._public = ""
        self._api_port = free_port()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await self._build(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def url(self) -> str:
        """Where the hub's API is."""
        return f"http://127.0.0.1:{self._api_port}"

    @property
    def token(self) -> str:
        """An operator's bearer token."""
        return self._tokens["operator"]

    def centre(self, role: str = "operator") -> Centre:
        """The hub's API as somebody with this role uses it; enter it to use it."""
        return Centre(self.url, self._tokens[role])

    def plant(self, zone: str) -> Plant:
        """The plant a zone is wired to. Raises Refused."""
        for plant in self.plants.values():
            if zone in plant.zones:
                return plant
        known = ", ".join(name for plant in self.plants.values() for name in plant.zones)
        raise Refused([Fault("village", "zone", shown(zone), f"one of {known}")])

    async def start_hub(self) -> None:
        """Start the hub (again)."""
        argv = ["hub", "run", str(self._write_hub_config())]
        self.hub = await start("hub", _command(argv, {}), self.folder / "hub.log")

    async def start_gateway(self, gateway: str) -> None:
        """Start a gateway (again), on its own data."""
        values: dict[str, str | int] = {
            **self.plants[gateway].overrides,
            "mqtt.host": self.broker.host,
            "mqtt.port": self.ports.get(gateway, self.broker.port),
            "gateway.data_dir": str(self.folder / gateway),
            f"hub_keys.{HUB}": self._public,
        }
        argv = ["edge", "run", str(self._files[gateway])]
        self.gateways[gateway] = await start(gateway, _command(argv, values), self.folder / f"{gateway}.log")

    async def mend(self) -> None:
        """Everything well again: zones restored, devices answering, gateways that were killed started."""
        for gateway, plant in self.plants.items():
            plant.mend()
            if not self.gateways[gateway].running:
                await self.start_gateway(gateway)

    async def ready(self) -> None:
        """Wait until the hub hears every gateway. Raises TimeoutError, ChildError."""
        async with self.centre() as centre:
            try:
                async with asyncio.timeout(READY_S_MAX):
                    while not await self._heard(centre):  # noqa: ASYNC110  # it is asked over HTTP
                        await asyncio.sleep(0.05)
            except TimeoutError as cause:
                text = f"the village was not up within {READY_S_MAX:.0f} s; logs: {self.folder}"
                raise TimeoutError(text) from cause

    async def _build(self, stack: AsyncExitStack) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        wires = Path(tempfile.mkdtemp(prefix="lf-"))  # a Unix socket's path is short, a data folder's may not be
        stack.callback(shutil.rmtree, wires, ignore_errors=True)
        key = make_key(self.folder / "hub.key").public_key()
        self._public = base64.b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
        profiles = load_profiles()
        for path in self._sites:
            config = load_site(path, profiles, {"mqtt.host": self.broker.host})
            await self._wire(stack, path, config, wires)
        await stack.enter_async_context(self.broker)
        stack.push_async_callback(self._stop)
        await self.start_hub()
        for gateway in self.plants:
            await self.start_gateway(gateway)
        await self.ready()

    async def _wire(self, stack: AsyncExitStack, path: Path, config: Config, wires: Path) -> None:
        gateway = config.site.gateway
        folder = wires / gateway
        folder.mkdir()
        self._files[gateway] = path
        self.plants[gateway] = await stack.enter_async_context(Plant(config, folder))

    async def _stop(self) -> None:
        """End every child, gateways first, all at once."""
        await asyncio.gather(*(child.stop() for child in self.gateways.values()))
        if self.hub is not None:
            await self.hub.stop()

    async def _heard(self, centre: Centre) -> bool:
        for child in (self.hub, *self.gateways.values()):
            if child is not None:
                child.check()
        try:
            gateways = await centre.gateways()
            zones = await centre.zones()
        except OSError:
            return False  # the hub does not listen yet
        online = {found["id"] for found in gateways if found["online"]}
        mine = [zone for zone in zones if zone["gateway"] in self.plants]
        return set(self.plants) <= online and all(zone["health"] == "online" for zone in mine)

    def _write_hub_config(self) -> Path:
        tables: dict[str, dict[str, Any]] = {
            "hub": {"id": HUB, "data_dir": str(self.folder / "hub"), "registry": str(self._registry)},
            "mqtt": {"host": self.broker.host, "port": self.ports.get(HUB, self.broker.port)},
            "api": {"port": self._api_port},
            "signing": {"name": HUB, "key": str(self.folder / "hub.key")},
        }
        for key, value in self._settings.items():
            table, _, name = key.partition(".")
            tables.setdefault(table, {})[name] = value
        lines = [line for name, table in tables.items() for line in _table(f"[{name}]", table)]
        for role, token in self._tokens.items():
            digest = hashlib.sha256(token.encode()).hexdigest()
            person = {"id": role, "role": role, "areas": ["*"], "token_sha256": digest}
            lines += _table("[[person]]", person)
        path = self.folder / "hub.toml"
        path.touch(mode=0o600)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path


def _command(argv: Sequence[str], values: Mapping[str, str | int]) -> list[str]:
    sets = [word for key, value in values.items() for word in ("--set", f"{key}={value}")]
    return [sys.executable, "-m", "lianfang", *argv, *sets]


def _table(head: str, values: Mapping[str, Any]) -> list[str]:
    return [head, *(f"{key} = {_toml(value)}" for key, value in values.items())]


def _toml(value: Any) -> str:
    """A TOML value; JSON's strings, numbers and lists are TOML's too."""
    return json.dumps(value, ensure_ascii=False)
