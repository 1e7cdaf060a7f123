"""Where a record stands on the hub's axis, how sure that is said to be, and what a wrong clock can do (nothing)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.clocks import DRIFT_PPM, KBOOTS_MAX, TRANSIT_MS, UNPLACED_MAX, drifted_ms
from hub.core.desk import Desk
from hub.core.heard import Recorded
from hub.core.incident import Happening, Incident
from hub.core.timing import PlacedBy, placed
from protocol.kinds import Kind, Qualifier
from protocol.records import ClockQuality, Stamp
from tests.support.desk import AREA, DEFAULTS, MIN, REGISTRY, START_MS, DeskAtWork, H, S, called, pages

NS = 1_000_000
UNSET, HOLDOVER, SYNCED = ClockQuality.UNSET, ClockQuality.HOLDOVER, ClockQuality.SYNCED
HOME = "h03-panic"


def unset(mono: int, wall_ms: int = 86_400_000) -> Stamp:
    """A stamp without a clock, `mono` ms after the kernel began."""
    return Stamp(mono * NS, wall_ms, UNSET)


class Gateway:
    """Kernel boots of one gateway, by the true times at which they began (ms from START_MS)."""

    def __init__(self, desk: DeskAtWork, **zeros: int) -> None:
        self.desk, self.zeros = desk, zeros
        self._boots = {name: (name * 32, at) for at, name in enumerate(zeros, 1)}

    def say(
        self,
        kboot: str,
        event: int,
        at: int,
        kind: Kind = Kind.PANIC,
        where: str = HOME,
        old: bool = False,
        **more: Any,
    ) -> list[Any]:
        """A record of a kernel boot that truly happened at `event` and comes at `at`; `old` ones have no age."""
        instance, boot = self._boots[kboot]
        stamp = more.pop("stamp", unset(event - self.zeros[kboot]))
        if old:
            more["age_ms"] = None
        return self.desk.happen(kind, where, event, at, stamp=stamp, instance=instance, boot=boot, kboot=kboot, **more)

    def clock(self, kboot: str, event: int, at: int, old: bool = False, **detail: Any) -> list[Any]:
        """A clock record of it."""
        return self.say(kboot, event, at, Kind.CLOCK, "h03", old=old, detail=detail)

    def set_right(self, kboot: str, event: int, at: int, old: bool = False, error_ms: int = 20) -> list[Any]:
        """A time service set its clock at `event`."""
        zero_ms = START_MS + self.zeros[kboot]
        return self.clock(kboot, event, at, old, source="clock", quality="synced", offset_ms=zero_ms, error_ms=error_ms)


def span_of(incident: Incident) -> tuple[int | None, int | None]:
    """Its interval in ms from START_MS."""
    first, last = incident.not_before_ms, incident.not_after_ms
    return (None if first is None else first - START_MS, None if last is None else last - START_MS)


def test_a_live_panic_of_a_clock_in_1970_pages_as_live() -> None:
    """Its age says all: no word of lateness, neighbours are called, and it stands where it happened."""
    desk = DeskAtWork()
    effects = Gateway(desk, a=0).say("a", 10 * S, 10 * S + 200)
    incident = desk.only()
    assert [("station", "h03 pressed the panic button")] == pages(effects)[:1]
    assert called(effects)
    assert (START_MS + 10 * S, 200, "") == (incident.event_ms, incident.late_ms, incident.placed)


def test_a_press_held_for_40_s_pages_as_late_by_40_s() -> None:
    """Age is what the gateway's monotonic clock says, whatever its wall clock does."""
    desk = DeskAtWork()
    effects = Gateway(desk, a=0).say("a", 10 * S, 50 * S)
    assert [("station", "h03 pressed the panic button (late by 40 s)")] == pages(effects)[:1]
    assert (START_MS + 10 * S, 40 * S) == (desk.only().event_ms, desk.only().late_ms)


def test_what_came_with_its_age_lies_at_most_one_message_s_way_before() -> None:
    """Until the hub's time was heard back the way of a message is only bounded; then it is known."""
    desk = DeskAtWork()
    gateway = Gateway(desk, a=0)
    gateway.say("a", 10 * S, 10 * S)
    assert (10 * S - TRANSIT_MS, 10 * S) == span_of(desk.only())
    gateway.clock("a", 11 * S, 11 * S, source="hub", offset_ms=START_MS - 80, heard_ms=10_500)
    gateway.say("a", 20 * MIN, 20 * MIN)
    (late,) = [one for one in desk.desk.incidents() if one.event_ms == START_MS + 20 * MIN]
    first, last = span_of(late)
    drifted = drifted_ms(20 * MIN - 10_500)
    assert (20 * MIN - 80 - drifted - 1, 20 * MIN) == (first, last)
    assert late.error_ms == 80 + drifted + 1


