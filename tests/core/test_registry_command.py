"""`lianfang registry`: in and out, the same thing; what would change; what must not happen by mistake; what was."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from typer.testing import CliRunner, Result

from hub.core.desk import Desk
from hub.defaults import load_defaults
from hub.journal import Draft, Journal
from hub.registry import load
from hub.registry.command import app
from hub.registry.history import FOLDER, History
from hub.settings_file import load as load_settings
from protocol.faults import Refused
from protocol.kinds import Kind
from tests.support.desk import AREA, HENGJIE, DeskAtWork

VILLAGE = HENGJIE.with_suffix("")


def run(*words: object, code: int = 0) -> Result:
    """The command, with the exit code it is to have."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert code == result.exit_code, result.output
    return result


def hub(tmp_path: Path) -> Path:
    """A hub's file with a registry of its own."""
    shutil.copytree(VILLAGE, tmp_path / "registry")
    path = tmp_path / "hub.toml"
    path.write_text('[hub]\nid = "hub-1"\ndata_dir = "data"\nregistry = "registry"\n', encoding="utf-8")
    return path


def edited(tmp_path: Path, file: str, old: str, new: str) -> Path:
    """Another registry: the village with one text replaced."""
    folder = tmp_path / "other"
    shutil.copytree(VILLAGE, folder, dirs_exist_ok=True)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text, old
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    return folder


@pytest.mark.parametrize("out", ["out", "out.xlsx", "chinese.xlsx"])
def test_what_is_exported_is_the_same_registry(tmp_path: Path, out: str) -> None:
    """As CSV and as a workbook, in English and in Chinese, people included."""
    words = ["--chinese"] if out.startswith("chinese") else []
    run("export", VILLAGE, tmp_path / out, "--contacts", *words)
    before, after = load(VILLAGE), load(tmp_path / out)
    assert before.registry == after.registry
    assert before.registry.digest == after.registry.digest
    assert list(before.contacts) == list(after.contacts)


def test_a_chinese_workbook_has_chinese_sheets_and_headings(tmp_path: Path) -> None:
    """And cells are text."""
    run("export", VILLAGE, tmp_path / "r.xlsx", "--chinese")
    sheet = load_workbook(tmp_path / "r.xlsx")["住户"]
    assert ["编号", "乡镇", "类型", "网关", "全部上报"] == [cell.value for cell in sheet[1]]
    assert "联系人" not in load_workbook(tmp_path / "r.xlsx").sheetnames


def test_a_household_moved_in_an_export_takes_its_zones_along(tmp_path: Path) -> None:
    """No zone is left at the gateway of before because a file says so twice."""
    run("export", VILLAGE, tmp_path / "out")
    premises = tmp_path / "out" / "premises.csv"
    text = premises.read_text(encoding="utf-8")
    assert "h09,hengjie,household,gw-west" in text
    premises.write_text(text.replace("h09,hengjie,household,gw-west", "h09,hengjie,household,gw-east"), "utf-8")
    zones = load(tmp_path / "out").registry.zones
    assert {"gw-east"} == {zone.gateway for zone in zones.values() if zone.premises == "h09"}


def test_people_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    """An export is handed on."""
    run("export", VILLAGE, tmp_path / "out")
    assert not (tmp_path / "out" / "contacts.csv").exists()


def test_every_fault_of_a_workbook_is_told_by_sheet_row_and_column(tmp_path: Path) -> None:
    """Formulas, dates, unknown sheets and columns, and wrong values, all at once; nothing of people is shown."""
    book = Workbook()
    book.remove(book.active)
    tables: dict[str, list[list[str | int | None]]] = {
        "areas": [["id", "town", "county"], ["a", "t", "c"]],
        "网关": [["编号", "上报时限"], ["ga", 20], ["=A2", 20_000]],
        "住户": [["编号", "网关", "颜色"], ["h1", "ga", "red"], ["H 2", "gb", None]],
        "contacts": [["id", "of", "name", "phone"], ["c", "h1", "Somebody", "=1+1"]],
        "notes": [["id"]],
    }
    for name, lines in tables.items():
        sheet = book.create_sheet(name)
        for line in lines:
            sheet.append(line)
    book.save(tmp_path / "r.xlsx")
    told = run("check", tmp_path / "r.xlsx", code=2).output
    for fault in (
        "r.xlsx: the sheet: found notes; allowed: one of areas (乡镇)",
        "r.xlsx, sheet 网关, row 2: 上报时限: found 20; allowed: 300 to 3600000 ms",
        "r.xlsx, sheet 网关, row 3: 编号: found =A2; allowed: a value, no formula",
        "r.xlsx, sheet 住户, row 2: 颜色: found red; allowed: no such key here",
        "r.xlsx, sheet 住户, row 3: 编号: found H 2; allowed: 1 to 63 of",
        "r.xlsx, sheet contacts, row 2: phone: found a value not shown here; allowed: a value, no formula",
    ):
        assert fault in told, told
    assert "Somebody" not in told


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"no workbook"])
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    """Whatever it is, it is said, and nothing falls over."""
    (tmp_path / "r.xlsx").write_bytes(content)
    assert "an XLSX workbook" in run("check", tmp_path / "r.xlsx", code=2).output


