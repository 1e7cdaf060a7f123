"""Notices between the hub's parts: who is told, what is kept, what the command says."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from hub.core.effects import Page, Rung
from hub.core.incident import Call, Incident, State
from hub.notify.board import Reads
from hub.notify.metrics import NoticeMetrics
from hub.notify.notice import Outcome, Posting, Sent, Sort, TryLater
from hub.notify.notice import State as Fares
from hub.notify.notifier import Notifier, key_of
from hub.notify.outbox import NAME, Outbox, opened
from hub.notify.people import People
from hub.notify.table import Channels, ChannelTable, Route, Told, routes_of
from hub.registry import load as load_registry
from hub.settings_file import load
from hub.troubles import Trouble
from protocol.faults import Refused
from protocol.kinds import Priority
from tests.support.centre import REGISTRY, write_config
from tests.support.outside import CONTACTS, Answer, FarEnd, far_end, secrets_in, webhook, with_contacts
from tests.support.wait import until

NOW = 1_800_000_000_000


class Room(ChannelTable):
    """A channel that reaches a room."""

    @property
    def rooms(self) -> bool:
        return True


class Voice(ChannelTable):
    """A channel with delivery reports."""

    @property
    def reports_s(self) -> float:
        return 10.0


VOICE = Voice(name="voice", kind="x")
SMS, CHAT = ChannelTable(name="sms", kind="x"), Room(name="chat", kind="x")


class House:
    """A notifier with incidents of one's own; what is put is sent when the test says so."""

    def __init__(self, folder: Path, *routes: Route, outbox: Outbox | None = None, contacts: str = CONTACTS) -> None:
        (folder / "people.toml").write_text(REGISTRY + contacts, encoding="utf-8")
        loaded = load_registry(folder / "people.toml")
        self.now_ms, self.number = NOW, 0
        self.incidents: dict[tuple[str, str], Incident] = {}
        self.outbox = outbox or Outbox(None)
        self.heard: list[Posting] = []
        tables = {"sms": SMS, "chat": CHAT, "voice": VOICE}
        people = People(loaded.registry, loaded.contacts, tables, routes_of(routes, (SMS, CHAT)))
        reads = Reads(lambda area, one: self.incidents.get((area, one)), lambda: self.now_ms, self._id, self._link)
        self.notifier = Notifier(people, tables, Channels(), self.outbox, NoticeMetrics(CollectorRegistry()), reads)
        self.notifier.board.told = self.heard.append

    def _id(self) -> str:
        self.number += 1
        return f"n{self.number}"

    def _link(self, area: str, incident: str, premises: str) -> str:
        return f"https://x/{area}/{incident}/{premises}"

    def has(self, name: str = "i1", *rungs: Rung, **more: Any) -> Incident:
        """An incident as it is now, with a page to each rung."""
        given: dict[str, Any] = {
            "area": "town",
            "rule": "panic",
            "priority": Priority.P1,
            "state": State.REPORTED,
            "group": "g1",
        }
        given |= {"premises": ["h1"], "zones": [], "gateways": ["gw-1"], "keys": [], "event_ms": NOW, "raised_ms": NOW}
        incident = Incident(id=name, why="h1 pressed", **{"presses": 1} | given | more)
        self.incidents[incident.area, name] = incident
        for rung in rungs:
            self.notifier.page(Page(incident.area, name, rung, "h1 pressed"), self.now_ms)
        self.notifier.changed(incident)
        return incident

    def send(self, outcome: Outcome | None = None) -> list[tuple[str, str, str]]:
        """Try everything that may leave now; (channel, recipient, sort) of each."""
        found = []
        for name, queue in self.notifier.board.queues.items():
            while (one := queue.take(self.now_ms)) is not None:
                found.append((name, one.to, one.sort.value))
                self.notifier.came(one, outcome or Sent(), 0.5)
        return sorted(found)

    def states(self) -> dict[tuple[str, str], str]:
        return {(one.channel, one.to): one.state.value for one in self.heard if one.sort is Sort.PAGE}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """The registry of tests/support/centre.py behind one SMS channel and one chat."""
    found = House(tmp_path)
    yield found
    found.outbox.close()


