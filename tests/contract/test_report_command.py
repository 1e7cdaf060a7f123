"""`lianfang report`: what it writes, in both languages, and what must never be in it."""

from __future__ import annotations

import csv
import re
import shutil
import sqlite3
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from hub.core.acts import Disposition, Move
from hub.core.incident import UNRESOLVED, State
from hub.core.trials import DrillPlanned
from hub.journal import Alias, Journal, Note
from hub.notify.notice import Posting, Sort
from hub.notify.notice import State as Fares
from hub.notify.outbox import NAME, Outbox
from hub.registry import load
from hub.reports.command import app
from hub.reports.csv_files import written
from hub.reports.layout import As, table
from hub.reports.words import Language, Words
from protocol.kinds import Kind, Priority, Qualifier
from tests.support.desk import AREA, HENGJIE, MIN, REGISTRY, H
from tests.support.past import DAY, START_MS, Village, kept

NOON_MS = START_MS + 8 * DAY + 12 * H
VOID = frozenset({"meta", "link", "br", "img", "input", "hr"})


def lianfang(config: Path, out: Path, *words: str, area: str = AREA) -> Result:
    """`lianfang report WORDS` of the village."""
    return CliRunner().invoke(app, [*words, "--area", area, "--out", str(out), "--config", str(config)])


def read(path: Path) -> list[dict[str, str]]:
    """A table as a spreadsheet reads it."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub that worked for twelve days, with a night in between in which it did not."""
    work = Village(11)
    work.days(12)
    spells = [(START_MS, START_MS + 8 * DAY + 2 * H), (START_MS + 8 * DAY + 5 * H + 30 * MIN, START_MS + 12 * DAY)]
    return kept(tmp_path_factory.mktemp("worked"), work, spells)


