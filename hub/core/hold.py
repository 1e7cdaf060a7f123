"""What people keep from telling: alarms shelved for a time, places out of service (ISA-18.2, IEC 62682)."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from protocol.kinds import Priority


class Sort(StrEnum):
    """Why an alarm is withheld: a person shelved it, its place is out of service, or by design."""

    SHELVED = "shelved"
    OUT_OF_SERVICE = "out_of_service"
    SUPPRESSED = "suppressed"


class At(StrEnum):
    """What sort of place an alarm comes of."""

    ZONE = "zone"
    PREMISES = "premises"
    GATEWAY = "gateway"


class Shelved(msgspec.Struct, frozen=True, tag="shelved", omit_defaults=True):
    """Somebody shelves the alarms of a place, or of one rule there, until a time (hub wall ms).

    `reason` is one of the hub's list, `why` the salted hash of the words to it; `by` is an opaque person id, and
    `supervisor` whether they were one: only these shelve a P2.
    """

    area: str
    at: At
    place: str
    by: str
    reason: str
    why: str
    until_ms: int
    rule: str | None = None
    supervisor: bool = False


class TakenOut(msgspec.Struct, frozen=True, tag="taken_out"):
    """A supervisor takes a place out of service. `review_ms` (hub wall) is when somebody must look at it again; the
    rest as of `Shelved`."""

    area: str
    at: At
    place: str
    by: str
    reason: str
    why: str
    review_ms: int


class PutBack(msgspec.Struct, frozen=True, tag="put_back", omit_defaults=True):
    """Somebody ends a shelf, or puts a place back in service. `why` is the salted hash of words, if any."""

    area: str
    sort: Sort
    at: At
    place: str
    by: str
    rule: str | None = None
    why: str = ""


class Hold(msgspec.Struct, frozen=True, omit_defaults=True):
    """A shelf, or a place out of service, as it stands. Times are hub wall ms.

    It withholds alarms no more urgent than `most`, of one `rule` or (None) of all. `until_ms` ends a shelf; `review_ms`
    is when somebody must look at what is out of service. `held` are the incidents it keeps from being told now, `count`
    how many it ever did; `renewed` how often it was set again without a pause.
    """

    sort: Sort
    at: At
    place: str
    by: str
    reason: str
    why: str
    set_ms: int
    most: Priority
    rule: str | None = None
    until_ms: int | None = None
    review_ms: int | None = None
    held: tuple[str, ...] = ()
    count: int = 0
    renewed: int = 0

    @property
    def slot(self) -> str:
        """What it is known by among the holds of its place."""
        return f"{self.sort}|{self.rule or ''}"