def calls(*premises: str) -> dict[str, Call]:
    return {one: Call(one, "gw-2", "o1", NOW) for one in premises}


def test_each_rung_reaches_its_own_people(house: House) -> None:
    """Station, town and county by the registry; neighbours who were called on their phones and not in a room; nobody of
    the house that called."""
    house.has("i1", Rung.STATION, Rung.GROUP, calls=calls("h2", "h3"))
    assert [("chat", "st", "page"), ("sms", "h2-a", "page"), ("sms", "h3-a", "page"), ("sms", "st-a", "page")] == (
        house.send()
    )
    house.has("i1", Rung.TOWN, calls=calls("h2", "h3"))
    assert [("chat", "t", "page"), ("sms", "t-a", "page")] == house.send()


def test_neighbours_called_later_are_told_then(house: House) -> None:
    """Each once, when the desk has called them."""
    house.has("i1", Rung.GROUP, calls=calls("h2"))
    assert [("sms", "h2-a", "page")] == house.send()
    house.has("i1", calls=calls("h2", "h3"))
    assert [("sms", "h3-a", "page")] == house.send()


def test_a_centre_is_told_for_every_area_it_serves(house: House) -> None:
    """The town's contact stands in one area of it and is told for the other."""
    house.has("i2", Rung.TOWN, area="other", premises=["o1"], group="go")
    assert [("chat", "t", "page"), ("sms", "town/t-a", "page")] == house.send()
    (posting,) = [one for one in house.heard if one.to == "town/t-a" and one.state is Fares.SENT]
    notice = house.notifier.notice(posting)
    assert notice is not None
    assert "+8613800000010" == notice.phone


def test_that_nobody_is_there_is_told(tmp_path: Path) -> None:
    """No contact for the county: a failed notice of the incident says so, where its operators look."""
    house = House(tmp_path, Route(rung=Told.COUNTY, channels=("sms",)))
    house.has("i1", Rung.COUNTY)
    assert [("", "failed", "county")] == [(one.channel, one.state.value, one.rung) for one in house.heard]
    house.outbox.close()


def test_a_route_chooses_channels_people_and_priorities(tmp_path: Path) -> None:
    """P3s of the station go to the chat alone; its P1s to a named person too."""
    house = House(
        tmp_path,
        Route(rung=Told.STATION, channels=("chat",)),
        Route(rung=Told.STATION, channels=("sms",), priorities=(1,), to=("other/so-a",)),
    )
    house.has("i1", Rung.STATION, priority=Priority.P3, rule="tamper")
    assert [("chat", "st", "page")] == house.send()
    house.has("i2", Rung.STATION)
    assert [("chat", "st", "page"), ("sms", "other/so-a", "page")] == house.send()
    house.outbox.close()


def test_who_was_told_hears_of_the_end_once(house: House) -> None:
    """Also who was being told when it ended; who was not told yet never hears of it at all."""
    house.has("i1", Rung.STATION, Rung.GROUP, calls=calls("h2", "h3"))
    sms = house.notifier.board.queues["sms"]
    first = sms.take(NOW)
    second = sms.take(NOW)
    assert first is not None
    assert second is not None
    house.notifier.came(first, Sent(), 0.5)
    house.now_ms += 1_000
    house.has("i1", state=State.RESOLVED, calls=calls("h2", "h3"))
    assert [("sms", first.to, "stand_down")] == house.send()
    house.notifier.came(second, Sent(), 0.5)
    assert [("sms", second.to, "stand_down")] == house.send()
    house.has("i1", state=State.REVIEWED, calls=calls("h2", "h3"))
    assert [] == house.send()
    assert {"withdrawn"} == {house.states()["sms", "h3-a"], house.states()["chat", "st"]}


