"""A registry of a million households, from CSV files: how long its loading takes and how much memory.

Each household has one panic and two health zones; groups of 10 to 20, a gateway each, townships of 6,000. The loading
runs in a process of its own, so that the peak is its own too; processor seconds are what a machine that does nothing
else would take.
"""

from __future__ import annotations

import gc
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from hub.api.paging import places
from hub.core.desk import Desk
from hub.core.registry import Registry, of_area
from hub.defaults import load_defaults
from hub.gate import Gate
from hub.links import Links
from hub.registry import load
from hub.registry.coverage import villages
from simulators.county import write_county
from tests.benchmarks._figures import line

HOUSEHOLDS = 1_000_000
SEED = 20_261_122


def measured(folder: Path) -> None:
    """Load in this process, and print the figures."""
    began, busy = perf_counter(), process_time()
    known = load(folder).registry
    seconds, cpu = perf_counter() - began, process_time() - busy
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    counts = f"{len(known.premises)} premises, {len(known.zones)} zones, {len(known.groups)} groups"
    line("loaded", f"{counts}, {len(known.gateways)} gateways, {len(known.areas)} areas")
    line("time", f"{seconds:.1f} s", "under 60 s")
    line("processor time", f"{cpu:.1f} s")
    line("peak memory of the process", f"{peak_mb:.0f} MB", "under 1500 MB")
    _hub(known)


def _hub(known: Registry) -> None:
    """What the hub makes of it at its start, and what its loops and requests cost with it."""
    began = perf_counter()
    desk, links = Desk(known, load_defaults()), Links(known, 0)
    Gate(known)
    links.recall(desk.gateways())
    gc.collect()
    gc.freeze()  # as the hub does once it is built
    line("desk, links and gate made of it", f"{perf_counter() - began:.1f} s")
    heard = [_timed(partial(links.heard, *key, 1, 1)) for key in known.gateways]
    line("a gateway heard", f"{median(heard):.1f} µs, worst {max(heard):.0f} µs")
    looks = [_timed(partial(links.lost, at, at)) for at in range(500, 19_500, 500)]
    line("a look for silent gateways (every 0.5 s)", f"{median(looks):.1f} µs, worst {max(looks):.0f} µs")
    look_us = _timed(lambda: links.lost(20_001, 20_001))
    line("the look that finds a third of all silent", f"{look_us / 1e3:.0f} ms, {links.count_lost()} gateways")
    areas = sorted(known.areas)
    page_us = _timed(
        lambda: [desk.zone(*key) for key in places(areas, lambda one: of_area(known.zones, one), 500, None)[0]]
    )
    line("a page of 500 zones of all areas", f"{page_us / 1e3:.1f} ms")
    coverage_us = _timed(lambda: [list(villages(known, area)) for area in areas[:10]])
    line("the coverage of ten townships", f"{coverage_us / 1e3:.1f} ms")
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line("peak memory of the process, all of it", f"{peak_mb:.0f} MB", "under 1500 MB")


def _timed(work: Callable[[], object]) -> float:
    """How long it takes, in µs."""
    began = perf_counter()
    work()
    return (perf_counter() - began) * 1e6


def run() -> None:
    """Write the county, then load it in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="lf-county-") as name:
        write_county(Path(name), HOUSEHOLDS, SEED)
        size = sum(path.stat().st_size for path in Path(name).iterdir())
        line("written", f"{HOUSEHOLDS} households, seed {SEED}, {size / 1e6:.0f} MB of CSV")
        subprocess.run([sys.executable, "-m", __name__, name], check=True)


if __name__ == "__main__":
    measured(Path(sys.argv[1]))
