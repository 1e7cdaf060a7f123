"""What goes first in the hub, what may not take its place, and that nothing swallows the hub's end."""

from __future__ import annotations

import asyncio

import pytest

from hub.core.heard import Conflicted, Gapped, Linked, Recorded
from hub.core.io import Input
from hub.inbox import CALM_MAX, URGENT_MAX, Inbox, Item
from hub.live import LiveStream
from hub.metrics import Metrics
from protocol.kinds import CODES, Kind, Qualifier
from protocol.records import ClockQuality, Event, Stamp

SOURCE = ("a", "gw", "1" * 32)


def event(seq: int, kind: Kind) -> Event:
    return Event(seq, kind, Qualifier.NEW, CODES[kind].priority, Stamp(0, 0, ClockQuality.SYNCED), f"k-{seq}")


def record(seq: int, kind: Kind) -> Item:
    return item(Recorded(*SOURCE, 1, event(seq, kind)))


def item(taken: Input) -> Item:
    return Item(taken, 0, 0.0)


def seqs(items: list[Item]) -> list[int]:
    return [one.taken.event.seq for one in items if isinstance(one.taken, Recorded)]


def test_room_is_told_for_a_press_while_the_space_for_faults_is_full() -> None:
    """A credit of zero would make gateways hold their presses too; only a full space for the urgent may say so."""
    inbox = Inbox()
    for seq in range(1, CALM_MAX + 1):
        inbox.put(record(seq, Kind.BATTERY_LOW))
    assert 0 < inbox.room()
    for seq in range(1, URGENT_MAX + 1):
        inbox.put(record(seq, Kind.PANIC))
    assert 0 == inbox.room()


FLOODS: dict[str, Input] = {
    "gaps": Gapped(*SOURCE, 1, 1, "full"),
    "lost links": Linked("a", "gw", False, 0),
    "conflicts of faults": Conflicted(*SOURCE, 1, event(1, Kind.BATTERY_LOW)),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_no_flood_of_lesser_news_takes_a_press_s_place(flood: str) -> None:
    """Thousands of declared gaps, or of gateways lost at once, leave the space of presses alone."""
    inbox = Inbox()
    for _ in range(CALM_MAX + URGENT_MAX):
        inbox.put(item(FLOODS[flood]))
    assert inbox.put(record(1, Kind.PANIC))
    assert [1] == seqs(inbox.take_urgent(1))


def test_what_is_put_back_goes_first_again() -> None:
    """Items taken and not done keep their order and stand before what came since."""
    inbox = Inbox()
    for seq, kind in enumerate((Kind.PANIC, Kind.PANIC, Kind.TAMPER, Kind.TAMPER), 1):
        inbox.put(record(seq, kind))
    taken = [*inbox.take_urgent(9), *inbox.take_calm(9)]
    inbox.put(record(5, Kind.PANIC))
    inbox.back(taken)
    assert ([1, 2, 5], [3, 4]) == (seqs(inbox.take_urgent(9)), seqs(inbox.take_calm(9)))


async def test_the_desk_s_wait_ends_when_cancelled_though_an_input_comes_at_that_moment() -> None:
    """The hub's end is not swallowed by an input that arrives with it."""
    inbox = Inbox()
    waiting = asyncio.create_task(inbox.wait(20.0))
    for _ in range(3):
        await asyncio.sleep(0)
    inbox.put(record(1, Kind.PANIC))
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert waiting.cancelled()


async def test_a_listener_s_wait_ends_when_cancelled_though_an_event_comes_at_that_moment() -> None:
    """A client that went away is not kept by the event told at that moment."""
    live = LiveStream("e", Metrics())
    with live.listen(lambda area: True) as listener:

        async def hear() -> list[object]:
            return [told async for told in listener.events(20.0)]

        hearing = asyncio.create_task(hear())
        for _ in range(3):
            await asyncio.sleep(0)
        live.tell("incident", "a", "{}")
        hearing.cancel()
        for _ in range(3):
            await asyncio.sleep(0)
        live.close()
        await asyncio.gather(hearing, return_exceptions=True)
    assert hearing.cancelled()


async def test_a_listener_hears_of_the_areas_it_sees_alone() -> None:
    """Incidents, pages, replies and links of another area never reach it, live or caught up on."""
    live = LiveStream("e", Metrics())
    live.tell("incident", "b", "{}")
    with live.listen(lambda area: area == "a", "e-0") as listener:
        for kind in ("incident", "page", "reply", "gateway"):
            live.tell(kind, "b", "{}")
        live.tell("page", "a", "{}")
        live.close()
        assert [("page", "a")] == [(told.kind, told.area) async for told in listener.events(1.0) if told is not None]
