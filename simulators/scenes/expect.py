"""What a scenario expects, as its TOML says it. What is not given is not looked at, other incidents apart."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hub.core.acts import Disposition
from hub.core.drill import DrillState
from hub.core.effects import Rung
from hub.core.incident import State
from protocol.kinds import Kind
from protocol.messages import Outcome
from simulators.scenes.places import GatewayId, GroupId, PremisesId, RuleId, Who, ZoneId

Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0)]
WITHIN_S = 1.5


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExpectedIncident(_Model):
    """One incident at the end, each key checked exactly where it is given.

    `called` are those with a call, `not_called` words of the reason; `late_s` is [from, to] or "unknown"; `pages`
    counts by rung, a rung left out is none; `told` are words of its history in this order; `parent` is its rule.
    """

    rule: RuleId
    priority: Literal["P1", "P2", "P3", "P4"] | None = None
    premises: list[PremisesId] | None = None
    zones: list[ZoneId] | None = None
    gateways: list[GatewayId] | None = None
    group: GroupId | Literal["none"] | None = None
    parent: RuleId | Literal["none"] | None = None
    children: Count | None = None
    state: State | None = None
    presses: Count | None = None
    conditions: list[str] | None = None
    silent: bool | None = None
    late_s: tuple[Seconds, Seconds] | Literal["unknown"] | None = None
    why: str | None = None
    called: Who | None = None
    answers: dict[Outcome, Who] | None = None
    not_called: str | None = None
    stood_down: Who | None = None
    rung: Rung | None = None
    pages: dict[Rung, Count] | None = None
    disposition: Disposition | None = None
    accepted_by: str | None = None
    told: list[str] | None = None


class Ringing(_Model):
    """Sirens that sound from one second of the scenario to another; without `until_s` they still do at its end."""

    who: Who
    from_s: Seconds
    until_s: Seconds | None = None
    within_s: Annotated[float, Field(gt=0, le=60)] = WITHIN_S

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.until_s is not None and self.until_s <= self.from_s:
            raise ValueError("until_s after from_s")
        return self


class Flooding(_Model):
    """A flood of alarms, from one second of the scenario to another; without `until_s` it goes on at its end."""

    from_s: Seconds
    until_s: Seconds | None = None
    alarms: Count | None = None


class ExpectedProof(_Model):
    """A gateway's nightly proof at the end: whether there is a whole one, whether it is a fault by now, and words of
    what went wrong."""

    proved: bool | None = None
    overdue: bool | None = None
    trouble: str | None = None


class ExpectedDrill(_Model):
    """A drill at the end, in the order of their plans. `answered` said something, `unconfirmed` sirens did not ring;
    `reason` are words of why it ended; the times are bounds [from, to] in s from its start."""

    state: DrillState
    premises: list[PremisesId] | None = None
    called: Who | None = None
    answered: Who | None = None
    unconfirmed: Who | None = None
    unreachable: list[GatewayId] | None = None
    reason: str | None = None
    rang_s: tuple[Seconds, Seconds] | None = None
    going_s: tuple[Seconds, Seconds] | None = None


class Expect(_Model):
    """All of it. Once a scenario expects anything, incidents it does not name are a difference, and none is one too.

    `rings` names every sounding of the sirens it speaks of: any other siren then stays silent. `silent` are sirens
    that never sound. `records` counts what the hub was told, by kind; "panic restore" and "panic present" are others.
    """

    incident: list[ExpectedIncident] = []
    others: bool = False
    rings: list[Ringing] | None = None
    silent: Who | None = None
    records: dict[str, Count] = {}
    floods: list[Flooding] | None = None
    stale: list[str] | None = None
    chattering: list[str] | None = None
    shelved: list[str] | None = None
    suppressed: dict[str, list[str]] | None = None
    proofs: dict[GatewayId, ExpectedProof] = {}
    drills: list[ExpectedDrill] | None = None

    @model_validator(mode="after")
    def _known_records(self) -> Self:
        known = {kind.value for kind in Kind}
        for name in self.records:
            kind, _, qualifier = name.partition(" ")
            if kind not in known or qualifier not in ("", "restore", "present"):
                raise ValueError(f"records: {name!r}: a kind of record, alone or with restore or present")
        return self
