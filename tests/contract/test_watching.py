"""The hub's book of its watch: what it says of a hub that runs, and where it breaks off."""

from __future__ import annotations

import contextlib
from pathlib import Path

from hub.past import Past
from hub.watching import EVERY_S, PAUSE_MAX_MS, Stretch, looked
from simulators.broker import Broker
from tests.support.centre import running
from tests.support.wait import until


def watched(folder: Path) -> list[tuple[int, int]] | None:
    """What the book of a hub in this folder says."""
    with contextlib.closing(Past(f"sqlite:///{folder / 'data' / 'journal.db'}")) as past:
        return past.watched()


def test_a_stretch_goes_on_from_look_to_look() -> None:
    """It begins with the first, and ends with the last before the hub was deaf or asleep."""
    first = looked(None, 1_000, True)
    assert Stretch(1_000, 1_000) == first
    assert Stretch(1_000, 31_000) == looked(first, 31_000, True)
    assert None is looked(first, 31_000, False)
    assert Stretch(1_000, 1_000 + PAUSE_MAX_MS) == looked(first, 1_000 + PAUSE_MAX_MS, True)
    late_ms = 1_001 + PAUSE_MAX_MS
    assert Stretch(late_ms, late_ms) == looked(first, late_ms, True)
    assert first == looked(first, 500, True), "time never goes back"
    assert EVERY_S * 1000 * 2 < PAUSE_MAX_MS, "one look that comes late does not break a stretch"


async def test_a_hub_that_runs_is_on_watch_and_one_that_hears_nothing_is_not(broker: Broker, tmp_path: Path) -> None:
    """Once its alarm lane is connected it stands in the book, for each run a stretch of its own."""
    async with running(tmp_path / "hears", broker) as hub:
        began_ms = hub.parts.clock.now_ms() - 10_000
        await until(lambda: bool(watched(hub.folder)))
    async with running(tmp_path / "hears", broker):
        await until(lambda: len(watched(hub.folder) or []) == 2)
    first, second = watched(hub.folder) or []
    assert began_ms < first[0] <= first[1] < second[0] <= second[1]
    async with running(tmp_path / "deaf") as deaf:
        assert [] == watched(deaf.folder)
