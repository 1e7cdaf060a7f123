"""Each rule as a table: what happens, and the incidents that come of it."""

from __future__ import annotations

import pytest

from protocol.kinds import Kind
from tests.support.desk import MIN, DeskAtWork, H, S

P, D, INT, F, G = Kind.PANIC, Kind.DURESS, Kind.INTRUSION, Kind.FIRE, Kind.GAS
Happens = list[tuple[int, Kind, str]]
Expected = list[tuple[str, int, list[str]]]
"""rule, priority, premises (or zones where the rule is about zones)."""

CASES: dict[str, tuple[Happens, Expected]] = {
    "panic: a press is an incident": ([(0, P, "h03-panic")], [("panic", 1, ["h03"])]),
    "panic: presses of a household within 5 min join": (
        [(0, P, "h03-panic"), (5 * MIN, P, "h03-panic")],
        [("panic", 1, ["h03"])],
    ),
    "panic: a press just past 5 min is a new incident": (
        [(0, P, "h03-panic"), (5 * MIN + 1, P, "h03-panic")],
        [("panic", 1, ["h03"]), ("panic", 1, ["h03"])],
    ),
    "panic: the window counts from the first press, not the last": (
        [(0, P, "h03-panic"), (4 * MIN, P, "h03-panic"), (8 * MIN, P, "h03-panic")],
        [("panic", 1, ["h03"]), ("panic", 1, ["h03"])],
    ),
    "panic: a second household of the group within 10 min joins": (
        [(0, P, "h03-panic"), (10 * MIN, P, "h09-panic")],
        [("panic", 1, ["h03", "h09"])],
    ),
    "panic: a second household past 10 min is on its own": (
        [(0, P, "h03-panic"), (10 * MIN + 1, P, "h09-panic")],
        [("panic", 1, ["h03"]), ("panic", 1, ["h09"])],
    ),
    "panic: a household of another group is on its own": (
        [(0, P, "h03-panic"), (S, P, "h12-panic")],
        [("panic", 1, ["h03"]), ("panic", 1, ["h12"])],
    ),
    "duress: a code is a P1": ([(0, D, "h05-duress")], [("duress", 1, ["h05"])]),
    "duress: a code past 5 min is another": (
        [(0, D, "h05-duress"), (5 * MIN + 1, D, "h05-duress")],
        [("duress", 1, ["h05"]), ("duress", 1, ["h05"])],
    ),
    "silent_holdup: a signal is a P1": ([(0, Kind.SILENT_HOLDUP, "works")], [("silent_holdup", 1, ["works"])]),
    "fire: a detector is a P1": ([(0, F, "h03-smoke")], [("fire", 1, ["h03"])]),
    "fire: of two houses is two fires": (
        [(0, F, "h03-smoke"), (S, F, "h15-smoke")],
        [("fire", 1, ["h03"]), ("fire", 1, ["h15"])],
    ),
    "gas: a detector is a P1": ([(0, G, "h06-gas")], [("gas", 1, ["h06"])]),
    "intrusion: one zone is unconfirmed": ([(0, INT, "h01-door")], [("intrusion", 2, ["h01"])]),
    "intrusion: the same zone twice confirms nothing": (
        [(0, INT, "h01-door"), (MIN, INT, "h01-door")],
        [("intrusion", 2, ["h01"])],
    ),
    "intrusion: another zone within 30 min confirms": (
        [(0, INT, "h01-door"), (30 * MIN, INT, "h01-motion")],
        [("intrusion", 1, ["h01"])],
    ),
    "intrusion: another zone past 30 min is another intrusion": (
        [(0, INT, "h01-door"), (30 * MIN + 1, INT, "h01-motion")],
        [("intrusion", 2, ["h01"]), ("intrusion", 2, ["h01"])],
    ),
    "intrusion: an entry that ran out is a trip": (
        [(0, Kind.ENTRY_EXIT, "h01-door"), (S, INT, "h01-motion")],
        [("intrusion", 1, ["h01"])],
    ),
    "group_intrusion: two households within 10 min have a P1 parent": (
        [(0, INT, "h01-door"), (10 * MIN, INT, "h02-door")],
        [("group_intrusion", 1, ["h01", "h02"]), ("intrusion", 2, ["h01"]), ("intrusion", 2, ["h02"])],
    ),
    "group_intrusion: past 10 min they have none": (
        [(0, INT, "h01-door"), (10 * MIN + 1, INT, "h02-door")],
        [("intrusion", 2, ["h01"]), ("intrusion", 2, ["h02"])],
    ),
    "group_intrusion: households of two groups have none": (
        [(0, INT, "h01-door"), (S, INT, "h11-door")],
        [("intrusion", 2, ["h01"]), ("intrusion", 2, ["h11"])],
    ),
    "group_intrusion: one household twice has none": (
        [(0, INT, "h01-door"), (31 * MIN, INT, "h01-door")],
        [("intrusion", 2, ["h01"]), ("intrusion", 2, ["h01"])],
    ),
    "tamper: one incident a zone, however often": (
        [(0, Kind.TAMPER, "h03-tamper"), (H, Kind.TAMPER, "h03-tamper"), (H, Kind.TAMPER, "works-tamper")],
        [("tamper", 3, ["h03"]), ("tamper", 3, ["works"])],
    ),
    "nvr_blind: one incident a recorder, whatever fails": (
        [(0, Kind.NVR_OFFLINE, "works-nvr"), (S, Kind.RECORDING_STALE, "works-nvr-recording")],
        [("nvr_blind", 3, ["works"])],
    ),
    "fault: one incident a cause": (
        [(0, Kind.ZONE_FAULT, "h01-door"), (S, Kind.ZONE_FAULT, "h01-door"), (S, Kind.MAINS_LOST, "works-mains")],
        [("fault", 4, ["h01"]), ("fault", 4, ["works"])],
    ),
    "water: is a P3": ([(0, Kind.WATER, "works")], [("water", 3, ["works"])]),
    "cancel: alone is nothing": ([(0, Kind.CANCEL, "h01")], []),
    "proof: an installer's test is none": ([(0, Kind.TEST, "h01")], []),
    "arming, tests, resets and clocks raise nothing": (
        [(0, kind, "works") for kind in (Kind.ARMED, Kind.DISARMED, Kind.TEST, Kind.RESET, Kind.CLOCK, Kind.BYPASS)],
        [],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_happens_becomes_these_incidents(case: str) -> None:
    """The table's incidents come of the table's records, in the order of their first events."""
    happens, expected = CASES[case]
    village = DeskAtWork()
    for at, kind, where in happens:
        village.happen(kind, where, at)
    found = sorted(village.open(), key=lambda i: (i.rule, i.event_ms, i.premises))
    assert sorted(expected) == sorted((i.rule, int(i.priority), i.premises) for i in found)
    assert all(i.why for i in found)


def test_every_rule_has_a_case() -> None:
    """A rule added to the folder without a case here is not tested."""
    from hub.core.rules import rules
    from tests.core.rules.test_losses import CASES as LOSSES

    elsewhere = {"gateway_lost"}
    assert {rule.name for rule in rules()} - elsewhere <= {case.partition(":")[0] for case in (*CASES, *LOSSES)}
