"""A registry of a million households, from CSV files: how long its loading takes and how much memory.

Each household has one panic and two health zones; groups of 10 to 20, a gateway each, townships of 6,000. The loading
runs in a process of its own, so that the peak is its own too; processor seconds are what a machine that does nothing
else would take.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

from simulators.county import write_county
from tests.benchmarks._figures import line

HOUSEHOLDS = 1_000_000
SEED = 20_261_122


def measured(folder: Path) -> None:
    """Load in this process, and print the figures."""
    from hub.registry import load

    began, busy = perf_counter(), process_time()
    known = load(folder).registry
    seconds, cpu = perf_counter() - began, process_time() - busy
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    counts = f"{len(known.premises)} premises, {len(known.zones)} zones, {len(known.groups)} groups"
    line("loaded", f"{counts}, {len(known.gateways)} gateways, {len(known.areas)} areas")
    line("time", f"{seconds:.1f} s", "under 60 s")
    line("processor time", f"{cpu:.1f} s")
    line("peak memory of the process", f"{peak_mb:.0f} MB", "under 1500 MB")


def run() -> None:
    """Write the county, then load it in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="lf-county-") as name:
        write_county(Path(name), HOUSEHOLDS, SEED)
        size = sum(path.stat().st_size for path in Path(name).iterdir())
        line("written", f"{HOUSEHOLDS} households, seed {SEED}, {size / 1e6:.0f} MB of CSV")
        subprocess.run([sys.executable, "-m", __name__, name], check=True)


if __name__ == "__main__":
    measured(Path(sys.argv[1]))