class Sound(HTMLParser):
    """Reads a page as strictly as the little that we write deserves."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert [] == self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()


@pytest.mark.parametrize(
    ("words", "name", "language"),
    [
        (("daily", "--date", "2026-10-06"), "hengjie-daily-2026-10-06", "zh"),
        (("daily", "--date", "2026-10-06"), "hengjie-daily-2026-10-06", "en"),
        (("weekly", "--from", "2026-10-01"), "hengjie-weekly-2026-10-01", "en"),
        (("monthly", "--date", "2026-10-31"), "hengjie-monthly-2026-10-01", "zh"),
    ],
)
def test_a_report_is_one_page_that_needs_nothing_else(
    worked: Path, tmp_path: Path, words: tuple[str, ...], name: str, language: str
) -> None:
    """Whole, in its language, without a script or anything from elsewhere; drawings have a title and a description."""
    said = lianfang(worked, tmp_path, *words, "--language", language)
    assert 0 == said.exit_code, said.output
    assert "entries read in" in said.output
    text = (tmp_path / f"{name}-{language}" / "report.html").read_text(encoding="utf-8")
    page = Sound(text)
    assert len(page.ids) == len(set(page.ids))
    assert ("html", {"lang": "zh-CN" if language == "zh" else "en"}) in page.tags
    assert ("meta", {"charset": "utf-8"}) in page.tags
    names = {tag for tag, _ in page.tags}
    assert {"svg", "desc", "table", "caption"} <= names
    assert not {"script", "img", "link", "iframe", "image"} & names
    links = [value or "" for _, attrs in page.tags for key, value in attrs.items() if key.endswith(("href", "src"))]
    assert all(link.startswith("#") and link[1:] in page.ids for link in links)
    assert set(re.findall(r"url\(([^)]*)", text)) <= {f"#{one}" for one in page.ids}
    assert bool(re.search("[一-鿿]", text)) == (language == "zh")


def test_the_same_journal_gives_the_same_bytes(worked: Path, tmp_path: Path) -> None:
    """Twice, in other folders, and in place of an earlier one."""
    found = []
    for folder in ("one", "other", "other"):
        assert 0 == lianfang(worked, tmp_path / folder, "daily", "--date", "2026-10-06").exit_code
        (target,) = (tmp_path / folder).iterdir()
        found.append({path.name: path.read_bytes() for path in sorted(target.iterdir())})
    assert found[0] == found[1] == found[2]
    assert "balance.csv" in found[0]


def test_tables_are_made_for_spreadsheets(worked: Path, tmp_path: Path) -> None:
    """A byte order mark, headings that never change, seconds and shares as numbers, times with their offset."""
    assert 0 == lianfang(worked, tmp_path, "weekly", "--date", "2026-10-07").exit_code
    target = tmp_path / "hengjie-weekly-2026-10-05-zh"
    assert (target / "balance.csv").read_bytes().startswith(b"\xef\xbb\xbfpriority,opening,raised,")
    total = read(target / "balance.csv")[-1]
    assert int(total["closing"]) == sum(int(total[key]) for key in ("opening", "raised", "reopened", "shifted")) - int(
        total["resolved"]
    )
    (urgent, *_) = read(target / "urgent.csv")
    assert re.fullmatch(r"2026-10-\d\dT\d\d:\d\d:\d\d\+08:00", urgent["event_time"])
    (watched, *_) = read(target / "summary.csv")
    assert "share" == watched["value_unit"]
    assert f"{(5 * 24 - 3.5) / (7 * 24):.4f}" == watched["value"]


def test_hours_in_which_the_hub_was_down_are_not_known(worked: Path, tmp_path: Path) -> None:
    """They are named, and neither quiet nor left out."""
    assert 0 == lianfang(worked, tmp_path, "daily", "--date", "2026-10-06", "--language", "en").exit_code
    target = tmp_path / "hengjie-daily-2026-10-06-en"
    rows = read(target / "watch.csv")
    assert [("02", "0.0000"), ("03", "0.0000"), ("04", "0.0000"), ("05", "0.5000")] == [
        (row["step"], row["watched_share"]) for row in rows
    ]
    page = (target / "report.html").read_text(encoding="utf-8")
    assert "The hub was on watch for 20 hrs 30 mins of 24 hrs." in page
    assert "hatched: the hub was not on watch all the time" in page


def test_a_hub_that_kept_no_book_of_its_watch_says_so(tmp_path: Path) -> None:
    """A journal of an earlier version: nothing is taken for quiet."""
    work = Village(5)
    work.days(2)
    config = kept(tmp_path, work)
    with sqlite3.connect(tmp_path / "data" / "journal.db") as file:
        file.execute("DROP TABLE watch")
    file.close()
    assert 0 == lianfang(config, tmp_path / "out", "daily", "--date", "2026-09-28", "--language", "en").exit_code
    target = tmp_path / "out" / "hengjie-daily-2026-09-28-en"
    assert "The hub kept no book of its watch" in (target / "report.html").read_text(encoding="utf-8")
    assert {""} == {row["watched_share"] for row in read(target / "watch.csv")}


@pytest.mark.parametrize(("day", "told"), [("2026-08-01", "nothing is known"), ("2026-11-10", "No incident is known")])
def test_a_period_without_entries_is_told_to_be_so(worked: Path, tmp_path: Path, day: str, told: str) -> None:
    """Before the hub was, and long after its last entry."""
    assert 0 == lianfang(worked, tmp_path, "daily", "--date", day, "--language", "en").exit_code
    page = (tmp_path / f"hengjie-daily-{day}-en" / "report.html").read_text(encoding="utf-8")
    assert told in page
    assert "The hub was on watch for 0 secs of 24 hrs" in page
    rows = {row["figure"]: row["value"] for row in read(tmp_path / f"hengjie-daily-{day}-en" / "summary.csv")}
    assert ("", "") == (rows["Incidents raised"], rows["Pages to stations"]), "not known, which is not zero"


def test_nothing_of_a_person_or_a_household_is_in_a_report(tmp_path: Path) -> None:
    """Households, their zones, their arming, names, aliases and notes of people: none of it, in any file."""
    work = Village(23)
    work.days(9)
    for at, (kind, where) in enumerate(
        [(Kind.ARMED, "h03"), (Kind.PANIC, "h07-panic"), (Kind.DURESS, "h04"), (Kind.INTRUSION, "h12-door")]
    ):
        work.happen(kind, where, work.now + at * MIN)
    for incident in work.desk.incidents(AREA, UNRESOLVED):
        if work.now_of(incident).state is State.REPORTED:
            work.move(incident, Move.ACCEPT, by="p-wanglaowu")
        if work.now_of(incident).state not in UNRESOLVED:
            continue  # with its parent
        work.move(incident, Move.ASSIGN, by="p-wanglaowu", to="patrol-of-zhang")
        ended = {"disposition": Disposition.FALSE_ALARM, "false_cause": "child", "cause": "hash-of-a-text"}
        work.move(incident, Move.RESOLVE, by="p-wanglaowu", **ended)
    work.happen(Kind.ARMED, "h03", work.now + MIN, qualifier=Qualifier.RESTORE)
    work.link("gw-west", False, work.now + 5 * MIN)
    work.take(DrillPlanned(AREA, "drill-1", Kind.PANIC, "p-wanglaowu", "hash-of-a-text", ["h15"]), work.now + 20 * MIN)
    work.wait(work.now + H)
    config = kept(tmp_path, work)
    with Journal(f"sqlite:///{tmp_path / 'data' / 'journal.db'}", config="", rules="") as journal:
        journal.name(Alias("wang-laowu"))
        with sqlite3.connect(tmp_path / "data" / "journal.db") as file:
            note = Note(AREA, work.desk.incidents()[0].id, "the red gate of Zhang San was open")
            row = (note.hash, note.area, note.incident, note.salt, note.text, START_MS)
            file.execute("INSERT INTO note (hash, area, incident, salt, text, at_ms) VALUES (?,?,?,?,?,?)", row)
        file.close()
    forbidden = [one.id for one in REGISTRY.premises.values() if one.kind == "household"]
    forbidden += ["wang", "zhang", "Zhang", "red gate", "hash-of", "p-", "armed", "布防", "撤防"]
    homes = {zone.id for zone in REGISTRY.zones.values() if zone.premises in forbidden}
    assert len(homes) > 40
    for words in (
        ("daily", "--date", "2026-10-07"),
        ("weekly", "--date", "2026-10-01"),
        ("monthly", "--date", "2026-10-07"),
    ):
        for language in ("zh", "en"):
            assert 0 == lianfang(config, tmp_path / "out", *words, "--language", language).exit_code
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(files) > 40
    for path in files:
        text = path.read_text(encoding="utf-8")
        text = re.sub(
            r"<svg.*?</svg>|<style>.*?</style>",
            lambda m: re.sub(r"<[^>]*>", " ", m[0][:0] or m[0]),
            text,
            flags=re.DOTALL,
        )
        found = [one for one in [*forbidden, *homes] if re.search(rf"(?<![\w-]){re.escape(one)}", text)]
        assert [] == found, path
    zones = {row["zone"] for row in read(tmp_path / "out" / "hengjie-monthly-2026-10-01-zh" / "zones.csv")}
    assert zones, "sites may report their zones"
    (drill,) = read(tmp_path / "out" / "hengjie-daily-2026-10-07-zh" / "drills.csv")
    assert ("紧急求助", "west", "已完成") == (drill["kind"], drill["place"], drill["outcome"])
    members = (REGISTRY.groups[AREA, group].members for group in ("east", "west"))
    assert (sum(map(len, members)) - 1, "无") == (int(drill["sirens_called"]), drill["first_going_s"])
    assert zones <= {zone.id for zone in REGISTRY.zones.values() if zone.premises == "works"}


def test_a_group_of_few_households_is_told_with_its_village(tmp_path: Path) -> None:
    """Its figures would be those of a house or two."""
    text = HENGJIE.read_text(encoding="utf-8")
    all_of = '["h01", "h02", "h03", "h04", "h05", "h06", "h07", "h08", "h09", "h10"]'
    assert all_of in text
    small = text.replace(all_of, '["h01", "h02", "h03"]').replace('head = "h01"', 'head = "h01"\nany_size = true')
    registry = tmp_path / "registry.toml"
    registry.write_text(small, encoding="utf-8")
    work = Village(2, load(registry).registry)
    for number in range(3):
        work.press("h02", number * H)
        (incident,) = work.open()
        work.move(incident, Move.ACCEPT)
        work.move(incident, Move.RESOLVE, disposition=Disposition.FALSE_ALARM, false_cause="child")
    work.press("h01", 20 * H)
    work.wait(2 * DAY)
    config = kept(tmp_path, work, registry=registry)
    for words in (("daily", "--date", "2026-09-28"), ("weekly", "--date", "2026-09-28")):
        assert 0 == lianfang(config, tmp_path / "out", *words, "--language", "en").exit_code
    for path in (tmp_path / "out").rglob("*.csv"):
        assert not re.search(r"(?<!gw-)east\b", path.read_text(encoding="utf-8-sig")), path
    (urgent, *_) = read(tmp_path / "out" / "hengjie-daily-2026-09-28-en" / "urgent.csv")
    assert "Hengjie village station" == urgent["place"]


def test_a_name_is_text_and_nothing_else(tmp_path: Path) -> None:
    """In CSV with an apostrophe where it begins like a formula, in HTML escaped, in drawings as well."""
    registry = tmp_path / "registry.toml"
    text = HENGJIE.read_text(encoding="utf-8").replace("Hengjie village station", "East <b>&amp")
    registry.write_text(text, encoding="utf-8")
    work = Village(2)
    work.days(3)
    config = kept(tmp_path, work, registry=registry)
    assert 0 == lianfang(config, tmp_path / "out", "weekly", "--date", "2026-09-30").exit_code
    page = (tmp_path / "out" / "hengjie-weekly-2026-09-28-zh" / "report.html").read_text(encoding="utf-8")
    assert "East <b>" not in page
    assert "East &lt;b&gt;&amp;amp" in page
    words = Words(Language.ZH, "Asia/Shanghai")
    made = table(
        "any", [("name", As.NAME), ("over", As.SPAN), ("share", As.SHARE)], [("=1+1", 1_500, 0.5), ("@a", None, None)]
    )
    assert "name,over_s,share\r\n'=1+1,1.500,0.5000\r\n'@a,,\r\n" == written(made, words).decode("utf-8-sig")


def test_everything_wrong_with_what_was_asked_is_said_at_once(worked: Path, tmp_path: Path) -> None:
    """Where, what was found, what is allowed; nothing is written."""
    for words, area, faults in (
        (
            ("daily", "--date", "2199-01-01"),
            "nowhere",
            ["--area: area: found nowhere; allowed: one of hengjie", "2199-01-01"],
        ),
        (("daily", "--date", "yesterday"), AREA, ["--date: day: found yesterday; allowed: a day such as 2026-11-21"]),
        (("weekly", "--from", "2026-10-01", "--date", "2026-10-01"), AREA, ["one of the two"]),
        (("monthly", "--date", "0001-01-01"), AREA, ["a day since 2000-01-01"]),
        (("daily", "--set", "reports.timezone=Mars"), AREA, ["reports.timezone", "a time zone such as Asia/Shanghai"]),
    ):
        said = lianfang(worked, tmp_path / "out", *words, area=area)
        assert 2 == said.exit_code, said.output
        assert [] == [fault for fault in faults if fault not in said.output], said.output
        assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_or_is_something_else_is_refused(worked: Path, tmp_path: Path) -> None:
    """A file in its place, and a folder of the report's name that no report made: both stay as they are."""
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    said = lianfang(worked, tmp_path / "file" / "out", "daily", "--date", "2026-10-01")
    assert (2, True) == (said.exit_code, "--out: folder: found" in said.output), said.output
    other = tmp_path / "out" / "hengjie-daily-2026-10-01-zh"
    other.mkdir(parents=True)
    (other / "photo").write_text("mine", encoding="utf-8")
    said = lianfang(worked, tmp_path / "out", "daily", "--date", "2026-10-01")
    assert (2, True) == (said.exit_code, "is there and is no report" in said.output), said.output
    assert ["photo"] == [path.name for path in other.iterdir()]
    assert [other] == list((tmp_path / "out").iterdir())