def test_what_was_on_its_way_at_the_end_is_not_tried_again(house: House) -> None:
    """It failed, and meanwhile the incident was resolved: it is withdrawn."""
    house.has("i1", Rung.STATION)
    one = house.notifier.board.queues["sms"].take(NOW)
    assert one is not None
    house.has("i1", state=State.RESOLVED)
    house.notifier.came(one, TryLater(None, "busy"), 0.5)
    assert "withdrawn" == house.states()["sms", "st-a"]


def test_a_cancel_ends_it_for_the_neighbours_alone(house: House) -> None:
    """The sirens stood down, so do the phones; operators still have to look."""
    house.has("i1", Rung.STATION, Rung.GROUP, calls=calls("h2"))
    house.send()
    house.now_ms += 1_000
    house.has("i1", calls=calls("h2"), conditions=["cancelled"])
    assert [("sms", "h2-a", "stand_down")] == house.send()


def test_a_child_leaves_the_end_to_its_parent(house: House) -> None:
    """Resolved under an open parent nobody is told; with the parent, who heard of either, once."""
    house.has("p", Rung.STATION, children=["i1"])
    house.has("i1", Rung.GROUP, calls=calls("h2"), parent="p")
    house.send()
    house.now_ms += 1_000
    house.has("i1", calls=calls("h2"), parent="p", state=State.RESOLVED)
    assert [] == house.send()
    house.has("p", children=["i1"], state=State.RESOLVED)
    assert [("chat", "st", "stand_down"), ("sms", "h2-a", "stand_down"), ("sms", "st-a", "stand_down")] == house.send()


def test_a_silent_incident_reaches_no_neighbour(house: House) -> None:
    """Nothing may show near the premises."""
    house.has("i1", Rung.STATION, rule="duress", silent=True, calls=calls("h2"))
    assert [("chat", "st", "page"), ("sms", "st-a", "page")] == house.send()


def test_a_neighbour_reads_who_and_where_to_answer(house: House) -> None:
    """Name and link for the group, no link for the station, no name for the town."""
    house.has("i1", Rung.STATION, Rung.GROUP, Rung.TOWN, calls=calls("h2"))
    texts = {one.to: notice.text for one in house.heard if (notice := house.notifier.notice(one)) is not None}
    assert ["https://x/town/i1/h2" in texts[who] for who in ("h2-a", "st-a", "t-a")] == [True, False, False]
    assert ["Ann of H1" in texts[who] for who in ("h2-a", "st-a", "t-a")] == [True, True, False]


def test_trouble_that_ended_before_it_left_is_told_to_nobody(house: House) -> None:
    """And who heard of it hears of its end."""
    trouble = Trouble("journal", "disk full", NOW)
    house.notifier.trouble(trouble)
    house.notifier.trouble(Trouble("journal", "disk full", NOW, NOW + 1))
    assert [] == house.send()
    house.notifier.trouble(Trouble("journal", "locked", NOW))
    house.send()
    house.notifier.trouble(Trouble("journal", "locked", NOW, NOW + 1))
    assert [("chat", "t", "trouble_over"), ("sms", "t-a", "trouble_over")] == house.send()


def test_trouble_finds_somebody_on_every_channel(tmp_path: Path) -> None:
    """A chat of the centre is not enough where nobody of the centre has a phone: then the stations are told."""
    house = House(tmp_path)
    lonely = House(tmp_path, contacts=without("t-a"))
    for one in (house, lonely):
        one.notifier.trouble(Trouble("journal", "disk full", NOW))
    assert [("chat", "t", "trouble"), ("sms", "t-a", "trouble")] == house.send()
    assert [("chat", "t", "trouble"), ("sms", "so-a", "trouble"), ("sms", "st-a", "trouble")] == lonely.send()
    house.outbox.close()
    lonely.outbox.close()


def without(contact: str) -> str:
    return "\n".join(line for line in CONTACTS.splitlines() if f'"{contact}"' not in line)