def test_a_dry_run_tells_and_changes_nothing(tmp_path: Path) -> None:
    """A household that moves to the other group is the same household, moved."""
    path, before = hub(tmp_path), load(VILLAGE).registry.digest
    other = edited(tmp_path, "groups.csv", " h10,west", ",west")
    groups = other / "groups.csv"
    groups.write_text(groups.read_text(encoding="utf-8").replace("h11 h12", "h10 h11 h12"), encoding="utf-8")
    told = run("import", path, other, "--dry-run").output
    assert "premises hengjie/h10 moved: groups east → west" in told
    assert "changes: group 2 changed, premises 1 moved" in told
    assert before == load(tmp_path / "registry").registry.digest
    assert not (tmp_path / "data").exists()


def test_an_import_is_kept_and_what_was_before_can_be_had_again(tmp_path: Path) -> None:
    """Who, from what, and what changed; an earlier state is exported to the last entry, with people of now."""
    path = hub(tmp_path)
    run(
        "import",
        path,
        edited(tmp_path, "premises.csv", "h09,household,gw-west", "h09,household,gw-east"),
        "--by",
        "ann",
    )
    assert "gw-east" == load(tmp_path / "registry").registry.gateway_of(AREA, "h09")
    states = History(tmp_path / "data" / FOLDER).states()
    assert [("as found: registry", ""), ("other", "ann")] == [(one.source, one.by) for one in states]
    assert {"premises": {"moved": 1}, "zone": {"changed": 2}} == states[1].changes
    assert "premises hengjie/h09 moved: gateway gw-west → gw-east" in run("history", path, "--state", 2).output
    run("export", path, tmp_path / "was", "--state", 1, "--contacts")
    was = load(tmp_path / "was")
    assert load(VILLAGE).registry.digest == was.registry.digest
    assert len(load(VILLAGE).contacts) == len(was.contacts)


def test_the_history_holds_no_people(tmp_path: Path) -> None:
    """Neither names nor numbers; whom the registry no longer has is forgotten."""
    path = hub(tmp_path)
    other = edited(tmp_path, "contacts.csv", "h03-first,h03,Example h03,+8613800000003\n", "")
    run("import", path, other)
    kept = [file for file in tmp_path.rglob("*") if file.is_file() and file.is_relative_to(tmp_path / "data")]
    assert kept
    run("export", path, tmp_path / "was", "--state", 1, "--contacts")
    for file in [*kept, *(tmp_path / "was").iterdir(), *(tmp_path / "registry.before").iterdir()]:
        assert b"13800000003" not in file.read_bytes(), file


def test_an_import_without_people_keeps_them(tmp_path: Path) -> None:
    """Those of households that are still there."""
    path = hub(tmp_path)
    other = edited(tmp_path, "premises.csv", "works,site,gw-works", "works,site,gw-works,")
    (other / "contacts.csv").unlink()
    (other / "premises.csv").write_text((VILLAGE / "premises.csv").read_text("utf-8") + "h21,household,gw-east\n")
    run("import", path, other)
    assert 24 == len(load(tmp_path / "registry").contacts)


def test_a_file_cut_short_wants_a_yes(tmp_path: Path) -> None:
    """Many households gone at once; with it the import is done."""
    path, other = hub(tmp_path), tmp_path / "other"
    shutil.copytree(VILLAGE, other)
    gone = {f"h{n}" for n in range(16, 21)}
    for file in ("premises.csv", "zones.csv", "contacts.csv"):
        lines = (other / file).read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not any(line.startswith((f"{one},", f"{one}-")) for one in gone)]
        (other / file).write_text("".join(kept), encoding="utf-8")
    groups = (other / "groups.csv").read_text(encoding="utf-8").replace(" h16 h17 h18 h19 h20", "")
    (other / "groups.csv").write_text(groups, encoding="utf-8")
    told = run("import", path, other, code=3).output
    assert "stop: 5 of 21 premises would be gone, more than 5%" in told
    assert 21 == len(load(tmp_path / "registry").registry.premises)
    run("import", path, other, "--yes")
    assert 16 == len(load(tmp_path / "registry").registry.premises)


