"""What a registry's parts must agree on, across areas too, and what very many faults look like."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.core.site import ZoneKind
from hub.core.registry import ByArea, Registry, of_area
from hub.registry import load
from hub.registry.faults import FAULTS_MAX
from hub.registry.kinds import ZONE_KINDS
from protocol.faults import Refused
from simulators.county import write_county

SEED = 7
TWO = """
area = [{ id = "a", town = "t", county = "c" }, { id = "b", town = "t", county = "c" }]
station = [{ id = "s", area = "a", households = 4 }, { id = "s", area = "b" }]
gateway = [{ id = "ga", area = "a" }, { id = "gb", area = "b" }]
premises = [
  { id = "h1", area = "a", gateway = "ga" }, { id = "h2", area = "a", gateway = "ga" },
  { id = "h1", area = "b", gateway = "gb" }, { id = "h2", area = "b", gateway = "gb" },
]
group = [
  { id = "g", area = "a", station = "s", members = ["h1", "h2"], adjacent = ["b/g"], head = "h1", any_size = true },
  { id = "g", area = "b", station = "s", members = ["h1", "h2"], adjacent = ["a/g"], head = "h2", any_size = true },
]
zone = [{ id = "z", area = "a", premises = "h1", kind = "panic" }]
"""


def of_text(tmp_path: Path, text: str) -> Path:
    """A registry of this text."""
    path = tmp_path / "two.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(path: Path) -> list[str]:
    """Its faults."""
    with pytest.raises(Refused) as found:
        load(path)
    return [str(fault) for fault in found.value.faults]


def test_neighbours_of_another_area_name_one_another(tmp_path: Path) -> None:
    """They are kept apart from those of the same area, which the desk calls."""
    loaded = load(of_text(tmp_path, TWO))
    assert (("b", "g"),) == loaded.registry.groups["a", "g"].beyond
    assert () == loaded.registry.groups["a", "g"].adjacent
    assert () == loaded.warnings


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('["a/g"]', "[]", "group[0].adjacent: found b/g; allowed: groups that name it in turn; b/g does not name g"),
        ('["a/g"]', '["g"]', "group[1].adjacent: found g; allowed: other groups; this is itself"),
        ('["a/g"]', '["a/none"]', "group[1].adjacent: found a/none; allowed: groups there are"),
        ('["a/g"]', '["A/g"]', "group[1].adjacent: found ['A/g']; allowed: ids"),
        (
            'area = "b", gateway = "gb" }, {',
            'area = "b", gateway = "ga" }, {',
            "gateway: found ga; allowed: a gateway of",
        ),
        ('head = "h2"', 'head = "h9"', "group[1].head: found h9; allowed: one of its members: h1, h2"),
        ('premises = "h1"', 'premises = "h3"', "zone[0].premises: found h3; allowed: premises of this area"),
        ("households = 4", "households = -4", "station[0].households: found -4; allowed: 0 to 1000000"),
    ],
)
def test_what_does_not_agree_is_refused(tmp_path: Path, old: str, new: str, fault: str) -> None:
    """With its place, what was found, and what is allowed."""
    assert old in TWO
    found = refused(of_text(tmp_path, TWO.replace(old, new, 1)))
    assert any(fault in one for one in found), found


def test_an_unknown_zone_kind_is_worth_a_look(tmp_path: Path) -> None:
    """A newer gateway may know it, so it is taken; a slip of the pen is seen."""
    loaded = load(of_text(tmp_path, TWO.replace('"panic"', '"panik"')))
    assert ["panik"] == [warning.value for warning in loaded.warnings]


def test_every_kind_a_gateway_knows_is_known_here() -> None:
    """The hub's list is the edge's."""
    assert {str(kind) for kind in ZoneKind} <= ZONE_KINDS


def test_a_number_twice_for_one_household_is_worth_a_look(tmp_path: Path) -> None:
    """Somebody meant another person, and the number itself is not shown."""
    row = '{{ id = "{}", area = "a", of = "h1", name = "N", phone = "13800000001" }}'
    contacts = f"\ncontact = [{row.format('c1')}, {row.format('c2')}]"
    (warning,) = load(of_text(tmp_path, TWO + contacts)).warnings
    assert "c1 has this one" in warning.allowed
    assert "138" not in str(warning)


def test_a_column_that_is_wrong_in_every_row_is_told_a_thousand_times(tmp_path: Path) -> None:
    """And the rest is counted."""
    write_county(tmp_path, 1_200, SEED)
    path = tmp_path / "zones.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",panic\n", ",PANIC\n"), encoding="utf-8")
    found = refused(tmp_path)
    assert FAULTS_MAX + 1 == len(found)
    assert found[-1].endswith("the rest: found 200 more of them; allowed: none")


def test_a_made_up_county_is_a_good_registry(tmp_path: Path) -> None:
    """Every household in a group of 10 to 20, three zones each, nothing worth a look."""
    write_county(tmp_path, 7_000, SEED)
    loaded = load(tmp_path)
    known = loaded.registry
    assert () == loaded.warnings
    assert (7_000, 21_000, 2) == (len(known.premises), len(known.zones), len(known.areas))
    assert all(10 <= len(group.members) <= 20 for group in known.groups.values())


def test_entries_are_found_by_area_and_id() -> None:
    """A table reads like a dictionary, and an area's part of it is at hand."""
    table = ByArea({("a", "x"): 1, ("b", "x"): 2})
    assert (1, None, 2) == (table.get(("a", "x")), table.get(("c", "x")), len(table))
    assert ({"x": 2}, {}) == (of_area(table, "b"), of_area(table, "c"))
    del table["a", "x"]
    assert [("b", "x")] == list(table)
    assert Registry(groups={}) == Registry()
