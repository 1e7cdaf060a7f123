"""Time series servers by the v2 write API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from hub.store.port import StoreError
from hub.store.server import WORDS_MAX, Access, InfluxServer, judged, words_of


class BucketServer(InfluxServer):
    """The v2 write API through `influxdb-client` (2.x, 3, 1.8, VictoriaMetrics); `database` is the bucket, and the
    database that its InfluxQL mapping answers by."""

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._reached = access
        self._v2 = InfluxDBClient(
            url=access.url,
            token=access.token or f"{access.username}:{access.password}",
            org=access.org,
            timeout=access.timeout_ms,
            enable_gzip=True,
            verify_ssl=access.verify,
            ssl_ca_cert=None if access.ca is None else str(access.ca),
        )
        self._writes = self._v2.write_api(write_options=SYNCHRONOUS)

    def write(self, lines: Sequence[bytes]) -> None:
        """As `Server` says."""
        try:
            self._writes.write(
                bucket=self._reached.database,
                org=self._reached.org,
                record=b"\n".join(lines),
                write_precision=cast(WritePrecision, WritePrecision.NS),
            )
        except ApiException as cause:
            if cause.status is None:
                raise StoreError(f"{self._reached.url}: {str(cause.reason)[:WORDS_MAX]}") from cause
            raise judged(int(cause.status), words_of(cause.body)) from cause
        except (HTTPError, OSError) as cause:
            raise StoreError(f"{self._reached.url}: {str(cause)[:WORDS_MAX]}") from cause

    def close(self) -> None:
        """Close its connections."""
        self._v2.close()  # type: ignore[no-untyped-call]
        super().close()
