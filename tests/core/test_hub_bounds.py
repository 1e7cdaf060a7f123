"""The hub's queues are bounded and name their victims; its clock never runs backwards."""

from __future__ import annotations

import asyncio

import pytest

from hub.clock import HubClock
from hub.core.heard import Recorded
from hub.core.io import Input
from hub.inbox import CALM_MAX, ROOM_MIN, URGENT_MAX, Inbox, Item
from hub.live import LISTENER_EVENTS, LISTENERS_MAX, RING_EVENTS, Listener, LiveStream, TooManyListeners
from hub.metrics import Metrics
from hub.outgoing import ORDERS_MAX, Outgoing
from hub.receipts import SPANS_MAX, credit, receipt
from protocol.codec import SIZE_MAX, decode
from protocol.kinds import CODES, Kind, Qualifier
from protocol.link import Said
from protocol.messages import Receipt
from protocol.ranges import Ranges
from protocol.records import ClockQuality, Event, Lane, Stamp


def item(taken: Input) -> Item:
    return Item(taken, 0, 0.0)


def record(seq: int, kind: Kind) -> Recorded:
    at = Stamp(0, 0, ClockQuality.SYNCED)
    return Recorded("a", "gw", "1" * 32, 1, Event(seq, kind, Qualifier.NEW, CODES[kind].priority, at, f"k-{seq}"))


def seqs(items: list[Item]) -> list[int]:
    return [one.taken.event.seq for one in items if isinstance(one.taken, Recorded)]


def test_a_press_goes_before_a_backlog_of_faults() -> None:
    """P1 and P2 have a queue of their own, each in the order it came."""
    inbox = Inbox()
    for seq in range(1, 6):
        inbox.put(item(record(seq, Kind.BATTERY_LOW)))
    inbox.put(item(record(6, Kind.PANIC)))
    inbox.put(item(record(7, Kind.INTRUSION)))
    assert ([6, 7], [1, 2]) == (seqs(inbox.take_urgent(4)), seqs(inbox.take_calm(2)))


def test_faults_never_take_a_press_s_place() -> None:
    """With the space for faults full the newest fault is set aside, and a press still has room."""
    inbox = Inbox()
    assert all(inbox.put(item(record(seq, Kind.BATTERY_LOW))) for seq in range(1, CALM_MAX + 1))
    assert not inbox.put(item(record(CALM_MAX + 1, Kind.BATTERY_LOW)))
    assert inbox.put(item(record(CALM_MAX + 2, Kind.PANIC)))
    assert (1, ROOM_MIN, CALM_MAX + 1) == (inbox.discarded, inbox.room(), len(inbox))


def test_even_the_urgent_space_is_bounded() -> None:
    """The newest is set aside, whoever it is from."""
    inbox = Inbox()
    assert all(inbox.put(item(record(seq, Kind.PANIC))) for seq in range(1, URGENT_MAX + 1))
    assert not inbox.put(item(record(URGENT_MAX + 1, Kind.PANIC)))
    assert 0 == inbox.room()


async def test_waiting_ends_with_an_input_or_its_time() -> None:
    """An input that comes ends the wait, and so does the limit."""
    inbox = Inbox()
    waiting = asyncio.create_task(inbox.wait(None))
    await asyncio.sleep(0)
    inbox.put(item(record(1, Kind.PANIC)))
    await waiting
    inbox.take_urgent(1)
    await inbox.wait(0.001)
    assert 0 == len(inbox)


def test_credit_is_what_there_is_room_for() -> None:
    """No credit while held or without room, never more than the limit."""
    found = [
        credit(256, 1_000, held=True),
        credit(256, 0, held=False),
        credit(256, 9, held=False),
        credit(256, 1_000, held=False),
    ]
    assert [0, 0, 9, 256] == found


def test_a_receipt_fits_a_message_however_torn_the_sequences() -> None:
    """A gateway whose every second record is missing in 64 instances still gets a receipt, the lowest ranges first."""
    torn = {f"{at:032x}": Ranges((seq, seq) for seq in range(1, 20_000, 2)) for at in range(64)}
    data = receipt("hub", Lane.ALARM, torn, 1, 2**40)
    assert len(data) < SIZE_MAX
    found = decode(data, Receipt)
    first = next(iter(found.committed.values()))
    assert (SPANS_MAX, (1, 1)) == (sum(map(len, found.committed.values())), first[0])


