"""A scenario: what happens to a village, as a timeline in TOML. The folder scenarios/ is the list of them."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hub.core.acts import Answer, Disposition, Move, Stage
from hub.core.plan import Level
from protocol.faults import Fault, Refused, from_pydantic, shown
from simulators.scenes.expect import Expect
from simulators.scenes.holds import InService, OutOfService, Shelf, Unshelf
from simulators.scenes.places import (
    DeviceId,
    GatewayId,
    GroupId,
    PremisesId,
    ProcessId,
    RuleId,
    SiteId,
    ZoneId,
    places,
)

FOLDER = Path(__file__).parent / "scenarios"
VERBS = (
    "trip", "restore", "tamper", "press", "flap", "value", "silence", "heal", "kill", "start", "power", "cut", "mend",
    "clock", "journal", "order", "rehouse", "level", "answer", "drill", "move",
    "shelve", "unshelve", "out_of_service", "in_service",
)  # fmt: skip
VIRTUAL = frozenset(
    {"power", "cut", "mend", "clock", "journal", "order", "rehouse", "level", "answer"}
    | {"shelve", "unshelve", "out_of_service", "in_service"}
)
"""Verbs that only virtual time knows."""
STEPS_MAX = 1_000


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Value(_Model):
    """Put a raw value on a device's point, in the profile's scaled unit."""

    point: str
    to: bool | int | float


class OperatorMove(_Model):
    """What somebody at the centre does to the newest incident of a rule, or of a premises by that rule.

    `refused` are words of the reason why it may not be done; without it, it may.
    """

    rule: RuleId
    move: Move
    by: str = "operator"
    premises: PremisesId | None = None
    stage: Stage | None = None
    who: str | None = None
    to: str | None = None
    disposition: Disposition | None = None
    cause: str | None = None
    refused: str | None = None


class HouseOrder(_Model):
    """What somebody with the right to it has done at a premises; `refused` are words of why it is not done."""

    premises: PremisesId
    do: Literal["arm_home", "arm_away", "disarm", "reset", "bypass", "test", "silence"]
    zone: ZoneId | None = None
    refused: str | None = None


class ClockTurn(_Model):
    """A gateway's clock: without a time, right again, or set wrong by so many seconds."""

    gateway: GatewayId
    to: Literal["unset", "right"] | Annotated[int, Field(ge=-10_000_000, le=10_000_000)]


class Rehoused(_Model):
    """A household belongs to other groups now; the hub knows from its next start, or takes it while it runs
    (`live`)."""

    premises: PremisesId
    groups: list[GroupId]
    live: bool = False


class LevelSet(_Model):
    """A supervisor sets the response level of the area, for so long."""

    to: Level
    for_s: Annotated[float, Field(gt=0, le=86_400)] = 3_600.0


class NeighbourAnswer(_Model):
    """What a member says who was called for the newest incident of a rule, by phone to the operator."""

    rule: RuleId
    premises: PremisesId
    say: Answer


class DrillAct(_Model):
    """What a supervisor does with a drill: plan it at premises and head households of groups, `in_s` from now or at
    once, and start, end or break off the one that was planned last. `refused` are words of why it may not be."""

    do: Literal["plan", "start", "end", "abort"]
    kind: Literal["panic", "fire", "gas"] = "panic"
    premises: list[PremisesId] = []
    groups: list[GroupId] = []
    in_s: Annotated[float, Field(gt=0, le=86_400)] | None = None
    lasts_s: Annotated[int, Field(ge=60, le=14_400)] = 900
    refused: str | None = None


class Network(_Model):
    """What the line does to single messages: shares lost, doubled and late, and the usual delay in ms."""

    lost: Annotated[float, Field(ge=0, le=0.9)] = 0.0
    doubled: Annotated[float, Field(ge=0, le=1)] = 0.0
    late: Annotated[float, Field(ge=0, le=1)] = 0.0
    delay_ms: Annotated[float, Field(gt=0, le=10_000)] = 20.0

    @property
    def shares(self) -> tuple[float, float, float, float]:
        """Lost, doubled, late, and the delay."""
        return self.lost, self.doubled, self.late, self.delay_ms


