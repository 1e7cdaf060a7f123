"""The registry from TOML and from CSV: the same content, and every fault of it at once."""

from __future__ import annotations

import csv
import shutil
import tomllib
from pathlib import Path

import pytest

from hub.defaults import load_defaults
from hub.registry import load
from hub.registry.contacts import phone_of
from protocol.faults import Refused
from tests.support.desk import AREA, HENGJIE

FOLDER = HENGJIE.with_suffix("")
SITES = HENGJIE.parents[1] / "sites"


def faults_of(path: Path) -> list[str]:
    """Every fault of a registry, as text."""
    with pytest.raises(Refused) as refused:
        load(path)
    return [str(fault) for fault in refused.value.faults]


def edited(tmp_path: Path, *edits: tuple[str, str]) -> Path:
    """The demo village's TOML with pieces of text replaced."""
    text = HENGJIE.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = tmp_path / "village.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_toml_and_csv_are_the_same_registry() -> None:
    """Same content, same digest, no warnings, whatever the files look like."""
    from_toml, from_csv = load(HENGJIE), load(FOLDER)
    assert from_toml.registry == from_csv.registry
    assert (from_toml.warnings, from_csv.warnings) == ((), ())


def test_the_digest_follows_the_content_and_not_the_people(tmp_path: Path) -> None:
    """A zone's kind changes it; a phone number or the order of tables does not."""
    digest = load(HENGJIE).registry.digest
    assert digest != load(edited(tmp_path, ('kind = "smoke"', 'kind = "gas"'))).registry.digest
    assert digest == load(edited(tmp_path, ("+8613800000001", "+8613800000099"))).registry.digest


def test_the_demo_village_agrees_with_its_sites() -> None:
    """Every gateway, premises, group and zone of the site files is registered as it is wired."""
    registry = load(HENGJIE).registry
    zones = 0
    for path in sorted(SITES.glob("*.toml")):
        site = tomllib.loads(path.read_text(encoding="utf-8"))
        gateway = site["gateway"]["id"]
        assert (AREA, gateway) in registry.gateways
        for group in site.get("group", []):
            assert tuple(group["members"]) == registry.groups[AREA, group["id"]].members
        for premises in site["premises"]:
            known = registry.premises[AREA, premises["id"]]
            assert (premises["kind"], gateway, tuple(premises["groups"])) == (known.kind, known.gateway, known.groups)
        for zone in site["zone"]:
            entry = registry.zones[AREA, zone["id"]]
            assert (zone["premises"], zone["kind"], gateway) == (entry.premises, entry.kind, entry.gateway)
            zones += 1
    assert zones == len(registry.zones)


def test_people_are_in_the_book_and_nowhere_else() -> None:
    """No name or number is in the registry, and the book does not show them when printed."""
    loaded = load(HENGJIE)
    (contact,) = loaded.contacts.of(AREA, "h03")
    assert contact.phone == "+8613800000003"
    for shown in (repr(loaded.registry), repr(loaded.contacts), repr(contact)):
        assert contact.phone not in shown
        assert contact.name not in shown


def test_ten_faults_are_ten_faults(tmp_path: Path) -> None:
    """Each is named with its key, what was found and what is allowed, in one refusal."""
    path = edited(
        tmp_path,
        ('id = "gw-works"', 'id = "owner"'),
        ('head = "h01"', 'head = "h11"'),
        ('adjacent = ["west"]', "adjacent = []"),
        ('station = "hengjie-station"', 'station = "nowhere"'),
        ('id = "h02"', 'id = "h01"'),
        ('id = "h05"\nkind = "household"', 'id = "h05"\nkind = "castle"'),
        ('id = "h06-panic"\npremises = "h06"', 'id = "h06-panic"\npremises = "h66"'),
        ("profile_ms = 20_000", "profile_ms = 20"),
        ('name = "Example h07"', 'name = "Example h07"\nage = 40'),
        ("+8613800000008", "12345"),
    )
    faults = "\n".join(faults_of(path))
    for said in (
        "gateway[2].id: found owner; allowed: any id but the reserved owner",
        "group[0].head: found h11; allowed: one of its members",
        "group[1].adjacent: found east; allowed: groups that name it in turn; east does not name west",
        "group[0].station: found nowhere; allowed: a station of this area",
        "premises[1].id: found h01; allowed: each id once in its area",
        "premises[4].kind: found castle; allowed: household, site, station",
        "premises: found h66; allowed: premises of this area",
        "gateway[0].profile_ms: found 20; allowed: 300 to 3600000 ms",
        "age: found a value not shown here; allowed: no such key here",
        "phone: found a value not shown here; allowed: E.164",
    ):
        assert f"{said}" in faults, said


def test_a_group_of_another_size_is_a_warning_unless_it_is_meant(tmp_path: Path) -> None:
    """Sites count; a hamlet has what it has, and says so."""
    fewer = ('"h09", "h10"]', '"h09"]')
    assert {"9 members", "h10"} == {warning.value for warning in load(edited(tmp_path, fewer)).warnings}
    meant = load(edited(tmp_path, fewer, ('head = "h01"', 'head = "h01"\nany_size = true')))
    assert {"h10"} == {warning.value for warning in meant.warnings}
    both = (
        'members = ["h01"',
        'members = ["h11", "h12", "h13", "h14", "h15", "h16", "h17", "h18", "h19", "h20", "works", "h01"',
    )
    assert ["21 members"] == [warning.value for warning in load(edited(tmp_path, both)).warnings]


