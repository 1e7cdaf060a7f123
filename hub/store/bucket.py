"""Time series servers by the v2 write API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast

from influxdb_client.client.exceptions import InfluxDBError
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
        self._v2 = client_of(access)
        self._writes = self._v2.write_api(write_options=SYNCHRONOUS)

    def write(self, lines: Sequence[bytes]) -> None:
        """As `Server` says."""
        with said(self._reached.url):
            self._writes.write(
                bucket=self._reached.database,
                org=self._reached.org,
                record=b"\n".join(lines),
                write_precision=cast(WritePrecision, WritePrecision.NS),
            )

    def close(self) -> None:
        """Close its connections."""
        self._v2.close()  # type: ignore[no-untyped-call]
        super().close()


def client_of(access: Access) -> InfluxDBClient:
    """A client of the v2 API."""
    return InfluxDBClient(
        url=access.url,
        token=access.token or f"{access.username}:{access.password}",
        org=access.org,
        timeout=access.timeout_ms,
        enable_gzip=True,
        verify_ssl=access.verify,
        ssl_ca_cert=None if access.ca is None else str(access.ca),
    )


@contextmanager
def said(url: str) -> Iterator[None]:
    """The library's trouble in our words."""
    try:
        yield
    except ApiException as cause:
        if cause.status is None:
            raise StoreError(f"{url}: {str(cause.reason)[:WORDS_MAX]}") from cause
        raise judged(int(cause.status), words_of(cause.body)) from cause
    except (InfluxDBError, HTTPError, OSError) as cause:
        raise StoreError(f"{url}: {str(cause)[:WORDS_MAX]}") from cause
