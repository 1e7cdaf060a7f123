"""A receipt is bounded, and who waits for it most is in it."""

from __future__ import annotations

from hub.receipts import INSTANCES_MAX, SPANS_MAX, receipt
from protocol.codec import decode
from protocol.messages import Receipt
from protocol.ranges import Ranges
from protocol.records import Lane


def told(marks: dict[str, Ranges], *first: str) -> dict[str, list[tuple[int, int]]]:
    found = decode(receipt("hub", Lane.ALARM, marks, 1, 0, first), Receipt).committed
    return {instance: [(a, b) for a, b in spans] for instance, spans in found.items()}


def instances(count: int) -> list[str]:
    return [f"{at:032x}" for at in range(count)]


def test_whoever_asked_last_is_receipted_first() -> None:
    """Of more instances than a receipt names, those that just sent something are told, then those started last."""
    known = instances(100)
    found = list(told({name: Ranges([(1, 9)]) for name in known}, known[3], known[1], "f" * 32))
    assert [known[3], known[1], known[99]] == found[:3]
    assert INSTANCES_MAX == len(found)


def test_an_old_instance_full_of_holes_does_not_silence_the_one_now_running() -> None:
    """The process that now runs gets its receipt, however torn what an earlier one left."""
    old, new = instances(2)
    torn = Ranges((seq, seq) for seq in range(1, 3 * SPANS_MAX, 2))
    assert [(1, 5)] == told({old: torn, new: Ranges([(1, 5)])})[new]


def test_old_holes_do_not_keep_the_newest_press_from_its_receipt() -> None:
    """Beyond the bound the lowest ranges and the highest are told."""
    (name,) = instances(1)
    torn = Ranges((seq, seq) for seq in range(1, 3 * SPANS_MAX, 2))
    spans = told({name: torn})[name]
    assert (SPANS_MAX, (1, 1), (3 * SPANS_MAX - 1, 3 * SPANS_MAX - 1)) == (len(spans), spans[0], spans[-1])
    assert spans == sorted(set(spans))
