"""The tables of hub.toml that say how people are told: [channels], [[channel]], [[route]]."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from hub.notify.notice import Channel
from hub.table import Id, Table
from protocol.kinds import Priority

MINUTES = 24 * 60
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_OFFSET = re.compile(r"([+-])(0\d|1[0-4]):([0-5]\d)")


class Told(StrEnum):
    """Who a route is for: a rung, or `hub` for the hub's own trouble."""

    GROUP = "group"
    STATION = "station"
    TOWN = "town"
    COUNTY = "county"
    HUB = "hub"


class ChannelTable(Table):
    """What every channel's table has. `per_min` counts tries, `per_recipient_min` messages to one recipient.

    `queue_max` notices may wait; when there are more, the least urgent and newest goes.
    """

    name: Id
    kind: str
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 10.0
    at_once_max: Annotated[int, Field(ge=1, le=64)] = 4
    per_min: Annotated[int, Field(ge=1, le=100_000)] = 120
    per_recipient_min: Annotated[int, Field(ge=1, le=1_000)] = 4
    queue_max: Annotated[int, Field(ge=16, le=100_000)] = 2_000

    @property
    def rooms(self) -> bool:
        """Whether it reaches a room (a group chat, a mailbox) and not each person."""
        return False

    @property
    def reports_s(self) -> float | None:
        """How long a delivery report may take, s; None where there is none."""
        return None

    @property
    def place(self) -> str:
        """Where it leads, without any secret."""
        raise NotImplementedError

    def opened(self) -> Channel:
        """The channel. Raises protocol.faults.Refused for what it cannot use."""
        raise NotImplementedError

    def based(self, base: Path) -> Self:
        """The same with its files, which are relative to the configuration, found from `base`."""
        paths = {name: base / value for name, value in self if isinstance(value, Path)}
        return self.model_copy(update=paths)


def _minute(text: str) -> str:
    if not _CLOCK.fullmatch(text):
        raise ValueError("a time of day from 00:00 to 23:59")
    return text


def _offset(text: str) -> str:
    if not _OFFSET.fullmatch(text):
        raise ValueError("an offset from UTC such as +08:00")
    return text


Clock = Annotated[str, AfterValidator(_minute)]


class Quiet(Table):
    """Hours of the day in which notices of these priorities wait; a P1 never does."""

    begin: Clock
    end: Clock
    priorities: Annotated[tuple[Literal[2, 3, 4], ...], Field(min_length=1)] = (3, 4)


class Channels(Table):
    """How people are told. `fold_s`: within so many seconds an incident's repeated pages become one with a count.

    `give_up_s`: how long it is tried, by priority. `names`: neighbours and their station read who pressed by name.
    """

    language: Literal["zh", "en", "zh+en"] = "zh"
    utc_offset: Annotated[str, AfterValidator(_offset)] = "+08:00"
    fold_s: Annotated[int, Field(ge=0, le=86_400)] = 300
    give_up_s: Annotated[tuple[int, ...], Field(min_length=4, max_length=4)] = (1_800, 1_800, 7_200, 14_400)
    names: bool = True
    quiet: Quiet | None = None

    @model_validator(mode="after")
    def _gives_up(self) -> Self:
        if any(not 10 <= limit <= 7 * 86_400 for limit in self.give_up_s):
            raise ValueError("give_up_s: seconds for P1, P2, P3, P4, each from 10 to 604800")
        return self

    @property
    def offset_min(self) -> int:
        """Local time less UTC, in minutes."""
        sign, hours, minutes = _OFFSET.fullmatch(self.utc_offset).groups()  # type: ignore[union-attr]
        return (-1 if sign == "-" else 1) * (int(hours) * 60 + int(minutes))

    def quiet_until_ms(self, priority: Priority, at_ms: int) -> int:
        """When a notice of this priority may leave: `at_ms`, or the end of the quiet hours it falls into."""
        quiet = self.quiet
        if quiet is None or priority not in quiet.priorities:
            return at_ms
        begin, end = _minutes(quiet.begin), _minutes(quiet.end)
        local_ms = at_ms + self.offset_min * 60_000
        now = local_ms // 60_000 % MINUTES
        if not (now - begin) % MINUTES < (end - begin) % MINUTES:
            return at_ms
        return at_ms - local_ms % 60_000 + ((end - now) % MINUTES) * 60_000


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


class Route(Table):
    """Over which channels a rung is told, in which areas ("*": all), at which priorities.

    `to` names contacts (`area/id`) instead of those the registry has for the place.
    """

    rung: Told
    channels: Annotated[tuple[Id, ...], Field(min_length=1)]
    areas: tuple[str, ...] = ("*",)
    priorities: Annotated[tuple[Literal[1, 2, 3, 4], ...], Field(min_length=1)] = (1, 2, 3, 4)
    to: tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}/[a-z0-9][a-z0-9-]{0,62}$")], ...] = ()

    def leads(self, rung: str, area: str, priority: Priority) -> bool:
        """Whether it is for such a page."""
        return self.rung == rung and priority in self.priorities and bool({"*", area} & {*self.areas})


def routes_of(routes: Iterable[Route], channels: Iterable[ChannelTable]) -> tuple[Route, ...]:
    """The routes as configured; a rung that has none is told over every channel, a room never as a household."""
    given, named = tuple(routes), tuple(channels)
    missing = [rung for rung in Told if rung not in {route.rung for route in given}]
    by_default: list[Route] = []
    for rung in missing:
        fit = tuple(one.name for one in named if not (one.rooms and rung is Told.GROUP))
        by_default += [Route(rung=rung, channels=fit)] if fit else []
    return (*given, *by_default)


def together(channels: Iterable[Any], routes: Iterable[Any]) -> Iterable[tuple[str, str, str]]:
    """What no single key shows, as (key, found, allowed): names that are there twice, routes that lead nowhere."""
    names: list[str] = []
    for at, one in enumerate(channels):
        name = one.get("name") if isinstance(one, dict) else None
        if isinstance(name, str):
            if name in names:
                yield f"channel[{at}].name", name, f"not the same as channel[{names.index(name)}]'s"
            names.append(name)
    for at, route in enumerate(routes):
        wanted = route.get("channels") if isinstance(route, dict) else None
        for name in wanted if isinstance(wanted, list) else ():
            if isinstance(name, str) and name not in names:
                yield f"route[{at}].channels", name, f"one of {', '.join(names) or 'none: there is no [[channel]]'}"
