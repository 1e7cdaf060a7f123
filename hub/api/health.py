"""Is the hub well, and what does it count."""

from __future__ import annotations

from typing import Literal

import msgspec
from fastapi import APIRouter
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import Response

from hub import gauges
from hub.api.desk import Asking, Hub, answer, seen_areas
from hub.api.problems import responses
from hub.api.shapes import model_of
from hub.core.views import Counts
from hub.table import Id
from hub.troubles import REGISTRY

router = APIRouter(tags=["health"])
summary = APIRouter(tags=["health"])


class Health(msgspec.Struct, frozen=True):
    """Whether alarms can be taken, and each part's trouble in words ("" when it has none).

    `registry`: why the newest registry is not in force. `since_ms`: since when (hub wall ms) a part has its trouble.
    """

    status: Literal["ok", "degraded", "down"]
    hub: str
    hub_ms: int
    journal: str
    telemetry: str
    registry: str
    broker: dict[str, str]
    since_ms: dict[str, int]


@router.get("/healthz", response_model=model_of(Health), responses={503: {"model": model_of(Health)}})
async def healthz(hub: Hub) -> Response:
    """200 while alarms are taken and committed; 503 when the journal or the alarm lane's broker is down."""
    broker = {lane: why or "" for lane, why in hub.broker.items()}
    down = bool(hub.clerk.down or broker.get("alarm"))
    refused = hub.troubles.standing.get(REGISTRY)
    degraded = bool(hub.recorder.trouble or hub.chain or refused or any(broker.values()))
    view = Health(
        status="down" if down else "degraded" if degraded else "ok",
        hub=hub.hub,
        hub_ms=hub.clock.now_ms(),
        journal=hub.clerk.down or hub.chain,
        telemetry=hub.recorder.trouble or "",
        registry=refused.why if refused is not None else "",
        broker=broker,
        since_ms={part: trouble.since_ms for part, trouble in hub.troubles.standing.items()},
    )
    return answer(view, 503 if down else 200)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(hub: Hub) -> Response:
    """Prometheus' text."""
    gauges.look(hub.metrics, hub.desk, hub.store.tally, hub.clock.now_ms())
    hub.sites.count()
    return Response(hub.metrics.text(), media_type=CONTENT_TYPE_LATEST)


@summary.get("/counts", response_model=model_of(Counts), responses=responses())
async def counts(hub: Hub, person: Asking, area: Id) -> Response:
    """Live counts of an area, for a head line."""
    seen_areas(hub, person, area)
    return answer(hub.desk.counts(area))