def test_an_age_of_hours_is_as_sure_as_the_clock_it_was_counted_by() -> None:
    """Six hours at 500 ppm are eleven seconds, to either side."""
    desk = DeskAtWork()
    Gateway(desk, a=0).say("a", MIN, 6 * H + MIN)
    drifted = 6 * H * DRIFT_PPM // 1_000_000
    assert (MIN - TRANSIT_MS - drifted, MIN + drifted) == span_of(desk.only())


def test_a_record_without_an_age_is_placed_by_an_earlier_clock_record_of_its_kernel_boot() -> None:
    """To within the error the kernel stated and what quartzes drift."""
    desk = DeskAtWork()
    gateway = Gateway(desk, a=0, b=3 * H)
    gateway.set_right("a", 30 * MIN, 4 * H, old=True)
    effects = gateway.say("a", 10 * MIN, 4 * H, old=True)
    incident = desk.only()
    drifted = 20 * MIN * DRIFT_PPM // 1_000_000
    assert (START_MS + 10 * MIN, 21 + drifted) == (incident.event_ms, incident.error_ms)
    assert (None, "placed by its gateway's clock, to within 0 s") == (incident.late_ms, incident.placed)
    assert "h03 pressed the panic button (age unknown)" in [why for _, why in pages(effects)]
    assert not called(effects)


def test_a_clock_record_of_another_kernel_boot_places_nothing() -> None:
    """Monotonic time counts within one kernel boot."""
    desk = DeskAtWork()
    gateway = Gateway(desk, a=0, b=3 * H)
    gateway.set_right("b", 3 * H + MIN, 3 * H + MIN)
    gateway.say("a", 10 * MIN, 4 * H, old=True)
    assert (None, START_MS + 4 * H) == (desk.only().error_ms, desk.only().not_after_ms)
    assert "no sure clock" in desk.only().placed


def test_a_clock_record_that_comes_later_adds_a_note_and_rewrites_nothing() -> None:
    """The incident keeps the time by which it was judged; the better one stands in its history."""
    desk = DeskAtWork()
    gateway = Gateway(desk, a=0, b=3 * H)
    gateway.say("a", 10 * MIN, 4 * H, old=True)
    before = desk.only()
    gateway.set_right("a", 30 * MIN, 4 * H + S, old=True)
    after = desk.only()
    (line,) = [line for line in after.history if line.what == "time of panic"]
    assert (START_MS + 10 * MIN, HOME, True) == (line.event_ms, line.zone, "to within" in line.why)
    assert (before.event_ms, before.error_ms) == (after.event_ms, after.error_ms)
    assert desk.desk.incidents()[0].history[: len(before.history)] == before.history
    gateway.set_right("a", 31 * MIN, 4 * H + 2 * S, old=True)
    assert desk.only() == after


def test_a_boot_without_a_clock_lies_between_its_neighbours() -> None:
    """After the last time known of the boot before, before the start of the next; and it is not called exact."""
    desk = DeskAtWork()
    gateway = Gateway(desk, a=0, b=H, c=2 * H)
    gateway.say("a", 30 * MIN, 30 * MIN, Kind.MAINS_LOST, "h03-panic")
    gateway.clock("b", H, 3 * H, old=True, source="start", before="a")
    gateway.clock("c", 2 * H, 3 * H, source="start", before="b")
    gateway.say("b", H + 5 * MIN, 3 * H, old=True)
    (incident,) = [one for one in desk.desk.incidents() if one.rule == "panic"]
    first, last = span_of(incident)
    assert (30 * MIN - TRANSIT_MS + 5 * MIN, True) == (first, last is not None and 2 * H <= last <= 2 * H + 2 * S)
    assert (None, True) == (incident.error_ms, "within the limits stated" in incident.placed)


