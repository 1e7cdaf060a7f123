"""False alarms by cause and zone: what may be named, what is counted, and what is taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.core.acts import Disposition, Move
from hub.core.blame import BLAMES_MAX
from hub.core.incident import Incident
from hub.core.io import Input, NotAllowed
from hub.defaults import load_defaults
from protocol.faults import Refused
from protocol.kinds import Kind
from tests.support.desk import AREA, MIN, START_MS, DeskAtWork, S


def resolved(village: DeskAtWork, incident: Incident, **more: Any) -> None:
    """Accept an incident and resolve it as a false alarm."""
    village.move(incident, Move.ACCEPT)
    village.move(incident, Move.RESOLVE, disposition=Disposition.FALSE_ALARM, **more)


def counted(village: DeskAtWork, since_ms: int = 0) -> list[tuple[str, dict[str, int]]]:
    """The worst zones with their causes."""
    return [(one.zone, one.causes) for one in village.desk.false_alarms([AREA], since_ms)]


def intrusion() -> DeskAtWork:
    """Two zones of h01 tripped."""
    village = DeskAtWork()
    village.happen(Kind.INTRUSION, "h01-door", 0)
    village.happen(Kind.INTRUSION, "h01-motion", 5 * S)
    return village


def test_the_worst_zone_comes_first() -> None:
    """By how many, of which causes, since when."""
    village = DeskAtWork()
    for at, (zone, cause) in enumerate([("h03-smoke", "cooking"), ("h15-smoke", "insect"), ("h03-smoke", "insect")]):
        village.happen(Kind.FIRE, zone, at * 60 * MIN)
        resolved(village, village.desk.incidents()[0], false_cause=cause)
    assert [("h03-smoke", {"cooking": 1, "insect": 1}), ("h15-smoke", {"insect": 1})] == counted(village)
    assert [("h03-smoke", {"insect": 1})] == counted(village, START_MS + 90 * MIN)
    assert [] == [(one.zone) for one in village.desk.false_alarms(["elsewhere"])]


def test_words_count_as_other_and_all_its_zones_unless_some_are_named() -> None:
    """The text stays in the incident; the zone that was not to blame is not counted."""
    village = intrusion()
    resolved(village, village.only(), cause="a1b2", zones=["h01-motion"])
    assert [("h01-motion", {"other": 1})] == counted(village)
    assert ("other", ["h01-motion"]) == (village.only().false_cause, village.only().false_zones)
    whole = intrusion()
    resolved(whole, whole.only(), false_cause="pet_or_animal")
    assert [("h01-door", {"pet_or_animal": 1}), ("h01-motion", {"pet_or_animal": 1})] == counted(whole)


def test_what_was_genuine_is_nobodys_fault() -> None:
    """Only false alarms are counted."""
    village = intrusion()
    village.move(village.only(), Move.ACCEPT)
    village.move(village.only(), Move.RESOLVE, disposition=Disposition.GENUINE)
    assert [] == counted(village)


def test_sent_back_it_is_counted_no_more() -> None:
    """Until it is resolved so again."""
    village = intrusion()
    resolved(village, village.only(), false_cause="child")
    village.move(village.only(), Move.SEND_BACK, by="sup-1")
    assert ([], None, []) == (counted(village), village.only().false_cause, village.only().false_zones)
    village.move(village.only(), Move.RESOLVE, disposition=Disposition.FALSE_ALARM, false_cause="insect")
    assert [("h01-door", {"insect": 1}), ("h01-motion", {"insect": 1})] == counted(village)


def test_a_parent_and_its_children_count_once() -> None:
    """Two households of a group: the parent's end is its children's, and each zone is counted by its own incident."""
    village = DeskAtWork()
    village.happen(Kind.INTRUSION, "h01-door", 0)
    village.happen(Kind.INTRUSION, "h04-door", 60 * S)
    (parent,) = [one for one in village.desk.incidents() if one.rule == "group_intrusion"]
    resolved(village, parent, false_cause="wind_or_weather")
    assert [("h01-door", {"wind_or_weather": 1}), ("h04-door", {"wind_or_weather": 1})] == counted(village)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"false_cause": "ghosts"}, "no cause ghosts; allowed: pressed_by_mistake, child"),
        (
            {"false_cause": "child", "zones": ["h04-door"]},
            "h04-door did not set it off; its zones: h01-door, h01-motion",
        ),
        ({}, "a false alarm needs `cause`"),
        ({"disposition": Disposition.GENUINE, "false_cause": "child"}, "are for a false alarm"),
    ],
)
def test_what_may_not_be_named_is_refused(more: dict[str, Any], why: str) -> None:
    """By name, with what is allowed, and nothing was changed."""
    village = intrusion()
    village.move(village.only(), Move.ACCEPT)
    before = village.desk.snapshot()
    with pytest.raises(NotAllowed, match=why):
        village.move(village.only(), Move.RESOLVE, **{"disposition": Disposition.FALSE_ALARM, **more})
    assert before == village.desk.snapshot()


def test_a_zone_remembers_so_many_and_says_when_there_were_more() -> None:
    """The oldest goes; replaying gives the same."""
    village = DeskAtWork()
    for at in range(BLAMES_MAX + 2):
        village.press("h03", at * 10 * MIN)
        resolved(village, village.desk.incidents()[0], false_cause="child")
    (zone,) = village.desk.false_alarms([AREA])
    assert (BLAMES_MAX, True) == (zone.count, zone.more)
    again = DeskAtWork()
    for at_ms, body in village.journal:
        again.desk.begin()
        again.desk.step(msgspec.json.decode(body, type=Input), at_ms, replayed=True)
        again.desk.commit()
    assert village.desk.snapshot() == again.desk.snapshot()


def test_a_centre_has_its_own_list(tmp_path: Path) -> None:
    """In its defaults, the last being other; anything else is refused."""
    path = tmp_path / "own.toml"
    path.write_text('[causes]\nfalse_alarm = ["storm", "other"]\n', encoding="utf-8")
    assert ["storm", "other"] == load_defaults(path).causes.false_alarm
    path.write_text('[causes]\nfalse_alarm = ["storm"]\n', encoding="utf-8")
    with pytest.raises(Refused, match="the last is other"):
        load_defaults(path)