class Step(_Model):
    """One thing that happens `at_s` seconds after the village is up; exactly one verb.

    `trip`, `restore` and `tamper` name a zone; `flap` one that trips `times`, each time for half of `every_s`; `press`
    a button zone, held for `hold_s`; `silence` and `heal` a device of a gateway as "gateway/device"; `kill` and
    `start` a gateway, the hub or the broker; `power` is a gateway's supply: it boots anew at its `start`; `cut` and
    `mend` a gateway's line to the broker, or the hub's; `journal` the hub's disk.
    """

    at_s: Annotated[float, Field(ge=0, le=172_800)]
    trip: ZoneId | None = None
    restore: ZoneId | None = None
    tamper: ZoneId | None = None
    press: ZoneId | None = None
    hold_s: Annotated[float, Field(gt=0, le=3_600)] = 1.0
    flap: ZoneId | None = None
    times: Annotated[int, Field(ge=1, le=500)] = 1
    every_s: Annotated[float, Field(gt=0, le=3_600)] = 2.0
    silence: DeviceId | None = None
    heal: DeviceId | None = None
    kill: ProcessId | None = None
    start: ProcessId | None = None
    power: GatewayId | None = None
    cut: SiteId | None = None
    mend: SiteId | None = None
    clock: ClockTurn | None = None
    journal: Literal["fails", "well"] | None = None
    order: HouseOrder | None = None
    rehouse: Rehoused | None = None
    level: LevelSet | None = None
    answer: NeighbourAnswer | None = None
    drill: DrillAct | None = None
    value: Value | None = None
    move: OperatorMove | None = None
    shelve: Shelf | None = None
    unshelve: Unshelf | None = None
    out_of_service: OutOfService | None = None
    in_service: InService | None = None

    @model_validator(mode="after")
    def _one_verb(self) -> Self:
        found = [verb for verb in VERBS if getattr(self, verb) is not None]
        if len(found) != 1:
            raise ValueError(f"exactly one of {', '.join(VERBS)}; found {', '.join(found) or 'none'}")
        return self

    @property
    def verb(self) -> str:
        """Its verb."""
        return next(verb for verb in VERBS if getattr(self, verb) is not None)

    @property
    def lasts_s(self) -> float:
        """How long it goes on."""
        return self.hold_s if self.press else self.times * self.every_s if self.flap else 0.0

    def told(self) -> str:
        """The step in a few words, for the terminal."""
        for verb in VERBS:
            what = getattr(self, verb)
            if isinstance(what, Shelf | Unshelf | OutOfService | InService):
                return what.told()
            if isinstance(what, Value):
                return f"{what.point} reads {what.to}"
            if isinstance(what, HouseOrder):
                return f"{what.premises}: {what.do.replace('_', ' ')}"
            if isinstance(what, ClockTurn):
                return f"clock of {what.gateway}: {what.to}"
            if isinstance(what, LevelSet):
                return f"response level {what.to.value} for {what.for_s:g} s"
            if isinstance(what, NeighbourAnswer):
                return f"{what.premises} answers {what.say.value.replace('_', ' ')}"
            if isinstance(what, DrillAct):
                return f"{what.do} a drill{''.join(f' at {one}' for one in (*what.premises, *what.groups))}"
            if isinstance(what, Rehoused):
                return f"{what.premises} belongs to {', '.join(what.groups) or 'no group'}"
            if isinstance(what, OperatorMove):
                return f"{what.by}: {what.move.replace('_', ' ')} {what.rule}{_of(what)}"
            if what is not None:
                return f"{verb} {what}"
        raise AssertionError("a step has a verb")


def _of(move: OperatorMove) -> str:
    said = (move.to, move.who, move.stage, move.disposition, move.cause)
    words = [word.replace("_", " ") for word in said if word]
    return f" ({', '.join(words)})" if words else ""


class Scenario(_Model):
    """A named timeline. `rule` is the one it is about: that rule's incident is what it must bring forth.

    It lasts `tail_s` longer than its last step. `real` scenarios are also played over real processes.
    """

    name: str
    title: str
    rule: RuleId
    tail_s: Annotated[float, Field(ge=0, le=86_400)] = 10.0
    real: bool = False
    network: Network = Network()
    step: Annotated[list[Step], Field(min_length=1, max_length=STEPS_MAX)]
    expect: Expect | None = None

    @model_validator(mode="after")
    def _playable(self) -> Self:
        virtual = sorted({step.verb for step in self.step} & VIRTUAL)
        if self.real and virtual:
            raise ValueError(f"real = false: {', '.join(virtual)} are done in virtual time alone")
        return self

    @property
    def lasts_s(self) -> float:
        """When the last step has been played."""
        return max(step.at_s + step.lasts_s for step in self.step)


def names(folder: Path = FOLDER) -> list[str]:
    """Every scenario there is."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def load(name: str, folder: Path = FOLDER) -> Scenario:
    """Read one scenario. Raises Refused with every fault."""
    path = folder / f"{name}.toml"
    if not path.is_file():
        raise Refused([Fault("scenario", "name", shown(name), f"one of {', '.join(names(folder))}")])
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as cause:
        raise Refused([Fault(path.name, "file", str(cause), "valid TOML")]) from cause
    try:
        scenario = Scenario.model_validate({"name": name, **table}, context=places())
    except ValidationError as cause:
        raise Refused(from_pydantic(cause.errors(), path.name)) from cause
    return scenario.model_copy(update={"step": sorted(scenario.step, key=lambda step: step.at_s)})


def load_all(wanted: Sequence[str], folder: Path = FOLDER) -> list[Scenario]:
    """Read several, or all there are where none is named. Raises Refused with every fault of every file."""
    found: list[Scenario] = []
    faults: list[Fault] = []
    for name in wanted or names(folder):
        try:
            found.append(load(name, folder))
        except Refused as refused:
            faults += refused.faults
    if faults:
        raise Refused(faults)
    return found
