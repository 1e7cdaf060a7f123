"""A real InfluxDB 1.x (Debian's `influxdb`), and VictoriaMetrics, on loopback as children of ours."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx

from simulators.children import Server, free_port

APT_INFLUXDB = "sudo apt-get install influxdb"
APT_VICTORIA = "sudo apt-get install victoria-metrics"
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


class Tsdb(Server):
    """One database on 127.0.0.1. `folder` keeps its data; the port is chosen once."""

    error = TsdbError
    start_s_max = 60.0
    program = "influxd"
    apt = APT_INFLUXDB

    def __init__(self, folder: Path, *, auth: bool = False, cert: Path | None = None) -> None:
        found = shutil.which(self.program)
        if found is None:
            raise TsdbError(f"this needs a real {self.program}, and none is installed: {self.apt}")
        super().__init__(self.program, folder, free_port())
        self._path, self._rpc = found, free_port()
        self._auth, self._cert = auth, cert

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"{'https' if self._cert is not None else 'http'}://127.0.0.1:{self.port}"

    async def _answers(self) -> bool:
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
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
        return [self._path, "-config", str(path)]


class Victoria(Tsdb):
    """VictoriaMetrics, which takes InfluxDB's lines and answers no InfluxQL."""

    program = "victoria-metrics"
    apt = APT_VICTORIA

    def _probe(self) -> str:
        return "health"

    def _command(self) -> list[str]:
        return [
            self._path,
            f"-httpListenAddr=127.0.0.1:{self.port}",
            f"-storageDataPath={self._folder / 'data'}",
            "-retentionPeriod=100y",
            "-memory.allowedBytes=64MB",
            "-loggerLevel=WARN",
        ]


def installed(kind: type[Tsdb] = Tsdb) -> bool:
    """Whether it can be started here."""
    return shutil.which(kind.program) is not None
