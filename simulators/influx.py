"""A real InfluxDB 1.x (Debian's `influxdb`), and VictoriaMetrics, on loopback as children of ours."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from simulators.broker import free_port
from simulators.children import Child, start

APT_INFLUXDB = "sudo apt-get install influxdb"
APT_VICTORIA = "sudo apt-get install victoria-metrics"
START_S_MAX = 60.0
CONFIG = """\
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
  logging-enabled = false
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  index-version = "tsi1"
  query-log-enabled = false
  cache-snapshot-write-cold-duration = "10m"
[coordinator]
[retention]
  check-interval = "30m"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
  auth-enabled = {auth}
{tls}
[subscriber]
  enabled = false
[continuous_queries]
  enabled = false
[logging]
  level = "warn"
"""


class TsdbError(Exception):
    """The database did not start; says why and what to do."""


class Tsdb:
    """One database on 127.0.0.1, started on entering, stopped by its own pid on leaving. `folder` keeps its data; the
    port is chosen at the first start and kept."""

    name = "influxd"
    apt = APT_INFLUXDB

    def __init__(self, folder: Path, *, auth: bool = False, cert: Path | None = None) -> None:
        found = shutil.which(self.name)
        if found is None:
            raise TsdbError(f"this needs a real {self.name}, and none is installed: {self.apt}")
        self.port, self._rpc = free_port(), free_port()
        self._program, self._folder = found, folder.absolute()
        self._auth, self._cert = auth, cert
        self._child: Child | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"{'https' if self._cert is not None else 'http'}://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """The child's pid while it runs."""
        return self._child.process.pid if self._child is not None and self._child.running else None

    async def start(self) -> None:
        """Start and wait until it answers. Raises TsdbError with the end of its log."""
        assert self.pid is None, "already running"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._child = child = await start(self.name, self._command(), self._folder / f"{self.name}.log")
        try:
            async with (
                asyncio.timeout(START_S_MAX),
                httpx.AsyncClient(trust_env=False, verify=False) as client,
            ):
                while not await self._answers(client):
                    if not child.running:
                        raise TsdbError(f"{self.name} ended with {child.process.returncode}: {child.tail()}")
                    await asyncio.sleep(0.02)
        except TimeoutError as cause:
            await child.kill()
            raise TsdbError(f"{self.name} took over {START_S_MAX} s to answer: {child.tail()}") from cause

    async def stop(self) -> None:
        """End it politely, by force when that takes long."""
        if self._child is not None:
            await self._child.stop()

    async def kill(self) -> None:
        """SIGKILL."""
        if self._child is not None:
            await self._child.kill()

    async def _answers(self, client: httpx.AsyncClient) -> bool:
        try:
            return (await client.get(f"{self.url}/{self._probe()}")).status_code < 300
        except httpx.TransportError:
            return False

    def _probe(self) -> str:
        return "ping"

    def _command(self) -> list[str]:
        tls = "" if self._cert is None else f'  https-enabled = true\n  https-certificate = "{self._cert}"'
        path = self._folder / "influxdb.conf"
        path.write_text(
            CONFIG.format(
                folder=self._folder, port=self.port, rpc=self._rpc, auth="true" if self._auth else "false", tls=tls
            )
        )
        return [self._program, "-config", str(path)]


class Victoria(Tsdb):
    """VictoriaMetrics, which takes InfluxDB's lines and answers no InfluxQL."""

    name = "victoria-metrics"
    apt = APT_VICTORIA

    def _probe(self) -> str:
        return "health"

    def _command(self) -> list[str]:
        return [
            self._program,
            f"-httpListenAddr=127.0.0.1:{self.port}",
            f"-storageDataPath={self._folder / 'data'}",
            "-retentionPeriod=100y",
            "-memory.allowedBytes=64MB",
            "-loggerLevel=WARN",
        ]


def installed(kind: type[Tsdb] = Tsdb) -> bool:
    """Whether it can be started here."""
    return shutil.which(kind.name) is not None
