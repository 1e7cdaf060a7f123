"""`lianfang telemetry init` at InfluxDB 2.x and 3: buckets with retention, and names by which InfluxQL finds them.

Buckets are named as the 1.x API names them, `DATABASE` for the readings and `DATABASE/POLICY` for the copies: 2.x maps
those to database and retention policy, 3 has databases of such names. It has not yet met a server of either.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.domain.bucket import Bucket
from influxdb_client.domain.bucket_retention_rules import BucketRetentionRules
from influxdb_client.domain.dbrp import DBRP
from influxdb_client.domain.dbrp_create import DBRPCreate
from influxdb_client.domain.dbrp_update import DBRPUpdate
from influxdb_client.rest import ApiException
from influxdb_client.service.dbr_ps_service import DBRPsService

from hub.store.bucket import client_of, said
from hub.store.init import RAW, wanted
from hub.store.levels import Kept
from hub.store.port import StoreError
from hub.store.server import WORDS_MAX, Access, tls, words_of

DAY_S = 86_400


def name_of(database: str, policy: str) -> str:
    """The bucket, or in 3 the database, of a retention policy."""
    return database if policy == RAW else f"{database}/{policy}"


def init(access: Access, kept: Kept) -> Iterator[str]:
    """2.x: make and change what is not as it should be; says each step, and nothing the second time. Raises
    StoreError."""
    with client_of(access) as client:
        service = DBRPsService(client.api_client)  # type: ignore[no-untyped-call]
        for policy, days in wanted(kept).items():
            with said(access.url):
                bucket, step = _bucket(client, access.org, name_of(access.database, policy), days)
            if step:
                yield step
            with said(access.url):
                step = _mapping(service, access, policy, bucket)
            if step:
                yield step


def init3(access: Access, kept: Kept) -> Iterator[str]:
    """3: make the databases that are not there; one whose retention another was made with stays, as 3 cannot change it.
    Raises StoreError."""
    headers = {"Authorization": f"Bearer {access.token}"}
    at = "/api/v3/configure/database"
    with httpx.Client(
        base_url=access.url, headers=headers, verify=tls(access), timeout=access.timeout_ms / 1000, trust_env=False
    ) as client:
        try:
            answer = client.get(at, params={"format": "json"})
            rows = answer.json() if answer.status_code == httpx.codes.OK else None
            if not isinstance(rows, list):
                raise StoreError(f"{access.url}: {answer.status_code} {words_of(answer.content)}")
            known = {str(value) for row in rows for value in (row.values() if isinstance(row, dict) else [row])}
            for policy, days in wanted(kept).items():
                name = name_of(access.database, policy)
                if name in known:
                    continue
                answer = client.post(at, json={"db": name, "retention_period": f"{days}d"})
                if answer.is_success:
                    yield f"database {name}: made, {days} days"
                elif policy == RAW:
                    raise StoreError(f"{access.url}: database {name}: {answer.status_code} {words_of(answer.content)}")
                else:  # a name with a stroke is one that only its 1.x API may make
                    words = f"{answer.status_code} {words_of(answer.content)}"
                    yield f"database {name}: not made ({words}); it is at the first write, and keeps for ever"
        except (httpx.HTTPError, ValueError) as cause:
            raise StoreError(f"{access.url}: {(str(cause) or type(cause).__name__)[:WORDS_MAX]}") from cause


def version(access: Access) -> int:
    """The server's major version, as it says itself; 2 where it says none. Raises StoreError."""
    try:
        with httpx.Client(verify=tls(access), timeout=access.timeout_ms / 1000, trust_env=False) as client:
            answer = client.get(f"{access.url}/ping", headers={"Authorization": f"Token {access.token}"})
    except httpx.HTTPError as cause:
        raise StoreError(f"{access.url}: {(str(cause) or type(cause).__name__)[:WORDS_MAX]}") from cause
    major = answer.headers.get("X-Influxdb-Version", "").removeprefix("v").partition(".")[0]
    return int(major) if major in ("1", "2", "3") else 2


def _bucket(client: InfluxDBClient, org: str, name: str, days: int) -> tuple[Bucket, str]:
    """The bucket as it should be, and the step that it took."""
    buckets = client.buckets_api()
    rules = BucketRetentionRules(type="expire", every_seconds=days * DAY_S)  # type: ignore[no-untyped-call]
    try:
        listed = buckets.find_buckets(org=org, name=name)  # type: ignore[no-untyped-call]
        found = next((one for one in listed.buckets or () if one.name == name), None)
    except ApiException as cause:
        if cause.status != httpx.codes.NOT_FOUND:
            raise
        found = None
    if found is None:
        return buckets.create_bucket(
            bucket_name=name, retention_rules=rules, org=org
        ), f"bucket {name}: made, {days} days"
    every_s = next((rule.every_seconds for rule in found.retention_rules or ()), 0)
    if every_s == days * DAY_S:
        return found, ""
    found.retention_rules = [rules]
    was = f"{every_s // DAY_S} days" if every_s else "for ever"
    return buckets.update_bucket(found), f"bucket {name}: changed from {was} to {days} days"


def _mapping(service: DBRPsService, access: Access, policy: str, bucket: Bucket) -> str:
    """The step that it took to have database and policy mean the bucket; readings are the default policy."""
    default = policy == RAW
    database, of = access.database, {"org_id": bucket.org_id}
    listed = service.get_dbr_ps(db=database, **of).content or ()  # type: ignore[no-untyped-call]
    found: DBRP | None = next((one for one in listed if one.retention_policy == policy and not one.virtual), None)
    if found is None:
        wish = DBRPCreate(  # type: ignore[no-untyped-call]
            bucket_id=bucket.id, database=database, retention_policy=policy, default=default, **of
        )
        service.post_dbrp(wish)  # type: ignore[no-untyped-call]
        return f"InfluxQL {database}.{policy}: mapped to bucket {bucket.name}"
    if found.bucket_id != bucket.id:
        raise StoreError(
            f"InfluxQL {database}.{policy} is mapped to another bucket ({found.bucket_id}): "
            f"influx v1 dbrp delete --id {found.id}, then again"
        )
    if default and not found.default:
        change = DBRPUpdate(retention_policy=policy, default=True)  # type: ignore[no-untyped-call]
        service.patch_dbrpid(found.id, change, **of)  # type: ignore[no-untyped-call]
        return f"InfluxQL {database}.{policy}: made the default"
    return ""
