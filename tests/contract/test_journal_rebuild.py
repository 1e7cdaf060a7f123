"""The desk folded again from its journal: whatever happened to the registry, the disk or the rules in between."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

from structlog.testing import capture_logs

from hub.core.acts import Disposition, Move, Moved
from hub.core.desk import Desk
from hub.core.heard import Linked, Recorded
from hub.core.incident import State
from hub.core.io import Input
from hub.core.registry import Registry
from hub.defaults import load_defaults
from hub.journal import Draft, Journal
from hub.rebuild import Rebuilt, rebuild
from hub.registry import load
from hub.registry.diff import between
from hub.registry.history import History
from protocol.kinds import CODES, Kind, Qualifier
from protocol.records import ClockQuality, Event, Stamp
from tests.support.centre import REGISTRY

DAY_ONE_MS = 1_700_000_000_000


def desk(folder: Path, registry: str = REGISTRY) -> Desk:
    (folder / "registry.toml").write_text(registry, encoding="utf-8")
    return Desk(load(folder / "registry.toml").registry, load_defaults())


def opened(folder: Path) -> Journal:
    return Journal(f"sqlite:///{folder / 'journal.db'}", config="c" * 64, rules="1", busy_ms=50)


def press(seq: int, premises: str, gateway: str) -> Recorded:
    at = Stamp(0, 0, ClockQuality.SYNCED)
    priority = CODES[Kind.PANIC].priority
    event = Event(seq, Kind.PANIC, Qualifier.NEW, priority, at, f"k-{seq}", premises, f"{premises}-panic")
    return Recorded("town", gateway, "1" * 32, 1, event, 5)


def work(desk: Desk, journal: Journal, *inputs: Callable[[Desk], Input]) -> None:
    """Step and journal one input after another, as the hub does; one may look at what the others did."""
    for at, made in enumerate(inputs):
        taken = made(desk)
        desk.begin()
        desk.step(taken, DAY_ONE_MS + at)
        journal.append([Draft(taken.area, DAY_ONE_MS + at, taken)])
        desk.commit()


def again(desk: Desk, folder: Path) -> Rebuilt:
    with opened(folder) as journal:
        return rebuild(desk, journal)


def first(desk: Desk) -> str:
    return desk.incidents()[0].id


def accept(desk: Desk) -> Moved:
    return Moved("town", first(desk), Move.ACCEPT, "p-1")


WITHOUT_H3 = "\n".join(
    line.replace('"h3", ', "") for line in REGISTRY.splitlines() if 'id = "h3"' not in line and '"h3-panic"' not in line
)
WITHOUT_GW_2 = "\n".join(line for line in WITHOUT_H3.splitlines() if "works-door" not in line).replace(
    'kind = "site", gateway = "gw-2"', 'kind = "site", gateway = "gw-1"'
)


def test_the_same_journal_gives_the_same_desk(tmp_path: Path) -> None:
    """Byte for byte, with nothing left out and nothing refused."""
    before = desk(tmp_path)
    with opened(tmp_path) as journal:
        work(before, journal, lambda _: press(1, "h1", "gw-1"), lambda _: press(2, "h2", "gw-1"), accept)
    after = desk(tmp_path)
    found = again(after, tmp_path)
    assert before.snapshot() == after.snapshot()
    assert (3, 0, 0, DAY_ONE_MS + 2, None) == (
        found.entries,
        found.differing,
        found.left_out,
        found.last_ms,
        found.broken,
    )


def test_a_household_that_moved_away_takes_no_incident_with_it(tmp_path: Path) -> None:
    """Its open incident is still there after the restart, as far as it had come, and can be brought to its end."""
    before = desk(tmp_path)
    with opened(tmp_path) as journal:
        work(before, journal, lambda _: press(1, "h3", "gw-2"), accept)
        for registry in (WITHOUT_H3, WITHOUT_GW_2):
            after = desk(tmp_path, registry)
            found = again(after, tmp_path)
            assert (0, 0) == (found.differing, found.left_out)
            (incident,) = after.incidents()
            assert (first(before), State.ACCEPTED, ["h3"]) == (incident.id, incident.state, incident.premises)
            after.begin()
            end = Moved("town", incident.id, Move.RESOLVE, "p-1", disposition=Disposition.GENUINE)
            after.step(end, DAY_ONE_MS + 9)
            after.commit()
            assert State.RESOLVED is after.incidents()[0].state
            assert {"1" * 32: [(1, 1)]} == {
                instance: list(ranges) for instance, ranges in after.marks("town", "gw-2").items()
            }


def test_what_is_not_in_the_registry_is_still_refused_when_it_comes_anew(tmp_path: Path) -> None:
    """Only the journal's own entries are borne with."""
    after = desk(tmp_path, WITHOUT_H3)
    after.begin()
    after.step(press(1, "h3", "gw-2"), DAY_ONE_MS)
    assert not after.verdict.effective
    after.commit()
    assert [] == after.incidents()


