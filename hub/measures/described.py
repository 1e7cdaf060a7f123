"""The schema in Markdown, as docs/telemetry.md has it: `python -m hub.measures.described`."""

from __future__ import annotations

import typer

from hub.measures.schema import MEASUREMENTS, STAMP, Field, Source

SOURCES = {
    Source.READING: "Readings of gateways",
    Source.EVENT: "What happened at the hub",
    Source.SNAPSHOT: "How things stand, every 10 s",
}


def described() -> str:
    """Every measurement with its tags and fields."""
    parts: list[str] = []
    for source, title in SOURCES.items():
        parts.append(f"### {title}\n")
        if source is Source.READING:
            parts.append("Every row also has the reading's own stamp:\n")
            parts.append(_table(STAMP))
        for one in MEASUREMENTS:
            if one.source is source:
                stamped = set(STAMP) if source is Source.READING else set()
                parts.append(f"#### `{one.name}`\n\n{one.about} One series per {one.per}.\n")
                parts.append(f"Tags: {', '.join(f'`{tag}`' for tag in one.tags)}\n")
                if fields := tuple(field for field in one.fields if field not in stamped):
                    parts.append(_table(fields))
    return "\n".join(parts).rstrip() + "\n"


def _table(fields: tuple[Field, ...]) -> str:
    rows = [f"| `{one.name}` | {one.kind} | {one.unit} | {one.about} |" for one in fields]
    return "\n".join(["| field | kind | unit | |", "|---|---|---|---|", *rows]) + "\n"


if __name__ == "__main__":
    typer.echo(described())
