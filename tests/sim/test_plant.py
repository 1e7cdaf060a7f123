"""The wires of the example sites, served for real and moved by the names of their zones."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from edge.config import load
from edge.core.site import Zone
from edge.core.zone import judged
from edge.port import Value
from edge.profiles import load_profiles
from protocol.faults import Refused
from protocol.records import Condition
from simulators.plant import Plant
from simulators.village import SITES


@pytest.fixture
def wires() -> Iterator[Path]:
    """A folder with a short path."""
    with tempfile.TemporaryDirectory(prefix="lf-") as folder:
        yield Path(folder)


@pytest.fixture(params=SITES, ids=lambda path: path.stem)
async def plant(request: pytest.FixtureRequest, wires: Path) -> AsyncIterator[Plant]:
    """Each example site on its wires."""
    async with Plant(load(request.param, load_profiles()), wires) as plant:
        yield plant


def value(plant: Plant, zone: Zone) -> Value:
    """What the gateway would read for a zone."""
    device, _, point = zone.source.partition("/")
    if device in plant.chips:
        return plant.chips[device].level(point)
    unit = plant.units[device]
    if device in plant.recorders:
        plant.recorders[device]._show()
    return unit.get(point)


async def test_every_zone_of_a_new_plant_is_well(plant: Plant) -> None:
    """A village starts without an alarm on any wire."""
    assert {Condition.NORMAL} == {judged(zone.judge, value(plant, zone)) for zone in plant.zones.values()}


async def test_every_zone_can_be_tripped_and_restored(plant: Plant) -> None:
    """Every zone that can raise something does when tripped, and is well again when restored."""
    for zone in plant.zones.values():
        if zone.kind == "meter":
            continue
        plant.trip(zone.id)
        assert (zone.id, Condition.ALARM) == (zone.id, judged(zone.judge, value(plant, zone)))
        plant.restore(zone.id)
        assert (zone.id, Condition.NORMAL) == (zone.id, judged(zone.judge, value(plant, zone)))


async def test_overrides_name_every_bus(plant: Plant) -> None:
    """The gateway is told where each of its buses is."""
    assert {bus.id for bus in plant.config.buses} == {key.split(".")[1] for key in plant.overrides}


async def test_unknown_names_are_refused_with_the_known_ones(plant: Plant) -> None:
    """A zone, device or point that is not there is refused, and what is there is said."""
    zone = next(iter(plant.zones))
    with pytest.raises(Refused, match=f"zone: found 'nobody'; allowed: one of .*{zone}"):
        plant.trip("nobody")
    with pytest.raises(Refused, match=r"device: found 'nothing'; allowed: one of "):
        plant.silence("nothing")
    with pytest.raises(Refused, match=r"nothing/di1: .*devices: "):
        plant.set("nothing/di1", True)


async def test_a_plain_contact_knows_no_tamper(wires: Path) -> None:
    """Only a supervised loop can be cut without being an alarm."""
    async with Plant(load(SITES[0], load_profiles()), wires) as plant:
        with pytest.raises(Refused, match="h01-door: condition: found tamper; allowed: normal or alarm"):
            plant.tamper("h01-door")