def test_a_household_with_an_open_incident_wants_a_yes(tmp_path: Path) -> None:
    """Somebody is on the way to it."""
    path, other = hub(tmp_path), tmp_path / "other"
    shutil.copytree(VILLAGE, other)
    for file, lines in {"premises.csv": 1, "zones.csv": 2, "contacts.csv": 1}.items():
        text = (other / file).read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in text if not line.startswith(("h12,", "h12-"))]
        assert lines == len(text) - len(kept)
        (other / file).write_text("".join(kept), encoding="utf-8")
    (other / "groups.csv").write_text((other / "groups.csv").read_text("utf-8").replace(" h12", ""), encoding="utf-8")
    pressed(tmp_path)
    told = run("import", path, other, code=3).output
    assert "stop: household hengjie/h12 would be gone, and incident" in told
    run("import", path, other, "--yes")


def pressed(tmp_path: Path) -> None:
    """A journal in which h12 has pressed."""
    work = DeskAtWork()
    taken = work.record(Kind.PANIC, "h12-panic", 0)
    (tmp_path / "data").mkdir()
    config = Desk(load(VILLAGE).registry, load_defaults()).config_digest
    with Journal(f"sqlite:///{tmp_path / 'data' / 'journal.db'}", config=config, rules="1") as journal:
        journal.append([Draft(AREA, taken.event.at.wall_ms, taken)])


def test_a_registry_in_toml_is_not_overwritten(tmp_path: Path) -> None:
    """Its remarks would be lost; what to do is said."""
    path = hub(tmp_path)
    shutil.copy(HENGJIE, tmp_path / "r.toml")
    path.write_text(path.read_text(encoding="utf-8").replace('"registry"', '"r.toml"'), encoding="utf-8")
    assert "export it to a folder" in run("import", path, VILLAGE, code=2).output


def test_the_first_import_makes_the_registry(tmp_path: Path) -> None:
    """Nothing is there yet."""
    path = hub(tmp_path)
    shutil.rmtree(tmp_path / "registry")
    run("import", path, HENGJIE)
    assert load(HENGJIE).registry.digest == load(tmp_path / "registry").registry.digest


def test_a_diff_says_so_by_its_exit(tmp_path: Path) -> None:
    """Of people only how many."""
    run("diff", VILLAGE, HENGJIE)
    other = edited(tmp_path, "contacts.csv", "+8613800000003", "+8613800000033")
    told = run("diff", VILLAGE, other, code=1).output
    assert "changes: contact 1 changed" in told
    assert "138" not in told


def test_a_diff_without_contacts_says_what_an_import_of_it_would_do(tmp_path: Path) -> None:
    """An export without people is the same registry: nobody is gone."""
    run("export", VILLAGE, tmp_path / "out")
    assert "contact" not in run("diff", VILLAGE, tmp_path / "out").output


def test_coverage_is_of_the_households_that_live_there(tmp_path: Path) -> None:
    """20 enrolled; unknown until somebody states how many there are, a demonstration village from 80 %."""
    assert "20 of ?  unknown: households are not stated" in run("coverage", VILLAGE).output
    for households, told in ((25, "20 of 25  80.0%  demonstration village"), (26, "20 of 26  76.9%")):
        station = f"id,name,households\nhengjie-station,Hengjie,{households}\n"
        other = edited(tmp_path, "stations.csv", "id,name\nhengjie-station,Hengjie village station\n", station)
        said = run("coverage", other, "--area", AREA).output
        assert told in said
        assert (households == 25) == ("demonstration" in said)
        shutil.rmtree(other)


def test_the_hub_s_own_is_no_workbook(tmp_path: Path) -> None:
    """What to do instead is said, with every other fault of the configuration."""
    path = hub(tmp_path)
    run("export", VILLAGE, tmp_path / "r.xlsx")
    path.write_text(path.read_text(encoding="utf-8").replace('"registry"', '"r.xlsx"'), encoding="utf-8")
    with pytest.raises(Refused) as refused:
        load_settings(path)
    assert ["hub.registry"] == [fault.key for fault in refused.value.faults]
    assert "a folder of CSV files" in run("import", path, VILLAGE, code=2).output
