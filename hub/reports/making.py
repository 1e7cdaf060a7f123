"""A report made: the journal folded, the figures taken, the files put in their place."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from hub.core.registry import Registry
from hub.defaults import load_defaults
from hub.notify.outbox import NAME as NOTICES
from hub.past import Past
from hub.registry.history import FOLDER, History
from hub.reports import csv_files, html
from hub.reports.folding import Folding
from hub.reports.material import Material, Standing
from hub.reports.notices import counted
from hub.reports.period import Period, before
from hub.reports.report import Report, report
from hub.reports.words import Words
from hub.settings import Settings
from protocol.faults import Fault, Refused

PAGE = "report.html"


def made(settings: Settings, registry: Registry, area: str, period: Period, now_ms: int) -> tuple[Report, int]:
    """The report of a period as far as it has come by `now_ms`, and how many entries were read; `registry` is the hub's
    own of today. The hub may go on working meanwhile. Raises Refused, JournalError."""
    defaults = load_defaults(settings.hub.defaults)
    was, until_ms = before(period), min(period.end_ms, now_ms)
    formerly = History(settings.hub.data_dir / FOLDER).formerly(defaults)
    folding = Folding(registry, defaults, area, (was.start_ms, period.start_ms, until_ms), formerly)
    with contextlib.closing(Past(settings.journal_url)) as past:
        watched = past.watched(was.start_ms)
        folding.run(past)
    notices = settings.hub.data_dir / NOTICES

    def material(of: Period, end_ms: int, opening: Standing, closing: Standing) -> Material:
        return Material(
            period=of,
            until_ms=end_ms,
            opening=opening,
            closing=closing,
            watched=None if watched is None else tuple(watched),
            pages=folding.pages,
            notices=counted(notices, area, of.start_ms, end_ms),
        )

    first, middle, last = folding.standings
    broken, left_out = folding.found.broken, folding.found.left_out
    told = "" if broken is None else str(broken)
    now = material(period, until_ms, middle, last)
    name = registry.areas[area].name or area
    return report(now, material(was, was.end_ms, first, middle), area, name, told, left_out), folding.found.entries


def put(out: Path, found: Report, words: Words) -> Path:
    """Write the page and the tables into a folder of their own in `out`, whole, in place of an earlier one of the same
    name. Gives the folder. Raises OSError, Refused for a folder that no report made."""
    target = out / f"{found.area}-{found.sort}-{found.period.first}-{words.language}"
    if target.exists() and not (target / PAGE).is_file():
        raise Refused([Fault(str(out), "--out", f"{target.name} is there and is no report", "a place that is free")])
    files: dict[str, Callable[[], bytes]] = {PAGE: lambda: html.page(found, words).encode()}
    for section in found.sections:
        for table in section.tables:
            files[f"{table.name}.csv"] = lambda table=table: csv_files.written(table, words)  # type: ignore[misc]
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".report-") as name:
        fresh = Path(name) / target.name
        fresh.mkdir(mode=0o750)
        for file, content in files.items():
            (fresh / file).write_bytes(content())
        if target.exists():
            shutil.move(target, Path(name) / "before")
        fresh.rename(target)
    return target