def test_two_boots_without_a_clock_in_a_row_keep_their_order() -> None:
    """Each press lies after the one of the boot before, whichever comes first, and they are two incidents."""

    def told(order: tuple[str, str]) -> list[tuple[int, list[str]]]:
        desk = DeskAtWork()
        gateway = Gateway(desk, a=0, b=H, c=2 * H, d=3 * H)
        gateway.say("a", S, S, Kind.MAINS_LOST, "h03-panic")
        gateway.clock("b", H, 4 * H, old=True, source="start", before="a")
        gateway.clock("c", 2 * H, 4 * H, old=True, source="start", before="b")
        stamps = {"b": unset(5 * MIN, START_MS + 10 * MIN), "c": unset(5 * MIN, START_MS + 40 * MIN)}
        for name in order:
            gateway.say(name, gateway.zeros[name] + 5 * MIN, 4 * H, old=True, stamp=stamps[name], key=f"k-{name}")
        found = [(one.event_ms - START_MS, one.keys) for one in desk.desk.incidents() if one.rule == "panic"]
        return sorted(found)

    assert [(10 * MIN, ["k-b"]), (40 * MIN, ["k-c"])] == told(("b", "c")) == told(("c", "b"))


def test_an_end_of_an_earlier_boot_clears_nothing_of_a_later_one() -> None:
    """It has no age and arrives last: for all that it happened before."""
    desk = DeskAtWork()
    gateway = Gateway(desk, a=0, b=2 * H)
    gateway.clock("b", 2 * H, 2 * H, source="start", before="a")
    gateway.say("b", 3 * H, 3 * H, Kind.TAMPER, "h03-panic")
    gateway.say("a", H, 3 * H + S, Kind.TAMPER, "h03-panic", old=True)
    gateway.say("a", H + S, 3 * H + S, Kind.TAMPER, "h03-panic", old=True, qualifier=Qualifier.RESTORE)
    (shown,) = [zone for zone in desk.desk.zones() if zone.id == "h03-panic"]
    assert [Kind.TAMPER] == shown.live


def test_an_end_of_an_earlier_boot_whose_clock_ran_ahead_clears_nothing_of_a_later_one() -> None:
    """It arrives last, before anything says which boot came first, and its stamp says that it is of just now."""
    desk = DeskAtWork()
    gateway = Gateway(desk, a=0, b=2 * H)
    gateway.say("b", 3 * H, 3 * H, Kind.TAMPER, HOME)
    ahead = Stamp(S * NS, START_MS + 9 * H, HOLDOVER)
    gateway.say("a", S, 3 * H + S, Kind.TAMPER, HOME, old=True, stamp=ahead, qualifier=Qualifier.RESTORE)
    (shown,) = [zone for zone in desk.desk.zones() if zone.id == HOME]
    assert [Kind.TAMPER] == shown.live


def test_an_end_of_a_later_boot_without_a_clock_ends_what_began_in_the_one_before() -> None:
    """Though its stamp runs from a time saved minutes before that began: else it would be shown for ever."""
    desk = DeskAtWork()
    gateway = Gateway(desk, a=0, b=2 * H, c=3 * H)
    gateway.say("a", H, H, Kind.TAMPER, HOME)
    saved = unset(S, START_MS + H - 9 * MIN)
    gateway.say("b", 2 * H + S, 4 * H, Kind.TAMPER, HOME, old=True, stamp=saved, qualifier=Qualifier.RESTORE)
    (shown,) = [zone for zone in desk.desk.zones() if zone.id == HOME]
    assert [] == shown.live


def test_six_hours_of_backlog_clear_nothing_and_join_nothing_live() -> None:
    """Ends and presses of six hours ago beside a live press: it stays live, fresh, and by itself."""
    desk = DeskAtWork()
    gateway = Gateway(desk, a=0)
    now = 6 * H + MIN
    gateway.say("a", now, now, key="live", seq=1_000)
    gateway.say("a", now, now, Kind.TAMPER, "h03-panic", key="live-tamper", seq=1_001)
    for at in range(200):
        event = MIN + at * S
        gateway.say("a", event, now, Kind.TAMPER, "h03-panic", qualifier=Qualifier.RESTORE, seq=2 * at + 1)
        gateway.say("a", event, now, key=f"old-{at // 100}", seq=2 * at + 2)
    live = [one for one in desk.desk.incidents() if one.rule == "panic" and "live" in one.keys]
    (shown,) = [zone for zone in desk.desk.zones() if zone.id == "h03-panic"]
    assert [["live"]] == [one.keys for one in live]
    assert "restored" not in live[0].conditions
    assert Kind.TAMPER in shown.live


def test_hub_time_heard_and_ages_place_what_no_time_service_does() -> None:
    """A gateway that never had a clock: its kernel boot is pinned from both sides."""
    desk = DeskAtWork()
    gateway = Gateway(desk, a=0, b=3 * H)
    gateway.clock("a", 5 * S, 5 * S + 90, source="hub", offset_ms=START_MS - 70, heard_ms=5_000, age_ms=0)
    gateway.say("a", 10 * MIN, 4 * H, old=True)
    incident = desk.only()
    assert incident.error_ms is not None
    assert incident.error_ms <= 90 + 70 + 10 * MIN * DRIFT_PPM // 1_000_000
    assert abs(incident.event_ms - START_MS - 10 * MIN) <= incident.error_ms


