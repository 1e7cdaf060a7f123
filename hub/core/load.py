"""What operators are asked to look at: alarms presented, by the hour, and floods of them (ISA-18.2, IEC 62682)."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

HOUR_MS = 3_600_000
SLOT_MS = 600_000
"""Ten minutes, the field's unit of an operator's load."""
SLOTS = HOUR_MS // SLOT_MS
PRIORITIES = 4


class Times(msgspec.Struct, frozen=True, array_like=True):
    """Of one alarm in one hour: how often it was presented, how often it happened, how often it chattered."""

    presented: int = 0
    happened: int = 0
    chattered: int = 0

    def plus(self, other: Times) -> Times:
        """Both together."""
        presented, happened = self.presented + other.presented, self.happened + other.happened
        return Times(presented, happened, self.chattered + other.chattered)


class Hour(msgspec.Struct, frozen=True, omit_defaults=True):
    """One hour of an area: alarms presented by ten minutes and by priority (P1 first), alarms withheld by reason.

    `alarms` is by "rule|place"; what found no room there is in `others`.
    """

    slots: tuple[int, ...] = (0,) * SLOTS
    priorities: tuple[int, ...] = (0,) * PRIORITIES
    withheld: dict[str, int] = {}
    alarms: dict[str, Times] = {}
    others: Times = Times()


class Flood(msgspec.Struct, frozen=True):
    """A flood that is over, hub wall ms, and how many alarms it brought."""

    began_ms: int
    ended_ms: int
    alarms: int


class Watch(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is watched of an area. `newest` are the newest times (hub wall ms) an alarm was presented, as many as tell a
    flood; `since_ms` when the flood began that is not over, with its `alarms` so far; `past` those that are over.

    `bursts` are the newest event times of alarms that may chatter. `priorities` and `withheld` count for ever, as does
    `flood_ms`, the time in floods that are over, and `floods`, those that began.
    """

    newest: tuple[int, ...] = ()
    since_ms: int | None = None
    alarms: int = 0
    past: tuple[Flood, ...] = ()
    bursts: dict[str, tuple[int, ...]] = {}
    priorities: tuple[int, ...] = (0,) * PRIORITIES
    withheld: dict[str, int] = {}
    flood_ms: int = 0
    floods: int = 0


@dataclass(frozen=True, slots=True)
class Flooded:
    """A flood of alarms began (`began`) or ended in an area: `alarms` came within its window, or in all of it."""

    area: str
    began: bool
    at_ms: int
    alarms: int
