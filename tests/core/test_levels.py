"""Response levels: per area and period, running limits tightened at once and never longer than they were."""

from __future__ import annotations

import msgspec
import pytest

from hub.core.acts import Move
from hub.core.desk import Desk
from hub.core.io import Input, NotAllowed
from hub.core.plan import Level, Levelled
from protocol.kinds import Kind
from tests.support.desk import AREA, DEFAULTS, MIN, START_MS, DeskAtWork, H, S, pages


def level(
    village: DeskAtWork, at: int, what: Level, until: int | None = None, since: int | None = None, area: str = AREA
) -> None:
    """A supervisor sets a level; times are ms from the start."""
    times = [None if ms is None else START_MS + ms for ms in (since, until)]
    village.take(Levelled(area, what, "sup-1", "a feast", *times), at)


def climbed(village: DeskAtWork, until: int) -> list[str]:
    """The rungs told because nobody accepted."""
    return [rung for rung, why in pages(village.wait(until)) if why.startswith("not accepted in")]


@pytest.mark.parametrize(("what", "divides"), [(Level.NORMAL, 1), (Level.ENHANCED, 2), (Level.CRITICAL, 4)])
def test_a_level_divides_the_accept_limits(what: Level, divides: int) -> None:
    """Both limits of a P2: 5 and 10 min, by 1, 2 and 4; the page says the limit that was."""
    village = DeskAtWork()
    if what is not Level.NORMAL:
        level(village, 0, what, H)
    village.happen(Kind.INTRUSION, "h01-door", 0)
    assert ([], ["town"]) == (climbed(village, 5 * MIN // divides - 1), climbed(village, 5 * MIN // divides))
    assert ([], ["county"]) == (climbed(village, 15 * MIN // divides - 1), climbed(village, 15 * MIN // divides))


def test_what_runs_is_tightened_at_once_and_relaxed_when_it_ends() -> None:
    """Of 5 min 1 are gone: enhanced leaves 90 s; ended after 30 s, the whole 5 min count again and no more."""
    village = DeskAtWork()
    village.happen(Kind.INTRUSION, "h01-door", 0)
    level(village, MIN, Level.ENHANCED, 90 * S)
    assert START_MS + 90 * S == village.desk.next_due_ms()
    village = DeskAtWork()
    village.happen(Kind.INTRUSION, "h01-door", 0)
    level(village, MIN, Level.ENHANCED, MIN + 30 * S - 1)
    assert ([], ["town"]) == (climbed(village, 5 * MIN - 1), climbed(village, 5 * MIN))
    lines = [line.what for line in village.only().history]
    assert ["response level enhanced", "response level normal"] == [line for line in lines if "response level" in line]


def test_a_limit_that_the_level_has_passed_already_comes_at_once() -> None:
    """Four of five minutes are gone: critical is past, and the town is told in the same second."""
    village = DeskAtWork()
    village.happen(Kind.INTRUSION, "h01-door", 0)
    level(village, 4 * MIN, Level.CRITICAL, H)
    assert ["town"] == climbed(village, 4 * MIN)


def test_a_p2_that_becomes_a_p1_has_the_sooner_of_both_at_every_level() -> None:
    """Confirmed at 4 min: at normal both end at 5 min; at critical the P2 limit ended at 75 s, which is now."""
    village = DeskAtWork()
    village.happen(Kind.INTRUSION, "h01-door", 0)
    village.happen(Kind.INTRUSION, "h01-motion", 4 * MIN + 30 * S)
    village.wait(4 * MIN + 31 * S)
    level(village, 4 * MIN + 31 * S, Level.CRITICAL, 4 * MIN + 32 * S)
    assert ["town"] == climbed(village, 4 * MIN + 31 * S)


def test_a_period_that_is_planned_begins_and_ends_by_itself() -> None:
    """Before and after it the level is normal, within it a quarter of the limit counts."""
    village = DeskAtWork()
    level(village, 0, Level.CRITICAL, 2 * H, since=H)
    for at, limit in ((0, 5 * MIN), (H + MIN, 75 * S), (2 * H + MIN, 5 * MIN)):
        village.wait(at)
        village.happen(Kind.INTRUSION, "h01-door", at)
        (incident,) = village.open()
        assert ([], ["town"]) == (climbed(village, at + limit - 1), climbed(village, at + limit))
        village.move(incident, Move.ACCEPT)
        village.move(incident, Move.RESOLVE, disposition="test")


def test_a_later_word_replaces_an_earlier_for_its_time() -> None:
    """Critical all day, enhanced for an hour within: three periods; normal for good ends all of it."""
    village = DeskAtWork()
    level(village, 0, Level.CRITICAL, 24 * H)
    level(village, S, Level.ENHANCED, 2 * H, since=H)
    found = [(p.level, p.from_ms - START_MS, p.until_ms - START_MS) for p in village.desk.plan(AREA).periods]
    assert [("critical", 0, H), ("enhanced", H, 2 * H), ("critical", 2 * H, 24 * H)] == found
    level(village, 90 * MIN, Level.NORMAL)
    assert (Level.NORMAL, ()) == (village.desk.plan(AREA).level, village.desk.plan(AREA).periods)


def test_what_cannot_be_is_refused_with_every_fault() -> None:
    """No such area, no reason, no end: all said at once, and nothing is planned."""
    village = DeskAtWork()
    with pytest.raises(NotAllowed, match=r"no area nowhere.*`by` is empty.*`why` has 0.*`until_ms` is missing"):
        village.take(Levelled("nowhere", Level.CRITICAL, "", ""), 0)
    with pytest.raises(NotAllowed, match="`until_ms` is past"):
        level(village, H, Level.CRITICAL, H - 1)
    with pytest.raises(NotAllowed, match="`until_ms` is not after `from_ms`"):
        level(village, H, Level.CRITICAL, 2 * H, since=3 * H)
    with pytest.raises(NotAllowed, match="at most a year"):
        level(village, H, Level.CRITICAL, 400 * 24 * H)
    for number in range(16):
        level(village, H, Level.CRITICAL, (2 * number + 3) * H, since=(2 * number + 2) * H)
    with pytest.raises(NotAllowed, match="17 periods planned; allowed: at most 16"):
        level(village, H, Level.CRITICAL, 200 * H, since=199 * H)
    assert 16 == len(village.desk.plan(AREA).periods)


def test_a_level_is_journalled_and_replayed() -> None:
    """The journal rebuilds the desk with its level, its limits and its plan, to the byte; so does a snapshot."""
    village = DeskAtWork()
    village.happen(Kind.INTRUSION, "h01-door", 0)
    level(village, MIN, Level.ENHANCED, 3 * H)
    village.happen(Kind.PANIC, "h03-panic", 2 * MIN)
    village.wait(4 * H)
    again = Desk(village.registry, DEFAULTS)
    for at_ms, item in village.journal:
        again.begin()
        again.step(msgspec.json.decode(item, type=Input), at_ms, replayed=True)
        again.commit()
    assert village.desk.snapshot() == again.snapshot()
    other = Desk(village.registry, DEFAULTS)
    other.restore(village.desk.snapshot())
    assert other.snapshot() == again.snapshot()
