"""Response levels (等级防控): what an area stands at, and what is planned."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from hub.api.acting import known, recall, take
from hub.api.desk import Asking, Hub, Parts, Supervisor, answer
from hub.api.fields import Place, WallMs, Words
from hub.api.problems import responses
from hub.api.shapes import model_of
from hub.core.plan import Level, Levelled, divisor
from hub.journal import Note

router = APIRouter(tags=["levels"])


class PeriodShown(msgspec.Struct, frozen=True):
    """A level from one time to another: who set it, when, and why. Times are hub wall ms."""

    level: Level
    from_ms: int
    until_ms: int
    by: str
    why: str
    set_ms: int


class LevelShown(msgspec.Struct, frozen=True):
    """The level of now, by what it divides the accept limits, until when (None: until somebody sets another), and all
    periods that are not over."""

    area: str
    level: Level
    divides: int
    until_ms: int | None
    periods: list[PeriodShown]


Shape: Any = model_of(LevelShown)


class Wanted(BaseModel):
    """A level for a time. Without `from_ms`: from now; without `until_ms`: only `normal`, which then stays."""

    model_config = ConfigDict(extra="forbid")

    level: Level
    why: Words
    from_ms: WallMs | None = None
    until_ms: WallMs | None = None


@router.get("/areas/{area}/level", response_model=Shape, responses=responses(404))
async def read_level(hub: Hub, person: Asking, area: Place) -> Response:
    """What the area stands at, and what is planned."""
    known(hub, person, area)
    await recall(hub, [_notes(area)])
    return answer(_shown(hub, area))


@router.put("/areas/{area}/level", response_model=Shape, responses=responses(404, 409, 413, 503))
async def set_level(hub: Hub, person: Supervisor, area: Place, body: Wanted) -> Response:
    """Set the level for a time, in place of what was set for it. Limits that run are tightened at once."""
    known(hub, person, area)
    kept = Note(area, _notes(area), body.why)
    by = await hub.erasable.alias(person.id)
    taken = Levelled(area, body.level, by, kept.hash, body.from_ms, body.until_ms)
    await take(hub, taken, kept)
    return answer(_shown(hub, area))


def _notes(area: str) -> str:
    """Under what the reasons of an area's levels are kept."""
    return f"level-{area}"


def _shown(hub: Parts, area: str) -> LevelShown:
    plan, erasable = hub.desk.plan(area), hub.erasable
    periods = [
        PeriodShown(p.level, p.from_ms, p.until_ms, erasable.who(p.by) or p.by, erasable.text(p.why), p.set_ms)
        for p in plan.periods
    ]
    now_ms = hub.clock.now_ms()
    ends = (p.until_ms for p in plan.periods if p.from_ms <= now_ms < p.until_ms and p.level is plan.level)
    return LevelShown(area, plan.level, divisor(hub.desk.levels, plan.level), next(ends, None), periods)
