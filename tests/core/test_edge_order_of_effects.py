"""The fold gives the same effects in the same order in every process."""

from __future__ import annotations

import os
import subprocess
import sys

HOUSE = """
from edge.core.io import Remember
from edge.core.site import Mode, Output, Premises, Role, ZoneKind
from protocol.messages import Action
from tests.support.house import House, village, zone

homes = [Premises(f"h0{n}", True, ("east",), Mode.ARMED_AWAY) for n in range(1, 9)]
zones = [zone(f"{h.id}-{kind}", kind) for h in homes for kind in (ZoneKind.PANIC, ZoneKind.WINDOW)]
lamps = [Output(f"{h.id}-lamp", h.id, Role.LAMP, f"gpio/{h.id}_lamp", f"{h.id}-panic") for h in homes]
sirens = [Output(f"{h.id}-siren-{n}", h.id, Role.SIREN, f"gpio/{h.id}_siren_{n}") for h in homes for n in range(4)]
house = House(village(*zones, homes=homes, outputs=[*lamps, *sirens]))
quiet = {zone.id.replace("-", "_"): False for zone in zones}
house.look(**quiet)
for _ in range(30):
    house.later(400)
    house.fail(*[name for name in quiet if name > "h03"])
house.look(**dict.fromkeys(quiet, True))
keys = [event.key for event in house.events if event.kind == "panic"]
house.order(Action.COMING, keys=keys)
house.order(Action.STAND_DOWN, keys=keys)
house.look(**quiet)
house.order(Action.DISARM)
house.look(**dict.fromkeys(quiet, True))
house.order(Action.SILENCE)
print(house.events, house.reports, house.drives, house.answers, house.memory)
"""


def test_the_order_of_effects_does_not_hang_on_the_process() -> None:
    """Three processes that order their sets in three ways tell the same of one long night."""
    told = {
        subprocess.run(
            [sys.executable, "-c", HOUSE],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(told) == 1
    assert all(len(one) > 10_000 for one in told)
