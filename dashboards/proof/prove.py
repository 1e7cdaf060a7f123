"""The whole proof: every variable and every query, chosen and unchosen, of now and of a hub fallen silent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dashboards.making.board import Board, boards
from dashboards.making.panel import Panel
from dashboards.making.select import columns_of, placed
from dashboards.proof.ask import AskFailed, Database, Series
from dashboards.proof.judge import judged, strangers
from dashboards.proof.macros import UnknownMacro, Window, expand, span_ms

SILENT_AFTER_MS = 1_800_000
"""So long after its last word a hub is silent beyond doubt."""
NOW_MS_MAX = 600_000
"""A panel that asks for no more than this stands for now."""
NOWHERE = ("nowhere",)


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment (hub wall ms) and the alert rules that must fire then."""

    at_ms: int
    firing: frozenset[str]


@dataclass(frozen=True, slots=True)
class Scene:
    """What is in the database, by "board/panel": from when to when; in which panels nothing happened, and in which
    nothing in the one `area` that is chosen alone; the values of every variable, and those of that area; what single
    numbers must be, and named ones (by a tag's value)."""

    week: Window
    empty: frozenset[str]
    elsewhere: frozenset[str]
    places: Mapping[str, frozenset[str]]
    area: str
    within: dict[str, frozenset[str]]
    numbers: Mapping[str, float]
    bars: Mapping[str, Mapping[str, float]]
    moments: Mapping[str, Moment]


@dataclass(slots=True)
class Proof:
    """What was proven. `failures` say where, and why; `answers` are those of now, by "board/panel"."""

    boards: int = 0
    panels: int = 0
    variables: int = 0
    rules: int = 0
    queries: int = 0
    failures: list[str] = field(default_factory=list)
    answers: dict[str, list[list[Series]]] = field(default_factory=dict)

    def say(self, where: str, wrong: list[str]) -> None:
        """What is wrong there."""
        self.failures += [f"{where}: {why}" for why in wrong]


def prove(
    database: Database, built: Mapping[str, dict[str, Any]], scene: Scene, of: Sequence[Board] | None = None
) -> Proof:
    """Prove these dashboards (JSON by uid), as they are: all boards, or those `of`."""
    proof = Proof()
    for board in boards() if of is None else of:
        proof.boards += 1
        if board.uid not in built:
            proof.failures.append(f"{board.uid}: not among those built")
            continue
        _Board(database, board, built[board.uid], scene, proof).prove()
    _truths(scene, proof)
    return proof


class _Board:
    """One board's proof."""

    def __init__(self, database: Database, board: Board, built: dict[str, Any], scene: Scene, proof: Proof) -> None:
        self._database, self._board, self._built, self._scene, self._proof = database, board, built, scene, proof
        self._variables = {one["name"]: one["query"] for one in built.get("templating", {}).get("list", ())}

    def prove(self) -> None:
        """All of it."""
        everything: dict[str, tuple[str, ...] | None] = dict.fromkeys(self._variables, None)
        for name in self._variables:
            self._variable(name)
        shown = [one for one in self._built["panels"] if one["type"] != "row"]
        if len(shown) != len(self._board.panels):
            self._proof.failures.append(f"{self._board.uid}: {len(shown)} panels, not {len(self._board.panels)}")
        for panel, made in zip(self._board.panels, shown, strict=False):
            self._proof.panels += 1
            self._panel(panel, made, everything)

    def _variable(self, name: str) -> None:
        where, scene = f"{self._short}/${name}", self._scene
        self._proof.variables += 1
        before = dict.fromkeys(self._variables, None)
        found = self._values(where, self._variables[name], before)
        self._proof.say(
            where, [] if found == scene.places[name] else [f"{sorted(found)}, not {sorted(scene.places[name])}"]
        )
        if name != "area":
            some = self._values(where, self._variables[name], before | {"area": (scene.area,)})
            wanted = scene.within[name]
            self._proof.say(where, [] if some == wanted else [f"in {scene.area} {sorted(some)}, not {sorted(wanted)}"])

    def _values(self, where: str, query: str, choices: Mapping[str, tuple[str, ...] | None]) -> frozenset[str]:
        series = self._ask(where, query, self._scene.week, choices)
        return frozenset(str(value) for one in series or () for value in one.values("value"))

    def _panel(self, panel: Panel, made: dict[str, Any], everything: dict[str, tuple[str, ...] | None]) -> None:
        key, scene = f"{self._short}/{panel.key}", self._scene
        since_ms = span_ms(made.get("timeFrom") or self._board.since)
        end_ms = scene.week.to_ms
        answers = self._proof.answers.setdefault(key, [])
        for target in made.get("targets", ()):
            where, query = f"{key} {target['refId']}", target["query"]
            series = self._ask(where, query, Window(end_ms - since_ms, end_ms), everything)
            if series is None:
                continue
            answers.append(series)
            self._proof.say(where, list(self._now(panel, key, query, series)))
            self._proof.say(where, list(self._chosen(where, query, Window(end_ms - since_ms, end_ms), everything)))
            if panel.lately and span_ms(panel.lately) <= NOW_MS_MAX:
                late = Window(end_ms + SILENT_AFTER_MS - since_ms, end_ms + SILENT_AFTER_MS)
                if any(one.rows for one in self._ask(where, query, late, everything) or ()):
                    self._proof.failures.append(f"{where}: says something of now though the hub is silent")

    def _now(self, panel: Panel, key: str, query: str, series: list[Series]) -> Iterator[str]:
        if key in self._scene.empty:
            if any(one.rows for one in series):
                yield "an answer where nothing happened"
            return
        yield from judged(series, columns_of(query), panel.plausible)

    def _chosen(
        self, where: str, query: str, window: Window, everything: dict[str, tuple[str, ...] | None]
    ) -> Iterator[str]:
        """One area chosen: that alone; one that is not there: nothing."""
        if not placed(query):
            return
        scene = self._scene
        chosen = self._ask(where, query, window, everything | {"area": (scene.area,)})
        if (not any(one.rows for one in chosen or ())) is not (where.split()[0] in scene.elsewhere):
            yield f"with {scene.area} chosen, {'an answer where nothing happened' if chosen else 'no answer'}"
        yield from (f"with {scene.area} chosen, {why}" for why in strangers(chosen or [], scene.within))
        if any(one.rows for one in self._ask(where, query, window, everything | {"area": NOWHERE}) or ()):
            yield "an answer for an area that is not there"

    def _ask(
        self, where: str, query: str, window: Window, choices: Mapping[str, tuple[str, ...] | None]
    ) -> list[Series] | None:
        self._proof.queries += 1
        try:
            return self._database.ask(expand(query, window, choices))
        except (AskFailed, UnknownMacro) as cause:
            self._proof.failures.append(f"{where}: {cause}")
            return None

    @property
    def _short(self) -> str:
        return short(self._board.uid)


