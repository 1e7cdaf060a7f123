"""What somebody outside says of the hub: Grafana's alert rules, by its webhook. They tell what the hub itself cannot,
and so it goes the way of the hub's own trouble: to the live stream, and to whoever looks after the hub."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from hub.api.desk import Hub, Operator, Parts, answer, see
from hub.api.problems import Problem, responses
from hub.api.shapes import model_of
from hub.notify.notice import WATCH
from hub.table import Id
from protocol.faults import Fault, shown

router = APIRouter(tags=["watch"])
ALERTS_MAX = 100
PARTS_MAX = 64
"""Different alerts a hub hears of until its restart; each is a series of its metrics."""


class Labels(BaseModel):
    """`lianfang` is the rule's name; `area` where it is of one."""

    model_config = ConfigDict(extra="ignore")
    lianfang: Id | None = None
    area: Id | None = None


class Annotations(BaseModel):
    """`summary` is read by people."""

    model_config = ConfigDict(extra="ignore")
    summary: Annotated[str, Field(max_length=500)] = ""


class Alert(BaseModel):
    """One alert as Grafana sends it; what it says besides is not looked at."""

    model_config = ConfigDict(extra="ignore")
    status: Literal["firing", "resolved"]
    labels: Labels
    annotations: Annotations = Annotations()


class Alerts(BaseModel):
    """Grafana's webhook."""

    model_config = ConfigDict(extra="ignore")
    alerts: Annotated[list[Alert], Field(max_length=ALERTS_MAX)]


class Watched(msgspec.Struct, frozen=True):
    """The alerts that stand now, by rule, or rule and area."""

    standing: list[str]


@router.post("/alerts", response_model=model_of(Watched), responses=responses(409, 413))
async def take_alerts(hub: Hub, person: Operator, body: Alerts) -> Response:
    """Take alerts that began or are over. One of a rule that is not this product's (no label `lianfang`) is refused,
    with all that came with it."""
    _check(hub, body)
    for alert in body.alerts:
        if alert.labels.area is not None:
            see(person, alert.labels.area)
    for alert in body.alerts:
        firing = alert.status == "firing"
        hub.troubles.tell(_part(alert), (alert.annotations.summary or "no summary") if firing else None)
    return answer(Watched(sorted(part for part in hub.troubles.standing if part.startswith(WATCH))))


def _check(hub: Parts, body: Alerts) -> None:
    faults = []
    for at, alert in enumerate(body.alerts):
        labels = alert.labels
        if labels.lianfang is None:
            faults.append(Fault("body", f"alerts[{at}].labels.lianfang", "nothing", "the name of a rule of ours"))
        if labels.area is not None and labels.area not in hub.registry.areas:
            faults.append(
                Fault("body", f"alerts[{at}].labels.area", shown(labels.area), "an area of the registry, or none")
            )
    if faults:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{len(faults)} fault(s) in the alerts", faults)
    parts = {part for part in hub.troubles.known if part.startswith(WATCH)} | {_part(one) for one in body.alerts}
    if len(parts) > PARTS_MAX:
        raise Problem(HTTPStatus.CONFLICT, f"{len(parts)} different alerts; at most {PARTS_MAX} until the next start")


def _part(alert: Alert) -> str:
    labels = alert.labels
    return f"{WATCH}{labels.lianfang}" + (f"/{labels.area}" if labels.area is not None else "")