@pytest.mark.parametrize("hours", [-5, 7])
def test_a_clock_stepped_by_hours_moves_nothing_that_waited(hours: int) -> None:
    """Presses recorded before and after the step, held and sent with their ages, stand in their order and once."""
    desk = DeskAtWork()
    gateway = Gateway(desk, a=0)
    walls = [START_MS, START_MS + hours * H]
    for at, wall_ms in enumerate(walls):
        event = MIN + at * 20 * MIN
        stamp = Stamp(event * NS, wall_ms + event, SYNCED if at == 0 else HOLDOVER)
        gateway.say("a", event, 25 * MIN, stamp=stamp, key=f"k-{at}")
    found = sorted((one.event_ms - START_MS, one.keys, one.late_ms) for one in desk.desk.incidents())
    assert [(MIN, ["k-0"], 24 * MIN), (21 * MIN, ["k-1"], 4 * MIN)] == found


def test_of_many_kernel_boots_the_one_with_the_lowest_number_is_forgotten() -> None:
    """The hub keeps a bounded number of them for each gateway."""
    desk = DeskAtWork()
    for boot in range(1, KBOOTS_MAX + 2):
        desk.happen(Kind.MAINS_LOST, HOME, boot, kboot=f"k{boot}", boot=boot, instance=f"{boot:032x}", stamp=unset(1))
    kept = {key[2] for key, _ in desk.desk._tables.clocks.items()}
    assert {f"k{boot}" for boot in range(2, KBOOTS_MAX + 2)} == kept


def test_of_many_records_that_wait_for_a_clock_the_oldest_gets_no_note() -> None:
    """Their number is bounded for each kernel boot."""
    desk = DeskAtWork()
    gateway = Gateway(desk, a=0, b=20 * H)
    for at in range(UNPLACED_MAX + 1):
        stamp = unset((at + 1) * 10 * MIN, START_MS + (at + 1) * 10 * MIN)
        gateway.say("a", (at + 1) * 10 * MIN, 21 * H, old=True, stamp=stamp, key=f"k-{at}")
    gateway.set_right("a", 19 * H, 21 * H, old=True)
    told = {one.keys[0] for one in desk.desk.incidents() if any(line.what == "time of panic" for line in one.history)}
    assert {f"k-{at}" for at in range(1, UNPLACED_MAX + 1)} == told


def test_replay_and_snapshot_give_the_same_knowledge_of_time() -> None:
    """The journal folds to it, and a snapshot carries it."""
    desk = DeskAtWork()
    gateway = Gateway(desk, a=0, b=3 * H)
    gateway.say("a", 10 * MIN, 4 * H, old=True)
    gateway.set_right("a", 30 * MIN, 4 * H, old=True)
    gateway.clock("b", 3 * H, 4 * H, source="start", before="a")
    again, copy = desk.again(), Desk(REGISTRY, DEFAULTS)
    copy.restore(desk.desk.snapshot())
    assert desk.desk.snapshot() == again.snapshot() == copy.snapshot()


def test_an_entry_of_a_journal_that_does_not_know_kernel_boots_is_read() -> None:
    """It is placed as it was when it was written: by its clock if that was not unset, else where it arrived."""
    desk = DeskAtWork()
    old = desk.record(Kind.PANIC, HOME, 0, age_ms=None, stamp=unset(5))
    data = msgspec.json.encode(old)
    assert b"kboot" not in data
    desk.take(msgspec.json.decode(data, type=Recorded), 4 * H)
    assert (START_MS + 4 * H, None) == (desk.only().event_ms, desk.only().not_before_ms)


def test_detail_of_a_clock_record_that_makes_no_sense_changes_nothing() -> None:
    """Texts, fractions of nothing and numbers beyond any clock are not taken, and do no harm."""
    desk = DeskAtWork()
    gateway = Gateway(desk, a=0, b=3 * H)
    for detail in (
        {"source": "hub", "offset_ms": "soon"},
        {"source": "hub", "offset_ms": 2**63 - 1},
        {"source": "clock", "quality": "synced", "offset_ms": START_MS, "error_ms": -5},
        {"source": "clock", "quality": "synced", "offset_ms": True, "error_ms": 5},
        {"source": "start", "before": "a"},
    ):
        gateway.clock("a", 5 * S, 4 * H, old=True, **detail)
    gateway.say("a", 10 * MIN, 4 * H, old=True)
    assert (None, START_MS + 4 * H) == (desk.only().error_ms, desk.only().not_after_ms)