def test_a_hung_button_does_not_fill_the_memory(house: House) -> None:
    """Of each recipient the last page that reached them is kept."""
    for at in range(50):
        house.now_ms += 60_000
        house.has("i1", Rung.STATION, presses=at + 1)
        house.send()
    kept = house.notifier.board.incidents["town", "i1"]
    assert 2 == len([one for one in kept.values() if one.state is Fares.SENT])


async def test_the_outbox_goes_on_where_it_was(tmp_path: Path) -> None:
    """What waited is sent, what was sent is not, and a page of the journal nobody took up is told; a page that is too
    old is told to nobody, and that is said."""
    async with writing(tmp_path) as outbox:
        first = House(tmp_path, outbox=outbox)
        first.has("i1", Rung.STATION)
        sms = first.notifier.board.queues["sms"].take(NOW)
        assert sms is not None
        first.notifier.came(sms, Sent(), 0.5)
    later = opened(tmp_path / NAME)
    second = House(tmp_path, outbox=later)
    second.number, second.now_ms = 100, NOW + 60_000
    for name in ("i1", "i2"):
        second.incidents["town", name] = first.incidents["town", "i1"]
    pages = [
        (NOW, Page("town", "i1", Rung.STATION, "h1 pressed")),
        (NOW + 59_000, Page("town", "i2", Rung.TOWN, "lost in between")),
        (NOW - 3_600_000, Page("town", "i2", Rung.STATION, "an hour ago")),
        (NOW, Page("town", "gone", Rung.STATION, "of an incident nobody knows")),
    ]
    second.notifier.resume(pages)
    assert [("chat", "st", "page"), ("chat", "t", "page"), ("sms", "t-a", "page")] == second.send()
    assert ["too late: the hub was down"] == [one.detail for one in second.heard if one.channel == ""]
    later.close()


@contextlib.asynccontextmanager
async def writing(folder: Path) -> AsyncIterator[Outbox]:
    """An outbox whose file holds everything when it is left."""
    outbox = opened(folder / NAME)
    task = asyncio.create_task(outbox.run())
    try:
        yield outbox
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        outbox.close()


async def test_a_disk_that_takes_nothing_stops_no_notice(tmp_path: Path) -> None:
    """While the file is locked postings are sent from memory and read back from there; after it, they are on disk."""
    async with writing(tmp_path) as outbox:
        outbox._db.execute("PRAGMA busy_timeout = 20")
        with contextlib.closing(sqlite3.connect(tmp_path / NAME, isolation_level=None)) as lock:
            lock.execute("BEGIN IMMEDIATE")
            house = House(tmp_path, outbox=outbox)
            house.has("i1", Rung.STATION)
            assert 2 == len(house.send())
            await until(lambda: outbox.trouble is not None)
            assert {"sent"} == {one.state.value for one in await outbox.of("town", "i1")}
            lock.execute("ROLLBACK")
        await until(lambda: outbox.trouble is None)
    with contextlib.closing(sqlite3.connect(tmp_path / NAME)) as db:
        assert [("sent",)] == db.execute("SELECT DISTINCT state FROM posting").fetchall()


def test_a_damaged_outbox_is_put_aside(tmp_path: Path) -> None:
    """It keeps no hub from starting, and can still be looked into."""
    (tmp_path / NAME).write_bytes(b"no database at all, but long enough to be looked at" * 20)
    opened(tmp_path / NAME).close()
    assert 1 == len(list(tmp_path.glob(f"{NAME}.damaged-*")))


def test_no_name_and_no_phone_is_on_disk(tmp_path: Path) -> None:
    """The outbox knows ids alone."""
    outbox = opened(tmp_path / NAME)
    house = House(tmp_path, outbox=outbox)
    house.has("i1", Rung.STATION, Rung.GROUP, calls=calls("h2", "h3"))
    house.send()
    outbox.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob(f"{NAME}*"))
    assert b"st-a" in kept
    assert not [word for word in (b"13800000009", b"Duty of ST", b"Ben of H2") if word in kept]


