"""docs/dashboards.md's tables: every panel with its question, and what the simulated week answered."""

from __future__ import annotations

from dashboards.making.board import boards
from dashboards.making.panel import Look, Panel
from dashboards.making.words import Language
from dashboards.proof.ask import Series
from dashboards.proof.prove import Proof, number_of, short
from dashboards.rules import RULES

SCALES = {
    "ms": ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"), (1, "ms")),
    "s": ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")),
}
MARK = "<!-- made by: lianfang dashboards prove --doc docs/dashboards.md -->\n\n"
"""What comes after it in the page is made."""
SIGNS = {"percent": " %", "celsius": " °C", "ohm": " Ω", "cpm": " a minute"}


def described(proof: Proof) -> str:
    """All boards and alert rules, in Markdown."""
    parts = []
    for board in boards():
        rows = [
            f"| {panel.title.en} · {panel.title.zh} | {panel.about.en} | {_answer(panel, proof, board.uid)} |"
            for panel in board.panels
        ]
        head = f"## {board.title.of(Language.EN)} · {board.title.zh}\n\n{board.about.en}"
        parts.append("\n".join([f"{head}\n", "| panel | question | in the week |", "|---|---|---|", *rows]))
    rules = [f"| `{rule.uid}` | {rule.title.en} · {rule.title.zh} | {rule.summary.en} |" for rule in RULES]
    parts.append("\n".join(["## Alert rules\n", "| rule | | |", "|---|---|---|", *rules]))
    return "\n\n".join(parts) + "\n"


def _answer(panel: Panel, proof: Proof, uid: str) -> str:
    answers = proof.answers.get(f"{short(uid)}/{panel.key}", [])
    number = number_of(answers)
    if number is not None:
        return _in_unit(number, panel.unit)
    series = [one for answer in answers for one in answer if one.rows]
    if panel.look in (Look.TABLE, Look.MAP):
        rows = sum(len(one.rows) for one in series)
        return f"{rows} row{'s' if rows > 1 else ''}"
    numbers = [value for one in series for value in _numbers(one)]
    words = sorted({value for one in series for row in one.rows for value in row[1:] if isinstance(value, str)})
    said = ", ".join(words) or f"{_in_unit(min(numbers), panel.unit)} to {_in_unit(max(numbers), panel.unit)}"
    lines = sum(len(one.columns) - 1 for one in series)
    return f"{lines} series: {said}" if lines > 1 else said


def _numbers(one: Series) -> list[float]:
    return [value for row in one.rows for value in row[1:] if isinstance(value, int | float)]


def _in_unit(value: float, unit: str) -> str:
    """A number with its unit, as a panel shows it."""
    if unit == "percentunit":
        return f"{100 * value:.3g} %"
    for size, sign in SCALES.get(unit, ()):
        if abs(value) >= size:
            return f"{value / size:.3g} {sign}"
    return f"{value:.5g}{SIGNS.get(unit, f' {unit}' if unit in SCALES else '')}"
