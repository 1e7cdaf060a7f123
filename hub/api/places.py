"""Groups, gateways and zones as they are now; what is not heard is unknown, never normal."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from hub.api.desk import Asking, Hub, Parts, answer, seen_areas
from hub.api.paging import Cursor, Limit, places
from hub.api.problems import responses
from hub.api.shapes import page_of
from hub.core.registry import PremisesKind, of_area
from hub.core.views import GroupView, ZoneView
from hub.links import Known
from hub.store.port import Placed, Sample, StoreError
from hub.table import Id
from protocol.kinds import Kind
from protocol.records import Condition

router = APIRouter(tags=["places"])
Health = Literal["online", "fault", "unknown"]


class GatewayShown(msgspec.Struct, frozen=True):
    """A gateway: whether it is heard within its reporting time (None: not yet known), and what it last said of itself.

    `clock` is the quality of its clock; `queued` what waits there for a receipt, by lane; times are hub wall ms.
    `rightful` is the process (instance) that commands are for, `seconds` are those of a second gateway under this id.
    """

    area: str
    id: str
    online: bool | None
    profile_ms: int
    heard_ms: int | None
    instance: str | None
    boot: int | None
    connection: int | None
    software: str | None
    config: str | None
    clock: str | None
    queued: dict[str, int]
    rightful: str | None
    seconds: list[str]


class ZoneShown(msgspec.Struct, frozen=True):
    """A zone. `health`: whether its sensor can be judged; `condition` is unknown unless something says otherwise.

    `reported`: whether its changes of condition reach the centre at all (privacy keeps a household's in the house).
    `live`: kinds of alarms and faults that began and did not end; `since_ms`: event time of the newest change.
    """

    area: str
    id: str
    premises: str
    gateway: str
    kind: str
    condition: Condition
    health: Health
    reported: bool
    live: list[Kind]
    since_ms: int | None


@router.get("/groups", response_model=page_of(GroupView), responses=responses())
async def read_groups(
    hub: Hub, person: Asking, area: Id | None = None, limit: Limit = 500, cursor: Cursor = None
) -> Response:
    """Joint-defence groups, their open incidents, and who of them is being called."""
    areas = seen_areas(hub, person, area)
    some, after = places(areas, lambda one: of_area(hub.registry.groups, one), limit, cursor)
    return answer({"items": [hub.desk.group(*key) for key in some], "next": after})


@router.get("/gateways", response_model=page_of(GatewayShown), responses=responses())
async def read_gateways(
    hub: Hub, person: Asking, area: Id | None = None, limit: Limit = 500, cursor: Cursor = None
) -> Response:
    """Gateways and their sessions."""
    areas = seen_areas(hub, person, area)
    some, after = places(areas, lambda one: of_area(hub.registry.gateways, one), limit, cursor)
    return answer({"items": [_gateway(hub.links.known[key]) for key in some], "next": after})


@router.get("/zones", response_model=page_of(ZoneShown), responses=responses(503))
async def read_zones(
    hub: Hub,
    person: Asking,
    area: Id | None = None,
    gateway: Id | None = None,
    premises: Annotated[Id | None, Query()] = None,
    limit: Limit = 500,
    cursor: Cursor = None,
) -> Response:
    """Zones and their condition, from events, births and telemetry; unknown while the gateway is not heard."""

    def wanted(one: str) -> list[str]:
        zones = of_area(hub.registry.zones, one).values()
        return [zone.id for zone in zones if gateway in (None, zone.gateway) and premises in (None, zone.premises)]

    keys, after = places(seen_areas(hub, person, area), wanted, limit, cursor)
    some = [view for key in keys if (view := hub.desk.zone(*key)) is not None]
    samples: dict[tuple[str, str], dict[str, Sample]] = {}
    for key in {(view.area, view.gateway) for view in some}:
        samples[key] = await _zone_samples(hub, *key)
    return answer({"items": [_zone(hub, view, samples[view.area, view.gateway]) for view in some], "next": after})


async def _zone_samples(hub: Parts, area: str, gateway: str) -> dict[str, Sample]:
    """The newest of each zone's points; none when the telemetry store is in trouble: then less is known, not more."""
    try:
        return {one.point: one for one in await hub.recorder.call(hub.store.latest, area, gateway, "zone/")}
    except StoreError:
        return {}


def _gateway(known: Known) -> GatewayShown:
    birth, session = known.birth, known.session
    said = session if session is not None else birth
    stamp = (session.at if session is not None else None) or (birth.at if birth is not None else None)
    return GatewayShown(
        area=known.entry.area,
        id=known.entry.id,
        online=known.told if known.heard_mono_ms is not None or known.told is False else None,
        profile_ms=known.entry.profile_ms,
        heard_ms=known.heard_ms,
        instance=said.instance if said is not None else None,
        boot=said.boot if said is not None else None,
        connection=session.connection if session is not None else None,
        software=birth.software if birth is not None else None,
        config=birth.config if birth is not None else None,
        clock=stamp.quality.value if stamp is not None else None,
        queued={lane.value: count for lane, count in session.queued.items()} if session is not None else {},
        rightful=known.speakers.rightful,
        seconds=list(known.speakers.seconds),
    )


def _zone(hub: Parts, view: ZoneView, samples: dict[str, Sample]) -> ZoneShown:
    known = hub.links.known[view.area, view.gateway]
    premises = hub.registry.premises[view.area, view.premises]
    reported = premises.kind is not PremisesKind.HOUSEHOLD or premises.report_every
    heard = known.told is True and known.heard_mono_ms is not None
    born = known.zones.get(view.id)
    health, condition = "unknown", Condition.UNKNOWN
    if heard:
        said = _fresh(known, samples.get(f"zone/{view.id}/health"))
        health = said or (born.health if born is not None else "unknown")
        told = _fresh(known, samples.get(f"zone/{view.id}"))
        if view.live:
            condition = view.condition
        elif health != "online":
            condition = Condition.FAULT if health == "fault" else Condition.UNKNOWN
        elif told is not None and told in Condition._value2member_map_:
            condition = Condition(told)
        elif reported and born is not None and born.condition is not None:
            condition = born.condition
        else:
            condition = view.condition
    return ZoneShown(
        area=view.area,
        id=view.id,
        premises=view.premises,
        gateway=view.gateway,
        kind=view.kind,
        condition=condition,
        health=health if health in ("online", "fault") else "unknown",  # type: ignore[arg-type]
        reported=reported,
        live=view.live,
        since_ms=view.since_ms,
    )


def _fresh(known: Known, found: Sample | None) -> str | None:
    """What a reading says, if it is one of the process now running: an older one told of another time."""
    if found is None or known.birth is None or found.instance != known.birth.instance or found.placed is Placed.ARRIVAL:
        return None
    return str(found.value)
