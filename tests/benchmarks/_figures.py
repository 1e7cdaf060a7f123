"""How figures are counted and printed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from statistics import median

from hub.reports.stats import nearest


def spread(what: str, values: Sequence[float], unit: str, asked: str = "") -> None:
    """Print median, 99th percentile and maximum of `values`, and what was asked of them."""
    figures = f"median {median(values):.2f}, p99 {nearest(sorted(values), 99):.2f}, max {max(values):.2f} {unit}"
    line(what, f"{figures} of {len(values)}", asked)


def line(what: str, figure: str, asked: str = "") -> None:
    """Print one figure."""
    sys.stdout.write(f"  {what:<44} {figure}{f'   (asked: {asked})' if asked else ''}\n")
    sys.stdout.flush()
