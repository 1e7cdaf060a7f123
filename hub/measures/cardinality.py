"""How many series each measurement has, worked out: `python -m hub.measures.cardinality`.

A series is one combination of tags; a time series database keeps an index of all of them. No tag names a household, a
person, an incident or a process, so their number follows from the places and the equipment, and is bounded by them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import typer

from hub.core.acts import Disposition
from hub.core.effects import Rung
from hub.core.rules import rules
from hub.defaults import load_defaults
from hub.measures.schema import MEASUREMENTS

DRILL = 2
MILESTONES = 4
"""Besides accepted, which is told by rung."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a place is. `sites`: stations and enterprise sites; only their zones have series of their own."""

    name: str
    areas: int
    villages: int
    groups: int
    households: int
    gateways: int
    devices_each: int
    buses_each: int
    sites: int
    zones_per_site: int
    other_points: int = 0
    hubs: int = 1
    channels: int = 3


VILLAGE = Size("village", 1, 1, 20, 200, 22, 2, 1, 4, 12)
TOWN = Size("town", 1, 21, 400, 4_000, 440, 2, 1, 100, 12)
CITY = Size("city", 173, 2_660, 100_000, 1_000_000, 110_000, 2, 1, 20_000, 12, hubs=173)
SIZES = (VILLAGE, TOWN, CITY)


def series(size: Size) -> dict[str, int]:
    """The most series each measurement can have in a place of this size."""
    kinds, causes = len(rules()), len(load_defaults().causes.false_alarm)
    ends = len(Disposition) + causes  # a false alarm has one of the causes, or none
    found: Mapping[str, Callable[[], int]] = {
        "gateway_health": lambda: size.gateways,
        "bus": lambda: size.gateways * size.buses_each,
        "device": lambda: size.gateways * size.devices_each,
        "zone_health": lambda: size.gateways,
        "zone": lambda: size.sites * size.zones_per_site,
        "reading": lambda: size.other_points,
        "link": lambda: size.gateways,
        "incident": lambda: size.villages * kinds * DRILL,
        "response": lambda: size.villages * (MILESTONES + len(Rung)) * DRILL,
        "resolution": lambda: size.villages * DRILL * ends,
        "page": lambda: size.villages * len(Rung),
        "gateway": lambda: size.gateways,
        "group": lambda: size.groups,
        "village": lambda: size.villages,
        "desk": lambda: size.areas,
        "hub": lambda: size.hubs,
        "channel": lambda: size.hubs * size.channels,
    }
    return {one.name: found[one.name]() for one in MEASUREMENTS}


def table() -> str:
    """Series by measurement and size, in Markdown; with the largest sum a hub has to bear."""
    columns = [series(size) for size in SIZES]
    heads = [f"{size.name} ({size.households:,} households)" for size in SIZES]
    rows = [f"| measurement | {' | '.join(heads)} |", "|---|" + "--:|" * len(SIZES)]
    for name in columns[0]:
        rows.append(f"| `{name}` | " + " | ".join(f"{column[name]:,}" for column in columns) + " |")
    sums = [sum(column.values()) for column in columns]
    rows.append("| all | " + " | ".join(f"{found:,}" for found in sums) + " |")
    each = [f"{found // size.hubs:,}" for found, size in zip(sums, SIZES, strict=True)]
    rows.append(f"| each hub ({', '.join(str(size.hubs) for size in SIZES)}) | " + " | ".join(each) + " |")
    return "\n".join(rows)


if __name__ == "__main__":
    typer.echo(table())
