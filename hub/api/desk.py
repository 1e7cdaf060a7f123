"""What the endpoints stand on: the hub's parts, and who is asking."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.responses import Response

from hub.api.problems import Problem
from hub.clerk import Clerk
from hub.clock import HubClock
from hub.core.desk import Desk
from hub.core.registry import Registry
from hub.erasable import Erasable
from hub.links import Links
from hub.live import LiveStream
from hub.measuring import Measuring
from hub.metrics import Metrics
from hub.notify.telling import Telling
from hub.plain import json_of
from hub.recorder import Recorder
from hub.reloading import Reloading
from hub.settings import Person, Role
from hub.sites import Sites
from hub.store.port import TelemetryStore
from hub.throttle import Throttle
from hub.tickets import Tickets
from hub.troubles import Troubles


@dataclass(slots=True)
class Parts:
    """The running hub, as the API sees it. `broker` says why a lane's connection is down, or None while it is up;
    `chain` what was found wrong with the journal at the start, or "".
    """

    hub: str
    desk: Desk
    clerk: Clerk
    reloading: Reloading
    recorder: Recorder
    store: TelemetryStore
    measuring: Measuring
    links: Links
    sites: Sites
    live: LiveStream
    erasable: Erasable
    clock: HubClock
    metrics: Metrics
    troubles: Troubles
    telling: Telling
    people: tuple[Person, ...]
    tickets: Tickets
    broker: dict[str, str | None] = field(default_factory=dict)
    chain: str = ""
    throttle: Throttle = field(default_factory=Throttle)

    @property
    def registry(self) -> Registry:
        """The one in force."""
        return self.desk.registry


_BEARER = HTTPBearer(auto_error=False, description="A person's token; the hub knows its SHA-256.")


def parts(request: Request) -> Parts:
    """The hub behind this application."""
    found = request.app.state.parts
    assert isinstance(found, Parts)
    return found


Hub = Annotated[Parts, Depends(parts)]


def asking(hub: Hub, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> Person:
    """Who asks."""
    if given is None:
        raise Problem(HTTPStatus.UNAUTHORIZED, "no token; send Authorization: Bearer <token>")
    digest = hashlib.sha256(given.credentials.encode()).hexdigest()
    for person in hub.people:
        if person.token_sha256 == digest:
            return person
    raise Problem(HTTPStatus.UNAUTHORIZED, "nobody has this token")


Asking = Annotated[Person, Depends(asking)]


def needs(role: Role) -> Callable[[Person], Person]:
    """Who asks, if they may do what `role` may."""

    def check(person: Asking) -> Person:
        if not person.role.includes(role):
            raise Problem(HTTPStatus.FORBIDDEN, f"this takes the role {role}; {person.id} is {person.role}")
        return person

    return check


Operator = Annotated[Person, Depends(needs(Role.OPERATOR))]
Supervisor = Annotated[Person, Depends(needs(Role.SUPERVISOR))]
Admin = Annotated[Person, Depends(needs(Role.ADMIN))]


def see(person: Person, area: str) -> None:
    """Refuse what is in an area the person may not look at."""
    if not person.sees(area):
        raise Problem(HTTPStatus.FORBIDDEN, f"area {area} is not among those of {person.id}")


def seen_areas(hub: Parts, person: Person, area: str | None) -> list[str]:
    """The areas asked for: one, or all that the person may look at."""
    if area is None:
        return [known for known in sorted(hub.registry.areas) if person.sees(known)]
    see(person, area)
    return [area]


def answer(view: Any, status: int = 200) -> Response:
    """A view as JSON."""
    return Response(json_of(view), status, media_type="application/json")
