"""A county's registry as CSV files, of any size, from a seed: townships, villages, joint-defence groups, gateways."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

TOWNSHIP_HOUSEHOLDS = 6_000
VILLAGE_GROUPS = 20
HEALTH = ("tamper", "mains")
HEADS = {
    "areas": ("id", "town", "county", "name"),
    "stations": ("id", "area", "households"),
    "gateways": ("id", "area", "profile_ms"),
    "premises": ("id", "area", "kind", "gateway"),
    "groups": ("id", "area", "station", "members", "adjacent", "head"),
    "zones": ("id", "area", "premises", "kind"),
}


def write_county(folder: Path, households: int, seed: int) -> None:
    """Write a registry of so many households to `folder`: groups of 10 to 20, each at a gateway of its own, twenty
    groups a village; every household with a panic zone and two health zones."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") for name in HEADS}
    try:
        writers = {name: csv.writer(file) for name, file in files.items()}
        for name, head in HEADS.items():
            writers[name].writerow(head)
        for name, row in rows(households, seed):
            writers[name].writerow(row)
    finally:
        for file in files.values():
            file.close()


def rows(households: int, seed: int) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Every row with its table's name."""
    random, left, area_n = Random(seed), households, 0
    while left > 0:
        area_n += 1
        area = f"t{area_n:03}"
        yield "areas", (area, f"{area}-centre", "county", f"Township {area_n}")
        sizes = list(_sizes(random, min(left, TOWNSHIP_HOUSEHOLDS)))
        yield from _township(random, area, sizes)
        left -= sum(sizes)


def _sizes(random: Random, households: int) -> Iterator[int]:
    """Groups of 10 to 20, until all have one."""
    while households:
        size = random.randint(10, 20)
        if households - size < 10:
            size = households if households <= 20 else households // 2
        yield size
        households -= size


def _township(random: Random, area: str, sizes: list[int]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    house = 0
    for number, size in enumerate(sizes):
        group, gateway, station = f"g{number:04}", f"gw{number:04}", f"s{number // VILLAGE_GROUPS:03}"
        if number % VILLAGE_GROUPS == 0:
            enrolled = sum(sizes[number : number + VILLAGE_GROUPS])
            yield "stations", (station, area, round(enrolled / random.uniform(0.5, 0.99)))
        members = [f"h{house + place:05}" for place in range(size)]
        near = [f"g{other:04}" for other in (number - 1, number + 1) if 0 <= other < len(sizes)]
        yield "gateways", (gateway, area, random.choice((20_000, 90_000, 180_000)))
        yield "groups", (group, area, station, " ".join(members), " ".join(near), random.choice(members))
        for member in members:
            yield "premises", (member, area, "household", gateway)
            for kind in ("panic", *HEALTH):
                yield "zones", (f"{member}-{kind}", area, member, kind)
        house += size
