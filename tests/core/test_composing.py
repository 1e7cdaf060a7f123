"""A gateway's desired configuration: the installer's file with the registry's groups, as TOML that reads back."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as changed

from edge.config import load as load_site
from edge.profiles import load_profiles
from hub.core.composing import Composed, compose
from hub.core.registry import ByArea, Registry
from hub.toml import toml_of
from protocol.faults import Fault
from tests.support.desk import AREA, HENGJIE, REGISTRY

EAST = HENGJIE.parents[1] / "sites" / "station-east.toml"
BASE: dict[str, Any] = tomllib.loads(EAST.read_text(encoding="utf-8"))
HERE = [f"h0{n}" for n in range(1, 9)]


def composed(registry: Registry = REGISTRY, base: dict[str, Any] = BASE, here: list[str] = HERE) -> Composed:
    """What is made of it."""
    made = compose(base, registry, AREA, "gw-east", here, "gw-east.toml")
    assert isinstance(made, Composed)
    return made


def moved(one: str, group: str) -> Registry:
    """The village with one household in another group."""
    groups = ByArea(REGISTRY.groups)
    for name in ("east", "west"):
        known = groups[AREA, name]
        members = tuple(member for member in known.members if member != one)
        groups[AREA, name] = changed(known, members=(*members, one) if name == group else members)
    premises = ByArea(REGISTRY.premises)
    premises[AREA, one] = changed(premises[AREA, one], groups=(group,))
    return replace(REGISTRY, groups=groups, premises=premises)


def test_a_site_that_agrees_stays_as_it_is() -> None:
    """Then the installer's own text is what the gateway should run."""
    assert BASE == composed().site
    assert () == composed().differences


def test_a_household_that_moved_takes_its_new_group_along() -> None:
    """With all its members, also those of other gateways; the old group stays for those who are in it."""
    made = composed(moved("h03", "west")).site
    groups = {group["id"]: group["members"] for group in made["group"]}
    assert {"east", "west"} == groups.keys()
    assert {"h03", "h11", "works"} <= set(groups["west"])
    assert "h03" not in groups["east"]
    assert ["west"] == next(one["groups"] for one in made["premises"] if one["id"] == "h03")


def test_what_is_made_is_a_site_the_gateway_takes(tmp_path: Path) -> None:
    """Written down, it is read by the gateway's own reader, with the groups in it."""
    path = tmp_path / "site.toml"
    path.write_text(toml_of(composed(moved("h03", "west")).site), encoding="utf-8")
    site = load_site(path, load_profiles()).site
    assert "h03" in site.groups["west"]
    assert 8 == len(site.premises)


def test_other_stories_are_told() -> None:
    """Wired and not registered, registered and not wired, wired here and registered elsewhere."""
    premises = ByArea(REGISTRY.premises)
    del premises[AREA, "h01"]
    premises[AREA, "h02"] = changed(premises[AREA, "h02"], gateway="gw-west")
    made = composed(replace(REGISTRY, premises=premises), here=[*HERE[2:], "h30"])
    assert made.differences == (
        "h01 is wired here and not in the registry: nobody is called for it",
        "h02 is wired here, and at gw-west in the registry",
        "h30 is at this gateway in the registry, and not wired here",
    )
    assert [] == made.site["premises"][0]["groups"]
    assert ["east"] == made.site["premises"][1]["groups"]


def test_a_group_of_one_has_nobody_to_ring() -> None:
    """No gateway takes it, and the household is in none."""
    groups = ByArea(REGISTRY.groups)
    groups[AREA, "east"] = changed(groups[AREA, "east"], members=("h01",))
    made = composed(replace(REGISTRY, groups=groups)).site
    assert ([], []) == (made["group"], made["premises"][0]["groups"])


@pytest.mark.parametrize("own", [{"id": "gw-west", "area": AREA}, {"id": "gw-east", "area": "b"}, 3, None])
def test_the_file_of_another_gateway_is_refused(own: object) -> None:
    """Nothing of it is published under this one's name."""
    (fault,) = compose({**BASE, "gateway": own}, REGISTRY, AREA, "gw-east", HERE, "x.toml")  # type: ignore[misc]
    assert isinstance(fault, Fault)
    assert ("x.toml", "gateway") == (fault.where, fault.key)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    TEXTS,
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_toml_reads_back_the_same(table: dict[str, Any]) -> None:
    """Whatever strings, numbers, lists and tables are in it."""
    assert table == tomllib.loads(toml_of(table))