def test_a_broken_chain_is_said_and_the_village_keeps_its_hub(tmp_path: Path) -> None:
    """The first broken entry is named; every entry is folded all the same."""
    before = desk(tmp_path)
    with opened(tmp_path) as journal:
        work(before, journal, lambda _: press(1, "h1", "gw-1"), accept, lambda _: press(2, "h2", "gw-1"))
    tamper(tmp_path, "UPDATE entry SET hash = zeroblob(32) WHERE n = 2")
    after = desk(tmp_path)
    with capture_logs() as lines:
        found = again(after, tmp_path)
    assert before.snapshot() == after.snapshot()
    assert found.broken is not None
    assert (2, 1) == (found.broken.n, [line["log_level"] for line in lines].count("error"))


def test_an_entry_nobody_can_read_is_left_out_loudly(tmp_path: Path) -> None:
    """A body that is none, or of no known kind, costs itself alone."""
    before = desk(tmp_path)
    with opened(tmp_path) as journal:
        up = Linked("town", "gw-1", True, 1)
        work(before, journal, lambda _: press(1, "h1", "gw-1"), lambda _: up, lambda _: press(2, "h2", "gw-1"))
    tamper(tmp_path, "UPDATE entry SET body = X'7B' WHERE n = 2")
    after = desk(tmp_path)
    with capture_logs() as lines:
        found = again(after, tmp_path)
    assert (3, 1) == (found.entries, found.left_out)
    assert 2 == after.incidents()[0].presses
    assert [2] == [line["n"] for line in lines if line["event"].startswith("left out")]


def tamper(folder: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(folder / "journal.db")) as db:
        db.executescript(f"DROP TRIGGER entry_no_update; {statement};")


def test_who_was_called_is_not_called_anew_by_another_registry(tmp_path: Path) -> None:
    """A household left the group since: the incident is folded under the registry it was made under, where it was
    kept, and what comes after is judged by that of today."""
    before = desk(tmp_path)
    with Journal(f"sqlite:///{tmp_path / 'journal.db'}", config=before.config_digest, rules="1", busy_ms=50) as journal:
        work(before, journal, lambda d: press(1, "h1", "gw-1"))
    (called,) = (set(one.calls) for one in before.incidents())
    after = desk(tmp_path, WITHOUT_H3)
    today = after.registry
    with opened(tmp_path) as journal:
        rebuild(after, journal, formerly={before.config_digest: before.registry}.get)
    assert "h3" in called
    assert (called, today) == (set(after.incidents()[0].calls), after.registry)
    assert before.snapshot() == after.snapshot()


def test_a_registry_nobody_kept_leaves_an_entry_to_that_of_today(tmp_path: Path) -> None:
    """The incident stands all the same, judged by what there is."""
    before = desk(tmp_path)
    with Journal(f"sqlite:///{tmp_path / 'journal.db'}", config=before.config_digest, rules="1", busy_ms=50) as journal:
        work(before, journal, lambda d: press(1, "h1", "gw-1"))
    after = desk(tmp_path, WITHOUT_H3)
    again(after, tmp_path)
    assert ("h3" in before.incidents()[0].calls, "h3" in after.incidents()[0].calls) == (True, False)


def test_the_history_gives_the_registry_of_a_configuration(tmp_path: Path) -> None:
    """By the digest an entry names, with these limits; an unknown one gives none."""
    kept, limits = desk(tmp_path), load_defaults()
    history = History(tmp_path / "history")
    history.keep(kept.registry, between(Registry(), kept.registry), by="p-1", source="test", at_ms=1)
    formerly = history.formerly(limits)
    found = formerly(kept.config_digest)
    assert found is not None
    assert (kept.registry.digest, None) == (found.digest, formerly("0" * 64))
