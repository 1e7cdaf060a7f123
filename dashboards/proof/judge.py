"""Whether an answer is one: there, of the right kinds, and such as can be true."""

from __future__ import annotations

import math
from collections.abc import Iterable

from dashboards.making.select import Column
from dashboards.proof.ask import Series


def judged(series: list[Series], columns: list[Column], plausible: tuple[float, float]) -> list[str]:
    """What is wrong with an answer that must not be empty; nothing where all is well."""
    if not any(one.rows for one in series):
        return ["no answer"]
    return list(_wrong(series, columns, plausible))


def _wrong(series: list[Series], columns: list[Column], plausible: tuple[float, float]) -> Iterable[str]:
    for column in columns:
        if any(column.name not in one.columns for one in series):
            yield f"column {column.name}: not in the answer"
            continue
        values = [value for one in series for value in one.values(column.name)]
        if not values:
            yield f"column {column.name}: empty in every row"
        strange = [value for value in values if isinstance(value, str) is column.number or isinstance(value, bool)]
        if strange:
            yield f"column {column.name}: {strange[0]!r} is no {'number' if column.number else 'text'}"
        elif column.number:
            low, high = plausible
            out = [value for value in values if not (math.isfinite(value) and low <= value <= high)]
            if out:
                yield f"column {column.name}: {out[0]} cannot be; allowed: {low:g} to {high:g}"


def strangers(series: list[Series], allowed: dict[str, frozenset[str]]) -> list[str]:
    """Places in an answer that were not chosen."""
    found = []
    for one in series:
        named = [(tag, {value}) for tag, value in one.tags.items()]
        named += [(column, set(one.values(column))) for column in one.columns if column in allowed]
        for tag, values in named:
            if tag in allowed and (others := values - allowed[tag] - {""}):
                found.append(f"{tag} {sorted(others)[0]} was not chosen")
    return found
