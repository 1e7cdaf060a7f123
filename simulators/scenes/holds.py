"""What operators shelve and supervisors take out of service in a scenario, in its own words and in the desk's."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hub.core.hold import At, PutBack, Shelved, Sort, TakenOut
from simulators.scenes.places import GatewayId, PremisesId, RuleId, ZoneId
from simulators.world.village import AREA

WORDS = "0" * 64
REASON = "nuisance"


class Somewhere(BaseModel):
    """A zone, a premises or a gateway; `refused` are words of the reason why it may not be done."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zone: ZoneId | None = None
    premises: PremisesId | None = None
    gateway: GatewayId | None = None
    refused: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(one is not None for one in (self.zone, self.premises, self.gateway)) != 1:
            raise ValueError("exactly one of zone, premises, gateway")
        return self

    @property
    def at(self) -> At:
        """What sort of place it is."""
        return At.ZONE if self.zone else At.PREMISES if self.premises else At.GATEWAY

    @property
    def place(self) -> str:
        """The place."""
        return self.zone or self.premises or self.gateway or ""


class Shelf(Somewhere):
    """Shelved by an operator or a supervisor for so long, all of it or one rule."""

    rule: RuleId | None = None
    for_s: Annotated[float, Field(gt=0, le=864_000)] = 3_600.0
    by: Literal["operator", "supervisor"] = "operator"

    def told(self) -> str:
        """In a few words."""
        return f"{self.by}: shelve {self.place}{_of(self.rule)} for {self.for_s:g} s"

    def asked(self, now_ms: int) -> Shelved:
        """To the desk."""
        until_ms = now_ms + int(self.for_s * 1000)
        supervisor = self.by == "supervisor"
        return Shelved(AREA, self.at, self.place, self.by, REASON, WORDS, until_ms, self.rule, supervisor)


class Unshelf(Somewhere):
    """A shelf is ended before its time."""

    rule: RuleId | None = None

    def told(self) -> str:
        """In a few words."""
        return f"operator: unshelve {self.place}{_of(self.rule)}"

    def asked(self, now_ms: int) -> PutBack:
        """To the desk."""
        return PutBack(AREA, Sort.SHELVED, self.at, self.place, "operator", self.rule)


class OutOfService(Somewhere):
    """Taken out of service by a supervisor, to be looked at again after so long."""

    review_s: Annotated[float, Field(gt=0, le=10_000_000)] = 604_800.0

    def told(self) -> str:
        """In a few words."""
        return f"supervisor: {self.place} out of service"

    def asked(self, now_ms: int) -> TakenOut:
        """To the desk."""
        review_ms = now_ms + int(self.review_s * 1000)
        return TakenOut(AREA, self.at, self.place, "supervisor", "planned_maintenance", WORDS, review_ms)


class InService(Somewhere):
    """Put back in service."""

    def told(self) -> str:
        """In a few words."""
        return f"supervisor: {self.place} in service again"

    def asked(self, now_ms: int) -> PutBack:
        """To the desk."""
        return PutBack(AREA, Sort.OUT_OF_SERVICE, self.at, self.place, "supervisor")


def _of(rule: str | None) -> str:
    return f" ({rule})" if rule else ""
