"""A real broker on loopback as a child of ours: Mosquitto where installed, else the embedded one."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from simulators.children import Server

APT_LINE = "sudo apt-get install mosquitto"
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


class Broker(Server):
    """One broker on 127.0.0.1.

    `folder` keeps its configuration, log and stored messages. `kind` is "mosquitto", "embedded" or "any". TLS and
    `acl` (Mosquitto's ACL file text) need Mosquitto. `port` is chosen at the first start and kept by `restart`.
    """

    error = BrokerError

    def __init__(
        self, folder: Path, *, kind: str = "any", port: int = 0, tls: BrokerTls | None = None, acl: str | None = None
    ) -> None:
        mosquitto = find_mosquitto() if kind in ("any", "mosquitto") else None
        if mosquitto is None and (kind == "mosquitto" or tls is not None or acl is not None):
            raise BrokerError(f"this needs a real Mosquitto, and none is installed: {APT_LINE}")
        if mosquitto is None and find_spec("iotcore") is None:
            raise BrokerError(f"no broker here: pip install iotcore, or {APT_LINE}")
        super().__init__("mosquitto" if mosquitto is not None else "embedded", folder, port)
        self.host = "127.0.0.1"
        self._mosquitto = mosquitto
        self._tls = tls
        self._acl = acl

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(self.host, self.port)
        except OSError:
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True

    def _command(self) -> list[str]:
        return self._embedded_command() if self._mosquitto is None else self._mosquitto_command(self._mosquitto)

    def _mosquitto_command(self, mosquitto: Path) -> list[str]:
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
        return [str(mosquitto), "-c", str(path)]

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