def short(uid: str) -> str:
    """A board's name in a proof."""
    return uid.removeprefix("lianfang-")


def prove_rules(database: Database, rules: Sequence[Mapping[str, Any]], scene: Scene, proof: Proof) -> None:
    """Each alert rule at each moment of the scene fires where it must, and nowhere else."""
    proof.rules += len(rules)
    for name, moment in scene.moments.items():
        found = {rule["uid"] for rule in rules if _fires(database, rule, moment.at_ms, proof)}
        for uid in sorted(found ^ moment.firing):
            proof.failures.append(f"{uid}: {'fires' if uid in found else 'does not fire'} when {name}")


def _fires(database: Database, rule: Mapping[str, Any], at_ms: int, proof: Proof) -> bool:
    """As Grafana does it: the newest value of each series, held against the limit; no series counts by itself."""
    asked, _, limit = rule["data"]
    evaluator = limit["model"]["conditions"][0]["evaluator"]
    window = Window(at_ms - 1_000 * asked["relativeTimeRange"]["from"], at_ms)
    proof.queries += 1
    try:
        series = database.ask(expand(asked["model"]["query"], window, {}))
    except (AskFailed, UnknownMacro) as cause:
        proof.failures.append(f"{rule['uid']}: {cause}")
        return False
    newest = [one.rows[-1][-1] for one in series if one.rows]
    if not newest:
        return bool(rule["noDataState"] == "Alerting")
    (bound,) = evaluator["params"]
    return any(value > bound if evaluator["type"] == "gt" else value < bound for value in newest)


def number_of(answer: list[list[Series]]) -> float | None:
    """The one number of an answer; None where there is not one."""
    found = [value for series in answer for one in series for row in one.rows for value in row[1:] if value is not None]
    return float(found[-1]) if len(found) == 1 and not isinstance(found[0], str) else None


def bars_of(answer: list[list[Series]]) -> dict[str, float]:
    """The last number of each series, by its only tag."""
    found = {}
    for one in (one for series in answer for one in series if one.rows):
        found[next(iter(one.tags.values()), "")] = float(one.rows[-1][-1])
    return found


def _truths(scene: Scene, proof: Proof) -> None:
    asked = {key: wanted for key, wanted in scene.numbers.items() if key in proof.answers}
    for key, wanted in asked.items():
        found = number_of(proof.answers[key])
        if found != wanted:
            proof.failures.append(f"{key}: {found}, and in truth it is {wanted:g}")
    for key, named in scene.bars.items():
        bars = bars_of(proof.answers.get(key, []))
        if key in proof.answers and bars != named:
            proof.failures.append(f"{key}: {bars}, and in truth it is {dict(named)}")