def test_orders_have_a_bound_and_receipts_replace_each_other() -> None:
    """The newest order finds no room; of a gateway's receipts only the newest waits."""
    out = Outgoing()
    assert all(out.order("t", b"o") for _ in range(ORDERS_MAX))
    assert not out.order("t", b"o")
    out.receipt("t", "alarm", b"1")
    out.receipt("t", "telemetry", b"2")
    out.receipt("t", "alarm", b"3")
    for _ in range(ORDERS_MAX):
        assert out.take() == Said("t", b"o")
    assert [Said("t", b"2"), Said("t", b"3"), None] == [out.take(), out.take(), out.take()]


def test_an_order_follows_what_the_hub_had_before_it() -> None:
    """Orders go before receipts, but not before the waiting receipt of their own gateway."""
    out = Outgoing()
    for name in ("gw-1", "gw-2"):
        out.receipt(f"lf/1/a/{name}/receipt", "alarm", name.encode())
    out.order("lf/1/a/gw-2/command", b"order")
    assert [out.take() for _ in range(3)] == [
        Said("lf/1/a/gw-2/receipt", b"gw-2"),
        Said("lf/1/a/gw-2/command", b"order"),
        Said("lf/1/a/gw-1/receipt", b"gw-1"),
    ]


async def drained(listener: Listener) -> list[str]:
    found = []
    async for told in listener.events(0.001):
        if told is None:
            break
        found.append(told.kind)
    return found


async def test_a_slow_listener_is_let_go_and_told_why() -> None:
    """One that reads nothing is dropped at its bound with a named event; one that reads goes on."""
    metrics = Metrics()
    live = LiveStream("e", metrics)
    with live.listen(lambda area: True) as slow, live.listen(lambda area: True) as quick:
        for at in range(LISTENER_EVENTS + 1):
            live.tell("incident", "a", "{}")
            if at % 100 == 0:
                await drained(quick)
        assert ["dropped"] == await drained(slow)
        assert "behind" in slow.lost
        live.tell("page", "a", "{}")
        assert "page" == (await drained(quick))[-1]
    assert 1 == metrics.registry.get_sample_value("lianfang_stream_dropped_total")


async def test_events_that_are_gone_are_named_as_missed() -> None:
    """A listener back too late, or from another run of the hub, hears that it missed something."""
    live = LiveStream("e", Metrics())
    for _ in range(RING_EVENTS + 10):
        live.tell("incident", "a", "{}")
    for after, first in (
        ("e-5", "missed"),
        ("other-600", "missed"),
        ("e-" + "9" * 30, "missed"),
        ("e-505", "incident"),
    ):
        with live.listen(lambda area: True, after) as listener:
            assert first == (await drained(listener))[0], after


def test_listeners_are_bounded() -> None:
    """One more than there may be is refused."""
    live = LiveStream("e", Metrics())
    contexts = [live.listen(lambda area: True) for _ in range(LISTENERS_MAX + 1)]
    for one in contexts[:-1]:
        one.__enter__()
    with pytest.raises(TooManyListeners):
        contexts[-1].__enter__()
    for one in contexts[:-1]:
        one.__exit__(None, None, None)
    assert not live.full()


def test_the_clock_follows_a_step_ahead_and_not_one_back() -> None:
    """A wall clock set back neither stops nor reverses the hub's time; one set ahead is followed; never before the
    journal's last entry."""
    wall, mono = [1_000_000], [0]
    clock = HubClock(1_000_500, lambda: wall[0], lambda: mono[0])
    assert 1_000_500 == clock.now_ms()
    wall[0], mono[0] = 500_000, 100
    assert 1_000_600 == clock.now_ms()
    wall[0], mono[0] = 2_000_000, 200
    assert 2_000_000 == clock.now_ms()
    wall[0], mono[0] = 2_000_000, 700
    assert 2_000_500 == clock.now_ms()


def test_a_clock_read_slowly_runs_ahead_of_nobody() -> None:
    """A process held up between two readings of its clocks is not put ahead for good by as much."""
    true_ms = [1_000_000]

    def slowly() -> int:
        true_ms[0] += 5_000
        return true_ms[0]

    clock = HubClock(0, slowly, slowly)
    assert [] == [told for told in (clock.now_ms() for _ in range(4)) if told > true_ms[0]]
