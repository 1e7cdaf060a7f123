"""Run every benchmark of this folder, or the ones named: `python -m tests.benchmarks [NAME ...]`."""

from __future__ import annotations

import importlib
import platform
import sys
from os import cpu_count
from pathlib import Path


def main(names: list[str]) -> int:
    """Each benchmark module offers `run()`, which prints its figures. Unknown names are refused with the known ones."""
    known = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.stderr.write(f"no benchmark {', '.join(unknown)}; known: {', '.join(known)}\n")
        return 2
    sys.stdout.write(f"{cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}\n")
    for name in names or known:
        module = importlib.import_module(f"tests.benchmarks.{name}")
        sys.stdout.write(f"\n{name}: {(module.__doc__ or '').strip().splitlines()[0]}\n")
        sys.stdout.flush()
        module.run()
    return 0


sys.exit(main(sys.argv[1:]))
