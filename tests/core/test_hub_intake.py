"""The telemetry lane without its store: what waits is bounded, what was written is receipted, what failed is held."""

from __future__ import annotations

from hub.intake import BACKOFF_MS_FIRST, BACKOFF_MS_MAX, BATCH_MAX, READINGS_MAX, Delivery, Intake
from hub.metrics import Metrics
from hub.store.port import Placed, Sample, Source
from protocol.ranges import Ranges

ONE: Source = ("town", "gw-1", "1" * 32)
TWO: Source = ("town", "gw-1", "2" * 32)


class Heard(Intake):
    """An intake, and whom it would have receipted."""

    def __init__(self) -> None:
        super().__init__(Metrics())
        self.told: list[tuple[str, list[str]]] = []
        self.receipt = lambda area, gateway, instances: self.told.append((gateway, instances))


def delivery(source: Source, readings: int, *settled: tuple[int, int]) -> Delivery:
    area, gateway, instance = source
    samples = [
        Sample(area, gateway, "meter/kwh", 1.5, 5, Placed.AGE, 1, 5, "synced", instance, seq)
        for seq in range(1, readings + 1)
    ]
    return Delivery(source, 7, samples, Ranges(settled))


def test_messages_of_one_gateway_are_written_together_and_receipted_once() -> None:
    """One write has all readings and what was refused of them; the receipt names both processes."""
    intake = Heard()
    for one in (delivery(ONE, 2, (8, 8)), delivery(TWO, 3), delivery(ONE, 1, (9, 9))):
        assert intake.put(one)
    write = intake.take()
    assert write is not None
    samples, settled, boots, losses = write.batch
    assert (6, {ONE: [(8, 9)], TWO: []}, {ONE: 7, TWO: 7}, []) == (
        len(samples),
        {source: list(ranges) for source, ranges in settled.items()},
        boots,
        losses,
    )
    intake.written(write, 6)
    assert ([("gw-1", [ONE[2], TWO[2]])], 0) == (intake.told, intake.weight)


def test_what_is_being_written_still_counts_against_the_bound() -> None:
    """Else a slow store would let in what there is no room for."""
    intake = Heard()
    while intake.put(delivery(ONE, BATCH_MAX - 1)):
        pass
    assert intake.take() is not None
    assert (READINGS_MAX, 0, False) == (intake.weight, intake.room(), intake.put(delivery(ONE, 0)))


def test_a_failure_holds_whoever_sent_it_once_and_waits_ever_longer() -> None:
    """Back-off doubles up to its cap and begins anew once a write succeeds."""
    intake = Heard()
    intake.put(delivery(ONE, 1))
    write = intake.take()
    assert write is not None
    waits = [intake.failed(write, "disk full") for _ in range(9)]
    assert (BACKOFF_MS_FIRST, 2 * BACKOFF_MS_FIRST, BACKOFF_MS_MAX) == (waits[0], waits[1], waits[-1])
    assert ([("gw-1", [ONE[2]])], "disk full") == (intake.told, intake.trouble)
    intake.written(write, 1)
    assert (None, BACKOFF_MS_FIRST) == (intake.trouble, intake.failed(write, "again"))


def test_a_disk_that_is_nearly_full_holds_without_a_try() -> None:
    """Nothing is written until there is room, and the words of the disk are the trouble."""
    intake = Heard()
    intake.put(delivery(ONE, 1))
    write = intake.take()
    assert write is not None
    intake.make_room("12 MB are free")
    assert (BACKOFF_MS_FIRST, "12 MB are free") == (intake.held_ms(write), intake.trouble)
    intake.make_room(None)
    assert intake.held_ms(write) is None
