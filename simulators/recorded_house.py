"""A recorded house as a site and a registry of its own: every sensor a zone on Modbus boards, every change reported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from simulators.trace import Recording

AREA, GATEWAY, HOUSE = "trial", "gw-trial", "house-a"
PROFILE = "waveshare-io-8ch"
BOARD_POINTS = 8
POLL_MS = 30


@dataclass(frozen=True, slots=True)
class RecordedHouse:
    """Configuration texts, and where each sensor is: its zone, and its point as "device/point"."""

    site: str
    registry: str
    zones: dict[int, str]
    sources: dict[int, str]

    @property
    def boards(self) -> list[str]:
        """The devices, in order."""
        return sorted({source.partition("/")[0] for source in self.sources.values()})


def house_of(recording: Recording, poll_ms: int = POLL_MS) -> RecordedHouse:
    """The house as its resident would have opted in: `report = "every"`, disarmed, so records and no incident."""
    ordered = sorted(recording.sensors)
    zones = {sensor: f"{HOUSE}-s{sensor:02}" for sensor in ordered}
    sources = {
        sensor: f"board-{place // BOARD_POINTS + 1}/di{place % BOARD_POINTS + 1}"
        for place, sensor in enumerate(ordered)
    }
    house = RecordedHouse("", "", zones, sources)
    return RecordedHouse("\n".join(_site(house, poll_ms)), "\n".join(_registry(house)), zones, sources)


def _site(house: RecordedHouse, poll_ms: int) -> Iterator[str]:
    yield f'[gateway]\nid = "{GATEWAY}"\narea = "{AREA}"\nprofile = "20s"\ndata_dir = "data"'
    yield '[mqtt]\nhost = "127.0.0.1"'
    yield '[[bus]]\nid = "lan"\ndriver = "modbus_tcp"\nhost = "127.0.0.1"\nport = 502'
    for unit, board in enumerate(house.boards, 1):
        yield f'[[device]]\nid = "{board}"\nbus = "lan"\nunit = {unit}\nprofile = "{PROFILE}"\npoll_ms = {poll_ms}'
    yield f'[[premises]]\nid = "{HOUSE}"\nkind = "household"'
    for sensor, zone in house.zones.items():
        yield f'[[zone]]\nid = "{zone}"\npremises = "{HOUSE}"\nkind = "door"\nsource = "{house.sources[sensor]}"'
        yield 'active = true\nreport = "every"'


def _registry(house: RecordedHouse) -> Iterator[str]:
    yield f'[[area]]\nid = "{AREA}"\ntown = "trial-town"\ncounty = "trial-county"'
    yield '[[station]]\nid = "trial-station"'
    yield f'[[gateway]]\nid = "{GATEWAY}"\nprofile_ms = 20_000'
    yield f'[[premises]]\nid = "{HOUSE}"\nkind = "household"\ngateway = "{GATEWAY}"\nreport_every = true'
    for zone in house.zones.values():
        yield f'[[zone]]\nid = "{zone}"\npremises = "{HOUSE}"\nkind = "door"'
