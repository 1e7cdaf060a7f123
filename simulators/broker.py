"""A real broker on loopback as a child of ours: Mosquitto where installed, else the embedded one."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import shutil
import socket
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

from simulators.children import Child, start

APT_LINE = "sudo apt-get install mosquitto"
START_S_MAX = 10.0
PACKET_MAX = 1024 * 1024
"""The largest packet let through, in bytes: above the protocol's own limit, so that the hub counts what it refuses."""


class BrokerError(Exception):
    """The broker did not start or is not the one needed; says why and what to do."""


@dataclass(frozen=True, slots=True)
class BrokerTls:
    """PEM files of a broker that demands client certificates; the certificate's common name becomes the user."""

    ca: Path
    cert: Path
    key: Path


def find_mosquitto() -> Path | None:
    """Where Mosquitto is: on the PATH, or where Debian puts it, which an ordinary user's PATH leaves out."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    return Path(found) if found else None


def free_port() -> int:
    """A loopback TCP port that nobody holds at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Broker:
    """One broker on 127.0.0.1, started on entering, stopped by its own pid on leaving.

    `folder` keeps its configuration, log and stored messages. `kind` is "mosquitto", "embedded" or "any". TLS and
    `acl` (Mosquitto's ACL file text) need Mosquitto. `port` is chosen at the first start and kept by `restart`.
    """

    def __init__(
        self, folder: Path, *, kind: str = "any", port: int = 0, tls: BrokerTls | None = None, acl: str | None = None
    ) -> None:
        mosquitto = find_mosquitto() if kind in ("any", "mosquitto") else None
        if mosquitto is None and (kind == "mosquitto" or tls is not None or acl is not None):
            raise BrokerError(f"this needs a real Mosquitto, and none is installed: {APT_LINE}")
        if mosquitto is None and find_spec("iotcore") is None:
            raise BrokerError(f"no broker here: pip install iotcore, or {APT_LINE}")
        self.host = "127.0.0.1"
        self.port = port
        self.kind = "mosquitto" if mosquitto is not None else "embedded"
        self._mosquitto = mosquitto
        self._folder = folder.absolute()
        self._tls = tls
        self._acl = acl
        self._child: Child | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def pid(self) -> int | None:
        """The child's pid while it runs."""
        return self._child.process.pid if self._child is not None and self._child.running else None

    async def start(self) -> None:
        """Start and wait until it accepts connections. Raises BrokerError with the end of its log."""
        assert self.pid is None, "already running"
        self._folder.mkdir(parents=True, exist_ok=True)
        self.port = self.port or free_port()
        command = self._mosquitto_command() if self._mosquitto is not None else self._embedded_command()
        self._child = child = await start(self.kind, command, self._folder / "broker.log")
        try:
            async with asyncio.timeout(START_S_MAX):
                while not await self._accepts():
                    if not child.running:
                        raise BrokerError(f"{self.kind} ended with {child.process.returncode}: {child.tail()}")
                    await asyncio.sleep(0.01)
        except TimeoutError as cause:
            await child.kill()
            raise BrokerError(f"{self.kind} took over {START_S_MAX} s to listen: {child.tail()}") from cause

    async def stop(self) -> None:
        """End it politely, by force when that takes long."""
        if self._child is not None:
            await self._child.stop()

    async def kill(self) -> None:
        """SIGKILL: it says no goodbye, sends no Will and saves nothing."""
        if self._child is not None:
            await self._child.kill()

    async def restart(self) -> None:
        """Start again on the same port, after stopping it if it still runs."""
        await self.stop()
        await self.start()

    async def _accepts(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(self.host, self.port)
        except OSError:
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True

    def _mosquitto_command(self) -> list[str]:
        assert self._mosquitto is not None
        lines = [
            f"listener {self.port} 127.0.0.1",
            f"user {getpass.getuser()}",
            "persistence true",
            f"persistence_location {self._folder}/",
            "autosave_on_changes true",
            "autosave_interval 1",
            "set_tcp_nodelay true",
            "max_queued_messages 10000",
            f"max_packet_size {PACKET_MAX}",
            "log_dest stderr",
            "log_type error",
            "log_type warning",
            "allow_anonymous " + ("false" if self._tls else "true"),
        ]
        if self._tls is not None:
            lines += [
                f"cafile {self._tls.ca}",
                f"certfile {self._tls.cert}",
                f"keyfile {self._tls.key}",
                "require_certificate true",
                "use_identity_as_username true",
            ]
        if self._acl is not None:
            acl = self._folder / "acl"
            acl.write_text(self._acl)
            acl.chmod(0o600)
            lines.append(f"acl_file {acl}")
        path = self._folder / "mosquitto.conf"
        path.write_text("\n".join(lines) + "\n")
        return [str(self._mosquitto), "-c", str(path)]

    def _embedded_command(self) -> list[str]:
        path = self._folder / "embedded.toml"
        path.write_text(_EMBEDDED.format(port=self.port, packet_max=PACKET_MAX))
        # -P: a folder called iotcore in the working directory must not stand in for the package
        return [sys.executable, "-P", "-c", _EMBEDDED_CODE, str(path)]


_EMBEDDED_CODE = "import sys; from iotcore import IotCoreBroker; IotCoreBroker(config_path=sys.argv[1]).run_forever()"
_EMBEDDED = """\
id = 0
[router]
id = 0
max_connections = 10000
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10
[v5.1]
name = "v5-1"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = {packet_max}
max_inflight_count = 100
"""
