"""The account of chaos finds what is lost, what is twice, and what no merge of incidents may hide."""

from __future__ import annotations

from random import Random

import pytest

from simulators.chaos.ledger import NS, Account, Press, Raised, Row, account

EVERY_S = 20
HELD_S = 1
WALL_MS = 1_800_000_000_000
SEEDS = [1, 20261122, 777]


def world(seed: int, zones: int = 12, presses: int = 25) -> tuple[list[Press], list[Row], list[Raised]]:
    """Buttons pressed again and again, each press with its record and its incident, in the order of arrival."""
    rng = Random(seed)
    pressed: list[Press] = []
    for zone in range(zones):
        for number in range(presses):
            at_ms = int((number * EVERY_S + rng.uniform(0, EVERY_S / 2)) * 1000)
            pressed.append(press(f"z{zone}", f"gw-{zone % 3}", number + 1, at_ms))
    rows = [row(one, seq, rng.randrange(HELD_S * 1000)) for seq, one in enumerate(pressed, 1)]
    raised = [Raised(f"i{row.seq}", (row.zone,), (row.key,), 1) for row in rows]
    rng.shuffle(rows)
    rng.shuffle(raised)
    return pressed, rows, raised


def press(zone: str, gateway: str, number: int, at_ms: int, told: bool = True, lived: bool = True) -> Press:
    return Press(zone, gateway, number, at_ms * NS, (at_ms + HELD_S * 1000) * NS, WALL_MS + at_ms, told, lived)


def row(one: Press, seq: int, after_ms: int = 2, instance: str = "a" * 32) -> Row:
    return Row(one.gateway, instance, seq, one.zone, one.pressed_ns + after_ms * NS, one.wall_ms + after_ms, f"k-{seq}")


def verdict(found: Account) -> tuple[bool, int, int, int, int]:
    return found.balanced, found.lost, found.duplicated, found.unseen, found.incidents_wrong


@pytest.mark.parametrize("seed", SEEDS)
def test_a_world_where_all_is_well_balances(seed: int) -> None:
    """Every press with one record and one incident: nothing lost, nothing twice, in whatever order they came."""
    pressed, rows, raised = world(seed)
    found = account(pressed, rows, raised)
    assert ((True, 0, 0, 0, 0), 300, 300) == (verdict(found), found.sent, found.committed)


@pytest.mark.parametrize("seed", SEEDS)
def test_any_committed_row_that_is_dropped_is_lost(seed: int) -> None:
    """Whichever record is taken away, it is that press that is told as lost."""
    pressed, rows, raised = world(seed)
    gone = rows.pop(Random(seed).randrange(len(rows)))
    found = account(pressed, rows, raised)
    [(press, story)] = [(press, text) for press, text in found.wrong if text.startswith("lost")]
    assert press is not None
    assert (1, 0, gone.zone) == (found.lost, found.duplicated, press.zone)
    assert press.pressed_ns <= gone.mono_ns <= press.released_ns
    assert "its lamp said stored" in story


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("instance", ["a" * 32, "b" * 32])
def test_any_committed_row_that_is_there_twice_is_a_duplicate(seed: int, instance: str) -> None:
    """Under its own identity or another's: the incident it joined does not hide it."""
    pressed, rows, raised = world(seed)
    twice = rows[Random(seed).randrange(len(rows))]
    again = Row(twice.gateway, instance, twice.seq, twice.zone, twice.mono_ns, twice.taken_ms, twice.key)
    found = account(pressed, [*rows, again], raised)
    assert ((False, 0, 1, 0, 0), 1) == (verdict(found), len(found.wrong))
    assert again.identity in found.wrong[0][1]


def test_a_record_of_a_press_that_never_was_is_a_duplicate() -> None:
    """A cause that nobody made, at a time when the contact was open, is one too many."""
    pressed, rows, raised = world(1)
    stray = Row(rows[0].gateway, "c" * 32, 1, rows[0].zone, rows[0].mono_ns + 5_000 * NS, rows[0].taken_ms, "k")
    assert (False, 0, 1, 0, 0) == verdict(account(pressed, [*rows, stray], raised))


def test_a_record_from_another_gateway_is_no_record_of_the_press() -> None:
    """What another gateway says of the button is not what its own should have said: lost, and a stray."""
    one = press("z", "gw-1", 1, 1_000)
    moved = Row("gw-2", "a" * 32, 1, "z", one.pressed_ns, one.wall_ms, "k")
    assert (False, 1, 1, 0, 0) == verdict(account([one], [moved], []))


@pytest.mark.parametrize(("told", "lived", "lost", "unseen"), [(0, 0, 0, 1), (0, 1, 1, 0), (1, 0, 1, 0), (1, 1, 1, 0)])
def test_only_what_nobody_could_see_is_unseen(told: int, lived: int, lost: int, unseen: int) -> None:
    """A press without a record is unseen only if its gateway was gone and its lamp never said stored."""
    found = account([press("z", "gw", 1, 1_000, bool(told), bool(lived))], [], [])
    assert (lost, unseen, lost) == (found.lost, found.unseen, found.sent)


def test_a_second_incident_and_a_missing_one_do_not_cancel_out() -> None:
    """The numbers are equal, and yet one press has two incidents and another none."""
    pressed, rows, raised = world(1)
    raised[0] = Raised("extra", raised[1].zones, raised[1].keys, 1)
    found = account(pressed, rows, raised)
    assert (300, 300) == (found.incidents_expected, found.incidents_found)
    assert (False, 0, 0, 0, 2) == verdict(found)


def test_a_press_without_its_incident_is_told() -> None:
    """Its record is there, and no incident has its cause."""
    pressed, rows, raised = world(1)
    assert (False, 0, 0, 0, 1) == verdict(account(pressed, rows, raised[1:]))


def test_a_second_record_that_merged_is_told_by_both_counts() -> None:
    """An incident that took two presses is wrong, whether or not the journal shows the second record."""
    pressed, rows, raised = world(1)
    merged = Raised(raised[0].id, raised[0].zones, (*raised[0].keys, "k-other"), 2)
    assert (False, 0, 0, 0, 2) == verdict(account(pressed, rows, [merged, *raised[1:]]))


def test_an_incident_of_no_press_is_told() -> None:
    """A cause that no record of a press has."""
    pressed, rows, raised = world(1)
    assert (False, 0, 0, 0, 1) == verdict(account(pressed, rows, [*raised, Raised("x", ("z1",), ("k-x",), 1)]))