def test_no_gateway_takes_more_than_sixty_four_members(tmp_path: Path) -> None:
    """Then it is refused, meant or not."""
    more = ", ".join(f'"x{number}"' for number in range(55))
    path = edited(tmp_path, ('"h10"]', f'"h10", {more}]\nany_size = true'))
    assert any("found 65 members; allowed: at most 64, sites counted" in fault for fault in faults_of(path))


def test_a_gateway_of_another_area_is_refused_and_named(tmp_path: Path) -> None:
    """Nothing refers across areas, and the refusal says where the id is."""
    other = '[[area]]\nid = "other"\ntown = "t"\ncounty = "c"\n[[gateway]]\nid = "gw-far"\narea = "other"\n'
    text = HENGJIE.read_text(encoding="utf-8")
    named = "\n".join(
        f'{line}\narea = "hengjie"' if line.startswith("[[") and line != "[[area]]" else line
        for line in text.splitlines()
    )
    path = tmp_path / "two.toml"
    path.write_text(named.replace('gateway = "gw-works"', 'gateway = "gw-far"') + "\n" + other, encoding="utf-8")
    assert any("found gw-far; allowed: a gateway of this area; gw-far is in other" in f for f in faults_of(path))


def test_csv_faults_name_file_line_and_column(tmp_path: Path) -> None:
    """A short line, an unknown column, a wrong file name and a bad value, each where it stands."""
    folder = tmp_path / "village"
    shutil.copytree(FOLDER, folder)
    rows = list(csv.reader((folder / "premises.csv").read_text(encoding="utf-8").splitlines()))
    rows[3] = rows[3][:2]
    rows[4][2] = "GW EAST"
    with (folder / "premises.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    (folder / "zones.csv").write_text("id,premises,kind,colour\nz1,h01,door,red\n", encoding="utf-8")
    (folder / "people.csv").write_text("id\n", encoding="utf-8")
    faults = "\n".join(faults_of(folder))
    assert "premises.csv:4: the line: found 2 cells; allowed: 3: id,kind,gateway" in faults
    assert "premises.csv:5: gateway: found GW EAST; allowed: 1 to 63 of" in faults
    assert "zones.csv:2: colour: found red; allowed: no such key here" in faults
    assert "people.csv: the file: found people.csv; allowed: one of areas.csv" in faults


@pytest.mark.parametrize("text", ["[[area", "x = 1", "[[area]]\nid = 3\n", "area = [1]", ""])
def test_what_is_no_registry_is_refused(tmp_path: Path, text: str) -> None:
    """Broken TOML, foreign keys, wrong types; an empty file is a registry of nothing."""
    path = tmp_path / "registry.toml"
    path.write_text(text, encoding="utf-8")
    if text:
        assert faults_of(path)
    else:
        assert load(path).registry.areas == {}


def test_a_missing_file_or_folder_says_so(tmp_path: Path) -> None:
    """The path names nothing; an empty folder lacks its tables."""
    assert any("a TOML file, or a folder of CSV files" in fault for fault in faults_of(tmp_path / "none.toml"))
    assert len(faults_of(tmp_path)) == 3


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("+86 138 0000 0001", "+8613800000001"),
        ("13800000001", "+8613800000001"),
        ("0574-8800-0000", "+8657488000000"),
        ("+4930123456", "+4930123456"),
        ("8613800000001", "+8613800000001"),
        ("12800000001", None),
        ("+8612800000001", None),
        ("110", None),
        ("１３８００００００００", None),
        ("+", None),
    ],
)
def test_phone_numbers_that_can_be_called(text: str, phone: str | None) -> None:
    """E.164, a Chinese mobile or a landline with its area code; nothing else."""
    assert phone == phone_of(text)


def test_defaults_can_be_changed_in_part_and_are_checked(tmp_path: Path) -> None:
    """A file says what differs; every fault of it is named."""
    path = tmp_path / "defaults.toml"
    path.write_text("[accept]\np1 = [30_000, 60_000]\n", encoding="utf-8")
    assert load_defaults(path).accept.p1 == [30_000, 60_000]
    assert load_defaults().accept.p2 == load_defaults(path).accept.p2
    path.write_text('[accept]\np1 = []\np9 = 1\n[windows]\nabort_ms = "x"\n[colour]\n', encoding="utf-8")
    with pytest.raises(Refused) as refused:
        load_defaults(path)
    assert [fault.key for fault in refused.value.faults] == ["accept.p1", "accept.p9", "windows.abort_ms", "colour"]


@pytest.mark.parametrize(
    ("written", "opted_in"), [("", False), ("report_every = true", True), ('report_every = "no"', False)]
)
def test_a_household_opts_in_by_its_own_word(tmp_path: Path, written: str, opted_in: bool) -> None:
    """Changes of a household's zones enter telemetry only where the registry says so."""
    first = '[[premises]]\nid = "h01"\n'
    registry = load(edited(tmp_path, (first, f"{first}{written}\n"))).registry
    assert opted_in is registry.premises[AREA, "h01"].report_every


def test_opting_in_is_yes_or_no(tmp_path: Path) -> None:
    """Anything else is a fault."""
    first = '[[premises]]\nid = "h01"\n'
    faults = faults_of(edited(tmp_path, (first, f'{first}report_every = "maybe"\n')))
    assert any(fault.endswith("report_every: found maybe; allowed: true or false") for fault in faults)
