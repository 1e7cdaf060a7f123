"""A village made for counting: many houses with a button each, in groups of their own, so that no two presses merge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

AREA = "chaos"
CHIP_BUTTONS = 32
"""Buttons of one GPIO chip; each has its lamp, and a chip has 64 lines."""
CALM = "[calls]\nretry_ms = 2_000\nstand_down_expires_ms = 300_000\n"
"""What the hub does otherwise than by default: it asks again sooner, and a gateway remembers fewer orders. A gateway
may be dead or cut off for three minutes with hardly a pause."""


@dataclass(frozen=True, slots=True)
class House:
    """One household with a panic button and its lamp, at the gateway's chip."""

    id: str
    gateway: str
    chip: str

    @property
    def zone(self) -> str:
        return f"{self.id}-panic"

    @property
    def line(self) -> str:
        """The button's line; the lamp's is `lamp`."""
        return f"{self.id}_panic"

    @property
    def lamp(self) -> str:
        return f"{self.id}_lamp"

    @property
    def neighbour(self) -> str:
        """The other member of its group: it presses nothing, and has no siren."""
        return f"n{self.id[1:]}"


@dataclass(frozen=True, slots=True)
class Estate:
    """The files of it, and its houses."""

    sites: tuple[Path, ...]
    registry: Path
    defaults: Path
    houses: tuple[House, ...]


def build(folder: Path, gateways: int, chips: int) -> Estate:
    """Write an estate of so many gateways with so many full chips each."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"gw-{number}" for number in range(1, gateways + 1)]
    houses = [
        House(f"h{gateway + 1}{chip + 1}{place + 1:02}", names[gateway], f"chip-{chip + 1}")
        for gateway in range(gateways)
        for chip in range(chips)
        for place in range(CHIP_BUTTONS)
    ]
    sites = []
    for name in names:
        site = folder / f"{name}.toml"
        site.write_text("\n".join(_site(name, [house for house in houses if house.gateway == name])), encoding="utf-8")
        sites.append(site)
    registry, defaults = folder / "registry.toml", folder / "defaults.toml"
    registry.write_text("\n".join(_registry(names, houses)), encoding="utf-8")
    defaults.write_text(CALM, encoding="utf-8")
    return Estate(tuple(sites), registry, defaults, tuple(houses))


def _site(gateway: str, houses: list[House]) -> Iterator[str]:
    yield f'[gateway]\nid = "{gateway}"\narea = "{AREA}"\nprofile = "20s"\ndata_dir = "data"'
    yield '[mqtt]\nhost = "127.0.0.1"'
    for chip in sorted({house.chip for house in houses}):
        yield f'[[bus]]\nid = "{chip}"\ndriver = "gpio_sim"\nsocket = "/run/lianfang/{chip}.sock"\n[bus.lines]'
        for place, house in enumerate(house for house in houses if house.chip == chip):
            yield f'{house.line} = {{ offset = {place}, pull = "up", active_low = true }}'
            yield f'{house.lamp} = {{ offset = {place + CHIP_BUTTONS}, direction = "out" }}'
    for house in houses:
        yield f'[[group]]\nid = "g-{house.id}"\nmembers = ["{house.id}", "{house.neighbour}"]'
        for premises in (house.id, house.neighbour):
            yield f'[[premises]]\nid = "{premises}"\nkind = "household"\ngroups = ["g-{house.id}"]'
        yield f'[[zone]]\nid = "{house.zone}"\npremises = "{house.id}"\nkind = "panic"\nactive = true'
        yield f'source = "{house.chip}/{house.line}"\nlamp = "{house.chip}/{house.lamp}"'


def _registry(gateways: list[str], houses: list[House]) -> Iterator[str]:
    yield f'[[area]]\nid = "{AREA}"\ntown = "chaos-town"\ncounty = "chaos-county"'
    yield '[[station]]\nid = "chaos-station"'
    for gateway in gateways:
        yield f'[[gateway]]\nid = "{gateway}"\nprofile_ms = 20_000'
    for house in houses:
        yield f'[[group]]\nid = "g-{house.id}"\nstation = "chaos-station"'
        yield f'members = ["{house.id}", "{house.neighbour}"]'
        for premises in (house.id, house.neighbour):
            yield f'[[premises]]\nid = "{premises}"\nkind = "household"\ngateway = "{house.gateway}"'
        yield f'[[zone]]\nid = "{house.zone}"\npremises = "{house.id}"\nkind = "panic"'
