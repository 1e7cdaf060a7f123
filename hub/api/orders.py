"""Orders to one premises: given by an operator or supervisor with a reason, signed, and followed to their outcome."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Path
from msgspec.structs import replace
from pydantic import Field, model_validator
from starlette.responses import Response

from hub.api.acting import recall, take
from hub.api.desk import Asking, Hub, Operator, Parts, answer, see
from hub.api.fields import Place, Words
from hub.api.incidents import Body
from hub.api.paging import Cursor, Limit, page
from hub.api.problems import Problem, responses
from hub.api.shapes import model_of, page_of
from hub.core.instruction import ALLOWED, Instructed, Instruction
from hub.journal import Note
from hub.settings import Role
from hub.table import Id
from protocol.messages import Action

router = APIRouter(tags=["orders"])
Which = Annotated[Id, Path(description="the premises")]
Ordered = Literal["arm", "disarm", "reset", "silence", "bypass", "test", "refresh"]
assert set(get_args(Ordered)) == set(ALLOWED), "what the desk takes is what may be asked for"
GRAVE = frozenset({Action.ARM, Action.DISARM, Action.BYPASS})
"""They change what a premises watches over: a supervisor's."""
Shape: Any = model_of(Instruction)


class Order(Body):
    """What is ordered, and why: no order goes out without a reason. `mode` is for arm, and `force` to leave out what
    hinders it; `zone` for bypass (and, if only one is to be reset, reset); `siren_s` for test: how long it sounds,
    if at all."""

    action: Ordered
    reason: Words
    mode: Literal["armed_home", "armed_away"] | None = None
    force: bool = False
    zone: Id | None = None
    siren_s: Annotated[int, Field(ge=0, le=10)] = 0

    @model_validator(mode="after")
    def _goes_together(self) -> Order:
        if (self.action == "arm") != (self.mode is not None):
            raise ValueError("`mode` with arm, and only with arm")
        if self.force and self.action != "arm":
            raise ValueError("`force` only with arm")
        if self.action == "bypass" and self.zone is None:
            raise ValueError("`zone` with bypass: the zone to be left out")
        if self.zone is not None and self.action not in ("bypass", "reset"):
            raise ValueError("`zone` only with bypass or reset")
        if self.siren_s and self.action != "test":
            raise ValueError("`siren_s` only with test")
        return self


@router.post(
    "/premises/{area}/{premises}/orders",
    response_model=Shape,
    responses=responses(404, 409, 413, 503),
)
async def give(hub: Hub, person: Operator, area: Place, premises: Which, body: Order) -> Response:
    """Order something of a premises. It is on its way once this answers; what the gateway says is read by GET."""
    _check(hub, person, area, premises)
    if body.action in GRAVE and not person.role.includes(Role.SUPERVISOR):
        words = f"{body.action} takes the role {Role.SUPERVISOR}; {person.id} is {person.role}"
        raise Problem(HTTPStatus.FORBIDDEN, words)
    order = f"order-{secrets.token_hex(8)}"
    kept = Note(area, order, body.reason)
    taken = Instructed(
        area,
        order,
        premises,
        Action(body.action),
        await hub.erasable.alias(person.id),
        kept.hash,
        mode=body.mode,
        zone=body.zone,
        duration_ms=body.siren_s * 1000,
        force=body.force,
    )
    await take(hub, taken, kept)
    made = next((one for one in hub.desk.instructions(area, premises) if one.id == order), None)
    if made is None:
        raise Problem(HTTPStatus.CONFLICT, f"order {order} was given, and more were given since than are remembered")
    return answer(_shown(hub, made))


@router.get("/premises/{area}/{premises}/orders", response_model=page_of(Instruction), responses=responses(404))
async def read(
    hub: Hub, person: Asking, area: Place, premises: Which, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """What was ordered of a premises, the newest first, with what its gateway said."""
    _check(hub, person, area, premises)
    found = sorted(hub.desk.instructions(area, premises), key=_place)
    some, after = page(found, _place, limit, cursor)
    await recall(hub, (one.id for one in some))
    return answer({"items": [_shown(hub, one) for one in some], "next": after})


def _place(made: Instruction) -> str:
    return f"{2**53 - made.at_ms:016d}.{made.id}"


def _check(hub: Parts, person: Asking, area: str, premises: str) -> None:
    see(person, area)
    if (area, premises) not in hub.registry.premises:
        raise Problem(HTTPStatus.NOT_FOUND, f"no premises {premises} in area {area}")


def _shown(hub: Parts, made: Instruction) -> Instruction:
    return replace(made, by=hub.erasable.who(made.by) or "", why=hub.erasable.text(made.why))
