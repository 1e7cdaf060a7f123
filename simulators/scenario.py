"""A scenario: what happens to a village, as a timeline in TOML. The folder scenarios/ is the list of them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from protocol.faults import Fault, Refused, from_pydantic, shown

FOLDER = Path(__file__).parent / "scenarios"
VERBS = ("trip", "restore", "tamper", "press", "silence", "heal", "kill", "start", "value", "move")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Value(_Model):
    """Put a raw value on a device's point, in the profile's scaled unit."""

    point: str
    to: bool | int | float


class OperatorMove(_Model):
    """What somebody at the centre does to the newest incident of a rule."""

    rule: str
    move: Literal["accept", "assign", "respond", "resolve", "review", "archive", "silence"]
    by: Literal["operator", "supervisor"] = "operator"
    stage: Literal["accepted", "en_route", "on_scene"] | None = None
    who: str | None = None
    to: str | None = None
    disposition: Literal["genuine", "false_alarm", "test", "cancelled"] | None = None
    cause: str | None = None


class Step(_Model):
    """One thing that happens `at_s` seconds after the village is up; exactly one verb.

    `trip`, `restore` and `tamper` name a zone; `press` a button zone, held for `hold_s`; `silence` and `heal` a device
    of a gateway as "gateway/device"; `kill` and `start` a gateway.
    """

    at_s: Annotated[float, Field(ge=0, le=86_400)]
    trip: str | None = None
    restore: str | None = None
    tamper: str | None = None
    press: str | None = None
    hold_s: Annotated[float, Field(gt=0, le=60)] = 1.0
    silence: str | None = None
    heal: str | None = None
    kill: str | None = None
    start: str | None = None
    value: Value | None = None
    move: OperatorMove | None = None

    @model_validator(mode="after")
    def _one_verb(self) -> Self:
        found = [verb for verb in VERBS if getattr(self, verb) is not None]
        if len(found) != 1:
            raise ValueError(f"exactly one of {', '.join(VERBS)}; found {', '.join(found) or 'none'}")
        return self

    def told(self) -> str:
        """The step in a few words, for the terminal."""
        for verb in VERBS:
            what = getattr(self, verb)
            if isinstance(what, Value):
                return f"{what.point} reads {what.to}"
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
    """A named timeline. `rule` is the one it is about: that rule's incident is what it must bring forth."""

    name: str
    title: str
    rule: str
    step: Annotated[list[Step], Field(min_length=1)]

    @property
    def lasts_s(self) -> float:
        """When the last step has been played."""
        return max(step.at_s + (step.hold_s if step.press else 0) for step in self.step)


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
        scenario = Scenario.model_validate({"name": name, **table})
    except ValidationError as cause:
        raise Refused(from_pydantic(cause.errors(), path.name)) from cause
    return scenario.model_copy(update={"step": sorted(scenario.step, key=lambda step: step.at_s)})