def test_what_nobody_reports_on_is_unknown(tmp_path: Path) -> None:
    """Sent is not reached: when a report may take no longer it is unknown, until one comes after all. A report that
    says less than is known changes nothing."""
    house = House(tmp_path, Route(rung=Told.STATION, channels=("voice",)))
    house.has("i1", Rung.STATION)
    assert [("voice", "st-a", "page")] == house.send()
    house.now_ms += 9_000
    house.notifier.overdue()
    assert "sent" == house.states()["voice", "st-a"]
    house.now_ms += 1_000
    house.notifier.overdue()
    assert "unknown" == house.states()["voice", "st-a"]
    said = [house.notifier.reported(house.heard[-1], state, "by the far end").state for state in REPORTS]
    assert [Fares.FAILED, Fares.DELIVERED, Fares.DELIVERED, Fares.DELIVERED] == said
    house.outbox.close()


REPORTS = (Fares.FAILED, Fares.DELIVERED, Fares.FAILED, Fares.UNKNOWN)


def test_pages_are_told_apart_by_what_they_say() -> None:
    """Two rungs and two reasons of one moment are four pages."""
    pages = [Page("a", "i", rung, why) for rung in (Rung.STATION, Rung.TOWN) for why in ("x", "y")]
    assert 4 == len({key_of(page, NOW) for page in pages})


# The configuration and the command.


@pytest.fixture
def far() -> Iterator[FarEnd]:
    """A far end."""
    with far_end() as found:
        yield found


def test_what_no_key_shows_alone_is_told_together(tmp_path: Path) -> None:
    """Channels named twice, routes that lead nowhere, and secrets that are not there, in one go."""
    config = write_config(tmp_path)
    tables = [f'{{ name = "a", kind = "webhook", url = "https://x/", secret_file = "{name}" }}' for name in ("b", "c")]
    with pytest.raises(Refused) as refused:
        load(config, [f"channel=[{', '.join(tables)}]", 'route=[{ rung = "town", channels = ["z"] }]'])
    keys = {fault.key for fault in refused.value.faults}
    assert {"channel[1].name", "route[0].channels", "channel[0].secret_file", "channel[1].secret_file"} <= keys


@pytest.mark.parametrize(
    "table", ['quiet = { begin = "22:00", end = "07:00", priorities = [1] }', 'utc_offset = "8"', "give_up_s = [1]"]
)
def test_rules_that_cannot_be_are_refused(table: str, tmp_path: Path) -> None:
    """A P1 is never quiet, offsets are offsets, and every priority has its limit."""
    with pytest.raises(Refused, match="channels"):
        load(write_config(tmp_path), [f"channels={{ {table} }}"])


async def command(*argv: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "lianfang",
        "channels",
        *argv,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_the_command_tells_per_recipient_what_came_of_it(far: FarEnd, tmp_path: Path) -> None:
    """A marked test to a place's people; 1 when one was not taken, 2 for whom nobody knows; no name, no phone."""
    config = write_config(tmp_path)
    secrets_in(tmp_path)
    sets = ("--set", with_contacts(tmp_path, REGISTRY), "--set", f"channel=[{webhook(far)}, {webhook(far, 'bad')}]")
    far.judge = lambda got: Answer(400) if got.path == "/bad" else None
    code, out, _ = await command("test", "--config", str(config), "--to", "st", "--channel", "sms", *sets)
    assert (0, "sms: town/st-a: taken\n") == (code, out)
    assert ("+8613800000009", "test") == (far.got[0].body["to"], far.got[0].body["sort"])
    code, out, err = await command("test", "--config", str(config), *sets)
    assert (1, "") == (code, err)
    assert ["sms: town/t-a: taken", "bad: town/t-a: refused: HTTP 400"] == out.splitlines()
    code, _, err = await command("test", "--config", str(config), "--to", "nobody", *sets)
    assert (2, True) == (code, "--to" in err)
    code, out, _ = await command("list", "--config", str(config), *sets)
    assert (0, True) == (code, f"sms: webhook to {far.url[7:]}, each person, with delivery reports" in out)
    assert not [word for word in ("Duty of ST", "13800000009") if word in out]
