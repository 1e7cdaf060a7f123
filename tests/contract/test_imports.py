"""Imports point inward and cores are pure; each rule is shown to bite on a tree that breaks it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest

from tests.support.purity import impurities

ROOT = Path(__file__).resolve().parents[2]
RULES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
PACKAGES: list[str] = RULES["root_packages"]
CONTRACTS = {contract["name"]: contract for contract in RULES["contracts"]}
PURE_FILES = [
    path
    for folder in ("edge/core", "hub/core", "protocol")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if not path.relative_to(ROOT)
    .as_posix()
    .startswith(("protocol/link/", "protocol/lock.py", "protocol/logs.py", "protocol/tls.py"))
] + [ROOT / (name.replace(".", "/") + ".py") for name in RULES["contracts"][-1]["source_modules"]]

# One broken import for each contract: the module that has it, what it says, and what the report must name.
BREACHES = {
    "Layers point inward": ("edge/drivers/zz_upward.py", "import edge.app", "edge.drivers.zz_upward -> edge.app"),
    "Edge and hub meet only in protocol": ("hub/zz_edge.py", "import edge.port", "hub.zz_edge -> edge.port"),
    "Protocol imports nothing of ours": ("protocol/zz_ours.py", "import hub.core", "protocol.zz_ours -> hub.core"),
    "Dashboards know the schema of measurements, and nothing else of the hub": (
        "dashboards/zz_hub.py", "import hub.core.desk", "dashboards.zz_hub -> hub.core.desk",
    ),
    "Nothing imports simulators, dashboards or tests": (
        "hub/zz_sim.py", "import simulators", "hub.zz_sim -> simulators",
    ),
    "Simulators do not import dashboards or tests": (
        "simulators/zz_tests.py", "import tests", "simulators.zz_tests -> tests",
    ),
    "The gateway's core imports its own, the port and protocol": (
        "edge/core/zz_shell.py", "import edge.zz_new_shell", "edge.core.zz_shell -> edge.zz_new_shell",
    ),
    "The hub's core imports its own and protocol": (
        "hub/core/zz_shell.py", "from hub import zz_new_shell", "hub.core.zz_shell -> hub.zz_new_shell",
    ),
    "Cores and the wire know no clock, no chance, no I/O": (
        "hub/core/zz_clock.py", "def now():\n    import time", "hub.core.zz_clock -> time",
    ),
    "The pure files of the Modbus engine do no I/O themselves": (
        "edge/modbus/plan.py", "import asyncio", "edge.modbus.plan -> asyncio",
    ),
}  # fmt: skip


def lint(folder: Path) -> tuple[int, str]:
    """Run the linter on a tree; its exit status, and its report with white space folded."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of everything we install."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_this_repository_keeps_every_contract() -> None:
    """All imports point inward."""
    status, report = lint(ROOT)
    assert (status, f"Contracts: {len(CONTRACTS)} kept, 0 broken." in report) == (0, True), report


def test_every_contract_has_its_breach() -> None:
    """No rule is without the proof that it bites."""
    assert CONTRACTS.keys() == BREACHES.keys()


@pytest.mark.parametrize("contract", BREACHES)
def test_contract_bites(tree: Path, contract: str) -> None:
    """One wrong import breaks the contract, and the report names it."""
    path, line, named = BREACHES[contract]
    for package, shell in (("edge", "app"), ("edge", "zz_new_shell"), ("hub", "zz_new_shell")):
        (tree / package / f"{shell}.py").write_text("")
    bad = tree / path
    bad.write_text((bad.read_text(encoding="utf-8") if bad.exists() else "") + f"\n{line}\n", encoding="utf-8")
    status, report = lint(tree)
    assert status == 1
    assert f"{contract} BROKEN" in report
    assert named in report


@pytest.mark.parametrize("end", ["edge", "hub"])
def test_only_the_entry_imports_the_app(end: str) -> None:
    """Shells are put together in one place and know nothing of it, those yet to come among them."""
    graph = grimp.build_graph(*PACKAGES, exclude_type_checking_imports=True, cache_dir=None)
    for top, allowed in ((f"{end}.app", f"{end}.__main__"), (f"{end}.__main__", "")):
        inside = {name for name in graph.modules if name == top or name.startswith(f"{top}.")}
        importers = {importer for name in inside for importer in graph.find_modules_that_directly_import(name)}
        strangers = {name for name in importers - inside if not name.startswith("simulators.")}
        assert strangers - {allowed} == set()


def test_every_file_of_protocol_is_pure_or_a_shell() -> None:
    """A new file joins the list of the pure ones in pyproject.toml, or says here that it is a shell."""
    pure = CONTRACTS["Cores and the wire know no clock, no chance, no I/O"]["source_modules"]
    listed = {name.removeprefix("protocol.") for name in pure if name.startswith("protocol.")}
    found = {path.relative_to(ROOT / "protocol").parts[0] for path in (ROOT / "protocol").rglob("*.py")}
    assert listed | {"__init__", "link", "lock", "logs", "tls"} == {name.removesuffix(".py") for name in found}


@pytest.mark.parametrize("path", PURE_FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_pure_file_reads_no_clock_and_touches_nothing(path: Path) -> None:
    """Time, chance and the world come in as arguments."""
    assert impurities(path.read_text(encoding="utf-8")) == []


IMPURE_SOURCES = {
    "import time\ntime.monotonic_ns()": ["2: time.monotonic_ns"],
    "import time as t\nclock = t.time": ["2: time.time"],
    "from time import time\nx = time()": ["2: time.time"],
    "from datetime import datetime\ndatetime.now()": ["2: datetime.datetime.now"],
    "import datetime as dt\ndt.datetime.utcnow()": ["2: datetime.datetime.utcnow"],
    "from datetime import date as d\nd.today()": ["2: datetime.date.today"],
    "def f():\n    from uuid import uuid4\n    return uuid4().hex": ["3: uuid.uuid4"],
    "import os\nos.urandom(16)": ["2: os.urandom"],
    "import os.path\nos.path.exists('x')": ["2: os.path.exists", "2: os.path"],
    "with open('x') as f: pass": ["1: open"],
    "print('x')": ["1: print"],
    "import random\nrandom.random()": ["2: random.random"],
}


@pytest.mark.parametrize("source", IMPURE_SOURCES)
def test_checker_finds_impure_source(source: str) -> None:
    """The check above can fail, under every spelling of an import."""
    assert impurities(source) == IMPURE_SOURCES[source]


@pytest.mark.parametrize(
    "source",
    ["time = 5\nx = time", "def f(time, random): return time.wall_ms", "stamp.now()", "x = self.time.now",
     "from datetime import datetime, UTC\ndatetime.fromtimestamp(0, UTC)", "from uuid import uuid5\nuuid5(a, b)"],
)  # fmt: skip
def test_checker_lets_pure_source_be(source: str) -> None:
    """Arguments called like modules and pure functions of impure modules are fine."""
    assert impurities(source) == []