def test_a_journal_that_is_not_there_or_broken_is_told(worked: Path, tmp_path: Path) -> None:
    """No journal: no report. A broken chain: a report that begins with it."""
    work = Village(9)
    work.days(3)
    config = kept(tmp_path, work)
    database = tmp_path / "data" / "journal.db"
    with sqlite3.connect(database) as file:
        file.execute("DROP TRIGGER entry_no_update")
        file.execute("UPDATE entry SET at_ms = at_ms + 1 WHERE n = 5")
    file.close()
    assert 0 == lianfang(config, tmp_path / "out", "daily", "--date", "2026-09-29", "--language", "en").exit_code
    page = (tmp_path / "out" / "hengjie-daily-2026-09-29-en" / "report.html").read_text(encoding="utf-8")
    assert "chain is broken (entry 5" in page
    for path in database.parent.glob("journal.db*"):
        path.unlink()
    said = lianfang(config, tmp_path / "none", "daily", "--date", "2026-09-29")
    assert (2, True) == (said.exit_code, "the journal cannot be read" in said.output), said.output


def test_notices_of_channels_are_counted_and_those_of_drills_are_not(worked: Path, tmp_path: Path) -> None:
    """From the hub's own file of them, by channel and by what became of each, whatever a drill's came to."""
    told = Posting("a", AREA, "i", Sort.PAGE, "station", "sms", "duty", "st", Priority.P1, "why", NOON_MS, NOON_MS)
    postings = [
        told,
        replace(told, id="b", state=Fares.DELIVERED),
        replace(told, id="c", state=Fares.DRILL, drill=True),
    ]
    postings += [replace(told, id="d", drill=True), replace(told, id="e", channel="chat", state=Fares.FAILED)]
    postings += [replace(told, id="h", channel="chat", state=Fares.UNKNOWN)]
    postings += [replace(told, id="f", area="elsewhere"), replace(told, id="g", at_ms=NOON_MS + DAY)]
    folder = tmp_path / "hub"
    shutil.copytree(worked.parent, folder)
    outbox = Outbox(folder / "data" / NAME)
    for posting in postings:
        outbox.keep(posting)
    outbox.close()
    made = lianfang(folder / worked.name, tmp_path, "daily", "--date", "2026-10-06")
    assert 0 == made.exit_code, made.output
    rows = read(tmp_path / "hengjie-daily-2026-10-06-zh" / "channels.csv")
    counts = {row["channel"]: {state: row[state] for state in Fares if row.get(state, "0") != "0"} for row in rows}
    assert {"sms": {"waiting": "1", "delivered": "1"}, "chat": {"failed": "1", "unknown": "1"}} == counts
    shares = {row["channel"]: row["failed_share"] for row in rows}
    assert {"sms": "0.0000", "chat": "1.0000"} == shares, "of those of which it is known"