def test_history_lines_without_an_interval_stay_as_small_as_they_were() -> None:
    """What is not said of a line is not written."""
    assert b'{"at_ms":1,"what":"raised"}' == msgspec.json.encode(Happening(1, "raised"))


class Night(msgspec.Struct):
    """A true history: when kernel boots begin, and what is made and heard in them."""

    zeros: list[int]
    drifts: list[int]
    made: list[tuple[int, int, int, int | None]]


NIGHTS = st.builds(
    Night,
    st.lists(st.integers(10 * MIN, 3 * H), min_size=3, max_size=3),
    st.lists(st.integers(-DRIFT_PPM // 2, DRIFT_PPM // 2), min_size=3, max_size=3),
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.integers(S, 10 * MIN),
            st.sampled_from((0, 30, TRANSIT_MS)),
            st.none() | st.integers(0, 3 * H),
        ),
        min_size=1,
        max_size=12,
    ),
)


@settings(max_examples=150, deadline=None)
@given(NIGHTS)
def test_the_truth_lies_within_what_is_stated(night: Night) -> None:
    """Whatever drifts, is under way, and is heard when: no time is stated with an error that it does not keep."""
    desk, zeros = DeskAtWork(), [sum(night.zeros[: at + 1]) for at in range(3)]
    arrives, ends = 12 * H, []
    for number, (at, into, way, held) in enumerate(night.made):
        name, event = "abc"[at], zeros[at] + into
        mono = into + into * night.drifts[at] // 1_000_000
        process = {"kboot": name, "boot": at + 1, "instance": name * 32, "stamp": unset(mono)}
        kind, where = (Kind.PANIC, HOME) if number % 2 else (Kind.CLOCK, HOME)
        detail: dict[str, Any] = {}
        if kind is Kind.CLOCK:
            heard = START_MS + event - way - mono
            said: list[dict[str, Any]] = [
                {"source": "hub", "offset_ms": heard, "heard_ms": mono},
                {"source": "start", "before": "abc"[at - 1] if at else "z"},
                {"source": "clock", "quality": "synced", "offset_ms": START_MS + event - mono, "error_ms": 2},
            ]
            detail = said[number // 2 % 3]
        came = arrives if held is None else event + held + way
        age = None if held is None else held + held * night.drifts[at] // 1_000_000
        desk.happen(kind, where, event, came, age_ms=age, detail=detail, key=f"k-{number}", **process)
        ends.append((f"k-{number}", START_MS + event))
    truth = dict(ends)
    for dossier in (desk.desk._tables.dossiers.committed((AREA, one.id)) for one in desk.desk.incidents()):
        for mark in dossier.marks if dossier is not None else ():
            true_ms = truth[str(mark.key)]
            assert mark.not_before_ms is None or mark.not_before_ms <= true_ms + 2
            assert mark.not_after_ms is None or true_ms - 2 <= mark.not_after_ms
            assert mark.event_ms <= START_MS + 12 * H


@pytest.mark.parametrize(
    ("quality", "wall_ms", "how", "event_ms"),
    [
        (SYNCED, START_MS, PlacedBy.CLOCK, START_MS),
        (HOLDOVER, START_MS, PlacedBy.ORDER, START_MS),
        (UNSET, 5, PlacedBy.ORDER, START_MS + H),
        (UNSET, START_MS, PlacedBy.ORDER, START_MS),
        (HOLDOVER, START_MS + 2 * H, PlacedBy.ORDER, START_MS + H),
    ],
)
def test_a_stamp_alone_says_so_much(quality: ClockQuality, wall_ms: int, how: PlacedBy, event_ms: int) -> None:
    """A synchronised stamp is a time, another a hint, one of 1970 nothing; none of them is in the future."""
    when = placed(Stamp(0, wall_ms, quality), None, START_MS + H)
    assert (how, event_ms) == (when.how, when.event_ms)


def test_a_not_before_that_lies_ahead_is_not_believed() -> None:
    """A gateway whose card has a time of the future cannot make a record happen after it came."""
    when = placed(Stamp(0, START_MS + 2 * H, UNSET), None, START_MS + H)
    assert (START_MS + H, None, START_MS + H) == (when.event_ms, when.not_before_ms, when.not_after_ms)
